"""A formula frozen for tables that stream by: from any table to the response, the design and the columns beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from formulaic.parser.types import Factor

from natfit.data.checks import check_missing, check_not_infinite
from natfit.data.design import _EXPAND, Design, _masks, _rows
from natfit.data.expand import FactorPlan
from natfit.data.response import keep, make_response, one_column
from natfit.data.values import level_codes

Array = np.ndarray[Any, np.dtype[Any]]


class Made(NamedTuple):
    """What a recipe makes of a table: one entry for each row that is kept."""

    y: Array
    matrix: Any
    extras: dict[str, Array]
    n_missing: int


@dataclass(frozen=True)
class Recipe:
    """The left side, the frozen right side, and the columns that go with the rows.

    Parameters
    ----------
    response : tuple of (str, str)
        Expressions of the left side, and how each is evaluated; empty for rows to predict.
    design : Design
    extras : mapping of str to str
        Offset, weights and the like: expressions by name.
    levels : FactorPlan, optional
        Of a response that has two.
    what : str
        What to call the data in messages.
    """

    response: tuple[tuple[str, str], ...]
    design: Design
    extras: Mapping[str, str]
    levels: FactorPlan | None
    what: str

    def __call__(self, table: Mapping[str, Any]) -> Made | None:
        """Return what is made of a table; None where no row of it is kept.

        Raises
        ------
        ValueError
            The table has a level that the first pass did not see, or an infinite value.
        """
        evaluator = self.design._evaluator(table)
        evaluator.table.what = self.what
        response = {name: evaluator(Factor(name, eval_method=method)) for name, method in self.response}
        columns = {name: one_column(evaluator(text), name, text) for name, text in self.extras.items()}
        plans = self.design.factors
        values = {name: evaluator.again(plan) for name, plan in plans.items()}
        n_rows = evaluator.table.n_rows
        dropped = check_missing(_masks({**response, **values}, columns), "drop", n_rows)
        kept = None if dropped is None else ~dropped
        n_missing = 0 if dropped is None else int(dropped.sum())
        if n_missing == n_rows:
            return None
        for name, column in columns.items():
            check_not_infinite(column, name, kept)
        y = np.zeros(n_rows - n_missing)  # where none is asked for: rows to predict
        if self.levels is not None:
            y = level_codes(self.levels, response[self.levels.expression], kept, self.what).astype(np.float64)
        elif response:
            made, _, _ = make_response(response, kept)
            assert made is not None
            y = made
        rows = _rows(evaluator, values, plans, kept)
        matrix = _EXPAND[self.design.layout](self.design.parts, plans, rows)
        return Made(y, matrix, {name: keep(column, kept) for name, column in columns.items()}, n_missing)
