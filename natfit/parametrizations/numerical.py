"""Derivatives by differences, where no closed form was given."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array


def numerical_jacobian(function: Callable[[Array], ArrayLike], at: Array) -> Array:
    """Differentiate a function of vectors, batch axes leading: (..., q) -> (..., p) gives (..., p, q).

    By `scipy.differentiate.jacobian` (order 8, steps halved until the error estimate stops falling); the first step
    is a twentieth of each coordinate, so that a positive one stays positive.
    """
    from scipy.differentiate import jacobian

    at = np.asarray(at, dtype=float)
    flat = at.reshape(-1, at.shape[-1]).T

    def columns_first(x: Array) -> Array:
        return np.moveaxis(np.asarray(function(np.moveaxis(x, 0, -1)), dtype=float), -1, 0)

    step = np.where(flat == 0, 0.05, np.abs(flat) * 0.05)
    derivative = jacobian(columns_first, flat, initial_step=step, tolerances={"rtol": 1e-12}).df
    return np.moveaxis(derivative, -1, 0).reshape(*at.shape[:-1], -1, at.shape[-1])
