"""The Tweedie density for 1 < p < 2 by its series, arranged so that nothing large cancels.

The response is a sum of N gamma variables, N Poisson; its density at y > 0 is a sum over N = j = 1, 2, ... (Dunn &
Smyth 2005, Statistics and Computing 15, 267-280). At the mean mu = y the Poisson rate is
lambda = y^(2-p) / (phi (2-p)) and, with a = (2-p) / (p-1), the j-th term is

    sqrt(a) / (2 pi y) exp(-(1 + a) D(j, lambda) - s(j) - s(a j)),    D(j, lambda) = j log(j / lambda) - (j - lambda),

s what Stirling's formula lacks in log Gamma: a bump about lambda of width sigma = sqrt(lambda / (1 + a)). A narrow bump
is summed term by term. A wide one is a smooth function, whose sum over the integers is its integral, and that is given
by the trapezoidal rule with a few dozen points wherever they lie (both to within exp(-2 pi^2 sigma^2 / step^2)). Any
other mean multiplies the density by exp(-deviance / (2 phi)). Derivatives are averages over the terms. These lose digits
where lambda is vast; there the saddlepoint expansion stands (`natfit.families._tweedie_expansion`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from natfit.families._stable import STIRLING, horner, poisson_gap, stirling_error, trigamma, trigamma_error
from natfit.families._tweedie_expansion import expanded, is_small
from natfit.families.interval import Array

_DEPTH = 41.0  # terms below exp(-41) of the largest, 1e-18, are left out
_WIDE = 64.0  # sigma^2 from which the bump is smooth and far from 0: exp(-64) of it would lie below j = 0
_POINTS = 40  # at most 0.6 sigma apart
_ROWS = 2048  # rows summed at a time, to bound the temporary
_LARGE = 8.0  # argument from which Stirling's series holds to the last digit

Power = float | Array


class Slopes(NamedTuple):
    """Derivatives of a log-density: in dispersion and power, and where asked for twice in them."""

    dispersion: Array
    power: Array
    dispersion_twice: Array
    both: Array
    power_twice: Array


def log_density_at_own_mean(y: Array, power: Power, dispersion: Array) -> Array:
    """Log-density at y > 0 when the mean is y itself, for 1-d arrays of one length; the power may be one number."""
    a, rate = _ratio_and_rate(y, power, dispersion)
    return log_bump(rate, a, 0)[0] - np.log(y)


def slopes_at_own_mean(y: Array, power: Power, dispersion: Array, twice: bool = True) -> Slopes:
    """Derivatives of `log_density_at_own_mean`; the second ones are NaN where not asked for."""
    a, rate = _ratio_and_rate(y, power, dispersion)
    _, r, in_a, *second = log_bump(rate, a, 2 if twice else 1)
    rr, ra, aa = second if twice else [np.full_like(rate, np.nan)] * 3
    short, gone = 1.0 / (2.0 - power), 1.0 / (power - 1.0)
    # r = log lambda and a are (2 - p) log y - log phi - log(2 - p) and 1 / (p - 1) - 1
    r_power, a_power = short - np.log(y), -(gone**2)
    return Slopes(
        -r / dispersion,
        r * r_power + in_a * a_power,
        (rr + r) / dispersion**2,
        -(rr * r_power + ra * a_power) / dispersion,
        rr * r_power**2 + 2.0 * ra * r_power * a_power + aa * a_power**2 + r * short**2 + 2.0 * in_a * gone**3,
    )


def log_bump(rate: Array, a: Array, order: int) -> Array:
    """Return the logarithm of y times the density at the mean y, with its derivatives in log lambda and a.

    By the expansion where the dispersion is small, else by the series; see `natfit.families._tweedie_expansion.expanded`
    for what is returned.
    """
    small = is_small(rate, a)
    if small.all():
        return expanded(rate, a, order)
    if not small.any():
        return _summed(rate, a, order)
    found = np.empty(((1, 3, 6)[order], rate.size))
    found[:, small], found[:, ~small] = expanded(rate[small], a[small], order), _summed(rate[~small], a[~small], order)
    return found


def _summed(rate: Array, a: Array, order: int) -> Array:
    """Return what `log_bump` does, from the sum of the terms and averages over them."""
    found, more = averages(rate, a, order), 1.0 + a
    found[0] += 0.5 * np.log(a) - np.log(2.0 * np.pi)
    if order >= 1:
        found[1] *= more
        found[2] += 0.5 / a
    if order == 2:
        in_r, mixed, bend = found[3:].copy()
        found[3] = more * (more * in_r - rate)
        found[4] = found[1] / more + more * mixed
        found[5] = bend - 0.5 / a**2
    return found


def averages(rate: Array, a: Array, order: int) -> Array:
    """Sum the series' terms, and average over them, for 1-d arrays of one length.

    Returns
    -------
    (1, n), (3, n) or (6, n) ndarray, for order 0, 1 or 2
        The logarithm of the sum; the averages of j - lambda and of the terms' slopes in a; the variance of the one, the
        covariance of both, and the second derivative in a.
    """
    found = np.empty(((1, 3, 6)[order], rate.size))
    for rows, j, width, whole in _pieces(rate, a):
        own, ratio = rate[rows, None], a[rows, None]
        gap = poisson_gap(j, own)
        missing = _stirling_of(j, ratio, whole, order)
        log_terms = -(1.0 + ratio) * gap - missing[0]
        top = log_terms.max(axis=1)
        share = np.exp(log_terms - top[:, None])
        total = share.sum(axis=1)
        found[0, rows] = top + np.log(total) + np.log(width)
        if order == 0:
            continue
        share /= total[:, None]
        excess, slope = j - own, -gap - missing[1]
        middle, tilt = (share * excess).sum(axis=1), (share * slope).sum(axis=1)
        found[1, rows], found[2, rows] = middle, tilt
        if order == 2:
            excess, slope = excess - middle[:, None], slope - tilt[:, None]
            found[3, rows] = (share * excess * excess).sum(axis=1)
            found[4, rows] = (share * excess * slope).sum(axis=1)
            found[5, rows] = (share * (slope * slope - missing[2])).sum(axis=1)
    return found


def _ratio_and_rate(y: Array, power: Power, dispersion: Array) -> tuple[Array, Array]:
    a = np.broadcast_to((2.0 - power) / (power - 1.0), y.shape)
    return a, y ** (2.0 - power) / (dispersion * (2.0 - power))


def _stirling_of(j: Array, a: Array, whole: bool, order: int) -> list[Array]:
    """Return s(j) + s(a j) and, up to the order, j s'(a j) and j^2 s''(a j); where one a serves, of each number once."""
    if whole and float(np.ptp(a)) == 0.0:
        first, last = j.min(), j.max()
        if last - first + 1.0 < j.size:
            place = (j - first).astype(np.intp)
            return [each[place] for each in _stirling_of(np.arange(first, last + 1.0), a[0], False, order)]
    x = a * j
    found = [stirling_error(j) + stirling_error(x)]
    if order >= 1:
        found.append(j * _stirling_error_slope(x))
    if order >= 2:
        found.append(j * j * _stirling_error_bend(x))
    return found


def _stirling_error_slope(x: Array) -> Array:
    """Derivative of `stirling_error`: digamma(x) - log(x) + 1/(2 x)."""
    large = x > _LARGE
    inverse = 1.0 / np.where(large, x, _LARGE)
    square = inverse * inverse
    small = np.where(large, _LARGE, x)
    direct = special.digamma(small) - np.log(small) + 0.5 / small
    return np.where(large, -square * horner(np.array(STIRLING) * np.arange(1, 20, 2), square), direct)


def _stirling_error_bend(x: Array) -> Array:
    """Second derivative of `stirling_error`: trigamma(x) - 1/x - 1/(2 x^2)."""
    large = x > _LARGE
    small = np.where(large, _LARGE, x)
    direct = trigamma(small) - 1.0 / small
    return np.where(large, trigamma_error(np.where(large, x, _LARGE)), direct) - 0.5 / (x * x)


def _pieces(rate: Array, a: Array) -> Iterator[tuple[Any, Array, Array | float, bool]]:
    """Yield rows, the numbers (m, k) at which their terms are taken, the width that each of these stands for (m,), and
    whether the numbers are whole."""
    depth = _DEPTH / (1.0 + a)
    low = rate - np.minimum(np.sqrt(2.0 * depth * rate), rate)  # D >= (j - lambda)^2 / (2 lambda) below lambda,
    high = rate + depth / 3.0 + np.sqrt(depth * depth / 9.0 + 2.0 * depth * rate)  # and a little less above (Bernstein)
    wide = rate > _WIDE * (1.0 + a)
    grid = (np.arange(_POINTS) + 0.5) / _POINTS
    numbers = np.flatnonzero(wide)
    for start in range(0, numbers.size, _ROWS):
        rows = numbers[start : start + _ROWS]
        span = (high - low)[rows]
        yield rows, low[rows, None] + span[:, None] * grid, span / _POINTS, False
    first = np.maximum(np.floor(low) - 1.0, 1.0)
    terms = np.maximum(np.ceil(high), first) + 2.0 - first
    order = np.flatnonzero(~wide)
    order = order[np.argsort(terms[order], kind="stable")]  # rows with like numbers of terms together
    for start in range(0, order.size, _ROWS):
        rows = order[start : start + _ROWS]
        yield rows, first[rows, None] + np.arange(int(terms[rows[-1]])), 1.0, True
