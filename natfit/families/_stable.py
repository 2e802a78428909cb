"""Differences of nearly equal things, computed without losing their digits."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.families.interval import Array

_HALF_LOG_2PI = 0.5 * np.log(2.0 * np.pi)

# B_2k / (2k (2k - 1)) for k = 1 ... 10: Stirling's series, e.g. Abramowitz & Stegun (1964), 6.1.40
STIRLING = (
    1 / 12,
    -1 / 360,
    1 / 1260,
    -1 / 1680,
    1 / 1188,
    -691 / 360360,
    1 / 156,
    -3617 / 122400,
    43867 / 244188,
    -174611 / 125400,
)


_TRIGAMMA_TAIL = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)  # B_2k


def trigamma_error(x: Array) -> Array:
    """trigamma(x) - 1/x for x above 8: 1/(2 x^2) + sum B_2k / x^(2k+1) (Abramowitz & Stegun, 1964, 6.4.12)."""
    inverse = 1.0 / np.asarray(x, dtype=float)
    square = inverse * inverse
    return square * (0.5 + inverse * horner(_TRIGAMMA_TAIL, square))


def trigamma(x: Any) -> Array:
    """Second derivative of log Gamma, for x > 0: by its recurrence up to 8 and Stirling's series from there.

    `scipy.special.polygamma` takes it for a zeta function, at fifteen times the cost.
    """
    x = np.asarray(x, dtype=float)
    small = x < 8.0
    if not small.any():
        return 1.0 / x + trigamma_error(x)
    low = np.where(small, x, 8.0)
    total = np.zeros_like(low)
    for k in range(8):
        total += 1.0 / (low + k) ** 2
    far = np.where(small, low + 8.0, x)
    return np.where(small, total, 0.0) + 1.0 / far + trigamma_error(far)


def horner(coefficients: Any, x: Array) -> Array:
    """Polynomial with the coefficients in rising powers of `x`."""
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total *= x
        total += c
    return total


def log1p_minus(x: Any) -> Array:
    """log(1 + x) - x, to full relative precision also near 0.

    Near 0 it uses log(1 + x) = 2 artanh(r) with r = x / (2 + x), which gives -x r + 2 r^3 (1/3 + r^2/5 + ...).
    """
    x = np.asarray(x, dtype=float)
    small = np.abs(x) < 0.4
    near = np.where(small, x, 0.0)
    r = near / (2.0 + near)
    tail = horner([2.0 / k for k in range(3, 31, 2)], r * r)
    series = r * (r * r * tail - near)
    far = np.where(small, 0.0, x)
    return np.where(small, series, np.log1p(far) - far)


def poisson_gap(y: Any, mu: Any) -> Array:
    """y log(y / mu) - (y - mu) >= 0, half the Poisson unit deviance, to full relative precision also near y = mu."""
    y, mu = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(mu, dtype=float))
    near = np.abs(y - mu) < 0.4 * y
    safe = np.where(near, y, 1.0)
    close = -safe * log1p_minus(np.where(near, mu - y, 0.0) / safe)
    return np.where(near, close, special.xlogy(y, y) - special.xlogy(y, mu) - (y - mu))


def stirling_error(x: Any) -> Array:
    """log Gamma(x) - (x - 1/2) log x + x - log(2 pi)/2: what Stirling's formula lacks, for x > 0."""
    x = np.asarray(x, dtype=float)
    large = x > 8.0
    inverse = 1.0 / np.where(large, x, 8.0)
    small = np.where(large, 8.0, x)
    direct = special.gammaln(small) - (small - 0.5) * np.log(small) + small - _HALF_LOG_2PI
    return np.where(large, inverse * horner(STIRLING, inverse * inverse), direct)
