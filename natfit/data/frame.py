"""A response and a design given as arrays or frames: numbers, names, row labels, missing rows.

A design of floats is used where it lies: nothing of its size is copied unless rows have to be dropped or its columns
are not floats. Frames other than pandas' are read through narwhals. Plain arrays never import pandas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from natfit.data.checks import (
    all_finite,
    check_lengths,
    check_missing,
    check_not_empty,
    check_not_infinite,
    has_finite_sum,
)
from natfit.data.numbers import NOT_NUMBERS, as_column, is_pandas, read_numbers
from natfit.data.threads import over_runs

Array = np.ndarray[Any, np.dtype[Any]]


def rows_of(values: Any, kept: np.ndarray) -> Any:
    """Return the rows of an array, a frame, or a sparse or tabmat matrix that a mask keeps, of the kind it is.

    Examples
    --------
    >>> rows_of([[1.0], [2.0]], np.array([False, True]))
    array([[2.]])
    """
    from scipy import sparse

    if hasattr(values, "loc"):
        return values.loc[kept]
    if sparse.issparse(values):
        return values.tocsr()[np.flatnonzero(kept)]
    return (values if hasattr(values, "shape") else np.asarray(values))[np.flatnonzero(kept)]


@dataclass
class Bound:
    """A response and a design with their names, one entry for each row that is kept.

    Attributes
    ----------
    y : (n,) or (n, k) ndarray of float
    matrix : (n, p) ndarray of float64 or float32, SciPy sparse or tabmat matrix
    column_names : list of str
    y_name : str
    index : pandas.Index or None
        Row labels, where the design or the response came with some.
    extras : dict of str to (n,) ndarray
    n_missing : int
        Rows dropped.
    kept : (rows given,) bool, optional
        Which rows are kept; None for all.
    labels : list, optional
        The columns' own labels, where they are not texts; ``column_names`` has them as texts.
    """

    y: Array
    matrix: Any
    column_names: list[str]
    y_name: str
    index: Any
    extras: dict[str, Array]
    n_missing: int = 0
    kept: Array | None = None
    labels: list[Any] | None = None


def bind(endog: Any, exog: Any, extras: Mapping[str, Any] | None = None, missing: str = "none") -> Bound:
    """Bind a response, a design and the columns that go with them.

    Parameters
    ----------
    endog : (n,) or (n, 2) array, Series or frame
    exog : (n, p) array, frame, SciPy sparse or tabmat matrix; (n,) is one column
    extras : mapping of str to (n,) array or None
    missing : {"none", "drop", "raise"}
        ``"none"`` looks for missing values all the same, and refuses them.

    Returns
    -------
    Bound

    Raises
    ------
    ValueError
        Lengths differ, a column is not numbers or not finite, or there is nothing to fit.

    Examples
    --------
    >>> import numpy as np
    >>> bound = bind([1.0, 2.0, 4.0], np.array([[1.0, 0.0], [1.0, 5.0], [1.0, 7.0]]))
    >>> bound.column_names, bound.y_name
    (['const', 'x1'], 'y')
    """
    if exog is None:
        raise ValueError("a design is needed; for a mean alone give exog=np.ones(n)")
    y, y_names, y_index = as_response(endog)
    matrix, names, x_index = as_design(exog)
    if y_index is not None and x_index is not None and not y_index.equals(x_index):
        raise ValueError("the row labels of endog and exog differ; put both into the same order with the same index")
    columns = {
        name: as_column(name, value, x_index if x_index is not None else y_index)
        for name, value in (extras or {}).items()
        if value is not None
    }
    check_lengths({"endog": len(y), "exog": matrix.shape[0], **{name: len(each) for name, each in columns.items()}})
    check_not_empty(*matrix.shape)
    unnamed = names is None
    looked = _look_over(matrix) if unnamed and isinstance(matrix, np.ndarray) else None
    names = default_names(matrix, looked) if names is None else names
    y_name = " + ".join(y_names) if y_names else "y"
    bound = Bound(
        y, matrix, names, y_name, x_index if x_index is not None else y_index, columns, labels=_own_labels(exog)
    )
    return _without_missing(bound, missing, looked is not None and looked.finite)


def _own_labels(exog: Any) -> list[Any] | None:
    """Return the labels of a pandas table's columns where they are other than texts, such as numbers."""
    if not is_pandas(exog):
        return None
    labels = list(exog.columns) if np.ndim(exog) == 2 else [exog.name]
    plain = any(label is None or isinstance(label, tuple) for label in labels)  # named or joined in `column_names`
    return None if plain or all(isinstance(label, str) for label in labels) else labels


def _without_missing(bound: Bound, missing: str, finite: bool = False) -> Bound:
    """Drop or refuse the rows with missing values, and refuse infinity; one pass over the numbers where all is well.

    ``finite`` says that the matrix has been seen to be.
    """
    candidates = [(bound.y_name, bound.y), *bound.extras.items()]
    suspects = [(name, column) for name, column in candidates if not all_finite(column)]
    suspects += [] if finite else _suspect_columns(bound.matrix, bound.column_names)
    masks = {name: np.isnan(column) if column.ndim == 1 else np.isnan(column).any(axis=1) for name, column in suspects}
    dropped = check_missing(masks, missing, len(bound.y), "leave those rows out with missing='drop'")
    kept = None if dropped is None else ~dropped
    for name, column in suspects:
        check_not_infinite(column, name, kept)
    if dropped is not None and kept is not None:
        check_not_empty(int(kept.sum()), dropped=len(kept))
        bound.y, bound.matrix, bound.kept = bound.y[kept], rows_of(bound.matrix, kept), kept
        bound.extras = {name: column[kept] for name, column in bound.extras.items()}
        bound.index = None if bound.index is None else bound.index[kept]
        bound.n_missing = int(dropped.sum())
    return bound


def _suspect_columns(matrix: Any, names: Sequence[str]) -> list[tuple[str, Array]]:
    """Return the columns of a matrix that are not all finite; one pass over it where they are."""
    if isinstance(matrix, np.ndarray):
        if all_finite(matrix):
            return []
        return [(names[j], matrix[:, j]) for j in range(matrix.shape[1]) if not all_finite(matrix[:, j])]
    if hasattr(matrix, "transpose_matvec"):  # tabmat
        with np.errstate(all="ignore"):
            sums = np.asarray(matrix.transpose_matvec(np.ones(matrix.shape[0])))
        suspects = np.flatnonzero(~np.isfinite(sums))
        return [(names[int(j)], matrix[:, [int(j)]].toarray().ravel()) for j in suspects]
    if all_finite(matrix.data):
        return []
    columns = matrix.tocsc()
    suspects = np.unique(np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))[~np.isfinite(columns.data)])
    return [(names[int(j)], columns[:, [int(j)]].toarray().ravel()) for j in suspects]


def as_response(endog: Any) -> tuple[Array, list[str], Any]:
    """Make floats of a response; return them with the names and the row labels that it brings.

    Examples
    --------
    >>> as_response([True, False])[0]
    array([1., 0.])
    """
    values, names, index = read_numbers(endog, "endog")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise ValueError(f"endog must be one column, or two of successes and failures; it has shape {values.shape}")
    return values.astype(np.float64, copy=False), names or [], index


def as_design(exog: Any) -> tuple[Any, list[str] | None, Any]:
    """Make a matrix of floats of a design; return it with the names (None for none) and row labels that it brings.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.ones((3, 2))
    >>> as_design(X)[0] is X
    True
    """
    if hasattr(exog, "tocsc") and not hasattr(exog, "sandwich"):
        if exog.dtype.kind not in "iufb":
            raise ValueError(f"exog holds values of type {exog.dtype}, which are not numbers; {NOT_NUMBERS}")
        return (exog if exog.dtype.kind == "f" else exog.astype(np.float64)), None, None
    if hasattr(exog, "sandwich"):  # tabmat
        names = getattr(exog, "column_names", None)
        return exog, list(names) if names and all(name is not None for name in names) else None, None
    values, given, index = read_numbers(exog, "exog")
    matrix = values[:, None] if values.ndim == 1 else values
    if matrix.ndim != 2:
        raise ValueError(f"exog must have rows and columns; it has shape {matrix.shape}")
    return matrix, given, index


def design_matrix(exog: Any, names: Sequence[str]) -> tuple[Any, Any]:
    """Make a matrix of new rows for a design with these columns.

    A frame with columns of these names is read by name, in whatever order they stand; any other table by position. One
    row may be given without its second dimension.

    Parameters
    ----------
    exog : array, frame, sparse or tabmat matrix
    names : sequence of str

    Returns
    -------
    matrix, index

    Raises
    ------
    ValueError
        A frame has some of the columns and lacks others, or has text where numbers are wanted.

    Examples
    --------
    >>> import pandas as pd
    >>> design_matrix(pd.DataFrame({"b": [2.0], "a": [1.0]}), ["a", "b"])[0]
    array([[1., 2.]])
    """
    if is_pandas(exog) and np.ndim(exog) == 1 and len(names) > 1:
        exog = exog.to_frame().T  # a Series is a row, its labels the columns' names
    matrix, given, index = as_design(exog)
    if given is not None and set(given) & set(names) and list(given) != list(names):
        lacking = [name for name in names if name not in given]
        if lacking:
            raise ValueError(f"the new rows have no column {', '.join(map(repr, lacking))}; give them all, or an array")
        matrix = matrix[:, [given.index(name) for name in names]]
    if given is None and np.ndim(exog) == 1 and len(names) > 1 and not _is_sparse(exog):
        matrix = matrix.T
    for name, column in _suspect_columns(matrix, [*names, *(f"x{j}" for j in range(matrix.shape[1]))]):
        check_not_infinite(column, name)
    return matrix, index


PIECE_BYTES = 2 << 20
"""Bytes of an array that are looked at once for each question: they are still in cache for the next."""


class _Looked(NamedTuple):
    """What one pass over a plain array tells: whether its sum is finite, and its first constant column."""

    finite: bool
    constant: int | None


def _look_over(matrix: Array) -> _Looked:
    """Look for numbers that are not finite and for a constant column, at each run of rows while it is in cache."""
    candidates = []
    if len(matrix) > 1:
        candidates = [int(j) for j in np.flatnonzero((matrix[0] == matrix[-1]) & (matrix[0] != 0))]
    if matrix.strides[0] < matrix.strides[-1]:  # columns lie one by one, and so are looked at one by one
        constant = next((j for j in candidates if _is_constant(matrix[:, j])), None)
        return _Looked(all_finite(matrix), constant)
    rows = max(PIECE_BYTES // max(matrix.strides[0], 1), 1)

    def look(run: Array) -> tuple[bool, list[int]]:
        finite, same = True, candidates
        for start in range(0, len(run), rows):
            piece = run[start : start + rows]
            finite = finite and has_finite_sum(piece)
            same = [j for j in same if (piece[:, j] == matrix[0, j]).all()]
        return finite, same

    seen = over_runs(matrix, look)
    constant = next((j for j in candidates if all(j in same for _, same in seen)), None)
    return _Looked(all(finite for finite, _ in seen), constant)


def default_names(matrix: Any, looked: _Looked | None = None) -> list[str]:
    """Name the columns of a plain array as statsmodels does: ``const`` for a constant one, ``x1``, ``x2`` ... for the rest.

    Examples
    --------
    >>> import numpy as np
    >>> default_names(np.array([[3.0, 1.0, 2.0], [4.0, 1.0, 5.0]]))
    ['x1', 'const', 'x2']
    """
    if looked is None and isinstance(matrix, np.ndarray):
        looked = _look_over(matrix)
    constant = None if looked is None else looked.constant
    names = [f"x{j}" for j in range(1, matrix.shape[1] + (constant is None))]
    if constant is not None:
        names.insert(constant, "const")
    return names


def _is_constant(column: Array) -> bool:
    return all(over_runs(column, lambda run: bool((run == column[0]).all())))


def _is_sparse(value: Any) -> bool:
    return hasattr(value, "tocsc") or hasattr(value, "sandwich")
