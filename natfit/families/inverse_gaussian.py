"""The inverse Gaussian family: a GLM response, and an exponential family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import exp1

from natfit.families.base import ExponentialFamily
from natfit.families.interval import POSITIVE, Array
from natfit.families.registry import register
from natfit.families.response import Response, normal_dispersion_derivatives, refuse_outside
from natfit.families.support import POSITIVE as POSITIVE_SUPPORT
from natfit.families.tails import inverse_gaussian_tails
from natfit.parametrizations import Identity, Log, Parametrization, Power, Product
from natfit.parametrizations.base import Mask


class InverseGaussian(Response, ExponentialFamily):
    """Inverse Gaussian response: mean mu, variance phi mu^3 / weight; V(mu) = mu^3.

    As an exponential family, with shape s = weight / phi: T = (y, 1/y), eta = (-s / (2 mu^2), -s/2),
    A = -log(s)/2 - s/mu, h = (2 pi y^3)^(-1/2). Source: McCullagh & Nelder (1989), section 8.1 and table 2.1;
    Tweedie (1957), Annals of Mathematical Statistics 28, 362-377.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import InverseGaussian
    >>> print(InverseGaussian().response_log_prob(np.array([1.0]), np.array([1.0]), dispersion=1.0))
    [-0.91893853]
    """

    name = "inverse_gaussian"
    mean_domain = POSITIVE
    default_link = "inverse_squared"

    @property
    def canonical_links_up_to_scale(self) -> tuple[str, ...]:
        return ("inverse_squared",)

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows; the tweedie family allows zeros"
        subject = "inverse Gaussian responses"
        refuse_outside(y, 0.0, np.inf, False, subject, name, "must be above 0", "zero or negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        out = mu * mu
        out *= mu
        return out

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        out = mu * mu
        out *= 3.0
        return out

    def anscombe(self, y: Array) -> Array:
        return np.log(y)

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """-(y - mu)^2 / (2 y mu^2)."""
        out = y - mu
        out /= mu
        out *= out
        out /= y
        out *= -0.5
        return out

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """(y - mu)^2 / (y mu^2)."""
        return np.square(np.subtract(y, mu) / mu) / y

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """-(w d(y, mu) / phi + log(2 pi phi y^3 / w)) / 2, d the unit deviance."""
        scale = dispersion / np.asarray(weight, dtype=float)
        return -0.5 * (self.unit_deviance(y, mu) / scale + np.log(2.0 * np.pi * scale) + 3.0 * np.log(y))

    def dispersion_derivatives(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0
    ) -> tuple[Array, Array]:
        return normal_dispersion_derivatives(self.unit_deviance(y, mu) * weight / dispersion)

    def response_tails(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0, strict: bool = False
    ) -> tuple[Array, Array]:
        return inverse_gaussian_tails(y, mu, np.asarray(weight, dtype=float) / dispersion)

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        return rng.wald(mu, np.asarray(weight, dtype=float) / dispersion)

    # As an exponential family

    home = "mean_shape"
    parameter_names = ("mean", "shape")
    statistic_names = ("y", "1/y")
    support = POSITIVE_SUPPORT
    estimable = "two distinct observations"

    def sufficient_statistics(self, y: Array) -> Array:
        return np.stack([y, 1.0 / y], axis=-1)

    def log_base_measure(self, y: Array) -> Array:
        return -0.5 * np.log(2.0 * np.pi) - 1.5 * np.log(y)

    def expected_log_base_measure(self, theta: Array) -> Array:
        """From E[log y] = log mu - exp(x) E1(x) with x = 2 shape / mu."""
        log_y = np.log(theta[..., 0]) - _scaled_exp1(2.0 * theta[..., 1] / theta[..., 0])
        return -0.5 * np.log(2.0 * np.pi) - 1.5 * log_y

    def log_partition(self, eta: Array) -> Array:
        return -0.5 * np.log(-2.0 * eta[..., 1]) - 2.0 * np.sqrt(eta[..., 0] * eta[..., 1])

    def mean_from_natural(self, eta: Array) -> Array:
        theta = self.home_from_natural(eta)
        return np.stack([theta[..., 0], 1.0 / theta[..., 0] + 1.0 / theta[..., 1]], axis=-1)

    def natural_from_mean(self, m: Array) -> Array:
        return self.natural_from_home(self.home_from_mean(m))

    def home_from_mean(self, m: Array) -> Array:
        return np.stack([m[..., 0], 1.0 / (m[..., 1] - 1.0 / m[..., 0])], axis=-1)

    def fisher_natural(self, eta: Array) -> Array:
        theta = self.home_from_natural(eta)
        mu, shape = theta[..., 0], theta[..., 1]
        return _symmetric(mu**3 / shape, -mu / shape, 1.0 / (shape * mu) + 2.0 / shape**2)

    def natural_from_home(self, theta: Array) -> Array:
        mu, shape = theta[..., 0], theta[..., 1]
        return np.stack([-0.5 * shape / mu**2, -0.5 * shape], axis=-1)

    def home_from_natural(self, eta: Array) -> Array:
        return np.stack([np.sqrt(eta[..., 1] / eta[..., 0]), -2.0 * eta[..., 1]], axis=-1)

    def natural_jacobian(self, theta: Array) -> Array:
        mu, shape = theta[..., 0], theta[..., 1]
        first = np.stack([shape / mu**3, -0.5 / mu**2], axis=-1)
        return np.stack([first, np.broadcast_to([0.0, -0.5], first.shape)], axis=-2)

    def contains(self, theta: Array) -> Mask:
        return (np.isfinite(theta) & (theta > 0)).all(axis=-1)

    def contains_natural(self, eta: Array) -> Mask:
        return (np.isfinite(eta) & (eta < 0)).all(axis=-1)

    def contains_mean(self, m: Array) -> Mask:
        # E[1/y] - 1/E[y] is known to a few rounding units of E[1/y]
        with np.errstate(all="ignore"):
            return (m[..., 0] > 0) & (m[..., 1] - 1.0 / m[..., 0] > 4 * np.finfo(float).eps * m[..., 1])

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        mu, shape = theta[..., 0], theta[..., 1]
        return 0.5 * np.log(shape) - 0.5 * shape * ((y - mu) / mu) ** 2 / y + self.log_base_measure(y)

    def home_score(self, y: Array, theta: Array) -> Array:
        mu, shape = theta[..., 0], theta[..., 1]
        return np.stack([shape * (y - mu) / mu**3, 0.5 / shape - 0.5 * ((y - mu) / mu) ** 2 / y], axis=-1)

    def home_fisher(self, theta: Array) -> Array:
        mu, shape = theta[..., 0], theta[..., 1]
        return _symmetric(shape / mu**3, np.zeros_like(mu), 0.5 / shape**2)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.wald(theta[..., 0], theta[..., 1], shape)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {
            "mean_dispersion": Product(Identity(["mean"]), Power(["dispersion"], -1)),
            "log_mean_log_shape": Log(["log_mean", "log_shape"]),
        }

    def example_parameters(self) -> Array:
        return np.array([[1.0, 1.0], [3.0, 0.5], [0.2, 8.0], [5.0, 90.0]])

    @property
    def domain_text(self) -> str:
        return "mean and shape must be positive and finite"


def _symmetric(a: Array, b: Array, c: Array) -> Array:
    """Matrices ((a, b), (b, c)), shape (..., 2, 2)."""
    return np.stack([np.stack([a, b], axis=-1), np.stack([b, c], axis=-1)], axis=-2)


def _scaled_exp1(x: Array) -> Array:
    """exp(x) E1(x), from 50 up by its asymptotic series sum (-1)^k k! / x^(k+1) (Abramowitz & Stegun 5.1.51)."""
    large = np.maximum(x, 50.0)
    term, total = 1.0 / large, 1.0 / large
    for k in range(1, 30):
        term = -term * k / large
        total = total + term
    small = np.minimum(x, 50.0)
    return np.where(x >= 50.0, total, np.exp(small) * exp1(small))


register(InverseGaussian)
