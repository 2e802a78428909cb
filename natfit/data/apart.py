"""A dense design whose columns lie apart, as a table has them: rows are put side by side block by block, while in cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from natfit.data.matrix import Dense
from natfit.data.products import product_rows

Array = np.ndarray[Any, np.dtype[Any]]


class LevelColumn:
    """What the levels of a factor put into one column: an indicator of one of them, or an entry for each.

    Parameters
    ----------
    codes : (n,) int ndarray
        The level of each row.
    pick : int, optional
        The level that is indicated.
    table : (levels,) ndarray, optional
        The entries, where it is no indicator.
    """

    __slots__ = ("_codes", "_pick", "_table")

    def __init__(self, codes: Array, pick: int | None, table: Array | None):
        self._codes, self._pick, self._table = codes, pick, table

    def __getitem__(self, rows: Any) -> Array:
        if self._table is None:
            return self._codes[rows] == self._pick
        return self._table[self._codes[rows]]


class Apart(Dense):
    """Columns that lie apart. Blocks of their rows are dense arrays; the whole is made only where it is asked for.

    Parameters
    ----------
    columns : sequence of (n,) ndarray, LevelColumn or float
        A number stands on every row.
    n_rows : int
    owner : optional
        What the columns belong to, kept as long as they are: pandas then copies before it writes into them.

    Examples
    --------
    >>> design = Apart([1.0, np.array([3.0, 4.0, 5.0])], 3)
    >>> design.rows(1, 3).array
    array([[1., 4.],
           [1., 5.]])
    """

    __slots__ = ("_columns", "_owner", "_whole")

    def __init__(self, columns: Sequence[Array | LevelColumn | float], n_rows: int, owner: Any = None):
        self.shape = (n_rows, len(columns))
        self._columns, self._owner = list(columns), owner
        self._whole: Array | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Apart, (self._columns, self.shape[0])

    @property
    def array(self) -> Array:  # type: ignore[override]
        """The design as a whole, by columns; made once."""
        if self._whole is None:
            self._whole = self._filled(slice(None), self.shape[0])
        return self._whole

    def choose(self, columns: Sequence[int]) -> Apart:
        """Return some of the columns."""
        return Apart([self._columns[j] for j in columns], self.shape[0], self._owner)

    def owned_by(self, owner: Any) -> Apart:
        """Return the same columns with what they belong to."""
        return Apart(self._columns, self.shape[0], owner)

    def rows(self, start: int, stop: int) -> Dense:
        """Return the rows ``start:stop``, an array of their own."""
        if self._whole is not None:
            return Dense(self._whole[start:stop])
        return Dense(self._filled(slice(start, stop), stop - start))

    def take(self, rows: Array) -> Dense:
        """Return the rows of these numbers, an array of their own."""
        return Dense(self._filled(rows, len(rows)))

    def matvec(self, vector: Array) -> Array:
        """Return X b."""
        return np.concatenate([rows.matvec(vector) for rows, _ in self._runs()])

    def rmatvec(self, vector: Array) -> Array:
        """Return X'v."""
        return sum_of(rows.rmatvec(vector[own]) for rows, own in self._runs())

    def gram(self, weight: Array) -> Array:
        """Return X' diag(weight) X; weights of either sign."""
        return sum_of(rows.gram(weight[own]) for rows, own in self._runs())

    def _runs(self) -> Iterator[tuple[Dense, slice]]:
        """Yield the rows in runs that stay in cache; all of them where there are few, or where they are there as a whole."""
        n_rows = self.shape[0]
        step = n_rows if self._whole is not None else product_rows(self.shape[1])
        for start in range(0, max(n_rows, 1), max(step, 1)):
            stop = min(start + step, n_rows)
            yield self.rows(start, stop), slice(start, stop)

    def _filled(self, rows: Any, n_rows: int) -> Array:
        filled = np.empty((n_rows, self.shape[1]), order="F")
        for own, column in zip(filled.T, self._columns, strict=True):
            own[...] = column if isinstance(column, float) else column[rows]
        return filled


def sum_of(arrays: Iterable[Array]) -> Array:
    """Return the sum of arrays, added up in the first."""
    iterator = iter(arrays)
    total = next(iterator)
    for each in iterator:
        total += each
    return total
