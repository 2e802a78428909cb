"""The logarithmic (log-series) distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.families.registry import register
from natfit.families.solving import increasing_root
from natfit.families.support import counts
from natfit.parametrizations import Logit, Parametrization
from natfit.parametrizations.base import Array, Mask


@register
class Logarithmic(ExponentialFamily):
    """P(y) = p^y / (y L), y = 1, 2, ..., with L = -log(1-p); T = y, eta = log p, A = log L.

    Source: Fisher, Corbet & Williams (1943), The relation between the number of species and the number of individuals.

    Examples
    --------
    >>> Logarithmic().mle([1, 1, 2, 1, 5]).round(4)
    array([0.7153])
    """

    name = "logarithmic"
    home = "probability"
    parameter_names = ("probability",)
    statistic_names = ("y",)
    support = counts(1)
    estimable = "one observation above 1"

    def sufficient_statistics(self, y: Array) -> Array:
        return y[..., None]

    def log_base_measure(self, y: Array) -> Array:
        return -np.log(y)

    def log_partition(self, eta: Array) -> Array:
        return np.log(-np.log1p(-np.exp(eta[..., 0])))

    def mean_from_natural(self, eta: Array) -> Array:
        return -1.0 / (np.expm1(-eta) * np.log1p(-np.exp(eta)))

    def natural_from_mean(self, m: Array) -> Array:
        return np.log(self.home_from_mean(m))

    def home_from_mean(self, m: Array) -> Array:
        # in the odds x = p / (1-p), the mean is x / log(1+x), which increases from 1
        def mean(x: Array) -> tuple[Array, Array]:
            length = np.log1p(x)
            return x / length, x_minus_log1p(-x / (1.0 + x)) / length**2

        odds = increasing_root(mean, m, 2.0 * (m - 1.0) + (m - 1.0) ** 2)
        return odds / (1.0 + odds)

    def fisher_natural(self, eta: Array) -> Array:
        p, length = np.exp(eta), -np.log1p(-np.exp(eta))
        return (p * x_minus_log1p(-p) / (np.expm1(eta) * length) ** 2)[..., None]

    def natural_from_home(self, theta: Array) -> Array:
        return np.log(theta)

    def home_from_natural(self, eta: Array) -> Array:
        return np.exp(eta)

    def natural_jacobian(self, theta: Array) -> Array:
        return (1.0 / theta)[..., None]

    def contains(self, theta: Array) -> Mask:
        return (theta[..., 0] > 0) & (theta[..., 0] < 1)

    def contains_mean(self, m: Array) -> Mask:
        return (m[..., 0] > 1) & np.isfinite(m[..., 0])

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.logseries(theta[..., 0], shape).astype(float)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_odds": Logit(["log_odds"])}

    def example_parameters(self) -> Array:
        return np.array([[0.5], [0.05], [0.9], [0.98]])

    @property
    def domain_text(self) -> str:
        return "probability must lie strictly between 0 and 1"
