"""Derivatives by differences, where no closed form was given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask


def numerical_jacobian(
    function: Callable[[Array], ArrayLike], at: Array, contains: Callable[[Array], Mask] | None = None
) -> Array:
    """Differentiate a function of vectors, batch axes leading: (..., q) -> (..., p) gives (..., p, q).

    By `scipy.differentiate.jacobian` (order 8, steps halved until the error estimate stops falling). The first step is
    a twentieth of each coordinate, halved until both ends lie in the domain (``contains``) with finite values.
    """
    from scipy.differentiate import jacobian

    at = np.asarray(at, dtype=float)
    flat = at.reshape(-1, at.shape[-1])

    def columns_first(x: Array) -> Array:
        return np.moveaxis(np.asarray(function(np.moveaxis(x, 0, -1)), dtype=float), -1, 0)

    step = _first_step(function, flat, contains)
    found = jacobian(columns_first, flat.T, initial_step=step.T, tolerances={"rtol": 1e-12})
    # A derivative that is smaller than its own error can't be told from 0, and where it should be 0 the sign and size of
    # what is left are the rounding of one processor.
    derivative = np.where(np.abs(found.df) <= found.error, 0.0, found.df)
    return np.moveaxis(derivative, -1, 0).reshape(*at.shape[:-1], -1, at.shape[-1])


def _first_step(
    function: Callable[[Array], ArrayLike], points: Array, contains: Callable[[Array], Mask] | None
) -> Array:
    """Return steps (m, q) that stay in the domain on both sides of points (m, q)."""
    # a coordinate next to zero has no size of its own: a hundredth of the largest one stands in, or of 1
    size = np.maximum(np.abs(points), 0.01 * np.maximum(np.abs(points).max(axis=-1, keepdims=True), 1.0))
    step = 0.05 * size
    for _ in range(60):
        ends = points[:, None, :] + np.stack([-1.0, 1.0])[:, None, None, None] * step[:, None, :] * np.eye(
            step.shape[1]
        )
        with np.errstate(all="ignore"):
            good = np.isfinite(ends).all(axis=-1) if contains is None else np.asarray(contains(ends))
            safe = np.where(good[..., None], ends, points[:, None, :])
            good = good & np.isfinite(np.asarray(function(safe))).all(axis=-1)
        fine = good.all(axis=0)
        if fine.all():
            break
        step = np.where(fine, step, 0.5 * step)
    return step
