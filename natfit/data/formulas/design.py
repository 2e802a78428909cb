"""From a formula and a table to the response, the design and the columns that go with it; levels and knots frozen.

Rows with a missing value in anything the model uses are dropped together. Factors are evaluated on whole columns, as in
R and patsy; levels that no kept row has are left out, as R's ``glm`` does (patsy keeps them as columns of zeros, which
no likelihood can estimate).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.apart import Apart
from natfit.data.checks import check_missing, check_not_empty, check_not_infinite
from natfit.data.formulas.expand import WIDE_BYTES, FactorPlan, Rows, expand_apart, part_names, prefers_tabmat
from natfit.data.formulas.frozen import EXPAND, Design, evaluated_rows, missing_masks
from natfit.data.formulas.response import extra_column, keep, make_response
from natfit.data.table import Table

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[np.float64]]


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
    kept, n_missing = (None, 0) if dropped is None else (~dropped, int(dropped.sum()))
    check_not_empty(table.n_rows - n_missing, dropped=n_missing)
    for name, column in columns.items():
        check_not_infinite(column, name, kept)

    y, y_names, y_levels = make_response(response, kept, many_levels)
    parts, terms, plans = plan_terms(right, values, kept, patsy_order=order == "patsy")
    names = [name for part in parts for name in part_names(part, plans)]
    check_not_empty(table.n_rows - n_missing, len(names))
    rows = evaluated_rows(evaluator, values, plans, kept)
    lent = lent if 8 * rows.n_rows * len(names) > WIDE_BYTES else None
    matrix, layout = _expand(layout, parts, plans, rows, lent)
    state, used = evaluator.state, dict(evaluator.used)
    return DesignedData(
        y=y,
        y_name=" + ".join(response),
        y_names=y_names,
        y_levels=y_levels,
        matrix=matrix,
        column_names=names,
        terms=terms,
        extras={name: keep(column, kept) for name, column in columns.items()},
        index=table.index if table.index is None or kept is None else table.index[kept],
        kept=kept,
        n_missing=n_missing,
        design=Design(formula, tuple(names), tuple(terms), tuple(parts), plans, state, used, layout, factors_of(right)),
        missing_in={name: int(mask.sum()) for name, mask in masks.items()},
    )


def _expand(layout: str, parts: Any, plans: dict[str, FactorPlan], rows: Rows, lent: Any) -> tuple[Any, str]:
    """Return the matrix, a dense one with the columns of a lent frame if there is one, and the layout that it came to."""
    if layout in ("auto", "apart"):
        layout = "tabmat" if prefers_tabmat(parts, plans, rows.n_rows) else "dense"
    matrix = (expand_apart if lent is not None and layout == "dense" else EXPAND[layout])(parts, plans, rows)
    return (matrix.owned_by(lent) if isinstance(matrix, Apart) else matrix), layout


def lent_by(data: Any) -> Any:
    """Return a frame that shares a pandas DataFrame's columns until somebody writes; None where it can't be had."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        return None
    copies = int(pd.__version__.partition(".")[0]) >= 3 or pd.get_option("mode.copy_on_write") is True
    return data.copy(deep=False) if copies else None


def _check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, allowed))}; got {value!r}")
