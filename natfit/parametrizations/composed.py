"""One parametrization after another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask, Parametrization


class Composed(Parametrization):
    """The inner parametrization's home parameters are the outer one's coordinates: theta = outer(inner(xi)).

    Examples
    --------
    A logarithm of a standard deviation, as coordinate of a variance:

    >>> from natfit.parametrizations import Log, Power
    >>> Composed(Power(["sd"], 2), Log(["log_sd"])).to_home([0.0])
    array([1.])
    """

    def __init__(self, outer: Parametrization, inner: Parametrization) -> None:
        if inner.home_size != outer.size:
            raise ValueError(
                f"To compose, the inner parametrization must give the outer one's {outer.size} coordinates, "
                f"but {inner!r} gives {inner.home_size}."
            )
        super().__init__(inner.names, outer.home_size)
        self.outer, self.inner = outer, inner

    def to_home(self, xi: ArrayLike) -> Array:
        return self.outer.to_home(self.inner.to_home(xi))

    def from_home(self, theta: ArrayLike) -> Array:
        return self.inner.from_home(self.outer.from_home(theta))

    def jacobian(self, xi: ArrayLike) -> Array:
        return self.outer.jacobian(self.inner.to_home(xi)) @ self.inner.jacobian(xi)

    def contains(self, xi: ArrayLike) -> Mask:
        inside = self.inner.contains(xi)
        with np.errstate(all="ignore"):  # the outer map is asked also where the inner one has left its domain
            return inside & self.outer.contains(self.inner.to_home(xi))
