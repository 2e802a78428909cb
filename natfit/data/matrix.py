"""The matrices a block may hold, each with the four products that a likelihood needs.

Dense arrays are used as they are (C or Fortran order, no copy). Sparse and categorical ones are tabmat's, never expanded
except block by block where a triangular factor is asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit import scratch
from natfit.data.cutting import cut, has_sparse_part
from natfit.data.products import weighted_cross, weighted_gram

Array = np.ndarray[Any, np.dtype[Any]]

TALL_ROWS = 131_072
"""Rows of a tabmat block: its products take time by the row, and its Gram matrix, which may be large, is added up for each
block."""


class Dense:
    """A dense (n, p) array of floats.

    Notes
    -----
    The products are ``np.dot``'s, which lets other threads run; ``@`` keeps the interpreter to itself where its result has
    500 entries or fewer, and so a Gram matrix of up to 22 columns, or X'v of any, is no faster on two threads than on one.

    Examples
    --------
    >>> import numpy as np
    >>> X = Dense(np.array([[1.0, 0.0], [1.0, 2.0]]))
    >>> X.gram(np.array([1.0, 3.0]))
    array([[ 4.,  6.],
           [ 6., 12.]])
    """

    __slots__ = ("array", "shape")

    def __init__(self, array: Array):
        self.array = array
        self.shape = array.shape

    def take(self, rows: Array) -> Dense:
        """Return the rows of these numbers, a copy that lies as the whole does."""
        if self.array.strides[0] < self.array.strides[1]:
            # Of an array by columns np.take would copy all rows first, into one by rows.
            return Dense(np.take(self.array.T, rows, axis=1).T)
        large = self.array.dtype == np.float64 and scratch.room(len(rows) * self.array.shape[1]) >= scratch.LARGE
        if not large or rows.min() < 0 or rows.max() >= len(self.array):
            return Dense(np.take(self.array, rows, axis=0))
        out = scratch.array(len(rows), self.array.shape[1])
        return Dense(np.take(self.array, rows, axis=0, out=out, mode="clip"))  # any other mode copies twice

    def rows(self, start: int, stop: int) -> Dense:
        """Return the rows ``start:stop``, a view."""
        return Dense(self.array[start:stop])

    def matvec(self, vector: Array) -> Array:
        """Return X b."""
        if self.array.dtype != np.float64 or vector.dtype != np.float64:
            return np.dot(self.array, vector)
        return np.dot(self.array, vector, out=scratch.array(len(self.array)))

    def rmatvec(self, vector: Array) -> Array:
        """Return X'v."""
        return np.dot(vector, self.array)

    def gram(self, weight: Array) -> Array:
        """Return X' diag(weight) X; weights of either sign."""
        return weighted_gram(self.array, weight)

    def weighted_rows(self, root: Array) -> Array:
        """Return diag(root) X as a dense array of its own."""
        return self.array * root[:, None]

    def dense(self) -> Array:
        """Return the rows as a dense array."""
        return self.array


class Tabmat:
    """A tabmat matrix: sparse, categorical or split.

    Parameters
    ----------
    matrix : tabmat.MatrixBase
    """

    __slots__ = ("_cuts", "matrix", "shape")

    def __init__(self, matrix: Any):
        self.matrix = matrix
        self.shape = matrix.shape
        self._cuts: dict[tuple[int, int], Tabmat] | None = {} if has_sparse_part(matrix) else None

    def take(self, rows: Array) -> Tabmat:
        return Tabmat(cut(self.matrix, rows))

    def rows(self, start: int, stop: int) -> Tabmat:
        """Return the rows ``start:stop``; those of sparse columns are kept for the next pass, which cuts the same."""
        if self._cuts is None:
            return Tabmat(cut(self.matrix, slice(start, stop)))
        made = self._cuts.get((start, stop))
        if made is None:
            made = self._cuts[start, stop] = Tabmat(cut(self.matrix, slice(start, stop)))
        return made

    def matvec(self, vector: Array) -> Array:
        return self.matrix.matvec(vector)

    def rmatvec(self, vector: Array) -> Array:
        return self.matrix.transpose_matvec(vector)

    def gram(self, weight: Array) -> Array:
        made = self.matrix.sandwich(np.ascontiguousarray(weight))
        return made.toarray() if hasattr(made, "toarray") else np.asarray(made)  # of one factor it is a sparse diagonal

    def weighted_rows(self, root: Array) -> Array:
        return self.matrix.toarray() * root[:, None]

    def dense(self) -> Array:
        return self.matrix.toarray()


class Constant:
    """A single column of ones: the design of a parameter that has no predictors of its own.

    Parameters
    ----------
    n_rows : int
    """

    __slots__ = ("shape",)

    def __init__(self, n_rows: int):
        self.shape = (n_rows, 1)

    def take(self, rows: Array) -> Constant:
        return Constant(rows.size)

    def rows(self, start: int, stop: int) -> Constant:
        return Constant(stop - start)

    def matvec(self, vector: Array) -> Array:
        return np.broadcast_to(vector, self.shape[:1])

    def rmatvec(self, vector: Array) -> Array:
        return np.array([vector.sum()])

    def gram(self, weight: Array) -> Array:
        return np.array([[weight.sum()]])

    def weighted_rows(self, root: Array) -> Array:
        return root[:, None].copy()

    def dense(self) -> Array:
        return np.ones(self.shape)


class Chosen:
    """Some columns of another design, none of them copied: its products are the whole design's, cut to size.

    Parameters
    ----------
    whole : Dense, Tabmat or Constant
    columns : (q,) ndarray of int
        Which, in which order.
    """

    __slots__ = ("columns", "shape", "whole")

    def __init__(self, whole: Dense | Tabmat | Constant | Chosen | Combined, columns: Array):
        self.whole: Dense | Tabmat | Constant | Combined = whole.whole if isinstance(whole, Chosen) else whole
        self.columns: Array = whole.columns[columns] if isinstance(whole, Chosen) else columns
        self.shape: tuple[int, ...] = (whole.shape[0], columns.size)

    def take(self, rows: Array) -> Chosen:
        return Chosen(self.whole.take(rows), self.columns)

    def rows(self, start: int, stop: int) -> Chosen:
        return Chosen(self.whole.rows(start, stop), self.columns)

    def matvec(self, vector: Array) -> Array:
        spread = np.zeros(self.whole.shape[1])
        spread[self.columns] = vector
        return self.whole.matvec(spread)

    def rmatvec(self, vector: Array) -> Array:
        return self.whole.rmatvec(vector)[self.columns]

    def gram(self, weight: Array) -> Array:
        return self.whole.gram(weight)[np.ix_(self.columns, self.columns)]

    def weighted_rows(self, root: Array) -> Array:
        return self.whole.weighted_rows(root)[:, self.columns]

    def dense(self) -> Array:
        return self.whole.dense()[:, self.columns]


class Combined:
    """Linear combinations of another design's columns, none of them made: its products are the whole design's, combined.

    Parameters
    ----------
    whole : Dense, Tabmat, Constant or Chosen
    mix : (p, q) ndarray
        Column j is ``whole @ mix[:, j]``.
    """

    __slots__ = ("mix", "shape", "whole")

    def __init__(self, whole: Dense | Tabmat | Constant | Chosen | Combined, mix: Array):
        self.whole: Dense | Tabmat | Constant | Chosen = whole.whole if isinstance(whole, Combined) else whole
        self.mix: Array = whole.mix @ mix if isinstance(whole, Combined) else mix
        self.shape: tuple[int, ...] = (whole.shape[0], mix.shape[1])

    def take(self, rows: Array) -> Combined:
        return Combined(self.whole.take(rows), self.mix)

    def rows(self, start: int, stop: int) -> Combined:
        return Combined(self.whole.rows(start, stop), self.mix)

    def matvec(self, vector: Array) -> Array:
        return self.whole.matvec(self.mix @ vector)

    def rmatvec(self, vector: Array) -> Array:
        return self.whole.rmatvec(vector) @ self.mix

    def gram(self, weight: Array) -> Array:
        return self.mix.T @ self.whole.gram(weight) @ self.mix

    def weighted_rows(self, root: Array) -> Array:
        return self.whole.weighted_rows(root) @ self.mix

    def dense(self) -> Array:
        return self.whole.dense() @ self.mix


Columns = Dense | Tabmat | Constant | Chosen | Combined


def cross(left: Columns, weight: Array, right: Columns) -> Array:
    """Return left' diag(weight) right, the block of an information matrix between two predictors."""
    if isinstance(left, Combined):
        return left.mix.T @ cross(left.whole, weight, right)
    if isinstance(right, Combined):
        return cross(left, weight, right.whole) @ right.mix
    if isinstance(left, Chosen):
        return cross(left.whole, weight, right)[left.columns]
    if isinstance(right, Chosen):
        return cross(left, weight, right.whole)[:, right.columns]
    if isinstance(right, Constant):
        return left.rmatvec(weight)[:, None]
    if isinstance(left, Constant):
        return right.rmatvec(weight)[None, :]
    if isinstance(left, Tabmat) and isinstance(right, Tabmat):
        return np.asarray(left.matrix.cross_sandwich(right.matrix, weight))
    if isinstance(left, Dense) and isinstance(right, Dense):
        return weighted_cross(left.array, weight, right.array)
    return np.dot(left.weighted_rows(weight).T, right.dense())


def as_columns(matrix: Any) -> Columns:
    """Wrap what a user or a formula gives: a NumPy array, a SciPy sparse matrix or a tabmat matrix."""
    if isinstance(matrix, Columns):
        return matrix
    if isinstance(matrix, np.ndarray):
        return Dense(matrix)
    import tabmat
    from scipy import sparse

    if sparse.issparse(matrix):
        return Tabmat(tabmat.SparseMatrix(sparse.csc_matrix(matrix).astype(float, copy=False)))
    if isinstance(matrix, tabmat.MatrixBase):
        return Tabmat(matrix)
    raise TypeError(
        f"a design must be a NumPy array, a SciPy sparse matrix or a tabmat matrix; got {type(matrix).__name__}"
    )
