"""The right side of a formula once its levels and knots are known: it makes the same columns of any table."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from natfit.data.checks import all_finite, check_missing, check_not_infinite
from natfit.data.formulas.expand import FactorPlan, Part, Rows, expand_dense, expand_tabmat
from natfit.data.formulas.response import one_column
from natfit.data.formulas.values import Values, level_codes
from natfit.data.table import Table

if TYPE_CHECKING:
    from natfit.data.formulas.evaluate import Evaluator

Array = np.ndarray[Any, np.dtype[np.float64]]

EXPAND = {"dense": expand_dense, "tabmat": expand_tabmat}


class NewRows(NamedTuple):
    """A design's columns for new data: the matrix, the rows kept (None for all), and the labels of all rows given."""

    matrix: Any
    index: Any
    kept: np.ndarray | None


class _Module(NamedTuple):
    """A module, in a pickle."""

    name: str


@dataclass(frozen=True)
class Design:
    """The right side of a formula, frozen: it builds the same columns for new data.

    Attributes
    ----------
    formula : str
    column_names : tuple of str
    terms : tuple of (str, slice)
        Each term's name and its columns.
    factors : dict of str to FactorPlan
        Kind, levels, contrasts and columns of every factor.
    state : dict
        What transforms learned: knots, centres, scales, polynomial coefficients.
    context : dict
        Names of the caller that the formula uses.
    written : dict of str to tuple of str
        The terms in the order written, each with its factors; empty for the constant.
    """

    formula: str
    column_names: tuple[str, ...]
    terms: tuple[tuple[str, slice], ...]
    parts: tuple[Part, ...]
    factors: dict[str, FactorPlan]
    state: dict[str, Any]
    context: dict[str, Any]
    layout: str = "dense"
    written: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """For pickling: modules that the formula uses go by their names."""
        context = {name: _Module(v.__name__) if isinstance(v, ModuleType) else v for name, v in self.context.items()}
        return {**self.__dict__, "context": context}

    def __setstate__(self, state: dict[str, Any]) -> None:
        known = {name: import_module(v.name) if isinstance(v, _Module) else v for name, v in state["context"].items()}
        self.__dict__.update(state, context=known)

    @property
    def levels(self) -> dict[str, list[Any]]:
        """The levels of each factor that has any."""
        return {name: list(plan.levels) for name, plan in self.factors.items() if plan.kind == "categorical"}

    def matrix(self, data: Any, missing: str = "drop", layout: str | None = None) -> NewRows:
        """Build the design's columns for new data.

        Parameters
        ----------
        data : DataFrame or mapping
            Needs the columns of the right side only.
        missing : {"drop", "raise", "none"}
        layout : {"dense", "tabmat"}, optional
            As the design was built, if left out.

        Returns
        -------
        NewRows
            ``matrix``, ``index`` and ``kept``.

        Raises
        ------
        ValueError
            A column is missing, of another kind, not finite, or has a level that the design does not know.

        Examples
        --------
        >>> from natfit.data.formulas.design import build_design
        >>> made = build_design("y ~ x + g", {"y": [1, 2, 3], "x": [1, 2, 4], "g": ["a", "b", "b"]})
        >>> made.design.matrix({"x": [7.0], "g": ["b"]}).matrix
        array([[1., 7., 1.]])
        """
        evaluator = self._evaluator(data)
        values = {name: evaluator.again(plan) for name, plan in self.factors.items()}
        table = evaluator.table
        dropped = check_missing(missing_masks(values, {}), missing, table.n_rows)
        kept = None if dropped is None else ~dropped
        rows = evaluated_rows(evaluator, values, self.factors, kept)
        return NewRows(EXPAND[layout or self.layout](self.parts, self.factors, rows), table.index, kept)

    def evaluate(self, expression: str, data: Any) -> Array:
        """Evaluate a column name or an expression on new data, as (n,) floats; NaN where it is missing.

        Examples
        --------
        >>> from natfit.data.formulas.design import build_design
        >>> made = build_design("y ~ 1", {"y": [1, 2], "n": [1.0, 2.0]}, extras={"offset": "log(n)"})
        >>> made.design.evaluate("log(n)", {"n": [1.0]})
        array([0.])
        """
        return one_column(self._evaluator(data)(expression), expression, expression)

    def _evaluator(self, data: Any) -> Evaluator:
        from natfit.data.formulas.evaluate import Evaluator

        return Evaluator(Table(data, "the new data"), self.context, copy.deepcopy(self.state))


def missing_masks(values: Mapping[str, Values], columns: Mapping[str, Array]) -> dict[str, np.ndarray]:
    """Find the rows with missing values in each factor and extra column that has any."""
    masks = {name: each.missing for name, each in values.items() if each.missing is not None}
    for name, column in columns.items():
        if not all_finite(column) and np.isnan(column).any():
            masks[name] = np.isnan(column)
    return masks


def evaluated_rows(
    evaluator: Evaluator, values: Mapping[str, Values], plans: Mapping[str, FactorPlan], kept: Any
) -> Rows:
    """Check the kept rows of every factor, code the levels, and hand both on to be expanded."""
    codes = {}
    for name, plan in plans.items():
        if plan.kind == "categorical":
            codes[name] = level_codes(plan, values[name], kept, evaluator.table.what)
        elif plan.kind == "numeric" and not values[name].finite:
            for column_name, column in evaluator.numbers(name).items():
                check_not_infinite(column, column_name, kept)
    n_rows = evaluator.table.n_rows if kept is None else int(kept.sum())
    return Rows(evaluator.numbers, codes, kept, n_rows)
