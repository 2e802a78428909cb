"""Counts: the Poisson as a base of others, negative binomial with either variance, and generalized Poisson."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta, inverse, once
from natfit.families.distributional.location_scale import weighted_moments
from natfit.families.distributional.registry import register
from natfit.families.distributional.rising import (
    log_chosen,
    log_factorial,
    rising_bend,
    rising_slope,
    shape_information,
)
from natfit.families.interval import POSITIVE
from natfit.families.support import counts

FEWEST = 0.05
"""Smallest alpha that moments are taken to say: under it a start could not move."""


def _alpha_start(y: Array, weight: Array | None, power: int, name: str) -> list[float]:
    """Return mean and alpha with Var = mean + alpha mean^power."""
    mean, sd = weighted_moments(y, weight)
    if mean <= 0.0:
        raise ValueError(f"the {name} family needs one count above zero, but all {len(y)} are zero")
    return [mean, max((sd * sd - mean) / mean**power, FEWEST)]


class PoissonRate(DistributionalFamily):
    """The Poisson as a base: one parameter, its rate, in plain arithmetic."""

    name = "poisson_rate"
    parameter_names = ("rate",)
    domains = (POSITIVE,)
    support = counts(0)
    information = "closed form"

    def log_prob(self, y: Array, theta: Theta) -> Array:
        return special.xlogy(y, theta[0]) - theta[0] - log_factorial(y)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        return [y / theta[0] - 1.0]

    def observed(self, y: Array, theta: Theta) -> Matrix:
        return {(0, 0): y / theta[0] ** 2}

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        return {(0, 0): 1.0 / theta[0]}

    def mean(self, theta: Theta) -> Array:
        return theta[0]

    def variance(self, theta: Theta) -> Array:
        return theta[0]

    def cdf(self, y: Array, theta: Theta) -> Array:
        return np.where(y < 0.0, 0.0, special.pdtr(np.floor(np.maximum(y, 0.0)), theta[0]))

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        return rng.poisson(theta[0]).astype(float)


class NegativeBinomialBase(DistributionalFamily):
    """Negative binomial counts of mean mu and shape r, the variance being mu + mu^2 / r."""

    parameter_names = ("mean", "alpha")
    domains = (POSITIVE, POSITIVE)
    support = counts(0)
    information = "sum over the response"
    simpler = (("alpha", "low", 1e-6, "poisson"),)

    def shape(self, theta: Theta) -> Array:
        """Return r."""
        raise NotImplementedError

    def _log_excess(self, theta: Theta) -> Array:
        """Return log(1 + mean / r)."""
        raise NotImplementedError

    def log_prob(self, y: Array, theta: Theta) -> Array:
        mean, r = theta[0], self.shape(theta)
        return log_chosen(y, r) + y * np.log(mean) - (y + r) * self._log_excess(theta)

    def mean(self, theta: Theta) -> Array:
        return theta[0] + 0.0 * theta[1]

    def variance(self, theta: Theta) -> Array:
        return theta[0] * (1.0 + theta[0] / self.shape(theta))

    def cdf(self, y: Array, theta: Theta) -> Array:
        k, r = np.floor(y), self.shape(theta)
        upper = special.betainc(r, np.maximum(k, 0.0) + 1.0, r / (r + theta[0]))
        return np.where(k < 0.0, 0.0, upper)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        r = self.shape(theta)
        return rng.poisson(theta[0] * rng.standard_gamma(r) / r).astype(float)

    def example_parameters(self) -> Array:
        return np.array([[2.0, 0.5], [0.3, 1.5], [12.0, 0.1]])


FADED = 1e-6
"""Alpha times the count and the mean under which a negative binomial's slope in alpha is that of its series."""
FADED_BEND = 1e-4
"""The same for the second derivative, of which 1 / alpha^4 loses digits sooner."""

MOST_SHAPE = 1e15
"""Shape beyond which none is asked what its information is."""


def _unless_faded(value: Array, series: Callable[..., Array], y: Array, theta: Theta, least: float = FADED) -> Array:
    """Return a derivative in alpha; where alpha is next to nothing and 1 / alpha would drown it in rounding, its series."""
    constant = np.ndim(theta[1]) == 1 and theta[1].strides == (0,)
    if not np.min(theta[1][:1] if constant else theta[1], initial=np.inf) < least:
        return value
    y, mean, alpha = np.broadcast_arrays(y, *theta)
    return np.where((alpha < least) & (alpha * (y + mean) < least), series(y, mean, alpha), value)


def faded_slope(y: Array, mean: Array, alpha: Array) -> Array:
    """Return the slope of an NB2 log-density in alpha to the first order in alpha.

    Of sum_j<y log(1 + alpha j) - (y + 1 / alpha) log(1 + alpha mean), by the logarithm's series.
    """
    first = y * mean**2 - 2.0 / 3.0 * mean**3 - y * (y - 1.0) * (2.0 * y - 1.0) / 6.0
    return 0.5 * ((y - mean) ** 2 - y) + alpha * first


def faded_bend(y: Array, mean: Array, alpha: Array) -> Array:
    """Return minus the second derivative of an NB2 log-density in alpha to the first order in alpha."""
    first = y * mean**2 - 2.0 / 3.0 * mean**3 - y * (y - 1.0) * (2.0 * y - 1.0) / 6.0
    second = 0.75 * mean**4 - y * mean**3 + 0.25 * (y * (y - 1.0)) ** 2
    return -first - 2.0 * alpha * second


def faded_information(y: Array, mean: Array, alpha: Array) -> Array:
    """Return the expectation of `faded_bend`, to the first order in alpha."""
    return 0.5 * mean**2 - alpha * (mean**3 + 0.5 * mean**2)


class NegativeBinomial2(NegativeBinomialBase):
    """Counts of mean mu and variance mu + alpha mu^2 (NB2); R's theta is 1 / alpha.

    Mean and alpha are orthogonal. Sources: Lawless (1987), Canadian Journal of Statistics 15, 209-225; Hilbe (2011),
    Negative Binomial Regression.
    """

    name = "negative_binomial"

    def shape(self, theta: Theta) -> Array:
        return once(theta, "shape", None, lambda: np.broadcast_arrays(inverse(theta[1]), theta[0])[0])

    def _log_excess(self, theta: Theta) -> Array:
        return once(theta, "log_excess", None, lambda: np.log1p(theta[1] * theta[0]))

    def _in_shape(self, y: Array, theta: Theta) -> Array:
        """Return the derivative of the log-density in r at a fixed mean."""
        mean, r = theta[0], self.shape(theta)
        return rising_slope(y, r) - self._log_excess(theta) + y / r - (y - mean) / (r + mean)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        mean, alpha = theta
        in_shape = once(theta, "in_shape", y, lambda: self._in_shape(y, theta))
        in_alpha = _unless_faded(in_shape * -(inverse(alpha) ** 2), faded_slope, y, theta)
        return [(y - mean) / (mean * (1.0 + alpha * mean)), in_alpha]

    def observed(self, y: Array, theta: Theta) -> Matrix:
        mean, r = theta[0], self.shape(theta)
        total, gap = r + mean, y - mean
        in_shape = once(theta, "in_shape", y, lambda: self._in_shape(y, theta))
        bend = (gap / total) ** 2 / (r + y) + rising_bend(y, r)
        return {
            (0, 0): y / mean**2 - (y + r) / total**2,
            (0, 1): (r / total) ** 2 * gap,
            (1, 1): _unless_faded(-(r**2) * r * (r * bend + 2.0 * in_shape), faded_bend, y, theta, FADED_BEND),
        }

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        mean, alpha = theta
        information = shape_information(mean, np.minimum(self.shape(theta), MOST_SHAPE))
        own = _unless_faded((inverse(alpha) ** 2) ** 2 * information, faded_information, mean, theta)
        return {(0, 0): 1.0 / (mean * (1.0 + alpha * mean)), (1, 1): own}

    def start(self, y: Array, weight: Array | None) -> list[float]:
        return _alpha_start(y, weight, 2, self.name)


class NegativeBinomial1(NegativeBinomialBase):
    """Counts of mean mu and variance mu (1 + alpha) (NB1).

    Source: Cameron & Trivedi (2013), Regression Analysis of Count Data, section 3.3.
    """

    name = "negative_binomial_1"

    def shape(self, theta: Theta) -> Array:
        return theta[0] / theta[1]

    def _log_excess(self, theta: Theta) -> Array:
        return np.log1p(theta[1])

    def score(self, y: Array, theta: Theta) -> list[Array]:
        mean, alpha = theta
        r = mean / alpha
        in_shape = rising_slope(y, r) + y / r - np.log1p(alpha)
        in_alpha = (y / alpha - r) / (1.0 + alpha)
        return [in_shape / alpha, in_alpha - r / alpha * in_shape]

    def observed(self, y: Array, theta: Theta) -> Matrix:
        # second derivatives in (r, alpha), carried over by r = mean / alpha
        mean, alpha = theta
        r, more = mean / alpha, 1.0 + alpha
        slope = rising_slope(y, r) + y / r - np.log1p(alpha)
        bend, mixed = rising_bend(y, r) - y / (r * (r + y)), -1.0 / more
        own = (r - y * (1.0 + 2.0 * alpha) / alpha**2) / more**2
        down = -r / alpha
        return {
            (0, 0): -bend / alpha**2,
            (0, 1): -(bend * down + mixed - slope / alpha) / alpha,
            (1, 1): -(bend * down**2 + 2.0 * mixed * down + own + 2.0 * slope * r / alpha**2),
        }

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        # in (r, alpha): E[(d/dr)^2] = that at a fixed mean + alpha / (r (1 + alpha)), cross 1 / (1 + alpha)
        mean, alpha = theta
        r, more = mean / alpha, 1.0 + alpha
        in_shape = shape_information(mean, r) + alpha / (r * more)
        cross, in_alpha, slope = 1.0 / more, r / (alpha * more), r / alpha
        return {
            (0, 0): in_shape / alpha**2,
            (0, 1): (cross - slope * in_shape) / alpha,
            (1, 1): in_alpha - 2.0 * slope * cross + slope**2 * in_shape,
        }

    def start(self, y: Array, weight: Array | None) -> list[float]:
        return _alpha_start(y, weight, 1, self.name)


class GeneralizedPoisson(DistributionalFamily):
    """Counts of mean m and variance m (1 + alpha)^2: p(y) = a (a + d y)^(y-1) exp(-a - d y) / y!.

    a = m / (1 + alpha), d = alpha / (1 + alpha); alpha > 0, so that every count has a positive probability. statsmodels'
    form with p = 1. Source: Consul & Famoye (1992), Communications in Statistics 21, 89-109.
    """

    name = "generalized_poisson"
    parameter_names = ("mean", "alpha")
    domains = (POSITIVE, POSITIVE)
    support = counts(0)
    information = "closed form"
    simpler = (("alpha", "low", 1e-6, "poisson"),)

    def log_prob(self, y: Array, theta: Theta) -> Array:
        mean, spread = theta[0], 1.0 + theta[1]
        a = mean / spread
        rate = a + theta[1] / spread * y
        return np.log(a) + (y - 1.0) * np.log(rate) - rate - log_factorial(y)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        mean, spread = theta[0], 1.0 + theta[1]
        in_rate = (y - 1.0) / ((mean + theta[1] * y) / spread) - 1.0
        return [1.0 / mean + in_rate / spread, -1.0 / spread + in_rate * (y - mean) / spread**2]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        # y (y - 1) p(y; a, d) / rate^2 = a / (a + 2 d) p(y - 2; a + 2 d, d): all that is needed sums to closed forms
        mean, spread = theta[0], 1.0 + theta[1]
        a, d = mean / spread, theta[1] / spread
        two = a + 2.0 * d
        first, cross, last = (two - a * d) / (a * two), a / two, mean + 2.0 * a / two
        return {
            (0, 0): first / spread**2,
            (0, 1): (cross - mean * first) / spread**3,
            (1, 1): (mean * mean * first - 2.0 * mean * cross + last) / spread**4,
        }

    def start(self, y: Array, weight: Array | None) -> list[float]:
        mean, alpha = _alpha_start(y, weight, 1, self.name)
        return [mean, float(np.sqrt(1.0 + alpha) - 1.0)]

    def mean(self, theta: Theta) -> Array:
        return theta[0] + 0.0 * theta[1]

    def variance(self, theta: Theta) -> Array:
        return theta[0] * (1.0 + theta[1]) ** 2

    def example_parameters(self) -> Array:
        return np.array([[2.0, 0.5], [0.3, 0.2], [12.0, 1.0]])


register(NegativeBinomial2, aliases=("nb2", "nbinom2"))
register(NegativeBinomial1, aliases=("nb1",))
register(GeneralizedPoisson, aliases=("gp1",))
