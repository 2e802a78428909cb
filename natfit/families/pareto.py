"""The Pareto distribution with known minimum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from natfit.families.exponential_statistic import ExponentialStatistic
from natfit.families.registry import register
from natfit.families.support import Support, from_minimum
from natfit.parametrizations import Log, Parametrization
from natfit.parametrizations.base import Array


@register
class Pareto(ExponentialStatistic):
    """p(y) = shape minimum^shape / y^(shape+1), y >= minimum; T = log(y/minimum), eta = -shape.

    Parameters
    ----------
    minimum : float
        Known lower end of the support, positive.

    Examples
    --------
    >>> import numpy as np
    >>> Pareto(minimum=1.0).mle(np.exp([1.0, 3.0])).round(12)
    array([0.5])
    """

    name = "pareto"
    home = "shape"
    parameter_names = ("shape",)
    statistic_names = ("log(y/minimum)",)
    estimable = "one observation above the minimum"

    def __init__(self, minimum: float = 1.0) -> None:
        if not (np.isfinite(minimum) and minimum > 0):
            raise ValueError(f"pareto needs a positive, finite minimum, but got {minimum}.")
        self.minimum = float(minimum)

    @property
    def support(self) -> Support:  # type: ignore[override]
        return from_minimum(self.minimum)

    def statistic(self, y: Array) -> Array:
        return np.log(y / self.minimum)

    def inverse_statistic(self, t: Array, rng: np.random.Generator) -> Array:
        return self.minimum * np.exp(t)

    def log_base_measure(self, y: Array) -> Array:
        return -np.log(y)

    def expected_log_base_measure(self, theta: Array) -> Array:
        return -1.0 / theta[..., 0] - np.log(self.minimum)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_shape": Log(["log_shape"])}

    @classmethod
    def examples(cls) -> tuple[Pareto, ...]:
        return (cls(), cls(minimum=3.0))

    def example_parameters(self) -> Array:
        return np.array([[1.5], [0.6], [3.5], [40.0]])

    def __repr__(self) -> str:
        return f"Pareto(minimum={self.minimum:g})"
