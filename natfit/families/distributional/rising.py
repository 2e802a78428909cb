"""The rising factorial Gamma(y + r) / (Gamma(r) r^y) and what negative binomials need of it, for shapes up to infinity.

With s(x) = log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2, what Stirling's formula lacks, no large terms are left to
cancel: for r large the negative binomial is all but a Poisson.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import STIRLING, horner, log1p_minus, stirling_error, trigamma, trigamma_error

Array = np.ndarray[Any, np.dtype[Any]]

LARGE = 8.0
"""Shape from which Stirling's series holds to the last digit."""
FAR = 14.0
"""Standard deviations below the mean at which a sum over counts begins: the mass below is under 1e-20."""
RUN = 512
"""Counts that are summed one by one: from there on terms change slowly enough to be integrated."""
TABLE = 256
"""Rows from which functions of counts are worth a table."""
TOGETHER = 64
"""Counts of a row that are summed in one go."""
FEW = 128
"""Rows of one shape from which interpolation is cheaper than sums for all."""
MANY = 1000
"""Rows from which interpolation is cheaper than sums for all."""
AGREED = 1e-9
"""Share of the sum by which an interpolated value may miss it."""
MOST_DEGREES = (40, 24)
"""Degrees of the interpolating polynomial at most, where one or both of its two variables vary."""
SMALL = 1e-13
"""Share of the sum so far below which terms past the mean are left out."""


def log_rising(y: Array, r: Array) -> Array:
    """Return log Gamma(y + r) - log Gamma(r) - y log r, 0 at r = infinity."""
    return _split(y, r, _log_rising_far, lambda y, r: special.gammaln(y + r) - special.gammaln(r) - y * np.log(r))


def _log_rising_far(y: Array, r: Array) -> Array:
    share = y / r
    return r * log1p_minus(share) + (y - 0.5) * np.log1p(share) + stirling_error(r + y) - stirling_error(r)


def rising_slope(y: Array, r: Array) -> Array:
    """Return the derivative of `log_rising` in r: digamma(y + r) - digamma(r) - y / r."""
    return _split(
        y,
        r,
        lambda y, r: log1p_minus(y / r) + _digamma_error(r + y) - _digamma_error(r),
        lambda y, r: special.digamma(y + r) - special.digamma(r) - y / r,
    )


def rising_bend(y: Array, r: Array) -> Array:
    """Return trigamma(y + r) - trigamma(r) + y / (r (r + y)): what is left without the terms 1 / x of both."""
    return _split(
        y,
        r,
        lambda y, r: trigamma_error(r + y) - trigamma_error(r),
        lambda y, r: trigamma(y + r) - trigamma(r) + y / (r * (r + y)),
    )


def log_factorial(y: Array) -> Array:
    """Return log y! of counts."""
    return of_counts(lambda each: special.gammaln(each + 1.0), y)


def of_counts(function: Callable[[Array], Array], y: Array) -> Array:
    """Return a function of counts (n,): of every count up to the largest once, where that is less than one for each row."""
    if y.ndim == 1 and y.size > TABLE:
        largest = y.max()
        if largest < y.size // 4 and y.min() >= 0.0:
            return function(np.arange(largest + 1.0))[y.astype(np.intp)]
    return function(y)


def _split(y: Array, r: Array, far: Any, near: Any) -> Array:
    """Return ``far`` where r is large and ``near`` where it is not, each computed only where some row needs it."""
    if y.ndim == 1 and y.size > TABLE and r.shape == y.shape and (r == r[0]).all():
        return of_counts(lambda each: _parted(each, np.full(each.shape, r[0]), far, near), y)
    return _parted(y, r, far, near)


def _parted(y: Array, r: Array, far: Any, near: Any) -> Array:
    large = r > LARGE
    if np.all(large):
        return far(y, r)
    if not np.any(large):
        return near(y, r)
    return np.where(large, far(y, np.where(large, r, LARGE + 1.0)), near(y, np.where(large, 1.0, r)))


def _digamma_error(x: Array) -> Array:
    """Return digamma(x) - log x for x above 8, by Stirling's series."""
    inverse = 1.0 / x
    square = inverse * inverse
    return -0.5 * inverse - square * horner(np.array(STIRLING) * np.arange(1, 20, 2), square)


def shape_information(mean: Array, r: Array) -> Array:
    """Return E[(d log p / dr)^2] at a fixed mean of each row of a negative binomial, exact to some ten digits.

    Many rows are interpolated between few by Chebyshev polynomials in log mean and log r, of which its logarithm is a
    smooth function; where one of a few rows misses by more than `AGREED` all are summed.

    Parameters
    ----------
    mean, r : (n,) ndarray
    """
    mean, r = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(r, dtype=float))
    shape = mean.shape
    mean, r = mean.ravel(), r.ravel()
    good = np.isfinite(mean) & np.isfinite(r) & (mean > 0.0) & (r > 0.0)
    if not good.all():
        found = np.full(mean.shape, np.nan)
        found[good] = shape_information(mean[good], r[good])
        return found.reshape(shape)
    if mean.size > (MANY if np.ptp(r) > 0.0 else FEW):
        smooth = _interpolated(np.log(mean), np.log(r))
        if smooth is not None:
            return smooth.reshape(shape)
    return _summed(mean, r).reshape(shape)


def _interpolated(x: Array, z: Array) -> Array | None:
    """Interpolate the logarithm of the information on a grid of Chebyshev points in log mean and log r.

    A few rows are summed along with the points; where the interpolation misses one of them there is none.
    """
    probe = np.linspace(0, x.size - 1, 9).astype(int)
    grids, places = [], []
    flat = [float(np.ptp(column)) <= 1e-12 * max(float(np.abs(column).max()), 1.0) for column in (x, z)]
    for column, single in zip((x, z), flat, strict=True):
        middle, half = 0.5 * (column.max() + column.min()), 0.5 * float(np.ptp(column))
        degree = 0 if single else min(_degree(half), MOST_DEGREES[not any(flat)])
        unit = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
        grids.append((unit, middle + (0.0 if single else half) * unit))
        places.append(np.zeros_like(column) if single else np.clip((column - middle) / half, -1.0, 1.0))
    nodes = np.meshgrid(grids[0][1], grids[1][1], indexing="ij")
    summed = _summed(*(np.exp(np.append(node, each[probe])) for node, each in zip(nodes, (x, z), strict=True)))
    table, known = np.log(summed[: -probe.size]).reshape(nodes[0].shape), summed[-probe.size :]
    vander = np.polynomial.chebyshev.chebvander
    turned = [np.linalg.inv(vander(unit, unit.size - 1)) for unit, _ in grids]
    table = turned[0] @ table @ turned[1].T
    left, right = (vander(place, unit.size - 1) for place, (unit, _) in zip(places, grids, strict=True))
    found = np.exp(np.einsum("ij,ij->i", left @ table, right))
    return found if np.all(np.abs(found[probe] / known - 1.0) <= AGREED) else None


def _degree(half: float) -> int:
    """Return the degree that interpolates to some 11 digits over an interval of this half-length in log mean or log r.

    The information's nearest singularities, at negative numbers, lie pi off the real line, and the error falls like
    powers of the sum of the semi-axes of the ellipse through them (Trefethen, 2013, Approximation Theory and
    Approximation Practice, theorem 8.2).
    """
    return math.ceil(23.0 / math.asinh(math.pi / half)) + 2


def _summed(mean: Array, r: Array) -> Array:
    """Sum over counts by recursions in the count; what a run of counts leaves, by Gauss-Legendre over doubling blocks.

    p(j+1) = p(j) (j + r) / (j + 1) m / (r + m), and digamma(j + 1 + r) = digamma(j + r) + 1 / (j + r).
    """
    found, active = np.zeros(mean.shape), np.arange(mean.size)
    j = np.maximum(np.floor(mean - FAR * np.sqrt(mean * (1.0 + mean / r))), 0.0)
    excess = rising_slope(j, r) + j / r - np.log1p(mean / r)
    state = [j, np.exp(_log_prob(j, mean, r)), excess, mean / (r + mean), mean, r, np.zeros(mean.shape)]
    together = TOGETHER if mean.size <= MANY else TOGETHER // 8
    for _ in range(RUN // together):
        last, term = _add_terms(state, together)
        # past the mean the terms fall no slower than by this ratio, so what is left is term / (1 - share) at most
        done = (last > state[4]) & (term <= SMALL * state[6] * (1.0 - state[3]))
        if done.any():
            found[active[done]] = state[6][done]
            active, state = active[~done], [each[~done] for each in state]
        if not active.size:
            return found
    found[active] = state[6] + _rest(state[0], state[4], state[5], state[6])
    return found


def _add_terms(state: list[Array], many: int) -> tuple[Array, Array]:
    """Add the next terms of each row to its total, ``state[6]``, and move on; return the last count and its term."""
    j, p, excess, share, mean, r = (each[:, None] for each in state[:6])
    counts = j + np.arange(many)
    reach = counts + r
    ratio, step = reach / (counts + 1.0) * share, 1.0 / reach
    p = p * np.cumprod(np.hstack([np.ones_like(p), ratio]), axis=1)
    excess = excess + np.cumsum(np.hstack([np.zeros_like(p[:, :1]), step]), axis=1)
    slope = excess[:, :-1] + (mean - counts) / (r + mean)
    terms = p[:, :-1] * slope * slope
    state[0], state[1], state[2] = state[0] + many, p[:, -1], excess[:, -1]
    state[6] = state[6] + terms.sum(axis=1)
    return counts[:, -1], terms[:, -1]


def _log_prob(y: Array, mean: Array, r: Array) -> Array:
    return log_rising(y, r) + special.xlogy(y, mean) - (y + r) * np.log1p(mean / r) - special.gammaln(y + 1.0)


def _rest(start: Array, mean: Array, r: Array, so_far: Array) -> Array:
    """Sum from ``start`` on as an integral from half a count before, with the first correction of the midpoint rule.

    The sum of f(j) from s on is the integral of f from s - 1/2 plus f'(s - 1/2) / 24, to third derivatives (Abramowitz &
    Stegun, 1964, 25.4.2 and 23.1.30).
    """
    nodes, weights = np.polynomial.legendre.leggauss(48)
    columns = mean[:, None], r[:, None]

    def term(y: Array) -> Array:
        slope = rising_slope(y, columns[1]) + y / columns[1] - np.log1p(columns[0] / columns[1])
        slope = slope + (columns[0] - y) / (columns[1] + columns[0])
        return np.exp(_log_prob(y, *columns)) * slope * slope

    low = (start - 0.5)[:, None]
    ends = term(np.concatenate([low - 0.5, low + 0.5], axis=1))
    total = (ends[:, 1] - ends[:, 0]) / 24.0
    length = float(RUN)
    for _ in range(60):
        gained = term(low + 0.5 * length * (nodes + 1.0)) @ weights * (0.5 * length)
        total = total + gained
        low = low + length
        if np.all((np.abs(gained) <= SMALL * (so_far + total)) & (low[:, 0] > mean)):
            break
        length *= 2.0
    return total
