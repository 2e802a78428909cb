"""The Poisson family as a GLM response."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import poisson_gap
from natfit.families.interval import POSITIVE, Array
from natfit.families.registry import register
from natfit.families.response import Response, refuse_outside


class Poisson(Response):
    """Poisson response: counts with mean mu; V(mu) = mu, dispersion 1.

    Fractional counts are accepted and give a quasi-likelihood. With a dispersion other than 1, or weights, the
    log-density is divided by it (quasi-Poisson); draws are made at dispersion and weight 1. Source: McCullagh &
    Nelder (1989), chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Poisson
    >>> print(Poisson().response_log_prob(np.array([2.0]), np.array([1.5])))
    [-1.38221696]
    """

    name = "poisson"
    mean_domain = POSITIVE
    dispersion = 1.0
    discrete = True
    default_link = "log"
    canonical_link = "log"
    attainable_limits = (0.0,)

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows, or use the gaussian family"
        refuse_outside(y, 0.0, np.inf, True, "Poisson counts", name, "must be 0 or more", "negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        return mu

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        return np.ones_like(mu)

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """y log mu - mu."""
        out = np.log(mu)
        out *= y
        out -= mu
        return out

    def canonical_kernel(self, y: Array, eta: Array, mu: Array) -> Array:
        """y eta - mu."""
        out = y * eta
        out -= mu
        return out

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """2 (y log(y / mu) - (y - mu)), with 0 log 0 = 0."""
        return 2.0 * poisson_gap(y, mu)

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """w / phi (y log mu - mu - log y!)."""
        log_prob = special.xlogy(y, mu) - mu - special.gammaln(np.add(y, 1.0))
        return np.asarray(weight, dtype=float) / dispersion * log_prob

    def starting_mean(self, y: Array, average: float | None = None) -> Array:
        return 0.5 * (y + max(float(np.mean(y)) if average is None else average, 0.1))

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        return rng.poisson(mu).astype(float)


register(Poisson)
