"""Responses carried to the whole line, and where their density lies there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from natfit.families.support import Support

Array = np.ndarray[Any, np.dtype[Any]]

GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
LEVEL = 1e-3
"""Nats by which the log-density may differ between ends that are one place: what is integrated from there needs no more."""


class Line(NamedTuple):
    """A change of variable from the line to a support.

    ``value`` maps z to y, ``log_slope`` gives log dy/dz, ``back`` maps y to z, and ``grid`` are places to look for a mode.
    """

    value: Callable[[Array], Array]
    log_slope: Callable[[Array], Array]
    back: Callable[[Array], Array]
    grid: Array


def to_line(support: Support) -> Line:
    """Return the change of variable for a one-dimensional continuous support.

    Examples
    --------
    >>> from natfit.families.support import POSITIVE
    >>> line = to_line(POSITIVE)
    >>> line.value(np.array([0.0])), line.back(np.array([1.0]))
    (array([1.]), array([0.]))
    """
    low, high = support.low, support.high
    if np.isfinite(low) and np.isfinite(high):
        span = high - low
        return Line(
            lambda z: low + span * special.expit(z),
            lambda z: np.log(span) - np.logaddexp(0.0, z) - np.logaddexp(0.0, -z),
            lambda y: special.logit((y - low) / span),
            np.arange(-35.0, 35.5, 0.5),
        )
    if np.isfinite(low):
        return Line(lambda z: low + np.exp(z), lambda z: z, lambda y: np.log(y - low), np.arange(-80.0, 81.0, 1.0))
    if np.isfinite(high):
        return Line(lambda z: high - np.exp(-z), lambda z: -z, lambda y: -np.log(high - y), np.arange(-80.0, 81.0, 1.0))
    grid = np.sinh(np.arange(-36.0, 36.5, 0.5))
    return Line(lambda z: z, np.zeros_like, lambda y: y, grid)


def locate(density: Callable[[Array], Array], line: Line, n_rows: int) -> tuple[Array, Array, Array]:
    """Return the mode of each row's log-density on the line, and the distances to both sides at which it is one lower.

    Parameters
    ----------
    density : callable
        From z (n, m) to the log-density on the line, (n, m).
    """
    values = density(np.broadcast_to(line.grid, (n_rows, line.grid.size)))
    values = np.where(np.isfinite(values), values, -np.inf)
    best = np.clip(values.argmax(axis=1), 1, line.grid.size - 2)
    low, high = line.grid[best - 1], line.grid[best + 1]
    mode = _golden(density, low, high)
    top = density(mode[:, None])[:, 0]
    return mode, _width(density, mode, top, -1.0), _width(density, mode, top, 1.0)


def _golden(density: Callable[[Array], Array], low: Array, high: Array) -> Array:
    """Return the maximum between two ends by golden sections, to where the density is level between them."""
    low, high = low.copy(), high.copy()
    for _ in range(64):
        span = GOLDEN * (high - low)
        places = np.column_stack([low, high - span, low + span, high])
        values = density(places)
        if np.all(values.max(axis=1) - values.min(axis=1) < LEVEL):
            break
        left = values[:, 1] >= values[:, 2]
        high, low = np.where(left, places[:, 2], high), np.where(left, low, places[:, 1])
    return 0.5 * (low + high)


def _width(density: Callable[[Array], Array], mode: Array, top: Array, side: float) -> Array:
    """Return a distance at which the log-density has fallen by about one, to a factor of two."""

    def fallen(width: Array) -> Array:
        return ~(density((mode + side * width)[:, None])[:, 0] > top - 1.0)

    width = np.maximum(np.abs(mode), 1.0) * 1e-9
    for _ in range(33):
        short = ~fallen(width)
        if not short.any():
            break
        width = np.where(short, 16.0 * width, width)
    for _ in range(4):  # sixteen times as far as it was is up to eight times too far
        half = 0.5 * width
        width = np.where(fallen(half), half, width)
    return width
