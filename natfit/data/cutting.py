"""Runs of rows of tabmat matrices, cut without the checks that tabmat makes of codes that it has checked before."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

Rows = slice | np.ndarray


def cut(matrix: Any, rows: Rows) -> Any:
    """Return some rows of a tabmat matrix: views of dense parts and of codes where ``rows`` is a slice.

    Examples
    --------
    >>> import tabmat
    >>> cut(tabmat.CategoricalMatrix(np.array([0, 1, 1], dtype=np.int32), np.arange(2)), slice(1, 3)).toarray().tolist()
    [[0, 1], [0, 1]]
    """
    import tabmat

    if isinstance(matrix, tabmat.SplitMatrix):
        made = copy.copy(matrix)
        made.matrices = [cut(part, rows) for part in matrix.matrices]
        made.shape = (made.matrices[0].shape[0], matrix.shape[1])
        return made
    if isinstance(matrix, tabmat.CategoricalMatrix):
        # Its own slicing looks for the largest code by Python's max, which takes longer than all products together.
        made = copy.copy(matrix)
        made.indices = matrix.indices[rows]
        made.shape = (made.indices.size, matrix.shape[1])
        made.x_csc = None
        return made
    return matrix[rows, :]


def categorical(codes: np.ndarray, levels: int, name: str) -> Any:
    """Return indicators of all levels but the first, from codes known to be right: tabmat's own look takes a while.

    Examples
    --------
    >>> categorical(np.array([0, 2], dtype=np.int32), 3, "g").toarray().astype(float)
    array([[0., 0.],
           [0., 1.]])
    """
    import tabmat

    made = tabmat.CategoricalMatrix(codes[:1], categories=np.arange(levels), drop_first=True, column_name=name)
    made.indices = codes
    made.shape = (codes.size, levels - 1)
    return made


def has_sparse_part(matrix: Any) -> bool:
    """Say whether cutting rows walks through all entries: columns of a sparse matrix lie one after the other."""
    import tabmat

    if isinstance(matrix, tabmat.SplitMatrix):
        return any(has_sparse_part(part) for part in matrix.matrices)
    return isinstance(matrix, tabmat.SparseMatrix)
