"""The exponential distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from natfit.families.exponential_statistic import ExponentialStatistic
from natfit.families.registry import register
from natfit.families.support import NONNEGATIVE
from natfit.parametrizations import Log, Parametrization, Power
from natfit.parametrizations.base import Array


@register
class Exponential(ExponentialStatistic):
    """p(y) = rate exp(-rate y), y >= 0; T = y, eta = -rate.

    Examples
    --------
    >>> Exponential().mle([1.0, 2.0, 3.0])
    array([0.5])
    """

    name = "exponential"
    home = "rate"
    parameter_names = ("rate",)
    statistic_names = ("y",)
    support = NONNEGATIVE
    estimable = "one observation above zero"

    def statistic(self, y: Array) -> Array:
        return y

    def inverse_statistic(self, t: Array, rng: np.random.Generator) -> Array:
        return t

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"scale": Power(["scale"], -1), "log_rate": Log(["log_rate"])}
