"""The rows of a mixture, bound and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from natfit.data.arrays import MOST_ROWS, ArraySource, Source
from natfit.data.block import Block
from natfit.data.checks import (
    check_lengths,
    check_missing,
    check_not_empty,
    check_not_infinite,
    check_weights,
    where,
)
from natfit.data.numbers import as_column, read_numbers
from natfit.data.products import FEWEST_ROWS
from natfit.data.streams.picking import Pick, column_source
from natfit.data.streams.tables import Tables
from natfit.data.table import Table

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK_BYTES = 5 << 19
"""Bytes of statistics in a block: more leave the cache between their two products, fewer show the time of the calls."""

COPIED_BYTES = 1 << 20
"""Bytes of the rows in a block before the components are known: each thread centers a copy of them."""


@dataclass(frozen=True)
class MixtureData:
    """What a mixture is fitted to: one entry for each row that is kept.

    Parameters
    ----------
    source : Source
        Blocks with column ``y``, (n,) or (n, d), and where rows don't all count once, ``weight``.
    columns : list of str
        Names of the columns of ``y``.
    nobs : float
        Number of observations: the sum of the frequency weights.
    n_rows : int
    y, weight, freq_weights : ndarray, optional
        Where the rows are arrays in memory.
    index : optional
        Row labels.
    n_missing : int
        Rows dropped because of missing values.
    levels : mapping of str to list
        Labels of the columns that are codes of labels.
    """

    source: Source
    columns: list[str]
    nobs: float
    n_rows: int
    y: Array | None = None
    weight: Array | None = None
    freq_weights: Array | None = None
    index: Any = None
    n_missing: int = 0
    levels: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def weighted_likelihood(self) -> bool:
        """Whether rows have weights that count no observations."""
        return self.weight is not None and (
            self.freq_weights is None or not np.array_equal(self.weight, self.freq_weights)
        )

    @property
    def observations_per_weight(self) -> float:
        """How many observations a unit of weight stands for: ``var_weights`` may have any scale.

        Rules on how many rows a component needs, and on when to stop, count observations.
        """
        return self.nobs / float(self.weight.sum()) if self.weighted_likelihood and self.weight is not None else 1.0


def bind(
    y: Any,
    freq_weights: Any = None,
    var_weights: Any = None,
    data: Any = None,
    missing: str = "none",
    n_jobs: int | None = None,
    block_rows: int | None = None,
    keep_missing: bool = False,
) -> MixtureData:
    """Bind rows: an array, a frame, names of columns of ``data``, or a source.

    Raises
    ------
    ValueError
        Names what is wrong with the rows, which they are, and the remedy.
    """
    if isinstance(y, Tables) or isinstance(data, Tables):
        tables = (data if isinstance(data, Tables) else y).on_threads(n_jobs)
        y = _from_tables(tables, None if isinstance(y, Tables) else y, freq_weights, missing, keep_missing)
        freq_weights = None
    if isinstance(y, Source):
        return _from_source(y, freq_weights, var_weights)
    if data is not None:
        table = Table(data)
        names = [y] if isinstance(y, str) else list(table) if y is None else list(y)
        y = table.column(names[0]) if isinstance(y, str) else {name: table.column(name) for name in names}
        freq_weights = table.column(freq_weights) if isinstance(freq_weights, str) else freq_weights
        var_weights = table.column(var_weights) if isinstance(var_weights, str) else var_weights
    values, found, index = read_numbers(y, "y")
    values = np.asarray(values, dtype=float)
    if values.ndim not in (1, 2):
        raise ValueError(f"a mixture needs one row of numbers for each observation, but y has shape {values.shape}")
    names = found or (["y"] if values.ndim == 1 else default_names(values.shape[1]))
    given = {"freq_weights": freq_weights, "var_weights": var_weights}
    weights = {name: as_column(name, value, index) for name, value in given.items() if value is not None}
    check_not_empty(len(values))
    check_lengths({"y": len(values), **{name: len(each) for name, each in weights.items()}})
    values, weights, index, dropped = _kept(values, weights, index, names, missing, keep_missing)
    for name, each in weights.items():
        check_weights(each, name)
    columns = {"y": values}
    if weights:
        columns["weight"] = np.prod(list(weights.values()), axis=0)
    source = ArraySource(Block({}, columns), n_jobs, block_rows or _height(values))
    nobs = float(weights["freq_weights"].sum()) if "freq_weights" in weights else float(len(values))
    freq = weights.get("freq_weights")
    return MixtureData(source, names, nobs, len(values), values, columns.get("weight"), freq, index, dropped)


def counted_in_rows(block: Block, scale: float) -> Block:
    """Return a block with weights that add up to observations."""
    if scale == 1.0:
        return block
    return Block(block.designs, {**block.columns, "weight": block.columns["weight"] * scale})


def default_names(width: int) -> list[str]:
    """Return the names of columns that come without any."""
    return ["y"] if width == 1 else [f"y{j}" for j in range(width)]


def _height(values: Array) -> int:
    """Return how many rows a block should have until the components are known."""
    width = 1 if values.ndim == 1 else values.shape[1]
    return int(np.clip(COPIED_BYTES // (8 * max(width, 1)), FEWEST_ROWS, MOST_ROWS))


def complete_rows(data: MixtureData) -> MixtureData:
    """Return rows without missing values to start from: those that are complete, or all, holes filled with means.

    Raises
    ------
    ValueError
        If a row has no value at all.
    """
    y = np.asarray(data.y)
    holes = np.isnan(y)
    if holes.all(axis=1).any():
        raise ValueError(f"rows without any value tell nothing: {where(holes.all(axis=1))}; leave them out")
    if holes.all(axis=0).any():
        empty = ", ".join(repr(data.columns[j]) for j in np.flatnonzero(holes.all(axis=0)))
        raise ValueError(f"a Gaussian mixture needs columns that vary, but {empty} has no value; leave it out")
    whole = ~holes.any(axis=1)
    if whole.sum() >= max(0.3 * len(y), 10 * y.shape[1]):
        weight = None if data.weight is None else data.weight[whole]
        y = y[whole]
    else:
        weight = data.weight
        y = np.where(holes, np.nanmean(y, axis=0), y)
    columns = {"y": y} if weight is None else {"y": y, "weight": weight}
    return replace(data, source=ArraySource(Block({}, columns), None, _height(y)), y=y, weight=weight, n_rows=len(y))


def _kept(
    values: Array, weights: dict[str, Array], index: Any, names: Sequence[str], missing: str, keep_missing: bool
) -> tuple[Array, dict[str, Array], Any, int]:
    masks = {name: np.isnan(each) for name, each in weights.items()}
    if not keep_missing:
        each = values[:, None] if values.ndim == 1 else values
        masks |= {name: np.isnan(each[:, j]) for j, name in enumerate(names)}
    dropped = check_missing(masks, missing, len(values), "leave those rows out (in a fit: missing='drop')")
    kept = None if dropped is None else ~dropped
    check_not_infinite(values, ", ".join(names), kept)
    if kept is None:
        return values, weights, index, 0
    check_not_empty(int(kept.sum()), dropped=len(values))
    index = None if index is None else index[kept]
    return values[kept], {name: each[kept] for name, each in weights.items()}, index, int((~kept).sum())


def _from_tables(tables: Tables, y: Any, freq_weights: Any, missing: str, keep_missing: bool) -> Source:
    """Return columns of tables that stream by as a source."""
    if keep_missing:
        raise ValueError(
            "missing='observed' needs the rows in memory; give a frame, or leave rows out with missing='drop'"
        )
    if not (freq_weights is None or isinstance(freq_weights, str)):
        raise ValueError("tables that stream by have their weights in a column; give freq_weights as its name")
    every = [name for name in tables.names if name != freq_weights]
    names = every if y is None else y
    return column_source(tables, names, freq_weights, "drop" if missing == "drop" else "raise")


def _from_source(source: Source, freq_weights: Any, var_weights: Any) -> MixtureData:
    if freq_weights is not None or var_weights is not None:
        raise ValueError("a source carries its own columns 'y' and 'weight'; leave freq_weights and var_weights out")
    nobs, rows, width = 0.0, 0, 1
    for block in source.blocks():
        if "y" not in block.columns:
            raise ValueError(f"the source's blocks have no column 'y'; they have {', '.join(block.columns)}")
        y, weight = block.columns["y"], block.columns.get("weight")
        width = 1 if y.ndim == 1 else y.shape[1]
        rows += block.n_rows
        nobs += block.n_rows if weight is None else float(weight.sum())
        if weight is not None:
            check_weights(weight, "weight")
    check_not_empty(rows)
    make = getattr(source, "make", None)
    names = list(make.y) if isinstance(make, Pick) else default_names(width)
    return MixtureData(source, names, nobs, rows)
