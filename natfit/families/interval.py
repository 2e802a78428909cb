"""An open interval of the real line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """Open interval (low, high); NaN and infinity are in none.

    Examples
    --------
    >>> positive = Interval(0.0, float("inf"))
    >>> positive.contains([-1.0, 0.0, 2.0])
    array([False, False,  True])
    >>> Interval(0.0, 1.0) in positive, 0.5 in positive
    (True, True)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"an interval needs low < high; got ({self.low}, {self.high}).")

    def contains(self, x: Any) -> NDArray[np.bool_]:
        """Elementwise membership, of the shape of `x`."""
        x = np.asarray(x)
        return np.asarray((x > self.low) & (x < self.high))

    def holds_all(self, x: Any) -> bool:
        """Whether every element is a member: one minimum and one maximum. True of an empty array."""
        x = np.asarray(x)
        return x.size == 0 or bool(x.min() > self.low and x.max() < self.high)  # a NaN makes both comparisons false

    def __contains__(self, other: object) -> bool:
        if isinstance(other, Interval):
            return self.low <= other.low and other.high <= self.high
        return bool(self.low < other < self.high)  # type: ignore[operator]

    def __str__(self) -> str:
        return f"({self.low:g}, {self.high:g})"


REAL = Interval(-np.inf, np.inf)
POSITIVE = Interval(0.0, np.inf)
NEGATIVE = Interval(-np.inf, 0.0)
UNIT = Interval(0.0, 1.0)
