"""The Gaussian (normal) family: a GLM response, and an exponential family."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.families.interval import REAL, Array
from natfit.families.normal_form import NormalForm
from natfit.families.registry import register
from natfit.families.response import Response, normal_dispersion_derivatives, refuse_outside
from natfit.families.support import REALS


class Gaussian(Response, NormalForm):
    """Gaussian response: y normal with mean mu and variance phi / weight; V(mu) = 1.

    As an exponential family: T = (y, y^2), home parameters mean and variance (`NormalForm`).
    Source: McCullagh & Nelder (1989), chapter 3.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Gaussian
    >>> print(Gaussian().response_log_prob(np.array([1.0]), np.array([0.0]), dispersion=1.0))
    [-1.41893853]
    """

    name = "gaussian"
    mean_domain = REAL
    default_link = "identity"
    canonical_link = "identity"

    def check_response(self, y: Array, name: str = "y") -> None:
        rule = "must be finite"
        refuse_outside(y, -np.inf, np.inf, False, "Gaussian responses", name, rule, "infinite", "drop these rows")

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        return np.ones_like(mu)

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        return np.zeros_like(mu)

    def anscombe(self, y: Array) -> Array:
        return y

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """-(y - mu)^2 / 2."""
        out = y - mu
        out *= out
        out *= -0.5
        return out

    def canonical_kernel(self, y: Array, eta: Array, mu: Array) -> Array:
        return self.kernel(y, eta)

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """(y - mu)^2."""
        return np.square(np.subtract(y, mu))

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """-(w (y - mu)^2 / phi + log(2 pi phi / w)) / 2."""
        variance = dispersion / np.asarray(weight, dtype=float)
        return -0.5 * (np.square(np.subtract(y, mu)) / variance + np.log(2.0 * np.pi * variance))

    def dispersion_derivatives(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0
    ) -> tuple[Array, Array]:
        return normal_dispersion_derivatives(self.unit_deviance(y, mu) * weight / dispersion)

    def response_tails(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0, strict: bool = False
    ) -> tuple[Array, Array]:
        z = np.subtract(y, mu) * np.sqrt(np.asarray(weight, dtype=float) / dispersion)
        return special.ndtr(z), special.ndtr(-z)

    def response_quantile(self, level: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        return mu + special.ndtri(level) * np.sqrt(dispersion / np.asarray(weight, dtype=float))

    def starting_mean(self, y: Array, average: float | None = None) -> Array:
        return np.array(y, dtype=float)

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        return rng.normal(mu, np.sqrt(dispersion / np.asarray(weight, dtype=float)))

    # As an exponential family

    statistic_names = ("y", "y^2")
    support = REALS

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return self.home_normal_sample(theta, rng, shape)


register(Gaussian)
