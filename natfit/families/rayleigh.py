"""The Rayleigh distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from natfit.families.exponential_statistic import ExponentialStatistic
from natfit.families.registry import register
from natfit.families.support import POSITIVE
from natfit.parametrizations import Log, Parametrization, Power
from natfit.parametrizations.base import Array


@register
class Rayleigh(ExponentialStatistic):
    """p(y) = y / scale^2 exp(-y^2 / (2 scale^2)), y > 0; T = y^2, eta = -1 / (2 scale^2), h = 2 y.

    Examples
    --------
    >>> Rayleigh().mle([1.0, 3.0**0.5])
    array([1.])
    """

    name = "rayleigh"
    home = "scale"
    parameter_names = ("scale",)
    statistic_names = ("y^2",)
    support = POSITIVE
    power = -2.0
    factor = 0.5

    def statistic(self, y: Array) -> Array:
        return y**2

    def inverse_statistic(self, t: Array, rng: np.random.Generator) -> Array:
        return np.sqrt(t)

    def log_base_measure(self, y: Array) -> Array:
        return np.log(2.0 * y)

    def expected_log_base_measure(self, theta: Array) -> Array:
        return np.log(2.0) + 0.5 * self.expected_log_statistic(theta)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_scale": Log(["log_scale"]), "scale_squared": Power(["scale_squared"], 0.5)}
