"""A GLM's data where the rows stream by: counted and checked in a first pass, never held together."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.matrix import Chosen, Constant, Dense
from natfit.data.streams.counting import Counted, Description
from natfit.data.streams.freezing import Frozen
from natfit.data.streams.recipe import Made
from natfit.data.streams.stream import StreamedDesign, never_whole
from natfit.data.streams.tables import say_where
from natfit.families.links import Link
from natfit.families.response import Response
from natfit.models.checks import check_rows, count_fractional, quasi_note, refuse_at_limit, to_proportions
from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[Any]]
BESIDE = ("offset", "exposure", "freq_weights", "var_weights", "trials")
MADE_OF = {"offset": ("offset", "exposure"), "weight": ("freq_weights", "var_weights", "trials")}
"""What a block's column is made of, where that has other names."""


def take(y_name: str, made: Made) -> GLMData:
    """Return a table's rows as a GLM's data."""
    data = GLMData(made.y, made.designs["mean"], [], y_name)
    for name, column in made.extras.items():
        setattr(data, name, column)
    if data.y.ndim == 2:
        to_proportions(data, SimpleNamespace(name="binomial"))
    return data


def describe(data: GLMData) -> Description:
    """Return what a GLM has to know of all rows: counts, the response's sum, the limits of each column."""
    weight = data.weight()
    limits = {"y": _limits(data.y)}
    limits |= {name: _limits(getattr(data, name)) for name in BESIDE if getattr(data, name) is not None}
    sums = {
        "count": data.count(),
        "weight": float(data.n_rows if weight is None else weight.sum()),
        "weighted": float(data.y.sum() if weight is None else weight @ data.y),
        "fractional": float(count_fractional(data)),
    }
    return sums, limits


def _limits(column: Array) -> tuple[float, float]:
    return float(column.min()), float(column.max())


class StreamedData:
    """A GLM's data as `natfit.models.data.GLMData` has them; what is of all rows is gathered in a pass when asked for.

    Parameters
    ----------
    counted : Counted
    frozen : Frozen
    """

    labelled = True
    index = labels = kept = has_constant = table = remembered = None
    k_constant = cached_property(GLMData.k_constant.func)  # type: ignore[attr-defined]

    def __init__(self, counted: Counted, frozen: Frozen):
        recipe = counted.maker.recipe
        self.stream, self.facts, self.maker = counted
        self.rows = counted.rows
        self.names, self.terms, self.frozen = frozen.names["mean"], frozen.terms["mean"], recipe.designs["mean"]
        self.chosen = list(recipe.chosen["mean"]) if recipe.chosen else None
        self.y_name = recipe.y_name
        self.levels = None if frozen.levels is None else tuple(frozen.levels)
        self.expressions = dict(recipe.extras)
        self.extra_names: dict[str, str] = {}
        self.n_missing, self.n_rows = self.facts.n_missing, self.facts.n_rows
        self.design: Any = StreamedDesign(self.stream, len(self.names))
        self._given: dict[str, Array] = {}

    def changed(self, **changes: Any) -> StreamedData:
        """Return these data with something else for design, names, response or frequency weights.

        A design is the stream's own, columns of it, or a constant: no other could follow the rows.
        """
        if isinstance(changes.get("design"), Dense):
            raise never_whole(self.stream.tables.what)
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
        if name != "y" and not set(MADE_OF.get(name, (name,))) & set(self.facts.limits):
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
        return self.gathered("offset")

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
        given = self._given.get("freq_weights")
        if given is None:
            return self.gathered("weight")
        for part in (self.var_weights, self.trials):
            given = given if part is None else given * part
        return given

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
            weight = {"weight": self.weight()} if "freq_weights" in self._given else {}
            source = source.with_columns({**self._given, **weight})
        return source

    def check_for(self, family: Response, link: Link) -> str | None:
        """Check the rows for a family, as `natfit.models.checks.check_for` does; a fault is looked for table by table."""
        few = GLMData(np.array(self.facts.limits["y"]), Constant(2), ["const"], self.y_name, levels=self.levels)
        for name, limits in self.facts.limits.items():
            if name != "y":
                setattr(few, name, np.array(limits))
        try:
            check_rows(few, family, link)
        except ValueError as error:

            def check(table: Mapping[str, Any], number: int) -> None:
                data = self.maker.data(table)
                if data is not None:
                    check_rows(replace(data, levels=self.levels), family, link)

            say_where(self.stream.tables, self.stream.columns, check, error)
        return quasi_note(int(self.facts.sums["fractional"]), self.y_name, family)

    def check_maximum(self, family: Response, link: Link) -> None:
        """Refuse a response that has one value on all rows, where that is a limit of the mean."""
        low, high = self.facts.limits["y"]
        if low == high and "Intercept" in self.names:
            refuse_at_limit(low, self.n_rows, self.y_name, family, link)


def _with_constant(block: Block) -> Block:
    return Block({"mean": Constant(block.n_rows)}, block.columns)


def _with_chosen(columns: Array, block: Block) -> Block:
    return Block({"mean": Chosen(block.designs["mean"], columns)}, block.columns)
