"""Counts in K categories: what categorical and multinomial distributions share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import xlogy

from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.parametrizations import Parametrization, Softmax
from natfit.parametrizations.base import Array, Mask


class CategoricalForm(ExponentialFamily):
    """n trials with K outcomes; T = counts of the first K-1, eta_i = log(p_i / p_K), A = n log(1 + sum exp eta).

    Home parameters are the first K-1 probabilities; the last one is what is left.
    """

    home = "probabilities"
    estimable = "at least one observation in every category"
    classes: int
    trials: int = 1

    def _set_classes(self, classes: int) -> None:
        if classes != int(classes) or classes < 2:
            raise ValueError(f"{self.name} needs two or more classes, but got classes={classes}.")
        self.classes = int(classes)
        self.parameter_names = tuple(f"probability[{i}]" for i in range(self.classes - 1))
        self.statistic_names = tuple(f"count[{i}]" for i in range(self.classes - 1))

    @staticmethod
    def all_probabilities(theta: Array) -> Array:
        """Append the last probability: (..., K-1) to (..., K)."""
        return np.concatenate([theta, 1.0 - theta.sum(axis=-1, keepdims=True)], axis=-1)

    def log_partition(self, eta: Array) -> Array:
        return self.trials * np.logaddexp(0.0, np.logaddexp.reduce(eta, axis=-1))

    def mean_from_natural(self, eta: Array) -> Array:
        return self.trials * self.home_from_natural(eta)

    def natural_from_mean(self, m: Array) -> Array:
        return self.natural_from_home(m / self.trials)

    def home_from_mean(self, m: Array) -> Array:
        return m / self.trials

    def fisher_natural(self, eta: Array) -> Array:
        p = self.home_from_natural(eta)
        return self.trials * p[..., None] * (np.eye(self.size) - p[..., None, :])

    def natural_from_home(self, theta: Array) -> Array:
        return np.log(theta) - np.log1p(-theta.sum(axis=-1, keepdims=True))

    def home_from_natural(self, eta: Array) -> Array:
        top = np.maximum(eta.max(axis=-1, keepdims=True), 0.0)
        weight = np.exp(eta - top)
        return weight / (weight.sum(axis=-1, keepdims=True) + np.exp(-top))

    def natural_jacobian(self, theta: Array) -> Array:
        last = 1.0 - theta.sum(axis=-1)
        return np.eye(self.size) / theta[..., None] + 1.0 / last[..., None, None]

    def home_fisher(self, theta: Array) -> Array:
        return self.trials * self.natural_jacobian(theta)

    def contains(self, theta: Array) -> Mask:
        return (theta > 0).all(axis=-1) & (theta.sum(axis=-1) < 1)

    def contains_mean(self, m: Array) -> Mask:
        return (m > 0).all(axis=-1) & (self.trials - m.sum(axis=-1) > 4 * np.finfo(float).eps * self.trials)

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        first = self.sufficient_statistics(y)
        counts = np.concatenate([first, self.trials - first.sum(axis=-1, keepdims=True)], axis=-1)
        return xlogy(counts, self.all_probabilities(theta)).sum(axis=-1) + self.log_base_measure(y)

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        # sum p0 log(p0/p1) = sum p0 (r - log(1+r)) with r = p1/p0 - 1, as sum p0 r = 0: all terms positive
        p0 = self.all_probabilities(theta0)
        d = theta1 - theta0
        change = np.concatenate([d, -d.sum(axis=-1, keepdims=True)], axis=-1)
        return self.trials * (p0 * x_minus_log1p(change / p0)).sum(axis=-1)

    def fisher_rao_geodesic(self, theta: Array, velocity: Array, t: float) -> Array:
        """Home parameters at t along the Fisher-Rao geodesic, NaN past its end.

        The roots of all K probabilities lie on the unit sphere, where it is a great circle.

        Source: Amari (2016), Information Geometry and Its Applications, section 3.5.
        """
        root = np.sqrt(self.all_probabilities(theta))
        rate = np.concatenate([velocity, -velocity.sum(axis=-1, keepdims=True)], axis=-1) / (2.0 * root)
        speed = np.linalg.norm(rate, axis=-1, keepdims=True)
        there = root * np.cos(t * speed) + rate * t * np.sinc(t * speed / np.pi)
        inside = (there > 0.0).all(axis=-1, keepdims=True) & (t * speed < np.pi)
        return np.where(inside, there**2, np.nan)[..., :-1]

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_odds": Softmax([f"log_odds[{i}]" for i in range(self.size)])}

    def example_parameters(self) -> Array:
        even = np.full(self.size, 1.0 / self.classes)
        ramp = np.arange(1.0, self.classes)
        return np.stack([even, ramp / (ramp.sum() + 1.0), ramp[::-1] / (3.0 * ramp.sum())])

    @property
    def domain_text(self) -> str:
        return "probabilities must be positive with sum below 1, the last class having the rest"
