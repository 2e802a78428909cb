"""Columns and tables of any library, read as arrays of floats; what is not numbers is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

NOT_NUMBERS = "give numbers, use from_formula, or make indicator columns with pandas.get_dummies"


def read_numbers(value: Any, what: str) -> tuple[Array, list[str] | None, Any]:
    """Turn what a user gives into an array of floats, without a copy where it is one; with its names and row labels.

    Examples
    --------
    >>> read_numbers([1, 2], "y")
    (array([1., 2.]), None, None)
    """
    if not isinstance(value, np.ndarray | list | tuple | float | int | np.generic):
        return _read_frame(value, what)
    array = unmasked(value)
    if array.dtype.names:
        return _read_frame({name: array[name] for name in array.dtype.names}, what)
    return _floats(array, what), None, None


def unmasked(value: Any) -> Array:
    """Make a plain array; what a masked array masks is missing: NaN among numbers, None among all else.

    Examples
    --------
    >>> unmasked(np.ma.masked_equal([1, 2, 3], 2))
    array([ 1., nan,  3.])
    """
    if not isinstance(value, np.ma.MaskedArray):
        return np.asarray(value)
    if value.dtype.names:  # its columns are masked one by one
        return value
    if not np.ma.is_masked(value):
        return np.asarray(value.data)
    holes = np.ma.getmaskarray(value)
    if value.dtype.kind == "f":
        plain = np.array(value.data)
    else:
        plain = value.data.astype(np.float64 if value.dtype.kind in "iu" else object)
    plain[holes] = None if plain.dtype.kind == "O" else np.nan
    return plain


def as_column(name: str, value: Any, index: Any = None) -> Array:
    """Make a column of floats of a weight, an offset or the like.

    Examples
    --------
    >>> as_column("offset", [[1], [2]])
    array([1., 2.])
    """
    if isinstance(value, str):
        raise ValueError(f"{name}={value!r} names a column, and arrays have no columns to name; give the numbers")
    if is_pandas(value) and index is not None and reordered(value.index, index):
        raise ValueError(f"the row labels of {name!r} are those of the data in another order; sort it to match them")
    values, _, _ = read_numbers(value, name)
    column = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if column.ndim != 1:
        raise ValueError(f"{name!r} must have one number for each row; it has shape {column.shape}")
    return column.astype(np.float64, copy=False)


def reordered(own: Any, index: Any) -> bool:
    """Say whether two sets of row labels are the same ones in another order."""
    if len(own) != len(index) or own.equals(index):
        return False
    return bool(own.is_unique and index.is_unique and set(own) == set(index))


def is_pandas(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "index")


def _floats(array: Array, name: str) -> Array:
    kind = array.dtype.kind
    if array.dtype in (np.float64, np.float32):
        return array
    if kind in "iubf":
        return array.astype(np.float64)
    if kind == "O":
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError):
            pass
    what = {"O": "text or other objects", "U": "text", "S": "text", "M": "dates", "m": "times", "c": "complex values"}
    raise ValueError(f"{name!r} holds {what.get(kind, str(array.dtype))}, not numbers; {NOT_NUMBERS}")


def _read_frame(value: Any, what: str) -> tuple[Array, list[str] | None, Any]:
    import narwhals as nw
    import pandas as pd

    from natfit.data.table import Table, from_narwhals_series, plain

    if isinstance(value, pd.Series):
        name = None if value.name is None else str(value.name)
        return _floats(_level_free(plain(value), name or what), name or what), [name] if name else None, value.index
    if isinstance(value, pd.DataFrame):
        names = _flat_names(value.columns)
        dtypes = set(value.dtypes)
        if len(dtypes) == 1 and next(iter(dtypes)) in (np.dtype(np.float64), np.dtype(np.float32)):
            return value.to_numpy(), names, value.index  # the frame's own block, where it has one
        columns = [plain(value.iloc[:, j]) for j in range(value.shape[1])]
        return _stacked(columns, names, len(value)), names, value.index
    known = nw.from_native(value, allow_series=True, pass_through=True)
    if isinstance(known, nw.Series):
        name = str(known.name) if known.name else None
        column = np.asarray(from_narwhals_series(known))
        return _floats(column, name or what), [name] if name else None, None
    if not isinstance(known, nw.DataFrame | nw.LazyFrame | Mapping):
        return _floats(np.asarray(value), what), None, None
    table = Table(value, what)
    return _stacked([table[name] for name in table], list(table), table.n_rows), list(table), table.index


def _stacked(columns: Sequence[Any], names: Sequence[str], n_rows: int) -> Array:
    """Write columns side by side, in Fortran order."""
    matrix = np.empty((n_rows, len(columns)), order="F")
    for j, (name, column) in enumerate(zip(names, columns, strict=True)):
        matrix[:, j] = _floats(_level_free(column, name), name)
    return matrix


def _level_free(column: Any, name: str) -> Array:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        raise ValueError(f"{name!r} holds levels of a factor, not numbers; {NOT_NUMBERS}")
    return column.to_numpy()


def _flat_names(columns: Any) -> list[str]:
    """Turn column labels into text; several levels of labels are joined by underscores, as statsmodels does."""
    return [
        "_".join(str(level) for level in name if level) if isinstance(name, tuple) else str(name) for name in columns
    ]
