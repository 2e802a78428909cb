"""From evaluated factors to the columns of a design, dense or as a tabmat matrix.

A term is a product of factors; a *part* is a term, or what is left of it, with each factor coded in full or without its
reference. Columns of a part run over its factors, the first one fastest, as in R, patsy and formulaic. Indicators of
levels are never multiplied out: a factor is a code for each row and a table of what each level puts into each column.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.data.apart import Apart, LevelColumn
from natfit.data.checks import check_finite
from natfit.data.cutting import categorical

Array = np.ndarray[Any, np.dtype[np.float64]]

WIDE_BYTES = 64 << 20
"""A dense design up to this size is never traded for a sparse one: its products are two to three times faster."""
WIDE_SHARE = 0.25
"""Of the entries of a larger design, the greatest share that may be non-zero if it is to be kept sparse; at a quarter
tabmat's product of categorical columns and BLAS's of dense ones take about as long."""
FEW_COLUMNS = 3
"""Indicator columns that stay dense in a tabmat matrix: fewer are not worth a matrix of their own."""


@dataclass(frozen=True)
class Coding:
    """What each level of a factor puts into each of its columns.

    Parameters
    ----------
    names : tuple of str
    pick : (k,) int, optional
        The level that each column indicates, where the columns are indicators.
    table : (levels, k) float, optional
        The entries, where they are not.
    """

    names: tuple[str, ...]
    pick: np.ndarray | None = None
    table: np.ndarray | None = None


@dataclass(frozen=True)
class Part:
    """A product of coded factors: ``factors`` holds (expression, reduced) pairs; no factors means a constant."""

    scale: float
    factors: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class FactorPlan:
    """A factor as it was when the design was built: its kind, how it is evaluated (looked up or as Python), its levels
    and its columns, in full and without the reference."""

    expression: str
    kind: str
    method: str
    levels: tuple[Any, ...] = ()
    full: Coding | None = None
    reduced: Coding | None = None

    def coding(self, reduced: bool) -> Coding:
        coding = self.reduced if reduced else self.full
        assert coding is not None
        return coding


Plans = Mapping[str, FactorPlan]


class Rows:
    """The evaluated factors on the rows that are kept; gives columns on demand.

    Parameters
    ----------
    numbers : callable
        Gives a numeric factor's columns by name, on all rows.
    codes : mapping of str to (rows,) int
        Level of each kept row, for every categorical factor.
    kept : (n,) bool, optional
    n_rows : int
        Rows kept.
    """

    def __init__(
        self,
        numbers: Callable[[str], Mapping[str, Array]],
        codes: Mapping[str, np.ndarray],
        kept: np.ndarray | None,
        n_rows: int,
    ):
        self._numbers, self.codes, self._kept, self.n_rows = numbers, codes, kept, n_rows

    def numeric(self, expression: str, names: Sequence[str]) -> list[Array]:
        columns = self._numbers(expression)
        return [columns[name] if self._kept is None else columns[name][self._kept] for name in names]


def part_names(part: Part, plans: Plans) -> list[str]:
    """Name the columns of a part, in their order."""
    if not part.factors:
        return ["Intercept"]
    pieces = [plans[expression].coding(reduced).names for expression, reduced in part.factors]
    return [":".join(names[::-1]) for names in itertools.product(*pieces[::-1])]


def _fill(part: Part, plans: Plans, rows: Rows, columns: Iterator[Array], names: Sequence[str]) -> None:
    """Write a part's columns into ``columns``, one after the other."""
    pieces: list[Sequence[Array | LevelColumn]] = []
    for expression, reduced in part.factors:
        pieces.append(_columns_of(expression, plans[expression], reduced, rows))
    has_numbers = any(plans[expression].kind == "numeric" for expression, _ in part.factors)
    for name, combination in zip(names, itertools.product(*pieces[::-1]), strict=True):
        column = next(columns)
        factors = [piece[:] for piece in combination[::-1]]
        with np.errstate(over="ignore", invalid="ignore"):
            np.multiply(factors[0] if factors else 1.0, part.scale, out=column)
            for factor in factors[1:]:
                column *= factor
        if has_numbers and (len(factors) > 1 or part.scale != 1.0):  # a factor by itself has been looked at
            check_finite(column, name)


def _columns_of(expression: str, plan: FactorPlan, reduced: bool, rows: Rows) -> Sequence[Array | LevelColumn]:
    """Return the columns of a factor by itself: numbers, or codes with what each level stands for."""
    coding = plan.coding(reduced)
    if plan.kind == "numeric":
        return rows.numeric(expression, coding.names)
    return _level_columns(rows.codes[expression], coding)


def _level_columns(codes: np.ndarray, coding: Coding) -> list[LevelColumn]:
    if coding.pick is not None:
        return [LevelColumn(codes, int(level), None) for level in coding.pick]
    assert coding.table is not None
    return [LevelColumn(codes, None, entries) for entries in coding.table.T]


def expand_dense(parts: Sequence[Part], plans: Plans, rows: Rows) -> Array:
    """Write all columns into one array, in Fortran order, since a design is made column by column."""
    names = [part_names(part, plans) for part in parts]
    matrix = np.empty((rows.n_rows, sum(map(len, names))), order="F")
    columns = iter(matrix.T)
    for part, own in zip(parts, names, strict=True):
        _fill(part, plans, rows, columns, own)
    return matrix


def expand_apart(parts: Sequence[Part], plans: Plans, rows: Rows) -> Apart | Array:
    """Return the columns as they lie, to be put side by side block by block; products of factors are made at once."""
    if any(len(part.factors) > 1 or (part.factors and part.scale != 1.0) for part in parts):
        return expand_dense(parts, plans, rows)
    columns: list[Array | LevelColumn | float] = []
    for part in parts:
        if not part.factors:
            columns.append(part.scale)
        for expression, reduced in part.factors:
            columns.extend(_columns_of(expression, plans[expression], reduced, rows))
    return Apart(columns, rows.n_rows)


def is_wide(part: Part, plans: Plans) -> bool:
    """Tell whether a part is mostly zeros: products of indicators of levels, perhaps times numbers."""
    kinds = [plans[expression] for expression, _ in part.factors]
    levels = [
        plan.coding(reduced) for plan, (_, reduced) in zip(kinds, part.factors, strict=True) if plan.kind != "numeric"
    ]
    return bool(levels) and all(coding.pick is not None for coding in levels)


def _width(part: Part, plans: Plans) -> int:
    return int(
        np.prod([len(plans[expression].coding(reduced).names) for expression, reduced in part.factors], dtype=int)
    )


def prefers_tabmat(parts: Sequence[Part], plans: Plans, n_rows: int) -> bool:
    """Decide from counts of levels alone whether a design is better kept as a tabmat matrix."""
    width = filled = 0.0
    for part in parts:
        own = _width(part, plans)
        width += own
        if is_wide(part, plans):
            cells = [
                len(plans[expression].levels) for expression, _ in part.factors if plans[expression].kind != "numeric"
            ]
            filled += own / float(np.prod(cells, dtype=float))
        else:
            filled += own
    return n_rows * width * 8 > WIDE_BYTES and filled <= WIDE_SHARE * width


def expand_tabmat(parts: Sequence[Part], plans: Plans, rows: Rows) -> Any:
    """Build a tabmat matrix with the columns of ``expand_dense`` in the same order; levels are never expanded."""
    import tabmat

    dense_parts: list[tuple[Part, list[str]]] = []
    dense_at: list[np.ndarray] = []
    matrices: list[Any] = []
    indices: list[np.ndarray] = []
    start = 0
    for part in parts:
        width = _width(part, plans)
        at = np.arange(start, start + width)
        if is_wide(part, plans) and width > FEW_COLUMNS:
            matrices.append(_wide_matrix(part, plans, rows, width))
            indices.append(at)
        else:
            dense_parts.append((part, part_names(part, plans)))
            dense_at.append(at)
        start += width
    if dense_parts:
        dense = np.empty((rows.n_rows, sum(map(len, dense_at))))  # in C order tabmat cuts blocks of rows without a copy
        columns = iter(dense.T)
        for part, names in dense_parts:
            _fill(part, plans, rows, columns, names)
        matrices.insert(0, tabmat.DenseMatrix(dense))
        indices.insert(0, np.concatenate(dense_at))
    return tabmat.SplitMatrix(matrices, indices)


def _wide_matrix(part: Part, plans: Plans, rows: Rows, width: int) -> Any:
    """Build the matrix of indicators (times numbers): one cell of the crossed levels for each row, or none."""
    import tabmat
    from scipy import sparse

    cell = np.zeros(rows.n_rows, dtype=np.int64)
    outside = np.zeros(rows.n_rows, dtype=bool)
    numbers: list[list[tuple[int, Array]]] = []
    stride = 1
    for expression, reduced in part.factors:
        plan, coding = plans[expression], plans[expression].coding(reduced)
        if plan.kind == "numeric":
            numbers.append([(stride * j, column) for j, column in enumerate(rows.numeric(expression, coding.names))])
        else:
            assert coding.pick is not None
            place = np.full(len(plan.levels), -1)
            place[coding.pick] = np.arange(len(coding.pick))
            own = place[rows.codes[expression]]
            outside |= own < 0
            cell += stride * own
        stride *= len(coding.names)
    if not numbers and part.scale == 1.0:
        cell[outside] = -1
        return categorical((cell + 1).astype(np.int32), width + 1, ":".join(e for e, _ in part.factors))
    inside = np.flatnonzero(~outside)
    entries, places = [], []
    for combination in itertools.product(*numbers):
        value = np.full(inside.size, part.scale)
        for _, column in combination:
            value *= column[inside]
        entries.append(value)
        places.append(cell[inside] + sum(shift for shift, _ in combination))
    check_finite(np.concatenate(entries), ":".join(expression for expression, _ in part.factors))
    coordinates = (np.tile(inside, len(places)), np.concatenate(places))
    return tabmat.SparseMatrix(sparse.csc_matrix((np.concatenate(entries), coordinates), shape=(rows.n_rows, width)))
