"""Families of distributions, one file each, and links.

Examples
--------
>>> from natfit import families
>>> families.get("poisson").resolve_link("sqrt")
Sqrt()
"""

from natfit.families import links
from natfit.families.binomial import Binomial
from natfit.families.gamma import Gamma
from natfit.families.gaussian import Gaussian
from natfit.families.interval import Interval
from natfit.families.inverse_gaussian import InverseGaussian
from natfit.families.negative_binomial import NegativeBinomial
from natfit.families.poisson import Poisson
from natfit.families.registry import get, names, register
from natfit.families.response import Response
from natfit.families.tweedie import Tweedie

__all__ = [
    "Binomial",
    "Gamma",
    "Gaussian",
    "Interval",
    "InverseGaussian",
    "NegativeBinomial",
    "Poisson",
    "Response",
    "Tweedie",
    "get",
    "links",
    "names",
    "register",
]
