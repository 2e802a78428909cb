"""The first pass over tables that stream by: it counts rows, finds levels and knots, and keeps a sample of the rows."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from natfit.data.checks import check_missing
from natfit.data.formulas.evaluate import Evaluator
from natfit.data.formulas.parse import parse_formula
from natfit.data.formulas.response import Levels, one_column
from natfit.data.formulas.values import Values
from natfit.data.streams.tables import Tables
from natfit.data.table import Table

Array = np.ndarray[Any, np.dtype[Any]]

SCOUTS = 250_000
"""Rows kept in memory as a sample: enough for a lazy fit of a few hundred columns, and some tens of megabytes."""
SCOUTS_PER_TABLE = 16_384
"""Rows of one table that are kept until the tables have been counted."""
LEARN_BYTES = 256 << 20
"""Transforms that learn (knots, centres) learn from all rows where their columns are no larger than this, otherwise from
the sample."""
RUN = 16
"""Rows of the sample that lie side by side."""

Rows = dict[str, Any]


@dataclass
class Surveyed:
    """What the first pass knows of some tables.

    ``examples`` holds, for each factor with levels, a row of the table for every level; ``orders`` the categories of the
    columns that came as such; ``scouts`` rows spread over each table; ``learns`` whether a transform learns from them.
    """

    n_rows: int
    n_missing: int
    missing_in: dict[str, int]
    examples: dict[str, dict[Any, Rows]]
    orders: dict[str, Levels]
    scouts: list[Rows] = field(default_factory=list)
    learns: bool = False

    def merge(self, other: Surveyed) -> Surveyed:
        self.n_rows += other.n_rows
        self.n_missing += other.n_missing
        for name, count in other.missing_in.items():
            self.missing_in[name] = self.missing_in.get(name, 0) + count
        for factor, levels in other.examples.items():
            own = self.examples.setdefault(factor, {})
            for level, row in levels.items():
                own.setdefault(level, row)
        for name, order in other.orders.items():
            self.orders[name] = united(name, self.orders[name], order) if name in self.orders else order
        self.scouts = scouted(self.scouts + other.scouts)
        return self

    def example_rows(self) -> list[Rows]:
        """Return the example rows of all factors."""
        return [row for levels in self.examples.values() for row in levels.values()]


@dataclass(frozen=True)
class Survey:
    """Looks one table over."""

    formulas: tuple[str, ...]
    names: tuple[str, ...]
    columns: tuple[str, ...]
    context: Mapping[str, Any]
    extras: Mapping[str, str]
    what: str

    def __call__(self, table: Mapping[str, Any], number: int) -> Surveyed:
        evaluator = Evaluator(Table(table, self.what), self.context, {})
        factors = formula_factors(self.formulas, self.names)
        masks: dict[str, Array] = {}
        levels: dict[str, Values] = {}
        for name, factor in factors.items():
            learns = evaluator.learns_from(factor)
            if learns is not None:
                for column in learns:
                    _add_mask(masks, column, evaluator.table[column].isna().to_numpy())
                continue
            values = evaluator(factor)
            if values.missing is not None:
                masks[name] = values.missing
            if values.kind == "categorical":
                levels[name] = values
        for name, text in self.extras.items():
            _add_mask(masks, name, np.isnan(one_column(evaluator(text), name, text)))
        n_rows = evaluator.table.n_rows
        dropped = check_missing(masks, "drop", n_rows)
        kept = None if dropped is None else ~dropped
        n_missing = 0 if dropped is None else int(dropped.sum())
        return Surveyed(
            n_rows=n_rows - n_missing,
            n_missing=n_missing,
            missing_in={name: int(mask.sum()) for name, mask in masks.items()},
            examples={name: self._examples(values, kept, table) for name, values in levels.items()},
            orders={name: order for name in self.columns if (order := _order(table[name]))},
            scouts=_spread(taken(table, self.columns, np.arange(n_rows) if kept is None else np.flatnonzero(kept))),
            learns=any(evaluator.learns_from(factor) is not None for factor in factors.values()),
        )

    def _examples(self, values: Values, kept: Array | None, table: Mapping[str, Any]) -> dict[Any, Rows]:
        assert values.levels is not None
        codes = values.levels.cat.codes.to_numpy()
        places = np.arange(codes.size) if kept is None else np.flatnonzero(kept)
        first = np.full(len(values.levels.cat.categories) + 1, -1)
        first[codes[places[::-1]]] = places[::-1]
        categories = values.levels.cat.categories.tolist()
        return {
            level: taken(table, self.columns, np.array([first[code]]))
            for code, level in enumerate(categories)
            if first[code] >= 0
        }


def scouted(parts: Sequence[Mapping[str, Any]], share: float = 1.0) -> list[Rows]:
    """Return a share of the rows of tables in runs, spread evenly, of which there are not too many."""
    spread = [each for part in parts for each in _spread(part, share)]
    while sum(_length(part) for part in spread) > SCOUTS:
        spread = [_thinned(part) for part in spread]
    return spread


def _spread(rows: Mapping[str, Any], share: float = 1.0) -> list[Rows]:
    """Return runs of rows of one table, spread over it."""
    n_rows = _length(rows)
    runs = min(max(int(n_rows * share), RUN), SCOUTS_PER_TABLE) // RUN
    if n_rows <= runs * RUN or (share == 1.0 and n_rows <= SCOUTS_PER_TABLE):
        return [dict(rows)] if n_rows else []
    starts = np.linspace(0, n_rows - RUN, runs).astype(int)
    return [taken(rows, list(rows), (starts[:, None] + np.arange(RUN)).ravel())]


@functools.lru_cache(maxsize=64)
def terms(formula: str, names: tuple[str, ...]) -> tuple[list[Any], list[Any]]:
    """Return the terms of a formula's left and right sides; read once for all tables."""
    return parse_formula(formula, names)


def formula_factors(formulas: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Return the factors of formulas' both sides by their expressions, each once."""
    sides = [side for formula in formulas for side in terms(formula, tuple(names))]
    return {factor.expr: factor for side in sides for term in side for factor in term.factors}


def needed_columns(formulas: Sequence[str], names: Sequence[str], extras: Mapping[str, str]) -> list[str]:
    """Return the columns that formulas and the expressions beside them use, in the tables' order."""
    used = names_used(formulas, names, extras)
    return [name for name in names if name in used]


def names_used(formulas: Sequence[str], names: Sequence[str], extras: Mapping[str, str]) -> set[str]:
    """Return the names in formulas and in the expressions beside them: of columns, functions and constants."""
    import ast

    from natfit.data.formulas.parse import parse_python

    factors = formula_factors(formulas, names)
    texts = [name for name, factor in factors.items() if factor.eval_method.value != "literal"]
    used: set[str] = set()
    for text in [*texts, *extras.values()]:
        if text in names:
            used.add(text)
            continue
        for node in ast.walk(parse_python(text)[0]):
            if isinstance(node, ast.Name):
                used.add(node.id)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                used.add(node.value)  # as in Q('weird name')
    return used


def joined(parts: Sequence[Rows], columns: Sequence[str], orders: Mapping[str, Levels]) -> Rows:
    """Put rows of several tables into one table."""
    import pandas as pd

    whole: Rows = {}
    for name in columns:
        if name in orders:
            values = [value for part in parts for value in pd.Series(part[name]).astype(object)]
            whole[name] = pd.Categorical(values, categories=orders[name], ordered=orders[name].ordered)
        else:
            whole[name] = np.concatenate([np.asarray(part[name]) for part in parts])
    return whole


def learned(tables: Tables, surveyed: Surveyed, survey: Survey) -> dict[str, Any]:
    """Return what the formulas' transforms learn: from all rows, or from the sample where that would be too much."""
    sample = joined(surveyed.scouts, survey.columns, surveyed.orders)
    evaluator = Evaluator(Table(sample, survey.what), survey.context, {})
    learning = {}
    for name, factor in formula_factors(survey.formulas, survey.names).items():
        columns = evaluator.learns_from(factor)
        if columns is not None:
            learning[name] = (factor, columns)
    if not learning:
        return {}
    used = sorted({column for _, columns in learning.values() for column in columns})
    if surveyed.n_rows * len(used) * 8 <= LEARN_BYTES:
        parts = tables.each(functools.partial(_all_rows, used), used)
        evaluator = Evaluator(Table(joined(list(parts), used, surveyed.orders), survey.what), survey.context, {})
    for factor, _ in learning.values():
        evaluator(factor)
    return evaluator.state


def _all_rows(used: Sequence[str], table: Mapping[str, Any], number: int) -> Rows:
    return {name: table[name] for name in used}


def taken(table: Mapping[str, Any], columns: Sequence[str], places: Array) -> Rows:
    """Return some rows of some columns of a table."""
    rows: Rows = {}
    for name in columns:
        column = table[name]
        rows[name] = column.iloc[places].reset_index(drop=True) if hasattr(column, "iloc") else column[places]
    return rows


def _add_mask(masks: dict[str, Array], name: str, mask: Array) -> None:
    if mask.any():
        masks[name] = mask | masks[name] if name in masks else mask


def _order(column: Any) -> Levels:
    """Return the categories of a column that has them, in their order."""
    dtype = getattr(column, "dtype", None)
    categories = getattr(dtype, "categories", None)
    found = Levels([] if categories is None else list(categories))
    found.ordered = bool(getattr(dtype, "ordered", False))
    return found


def united(name: str, one: Levels, other: Levels) -> Levels:
    """Return all categories that two tables have of a column.

    They stand in order where both are in order (texts are), otherwise as they first came. Those that have an order by
    themselves must agree on it: one table may lack some of the other's.

    Raises
    ------
    ValueError
        The categories are ordered, and differ by more than some that one of the tables lacks.
    """
    if one == other and one.ordered == other.ordered:
        return one
    if one.ordered or other.ordered:
        longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
        if one.ordered and other.ordered and [each for each in longer if each in set(shorter)] == shorter:
            return longer
        raise ValueError(
            f"the ordered categories of {name!r} are {_shown(one)} in one table and {_shown(other)} in another; give all "
            "tables the same"
        )
    both = [*one, *(level for level in other if level not in set(one))]
    return Levels(sorted(both) if all(each == sorted(each) for each in (one, other)) else both)


def _shown(levels: Levels) -> str:
    shown = (" < " if levels.ordered else ", ").join(map(repr, levels[:10]))
    return shown + (" ..." if len(levels) > 10 else "") + ("" if levels.ordered else " without an order")


def _length(rows: Mapping[str, Any]) -> int:
    return len(next(iter(rows.values())))


def _thinned(rows: Rows) -> Rows:
    """Return every other run of rows."""
    places = np.arange(_length(rows))
    return taken(rows, list(rows), places[(places // RUN) % 2 == 0])
