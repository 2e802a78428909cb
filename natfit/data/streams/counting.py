"""The counting pass over tables that stream by: it makes a source of blocks, checks the rows and keeps a sample of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from natfit.data.block import Block
from natfit.data.checks import did_you_mean
from natfit.data.streams.freezing import Frozen
from natfit.data.streams.recipe import Made, Recipe
from natfit.data.streams.stream import StreamSource, checksum
from natfit.data.streams.survey import SCOUTS, Rows, joined, scouted
from natfit.data.streams.tables import Tables, say_where


class Taken(Protocol):
    """A model's own data of one table's rows: what it makes of a `Made`."""

    @property
    def n_rows(self) -> int: ...
    @property
    def y(self) -> Any: ...
    def block(self) -> Block: ...


Take = Callable[[Made], Any]
"""From what a recipe makes of a table to a model's own data (`Taken`)."""
Description = tuple[dict[str, float], dict[str, tuple[float, float]]]
"""Sums over rows by name, and the least and the greatest value by name."""


@dataclass(frozen=True)
class Maker:
    """Makes a block of a table: what a pass runs, wherever the table lies.

    Parameters
    ----------
    recipe : Recipe
    take : callable
        From a `Made` to the model's data, as `Taken` has them; a function that can be pickled.
    """

    recipe: Recipe
    take: Take

    def data(self, table: Mapping[str, Any]) -> Any:
        """Return a table's rows as the model's data; None where none is kept."""
        made = self.recipe(table)
        return None if made is None else self.take(made)

    def __call__(self, table: Mapping[str, Any], number: int) -> Block | None:
        data = self.data(table)
        return None if data is None else data.block()


@dataclass(frozen=True)
class KeptRows:
    """Columns of streamed tables on the rows that a recipe keeps: labels of clusters, say, that no formula names.

    Parameters
    ----------
    tables : Tables
    recipe : Recipe
    columns : tuple of str
        What the recipe reads.
    """

    tables: Tables
    recipe: Recipe
    columns: tuple[str, ...]

    def kept_column(self, name: str) -> Any:
        """Return a column's values on all rows that are kept, in one pass."""
        if name not in self.tables.names:
            raise ValueError(f"{self.tables.what} has no column {name!r}{did_you_mean(name, self.tables.names)}")
        wanted = list(dict.fromkeys([*self.columns, name]))
        return np.concatenate(list(self.tables.each(functools.partial(_kept_values, self.recipe, name), wanted)))


def _kept_values(recipe: Recipe, name: str, table: Mapping[str, Any], number: int) -> Any:
    made, values = recipe(table), np.asarray(table[name])
    if made is None:
        return values[:0]
    return values if made.kept is None else values[made.kept]


@dataclass
class Facts:
    """What the counting pass knows of the rows of some tables, and a sample of them."""

    n_rows: int
    n_missing: int
    checksum: int
    sums: dict[str, float]
    limits: dict[str, tuple[float, float]]
    scouts: list[Rows]

    def merge(self, other: Facts) -> Facts:
        if not self.n_rows or not other.n_rows:
            first = self if self.n_rows else other
            sums, limits = first.sums, first.limits
        else:
            sums = {name: value + other.sums[name] for name, value in self.sums.items()}
            limits = {
                n: (min(low, other.limits[n][0]), max(high, other.limits[n][1]))
                for n, (low, high) in self.limits.items()
            }
        return Facts(
            self.n_rows + other.n_rows,
            self.n_missing + other.n_missing,
            (self.checksum + other.checksum) % 2**64,
            sums,
            limits,
            scouted(self.scouts + other.scouts),
        )


@dataclass(frozen=True)
class Count:
    """Takes the facts of one table, and a share of its rows as a sample."""

    maker: Maker
    describe: Callable[[Any], Description]
    columns: tuple[str, ...]
    share: float

    def __call__(self, table: Mapping[str, Any], number: int) -> Facts:
        given = len(next(iter(table.values())))
        data = self.maker.data(table)
        if data is None:
            return Facts(0, given, 0, {}, {}, [])
        sums, limits = self.describe(data)
        own = scouted([table], self.share)
        rows = [{name: part[name] for name in self.columns} for part in own]
        return Facts(data.n_rows, given - data.n_rows, checksum(data.y, number), sums, limits, rows)


class Counted(NamedTuple):
    """Rows that have been counted: the source of blocks, what is known of the rows, and what makes blocks of tables."""

    stream: StreamSource
    facts: Facts
    maker: Maker

    @property
    def rows(self) -> KeptRows:
        """The tables' columns on the rows that are kept."""
        return KeptRows(self.stream.tables, self.maker.recipe, tuple(self.stream.columns))


def count_rows(
    tables: Tables, frozen: Frozen, take: Take, describe: Callable[[Any], Description], missing: str
) -> Counted:
    """Count the rows of all tables in one pass, describe them, and keep a sample of them.

    Parameters
    ----------
    tables : Tables
    frozen : Frozen
    take : callable
        From a `Made` to the model's own data (`Taken`).
    describe : callable
        From these data to sums and limits by name.
    missing : {"drop", "raise", "none"}

    Raises
    ------
    ValueError
        There are no rows, or rows miss values that may not.
    """
    # Where the number of rows is not known the sample is thinned as it grows.
    share = min(SCOUTS / tables.n_rows, 1.0) if tables.n_rows else 1.0
    count = Count(Maker(frozen.recipe, take), describe, frozen.columns, share)
    try:
        facts = tables.total(count, frozen.columns)
    except ValueError as error:
        say_where(tables, frozen.columns, count, error)
    if facts is None:
        raise ValueError(
            f"{tables.what} had tables when it was gone over first, and has none now; a fit needs several passes: let each "
            "begin anew"
        )
    if facts.n_rows == 0:
        raise ValueError(f"there are no rows to fit; {tables.what} has none without a missing value")
    if facts.n_missing and missing != "drop":
        raise ValueError(
            f"missing values in {facts.n_missing} row(s) of {tables.what}; drop those rows with missing='drop', or fill "
            "them in"
        )
    maker = Maker(frozen.recipe.for_rows(facts.n_rows), take)
    scouts = maker(joined(facts.scouts, frozen.columns, frozen.orders), 0)
    stream = StreamSource(tables, frozen.columns, maker, facts.n_rows, facts.checksum, scouts)
    return Counted(stream, facts, maker)
