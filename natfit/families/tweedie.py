"""The Tweedie family with power between 1 and 2 (compound Poisson-gamma) as a GLM response."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from natfit.families._tweedie_deviance import half_deviance
from natfit.families._tweedie_series import log_density_at_own_mean
from natfit.families.interval import POSITIVE, Array
from natfit.families.poisson import Poisson
from natfit.families.registry import register
from natfit.families.response import Response, refuse_outside
from natfit.families.tails import tweedie_tails


class Tweedie(Response):
    """Tweedie response: 0 with positive probability, continuous above; mean mu, V(mu) = mu^p with 1 < p < 2.

    Source: Jorgensen (1997), The Theory of Dispersion Models, chapter 4; Dunn & Smyth (2005), Statistics and Computing
    15, 267-280, for the density.

    Parameters
    ----------
    var_power : float
        p, strictly between 1 (Poisson) and 2 (gamma).

    Raises
    ------
    ValueError
        If p is not strictly between 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Tweedie
    >>> y = np.array([0.0, 2.0])
    >>> print(Tweedie(1.5).response_log_prob(y, np.array([1.0, 1.0]), dispersion=2.0))
    [-1.         -2.12668646]
    """

    name = "tweedie"
    mean_domain = POSITIVE
    default_link = "log"
    attainable_limits = (0.0,)

    def __init__(self, var_power: float = 1.5) -> None:
        self.var_power = float(var_power)
        if not 1.0 < self.var_power < 2.0:
            raise ValueError(
                f"a Tweedie variance power must lie strictly between 1 and 2; got {var_power!r}; "
                "use the poisson family at 1, gamma at 2, inverse_gaussian at 3."
            )

    @classmethod
    def examples(cls) -> tuple[Response, ...]:
        return tuple(cls(p) for p in (1.1, 1.5, 1.9))

    @property
    def canonical_links_up_to_scale(self) -> tuple[str, ...]:
        return tuple(f"power({p!r})" for p in {1.0 - self.var_power, round(1.0 - self.var_power, 12)})

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows, or use the gaussian family"
        refuse_outside(y, 0.0, np.inf, True, "Tweedie responses", name, "must be 0 or more", "negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        """mu^p."""
        return mu**self.var_power

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        """p mu^(p-1)."""
        out = mu ** (self.var_power - 1.0)
        out *= self.var_power
        return out

    def anscombe(self, y: Array) -> Array:
        share = 1.0 - self.var_power / 3.0
        return y**share / share

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """y mu^(1-p) / (1-p) - mu^(2-p) / (2-p)."""
        p = self.var_power
        out = mu * (1.0 / (p - 2.0))
        out -= y * (1.0 / (p - 1.0))
        out *= mu ** (1.0 - p)
        return out

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """2 (y (y^(1-p) - mu^(1-p)) / (1-p) - (y^(2-p) - mu^(2-p)) / (2-p)), twice the integral of (y - t) / t^p to y."""
        y, mu = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(mu, dtype=float))
        return 2.0 * half_deviance(y, mu, self.var_power)[0]

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """Log-density at y > 0, log-probability at y = 0, by the series: exact however small the dispersion phi / w."""
        y, mu, scale = np.broadcast_arrays(
            np.asarray(y, dtype=float), np.asarray(mu, dtype=float), dispersion / np.asarray(weight, dtype=float)
        )
        out = np.array(-0.5 * self.unit_deviance(y, mu) / scale)
        positive = y > 0.0
        out[positive] += log_density_at_own_mean(y[positive], self.var_power, scale[positive])
        return out

    def response_tails(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0, strict: bool = False
    ) -> tuple[Array, Array]:
        y, mu, scale = np.broadcast_arrays(
            np.asarray(y, dtype=float), np.asarray(mu, dtype=float), dispersion / np.asarray(weight, dtype=float)
        )
        below, above = tweedie_tails(y, mu, self.var_power, scale)
        nothing = strict & (y <= 0.0)
        return np.where(nothing, 0.0, below), np.where(nothing, 1.0, above)

    def response_quantile(self, level: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        level, mu = np.broadcast_arrays(np.asarray(level, dtype=float), np.asarray(mu, dtype=float))
        at_zero, _ = self.response_tails(np.zeros_like(mu), mu, dispersion, weight)
        zero = level <= at_zero
        above = super().response_quantile(level, np.where(zero, np.nan, mu), dispersion, weight)
        return np.where(zero, 0.0, above)

    def starting_mean(self, y: Array, average: float | None = None) -> Array:
        middle = float(np.mean(y)) if average is None else average
        return 0.5 * (y + (middle or 1.0))

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """Sums of a Poisson number of gamma variables."""
        p = self.var_power
        mu, scale = np.broadcast_arrays(np.asarray(mu, dtype=float), dispersion / np.asarray(weight, dtype=float))
        jumps = rng.poisson(mu ** (2.0 - p) / (scale * (2.0 - p)))
        shape = (2.0 - p) / (p - 1.0)
        return rng.gamma(jumps * shape, scale * (p - 1.0) * mu ** (p - 1.0))

    def __repr__(self) -> str:
        return f"Tweedie(var_power={self.var_power!r})"


class TweedieAtOne(Poisson):
    """The Tweedie family's limit at power 1 as statsmodels has it: Poisson with a dispersion that is estimated.

    Not registered; `families.Poisson` with ``dispersion="pearson"`` is the same.
    """

    dispersion: ClassVar[None] = None  # type: ignore[assignment]


register(Tweedie)
