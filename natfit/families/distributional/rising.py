"""The rising factorial Gamma(y + r) / (Gamma(r) r^y) and what negative binomials need of it, for shapes up to infinity.

With s(x) = log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2, what Stirling's formula lacks, no large terms are left to
cancel: for r large the negative binomial is all but a Poisson.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from scipy import special

from natfit.families._stable import STIRLING, horner, log1p_minus, stirling_error, trigamma, trigamma_error

Array = np.ndarray[Any, np.dtype[Any]]

LARGE = 8.0
"""Shape from which Stirling's series holds to the last digit."""
FAR = 14.0
"""Standard deviations below the mean at which a sum over counts begins: the mass below is under 1e-20."""
ONE_BY_ONE = 512
"""Counts that are summed one by one: from there on terms change slowly enough to be integrated."""
TABLE = 256
"""Rows from which functions of counts are worth a table."""
TOGETHER = 64
"""Counts of a row that are summed in one go."""
FEW = 128
"""Rows of one shape from which interpolation is cheaper than sums for all."""
MANY = 1000
"""Rows from which interpolation is cheaper than sums for all."""
SHARED = 0.5
"""Log mean and log r are interpolated between multiples of this, so that many blocks of rows share a polynomial."""
RUN = 32_768
"""Rows whose polynomials are evaluated together, for the memory they take; with fewer, threads wait for the interpreter."""
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


def log_chosen(y: Array, r: Array) -> Array:
    """Return `log_rising` less `log_factorial`: by one look at the counts where all rows have one shape."""
    if _is_one(y, r):
        return of_counts(lambda each: log_rising(each, np.broadcast_to(r[:1], each.shape)) - log_factorial(each), y)
    return log_rising(y, r) - log_factorial(y)


def of_counts(function: Callable[[Array], Array], y: Array) -> Array:
    """Return a function of counts (n,): of every count up to the largest once, where that is less than one for each row."""
    if y.ndim == 1 and y.size > TABLE:
        largest = y.max()
        if largest < y.size // 4 and y.min() >= 0.0:
            return function(np.arange(largest + 1.0))[y.astype(np.intp)]
    return function(y)


def _split(y: Array, r: Array, far: Any, near: Any) -> Array:
    """Return ``far`` where r is large and ``near`` where it is not, each computed only where some row needs it."""
    if _is_one(y, r):
        return of_counts(lambda each: _parted(each, np.full(each.shape, r[0]), far, near), y)
    return _parted(y, r, far, near)


def _is_one(y: Array, r: Array) -> bool:
    """Say whether many rows have one shape."""
    if y.ndim != 1 or y.size <= TABLE or r.shape != y.shape:
        return False
    return r.strides == (0,) or bool((r == r[0]).all())


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

    Many rows are interpolated by Chebyshev polynomials in log mean and log r, of which its logarithm is a smooth function;
    where one of a few points misses by more than `AGREED` all rows are summed.

    Parameters
    ----------
    mean, r : (n,) ndarray
    """
    mean, r = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(r, dtype=float))
    if mean.ndim != 1:
        return shape_information(mean.ravel(), r.ravel()).reshape(mean.shape)
    ends = [*_ends(mean), *_ends(r)]
    if not (min(ends) > 0.0 and max(ends) < np.inf):  # a NaN is neither
        good = np.isfinite(mean) & np.isfinite(r) & (mean > 0.0) & (r > 0.0)
        found = np.full(mean.shape, np.nan)
        found[good] = shape_information(mean[good], r[good])
        return found
    if mean.size > (MANY if ends[2] < ends[3] else FEW):
        smooth = _interpolated(mean, r, np.log(ends))
        if smooth is not None:
            return smooth
    return _summed(mean, r)


def _interpolated(mean: Array, r: Array, ends: Array) -> Array | None:
    """Interpolate the information's logarithm in log mean and log r; None where a polynomial doesn't follow it.

    ``ends`` are the least and the greatest logarithms of both.
    """
    bounds = (*_bounds(*ends[:2]), *_bounds(*ends[2:]))
    table = _table(*bounds)
    if table is None:
        return None
    found = np.empty(mean.shape)
    for start in range(0, mean.size, RUN):
        run = slice(start, start + RUN)
        found[run] = _polynomial(table, _unit(mean[run], *bounds[:2]), _unit(r[run], *bounds[2:]))
    return np.exp(found, out=found)


def _ends(values: Array) -> tuple[float, float]:
    if values.strides == (0,):  # a constant's
        values = values[:1]
    return float(values.min()), float(values.max())


def _bounds(low: float, high: float) -> tuple[float, float]:
    """Return an interval that holds two numbers: theirs alone where they are one, else one that other rows share."""
    if high - low <= 1e-12 * max(abs(low), abs(high), 1.0):
        return float(low), float(low)
    return math.floor(low / SHARED) * SHARED, math.ceil(high / SHARED) * SHARED


def _unit(values: Array, low: float, high: float) -> Array:
    """Carry positive values, by their logarithms, from an interval to that from -1 to 1."""
    if high == low:
        return np.zeros(1)
    found = np.log(values)
    found -= 0.5 * (low + high)
    found /= 0.5 * (high - low)
    return found


@lru_cache(maxsize=64)
def _table(x_low: float, x_high: float, z_low: float, z_high: float) -> Array | None:
    """Return the polynomial through Chebyshev points as coefficients of products of Chebyshev polynomials.

    It is tried between its points, along a diagonal; where it misses one of these there is none.
    """
    halves = 0.5 * (x_high - x_low), 0.5 * (z_high - z_low)
    most = MOST_DEGREES[all(halves)]
    degrees = [0 if half == 0.0 else min(_degree(half), most) for half in halves]
    units = [np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)) for degree in degrees]
    tried = np.linspace(-1.0, 1.0, 9)
    x, z = (
        np.append(node, tried) * half + middle
        for node, half, middle in zip(
            np.meshgrid(*units, indexing="ij"), halves, (0.5 * (x_low + x_high), 0.5 * (z_low + z_high)), strict=True
        )
    )
    summed = _summed(np.exp(x), np.exp(z))
    values = np.log(summed[: -tried.size]).reshape(degrees[0] + 1, degrees[1] + 1)
    turned = [np.linalg.inv(chebyshev.chebvander(unit, unit.size - 1)) for unit in units]
    table = turned[0] @ values @ turned[1].T
    missed = np.abs(np.exp(_polynomial(table, tried, tried)) / summed[-tried.size :] - 1.0)
    return table if np.all(missed <= AGREED) else None


def _polynomial(table: Array, x: Array, z: Array) -> Array:
    """Return the sum of table[i, j] T_i(x) T_j(z) for each of the rows."""
    if table.shape[1] == 1:
        return chebyshev.chebval(x, table[:, 0])
    if table.shape[0] == 1:
        return chebyshev.chebval(z, table[0])
    left, right = (chebyshev.chebvander(v, size - 1) for v, size in zip((x, z), table.shape, strict=True))
    return np.einsum("ij,ij->i", left @ table, right)


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
    for _ in range(ONE_BY_ONE // together):
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
    length = float(ONE_BY_ONE)
    for _ in range(60):
        gained = term(low + 0.5 * length * (nodes + 1.0)) @ weights * (0.5 * length)
        total = total + gained
        low = low + length
        if np.all((np.abs(gained) <= SMALL * (so_far + total)) & (low[:, 0] > mean)):
            break
        length *= 2.0
    return total
