"""Affine maps of coordinates: identity, scaling, rotation, linear constraints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Parametrization, refuse_off_image


class Identity(Parametrization):
    """Home parameters themselves as coordinates.

    Examples
    --------
    >>> Identity(["mean", "variance"]).to_home([1.0, 2.0])
    array([1., 2.])
    """

    def to_home(self, xi: ArrayLike) -> Array:
        return self._coordinates(xi)

    def from_home(self, theta: ArrayLike) -> Array:
        return self._home(theta)

    def jacobian(self, xi: ArrayLike) -> Array:
        shape = self._coordinates(xi).shape
        return np.broadcast_to(np.eye(self.size), (*shape, self.size))


class Affine(Parametrization):
    """Coordinates xi with theta = A xi + b; fewer coordinates than home parameters are linear constraints.

    Natural-gradient paths are the same in all affine coordinates of full size: the only changes of coordinates for
    which that holds at finite steps.

    Parameters
    ----------
    matrix : array_like, (p, q)
        A, of full column rank.
    offset : array_like, (p,), optional
        b; zero where omitted.
    names : sequence of str, optional
        Coordinate names; ``xi0``, ``xi1``, ... where omitted.

    Raises
    ------
    ValueError
        If A has not full column rank, or the shapes disagree.

    Examples
    --------
    >>> halves = Affine([[1.0], [1.0]], names=["both"])
    >>> halves.to_home([3.0])
    array([3., 3.])
    >>> halves.from_home([3.0, 4.0])
    Traceback (most recent call last):
        ...
    natfit.parametrizations.base.OffImageError: Affine(both) needs theta = A xi + b for some xi, but got (3, 4).
    """

    def __init__(self, matrix: ArrayLike, offset: ArrayLike | None = None, names: Sequence[str] | None = None) -> None:
        a = np.array(matrix, dtype=float)
        if a.ndim != 2 or not np.isfinite(a).all():
            raise ValueError(f"An affine parametrization needs a finite (p, q) matrix, but got shape {a.shape}.")
        p, q = a.shape
        b = np.zeros(p) if offset is None else np.array(offset, dtype=float)
        if b.shape != (p,) or not np.isfinite(b).all():
            raise ValueError(f"The offset needs shape ({p},) and finite values, but got shape {b.shape}.")
        super().__init__([f"xi{i}" for i in range(q)] if names is None else names, p)
        if self.size != q:
            raise ValueError(f"The matrix has {q} columns, but {self.size} coordinate names were given.")
        self._q, self._r = np.linalg.qr(a / _lengths(a))
        values = np.linalg.svd(self._r, compute_uv=False)
        if q and values[-1] <= p * np.finfo(float).eps * values[0]:
            raise ValueError(
                f"An affine parametrization needs a matrix of full column rank, but this ({p}, {q}) matrix has rank "
                f"{int(np.sum(values > p * np.finfo(float).eps * values[0]))}: drop the dependent columns."
            )
        self.matrix, self.offset = a, b

    def to_home(self, xi: ArrayLike) -> Array:
        return self._coordinates(xi) @ self.matrix.T + self.offset

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        right = (theta - self.offset) @ self._q
        xi = np.linalg.solve(self._r, right[..., None])[..., 0] / _lengths(self.matrix)
        scale = np.abs(theta).max(axis=-1, initial=0.0) + np.abs(self.offset).max(initial=0.0)
        miss = np.abs(self.to_home(xi) - theta).max(axis=-1, initial=0.0)
        if self.size < self.home_size:  # sqrt of the rounding unit: looser than arithmetic needs, tighter than any typo
            good = miss <= np.sqrt(np.finfo(float).eps) * scale
            refuse_off_image(repr(self), theta, good, "theta = A xi + b for some xi")
        return xi

    def jacobian(self, xi: ArrayLike) -> Array:
        return np.broadcast_to(self.matrix, (*self._coordinates(xi).shape[:-1], *self.matrix.shape))


def _lengths(a: Array) -> Array:
    """Column lengths, 1 for a column of zeros: rank is decided on columns of unit length."""
    length = np.linalg.norm(a, axis=0)
    return np.where(length > 0, length, 1.0)
