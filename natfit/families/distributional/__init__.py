"""Families for regressions in which every parameter of the distribution has a predictor.

Examples
--------
>>> from natfit.families import distributional
>>> distributional.get("zero_inflated_poisson").parameter_names
('rate', 'inflation')
"""

from natfit.families.distributional import (  # noqa: F401  (each registers its families)
    categorical,
    counts,
    location_scale,
    mean_precision,
    positive,
    proportions,
    reused,
    tweedie,
    zero_inflated,
)
from natfit.families.distributional.base import DistributionalFamily, Parameters
from natfit.families.distributional.check import check
from natfit.families.distributional.registry import get, names, register

__all__ = ["DistributionalFamily", "Parameters", "check", "get", "names", "register"]
