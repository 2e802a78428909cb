"""Families of distributions, one file each, and links.

Examples
--------
>>> from natfit import families
>>> families.get("poisson").resolve_link("sqrt")
Sqrt()
"""

from typing import Any

from natfit.families import links
from natfit.families.base import ExponentialFamily, Family
from natfit.families.bernoulli import Bernoulli
from natfit.families.beta import Beta
from natfit.families.binomial import Binomial
from natfit.families.categorical import Categorical
from natfit.families.dirichlet import Dirichlet
from natfit.families.exponential import Exponential
from natfit.families.gamma import Gamma
from natfit.families.gaussian import Gaussian
from natfit.families.geometric import Geometric
from natfit.families.interval import Interval
from natfit.families.inverse_gamma import InverseGamma
from natfit.families.inverse_gaussian import InverseGaussian
from natfit.families.laplace import Laplace
from natfit.families.logarithmic import Logarithmic
from natfit.families.lognormal import LogNormal
from natfit.families.multinomial import Multinomial
from natfit.families.multivariate_normal import MultivariateNormal
from natfit.families.negative_binomial import NegativeBinomial
from natfit.families.pareto import Pareto
from natfit.families.poisson import Poisson
from natfit.families.rayleigh import Rayleigh
from natfit.families.registry import get, names, register
from natfit.families.response import Response
from natfit.families.support import Support
from natfit.families.tweedie import Tweedie
from natfit.families.von_mises import VonMises
from natfit.families.weibull import Weibull
from natfit.families.wishart import Wishart

_LATE = {"check": "check", "DistributionalFamily": "DistributionalFamily"}
"""What the package for distributional regression adds; it is loaded when asked for."""


def __getattr__(name: str) -> Any:
    if name in _LATE or name == "distributional":
        from importlib import import_module

        package = import_module("natfit.families.distributional")
        return package if name == "distributional" else getattr(package, _LATE[name])
    raise AttributeError(f"module 'natfit.families' has no attribute {name!r}")


__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Dirichlet",
    "Exponential",
    "ExponentialFamily",
    "Family",
    "Gamma",
    "Gaussian",
    "Geometric",
    "Interval",
    "InverseGamma",
    "InverseGaussian",
    "Laplace",
    "LogNormal",
    "Logarithmic",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Pareto",
    "Poisson",
    "Rayleigh",
    "Response",
    "Support",
    "Tweedie",
    "VonMises",
    "Weibull",
    "Wishart",
    "get",
    "links",
    "names",
    "register",
]
