"""From what an expression of a formula came to, as formulaic computes it, to levels or numbers for each row of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from formulaic.materializers.types import FactorValues
from formulaic.utils.cast import as_columns

from natfit.data.formulas.patsy_spelling import as_contrasts
from natfit.data.formulas.values import Values
from natfit.data.table import Table


def values_of(table: Table, expression: str, values: Any, rows: np.ndarray | None = None) -> Values:
    """Return what an expression came to as levels, or as numbers in named columns.

    Parameters
    ----------
    table : Table
    expression : str
    values
        As formulaic computes it.
    rows : ndarray, optional
        The rows of the table that it was computed from, where a transform may not learn from all: others are missing.
    """
    metadata = getattr(values, "__formulaic_metadata__", None)
    inner = values.__wrapped__ if isinstance(values, FactorValues) else values
    kind = metadata.kind.value if metadata is not None else "unknown"
    if kind == "categorical" or (kind == "unknown" and _is_levels(inner)):
        encoder: Any = metadata.encoder if metadata is not None else None
        return Values(
            "categorical",
            levels=_level_series(table, expression, inner, rows),
            contrasts=getattr(encoder, "contrasts", None) or as_contrasts(None),
            given_levels=getattr(encoder, "levels", None),
            spans_intercept=metadata.spans_intercept if metadata is not None and kind == "categorical" else True,
        )
    return _numbers(table, expression, values, metadata, rows)


def _numbers(table: Table, expression: str, values: Any, metadata: Any, rows: np.ndarray | None) -> Values:
    columns = as_columns(values)
    if isinstance(columns, FactorValues):
        columns = columns.__wrapped__
    pattern = metadata.format if metadata is not None else "{name}[{field}]"
    named = (
        {pattern.format(name=expression, field=key): column for key, column in columns.items()}
        if isinstance(columns, dict)
        else {expression: columns}
    )
    drop = None
    if metadata is not None and metadata.spans_intercept:
        drop = pattern.format(name=expression, field=metadata.drop_field)
    return Values(
        "numeric",
        names=tuple(named),
        columns={name: _as_float(table, name, column, rows) for name, column in named.items()},
        spans_intercept=drop is not None,
        drop=drop,
    )


def _as_float(table: Table, name: str, column: Any, rows: np.ndarray | None) -> np.ndarray:
    if hasattr(column, "toarray"):
        column = column.toarray().ravel()
    array = np.asarray(column)
    if array.dtype.kind not in "iufb":
        dated = pd.api.types.infer_dtype(array) in ("datetime", "date", "time", "timedelta")
        times = array.dtype.kind in "mM" or dated
        what = "dates or times" if times else f"values of type {array.dtype}"
        raise ValueError(f"{name!r} holds {what}, which are not numbers; turn it into numbers, or write C() for levels")
    array = array.astype(np.float64, copy=False)
    if array.ndim == 0:
        return np.full(table.n_rows, float(array))
    wanted = table.n_rows if rows is None else len(rows)
    if array.shape != (wanted,):
        raise ValueError(f"{name!r} has shape {array.shape}, and {table.what} has {wanted} rows")
    if rows is None:
        return array
    full = np.full(table.n_rows, np.nan)
    full[rows] = array
    return full


def _level_series(table: Table, expression: str, values: Any, rows: np.ndarray | None) -> pd.Series[Any]:
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    wanted = table.n_rows if rows is None else len(rows)
    if len(series) != wanted:
        raise ValueError(f"{expression!r} has {len(series)} rows, and {table.what} has {wanted}")
    series = series.astype("category").reset_index(drop=True)
    if rows is None:
        return series
    codes = np.full(table.n_rows, -1)
    codes[rows] = series.cat.codes
    return pd.Series(pd.Categorical.from_codes(codes, series.cat.categories, series.cat.ordered))


def _is_levels(values: Any) -> bool:
    dtype = getattr(values, "dtype", None)
    if isinstance(values, list):
        dtype = np.asarray(values).dtype
    if isinstance(dtype, np.dtype):
        return dtype.kind in "OUSb" and np.ndim(values) == 1
    return isinstance(dtype, pd.CategoricalDtype | pd.StringDtype)
