"""The response of a formula, and the columns that go with it: offsets, exposures, weights, trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import check_lengths, check_not_infinite
from natfit.data.numbers import as_column

if TYPE_CHECKING:
    from natfit.data.formulas.evaluate import Evaluator
    from natfit.data.formulas.values import Values

Array = np.ndarray[Any, np.dtype[np.float64]]


def keep(column: Array, kept: np.ndarray | None) -> Array:
    return column if kept is None else column[kept]


def one_column(values: Values, name: str, expression: str) -> Array:
    if values.kind != "numeric" or len(values.columns) != 1:
        raise ValueError(f"{name!r} must be one column of numbers, and {expression!r} is not")
    return next(iter(values.columns.values()))


def extra_column(name: str, value: Any, evaluator: Evaluator) -> Array:
    """Turn an offset or weight, given as an array, a column's name or an expression, into a column of floats."""
    if isinstance(value, str):
        return one_column(evaluator(value), name, value)
    column = as_column(name, value, evaluator.table.index)
    check_lengths({"data": evaluator.table.n_rows, name: len(column)})
    return column


class Levels(list[Any]):
    """The levels of a response, in their order, and whether the data themselves say that they are ordered."""

    ordered = False


def make_response(
    response: Mapping[str, Values], kept: np.ndarray | None, many_levels: bool = False
) -> tuple[Array | None, list[str], Any]:
    """Make the response of the evaluated left side: numbers, several columns, or the number of a row's level from 0."""
    if not response:
        return None, [], None
    if any(each.kind == "categorical" for each in response.values()):
        return _levels_response(response, kept, many_levels)
    columns: dict[str, Array] = {}
    for each in response.values():
        columns |= each.columns
    if not columns:
        raise ValueError(
            f"the left side of the formula, {' + '.join(response)}, is not a response; name a column there"
        )
    for name, column in columns.items():
        check_not_infinite(column, name, kept)
    chosen = [keep(column, kept) for column in columns.values()]
    return (chosen[0] if len(chosen) == 1 else np.column_stack(chosen)), list(columns), None


def _levels_response(
    response: Mapping[str, Values], kept: np.ndarray | None, many: bool
) -> tuple[Array, list[str], list[Any]]:
    name, values = next(iter(response.items()))
    if len(response) > 1 or values.levels is None:
        raise ValueError(
            f"the response {' + '.join(response)} mixes levels and numbers; name one column of levels, or counts"
        )
    series = values.levels if kept is None else values.levels[kept]
    if not many:  # a class without rows is for the family of classes to refuse
        series = series.cat.remove_unused_categories()
    levels = Levels(series.cat.categories.tolist())
    levels.ordered = bool(series.cat.ordered)
    if len(levels) != 2 and not many:
        shown = ", ".join(map(repr, levels[:10])) + (", ..." if len(levels) > 10 else "")
        raise ValueError(
            f"the response {name!r} must have two levels, and has {len(levels)} in the rows used ({shown}); "
            "the second of two is modelled"
        )
    return series.cat.codes.to_numpy().astype(np.float64), [name], levels
