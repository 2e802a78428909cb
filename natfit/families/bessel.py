"""The ratio of Bessel functions A(k) = I1(k) / I0(k), the mean resultant length of a von Mises distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import i0e, i1e

from natfit.families.solving import increasing_root
from natfit.parametrizations.base import Array

LARGE = 60.0
"""Concentration from which the series in 1/k is used: its terms fall to below 1e-17 there before they grow again."""


def _series(terms: int = 24) -> Array:
    """Coefficients a_0, a_1, ... of A(k) = sum a_j k^-j for large k, from the Riccati equation A' = 1 - A/k - A^2.

    Comparing powers gives 2 a_j = (j - 2) a_(j-1) - sum_(0<i<j) a_i a_(j-i), a_0 = 1: a_1 = -1/2, a_2 = a_3 = -1/8.
    """
    a = np.zeros(terms)
    a[0] = 1.0
    for j in range(1, terms):
        a[j] = 0.5 * ((j - 2) * a[j - 1] - a[1:j] @ a[1:j][::-1])
    return a


_A = _series()


def bessel_ratio(k: ArrayLike) -> Array:
    """Return A(k) = I1(k) / I0(k), k >= 0."""
    k = np.asarray(k, dtype=float)
    return i1e(k) / i0e(k)


def bessel_ratio_by_k(k: ArrayLike) -> Array:
    """Return A(k) / k, which is 1/2 at k = 0."""
    k = np.asarray(k, dtype=float)
    small = k < 1e-5  # A(k)/k = 1/2 - k^2/16 + k^4/96 - ...: the third term is below 1e-22
    return np.where(small, 0.5 - k**2 / 16.0, bessel_ratio(k) / np.where(small, 1.0, k))


def bessel_ratio_slope(k: ArrayLike) -> Array:
    """Return A'(k) = 1 - A/k - A^2, the variance of cos y; for large k, where this cancels, by its series."""
    k = np.asarray(k, dtype=float)
    ratio = bessel_ratio(k)
    inverse = 1.0 / np.maximum(k, LARGE)
    powers = np.arange(1, _A.size)
    series = -(powers * _A[1:] * inverse[..., None] ** (powers + 1)).sum(axis=-1)
    return np.where(k >= LARGE, series, 1.0 - bessel_ratio_by_k(k) - ratio**2)


def inverse_bessel_ratio(length: ArrayLike) -> Array:
    """Solve A(k) = length, 0 < length < 1; first guess from Banerjee et al. (2005), JMLR 6, 1345, equation 4.4."""
    length = np.asarray(length, dtype=float)
    guess = length * (2.0 - length**2) / (1.0 - length**2)
    return increasing_root(lambda k: (bessel_ratio(k), bessel_ratio_slope(k)), length, guess)
