"""Powers of positive parameters: reciprocals (precision, scale) and squares (standard deviation)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask, refuse_off_image
from natfit.parametrizations.elementwise import Elementwise


class Power(Elementwise):
    """Positive coordinates whose power is the home parameter: theta = xi ** exponent.

    Exponent -1 makes a precision of a variance, exponent 2 a standard deviation.

    Examples
    --------
    >>> Power(["sd"], 2).from_home([9.0])
    array([3.])
    """

    def __init__(self, names: Sequence[str], exponent: float) -> None:
        if not np.isfinite(exponent) or exponent == 0:
            raise ValueError(f"A power parametrization needs a finite exponent other than 0, but got {exponent}.")
        super().__init__(names)
        self.exponent = float(exponent)

    def to_home(self, xi: ArrayLike) -> Array:
        return self._coordinates(xi) ** self.exponent

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        refuse_off_image(repr(self), theta, (theta > 0).all(axis=-1), "positive home parameters")
        return theta ** (1.0 / self.exponent)

    def derivative(self, xi: Array) -> Array:
        return self.exponent * xi ** (self.exponent - 1.0)

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        return (np.isfinite(xi) & (xi > 0)).all(axis=-1)
