"""What beta and Dirichlet distributions share: logarithms of proportions as sufficient statistics."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln

from natfit.families._stable import trigamma
from natfit.families.base import ExponentialFamily
from natfit.families.solving import increasing_root, inverse_digamma
from natfit.parametrizations.base import Array, Mask


class DirichletForm(ExponentialFamily):
    """T = logarithms of k proportions, eta = alpha - 1, A = sum log Gamma(alpha_i) - log Gamma(sum alpha).

    Mean parameters are digamma(alpha_i) - digamma(s) with s = sum alpha. Given them, s is the root of
    sum_i digamma^-1(m_i + digamma(s)) = s, one equation in one unknown (Minka 2000, Estimating a Dirichlet
    distribution, section 1, whose fixed-point iteration has the same root).
    """

    estimable = "two distinct observations"

    def log_partition(self, eta: Array) -> Array:
        alpha = eta + 1.0
        return gammaln(alpha).sum(axis=-1) - gammaln(alpha.sum(axis=-1))

    def mean_from_natural(self, eta: Array) -> Array:
        alpha = eta + 1.0
        return digamma(alpha) - digamma(alpha.sum(axis=-1, keepdims=True))

    def natural_from_mean(self, m: Array) -> Array:
        return self.home_from_mean(m) - 1.0

    def home_from_mean(self, m: Array) -> Array:
        def shortfall(total: Array, mean: Array) -> tuple[Array, Array]:
            alpha = inverse_digamma(mean + digamma(total)[..., None])
            slope = trigamma(total) * (1.0 / trigamma(alpha)).sum(axis=-1)
            added = alpha.sum(axis=-1)
            return np.log(total / added), 1.0 / total - slope / added

        total = increasing_root(shortfall, np.zeros(m.shape[:-1]), self._first_total(m), m)
        return inverse_digamma(m + digamma(total)[..., None])

    def _first_total(self, m: Array) -> Array:
        # Stirling: m_i is about log(alpha_i / s) - (1/alpha_i - 1/s) / 2, so sum exp(m_i) is about 1 - (k-1) / (2s)
        return 0.5 * (m.shape[-1] - 1.0) / -np.expm1(np.logaddexp.reduce(m, axis=-1))

    def fisher_natural(self, eta: Array) -> Array:
        alpha = eta + 1.0
        total = trigamma(alpha.sum(axis=-1))
        return trigamma(alpha)[..., None] * np.eye(alpha.shape[-1]) - total[..., None, None]

    def natural_from_home(self, theta: Array) -> Array:
        return theta - 1.0

    def home_from_natural(self, eta: Array) -> Array:
        return eta + 1.0

    def natural_jacobian(self, theta: Array) -> Array:
        return np.broadcast_to(np.eye(theta.shape[-1]), (*theta.shape, theta.shape[-1]))

    def contains(self, theta: Array) -> Mask:
        return (np.isfinite(theta) & (theta > 0)).all(axis=-1)

    def contains_mean(self, m: Array) -> Mask:
        # geometric means of varying proportions sum to less than 1, by more than rounding of the logarithms
        gap = -np.logaddexp.reduce(m, axis=-1)
        return np.isfinite(m).all(axis=-1) & (gap > 4 * np.finfo(float).eps * (1.0 + np.abs(m).max(axis=-1)))

    @property
    def domain_text(self) -> str:
        return f"{', '.join(self.parameter_names)} must be positive and finite"
