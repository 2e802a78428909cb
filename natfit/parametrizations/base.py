"""What a parametrization is: a smooth map from coordinates to home parameters, with its Jacobian."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
Mask: TypeAlias = Any  # bool or array of bool: NumPy's reductions give either


class OffImageError(ValueError):
    """Home parameters were given which no coordinates of this parametrization map to."""


class SingularParametrizationError(ValueError):
    """The Jacobian loses rank at the coordinates given, so directions in home space are lost there."""


def as_points(values: ArrayLike, size: int, what: str) -> Array:
    """Return ``values`` as a float array whose last axis has length ``size``.

    Raises
    ------
    ValueError
        If the last axis has another length; the message names ``what``.
    """
    points = np.asarray(values, dtype=float)
    if points.ndim == 0 or points.shape[-1] != size:
        shape = "a scalar" if points.ndim == 0 else f"shape {points.shape}"
        raise ValueError(f"{what} need a last axis of length {size}, but got {shape}.")
    return points


class Parametrization(ABC):
    """A smooth map from q coordinates xi to p home parameters theta, q <= p, with Jacobian of full column rank.

    All arrays carry the coordinates on their last axis, shape (..., q), and batch axes broadcast: a thousand points are
    one array. A subclass gives ``to_home``, ``from_home`` and ``jacobian``, and ``contains`` where its domain is not
    the whole space.

    Parameters
    ----------
    names : sequence of str
        Names of the q coordinates.
    home_size : int, optional
        Number p of home parameters; q where omitted.
    """

    names: tuple[str, ...]
    home_size: int

    def __init__(self, names: Sequence[str], home_size: int | None = None) -> None:
        self.names = (names,) if isinstance(names, str) else tuple(names)
        self.home_size = len(self.names) if home_size is None else int(home_size)
        if self.home_size < self.size:
            raise ValueError(
                f"{type(self).__name__} has {self.size} coordinates for {self.home_size} home parameters; "
                "a parametrization can't have more coordinates than home parameters."
            )

    @property
    def size(self) -> int:
        """Number q of coordinates."""
        return len(self.names)

    @abstractmethod
    def to_home(self, xi: ArrayLike) -> Array:
        """Map coordinates (..., q) to home parameters (..., p)."""

    @abstractmethod
    def from_home(self, theta: ArrayLike) -> Array:
        """Map home parameters (..., p) to coordinates (..., q); raise `OffImageError` off the image."""

    @abstractmethod
    def jacobian(self, xi: ArrayLike) -> Array:
        """Return d theta / d xi, shape (..., p, q)."""

    def contains(self, xi: ArrayLike) -> Mask:
        """Say which coordinates (..., q) lie in the domain; shape (...)."""
        return np.isfinite(self._coordinates(xi)).all(axis=-1)

    def require_regular(self, xi: ArrayLike) -> Array:
        """Return the Jacobian at ``xi``, or say where it loses rank.

        Columns are scaled to unit length first, so that units of measurement don't matter.

        Raises
        ------
        SingularParametrizationError
            If xi lies outside the domain, or the scaled Jacobian's smallest singular value is below p times the
            rounding unit times its largest.
        """
        points = self._coordinates(xi)
        inside = self.contains(points)
        if not inside.all():
            raise SingularParametrizationError(
                f"{self!r} is not defined at ({_format(points[~inside])}): choose coordinates inside its domain."
            )
        jacobian = self.jacobian(points)
        length = np.linalg.norm(jacobian, axis=-2, keepdims=True)
        values = np.linalg.svd(jacobian / np.where(length > 0, length, 1.0), compute_uv=False)
        bad = ~(values[..., -1] > self.home_size * np.finfo(float).eps * values[..., 0])
        if bad.any():
            raise SingularParametrizationError(
                f"{self!r} is singular at ({_format(points[bad])}): its Jacobian has rank below {self.size} there, "
                "so standard errors don't exist in these coordinates; use another parametrization."
            )
        return jacobian

    def push_forward(self, xi: ArrayLike, direction: ArrayLike) -> Array:
        """Carry a direction in coordinates (..., q) to home parameters: J direction, shape (..., p)."""
        return np.einsum("...ij,...j->...i", self.jacobian(xi), np.asarray(direction, dtype=float))

    def pull_score(self, xi: ArrayLike, score: ArrayLike) -> Array:
        """Carry a score in home parameters (..., p) to coordinates: J' score, shape (..., q)."""
        return np.einsum("...ij,...i->...j", self.jacobian(xi), np.asarray(score, dtype=float))

    def pull_fisher(self, xi: ArrayLike, fisher: ArrayLike) -> Array:
        """Carry a Fisher matrix in home parameters (..., p, p) to coordinates: J'FJ, shape (..., q, q)."""
        jacobian = self.jacobian(xi)
        return np.swapaxes(jacobian, -1, -2) @ np.asarray(fisher, dtype=float) @ jacobian

    def _coordinates(self, xi: ArrayLike) -> Array:
        return as_points(xi, self.size, f"Coordinates of {type(self).__name__}({', '.join(self.names)})")

    def _home(self, theta: ArrayLike) -> Array:
        return as_points(theta, self.home_size, f"Home parameters for {type(self).__name__}({', '.join(self.names)})")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self.names)})"


def _format(points: Array) -> str:
    """Write the first of some points, (m, q), for an error."""
    return ", ".join(f"{value:.6g}" for value in points.reshape(-1, points.shape[-1])[0])


def refuse_off_image(what: str, theta: Array, good: Mask, rule: str) -> None:
    """Raise `OffImageError` with the rule and the first offending point unless all of ``good`` (...) is true."""
    if not np.all(good):
        bad = theta[~good] if np.ndim(good) else theta[None]
        count = "" if theta.ndim == 1 else f" ({int(np.size(good) - np.sum(good))} of {np.size(good)} points)"
        raise OffImageError(f"{what} needs {rule}, but got ({_format(bad)}){count}.")
