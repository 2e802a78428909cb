"""Rows of a mixture of regressions that stream by: counted and checked in a first pass, and new ones to predict for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.formulas.expand import FactorPlan
from natfit.data.matrix import Chosen
from natfit.data.streams.counting import Counted, Description, Maker, count_rows
from natfit.data.streams.freezing import freeze
from natfit.data.streams.recipe import Made, Recipe
from natfit.data.streams.stream import OneMap, StreamedDesign, StreamSource
from natfit.data.streams.survey import needed_columns, terms
from natfit.data.streams.tables import Tables
from natfit.models import streamed
from natfit.models.mixtures.regression_data import Concomitant, RegressionData, weights_formula
from natfit.models.streamed import StreamedData

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class StreamedRegressions:
    """Data as `natfit.models.mixtures.regression_data.RegressionData` has them, of rows that are never held together.

    Parameters
    ----------
    glm : StreamedData
    stream : StreamSource
        Blocks with both designs.
    concomitant : Concomitant, optional
    """

    glm: Any
    stream: StreamSource
    concomitant: Concomitant | None = None

    groups = order = n_jobs = None
    streamed = True

    @property
    def n_units(self) -> float:
        """How many have a label of their own: observations."""
        return self.glm.count()

    def source(self, kept: Array | None = None) -> StreamSource:
        """Return the rows as blocks, with some of the columns of the mean where they are chosen."""
        return self.stream if kept is None else self.stream.changed(functools.partial(_chosen, np.flatnonzero(kept)))


def _chosen(columns: Array, block: Block) -> Block:
    return Block({**block.designs, "mean": Chosen(block.designs["mean"], columns)}, block.columns)


def take(y_name: str, made: Made) -> RegressionData:
    """Return a table's rows as a mixture of regressions' data."""
    weights = made.designs.get("weights")
    return RegressionData(streamed.take(y_name, made), None if weights is None else Concomitant(weights, []))


def describe(data: RegressionData) -> Description:
    """Return what has to be known of all rows."""
    return streamed.describe(data.glm)


def bind_stream(
    formula: str,
    tables: Tables,
    extras: Mapping[str, Any],
    concomitant: str | None,
    missing: str,
    context: Mapping[str, Any],
) -> StreamedRegressions:
    """Bind formulas to tables that stream by: find levels and knots of both, then count and check the rows.

    Raises
    ------
    ValueError
        In one sentence: a column is not there, an extra is an array and not a column, or rows miss values that may not.
    """
    formulas = {"mean": formula}
    if concomitant is not None:
        formulas["weights"] = weights_formula(concomitant)
    frozen = freeze(tables, formulas, extras, context)
    y_name = frozen.recipe.y_name
    counted = count_rows(tables, frozen, functools.partial(take, y_name), describe, missing)
    # What a GLM's data say of rows table by table needs tables as a GLM takes them.
    glm = StreamedData(
        Counted(*counted[:2], Maker(counted.maker.recipe, functools.partial(streamed.take, y_name))), frozen
    )
    if concomitant is None:
        return StreamedRegressions(glm, counted.stream)
    names = frozen.names["weights"]
    design: Any = StreamedDesign(counted.stream, len(names), "weights")
    return StreamedRegressions(glm, counted.stream, Concomitant(design, names, counted.maker.recipe.designs["weights"]))


class NewStream:
    """New rows that stream by; those that lack a value are left out.

    Parameters
    ----------
    tables : Tables
    columns : sequence of str
        To be read.
    make : Maker
    """

    def __init__(self, tables: Tables, columns: Sequence[str], make: Maker):
        self.tables, self.columns, self.make = tables, columns, make

    def map(self, function: Callable[[Block], Any]) -> Iterator[Any]:
        """Yield ``function(block)`` for each block, in their order."""
        for found, _rows, _checksum in self.tables.each(OneMap(self.make, function), self.columns):
            yield from found


def new_stream(model: Any, tables: Tables, known: Mapping[str, Any], response: bool) -> NewStream:
    """Return new rows that stream by, for a model made from formulas.

    Parameters
    ----------
    model : MixtureRegression
    tables : Tables
    known : mapping
        Columns or expressions in place of those that the model names.
    response : bool
        Whether their responses are needed.

    Raises
    ------
    ValueError
        Where the model has no formula, or what goes with the rows is not named by a column.
    """
    data, concomitant = model.data, model.rows.concomitant
    if data.frozen is None:
        raise ValueError("rows that stream by need a model made from a formula; give a table or an array")
    wanted = ("offset", "exposure", "var_weights", "trials") if response else ("offset", "exposure")
    beside = {name: text for name, text in {**data.expressions, **known}.items() if name in wanted}
    for name, text in {**beside, **known}.items():
        if not isinstance(text, str) or name not in wanted:
            raise ValueError(
                f"of rows that stream by, {', '.join(wanted)} may be named by a column; got {name}={text!r:.40}"
            )
    designs = {"mean": data.frozen}
    if concomitant is not None:
        designs["weights"] = concomitant.frozen
    names = tuple(tables.names)
    left: tuple[tuple[str, str], ...] = ()
    if response:
        found, _ = terms(model.formula, names)
        left = tuple((factor.expr, factor.eval_method.value) for term in found for factor in term.factors)
    plan = None
    if response and data.levels is not None:
        plan = FactorPlan(left[0][0], "categorical", left[0][1], tuple(data.levels))
    right = [model.formula if response else "1 ~ " + model.formula.partition("~")[2]]
    if concomitant is not None:
        right.append("1 ~ " + weights_formula(model.concomitant_formula).partition("~")[2])
    columns = needed_columns(right, names, beside) or names[:1]
    chosen = {} if model.kept.all() else {"mean": tuple(np.flatnonzero(model.kept).tolist())}
    recipe = Recipe(left, designs, beside, plan, tables.what, chosen)
    return NewStream(tables, columns, Maker(recipe, functools.partial(take, data.y_name)))
