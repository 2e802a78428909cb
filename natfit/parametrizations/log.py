"""Logarithms of positive parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, refuse_off_image
from natfit.parametrizations.elementwise import Elementwise


class Log(Elementwise):
    """Logarithms as coordinates of positive home parameters: theta = exp(xi).

    Examples
    --------
    >>> Log(["log_rate"]).from_home([1.0])
    array([0.])
    """

    def to_home(self, xi: ArrayLike) -> Array:
        return np.exp(self._coordinates(xi))

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        refuse_off_image(repr(self), theta, (theta > 0).all(axis=-1), "positive home parameters")
        return np.log(theta)

    def derivative(self, xi: Array) -> Array:
        return np.exp(xi)
