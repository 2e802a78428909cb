"""Columns of tables that stream by as a source of blocks: what a distribution or a mixture is fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.checks import check_not_infinite, did_you_mean
from natfit.data.numbers import NOT_NUMBERS, as_column
from natfit.data.streams.stream import StreamSource, checksum
from natfit.data.streams.tables import Tables


@dataclass(frozen=True)
class Pick:
    """Makes a block of a table's columns; rows with a missing value are left out, or refused."""

    y: tuple[str, ...]
    freq_weights: str | None
    drop: bool
    what: str

    def __call__(self, table: Mapping[str, Any], number: int) -> Block | None:
        columns = [_numbers(name, table[name]) for name in self.y]
        y = columns[0] if len(columns) == 1 else np.column_stack(columns)
        beside = {}
        if self.freq_weights is not None:
            weight = _numbers("freq_weights", table[self.freq_weights])
            beside = {"freq_weights": weight, "weight": weight}  # under the names of distributions and of mixtures
        every = [*columns, *beside.values()]
        missing = np.logical_or.reduce([np.isnan(column) for column in every])
        if missing.any():
            if not self.drop:
                raise ValueError(
                    f"missing values in {int(missing.sum())} row(s) of table {number} of {self.what}; leave those rows out "
                    "with missing='drop'"
                )
            y, beside = y[~missing], {name: column[~missing] for name, column in beside.items()}
        for name, column in zip(self.y, columns, strict=True):
            check_not_infinite(column, name)
        return Block({}, {"y": y, **beside}) if len(y) else None


def _numbers(name: str, column: Any) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        return as_column(name, column)
    except ValueError as error:
        remedy = "write labels as codes 0, 1, ... where the rows come from, or give a table in memory"
        raise ValueError(str(error).replace(NOT_NUMBERS, remedy)) from None


@dataclass
class _Counted:
    rows: int
    checksum: int

    def merge(self, other: _Counted) -> _Counted:
        return _Counted(self.rows + other.rows, (self.checksum + other.checksum) % 2**64)


@dataclass(frozen=True)
class _Count:
    make: Pick

    def __call__(self, table: Mapping[str, Any], number: int) -> _Counted:
        block = self.make(table, number)
        return _Counted(0, 0) if block is None else _Counted(block.n_rows, checksum(block.columns["y"], number))


def column_source(
    tables: Tables, y: str | Sequence[str], freq_weights: str | None = None, missing: str = "raise"
) -> StreamSource:
    """Return columns of tables as a source for `natfit.fit_distribution` and `natfit.Mixture`.

    Parameters
    ----------
    tables : Tables
    y : str or sequence of str
        The column of the observations, or the columns of vectors.
    freq_weights : str, optional
        The column that says how many observations a row stands for.
    missing : {"raise", "drop"}

    Raises
    ------
    ValueError
        A column is not there or not numbers, or values are missing or infinite.

    Examples
    --------
    >>> import natfit as nf
    >>> rows = nf.data.column_source(nf.data.from_frame(nf.datasets.load("crabs")), "width")
    >>> nf.fit_distribution("gaussian", rows).params.round(3).tolist()
    [26.299, 4.422]
    """
    names = (y,) if isinstance(y, str) else tuple(y)
    wanted = [*names, *([] if freq_weights is None else [freq_weights])]
    for name in wanted:
        if name not in tables.names:
            raise ValueError(
                f"no column {name!r} in {tables.what}{did_you_mean(name, tables.names)}; the columns are "
                f"{', '.join(map(repr, tables.names[:20]))}"
            )
    make = Pick(names, freq_weights, missing == "drop", tables.what)
    counted = tables.total(_Count(make), wanted)
    if counted is None or counted.rows == 0:
        raise ValueError(f"there are no rows to fit; {tables.what} has none without a missing value")
    return StreamSource(tables, wanted, make, counted.rows, counted.checksum)
