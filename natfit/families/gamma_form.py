"""What the gamma and the inverse gamma distribution share: log z and z as sufficient statistics."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln

from natfit.families._stable import trigamma
from natfit.families.base import ExponentialFamily
from natfit.families.solving import inverse_log_minus_digamma
from natfit.parametrizations.base import Array, Mask


class GammaForm(ExponentialFamily):
    """A family in which z(y) is gamma: T = (log z, z), eta = (a - 1, -b), A = log Gamma(a) - a log b.

    The mean parameters are (digamma(a) - log b, a/b); a solves log a - digamma(a) = log m2 - m1.
    """

    estimable = "two distinct observations"

    def transform(self, y: Array) -> Array:
        """Return z(y), shape (...)."""
        return y

    def sufficient_statistics(self, y: Array) -> Array:
        z = self.transform(y)
        return np.stack([np.log(z), z], axis=-1)

    def log_partition(self, eta: Array) -> Array:
        shape = eta[..., 0] + 1.0
        return gammaln(shape) - shape * np.log(-eta[..., 1])

    def mean_from_natural(self, eta: Array) -> Array:
        shape, rate = eta[..., 0] + 1.0, -eta[..., 1]
        return np.stack([digamma(shape) - np.log(rate), shape / rate], axis=-1)

    def natural_from_mean(self, m: Array) -> Array:
        return self.natural_from_home(self.home_from_mean(m))

    def home_from_mean(self, m: Array) -> Array:
        shape = inverse_log_minus_digamma(np.log(m[..., 1]) - m[..., 0])
        return np.stack([shape, shape / m[..., 1]], axis=-1)

    def fisher_natural(self, eta: Array) -> Array:
        shape, rate = eta[..., 0] + 1.0, -eta[..., 1]
        return _symmetric(trigamma(shape), 1.0 / rate, shape / rate**2)

    def natural_from_home(self, theta: Array) -> Array:
        return np.stack([theta[..., 0] - 1.0, -theta[..., 1]], axis=-1)

    def home_from_natural(self, eta: Array) -> Array:
        return np.stack([eta[..., 0] + 1.0, -eta[..., 1]], axis=-1)

    def natural_jacobian(self, theta: Array) -> Array:
        return np.broadcast_to(np.diag([1.0, -1.0]), (*theta.shape[:-1], 2, 2))

    def contains(self, theta: Array) -> Mask:
        return (np.isfinite(theta) & (theta > 0)).all(axis=-1)

    def contains_mean(self, m: Array) -> Mask:
        with np.errstate(all="ignore"):  # outside the domain the logarithm may not exist
            log_mean = np.log(m[..., 1])
            # the gap is known to a few rounding units of its terms: within that, the data are constant
            return log_mean - m[..., 0] > 4 * np.finfo(float).eps * (1.0 + np.abs(log_mean) + np.abs(m[..., 0]))

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        shape, rate, z = theta[..., 0], theta[..., 1], self.transform(y)
        log_density = shape * np.log(rate * z) - np.log(z) - rate * z - gammaln(shape)
        return log_density + self.log_base_measure(y)

    def example_parameters(self) -> Array:
        return np.array([[2.0, 1.0], [0.6, 0.01], [30.0, 4.0], [1.0, 5.0]])

    @property
    def domain_text(self) -> str:
        return f"{' and '.join(self.parameter_names)} must be positive and finite"


def _symmetric(a: Array, b: Array, c: Array) -> Array:
    """Return matrices ((a, b), (b, c)), shape (..., 2, 2)."""
    return np.stack([np.stack([a, b], axis=-1), np.stack([b, c], axis=-1)], axis=-2)
