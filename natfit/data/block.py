"""A run of rows: its named designs and its known columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from natfit.data.matrix import Columns

Array = np.ndarray[Any, np.dtype[Any]]


class Block:
    """Rows that are evaluated together.

    Parameters
    ----------
    designs : mapping of str to Dense or Tabmat
        For a GLM one, named ``"mean"``.
    columns : mapping of str to (n,) ndarray
        What is known of each row: ``y``, ``weight``, ``offset`` ... Absent ones are simply not there.
    """

    __slots__ = ("columns", "designs", "n_rows")

    def __init__(self, designs: Mapping[str, Columns], columns: Mapping[str, Array]):
        self.designs = designs
        self.columns = columns
        self.n_rows = len(next(iter(columns.values())))

    def take(self, rows: Array) -> Block:
        """Return the rows of these numbers as a block of copies."""
        return Block(
            self._cut(lambda design: design.take(rows)),
            {name: column[rows] for name, column in self.columns.items()},
        )

    def rows(self, start: int, stop: int) -> Block:
        """Return the rows ``start:stop`` as a block of views."""
        return Block(
            self._cut(lambda design: design.rows(start, stop)),
            {name: column[start:stop] for name, column in self.columns.items()},
        )

    def _cut(self, cut: Callable[[Columns], Columns]) -> dict[str, Columns]:
        """Cut each design once: those that are one object under several names remain one."""
        made: dict[int, Columns] = {}
        for design in self.designs.values():
            if id(design) not in made:
                made[id(design)] = cut(design)
        return {name: made[id(design)] for name, design in self.designs.items()}
