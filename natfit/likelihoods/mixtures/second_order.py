"""The empirical and the observed information of rows, added up in place: each is a matrix as large as many rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.metric import Gram
from natfit.need import MEAT, METRIC, OBSERVED

Array = np.ndarray[Any, np.dtype[Any]]

PANEL = 176
"""Rows of a matrix that are multiplied together: of 527, 96 to 264 take as long as all, which take a second matrix."""

ROWS_BYTES, FEWEST_ROWS = 1 << 20, 384
"""Bytes of the rows' scores that are held at once, and rows at least: of 527 parameters, with 256 a tenth more time."""

COMPONENT_ARRAYS = 4
"""Arrays of the rows' scores under one component that are made beside those of all."""


class SecondOrder:
    """Sums over rows of score score', and of that less what known labels would tell.

    Parameters
    ----------
    size : int
        Number of parameters.
    need : int
        `METRIC`, `MEAT` and `OBSERVED` say which sums are kept.

    Examples
    --------
    >>> held = SecondOrder(2, MEAT)
    >>> held.add(np.array([[1.0, 2.0], [0.0, 1.0]]))
    >>> held.finished()["meat"].matrix
    array([[5., 2.],
           [2., 1.]])
    """

    def __init__(self, size: int, need: int):
        self.size, self.need = size, need
        self.outer = np.zeros((size, size)) if need & (METRIC | MEAT) else None
        self.observed = np.zeros((size, size)) if need & OBSERVED else None
        self._buffer = np.empty(0)

    @staticmethod
    def rows_at_once(size: int, n_components: int) -> int:
        """Return how many rows' scores of so many parameters are held together.

        Beside the scores some arrays of one component's own are there at a time, which of few components are the larger.
        """
        held = max(size, COMPONENT_ARRAYS * size // n_components, 1)
        return max(ROWS_BYTES // (8 * held), FEWEST_ROWS)

    def zeros(self, n_rows: int) -> Array:
        """Return zeros (size, n_rows) to make scores in: the same memory every time."""
        if self._buffer.size < self.size * n_rows:
            self._buffer = np.empty(self.size * n_rows)
        made = self._buffer[: self.size * n_rows].reshape(self.size, n_rows)
        made.fill(0.0)
        return made

    def add(self, scores: Array) -> None:
        """Add the outer products of scores, (size, n)."""
        into = self.observed if self.outer is None else self.outer
        assert into is not None
        for start in range(0, self.size, PANEL):
            own, before = slice(start, start + PANEL), slice(start)
            panel = scores[own]
            into[own, before] += np.dot(panel, scores[before].T)
            into[own, own] += np.dot(panel, panel.T)  # which NumPy hands to syrk

    def finished(self) -> dict[str, Gram]:
        """Return the informations by name. Nothing is to be added after that."""
        made = {}
        for matrix in (self.outer, self.observed):
            if matrix is not None and self.size > PANEL:  # one panel is the whole
                mirror(matrix)
        if self.observed is not None:
            if self.outer is not None:
                self.observed += self.outer
            made["observed"] = Gram(self.observed)
        if self.outer is not None:
            names = [name for flag, name in ((MEAT, "meat"), (METRIC, "metric")) if self.need & flag]
            made |= {name: Gram(self.outer if name == names[0] else self.outer.copy()) for name in names}
        return made


def mirror(matrix: Array) -> None:
    """Copy the lower triangle to the upper one, in place.

    Examples
    --------
    >>> matrix = np.array([[1.0, 0.0], [2.0, 3.0]])
    >>> mirror(matrix)
    >>> matrix
    array([[1., 2.],
           [2., 3.]])
    """
    for j in range(1, len(matrix)):
        matrix[:j, j] = matrix[j, :j]


def as_slice(places: Array) -> Any:
    """Return places that follow one another as a slice: a view is read and written faster than a choice.

    Examples
    --------
    >>> as_slice(np.array([2, 3, 4])), as_slice(np.array([2, 4]))
    (slice(2, 5, None), array([2, 4]))
    """
    if places.size and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places
