"""A GLM's data where the rows stream by: counted and checked in a first pass, never held together."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.matrix import Chosen, Constant, as_columns
from natfit.data.recipe import Recipe
from natfit.data.stream import StreamedDesign, StreamSource, checksum
from natfit.data.survey import Rows, scouted
from natfit.families.links import Link
from natfit.families.response import Response
from natfit.models.checks import check_rows, count_fractional, quasi_note, refuse_at_limit, to_proportions
from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[Any]]
BESIDE = ("offset", "exposure", "freq_weights", "var_weights", "trials")


@dataclass(frozen=True)
class Maker:
    """Makes a block of a table: what a pass runs, wherever the table lies."""

    recipe: Recipe
    chosen: tuple[int, ...] | None

    def data(self, table: Mapping[str, Any]) -> GLMData | None:
        """Return a table's rows as a GLM's data; None where none is kept."""
        made = self.recipe(table)
        if made is None:
            return None
        matrix = made.matrix if self.chosen is None else made.matrix[:, list(self.chosen)]
        data = GLMData(made.y, as_columns(matrix), [], " + ".join(name for name, _ in self.recipe.response))
        for name, column in made.extras.items():
            setattr(data, name, column)
        if data.y.ndim == 2:
            to_proportions(data, SimpleNamespace(name="binomial"))
        return data

    def __call__(self, table: Mapping[str, Any], number: int) -> Block | None:
        data = self.data(table)
        return None if data is None else data.source().whole  # type: ignore[attr-defined]


@dataclass
class Facts:
    """What a first pass knows of the rows of some tables, and a sample of them."""

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
    """Takes the facts of one table."""

    maker: Maker
    columns: tuple[str, ...]

    def __call__(self, table: Mapping[str, Any], number: int) -> Facts:
        given = len(next(iter(table.values())))
        data = self.maker.data(table)
        if data is None:
            return Facts(0, given, 0, {}, {}, [])
        weight = data.weight()
        limits = {"y": _limits(data.y)}
        limits |= {name: _limits(getattr(data, name)) for name in BESIDE if getattr(data, name) is not None}
        sums = {
            "count": data.count(),
            "weight": float(data.n_rows if weight is None else weight.sum()),
            "weighted": float(data.y.sum() if weight is None else weight @ data.y),
            "fractional": float(count_fractional(data)),
        }
        own = scouted([dict(table)])
        rows = [{name: part[name] for name in self.columns} for part in own]
        return Facts(data.n_rows, given - data.n_rows, checksum(data.y, number), sums, limits, rows)


def _limits(column: Array) -> tuple[float, float]:
    return float(column.min()), float(column.max())


class StreamedData:
    """A GLM's data as `natfit.models.data.GLMData` has them; what is of all rows is gathered in a pass when asked for.

    Parameters
    ----------
    stream : StreamSource
    facts : Facts
    recipe : Recipe
    names : list of str
    terms : list of (str, slice)
    chosen : list of int, optional
    """

    labelled = True
    index = labels = kept = has_constant = table = remembered = None
    k_constant = cached_property(GLMData.k_constant.func)  # type: ignore[attr-defined]

    def __init__(self, stream: StreamSource, facts: Facts, maker: Maker, names: list[str], terms: list[Any]):
        recipe = maker.recipe
        self.stream, self.facts, self.maker = stream, facts, maker
        self.names, self.terms, self.frozen = names, terms, recipe.design
        self.chosen = None if maker.chosen is None else list(maker.chosen)
        self.y_name = " + ".join(name for name, _ in recipe.response)
        self.levels = None if recipe.levels is None else tuple(recipe.levels.levels)
        self.expressions = dict(recipe.extras)
        self.extra_names: dict[str, str] = {}
        self.n_missing, self.n_rows = facts.n_missing, facts.n_rows
        self.design: Any = StreamedDesign(stream, len(names))
        self._given: dict[str, Array] = {}

    def changed(self, **changes: Any) -> StreamedData:
        """Return these data with something else for design, names, response or frequency weights."""
        other = copy.copy(self)
        other.__dict__.pop("k_constant", None)
        other._given = {**self._given, **{name: changes.pop(name) for name in ("y", "freq_weights") if name in changes}}
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def gathered(self, name: str) -> Array | None:
        """Return a column of all rows, in one pass; None where the data have none."""
        if name in self._given:
            return self._given[name]
        if name not in ("y", "weight") and name not in self.facts.limits:
            return None
        found = list(self.stream.map(lambda block: block.columns.get(name)))
        return None if found[0] is None else np.concatenate(found)

    @property
    def y(self) -> Array:
        column = self.gathered("y")
        assert column is not None
        return column

    @property
    def offset(self) -> Array | None:
        return self.gathered("offset") if {"offset", "exposure"} & set(self.facts.limits) else None

    exposure = None
    """Part of the offset, as its logarithm."""

    @property
    def freq_weights(self) -> Array | None:
        return self.gathered("freq_weights")

    @property
    def var_weights(self) -> Array | None:
        return self.gathered("var_weights")

    @property
    def trials(self) -> Array | None:
        return self.gathered("trials")

    def linear_offset(self) -> Array | None:
        """Return what is added to the linear predictor."""
        return self.offset

    def weight(self) -> Array | None:
        """Return the product of all weights."""
        return self.gathered("weight") if {"freq_weights", "var_weights", "trials"} & set(self.facts.limits) else None

    def count(self) -> float:
        """Return the number of observations: the sum of the frequency weights."""
        given = self._given.get("freq_weights")
        return self.facts.sums["count"] if given is None else float(given.sum())

    def mean(self) -> float:
        """Return the weighted mean of the response."""
        if self._given:
            weight, y = self.weight(), self.y
            return float(y.mean() if weight is None else (weight @ y) / weight.sum())
        return self.facts.sums["weighted"] / self.facts.sums["weight"]

    def source(self, n_jobs: int | None = None) -> Any:
        """Return the rows as a source of blocks."""
        source: Any = self.stream
        if isinstance(self.design, Constant):
            source = source.changed(_with_constant)
        elif isinstance(self.design, Chosen):
            source = source.changed(functools.partial(_with_chosen, self.design.columns))
        if self._given:
            source = source.with_columns(self._given)
        return source

    def check_for(self, family: Response, link: Link) -> str | None:
        """Check the rows for a family, as `natfit.models.checks.check_for` does; a fault is looked for table by table."""
        few = GLMData(np.array(self.facts.limits["y"]), Constant(2), ["const"], self.y_name, levels=self.levels)
        for name, limits in self.facts.limits.items():
            if name != "y":
                setattr(few, name, np.array(limits))
        try:
            check_rows(few, family, link)
        except ValueError:
            self._refuse_where(family, link)
            raise
        return quasi_note(int(self.facts.sums["fractional"]), self.y_name, family)

    def check_maximum(self, family: Response, link: Link) -> None:
        """Refuse a response that has one value on all rows, where that is a limit of the mean."""
        low, high = self.facts.limits["y"]
        if low == high and "Intercept" in self.names:
            refuse_at_limit(low, self.n_rows, self.y_name, family, link)

    def _refuse_where(self, family: Response, link: Link) -> None:
        before = 0
        for number, table in enumerate(self.stream.tables.scan(self.stream.columns)):
            data = self.maker.data(table)
            if data is None:
                continue
            try:
                check_rows(replace(data, levels=self.levels), family, link)
            except ValueError as error:
                where = f" (rows counted from the kept row {before} on, in table {number} of {self.stream.tables.what})"
                raise ValueError(f"{error}{where}") from None
            before += data.n_rows


def _with_constant(block: Block) -> Block:
    return Block({"mean": Constant(block.n_rows)}, block.columns)


def _with_chosen(columns: Array, block: Block) -> Block:
    return Block({"mean": Chosen(block.designs["mean"], columns)}, block.columns)
