"""Links for a mean above 0 on other scales than the logarithm: powers, negative binomial, softplus.

Sources are given in `natfit.families.links`, which is where to import these from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.families.interval import NEGATIVE, POSITIVE, REAL, Array
from natfit.families.link_base import Link


class Inverse(Link):
    """Inverse link, eta = 1 / mu, decreasing in mu."""

    name = "inverse"
    mean_range = POSITIVE
    predictor_range = POSITIVE

    def __call__(self, mu: Array) -> Array:
        return 1.0 / mu

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        mu = 1.0 / eta
        slope = mu * mu
        return mu, None, np.negative(slope, out=slope)

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return -2.0 * mu * dmu


class InverseSquared(Link):
    """Inverse squared link, eta = 1 / mu^2, decreasing in mu."""

    name = "inverse_squared"
    mean_range = POSITIVE
    predictor_range = POSITIVE

    def __call__(self, mu: Array) -> Array:
        return 1.0 / (mu * mu)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        mu = np.sqrt(eta)
        np.divide(1.0, mu, out=mu)
        slope = mu / eta
        slope *= -0.5
        return mu, None, slope

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return -1.5 * dmu / eta


class Sqrt(Link):
    """Square-root link, eta = sqrt(mu)."""

    name = "sqrt"
    mean_range = POSITIVE
    predictor_range = POSITIVE

    def __call__(self, mu: Array) -> Array:
        return np.sqrt(mu)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        return eta * eta, None, 2.0 * eta

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return np.full_like(eta, 2.0)


class Power(Link):
    """Power link, eta = mu^exponent, for a positive mean.

    Parameters
    ----------
    exponent : float
        Not 0; the limit there is the log link.

    Raises
    ------
    ValueError
        If the exponent is 0 or not finite.

    Examples
    --------
    >>> from natfit.families import links
    >>> links.Power(0.5).name, links.get("power(-0.5)")(4.0)
    ('power(0.5)', 0.5)
    """

    name = "power"
    mean_range = POSITIVE
    predictor_range = POSITIVE

    def __init__(self, exponent: float) -> None:
        self.exponent = float(exponent)
        if self.exponent == 0.0 or not np.isfinite(self.exponent):
            raise ValueError(f"a power link needs a finite exponent other than 0 (use 'log' there); got {exponent!r}.")
        self.name = f"power({self.exponent!r})"
        if self.exponent == 1.0:
            self.mean_range = self.predictor_range = REAL

    @classmethod
    def examples(cls) -> tuple[Link, ...]:
        return tuple(cls(exponent) for exponent in (-2.0, -0.5, 0.5, 1.0, 1.7))

    def __call__(self, mu: Array) -> Array:
        return mu**self.exponent

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        mu = eta ** (1.0 / self.exponent)
        slope = eta ** (1.0 / self.exponent - 1.0)
        slope /= self.exponent
        return mu, None, slope

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return (1.0 / self.exponent - 1.0) * dmu / eta

    def parameters(self) -> tuple[Any, ...]:
        return (self.exponent,)


class NegativeBinomialLink(Link):
    """Canonical link of the negative binomial, eta = log(alpha mu / (1 + alpha mu)) < 0.

    Parameters
    ----------
    alpha : float, optional
        Shape of the family, above 0. Without it the link is a placeholder that `with_alpha` turns into a link.

    Raises
    ------
    ValueError
        If alpha is not above 0, or is still missing when the link is used.
    """

    name = "negative_binomial"
    mean_range = POSITIVE
    predictor_range = NEGATIVE

    def __init__(self, alpha: float | None = None) -> None:
        self._alpha = None if alpha is None else float(alpha)
        if self._alpha is not None:
            if not 0.0 < self._alpha < np.inf:
                raise ValueError(
                    f"the negative-binomial link needs a finite alpha above 0 (at 0 it has no limit); got {alpha!r}."
                )
            self.name = f"negative_binomial({self._alpha!r})"

    @classmethod
    def examples(cls) -> tuple[Link, ...]:
        return tuple(cls(alpha) for alpha in (1e-3, 0.4, 1.0, 7.0))

    @property
    def alpha(self) -> float:
        """Shape of the family."""
        if self._alpha is None:
            raise ValueError("the negative-binomial link needs its alpha: write it as in 'negative_binomial(0.5)'.")
        return self._alpha

    def with_alpha(self, alpha: float) -> NegativeBinomialLink:
        """The same link at another alpha."""
        return type(self)(alpha)

    def __call__(self, mu: Array) -> Array:
        return -np.log1p(1.0 / (self.alpha * mu))

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        odds = np.negative(eta)
        np.expm1(odds, out=odds)
        np.divide(1.0, odds, out=odds)  # alpha mu
        mu = odds / self.alpha
        odds += 1.0
        odds *= mu
        return mu, None, odds

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return dmu * (1.0 + (2.0 * self.alpha) * mu)

    def parameters(self) -> tuple[Any, ...]:
        return () if self._alpha is None else (self._alpha,)


class Softplus(Link):
    """Softplus link, mu = log(1 + exp(eta)): like log for small means, like identity for large ones."""

    name = "softplus"
    mean_range = POSITIVE

    def __call__(self, mu: Array) -> Array:
        return mu + np.log(-np.expm1(-mu))

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        return np.logaddexp(0.0, eta), None, special.expit(eta)

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return dmu * special.expit(-eta)
