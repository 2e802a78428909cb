"""Counts of successes in a known number of trials: what Bernoulli and binomial share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import betaln, expit, gammaln, logit, xlog1py, xlogy

from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.parametrizations import Logit, Parametrization
from natfit.parametrizations.base import Array, Mask


class SuccessCounts(ExponentialFamily):
    """p(y) = C(trials, y) p^y (1-p)^(trials-y); T = y, eta = log(p / (1-p)), A = trials log(1 + exp eta)."""

    trials: int = 1
    home = "probability"
    parameter_names = ("probability",)
    statistic_names = ("y",)
    estimable = "at least one success and one failure"

    def sufficient_statistics(self, y: Array) -> Array:
        return y[..., None]

    def log_base_measure(self, y: Array) -> Array:
        return -np.log1p(self.trials) - betaln(y + 1.0, self.trials - y + 1.0)

    def expected_log_base_measure(self, theta: Array) -> Array:
        y = np.arange(self.trials + 1.0)
        return (np.exp(self.home_log_prob(y, theta[..., None, :])) * self.log_base_measure(y)).sum(axis=-1)

    def log_partition(self, eta: Array) -> Array:
        return self.trials * np.logaddexp(0.0, eta[..., 0])

    def mean_from_natural(self, eta: Array) -> Array:
        return self.trials * expit(eta)

    def natural_from_mean(self, m: Array) -> Array:
        return logit(m / self.trials)

    def fisher_natural(self, eta: Array) -> Array:
        return (self.trials * expit(eta) * expit(-eta))[..., None]

    def natural_from_home(self, theta: Array) -> Array:
        return logit(theta)

    def home_from_natural(self, eta: Array) -> Array:
        return expit(eta)

    def home_from_mean(self, m: Array) -> Array:
        return m / self.trials

    def natural_jacobian(self, theta: Array) -> Array:
        return (1.0 / (theta * (1.0 - theta)))[..., None]

    def contains(self, theta: Array) -> Mask:
        return (theta[..., 0] > 0) & (theta[..., 0] < 1)

    def contains_mean(self, m: Array) -> Mask:
        return (m[..., 0] > 0) & (m[..., 0] < self.trials)

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        p = theta[..., 0]
        return xlogy(y, p) + xlog1py(self.trials - y, -p) + self.log_base_measure(y)

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        p0, p1 = theta0[..., 0], theta1[..., 0]
        success, failure = x_minus_log1p((p1 - p0) / p0), x_minus_log1p((p0 - p1) / (1.0 - p0))
        return self.trials * (p0 * success + (1.0 - p0) * failure)

    def fisher_rao_geodesic(self, theta: Array, velocity: Array, t: float) -> Array:
        """Home parameters at t along the Fisher-Rao geodesic, NaN past 0 and 1: arcsin sqrt(p) moves uniformly."""
        angle = np.arcsin(np.sqrt(theta)) + 0.5 * t * velocity / np.sqrt(theta * (1.0 - theta))
        return np.where((angle > 0.0) & (angle < 0.5 * np.pi), np.sin(angle) ** 2, np.nan)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.binomial(self.trials, theta[..., 0], shape).astype(float)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_odds": Logit(["log_odds"])}

    def example_parameters(self) -> Array:
        return np.array([[0.5], [0.02], [0.3], [0.9]])

    @property
    def domain_text(self) -> str:
        return "probability must lie strictly between 0 and 1"


def expected_log_factorial(trials: int, probability: Array) -> Array:
    """E[log y!] for y binomial with the number of trials and probabilities (...) given, by the finite sum."""
    y = np.arange(trials + 1.0)
    p = np.asarray(probability)[..., None]
    log_mass = -np.log1p(trials) - betaln(y + 1.0, trials - y + 1.0) + xlogy(y, p) + xlog1py(trials - y, -p)
    return (np.exp(log_mass) * gammaln(y + 1.0)).sum(axis=-1)
