"""The lognormal distribution."""

from __future__ import annotations

import numpy as np

from natfit.families.normal_form import NormalForm
from natfit.families.registry import register
from natfit.families.support import POSITIVE
from natfit.parametrizations.base import Array


@register
class LogNormal(NormalForm):
    """log y is normal with mean ``mean_log`` and variance ``variance_log``; T = (log y, log^2 y), h = 1/y.

    Examples
    --------
    >>> import numpy as np
    >>> LogNormal().mle(np.exp([1.0, 3.0])).round(12)
    array([2., 1.])
    """

    name = "lognormal"
    parameter_names = ("mean_log", "variance_log")
    coordinate_suffix = "_log"
    statistic_names = ("log y", "(log y)^2")
    support = POSITIVE

    def transform(self, y: Array) -> Array:
        return np.log(y)

    def log_base_measure(self, y: Array) -> Array:
        return -np.log(y)

    def expected_log_base_measure(self, theta: Array) -> Array:
        return -theta[..., 0]

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return np.exp(self.home_normal_sample(theta, rng, shape))
