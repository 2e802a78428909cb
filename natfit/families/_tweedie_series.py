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

import numpy as np

from natfit.families._stable import poisson_gap, stirling_error
from natfit.families.interval import Array

_DEPTH = 41.0  # terms below exp(-41) of the largest, 1e-18, are left out
_WIDE = 64.0  # sigma^2 from which the bump is smooth and far from 0: exp(-64) of it would lie below j = 0
_POINTS = 40  # at most 0.6 sigma apart
_ROWS = 2048  # rows summed at a time, to bound the temporary


def log_density_at_own_mean(y: Array, power: float, dispersion: Array) -> Array:
    """Log-density at y > 0 when the mean is y itself, for 1-d arrays of one length."""
    a = (2.0 - power) / (power - 1.0)
    rate = y ** (2.0 - power) / (dispersion * (2.0 - power))
    depth = _DEPTH / (1.0 + a)
    low = rate - np.minimum(np.sqrt(2.0 * depth * rate), rate)  # D >= (j - lambda)^2 / (2 lambda) below lambda,
    high = rate + depth / 3.0 + np.sqrt(depth * depth / 9.0 + 2.0 * depth * rate)  # and a little less above (Bernstein)
    out = np.empty_like(rate)
    wide = rate > _WIDE * (1.0 + a)
    out[wide] = _integral(rate[wide], low[wide], high[wide], a)
    first = np.maximum(np.floor(low[~wide]) - 1.0, 1.0)
    out[~wide] = _sum(rate[~wide], first, np.maximum(np.ceil(high[~wide]), first) + 1.0, a)
    return out + 0.5 * np.log(a) - np.log(2.0 * np.pi) - np.log(y)


def _log_terms(j: Array, rate: Array, a: float) -> Array:
    return -(1.0 + a) * poisson_gap(j, rate) - stirling_error(j) - stirling_error(a * j)


def _integral(rate: Array, low: Array, high: Array, a: float) -> Array:
    """Log of the sum over all integers, as the integral from low to high."""
    out = np.empty_like(rate)
    grid = (np.arange(_POINTS) + 0.5) / _POINTS
    for start in range(0, rate.size, _ROWS):
        rows = slice(start, start + _ROWS)
        span = (high - low)[rows, None]
        out[rows] = _log_sum(_log_terms(low[rows, None] + span * grid, rate[rows, None], a)) + np.log(
            span[:, 0] / _POINTS
        )
    return out


def _sum(rate: Array, first: Array, last: Array, a: float) -> Array:
    """Log of the sum over the integers from first to last, rows with like numbers of terms together."""
    out = np.empty_like(rate)
    terms = last - first + 1.0
    order = np.argsort(terms, kind="stable")
    for start in range(0, rate.size, _ROWS):
        rows = order[start : start + _ROWS]
        j = first[rows, None] + np.arange(int(terms[rows[-1]]))
        out[rows] = _log_sum(_log_terms(j, rate[rows, None], a))
    return out


def _log_sum(log_terms: Array) -> Array:
    top = log_terms.max(axis=1)
    return top + np.log(np.exp(log_terms - top[:, None]).sum(axis=1))
