"""The geometric distribution: failures before the first success."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import xlog1py

from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.families.registry import register
from natfit.families.support import counts
from natfit.parametrizations import Logit, Parametrization
from natfit.parametrizations.base import Array, Mask


@register
class Geometric(ExponentialFamily):
    """P(y) = p (1-p)^y, y = 0, 1, 2, ... failures before the first success; T = y, eta = log(1-p), A = -log p.

    The negative binomial with size 1. (Where trials are counted instead, subtract 1 from each observation.)

    Examples
    --------
    >>> Geometric().mle([0, 3, 0])
    array([0.5])
    """

    name = "geometric"
    home = "probability"
    parameter_names = ("probability",)
    statistic_names = ("y",)
    support = counts(0)
    estimable = "one observation above zero"

    def sufficient_statistics(self, y: Array) -> Array:
        return y[..., None]

    def log_partition(self, eta: Array) -> Array:
        return -np.log(-np.expm1(eta[..., 0]))

    def mean_from_natural(self, eta: Array) -> Array:
        return 1.0 / np.expm1(-eta)

    def natural_from_mean(self, m: Array) -> Array:
        return -np.log1p(1.0 / m)

    def fisher_natural(self, eta: Array) -> Array:
        return (np.exp(eta) / np.expm1(eta) ** 2)[..., None]

    def natural_from_home(self, theta: Array) -> Array:
        return np.log1p(-theta)

    def home_from_natural(self, eta: Array) -> Array:
        return -np.expm1(eta)

    def home_from_mean(self, m: Array) -> Array:
        return 1.0 / (1.0 + m)

    def natural_jacobian(self, theta: Array) -> Array:
        return (-1.0 / (1.0 - theta))[..., None]

    def contains(self, theta: Array) -> Mask:
        return (theta[..., 0] > 0) & (theta[..., 0] < 1)

    def contains_mean(self, m: Array) -> Mask:
        return (m[..., 0] > 0) & np.isfinite(m[..., 0])

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        p = theta[..., 0]
        return np.log(p) + xlog1py(y, -p)

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        # a geometric variable is a run of Bernoulli trials, 1/p0 of them on average
        p0, p1 = theta0[..., 0], theta1[..., 0]
        success, failure = x_minus_log1p((p1 - p0) / p0), x_minus_log1p((p0 - p1) / (1.0 - p0))
        return success + (1.0 - p0) / p0 * failure

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.geometric(theta[..., 0], shape) - 1.0

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_odds": Logit(["log_odds"])}

    def example_parameters(self) -> Array:
        return np.array([[0.5], [0.05], [0.3], [0.9]])

    @property
    def domain_text(self) -> str:
        return "probability must lie strictly between 0 and 1"
