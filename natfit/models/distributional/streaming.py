"""From tables that stream by to a distributional regression's data, and to rows to predict for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from natfit.data.arrays import ArraySource
from natfit.data.block import Block
from natfit.data.streams.counting import Maker, count_rows
from natfit.data.streams.freezing import Frozen, freeze
from natfit.data.streams.recipe import Made, Recipe
from natfit.data.streams.survey import needed_columns
from natfit.data.streams.tables import Tables, say_where
from natfit.families.distributional.base import DistributionalFamily
from natfit.models.distributional.data import DistributionalData, by_parameter
from natfit.models.distributional.rows import StreamedRows
from natfit.models.distributional.streamed import Response, StreamedDistributional, describe, take

Array = np.ndarray[Any, np.dtype[Any]]

MOST_CLASSES = 1_000
"""Distinct numbers of a response that are held while they are counted: a family of classes refuses far fewer."""


class FrozenFormulas(NamedTuple):
    """Formulas frozen for tables, and what the response has made of the family: its classes may be the response's."""

    tables: Tables
    left: str
    frozen: Frozen
    response: Response
    family: DistributionalFamily
    offsets: Mapping[str, str]


def freeze_formulas(
    left: str,
    given: Mapping[Any, str],
    tables: Tables,
    family: DistributionalFamily,
    beside: tuple[Any, Any],
    context: Mapping[str, Any],
) -> FrozenFormulas:
    """Freeze the formulas that are given, and a constant for parameters without one; find the classes of a response.

    Parameters
    ----------
    left : str
        The response.
    given : mapping of str
        Right sides by parameter or by place.
    beside : (offset, freq_weights)
        As the user gives them.
    """
    offset, freq_weights = beside
    raw = offset if isinstance(offset, Mapping) else {"": offset}
    extras = {**{f"offset:{name}": text for name, text in raw.items()}, "freq_weights": freq_weights}
    texts = {text: f"{left} ~ {text}" for text in [*given.values(), "1"]}
    frozen = freeze(tables, texts, extras, context, many_levels=True)
    response = Response(family, frozen.recipe.y_name, frozen.levels, np.zeros(0))
    if family.shared_predictors:
        response = response._replace(examples=_examples(tables, frozen))
        family = response.bound()
    elif frozen.levels is not None:
        response.bound()  # refuses levels
    return FrozenFormulas(tables, left, frozen, response, family, by_parameter(offset, family, "an offset"))


def bind_stream(bound: FrozenFormulas, right: Mapping[str, str], missing: str) -> StreamedDistributional:
    """Count and check the rows for the formulas of the parameters.

    Parameters
    ----------
    bound : FrozenFormulas
    right : mapping of str to str
        The right side of each free parameter.
    missing : {"drop", "raise", "none"}
    """
    whole = bound.frozen
    extras = {f"offset:{name}": text for name, text in bound.offsets.items()}
    if "freq_weights" in whole.recipe.extras:
        extras["freq_weights"] = whole.recipe.extras["freq_weights"]
    designs = {name: whole.recipe.designs[text] for name, text in right.items()}
    frozen = whole._replace(
        recipe=replace(whole.recipe, designs=designs, extras=extras),
        names={name: whole.names[text] for name, text in right.items()},
        terms={name: whole.terms[text] for name, text in right.items()},
    )
    counted = count_rows(bound.tables, frozen, functools.partial(take, bound.response), describe, missing)
    return StreamedDistributional(counted, frozen, {name: f"{bound.left} ~ {text}" for name, text in right.items()})


def _examples(tables: Tables, frozen: Frozen) -> Array:
    """Return responses that show every class which any row has."""
    if frozen.levels is not None:
        return np.unique(frozen.responses)
    found: Distinct | None = tables.total(_Distinct(frozen.recipe), frozen.columns)
    if found is None or not len(found.values):
        raise ValueError(f"there are no rows to fit; {tables.what} has none without a missing value")
    return found.values


@dataclass
class Distinct:
    """Responses that show every class: the distinct numbers, or of columns of counts a row for each that has any."""

    values: Array

    def merge(self, other: Distinct) -> Distinct:
        return Distinct(_shown(np.concatenate([self.values, other.values])))


@dataclass(frozen=True)
class _Distinct:
    recipe: Recipe

    def __call__(self, table: Mapping[str, Any], number: int) -> Distinct:
        made = self.recipe(table)
        width = len(self.recipe.response)
        return Distinct(np.zeros(0 if width == 1 else (0, width)) if made is None else _shown(made.y))


def _shown(y: Array) -> Array:
    if y.ndim == 1:
        return np.unique(y)[:MOST_CLASSES]
    rows = [np.flatnonzero(column > 0.0)[:1] for column in y.T]
    return y[np.unique(np.concatenate(rows))] if len(y) else y


def take_new(made: Made) -> DistributionalData:
    """Return the rows of a table to predict for, as data without a response."""
    offsets = {name.partition(":")[2]: each for name, each in made.extras.items()}
    return DistributionalData(made.y, "", made.designs, {}, offsets)


@dataclass(frozen=True)
class _OnTable:
    """Applies a function to the block of a table."""

    maker: Maker
    function: Callable[[Block], Any]

    def __call__(self, table: Mapping[str, Any], number: int) -> list[Any]:
        block = self.maker(table, number)
        return [] if block is None else [self.function(each) for each in ArraySource(block, n_jobs=1).blocks()]


def streamed_rows(model: Any, tables: Tables, offset: Mapping[str, Any]) -> StreamedRows:
    """Return rows to predict for that stream by; those with a missing value are left out.

    Offsets come from the columns that the model names, or from those named here.
    """
    data = model.data
    beside = {}
    for name in data.offsets:
        text = offset.get(name, data.expressions.get(name))
        if not isinstance(text, str):
            raise ValueError(
                f"the offset of {name} must name a column or an expression: an array can't follow rows that are streamed"
            )
        beside[f"offset:{name}"] = text
    rights = ["1 ~ " + formula.partition("~")[2] for formula in data.formulas.values()]
    columns = needed_columns(rights, tuple(tables.names), beside) or tables.names[:1]
    maker = Maker(Recipe((), data.frozen, beside, None, tables.what), take_new)

    def blocks(function: Callable[[Block], Any]) -> Iterator[Any]:
        on_table = _OnTable(maker, function)
        try:
            for found in tables.each(on_table, columns):
                yield from found
        except ValueError as error:
            say_where(tables, columns, on_table, error)

    return StreamedRows(blocks)
