"""The Laplace distribution with known location."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from natfit.families.exponential_statistic import ExponentialStatistic
from natfit.families.registry import register
from natfit.families.support import REALS
from natfit.parametrizations import Log, Parametrization, Power
from natfit.parametrizations.base import Array


@register
class Laplace(ExponentialStatistic):
    """p(y) = exp(-|y - location| / scale) / (2 scale); T = |y - location|, eta = -1/scale.

    Parameters
    ----------
    location : float
        Known median.

    Examples
    --------
    >>> Laplace(location=1.0).mle([0.0, 4.0])
    array([2.])
    """

    name = "laplace"
    home = "scale"
    parameter_names = ("scale",)
    statistic_names = ("|y - location|",)
    support = REALS
    power = -1.0
    estimable = "one observation away from the location"

    def __init__(self, location: float = 0.0) -> None:
        if not np.isfinite(location):
            raise ValueError(f"laplace needs a finite location, but got {location}.")
        self.location = float(location)

    def statistic(self, y: Array) -> Array:
        return np.abs(y - self.location)

    def inverse_statistic(self, t: Array, rng: np.random.Generator) -> Array:
        return self.location + np.where(rng.random(t.shape) < 0.5, -t, t)

    def log_base_measure(self, y: Array) -> Array:
        return np.full(y.shape, -np.log(2.0))

    def expected_log_base_measure(self, theta: Array) -> Array:
        return np.full(theta.shape[:-1], -np.log(2.0))

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_scale": Log(["log_scale"]), "rate": Power(["rate"], -1)}

    @classmethod
    def examples(cls) -> tuple[Laplace, ...]:
        return (cls(), cls(location=-2.5))

    def __repr__(self) -> str:
        return f"Laplace(location={self.location:g})"
