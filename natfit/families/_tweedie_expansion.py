"""The Tweedie density for 1 < p < 2 at small dispersions, by its saddlepoint expansion.

At the mean mu = y the logarithm of y times the density is, with rho = phi y^(p-2),

    -log(2 pi rho) / 2 + k_1(p) rho + k_2(p) rho^2 + ...,

the logarithm of the expectation of exp(sum of rho^(n/2-1) c_n (i z)^n / n!, n = 3, 4, ...) over a standard normal z, where
c_n = p (2 p - 1) (3 p - 2) ... of n - 2 factors are the standardised cumulants (Daniels 1954, Annals of Mathematical
Statistics 25, 631-650, has the first term). The k are polynomials: at p = 2 they are those of Stirling's series, at p = 3,
where the saddlepoint is exact, they vanish. Sums over a wide bump of the series lose in their rounding what this keeps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from natfit.families.interval import Array

SMALL = 1e-3
"""rho up to which four terms are enough: the fifth is 1e-18."""
SMOOTH = 4.0
"""Squared width of the bump from which the sum over its terms is their integral: to exp(-2 pi^2 4), 1e-34 of it."""

COEFFICIENTS = (
    (0.0, -1 / 8, 1 / 24),
    (0.0, 1 / 8, -11 / 48, 1 / 8, -1 / 48),
    (0.0, -5 / 16, 1039 / 960, -2701 / 1920, 4973 / 5760, -161 / 640, 161 / 5760),
    (0.0, 21 / 16, -269 / 40, 6773 / 480, -90883 / 5760, 163 / 16, -10967 / 2880, 367 / 480, -367 / 5760),
)
"""Of the powers of p in k_1 to k_4, found in exact fractions from the cumulants."""


def is_small(rate: Array, a: Array) -> NDArray[np.bool_]:
    """Say of which rates lambda and ratios a = (2-p) / (p-1) the density is given by the expansion, to the last digit."""
    return (a * rate * SMALL >= 1.0 + a) & (rate >= SMOOTH * (1.0 + a))


def expanded(rate: Array, a: Array, order: int) -> Array:
    """Return the logarithm of y times the density at the mean y, with derivatives in r = log lambda and a.

    Parameters
    ----------
    rate, a : (n,) ndarray
    order : int

    Returns
    -------
    (1, n), (3, n) or (6, n) ndarray, for order 0, 1 or 2
        The logarithm; its slopes in r and a; its second derivatives in r, in r and a, and in a.
    """
    more = 1.0 + a
    p, rho = 1.0 + 1.0 / more, more / (a * rate)
    # log rho = log(1 + a) - log(a) - r
    p_a, p_aa = -1.0 / more**2, 2.0 / more**3
    l_a, l_aa = -1.0 / (a * more), (a + more) / (a * more) ** 2
    found = np.zeros(((1, 3, 6)[order], rate.size))
    found[0] = -0.5 * np.log(2.0 * np.pi * rho)
    if order >= 1:
        found[1], found[2] = 0.5, -0.5 * l_a
    if order == 2:
        found[5] = -0.5 * l_aa
    for n, row in enumerate(COEFFICIENTS, start=1):
        k = np.polynomial.Polynomial(row)
        share, value = rho**n, k(p)
        found[0] += value * share
        if order == 0:
            continue
        slope = k.deriv()(p)
        found[1] -= n * value * share
        in_a = slope * p_a + n * value * l_a
        found[2] += in_a * share
        if order == 2:
            found[3] += n * n * value * share
            found[4] -= n * in_a * share
            bend = k.deriv(2)(p) * p_a**2 + slope * p_aa + n * (slope * p_a * l_a + value * l_aa + in_a * l_a)
            found[5] += bend * share
    return found
