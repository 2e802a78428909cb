"""Roots of increasing functions, for many right-hand sides at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, polygamma

from natfit.parametrizations.base import Array

MAX_STEPS = 200
"""Bisection alone would need about 60 steps to full precision from a bracket; expansion of the bracket at most 60."""


def increasing_root(
    function: Callable[..., tuple[Array, Array]],
    target: ArrayLike,
    start: ArrayLike,
    *known: Array,
) -> Array:
    """Solve f(x) = target for an increasing f of a positive x, elementwise, by Newton steps kept inside a bracket.

    Newton's method in log x; a step that leaves the bracket, or goes too far, is replaced by its midpoint (in log x),
    or by a step of a factor 4, 16, 256, ... while one side is open. Converges where a root exists. Elements that are
    done are not evaluated again.

    Parameters
    ----------
    function : callable
        x, shape (n,), and the rows of ``known`` that belong to it, to f(x) and f'(x).
    target, start : array_like
        Right-hand sides, and positive first guesses; they broadcast to the result's shape (...).
    *known : ndarray, (..., *any)
        What else f depends on, an entry for each element.

    Returns
    -------
    ndarray
        Roots, to the precision with which f can be evaluated.

    Examples
    --------
    >>> import numpy as np
    >>> increasing_root(lambda x: (np.log(x), 1 / x), [0.0, 1.0], 1.0).round(12)
    array([1.        , 2.71828183])
    """
    goal, start = np.broadcast_arrays(np.asarray(target, dtype=float), np.asarray(start, dtype=float))
    shape, depth = goal.shape, goal.ndim
    root, goal = np.log(start).ravel(), goal.ravel()
    rows = [np.reshape(entry, (root.size, *entry.shape[depth:])) for entry in known]
    active = np.arange(root.size)
    low, high = np.full(root.size, -np.inf), np.full(root.size, np.inf)
    stride = np.full(root.size, np.log(4.0))
    for _ in range(MAX_STEPS):
        if active.size == 0:
            break
        x = root[active]
        value, slope = function(np.exp(x), *(row[active] for row in rows))
        gap = goal[active] - value
        low, high = np.where(gap > 0, x, low), np.where(gap <= 0, x, high)
        with np.errstate(all="ignore"):  # a slope of zero or an overflow: the safeguard takes over
            newton = x + gap / (slope * np.exp(x))
        new, stride, usable = _safeguard(x, newton, low, high, stride)
        root[active] = new = np.where(gap == 0, x, new)
        # a Newton step of 1e-9 leaves an error of the order of its square; a bracket can close to rounding only
        narrow = high - low <= 4 * np.finfo(float).eps * np.maximum(1.0, np.abs(x))
        going = ~((gap == 0) | (usable & (np.abs(new - x) <= 1e-9)) | narrow)
        active, low, high, stride = active[going], low[going], high[going], stride[going]
    return np.exp(root).reshape(shape)


def _safeguard(here: Array, newton: Array, low: Array, high: Array, stride: Array) -> tuple[Array, Array, Array]:
    """Keep Newton's proposal where it is inside the bracket and not far away; otherwise bisect or stride out."""
    usable = np.isfinite(newton) & (newton >= low) & (newton <= high) & (np.abs(newton - here) <= stride)
    closed = np.isfinite(low) & np.isfinite(high)
    with np.errstate(invalid="ignore"):  # inf - inf on a bracket that is still open, not used there
        middle = 0.5 * (low + high)
    outward = np.where(np.isfinite(low), here + stride, here - stride)
    new = np.where(usable, newton, np.where(closed, middle, outward))
    return new, np.where(usable | closed, stride, 2 * stride), usable


def inverse_digamma(value: ArrayLike) -> Array:
    """Solve digamma(x) = value for x > 0.

    First guess: Minka (2000), Estimating a Dirichlet distribution, appendix C.

    Examples
    --------
    >>> from scipy.special import digamma
    >>> round(float(inverse_digamma(digamma(2.5))), 12)
    2.5
    """
    value = np.asarray(value, dtype=float)
    with np.errstate(divide="ignore"):  # the branch not taken
        guess = np.where(value >= -2.22, np.exp(np.minimum(value, 700.0)) + 0.5, -1.0 / (value - digamma(1.0)))
    return increasing_root(lambda x: (digamma(x), polygamma(1, x)), value, guess)


def inverse_log_minus_digamma(value: ArrayLike) -> Array:
    """Solve log(x) - digamma(x) = value for x > 0: the shape of a gamma distribution.

    First guess: Minka (2002), Estimating a gamma distribution. For large x the left side is summed from its asymptotic
    series (Abramowitz & Stegun 6.3.18), as the difference would cancel.
    """
    value = np.asarray(value, dtype=float)
    guess = (3.0 - value + np.sqrt((value - 3.0) ** 2 + 24.0 * value)) / (12.0 * value)

    def negative(x: Array) -> tuple[Array, Array]:
        return -log_minus_digamma(x), -log_minus_digamma_slope(x)

    return increasing_root(negative, -value, guess)


# Bernoulli numbers B_2k / (2k), k = 1 .. 7: Abramowitz & Stegun 6.3.18
_DIGAMMA_SERIES = np.array([1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12])
# From here up the first term that is left out is below 1e-17 of the sum
_LARGE = 30.0


def log_minus_digamma(x: ArrayLike) -> Array:
    """Return log(x) - digamma(x), positive and about 1/(2x), without cancellation for large x."""
    x = np.asarray(x, dtype=float)
    big = np.maximum(x, _LARGE)
    series = 0.5 / big
    for k, coefficient in enumerate(_DIGAMMA_SERIES, start=1):
        series = series + coefficient * big ** (-2.0 * k)
    return np.where(x >= _LARGE, series, np.log(x) - digamma(x))


def log_minus_digamma_slope(x: ArrayLike) -> Array:
    """Return 1/x - trigamma(x), negative and about -1/(2x^2), without cancellation for large x."""
    x = np.asarray(x, dtype=float)
    big = np.maximum(x, _LARGE)
    series = -0.5 / big**2
    for k, coefficient in enumerate(_DIGAMMA_SERIES, start=1):
        series = series - 2.0 * k * coefficient * big ** (-2.0 * k - 1.0)
    return np.where(x >= _LARGE, series, 1.0 / x - polygamma(1, x))
