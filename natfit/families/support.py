"""Where the observations of a family may lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask


@dataclass(frozen=True)
class Support:
    """A set of observations, and how to say so.

    Parameters
    ----------
    text : str
        The rule, as it follows "needs": ``"positive numbers"``.
    inside : callable
        Observations (..., *event) to bool (...).
    low, high : float
        Ends of a one-dimensional support; integers from low to high where ``discrete``.
    discrete : bool
        True where the density is a probability mass.
    event_shape : tuple of int
        Shape of one observation: () for a number, (d,) for a vector, (d, d) for a matrix.
    remedy : str
        What to do about observations outside.
    """

    text: str
    inside: Callable[[Array], Mask]
    low: float = -np.inf
    high: float = np.inf
    discrete: bool = False
    event_shape: tuple[int, ...] = ()
    remedy: str = "remove or correct these rows"

    def contains(self, y: Array) -> Mask:
        """Say which observations are finite and inside; shape (...) without the event axes."""
        axes = tuple(range(-len(self.event_shape), 0))
        with np.errstate(invalid="ignore"):
            return np.isfinite(y).all(axis=axes) & self.inside(y) if axes else np.isfinite(y) & self.inside(y)

    def check(self, family: str, y: ArrayLike, name: str) -> Array:
        """Return observations as floats, or say which rows are outside, in one sentence.

        Raises
        ------
        ValueError
            If the shape is not (..., *event) or an observation is outside.
        """
        try:
            values = np.asarray(y, dtype=float)
        except (TypeError, ValueError):
            raise ValueError(f"{family} needs {self.text}, but {name} is not numeric: convert it first.") from None
        depth = len(self.event_shape)
        if depth and values.shape[-depth:] != self.event_shape:
            raise ValueError(
                f"{family} needs {self.text}, one observation of shape {self.event_shape}, "
                f"but {name} has shape {values.shape}."
            )
        good = np.atleast_1d(self.contains(values))
        if not good.all():
            rows = np.flatnonzero(~good.reshape(-1))
            shown = ", ".join(str(row) for row in rows[:5]) + (", ..." if rows.size > 5 else "")
            entries = values.reshape(good.size, -1)[rows[0]]
            first = ", ".join(f"{entry:.6g}" for entry in entries[:9]) + (", ..." if entries.size > 9 else "")
            raise ValueError(
                f"{family} needs {self.text}, but {rows.size} of {good.size} observations of {name} are outside "
                f"(rows {shown}; the first is {first}): {self.remedy}."
            )
        return values


def _whole(y: Array) -> Any:
    return y == np.floor(y)


def counts(low: int = 0, high: float = np.inf, remedy: str = "remove or correct these rows") -> Support:
    """Whole numbers from ``low`` to ``high``."""
    text = f"whole numbers from {low}" + ("" if np.isinf(high) else f" to {high:g}") + (" up" if np.isinf(high) else "")
    return Support(text, lambda y: _whole(y) & (y >= low) & (y <= high), low, high, True, remedy=remedy)


def interval(low: float, high: float, text: str, remedy: str = "remove or correct these rows") -> Support:
    """The open interval from ``low`` to ``high``."""
    return Support(text, lambda y: (y > low) & (y < high), low, high, remedy=remedy)


REALS = interval(-np.inf, np.inf, "finite numbers")
POSITIVE = interval(0.0, np.inf, "positive numbers")
NONNEGATIVE = Support("numbers not below zero", lambda y: y >= 0, 0.0)
UNIT = interval(0.0, 1.0, "numbers strictly between 0 and 1")


def from_minimum(minimum: float) -> Support:
    """Numbers not below ``minimum``."""
    return Support(f"numbers not below {minimum:g}", lambda y: y >= minimum, minimum)


def vectors(dim: int) -> Support:
    """Finite vectors of ``dim`` components."""
    return Support(f"vectors of {dim} finite numbers", lambda y: np.ones(y.shape[:-1], bool), event_shape=(dim,))


def simplex(dim: int) -> Support:
    """Vectors of ``dim`` positive proportions that sum to 1 (to rounding of published proportions, 1e-8)."""

    def inside(y: Array) -> Mask:
        return (y > 0).all(axis=-1) & (np.abs(y.sum(axis=-1) - 1.0) <= 1e-8)

    text = f"vectors of {dim} positive proportions with sum 1"
    return Support(text, inside, event_shape=(dim,), remedy="divide rows by their sums, and treat zeros as missing")


def count_vectors(dim: int, total: int) -> Support:
    """Vectors of ``dim`` whole numbers not below zero that sum to ``total``."""

    def inside(y: Array) -> Mask:
        return (_whole(y) & (y >= 0)).all(axis=-1) & (y.sum(axis=-1) == total)

    text = f"vectors of {dim} counts with sum {total}"
    return Support(text, inside, discrete=True, event_shape=(dim,))


def positive_definite_matrices(dim: int) -> Support:
    """Symmetric positive definite matrices."""
    from natfit.parametrizations.packing import is_positive_definite

    def inside(y: Array) -> Mask:
        symmetric = (y == np.swapaxes(y, -1, -2)).all(axis=(-1, -2))
        return symmetric & is_positive_definite(y)

    return Support(f"symmetric positive definite {dim} by {dim} matrices", inside, event_shape=(dim, dim))
