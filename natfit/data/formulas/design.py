"""From a formula and a table to the response, the design and the columns that go with it; levels and knots frozen.

Rows with a missing value in anything the model uses are dropped together. Factors are evaluated on whole columns, as in
R and patsy; levels that no kept row has are left out, as R's ``glm`` does (patsy keeps them as columns of zeros, which
no likelihood can estimate).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from natfit.data.apart import Apart
from natfit.data.checks import all_finite, check_missing, check_not_empty, check_not_infinite
from natfit.data.formulas.expand import (
    WIDE_BYTES,
    FactorPlan,
    Part,
    Rows,
    expand_apart,
    expand_dense,
    expand_tabmat,
    part_names,
    prefers_tabmat,
)
from natfit.data.formulas.response import extra_column, keep, make_response, one_column
from natfit.data.formulas.values import Values, level_codes
from natfit.data.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from natfit.data.formulas.evaluate import Evaluator

Array = np.ndarray[Any, np.dtype[np.float64]]


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
        >>> made = build_design("y ~ 1", {"y": [1, 2], "n": [1.0, 2.0]}, extras={"offset": "log(n)"})
        >>> made.design.evaluate("log(n)", {"n": [1.0]})
        array([0.])
        """
        return one_column(self._evaluator(data)(expression), expression, expression)

    def _evaluator(self, data: Any) -> Evaluator:
        from natfit.data.formulas.evaluate import Evaluator

        return Evaluator(Table(data, "the new data"), self.context, copy.deepcopy(self.state))


@dataclass
class DesignedData:
    """What a formula makes of a table, one entry for each row that is kept.

    Attributes
    ----------
    y : (n,) or (n, k) ndarray, or None
        The response; 0/1 where it has two levels; several columns for ``a + b ~ x``; None without a left side.
    y_name : str
    y_names : list of str
        Of the columns of y.
    y_levels : list, optional
        The levels of a response that has them, in order; of two, 1 stands for the second. Of a pandas Categorical they are
        a `Levels` that says whether they are ordered.
    matrix : (n, p) ndarray or tabmat matrix
    column_names : list of str
    terms : list of (str, slice)
    extras : dict of str to (n,) ndarray
        Offsets, weights and the like that were asked for.
    index : pandas.Index or None
        Row labels.
    kept : (rows of the data,) bool, optional
        Which rows are kept; None for all of them.
    n_missing : int
        Rows dropped.
    design : Design
    """

    y: Array | None
    y_name: str
    y_names: list[str]
    y_levels: list[Any] | None
    matrix: Any
    column_names: list[str]
    terms: list[tuple[str, slice]]
    extras: dict[str, Array]
    index: pd.Index[Any] | None
    kept: np.ndarray | None
    n_missing: int
    design: Design
    missing_in: dict[str, int] = field(default_factory=dict)


def build_design(
    formula: str,
    data: Any,
    *,
    extras: Mapping[str, Any] | None = None,
    missing: str = "drop",
    context: Mapping[str, Any] | None = None,
    layout: str = "auto",
    order: str = "formula",
    many_levels: bool = False,
    state: Mapping[str, Any] | None = None,
) -> DesignedData:
    """Build the response and the design that a formula describes.

    Parameters
    ----------
    formula : str
        As formulaic reads it, and what ``patsy_spelling`` adds.
    data : DataFrame or mapping
        pandas, polars, pyarrow and whatever narwhals reads; a mapping of arrays; a structured array.
    extras : mapping of str to array, str or None
        Columns that go with the rows: an array with one entry for each row of the data, a column's name, or an
        expression such as ``"log(service)"``.
    missing : {"drop", "raise", "none"}
    context : mapping, optional
        The caller's names, which formulas may use.
    layout : {"auto", "apart", "dense", "tabmat"}
        ``"auto"`` is dense but for large designs that are mostly zeros. ``"apart"`` is the same, but a large dense design
        of a pandas DataFrame is an `Apart`, whose columns are the frame's own.
    order : {"formula", "patsy"}
        Terms in the order written, within their degree; or factors first and then by the numbers they are multiplied
        with, as patsy and statsmodels have it.
    many_levels : bool
        Whether a response of levels may have more than two: it is then the number of each row's level, from 0.
    state : mapping, optional
        What transforms have learned before: knots, centres.

    Returns
    -------
    DesignedData

    Raises
    ------
    ValueError
        In one sentence: the formula can't be read, names a column or function that is not there, a column is not
        finite, the response has other than two levels, a factor has one level, or no rows are left.

    Examples
    --------
    >>> made = build_design("y ~ x + C(g)", {"y": [1, 0, 2], "x": [1.0, 2.0, float("nan")], "g": [1, 2, 2]})
    >>> made.column_names, made.n_missing
    (['Intercept', 'x', 'C(g)[T.2]'], 1)
    >>> made.matrix
    array([[1., 1., 0.],
           [1., 2., 1.]])
    """
    from natfit.data.formulas.coding import factors_of, plan_terms
    from natfit.data.formulas.evaluate import Evaluator
    from natfit.data.formulas.parse import parse_formula

    _check_choice("layout", layout, ("auto", "apart", "dense", "tabmat"))
    _check_choice("order", order, ("formula", "patsy"))
    lent = lent_by(data) if layout == "apart" else None
    table = Table(data if lent is None else lent)
    left, right = parse_formula(formula, table)
    check_not_empty(table.n_rows)
    evaluator = Evaluator(table, context or {}, dict(state or {}))
    response = {factor.expr: evaluator(factor) for term in left for factor in term.factors}
    given = {name: value for name, value in (extras or {}).items() if value is not None}
    columns = {name: extra_column(name, value, evaluator) for name, value in given.items()}
    factors = {factor.expr: factor for term in right for factor in term.factors}
    values = {name: evaluator.held(factor) for name, factor in factors.items()}

    masks = missing_masks({**response, **values}, columns)
    dropped = check_missing(masks, missing, table.n_rows)
    kept = None if dropped is None else ~dropped
    n_missing = 0 if dropped is None else int(dropped.sum())
    check_not_empty(table.n_rows - n_missing, dropped=n_missing)
    for name, column in columns.items():
        check_not_infinite(column, name, kept)

    y, y_names, y_levels = make_response(response, kept, many_levels)
    parts, terms, plans = plan_terms(right, values, kept, patsy_order=order == "patsy")
    names = [name for part in parts for name in part_names(part, plans)]
    check_not_empty(table.n_rows - n_missing, len(names))
    rows = evaluated_rows(evaluator, values, plans, kept)
    if layout in ("auto", "apart"):
        layout = "tabmat" if prefers_tabmat(parts, plans, rows.n_rows) else "dense"
    apart = lent is not None and layout == "dense" and 8 * rows.n_rows * len(names) > WIDE_BYTES
    matrix = (expand_apart if apart else EXPAND[layout])(parts, plans, rows)
    used = dict(evaluator.used)
    return DesignedData(
        y=y,
        y_name=" + ".join(response),
        y_names=y_names,
        y_levels=y_levels,
        matrix=matrix.owned_by(lent) if isinstance(matrix, Apart) else matrix,
        column_names=names,
        terms=terms,
        extras={name: keep(column, kept) for name, column in columns.items()},
        index=table.index if table.index is None or kept is None else table.index[kept],
        kept=kept,
        n_missing=n_missing,
        design=Design(
            formula, tuple(names), tuple(terms), tuple(parts), plans, evaluator.state, used, layout, factors_of(right)
        ),
        missing_in={name: int(mask.sum()) for name, mask in masks.items()},
    )


def lent_by(data: Any) -> Any:
    """Return a frame that shares a pandas DataFrame's columns until somebody writes; None where it can't be had."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        return None
    copies = int(pd.__version__.partition(".")[0]) >= 3 or pd.get_option("mode.copy_on_write") is True
    return data.copy(deep=False) if copies else None


EXPAND = {"dense": expand_dense, "tabmat": expand_tabmat}


def _check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, allowed))}; got {value!r}")


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
