"""The inverse Gaussian family as a GLM response."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.families.interval import POSITIVE, Array
from natfit.families.registry import register
from natfit.families.response import Response, refuse_outside


class InverseGaussian(Response):
    """Inverse Gaussian response: mean mu, variance phi mu^3 / weight; V(mu) = mu^3.

    Source: McCullagh & Nelder (1989), section 8.1 and table 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import InverseGaussian
    >>> print(InverseGaussian().response_log_prob(np.array([1.0]), np.array([1.0]), dispersion=1.0))
    [-0.91893853]
    """

    name = "inverse_gaussian"
    mean_domain = POSITIVE
    default_link = "inverse_squared"

    @property
    def canonical_links_up_to_scale(self) -> tuple[str, ...]:
        return ("inverse_squared",)

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows; the tweedie family allows zeros"
        subject = "inverse Gaussian responses"
        refuse_outside(y, 0.0, np.inf, False, subject, name, "must be above 0", "zero or negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        out = mu * mu
        out *= mu
        return out

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        out = mu * mu
        out *= 3.0
        return out

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """-(y - mu)^2 / (2 y mu^2)."""
        out = y - mu
        out /= mu
        out *= out
        out /= y
        out *= -0.5
        return out

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """(y - mu)^2 / (y mu^2)."""
        return np.square(np.subtract(y, mu) / mu) / y

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """-(w d(y, mu) / phi + log(2 pi phi y^3 / w)) / 2, d the unit deviance."""
        scale = dispersion / np.asarray(weight, dtype=float)
        return -0.5 * (self.unit_deviance(y, mu) / scale + np.log(2.0 * np.pi * scale) + 3.0 * np.log(y))

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        return rng.wald(mu, np.asarray(weight, dtype=float) / dispersion)


register(InverseGaussian)
