"""A source of blocks that are made of tables as they stream by, and checked to be the same rows in every pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.matrix import Columns
from natfit.data.streams.tables import Tables, say_where

Array = np.ndarray[Any, np.dtype[Any]]
CHUNK = 65_536
"""Rows whose quadratic forms are computed at a time: no n-by-p product is held."""
MakeBlock = Callable[[Mapping[str, Any], int], Block | None]
"""From a table and its number to a block; None where no row of it is kept."""


@dataclass
class Part:
    """What a pass knows of some tables: their sums, the rows they hold and a checksum of the responses."""

    sums: Any
    rows: int
    checksum: int

    def merge(self, other: Part) -> Part:
        if self.sums is None or other.sums is None:
            sums = other.sums if self.sums is None else self.sums
        else:
            sums = self.sums.merge(other.sums)
        return Part(sums, self.rows + other.rows, (self.checksum + other.checksum) % 2**64)


@dataclass(frozen=True)
class OnePass:
    """Evaluates one table: a function, so that it can be sent to where the table lies."""

    make: MakeBlock
    evaluate: Callable[[Block], Any]

    def __call__(self, table: Mapping[str, Any], number: int) -> Part:
        block = self.make(table, number)
        if block is None:
            return Part(None, 0, 0)
        return Part(
            ArraySource(block, n_jobs=1).reduce(self.evaluate), block.n_rows, checksum(block.columns["y"], number)
        )


@dataclass(frozen=True)
class OneMap:
    """Applies a function to the blocks of one table."""

    make: MakeBlock
    function: Callable[[Block], Any]

    def __call__(self, table: Mapping[str, Any], number: int) -> tuple[list[Any], int, int]:
        block = self.make(table, number)
        if block is None:
            return [], 0, 0
        found = [self.function(each) for each in ArraySource(block, n_jobs=1).blocks()]
        return found, block.n_rows, checksum(block.columns["y"], number)


def checksum(y: Array, number: int) -> int:
    """Return a checksum of a table's responses that depends on their order, and on the number of the table.

    Examples
    --------
    >>> checksum(np.array([1.0, 2.0]), 0) == checksum(np.array([2.0, 1.0]), 0)
    False
    """
    bits = np.ascontiguousarray(y, dtype=np.float64).view(np.uint64)
    bits = bits.ravel()
    return int((bits * _odd(bits.size)).sum(dtype=np.uint64)) * (2 * number + 1) % 2**64


@functools.lru_cache(maxsize=1)
def _odd(size: int) -> Array:
    return np.arange(1, 2 * size, 2, dtype=np.uint64)


class StreamSource(Source):
    """Blocks made of tables, one pass at a time.

    Parameters
    ----------
    tables : Tables
    columns : sequence of str
        The columns to read.
    make : callable
        From a table and its number to a block.
    n_rows : int
        Rows that are kept of all tables.
    checksum : int
        Of their responses.
    scouts : Block, optional
        Rows in memory from which samples are taken: spread over all tables.

    Attributes
    ----------
    passes : int
        Passes over the tables that were run to their end.
    """

    def __init__(
        self,
        tables: Tables,
        columns: Sequence[str],
        make: MakeBlock,
        n_rows: int,
        checksum: int,
        scouts: Block | None = None,
    ):
        self.tables, self.columns, self.make = tables, list(columns), make
        self.n_rows, self.checksum, self.scouts = n_rows, checksum, scouts
        self.passes = 0

    def blocks(self) -> Iterator[Block]:
        return self.map(lambda block: block)

    def reduce(self, evaluate: Callable[[Block], Any]) -> Any:
        try:
            total = self.tables.total(OnePass(self.make, evaluate), self.columns)
        except ValueError as error:
            say_where(self.tables, self.columns, self.make, error)
        if total is None:
            raise ValueError(f"there are no rows to sum: {self.tables.what} yields no table")
        self._check(total.rows, total.checksum)
        return total.sums

    def map(self, function: Callable[[Block], Any]) -> Iterator[Any]:
        rows, check = 0, 0
        for found, own_rows, own in self.tables.each(OneMap(self.make, function), self.columns):
            rows, check = rows + own_rows, (check + own) % 2**64
            yield from found
        self._check(rows, check)

    def _check(self, rows: int, check: int) -> None:
        self.passes += 1
        if rows != self.n_rows:
            raise ValueError(
                f"{self.tables.what} changed between passes: {self.n_rows} rows were counted first, and now there are "
                f"{rows}; fit a copy that nobody writes to"
            )
        if check != self.checksum:
            raise ValueError(
                f"{self.tables.what} changed between passes: there are {rows} rows as before, but the response or the order "
                "of the rows is another; fit a copy that nobody writes to"
            )

    def sample(self, rows: int, rng: np.random.Generator) -> Source | None:
        if self.scouts is None:
            return None
        whole = ArraySource(self.scouts)
        return whole if rows >= whole.n_rows else whole.sample(rows, rng)

    def changed(self, change: Callable[[Block], Block]) -> StreamSource:
        """Return the same source with something changed in every block."""
        scouts = None if self.scouts is None else change(self.scouts)
        made = StreamSource(self.tables, self.columns, Changed(self.make, change), self.n_rows, self.checksum, scouts)
        return made


@dataclass(frozen=True)
class Changed:
    """Makes a block and changes it."""

    make: MakeBlock
    change: Callable[[Block], Block]

    def __call__(self, table: Mapping[str, Any], number: int) -> Block | None:
        block = self.make(table, number)
        return None if block is None else self.change(block)


class StreamedDesign:
    """A design of a streamed source as a whole: products are passes, and its rows are never held together."""

    def __init__(self, source: StreamSource, width: int, name: str = "mean"):
        self.source, self.name = source, name
        self.shape = (source.n_rows, width)

    def matvec(self, vector: Array) -> Array:
        return np.concatenate(list(self.source.map(lambda block: block.designs[self.name].matvec(vector))))

    def quadratic(self, matrix: Array) -> Array:
        """Return x' M x of each row."""
        form = functools.partial(quadratic, matrix)
        return np.concatenate(list(self.source.map(lambda block: form(block.designs[self.name]))))

    def pieces(self) -> Iterator[tuple[Array, None]]:
        """Yield the rows block by block, each with what streams beside them: nothing."""
        return self.source.map(lambda block: (block.designs[self.name].dense(), None))

    def rmatvec(self, vector: Array) -> Array:
        return self._with(vector, lambda block: block.designs[self.name].rmatvec(block.columns["along"]))

    def gram(self, weight: Array) -> Array:
        return self._with(weight, lambda block: block.designs[self.name].gram(block.columns["along"]))

    def _with(self, column: Array, product: Callable[[Block], Array]) -> Array:
        along = self.source.with_columns({"along": column})
        return along.reduce(lambda block: Added(product(block))).value

    def rows(self, start: int, stop: int) -> Any:
        raise never_whole(self.source.tables.what)

    def take(self, rows: Array) -> Any:
        raise never_whole(self.source.tables.what)

    def weighted_rows(self, root: Array) -> Array:
        raise never_whole(self.source.tables.what)

    def dense(self) -> Array:
        raise never_whole(self.source.tables.what)


def never_whole(what: str) -> ValueError:
    """Return the refusal of what needs a design as a whole."""
    return ValueError(
        f"the design of {what} is streamed and never held whole, which this needs; give a sample of the rows in memory"
    )


def quadratic(matrix: Array, design: Columns) -> Array:
    """Return x' M x of each row of a design, (n,).

    Examples
    --------
    >>> from natfit.data.matrix import Dense
    >>> quadratic(np.eye(2), Dense(np.array([[3.0, 4.0]])))
    array([25.])
    """
    n_rows, found = design.shape[0], []
    for start in range(0, n_rows, CHUNK):
        rows = design.rows(start, min(start + CHUNK, n_rows)).dense()
        found.append(np.einsum("ij,ij->i", rows @ matrix, rows))
    return np.concatenate(found) if found else np.zeros(0)


@dataclass
class Added:
    """A number or an array that merges by addition."""

    value: Any

    def merge(self, other: Added) -> Added:
        return replace(self, value=self.value + other.value)
