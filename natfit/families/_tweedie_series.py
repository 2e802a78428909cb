"""The Tweedie density for 1 < p < 2 by its series, arranged so that nothing large cancels.

The response is a sum of N gamma variables, N Poisson; its density at y > 0 is a sum over N = j = 1, 2, ... (Dunn &
Smyth 2005, Statistics and Computing 15, 267-280). At the mean mu = y the Poisson rate is
lambda = y^(2-p) / (phi (2-p)) and, with a = (2-p) / (p-1), the j-th term is

    sqrt(a) / (2 pi y) exp(-(1 + a) D(j, lambda) - s(j) - s(a j)),    D(j, lambda) = j log(j / lambda) - (j - lambda),

s what Stirling's formula lacks in log Gamma: a bump about lambda of width sigma = sqrt(lambda / (1 + a)). A narrow bump
is summed term by term. A wide one is a smooth function, whose sum over the integers is its integral, and that is given
by the trapezoidal rule with a few dozen points wherever they lie (both to within exp(-2 pi^2 sigma^2 / step^2)). Any
other mean multiplies the density by exp(-deviance / (2 phi)).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import STIRLING, horner, poisson_gap, stirling_error
from natfit.families.interval import Array

_DEPTH = 41.0  # terms below exp(-41) of the largest, 1e-18, are left out
_WIDE = 64.0  # sigma^2 from which the bump is smooth and far from 0: exp(-64) of it would lie below j = 0
_POINTS = 40  # at most 0.6 sigma apart
_ROWS = 2048  # rows summed at a time, to bound the temporary


def log_density_at_own_mean(y: Array, power: float, dispersion: Array) -> Array:
    """Log-density at y > 0 when the mean is y itself, for 1-d arrays of one length."""
    a, rate = _ratio_and_rate(y, power, dispersion)
    out = np.empty_like(rate)
    for rows, j, width in _pieces(rate, a):
        out[rows] = _log_sum(_log_terms(j, rate[rows, None], a)) + np.log(width)
    return out + 0.5 * np.log(a) - np.log(2.0 * np.pi) - np.log(y)


def slopes_at_own_mean(y: Array, power: float, dispersion: Array) -> tuple[Array, Array]:
    """Derivatives of `log_density_at_own_mean` in dispersion and power: averages over the terms of the series."""
    a, rate = _ratio_and_rate(y, power, dispersion)
    number, in_a = np.empty_like(rate), np.empty_like(rate)
    for rows, j, _ in _pieces(rate, a):
        gap = poisson_gap(j, rate[rows, None])
        log_terms = -(1.0 + a) * gap - stirling_error(j) - stirling_error(a * j)
        share = np.exp(log_terms - log_terms.max(axis=1)[:, None])
        share /= share.sum(axis=1)[:, None]
        number[rows] = (share * j).sum(axis=1)
        in_a[rows] = 0.5 / a - (share * (gap + j * _stirling_error_slope(a * j))).sum(axis=1)
    in_log_rate = (1.0 + a) * (number - rate)
    in_power = in_log_rate * (1.0 / (2.0 - power) - np.log(y)) - in_a / (power - 1.0) ** 2
    return -in_log_rate / dispersion, in_power


def _ratio_and_rate(y: Array, power: float, dispersion: Array) -> tuple[float, Array]:
    return (2.0 - power) / (power - 1.0), y ** (2.0 - power) / (dispersion * (2.0 - power))


def _log_terms(j: Array, rate: Array, a: float) -> Array:
    return -(1.0 + a) * poisson_gap(j, rate) - stirling_error(j) - stirling_error(a * j)


def _stirling_error_slope(x: Array) -> Array:
    """Derivative of `stirling_error`: digamma(x) - log(x) + 1/(2 x)."""
    large = x > 8.0
    inverse = 1.0 / np.where(large, x, 8.0)
    square = inverse * inverse
    small = np.where(large, 8.0, x)
    direct = special.digamma(small) - np.log(small) + 0.5 / small
    return np.where(large, -square * horner(np.array(STIRLING) * np.arange(1, 20, 2), square), direct)


def _pieces(rate: Array, a: float) -> Iterator[tuple[Any, Array, Array | float]]:
    """Yield rows, the numbers (m, k) at which their terms are taken, and the width that each of these stands for (m,)."""
    depth = _DEPTH / (1.0 + a)
    low = rate - np.minimum(np.sqrt(2.0 * depth * rate), rate)  # D >= (j - lambda)^2 / (2 lambda) below lambda,
    high = rate + depth / 3.0 + np.sqrt(depth * depth / 9.0 + 2.0 * depth * rate)  # and a little less above (Bernstein)
    wide = rate > _WIDE * (1.0 + a)
    grid = (np.arange(_POINTS) + 0.5) / _POINTS
    numbers = np.flatnonzero(wide)
    for start in range(0, numbers.size, _ROWS):
        rows = numbers[start : start + _ROWS]
        span = (high - low)[rows]
        yield rows, low[rows, None] + span[:, None] * grid, span / _POINTS
    first = np.maximum(np.floor(low) - 1.0, 1.0)
    terms = np.maximum(np.ceil(high), first) + 2.0 - first
    order = np.flatnonzero(~wide)
    order = order[np.argsort(terms[order], kind="stable")]  # rows with like numbers of terms together
    for start in range(0, order.size, _ROWS):
        rows = order[start : start + _ROWS]
        yield rows, first[rows, None] + np.arange(int(terms[rows[-1]])), 1.0


def _log_sum(log_terms: Array) -> Array:
    top = log_terms.max(axis=1)
    return top + np.log(np.exp(log_terms - top[:, None]).sum(axis=1))
