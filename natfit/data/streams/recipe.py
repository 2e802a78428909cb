"""Formulas frozen for tables that stream by: from any table to the response, the designs and the columns beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from formulaic.parser.types import Factor

from natfit.data.apart import Apart
from natfit.data.checks import check_missing, check_not_infinite
from natfit.data.formulas.expand import FactorPlan, Rows, expand_apart, expand_tabmat, prefers_tabmat
from natfit.data.formulas.frozen import Design, evaluated_rows, missing_masks
from natfit.data.formulas.response import keep, make_response, one_column
from natfit.data.formulas.values import level_codes
from natfit.data.matrix import Columns, as_columns

Array = np.ndarray[Any, np.dtype[Any]]


class Made(NamedTuple):
    """What a recipe makes of a table: one entry for each row that is kept; ``kept`` says which, None for all."""

    y: Array
    designs: dict[str, Columns]
    extras: dict[str, Array]
    kept: Array | None


@dataclass(frozen=True)
class Recipe:
    """The left side, the frozen right sides, and the columns that go with the rows.

    Parameters
    ----------
    response : tuple of (str, str)
        Expressions of the left side, and how each is evaluated; empty for rows to predict.
    designs : mapping of str to Design
        By name: ``"mean"`` alone for a GLM, one for each parameter of a distribution. Those that are the same object are
        expanded once.
    extras : mapping of str to str
        Offset, weights and the like: expressions by name.
    levels : FactorPlan, optional
        Of a response that has some; it becomes the number of each row's level, from 0.
    what : str
        What to call the data in messages.
    chosen : mapping of str to tuple of int
        The columns that are used of a design, where some are left out.
    """

    response: tuple[tuple[str, str], ...]
    designs: Mapping[str, Design]
    extras: Mapping[str, str]
    levels: FactorPlan | None
    what: str
    chosen: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def y_name(self) -> str:
        """The left side, as it was written."""
        return " + ".join(name for name, _ in self.response)

    def __call__(self, table: Mapping[str, Any]) -> Made | None:
        """Return what is made of a table; None where no row of it is kept.

        Raises
        ------
        ValueError
            The table has a level that the first pass did not see, or an infinite value.
        """
        evaluator = self._whole()._evaluator(table)
        evaluator.table.what = self.what
        response = {name: evaluator(Factor(name, eval_method=method)) for name, method in self.response}
        columns = {name: one_column(evaluator(text), name, text) for name, text in self.extras.items()}
        plans = {name: plan for design in self.designs.values() for name, plan in design.factors.items()}
        values = {name: evaluator.again(plan) for name, plan in plans.items()}
        n_rows = evaluator.table.n_rows
        dropped = check_missing(missing_masks({**response, **values}, columns), "drop", n_rows)
        kept = None if dropped is None else ~dropped
        n_kept = n_rows if kept is None else int(kept.sum())
        if not n_kept:
            return None
        for name, column in columns.items():
            check_not_infinite(column, name, kept)
        y = np.zeros(n_kept)  # where none is asked for: rows to predict
        if self.levels is not None:
            y = level_codes(self.levels, response[self.levels.expression], kept, self.what).astype(np.float64)
        elif response:
            made, _, _ = make_response(response, kept)
            assert made is not None
            y = made
        rows = evaluated_rows(evaluator, values, plans, kept)
        expanded: dict[tuple[int, tuple[int, ...] | None], Columns] = {}
        designs = {}
        for name, design in self.designs.items():
            chosen = self.chosen.get(name)
            known = (id(design), chosen)
            if known not in expanded:
                expanded[known] = _expanded(design, rows, chosen)
            designs[name] = expanded[known]
        return Made(y, designs, {name: keep(column, kept) for name, column in columns.items()}, kept)

    def _whole(self) -> Design:
        """Return the first design with what the transforms of all of them have learned, and the names that all use."""
        first, *others = self.designs.values()
        if not others:
            return first
        state = {name: value for design in (first, *others) for name, value in design.state.items()}
        context = {name: value for design in (first, *others) for name, value in design.context.items()}
        return replace(first, state=state, context=context)

    def for_rows(self, n_rows: int) -> Recipe:
        """Return the recipe with each design in the layout that suits so many rows."""
        made: dict[int, Design] = {}
        for design in self.designs.values():
            wide = prefers_tabmat(design.parts, design.factors, n_rows)
            made[id(design)] = replace(design, layout="tabmat") if wide else design
        return replace(self, designs={name: made[id(design)] for name, design in self.designs.items()})


def _expanded(design: Design, rows: Rows, chosen: tuple[int, ...] | None) -> Columns:
    """Return a design's columns, those that are chosen; where they can be, they are left apart until a block wants them."""
    expand = expand_tabmat if design.layout == "tabmat" else expand_apart
    matrix = expand(design.parts, design.factors, rows)
    if chosen is not None:
        matrix = matrix.choose(chosen) if isinstance(matrix, Apart) else matrix[:, list(chosen)]
    return as_columns(matrix)
