"""What follows from a log-density alone: moments, distribution function, quantiles and draws, by sums and quadrature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Theta = Sequence[Array]


class Derived:
    """Mixed into a distributional family."""

    def mean(self: Any, theta: Theta) -> Array:
        """Return E[y] of each row; here by a sum or by quadrature."""
        from natfit.families.distributional.expectation import expect

        return expect(self, lambda y, t: [y], theta)[0]

    def variance(self: Any, theta: Theta) -> Array:
        """Return the variance of y of each row; here by a sum or by quadrature."""
        from natfit.families.distributional.expectation import expect

        first, second = expect(self, lambda y, t: [y, y * y], theta)
        return second - first * first

    def cdf(self: Any, y: Array, theta: Theta) -> Array:
        """Return P(Y <= y) of each row; here by a sum or by quadrature."""
        from natfit.families.distributional.expectation import distribution_function

        return distribution_function(self, y, theta)

    def quantile(self: Any, level: Array, theta: Theta) -> Array:
        """Return the least y with P(Y <= y) >= level of each row; here by bisection of the distribution function."""
        from natfit.families.distributional.quantiles import by_bisection

        return by_bisection(self, level, theta)

    def sample(self: Any, theta: Theta, rng: np.random.Generator) -> Array:
        """Draw one response for each row; here the quantile at a uniform level."""
        return self.quantile(rng.uniform(size=np.shape(theta[0])), theta)
