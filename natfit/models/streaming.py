"""From tables that stream by to a GLM's data: levels and knots found, rows counted; and new rows to predict for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from natfit.data.streams.counting import Maker, count_rows
from natfit.data.streams.freezing import freeze
from natfit.data.streams.recipe import Recipe
from natfit.data.streams.stream import never_whole, quadratic
from natfit.data.streams.survey import needed_columns
from natfit.data.streams.tables import Tables, say_where
from natfit.models.rows import NewRows
from natfit.models.streamed import StreamedData, describe, take

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
    frozen = freeze(tables, {"mean": formula}, extras, context, drop_cols or ())
    counted = count_rows(tables, frozen, functools.partial(take, frozen.recipe.y_name), describe, missing)
    return StreamedData(counted, frozen)


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
    columns = needed_columns([right], tuple(tables.names), beside) or tables.names[:1]
    chosen = {} if data.chosen is None else {"mean": tuple(data.chosen)}
    recipe = Recipe((), {"mean": data.frozen}, beside, None, tables.what, chosen)
    maker = Maker(recipe, functools.partial(take, ""))
    return NewRows(StreamedProducts(tables, columns, maker, len(data.names)))  # type: ignore[arg-type]


class StreamedProducts:
    """The design of new rows that stream by, with their offset: X b + offset, table by table.

    Parameters
    ----------
    tables : Tables
    columns : sequence of str
    maker : Maker
    width : int
        Columns of the design.
    """

    def __init__(self, tables: Tables, columns: Sequence[str], maker: Maker, width: int):
        self.tables, self.columns, self.maker, self.width = tables, columns, maker, width

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; a pass counts the rows that lack no value."""
        return len(self.matvec(np.zeros(self.width))), self.width

    def matvec(self, vector: Array) -> Array:
        """Return X b + offset of the rows that lack no value."""
        return self._of_rows(functools.partial(_predictor, self.maker, vector))

    def quadratic(self, matrix: Array) -> Array:
        """Return x' M x of each row that lacks no value."""
        return self._of_rows(functools.partial(_quadratic, self.maker, matrix))

    def column(self, expression: str) -> Array:
        """Return a column, or an expression, of the rows that lack no value."""
        further = needed_columns([], tuple(self.tables.names), {"": expression})
        return self._of_rows(functools.partial(_column, self.maker, expression), further)

    def pieces(self) -> Iterator[tuple[Array, Array | None]]:
        """Yield the rows that lack no value, and their offset, table by table."""
        yield from self._of_tables(functools.partial(_piece, self.maker), self.columns)

    def _of_rows(self, function: Callable[[Mapping[str, Any], int], Array], further: Sequence[str] = ()) -> Array:
        found = list(self._of_tables(function, list(dict.fromkeys([*self.columns, *further]))))
        return np.concatenate(found) if found else np.zeros(0)

    def _of_tables(self, function: Callable[[Mapping[str, Any], int], Any], columns: Sequence[str]) -> Iterator[Any]:
        try:
            yield from self.tables.each(function, columns)
        except ValueError as error:
            say_where(self.tables, columns, function, error)

    def rows(self, start: int, stop: int) -> Any:
        """Refuse: rows are never held together."""
        raise never_whole(self.tables.what)

    def take(self, rows: Array) -> Any:
        """Refuse, as `rows`."""
        raise never_whole(self.tables.what)

    def dense(self) -> Array:
        """Refuse, as `rows`."""
        raise never_whole(self.tables.what)


def _predictor(maker: Maker, vector: Array, table: Mapping[str, Any], number: int) -> Array:
    data = maker.data(table)
    if data is None:
        return np.zeros(0)
    eta, offset = data.design.matvec(vector), data.linear_offset()
    return eta if offset is None else eta + offset


def _piece(maker: Maker, table: Mapping[str, Any], number: int) -> tuple[Array, Array | None]:
    data = maker.data(table)
    if data is None:
        return np.zeros((0, 0)), None
    return data.design.dense(), data.linear_offset()


def _column(maker: Maker, expression: str, table: Mapping[str, Any], number: int) -> Array:
    made = maker.recipe(table)
    if made is None:
        return np.zeros(0)
    whole = maker.recipe.designs["mean"].evaluate(expression, table)
    return whole if made.kept is None else whole[made.kept]


def _quadratic(maker: Maker, matrix: Array, table: Mapping[str, Any], number: int) -> Array:
    data = maker.data(table)
    return np.zeros(0) if data is None else quadratic(matrix, data.design)
