"""The beta by mean and precision: the registry's family, in arithmetic that takes each special function once."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import trigamma
from natfit.families.beta import Beta
from natfit.families.distributional.base import Array, Matrix, Theta, complement, once
from natfit.families.distributional.registry import register
from natfit.families.distributional.reused import Reused


class BetaMeanPrecision(Reused):
    """y beta with mean mu and precision phi = a + b; variance mu (1 - mu) / (1 + phi).

    Source: Ferrari & Cribari-Neto (2004), Journal of Applied Statistics 31, 799-815.
    """

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        return (cls.of(Beta()),)

    def contains(self, theta: Theta) -> Array:
        mean, precision = theta
        return (mean > 0.0) & (complement(theta, 0) > 0.0) & (precision > 0.0) & (precision < np.inf)

    def log_prob(self, y: Array, theta: Theta) -> Array:
        a, b = theta[0] * theta[1], complement(theta, 0) * theta[1]
        constant = special.gammaln(theta[1]) - special.gammaln(a) - special.gammaln(b)
        log_y, log_rest = _logs(y, theta)
        return constant + (a - 1.0) * log_y + (b - 1.0) * log_rest

    def _residuals(self, y: Array, theta: Theta) -> tuple[Array, Array]:
        """Return log y and log(1 - y) less their means."""
        total, (log_y, log_rest) = special.digamma(theta[1]), _logs(y, theta)
        first = log_y - special.digamma(theta[0] * theta[1]) + total
        return first, log_rest - special.digamma(complement(theta, 0) * theta[1]) + total

    def score(self, y: Array, theta: Theta) -> list[Array]:
        first, second = once(theta, "residuals", y, lambda: self._residuals(y, theta))
        return [theta[1] * (first - second), theta[0] * first + complement(theta, 0) * second]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        return once(theta, "fisher", None, lambda: self._fisher(theta))

    def _fisher(self, theta: Theta) -> Matrix:
        mean, precision, rest = theta[0], theta[1], complement(theta, 0)
        first, second = trigamma(mean * precision), trigamma(rest * precision)
        return {
            (0, 0): precision**2 * (first + second),
            (0, 1): precision * (mean * first - rest * second),
            (1, 1): mean**2 * first + rest**2 * second - trigamma(precision),
        }

    def observed(self, y: Array, theta: Theta) -> Matrix:
        found = self.fisher(y, theta)
        first, second = once(theta, "residuals", y, lambda: self._residuals(y, theta))
        return {**found, (0, 1): found[0, 1] - (first - second)}


def _logs(y: Array, theta: Theta) -> tuple[Array, Array]:
    return once(theta, "logs", y, lambda: (np.log(y), np.log1p(-y)))


register(BetaMeanPrecision.of(Beta()))
