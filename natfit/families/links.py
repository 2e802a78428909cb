"""The links: identity, log, logit, probit and the others.

The formulas are those of McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed., sections 2.2.3 and 4.3;
the negative-binomial link is in Hilbe (2011), Negative Binomial Regression, 2nd ed., section 8.2. What the
methods promise is said in `natfit.families.link_base`.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from natfit.families.interval import POSITIVE, UNIT, Array, Interval
from natfit.families.link_base import REGISTRY, Link, get, names, register
from natfit.families.own_link import FunctionLink, from_functions
from natfit.families.positive_links import Inverse, InverseSquared, NegativeBinomialLink, Power, Softplus, Sqrt

__all__ = [
    "REGISTRY",
    "CLogLog",
    "Cauchit",
    "FunctionLink",
    "Identity",
    "Interval",
    "Inverse",
    "InverseSquared",
    "Link",
    "Log",
    "LogComplement",
    "LogLog",
    "Logit",
    "NegativeBinomialLink",
    "Power",
    "Probit",
    "Softplus",
    "Sqrt",
    "from_functions",
    "get",
    "names",
    "register",
]

_INV_SQRT_2PI = 1.0 / np.sqrt(2.0 * np.pi)


class Identity(Link):
    """Identity link, eta = mu."""

    name = "identity"

    def __call__(self, mu: Array) -> Array:
        return mu

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        return eta, None, np.ones_like(eta)

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return np.zeros_like(eta)


class Log(Link):
    """Log link, eta = log mu."""

    name = "log"
    mean_range = POSITIVE

    def __call__(self, mu: Array) -> Array:
        return np.log(mu)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        mu = np.exp(eta)
        return mu, None, mu

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return dmu

    def complement(self, eta: Array, mu: Array) -> Array:
        return -np.expm1(eta)


class Logit(Link):
    """Logit link, eta = log(mu / (1 - mu)); the slope is mu (1 - mu).

    Examples
    --------
    >>> mu, complement, slope = Logit().mean(np.array([700.0]))
    >>> print(mu, complement, slope)
    [1.] [9.85967654e-305] [9.85967654e-305]
    """

    name = "logit"
    mean_range = UNIT

    def __call__(self, mu: Array) -> Array:
        return special.logit(mu)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        odds = np.exp(eta)
        complement = odds + 1.0
        np.divide(1.0, complement, out=complement)
        mu = np.multiply(odds, complement, out=odds)  # relatively exact in both tails, like the complement
        if not np.isfinite(mu.sum()):
            mu[np.isnan(mu) & (eta > 0.0)] = 1.0  # where the odds overflow: infinite times a complement of 0
        return mu, complement, mu * complement

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return dmu * (1.0 - 2.0 * mu)


class Probit(Link):
    """Probit link, eta = Phi^-1(mu); the slope is the standard normal density."""

    name = "probit"
    mean_range = UNIT

    def __call__(self, mu: Array) -> Array:
        return special.ndtri(mu)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        slope = eta * eta
        slope *= -0.5
        np.exp(slope, out=slope)
        slope *= _INV_SQRT_2PI
        return special.ndtr(eta), special.ndtr(-eta), slope

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return -eta * dmu


class CLogLog(Link):
    """Complementary log-log link, eta = log(-log(1 - mu))."""

    name = "cloglog"
    mean_range = UNIT

    def __call__(self, mu: Array) -> Array:
        return np.log(-np.log1p(-mu))

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        hazard = np.exp(eta)
        slope = eta - hazard
        np.exp(slope, out=slope)
        np.negative(hazard, out=hazard)
        mu = np.expm1(hazard)
        return np.negative(mu, out=mu), np.exp(hazard, out=hazard), slope

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return dmu * (1.0 - np.exp(np.minimum(eta, 700.0)))  # the slope is 0 beyond 700


class LogLog(Link):
    """Log-log link, eta = -log(-log mu): the complementary log-log link of the other outcome."""

    name = "loglog"
    mean_range = UNIT

    def __call__(self, mu: Array) -> Array:
        return -np.log(-np.log(mu))

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        complement, mu, slope = CLogLog.mean(_CLOGLOG, -eta)
        assert mu is not None
        return mu, complement, slope

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return dmu * (np.exp(np.minimum(-eta, 700.0)) - 1.0)


_CLOGLOG = CLogLog()


class Cauchit(Link):
    """Cauchit link, eta = tan(pi (mu - 1/2)); the slope is the standard Cauchy density."""

    name = "cauchit"
    mean_range = UNIT

    def __call__(self, mu: Array) -> Array:
        return -1.0 / np.tan(np.pi * mu)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        mu = np.arctan2(1.0, -eta)  # the angle keeps its digits in both tails, where 1/2 + arctan(eta)/pi loses them
        mu /= np.pi
        complement = np.arctan2(1.0, eta)
        complement /= np.pi
        slope = eta * eta
        slope += 1.0
        slope *= np.pi
        return mu, complement, np.divide(1.0, slope, out=slope)

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return (-2.0 * np.pi) * eta * dmu * dmu


class LogComplement(Link):
    """Log-complement link, eta = log(1 - mu), decreasing in mu."""

    name = "log_complement"
    mean_range = Interval(-np.inf, 1.0)

    def __call__(self, mu: Array) -> Array:
        return np.log1p(-mu)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        complement = np.exp(eta)
        return -np.expm1(eta), complement, -complement

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        return dmu


for _link in (Identity, Log, Logit, Probit, CLogLog, LogLog, Sqrt, Power, Softplus):
    register(_link)
register(Cauchit, aliases=("cauchy",))
register(LogComplement, aliases=("logc",))
register(Inverse, aliases=("inverse_power", "1/mu"))
register(InverseSquared, aliases=("1/mu^2",))
register(NegativeBinomialLink, aliases=("nbinom", "negative_binomial_link"))
