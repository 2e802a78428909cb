"""Quantiles by bisection of the distribution function, where a family has none in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.distributional.expectation import Placed

if TYPE_CHECKING:
    from natfit.families.distributional.base import DistributionalFamily

Array = np.ndarray[Any, np.dtype[Any]]

FARTHEST = 1e15
"""Count beyond which a quantile is given up: floats have no odd numbers there."""


def by_bisection(family: DistributionalFamily, level: Array, theta: Sequence[Array]) -> Array:
    """Return the least y with P(Y <= y) >= level of each row, (n,)."""
    level = np.broadcast_to(np.asarray(level, dtype=float), np.shape(theta[0]))
    return _of_counts(family, level, theta) if family.support.discrete else _of_line(family, level, theta)


def _of_counts(family: DistributionalFamily, level: Array, theta: Sequence[Array]) -> Array:
    low = np.full(level.shape, family.support.low - 1.0)  # P(Y <= low) < level always
    high = low + 1.0
    open_ended = family.cdf(high, theta) < level
    length = 1.0
    while open_ended.any() and length < FARTHEST:
        low = np.where(open_ended, high, low)
        high = np.where(open_ended, np.minimum(high + length, family.support.high), high)
        open_ended = open_ended & (family.cdf(high, theta) < level) & (high < family.support.high)
        length *= 2.0
    while (high - low > 1.0).any():
        middle = np.floor(0.5 * (low + high))
        below = family.cdf(middle, theta) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def _of_line(family: DistributionalFamily, level: Array, theta: Sequence[Array]) -> Array:
    columns = [np.broadcast_to(t, level.shape)[:, None].astype(float) for t in theta]
    with np.errstate(all="ignore"):
        placed = Placed(family, columns)
        wanted, atoms = level, np.zeros(level.shape)
        for atom in family.atoms:  # only at the lower end of a support
            atoms = atoms + np.exp(family.log_prob(np.full_like(columns[0], atom), columns))[:, 0]
        wanted = np.maximum(level - atoms, 0.0)
        found = placed.line.value(_root(placed, wanted))
    for atom in family.atoms:
        found = np.where(level <= atoms, atom, found)
    return found


def _root(placed: Placed, wanted: Array) -> Array:
    """Return z with the wanted mass below it: bracketed from the mode outwards, then Newton's steps kept in the bracket."""
    upper = wanted > placed.below(placed.mode)
    width = np.where(upper, placed.right, -placed.left)
    near, far = placed.mode.copy(), placed.mode + width
    for _ in range(140):
        short = np.where(upper, placed.below(far) < wanted, placed.below(far) > wanted)
        if not short.any():
            break
        width = np.where(short, 2.0 * width, width)
        near, far = np.where(short, far, near), np.where(short, far + width, far)
    low, high = np.minimum(near, far), np.maximum(near, far)
    z = 0.5 * (low + high)
    for _ in range(80):
        gap = placed.below(z) - wanted
        low, high = np.where(gap < 0.0, z, low), np.where(gap < 0.0, high, z)
        step = z - gap / np.exp(placed.density(z[:, None])[:, 0])
        new = np.where((step > low) & (step < high), step, 0.5 * (low + high))
        settled = np.abs(new - z) <= 1e-14 * np.maximum(np.abs(z), np.abs(width))
        z = new
        if settled.all():
            break
    return z
