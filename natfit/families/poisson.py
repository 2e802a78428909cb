"""The Poisson family: a GLM response, and an exponential family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import poisson_gap
from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.families.expectation import expectation
from natfit.families.interval import POSITIVE, Array
from natfit.families.registry import register
from natfit.families.response import Response, refuse_outside
from natfit.families.support import counts
from natfit.families.tails import poisson_tails
from natfit.parametrizations import Log, Parametrization
from natfit.parametrizations.base import Mask

_MANY = 1e4  # rate from which the entropy's series in 1 / rate is exact to rounding


class Poisson(Response, ExponentialFamily):
    """Poisson response: counts with mean mu; V(mu) = mu, dispersion 1.

    Fractional counts are accepted and give a quasi-likelihood. With a dispersion other than 1, or weights, the
    log-density is divided by it (quasi-Poisson); draws are made at dispersion and weight 1. As an exponential
    family (whole counts only): T = y, eta = log(rate), A = exp(eta), h = 1 / y!. Source: McCullagh & Nelder (1989),
    chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Poisson
    >>> print(Poisson().response_log_prob(np.array([2.0]), np.array([1.5])))
    [-1.38221696]
    """

    name = "poisson"
    mean_domain = POSITIVE
    dispersion = 1.0
    discrete = True
    default_link = "log"
    canonical_link = "log"
    attainable_limits = (0.0,)

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows, or use the gaussian family"
        refuse_outside(y, 0.0, np.inf, True, "Poisson counts", name, "must be 0 or more", "negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        return mu

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        return np.ones_like(mu)

    def anscombe(self, y: Array) -> Array:
        return 1.5 * y ** (2.0 / 3.0)

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """y log mu - mu."""
        out = np.log(mu)
        out *= y
        out -= mu
        return out

    def canonical_kernel(self, y: Array, eta: Array, mu: Array) -> Array:
        """y eta - mu."""
        out = y * eta
        out -= mu
        return out

    def canonical_total(self, y: Array, eta: Array, mu: Array, complement: Array | None = None) -> float:
        """y'eta less the sum of the means."""
        return float(y @ eta - mu.sum())

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """2 (y log(y / mu) - (y - mu)), with 0 log 0 = 0."""
        return 2.0 * poisson_gap(y, mu)

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """w / phi (y log mu - mu - log y!)."""
        log_prob = special.xlogy(y, mu) - mu - special.gammaln(np.add(y, 1.0))
        return np.asarray(weight, dtype=float) / dispersion * log_prob

    def response_tails(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0, strict: bool = False
    ) -> tuple[Array, Array]:
        k = np.floor(y) if not strict else np.ceil(y) - 1.0
        return poisson_tails(k, mu)

    def starting_mean(self, y: Array, average: float | None = None) -> Array:
        return 0.5 * (y + max(float(np.mean(y)) if average is None else average, 0.1))

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        return rng.poisson(mu).astype(float)

    # As an exponential family

    home = "rate"
    parameter_names = ("rate",)
    statistic_names = ("y",)
    support = counts(0)
    estimable = "one count above zero"

    def sufficient_statistics(self, y: Array) -> Array:
        return y[..., None]

    def log_base_measure(self, y: Array) -> Array:
        return -special.gammaln(y + 1.0)

    def expected_log_base_measure(self, theta: Array) -> Array:
        """-E[log y!]: a sum, or for large rates from the entropy's series (Evans, Boersma et al. 1988, SIAM Review 30)."""
        rate = theta[..., 0]
        few = np.minimum(theta, _MANY)
        many = np.maximum(rate, _MANY)
        entropy = 0.5 * (1.0 + np.log(2.0 * np.pi * many)) - 1 / (12 * many) - 1 / (24 * many**2) - 19 / (360 * many**3)
        return np.where(
            rate < _MANY, expectation(self, self.log_base_measure, few), many - many * np.log(many) - entropy
        )

    def log_partition(self, eta: Array) -> Array:
        return np.exp(eta[..., 0])

    def mean_from_natural(self, eta: Array) -> Array:
        return np.exp(eta)

    def natural_from_mean(self, m: Array) -> Array:
        return np.log(m)

    def home_from_mean(self, m: Array) -> Array:
        return m

    def fisher_natural(self, eta: Array) -> Array:
        return np.exp(eta)[..., None]

    def natural_from_home(self, theta: Array) -> Array:
        return np.log(theta)

    def home_from_natural(self, eta: Array) -> Array:
        return np.exp(eta)

    def natural_jacobian(self, theta: Array) -> Array:
        return (1.0 / theta)[..., None]

    def contains(self, theta: Array) -> Mask:
        return np.isfinite(theta[..., 0]) & (theta[..., 0] > 0)

    def contains_mean(self, m: Array) -> Mask:
        return np.isfinite(m[..., 0]) & (m[..., 0] > 0)

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        return theta0[..., 0] * x_minus_log1p((theta1[..., 0] - theta0[..., 0]) / theta0[..., 0])

    def fisher_rao_geodesic(self, theta: Array, velocity: Array, t: float) -> Array:
        """Home parameters at t along the Fisher-Rao geodesic, NaN past rate 0: sqrt(rate) moves uniformly."""
        root = np.sqrt(theta) + 0.5 * t * velocity / np.sqrt(theta)
        return np.where(root > 0.0, root * root, np.nan)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.poisson(theta[..., 0], shape).astype(float)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_rate": Log(["log_rate"])}

    def example_parameters(self) -> Array:
        return np.array([[1.0], [0.05], [4.5], [80.0]])

    @property
    def domain_text(self) -> str:
        return "rate must be positive and finite"


register(Poisson)
