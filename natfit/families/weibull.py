"""The Weibull distribution with known shape."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from natfit.families.exponential_statistic import ExponentialStatistic
from natfit.families.registry import register
from natfit.families.support import POSITIVE
from natfit.parametrizations import Log, Parametrization, Power
from natfit.parametrizations.base import Array


@register
class Weibull(ExponentialStatistic):
    """p(y) = (k/scale) (y/scale)^(k-1) exp(-(y/scale)^k), shape k known; T = y^k, eta = -scale^-k.

    Parameters
    ----------
    shape : float
        Known shape k > 0.

    Examples
    --------
    >>> Weibull(shape=2.0).mle([3.0, 4.0]).round(4)
    array([3.5355])
    """

    name = "weibull"
    home = "scale"
    parameter_names = ("scale",)
    statistic_names = ("y^shape",)
    support = POSITIVE

    def __init__(self, shape: float) -> None:
        if not (np.isfinite(shape) and shape > 0):
            raise ValueError(f"weibull needs a positive, finite shape, but got {shape}.")
        self.shape = float(shape)
        self.power = -self.shape

    def statistic(self, y: Array) -> Array:
        return y**self.shape

    def inverse_statistic(self, t: Array, rng: np.random.Generator) -> Array:
        return t ** (1.0 / self.shape)

    def log_base_measure(self, y: Array) -> Array:
        return np.log(self.shape) + (self.shape - 1.0) * np.log(y)

    def expected_log_base_measure(self, theta: Array) -> Array:
        return np.log(self.shape) + (self.shape - 1.0) / self.shape * self.expected_log_statistic(theta)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_scale": Log(["log_scale"]), "rate": Power(["rate"], -1)}

    @classmethod
    def examples(cls) -> tuple[Weibull, ...]:
        return (cls(shape=2.0), cls(shape=0.7))

    def __repr__(self) -> str:
        return f"Weibull(shape={self.shape:g})"
