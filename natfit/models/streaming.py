"""From tables that stream by to a GLM's data: levels and knots found, rows counted; and new rows to predict for."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from natfit.data.design import build_design
from natfit.data.expand import FactorPlan, prefers_tabmat
from natfit.data.recipe import Recipe
from natfit.data.stream import StreamSource
from natfit.data.survey import Survey, Surveyed, joined, learned, names_used, needed_columns, terms
from natfit.data.tables import Tables
from natfit.models.rows import NewRows
from natfit.models.streamed import Count, Maker, StreamedData

Array = np.ndarray[Any, np.dtype[Any]]


def bind_stream(
    formula: str,
    tables: Tables,
    extras: Mapping[str, Any],
    missing: str,
    drop_cols: Sequence[str] | None,
    context: Mapping[str, Any],
) -> StreamedData:
    """Bind a formula to tables that stream by: find levels and knots, then count and check the rows.

    Raises
    ------
    ValueError
        In one sentence: a column is not there, an extra is an array and not a column, or rows miss values that may not.
    """
    beside = {name: value for name, value in extras.items() if value is not None}
    for name, value in beside.items():
        if not isinstance(value, str):
            raise ValueError(
                f"{name} must name a column or an expression where the rows are streamed; an array can't follow them"
            )
    names = tuple(tables.names)
    columns = tuple(needed_columns(formula, names, beside)) or names[:1]
    used = names_used(formula, names, beside)
    context = {name: context[name] for name in used if name in context}  # all else stays here, and need not travel
    survey = Survey(formula, names, columns, context, beside, tables.what)
    surveyed, all_seen = _look(tables, survey)
    recipe, made_names, made_terms = _freeze(tables, survey, surveyed, all_seen)
    chosen = None
    if drop_cols is not None:
        chosen = tuple(j for j, name in enumerate(made_names) if name not in set(drop_cols))
        made_names = [made_names[j] for j in chosen]
    maker = Maker(recipe, chosen)
    facts = tables.total(Count(maker, columns), columns)
    if facts is None or facts.n_rows == 0:
        raise ValueError(f"there are no rows to fit; {tables.what} has none without a missing value")
    if facts.n_missing and missing != "drop":
        raise ValueError(
            f"missing values in {facts.n_missing} row(s) of {tables.what}; drop those rows with missing='drop', or fill "
            "them in"
        )
    if prefers_tabmat(recipe.design.parts, recipe.design.factors, facts.n_rows):
        recipe = replace(recipe, design=replace(recipe.design, layout="tabmat"))
        maker = Maker(recipe, chosen)
    scouts = maker(joined(facts.scouts, columns, surveyed.orders), 0)
    stream = StreamSource(tables, columns, maker, facts.n_rows, facts.checksum, scouts)
    return StreamedData(stream, facts, maker, made_names, made_terms)


def _look(tables: Tables, survey: Survey) -> tuple[Surveyed, bool]:
    """Look all tables over; where the first has numbers only, and nothing learns, it tells all there is to know."""
    first = next(iter(tables.scan(survey.columns)), None)
    if first is None:
        raise ValueError(f"there are no rows to fit; {tables.what} is empty")
    surveyed = survey(first, 0)
    if surveyed.n_rows and not surveyed.examples and not surveyed.learns:
        return surveyed, False
    return tables.total(survey, survey.columns), True


def _freeze(
    tables: Tables, survey: Survey, surveyed: Surveyed, all_seen: bool
) -> tuple[Recipe, list[str], list[tuple[str, slice]]]:
    """Build the formula's design from a row for every level, with what its transforms learn."""
    if surveyed.n_rows == 0:
        raise ValueError(f"there are no rows to fit; all {surveyed.n_missing} of {tables.what} have a missing value")
    state = learned(tables, surveyed, survey) if all_seen else {}
    rows = [*surveyed.example_rows(), *surveyed.scouts[:1]]
    prototype = joined(rows, survey.columns, surveyed.orders)
    made = build_design(survey.formula, prototype, context=survey.context, layout="dense", order="patsy", state=state)
    if made.y is None:
        raise ValueError(f"the formula {survey.formula!r} names no response; write one to the left of ~, as in 'y ~ x'")
    left, _ = terms(survey.formula, survey.names)
    response = tuple((factor.expr, factor.eval_method.value) for term in left for factor in term.factors)
    levels = None
    if made.y_levels is not None:
        levels = FactorPlan(response[0][0], "categorical", response[0][1], tuple(made.y_levels))
    recipe = Recipe(response, made.design, dict(survey.extras), levels, tables.what)
    return recipe, list(made.column_names), list(made.terms)


def streamed_rows(model: Any, tables: Tables, offset: Any, exposure: Any) -> NewRows:
    """Return rows to predict for that stream by: their products with coefficients are passes over the tables.

    Rows with a missing value are left out. Offset and exposure come from the columns that the model names, or from those
    named here.
    """
    data = model.data
    beside = {name: text for name, text in data.expressions.items() if name in ("offset", "exposure")}
    beside |= {name: text for name, text in (("offset", offset), ("exposure", exposure)) if text is not None}
    for name, text in beside.items():
        if not isinstance(text, str):
            raise ValueError(
                f"{name} must name a column or an expression: an array can't follow rows that are streamed"
            )
    formula = data.frozen.formula
    right = "1 ~ " + formula.partition("~")[2] if "~" in formula else formula
    columns = needed_columns(right, tuple(tables.names), beside) or tables.names[:1]
    maker = Maker(
        Recipe((), data.frozen, beside, None, tables.what), None if data.chosen is None else tuple(data.chosen)
    )
    return NewRows(StreamedProducts(tables, columns, maker, len(data.names)))  # type: ignore[arg-type]


class StreamedProducts:
    """The design of new rows that stream by, with their offset: X b + offset, table by table."""

    def __init__(self, tables: Tables, columns: Sequence[str], maker: Maker, width: int):
        self.tables, self.columns, self.maker, self.width = tables, columns, maker, width

    def matvec(self, vector: Array) -> Array:
        return np.concatenate(list(self.tables.each(functools.partial(_predictor, self.maker, vector), self.columns)))


def _predictor(maker: Maker, vector: Array, table: Mapping[str, Any], number: int) -> Array:
    data = maker.data(table)
    if data is None:
        return np.zeros(0)
    eta, offset = data.design.matvec(vector), data.linear_offset()
    return eta if offset is None else eta + offset
