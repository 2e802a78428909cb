"""Formulas frozen for tables that stream by: levels and knots of several designs found in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from natfit.data.formulas.design import build_design
from natfit.data.formulas.expand import FactorPlan
from natfit.data.streams.recipe import Recipe
from natfit.data.streams.survey import Survey, Surveyed, joined, learned, names_used, needed_columns, terms
from natfit.data.streams.tables import Tables


class Frozen(NamedTuple):
    """Formulas frozen for some tables.

    Attributes
    ----------
    recipe : Recipe
    names : dict of str to list of str
        The columns of each design that are used.
    terms : dict of str to list of (str, slice)
    levels : list, optional
        Of a response that has some.
    responses : (m,) or (m, k) ndarray
        Of the few rows from which the designs were frozen: every level of the response is among them.
    columns : tuple of str
        The columns that are read.
    orders : dict of str to list
        Categories of the columns that came as such.
    """

    recipe: Recipe
    names: dict[str, list[str]]
    terms: dict[str, list[tuple[str, slice]]]
    levels: list[Any] | None
    responses: Any
    columns: tuple[str, ...]
    orders: dict[str, Any]


def freeze(
    tables: Tables,
    formulas: Mapping[str, str],
    extras: Mapping[str, Any],
    context: Mapping[str, Any],
    drop_cols: Sequence[str] = (),
    many_levels: bool = False,
) -> Frozen:
    """Freeze formulas, one for each design by name: find levels and knots of all of them in one pass.

    Parameters
    ----------
    tables : Tables
    formulas : mapping of str to str
        The first names the response to the left of its ~; the others may name the same, or none.
    extras : mapping of str to str or None
        Columns or expressions for offset, weights and the like.
    context : mapping
        The caller's names.
    drop_cols : sequence of str
        Columns of the designs that are left out.
    many_levels : bool
        Whether a response of levels may have more than two.

    Raises
    ------
    ValueError
        In one sentence: a column is not there, an extra is an array and not a column, or there are no rows.
    """
    beside = {name: value for name, value in extras.items() if value is not None}
    for name, value in beside.items():
        if not isinstance(value, str):
            raise ValueError(
                f"{name} must name a column or an expression where the rows are streamed; an array can't follow them"
            )
    names, texts = tuple(tables.names), tuple(dict.fromkeys(formulas.values()))
    columns = tuple(needed_columns(texts, names, beside)) or names[:1]
    used = names_used(texts, names, beside)
    context = {name: context[name] for name in used if name in context}  # all else stays here, and need not travel
    survey = Survey(texts, names, columns, context, beside, tables.what)
    surveyed, all_seen = _look(tables, survey)
    return _freeze(tables, formulas, survey, surveyed, all_seen, drop_cols, many_levels)


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
    tables: Tables,
    formulas: Mapping[str, str],
    survey: Survey,
    surveyed: Surveyed,
    all_seen: bool,
    drop_cols: Sequence[str],
    many_levels: bool,
) -> Frozen:
    """Build the formulas' designs from a row for every level, with what their transforms learn."""
    if surveyed.n_rows == 0:
        raise ValueError(f"there are no rows to fit; all {surveyed.n_missing} of {tables.what} have a missing value")
    state = learned(tables, surveyed, survey) if all_seen else {}
    rows = [*surveyed.example_rows(), *surveyed.scouts[:1]]
    prototype = joined(rows, survey.columns, surveyed.orders)
    made = {
        text: build_design(
            text,
            prototype,
            context=survey.context,
            layout="dense",
            order="patsy",
            many_levels=many_levels,
            state=state,
        )
        for text in survey.formulas
    }
    first = next(iter(formulas.values()))
    if made[first].y is None:
        raise ValueError(f"the formula {first!r} names no response; write one to the left of ~, as in 'y ~ x'")
    left, _ = terms(first, survey.names)
    response = tuple((factor.expr, factor.eval_method.value) for term in left for factor in term.factors)
    found, levels = made[first].y_levels, None
    if found is not None:
        levels = FactorPlan(response[0][0], "categorical", response[0][1], tuple(found))
    gone = set(drop_cols)
    names, chosen = {}, {}
    for name, text in formulas.items():
        places = tuple(j for j, column in enumerate(made[text].column_names) if column not in gone)
        names[name] = [made[text].column_names[j] for j in places]
        if gone:
            chosen[name] = places
    designs = {name: made[text].design for name, text in formulas.items()}
    recipe = Recipe(response, designs, dict(survey.extras), levels, tables.what, chosen)
    slices = {name: list(made[text].terms) for name, text in formulas.items()}
    return Frozen(recipe, names, slices, found, made[first].y, survey.columns, surveyed.orders)
