"""Positive responses that are no exponential family in all their parameters: Weibull."""

from __future__ import annotations

import numpy as np
from scipy import special

from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta
from natfit.families.distributional.location_scale import weighted_moments
from natfit.families.distributional.registry import register
from natfit.families.interval import POSITIVE
from natfit.families.support import POSITIVE as POSITIVE_SUPPORT


@register
class Weibull(DistributionalFamily):
    """p(y) = (k / s) (y / s)^(k-1) exp(-(y / s)^k), scale s and shape k: -log y is Gumbel's.

    Source: Johnson, Kotz & Balakrishnan (1994), Continuous Univariate Distributions, vol. 1, chapter 21.
    """

    name = "weibull"
    parameter_names = ("scale", "shape")
    domains = (POSITIVE, POSITIVE)
    support = POSITIVE_SUPPORT
    information = "closed form"

    def log_prob(self, y: Array, theta: Theta) -> Array:
        scale, shape = theta
        z = shape * np.log(y / scale)
        return np.log(shape) + z - np.exp(z) - np.log(y)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        scale, shape = theta
        u = np.log(y / scale)
        excess = np.expm1(shape * u)
        return [shape / scale * excess, 1.0 / shape - u * excess]

    def observed(self, y: Array, theta: Theta) -> Matrix:
        scale, shape = theta
        u = np.log(y / scale)
        power = np.exp(shape * u)
        return {
            (0, 0): shape / scale**2 * ((shape + 1.0) * power - 1.0),
            (0, 1): -(np.expm1(shape * u) + shape * u * power) / scale,
            (1, 1): 1.0 / shape**2 + u * u * power,
        }

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        scale, shape = theta
        return {
            (0, 0): (shape / scale) ** 2,
            (0, 1): (np.euler_gamma - 1.0) / scale,
            (1, 1): (np.pi**2 / 6.0 + (1.0 - np.euler_gamma) ** 2) / shape**2,
        }

    def start(self, y: Array, weight: Array | None) -> list[float]:
        mean, sd = weighted_moments(np.log(y), weight)
        shape = float(np.pi / np.sqrt(6.0)) / sd
        return [float(np.exp(mean + np.euler_gamma / shape)), shape]

    def mean(self, theta: Theta) -> Array:
        return theta[0] * special.gamma(1.0 + 1.0 / theta[1])

    def variance(self, theta: Theta) -> Array:
        first, second = special.gamma(1.0 + 1.0 / theta[1]), special.gamma(1.0 + 2.0 / theta[1])
        return theta[0] ** 2 * (second - first * first)

    def cdf(self, y: Array, theta: Theta) -> Array:
        return np.where(y > 0.0, -np.expm1(-((np.maximum(y, 0.0) / theta[0]) ** theta[1])), 0.0)

    def quantile(self, level: Array, theta: Theta) -> Array:
        return theta[0] * (-np.log1p(-level)) ** (1.0 / theta[1])

    def example_parameters(self) -> Array:
        return np.array([[1.0, 1.5], [20.0, 0.7], [0.3, 6.0]])
