"""The negative binomial distribution with known alpha as an exponential family."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from natfit.families.base import ExponentialFamily
from natfit.families.support import counts
from natfit.parametrizations import Log, Parametrization
from natfit.parametrizations.base import Array, Mask


class NegativeBinomialForm(ExponentialFamily):
    """Counts with mean mu and variance mu + alpha mu^2, alpha known: T = y, eta = log(mu / (1 + alpha mu)).

    A = -log(1 - alpha exp(eta)) / alpha, and h holds alpha^y Gamma(y + 1/alpha) / (Gamma(1/alpha) y!). With this choice
    of base measure the family goes over into the Poisson as alpha falls to 0, where A = exp(eta).
    """

    home = "mean"
    parameter_names = ("mean",)
    statistic_names = ("y",)
    support = counts(0)
    estimable = "one count above zero"

    @property
    @abstractmethod
    def number(self) -> float:
        """Alpha, 0 or more."""

    @abstractmethod
    def response_log_prob(self, y: Array, mu: Array) -> Array:
        """Log-mass at mean mu, stable at any alpha."""

    def sufficient_statistics(self, y: Array) -> Array:
        return y[..., None]

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        return self.response_log_prob(y, theta[..., 0])

    def log_base_measure(self, y: Array) -> Array:
        # the log-mass at mean 1 less y eta - A there
        growth = np.log1p(self.number)
        at_one = growth / self.number if self.number else 1.0
        return self.response_log_prob(y, np.ones(1)) + y * growth + at_one

    def log_partition(self, eta: Array) -> Array:
        if not self.number:
            return np.exp(eta[..., 0])
        return -np.log1p(-self.number * np.exp(eta[..., 0])) / self.number

    def mean_from_natural(self, eta: Array) -> Array:
        return 1.0 / (np.exp(-eta) - self.number)

    def natural_from_mean(self, m: Array) -> Array:
        return self.natural_from_home(m)

    def home_from_mean(self, m: Array) -> Array:
        return m

    def fisher_natural(self, eta: Array) -> Array:
        mean = self.mean_from_natural(eta)[..., None]
        return mean * (1.0 + self.number * mean)

    def natural_from_home(self, theta: Array) -> Array:
        return np.log(theta) - np.log1p(self.number * theta)

    def home_from_natural(self, eta: Array) -> Array:
        return self.mean_from_natural(eta)

    def natural_jacobian(self, theta: Array) -> Array:
        return (1.0 / (theta * (1.0 + self.number * theta)))[..., None]

    def contains(self, theta: Array) -> Mask:
        return np.isfinite(theta[..., 0]) & (theta[..., 0] > 0)

    def contains_mean(self, m: Array) -> Mask:
        return self.contains(m)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        rate = np.broadcast_to(theta[..., 0], shape)
        if self.number:
            rate = rate * rng.standard_gamma(1.0 / self.number, shape) * self.number
        return rng.poisson(rate).astype(float)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_mean": Log(["log_mean"])}

    def example_parameters(self) -> Array:
        return np.array([[1.0], [0.05], [4.5], [30.0]])

    @property
    def domain_text(self) -> str:
        return "the mean must be positive and finite"
