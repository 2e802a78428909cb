"""Symmetric and triangular matrices as vectors: the lower triangle, row by row."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask


@lru_cache(maxsize=64)
def lower_indices(dim: int) -> tuple[Array, Array]:
    """Return rows and columns of the lower triangle of a (dim, dim) matrix, row by row."""
    rows, columns = np.tril_indices(dim)
    rows.setflags(write=False)
    columns.setflags(write=False)
    return rows, columns


def packed_names(prefix: str, dim: int) -> tuple[str, ...]:
    """Name the entries of a packed matrix: ``prefix[0,0]``, ``prefix[1,0]``, ..."""
    return tuple(f"{prefix}[{i},{j}]" for i, j in zip(*lower_indices(dim), strict=True))


def pack(matrix: ArrayLike) -> Array:
    """Take the lower triangle of matrices (..., d, d), row by row: (..., d(d+1)/2).

    Examples
    --------
    >>> pack([[2.0, 1.0], [1.0, 3.0]])
    array([2., 1., 3.])
    """
    matrix = np.asarray(matrix, dtype=float)
    rows, columns = lower_indices(matrix.shape[-1])
    return matrix[..., rows, columns]


def packed_dim(length: int) -> int:
    """Return d for a packed length d(d+1)/2."""
    dim = (isqrt(8 * length + 1) - 1) // 2
    if dim * (dim + 1) // 2 != length:
        raise ValueError(f"A packed matrix has 1, 3, 6, 10, ... entries, but got {length}.")
    return dim


def unpack_lower(packed: ArrayLike) -> Array:
    """Make lower triangular matrices (..., d, d) from packed ones (..., d(d+1)/2)."""
    packed = np.asarray(packed, dtype=float)
    dim = packed_dim(packed.shape[-1])
    out = np.zeros((*packed.shape[:-1], dim, dim))
    rows, columns = lower_indices(dim)
    out[..., rows, columns] = packed
    return out


def unpack_symmetric(packed: ArrayLike) -> Array:
    """Make symmetric matrices (..., d, d) from packed ones (..., d(d+1)/2).

    Examples
    --------
    >>> unpack_symmetric([2.0, 1.0, 3.0])
    array([[2., 1.],
           [1., 3.]])
    """
    out = unpack_lower(packed)
    rows, columns = lower_indices(out.shape[-1])
    out[..., columns, rows] = np.asarray(packed, dtype=float)
    return out


def off_diagonal_weight(dim: int, weight: float = 2.0) -> Array:
    """Return ``weight`` for the packed entries off the diagonal and 1 on it: in an inner product they count twice."""
    rows, columns = lower_indices(dim)
    return np.where(rows == columns, 1.0, weight)


def symmetric_product(left: Array, right: Array) -> Array:
    """Return the packed matrix of (ij),(kl) -> L_ik R_jl + L_il R_jk, shape (..., s, s) with s = d(d+1)/2.

    It is the covariance of X_ij and X_kl for a Wishart matrix with unit degrees of freedom and L = R = its scale.
    """
    i, j = lower_indices(left.shape[-1])
    a, b, c, d = i[:, None], j[:, None], i[None, :], j[None, :]
    return left[..., a, c] * right[..., b, d] + left[..., a, d] * right[..., b, c]


def is_positive_definite(matrix: Array) -> Mask:
    """Say which symmetric matrices (..., d, d) are positive definite; shape (...).

    The smallest eigenvalue tells, with the diagonal scaled to ones: columns in units of unlike size would hide its sign.
    """
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1)
    good: Mask = np.isfinite(matrix).all(axis=(-1, -2)) & (diagonal > 0.0).all(axis=-1)
    safe = np.where(good[..., None, None], matrix, np.eye(matrix.shape[-1]))
    scale = np.sqrt(np.diagonal(safe, axis1=-2, axis2=-1))
    return good & (np.linalg.eigvalsh(safe / scale[..., :, None] / scale[..., None, :])[..., 0] > 0)
