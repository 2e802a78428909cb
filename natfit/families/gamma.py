"""The gamma family as a GLM response."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.families._stable import log1p_minus, stirling_error
from natfit.families.interval import POSITIVE, Array
from natfit.families.registry import register
from natfit.families.response import Response, refuse_outside


class Gamma(Response):
    """Gamma response: mean mu, shape weight / phi; V(mu) = mu^2.

    Source: McCullagh & Nelder (1989), chapter 8.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Gamma
    >>> print(Gamma().response_log_prob(np.array([2.0]), np.array([2.0]), dispersion=1.0))
    [-1.69314718]
    """

    name = "gamma"
    mean_domain = POSITIVE
    default_link = "inverse"

    @property
    def canonical_links_up_to_scale(self) -> tuple[str, ...]:
        return ("inverse",)

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows; the tweedie family allows zeros"
        refuse_outside(y, 0.0, np.inf, False, "gamma responses", name, "must be above 0", "zero or negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        return mu * mu

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        return 2.0 * mu

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """log(y / mu) - y / mu."""
        ratio = y / mu
        out = np.log(ratio)
        out -= ratio
        return out

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """2 ((y - mu) / mu - log(y / mu))."""
        return -2.0 * log1p_minus(np.subtract(y, mu) / mu)

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """k log(k y / mu) - k y / mu - log Gamma(k) - log y with shape k = w / phi.

        Stirling's formula is taken out of log Gamma, so that a large shape cancels nothing.
        """
        shape = np.asarray(weight, dtype=float) / dispersion
        gap = log1p_minus(np.subtract(y, mu) / mu)
        return shape * gap + 0.5 * np.log(shape / (2.0 * np.pi)) - stirling_error(shape) - np.log(y)

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        shape = np.asarray(weight, dtype=float) / dispersion
        return rng.gamma(shape, mu / shape)


register(Gamma)
