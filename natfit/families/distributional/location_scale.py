"""Continuous families of a location and a scale: Gumbel, logistic, Student's t."""

from __future__ import annotations

import numpy as np
from scipy import special

from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta
from natfit.families.distributional.registry import register
from natfit.families.interval import POSITIVE, REAL
from natfit.families.support import REALS


def weighted_moments(y: Array, weight: Array | None) -> tuple[float, float]:
    """Return mean and standard deviation; a standard deviation of 0 is replaced by 1."""
    w = np.ones(len(y)) if weight is None else weight
    mean = float(w @ y / w.sum())
    sd = float(np.sqrt(w @ (y - mean) ** 2 / w.sum()))
    return mean, sd if sd > 0.0 else 1.0


class LocationScale(DistributionalFamily):
    """A law of z = (y - location) / scale; a subclass gives log f(z) and two derivatives of it."""

    parameter_names = ("location", "scale")
    domains = (REAL, POSITIVE)
    support = REALS
    information = "closed form"
    fisher_of_unit: tuple[float, float, float]
    """Information of location, location and scale, and scale, at location 0 and scale 1."""
    unit_mean: float
    unit_sd: float

    def log_density(self, z: Array) -> Array:
        """Return log f(z)."""
        raise NotImplementedError

    def slope(self, z: Array) -> Array:
        """Return d log f / dz."""
        raise NotImplementedError

    def bend(self, z: Array) -> Array:
        """Return d2 log f / dz2."""
        raise NotImplementedError

    def log_prob(self, y: Array, theta: Theta) -> Array:
        return self.log_density((y - theta[0]) / theta[1]) - np.log(theta[1])

    def score(self, y: Array, theta: Theta) -> list[Array]:
        z = (y - theta[0]) / theta[1]
        slope = self.slope(z)
        return [-slope / theta[1], -(1.0 + z * slope) / theta[1]]

    def observed(self, y: Array, theta: Theta) -> Matrix:
        z, square = (y - theta[0]) / theta[1], theta[1] ** 2
        slope, bend = self.slope(z), self.bend(z)
        return {
            (0, 0): -bend / square,
            (0, 1): -(slope + z * bend) / square,
            (1, 1): -(1.0 + 2.0 * z * slope + z * z * bend) / square,
        }

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        square = theta[1] ** 2
        first, mixed, last = self.fisher_of_unit
        return {(0, 0): first / square, (0, 1): mixed / square, (1, 1): last / square}

    def start(self, y: Array, weight: Array | None) -> list[float]:
        mean, sd = weighted_moments(y, weight)
        scale = sd / self.unit_sd
        return [mean - scale * self.unit_mean, scale]

    def mean(self, theta: Theta) -> Array:
        return theta[0] + theta[1] * self.unit_mean

    def variance(self, theta: Theta) -> Array:
        return (theta[1] * self.unit_sd) ** 2 + 0.0 * theta[0]

    def example_parameters(self) -> Array:
        return np.array([[0.0, 1.0], [-2.0, 0.3], [30.0, 4.0]])


@register
class Gumbel(LocationScale):
    """The law of maxima: f(z) = exp(-z - exp(-z)), mean location + 0.5772 scale.

    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions, vol. 2, chapter 22.
    """

    name = "gumbel"
    unit_mean = float(np.euler_gamma)
    unit_sd = float(np.pi / np.sqrt(6.0))
    fisher_of_unit = (1.0, float(np.euler_gamma - 1.0), float(np.pi**2 / 6.0 + (1.0 - np.euler_gamma) ** 2))

    def log_density(self, z: Array) -> Array:
        return -z - np.exp(-z)

    def slope(self, z: Array) -> Array:
        return np.expm1(-z)

    def bend(self, z: Array) -> Array:
        return -np.exp(-z)

    def cdf(self, y: Array, theta: Theta) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(-np.exp(-(y - theta[0]) / theta[1]))

    def quantile(self, level: Array, theta: Theta) -> Array:
        return theta[0] - theta[1] * np.log(-np.log(level))


@register
class Logistic(LocationScale):
    """f(z) = exp(-z) / (1 + exp(-z))^2; variance pi^2 scale^2 / 3.

    Source: Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions, vol. 2, chapter 23.
    """

    name = "logistic"
    unit_mean = 0.0
    unit_sd = float(np.pi / np.sqrt(3.0))
    fisher_of_unit = (1.0 / 3.0, 0.0, float((np.pi**2 + 3.0) / 9.0))

    def log_density(self, z: Array) -> Array:
        size = np.abs(z)
        return -size - 2.0 * np.log1p(np.exp(-size))

    def slope(self, z: Array) -> Array:
        return -np.tanh(0.5 * z)

    def bend(self, z: Array) -> Array:
        return -2.0 * special.expit(z) * special.expit(-z)

    def cdf(self, y: Array, theta: Theta) -> Array:
        return special.expit((y - theta[0]) / theta[1])

    def quantile(self, level: Array, theta: Theta) -> Array:
        return theta[0] + theta[1] * special.logit(level)


@register
class StudentT(DistributionalFamily):
    """y = location + scale t, t of Student's law with ``df`` degrees of freedom.

    Source: Lange, Little & Taylor (1989), JASA 84, 881-896, for the information.
    """

    name = "student_t"
    parameter_names = ("location", "scale", "df")
    domains = (REAL, POSITIVE, POSITIVE)
    support = REALS
    information = "closed form"
    simpler = (("df", "high", 1e4, "gaussian"),)

    def log_prob(self, y: Array, theta: Theta) -> Array:
        location, scale, df = theta
        square = ((y - location) / scale) ** 2
        constant = _log_gamma_ratio(df) - 0.5 * np.log(np.pi) - np.log(scale)
        return constant - 0.5 * (df + 1.0) * np.log1p(square / df)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        location, scale, df = theta
        z = (y - location) / scale
        square = z * z
        weight = (df + 1.0) / (df + square)
        half = 0.5 * (special.digamma(0.5 * df + 0.5) - special.digamma(0.5 * df))
        last = half - 0.5 / df - 0.5 * np.log1p(square / df) + 0.5 * weight * square / df
        far = (df > FAR) & (square < 1e-3 * df)
        if far.any():
            last = np.where(far, _far_slope(square, df), last)
        return [weight * z / scale, (weight * square - 1.0) / scale, last]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        _, scale, df = theta
        trigamma = special.polygamma(1, 0.5 * df) - special.polygamma(1, 0.5 * df + 0.5)
        own, u = 0.25 * trigamma - 0.5 * (df + 5.0) / (df * (df + 1.0) * (df + 3.0)), 1.0 / df
        return {
            (0, 0): (df + 1.0) / (df + 3.0) / scale**2,
            (1, 1): 2.0 * df / (df + 3.0) / scale**2,
            (1, 2): -2.0 / (scale * (df + 1.0) * (df + 3.0)),
            # all but the fourth power of 1 / df cancels; its series, from that of both trigamma functions
            (2, 2): np.where(df > FAR, u**4 * (3.5 - u * (13.0 - u * (39.5 - 119.0 * u))), own),
        }

    def start(self, y: Array, weight: Array | None) -> list[float]:
        order = np.argsort(y)
        share = np.cumsum(np.ones(len(y)) if weight is None else weight[order])
        low, middle, high = y[order][np.searchsorted(share, share[-1] * np.array([0.25, 0.5, 0.75]))]
        spread = 0.5 * (high - low) / float(special.stdtrit(5.0, 0.75))
        return [float(middle), float(spread) if spread > 0.0 else weighted_moments(y, weight)[1], 5.0]

    def mean(self, theta: Theta) -> Array:
        return np.where(theta[2] > 1.0, theta[0], np.nan)

    def variance(self, theta: Theta) -> Array:
        _, scale, df = theta
        with np.errstate(all="ignore"):
            return np.where(df > 2.0, scale**2 * df / (df - 2.0), np.where(df > 1.0, np.inf, np.nan))

    def cdf(self, y: Array, theta: Theta) -> Array:
        return special.stdtr(theta[2], (y - theta[0]) / theta[1])

    def quantile(self, level: Array, theta: Theta) -> Array:
        return theta[0] + theta[1] * special.stdtrit(theta[2], level)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        return theta[0] + theta[1] * rng.standard_t(theta[2])

    def example_parameters(self) -> Array:
        return np.array([[0.0, 1.0, 5.0], [3.0, 0.2, 2.5], [-10.0, 4.0, 30.0]])


FAR = 2e3
"""Degrees of freedom from which derivatives in them are those of the expansion about the normal law: differences cancel."""


def _far_slope(square: Array, df: Array) -> Array:
    """Return the slope in df of the log-density at z^2, to the fourth power of 1 / df.

    It is log N(z) + (z^4 - 2 z^2 - 1) / (4 df) + (z^4 / 4 - z^6 / 6) / df^2 + (1 / 24 - z^6 / 6 + z^8 / 8) / df^3 + ...
    """
    u = 1.0 / df
    first = 0.25 * (square * (square - 2.0) - 1.0)
    second, third = square**2 * (0.25 - square / 6.0), 1.0 / 24.0 + square**3 * (square / 8.0 - 1.0 / 6.0)
    return -(u**2) * (first + u * (2.0 * second + 3.0 * u * third))


def _log_gamma_ratio(df: Array) -> Array:
    """Return log Gamma((df + 1) / 2) - log Gamma(df / 2) - log(df) / 2, by a series where the difference would cancel."""
    from natfit.families._stable import stirling_error

    half = 0.5 * df
    # log Gamma(x) = (x - 1/2) log x - x + log(2 pi) / 2 + error(x)
    direct = special.gammaln(half + 0.5) - special.gammaln(half) - 0.5 * np.log(df)
    large = half > 30.0
    x = np.where(large, half, 31.0)
    series = x * np.log1p(0.5 / x) - 0.5 + stirling_error(x + 0.5) - stirling_error(x) - 0.5 * np.log(2.0)
    return np.where(large, series, direct)
