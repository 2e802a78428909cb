"""Tail probabilities of responses, and quantiles found from them.

Both tails are computed, each to its own relative precision, so that neither is lost where the other is near 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import poisson_gap, stirling_error
from natfit.families.interval import Array

Tails = tuple[Array, Array]

FUZZ = 64 * np.finfo(float).eps
"""Share by which a tail may miss a level and still count as having reached it: rounding, as in R's qbinom."""
_STEP = 0.5
"""Step of an integral over the number of jumps, as a share of the width of its narrowest feature: exact to exp(-78)."""
_MANY = 250.0
"""Jumps from which the sum may be an integral: its lower end then lies above 0."""
_DEPTH = 10.0
"""How many standard deviations of the number of jumps to either side are summed: what is left out is under 1e-22."""


def poisson_tails(k: Array, mu: Array) -> Tails:
    """Return P(Y <= k) and P(Y > k) of a Poisson law, k whole."""
    at = np.maximum(k, 0.0) + 1.0
    return np.where(k < 0.0, 0.0, special.gammaincc(at, mu)), np.where(k < 0.0, 1.0, special.gammainc(at, mu))


def negative_binomial_tails(k: Array, mu: Array, alpha: float) -> Tails:
    """Return P(Y <= k) and P(Y > k) of a negative binomial with variance mu + alpha mu^2."""
    if alpha == 0.0:
        return poisson_tails(k, mu)
    at, size, grown = np.maximum(k, 0.0) + 1.0, 1.0 / alpha, 1.0 + alpha * mu
    share = alpha * mu / grown  # small where alpha is; its complement would round
    below, above = special.betaincc(at, size, share), special.betainc(at, size, share)
    return np.where(k < 0.0, 0.0, below), np.where(k < 0.0, 1.0, above)


def binomial_tails(k: Array, trials: Array, mu: Array, complement: Array) -> Tails:
    """Return P(Y <= k) and P(Y > k) of k successes in so many trials."""
    inside = (k >= 0.0) & (k < trials)
    at, rest = np.where(inside, k + 1.0, 1.0), np.where(inside, trials - k, 1.0)
    below, above = special.betainc(rest, at, complement), special.betainc(at, rest, mu)
    return np.where(inside, below, np.where(k < 0.0, 0.0, 1.0)), np.where(inside, above, np.where(k < 0.0, 1.0, 0.0))


def inverse_gaussian_tails(y: Array, mu: Array, shape: Array) -> Tails:
    """Return P(Y <= y) and P(Y > y), with Mills ratios for the two normal tails (Giner & Smyth 2016, R Journal 8)."""
    root = np.sqrt(0.5 * shape / y)
    a, b = root * (y / mu - 1.0), root * (y / mu + 1.0)
    small = 0.5 * np.exp(-(a**2))
    right = small * (special.erfcx(np.abs(a)) - special.erfcx(b))
    left = small * (special.erfcx(np.abs(a)) + special.erfcx(b))
    return np.where(a < 0.0, left, 1.0 - right), np.where(a < 0.0, 1.0 - left, right)


def tweedie_tails(y: Array, mu: Array, power: float, dispersion: Array) -> Tails:
    """Return P(Y <= y) and P(Y > y) of a sum of a Poisson number of gamma variables, 1 < power < 2.

    The sum over the number of jumps runs over the integers near its mean; where those are many it is the integral of a
    smooth function, by the trapezoidal rule (as in the family's density).
    """
    rate = mu ** (2.0 - power) / (dispersion * (2.0 - power))
    shape = (2.0 - power) / (power - 1.0)
    at = y / (dispersion * (power - 1.0) * mu ** (power - 1.0))
    spread = _DEPTH * np.sqrt(rate) + _DEPTH
    low, high = np.maximum(np.floor(rate - spread), 1.0), np.ceil(rate + spread)
    step = np.where(rate > _MANY, np.maximum(_STEP * np.sqrt(rate / max(shape, 1.0)), 1.0), 1.0)
    below, above = np.exp(-rate), np.zeros_like(rate)
    for k in range(int(np.nanmax(np.ceil((high - low) / step), initial=0.0)) + 1):
        j = low + k * step
        chance = step * np.exp(-poisson_gap(j, rate) - stirling_error(j)) / np.sqrt(2.0 * np.pi * j)
        below = below + chance * special.gammainc(j * shape, at)
        above = above + chance * special.gammaincc(j * shape, at)
    return np.where(y < 0.0, 0.0, below), np.where(y < 0.0, 1.0, above)


def count_quantile(tails: Callable[[Array], Tails], level: Array, guess: Array, most: Array | float = np.inf) -> Array:
    """Return the least whole number k with P(Y <= k) >= level, by bisection; NaN where the guess is.

    Parameters
    ----------
    tails : callable
        From whole numbers to P(Y <= k) and P(Y > k).
    level : ndarray
        Between 0 and 1, of the shape of ``guess``.
    guess : ndarray
        A number of the size of the quantiles, such as the mean.
    most : ndarray or float
        The largest count there is.
    """

    def reached(k: Array) -> Array:
        below, above = tails(k)
        return np.where(level < 0.5, below >= level * (1.0 - FUZZ), above <= (1.0 - level) * (1.0 + FUZZ))

    known = np.isfinite(guess)
    low = np.full(guess.shape, -1.0)
    high = np.minimum(np.ceil(np.where(known, guess, 0.0)) + 1.0, most)
    while True:
        short = known & np.logical_not(reached(high)) & (high < most)
        if not short.any():
            break
        low = np.where(short, high, low)
        high = np.where(short, np.minimum(2.0 * high + 1.0, most), high)
    while (high - low > 1.0).any():
        middle = np.floor(0.5 * (low + high))
        there = reached(middle)
        high, low = np.where(there, middle, high), np.where(there, low, middle)
    return np.where(known, high, np.nan)


def positive_quantile(tails: Callable[[Array], Tails], level: Array, guess: Array) -> Array:
    """Return y > 0 with P(Y <= y) = level, by Chandrupatla's method in log y; NaN where the guess is."""
    from scipy.optimize import elementwise

    known: Any = np.flatnonzero(np.isfinite(guess.ravel()))

    def miss(log_y: Array, place: Array) -> Array:
        # Rows that are found are handed in no longer; their places say which are left.
        place = place.astype(int)
        below, above = (part.ravel()[place] for part in tails(_spread(np.exp(log_y), place, guess.shape, 1.0)))
        at = level.ravel()[place]
        return np.where(at < 0.5, below / at - 1.0, 1.0 - above / (1.0 - at))

    low, high = np.log(guess.ravel()[known]) - 0.5, np.log(guess.ravel()[known]) + 0.5
    with np.errstate(all="ignore"):
        for grown in 2.0 ** np.arange(10.0):  # to factors of exp(512) at the most
            above, below = miss(low, known) > 0.0, miss(high, known) < 0.0
            if not (above.any() or below.any()):
                break
            low, high = np.where(above, low - grown, low), np.where(below, high + grown, high)
        found = elementwise.find_root(miss, (low, high), args=(known,)).x
    return _spread(np.exp(found), known, guess.shape, np.nan)


def _spread(values: Array, place: Any, shape: tuple[int, ...], rest: float) -> Array:
    full = np.full(int(np.prod(shape)), rest)
    full[place] = values
    return full.reshape(shape)
