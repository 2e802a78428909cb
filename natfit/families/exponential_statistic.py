"""One-parameter families whose sufficient statistic is exponentially distributed.

Exponential, Laplace, Weibull, Pareto and Rayleigh distributions are one family seen through different statistics T(y):
T has rate r = factor * theta ** power, so that eta = -r, A = -log r, E[T] = 1/r and Var[T] = 1/r^2. The rest follows.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.parametrizations.base import Array, Mask


class ExponentialStatistic(ExponentialFamily):
    """A family with T(y) exponential of rate ``factor * theta ** power``, theta > 0.

    A subclass gives ``statistic(y)``, its ``inverse_statistic(t, rng)`` (a draw, where T loses a sign), and its base
    measure.
    """

    power: float = 1.0
    factor: float = 1.0
    estimable = "one observation with a statistic above zero"

    @abstractmethod
    def statistic(self, y: Array) -> Array:
        """Return T(y), shape (...)."""

    @abstractmethod
    def inverse_statistic(self, t: Array, rng: np.random.Generator) -> Array:
        """Return observations with statistic t."""

    def rate(self, theta: Array) -> Array:
        """Rate of T, shape (...)."""
        return self.factor * theta[..., 0] ** self.power

    def expected_log_statistic(self, theta: Array) -> Array:
        """E[log T] = -gamma - log r, gamma being Euler's constant."""
        return -np.euler_gamma - np.log(self.rate(theta))

    def sufficient_statistics(self, y: Array) -> Array:
        return self.statistic(y)[..., None]

    def log_partition(self, eta: Array) -> Array:
        return -np.log(-eta[..., 0])

    def mean_from_natural(self, eta: Array) -> Array:
        return -1.0 / eta

    def natural_from_mean(self, m: Array) -> Array:
        return -1.0 / m

    def fisher_natural(self, eta: Array) -> Array:
        return eta[..., None] ** -2.0

    def natural_from_home(self, theta: Array) -> Array:
        return -self.factor * theta**self.power

    def home_from_natural(self, eta: Array) -> Array:
        return (-eta / self.factor) ** (1.0 / self.power)

    def natural_jacobian(self, theta: Array) -> Array:
        return -self.factor * self.power * theta[..., None] ** (self.power - 1.0)

    def contains(self, theta: Array) -> Mask:
        return np.isfinite(theta[..., 0]) & (theta[..., 0] > 0)

    def contains_mean(self, m: Array) -> Mask:
        return np.isfinite(m[..., 0]) & (m[..., 0] > 0)

    def home_score(self, y: Array, theta: Array) -> Array:
        surprise = 1.0 - self.rate(theta) * self.statistic(y)
        return self.power / theta * surprise[..., None]

    def home_fisher(self, theta: Array) -> Array:
        return self.power**2 / theta[..., None] ** 2

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        # KL = q - 1 - log q with q the ratio of rates, through its logarithm: neighbours lose no digits
        relative = np.expm1(self.power * np.log1p((theta1 - theta0) / theta0))
        return x_minus_log1p(relative[..., 0])

    def fisher_rao_geodesic(self, theta: Array, velocity: Array, t: float) -> Array:
        """Home parameters at t along the Fisher-Rao geodesic: log theta is arc length up to a factor."""
        with np.errstate(over="ignore"):
            return theta * np.exp(t * velocity / theta)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return self.inverse_statistic(rng.standard_exponential(shape) / self.rate(theta), rng)

    def example_parameters(self) -> Array:
        return np.array([[1.0], [0.02], [3.5], [40.0]])

    @property
    def domain_text(self) -> str:
        return f"{self.parameter_names[0]} must be positive and finite"
