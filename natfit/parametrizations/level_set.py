"""The parameters at which a smooth function has a given value, one of them solved for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask, Parametrization, refuse_off_image

MOST_STEPS = 60
"""Steps after which the solution is given up; a handful is what it takes."""
TELLING = 1e-6
"""Share of the parameter that a step must have for the change along it to tell the slope in spite of rounding."""


class LevelSet(Parametrization):
    """Home parameters with ``function(theta) = value``; the coordinates are all but one of them, which is solved for.

    Parameters
    ----------
    names : sequence of str
        Names of the p home parameters.
    function : callable
        theta, (p,), to a number; smooth.
    gradient : callable
        theta, (p,), to its gradient, (p,).
    value : float
        Of the function, on the surface.
    pivot : int
        Which parameter is solved for: the function must change along it.
    near : array_like, (p,)
        A point close to the surface; the solution is sought from its ``pivot`` entry.

    Examples
    --------
    >>> import numpy as np
    >>> gradient = lambda t: np.array([1 / t[1], -t[0] / t[1] ** 2])
    >>> ratio = LevelSet(["a", "b"], lambda t: t[0] / t[1], gradient, 2.0, 0, [1, 1])
    >>> ratio.to_home([3.0])
    array([6., 3.])
    """

    def __init__(
        self,
        names: Sequence[str],
        function: Callable[[Array], float],
        gradient: Callable[[Array], Array],
        value: float,
        pivot: int,
        near: ArrayLike,
    ) -> None:
        super().__init__([name for k, name in enumerate(names) if k != pivot], len(names))
        self._function, self._gradient = function, gradient
        self.value, self.pivot = float(value), pivot
        self._near = float(np.asarray(near, dtype=float)[pivot])
        self._others = np.arange(len(names)) != pivot
        self._solved: tuple[bytes, float] | None = None

    def to_home(self, xi: ArrayLike) -> Array:
        """Solve for the pivot; NaN where no solution is found."""
        points = self._coordinates(xi)
        home = np.empty((*points.shape[:-1], self.home_size))
        home[..., self._others] = points
        for index in np.ndindex(points.shape[:-1]):
            home[(*index, self.pivot)] = self._solve(home[index])
        return home

    def _solve(self, theta: Array) -> float:
        key = theta[self._others].tobytes()
        if self._solved is None or self._solved[0] != key:  # value, Jacobian and domain are asked for one after another
            with np.errstate(all="ignore"):
                self._solved = (key, self._search(theta.copy()))
        return self._solved[1]

    def _search(self, theta: Array) -> float:
        """Solve by secant steps, the first by the gradient."""
        theta[self.pivot] = self._near
        miss = self._function(theta) - self.value
        slope, last = float(self._gradient(theta)[self.pivot]), np.inf
        for _ in range(MOST_STEPS):
            step = miss / slope if slope else np.inf
            if not np.isfinite(step):
                return np.nan
            theta[self.pivot] -= step
            size = 64 * np.finfo(float).eps * abs(theta[self.pivot])
            if abs(step) <= size or (abs(step) >= last and abs(step) <= 1e4 * size):
                return float(theta[self.pivot])
            before, miss, last = miss, self._function(theta) - self.value, abs(step)
            if abs(step) > TELLING * abs(theta[self.pivot]):
                slope = (before - miss) / step
        return np.nan

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        back = self.to_home(theta[..., self._others])[..., self.pivot]
        given = theta[..., self.pivot]
        # sqrt of the rounding unit: looser than arithmetic needs, tighter than any typo
        good = np.abs(back - given) <= np.sqrt(np.finfo(float).eps) * np.maximum(np.abs(given), 1.0)
        refuse_off_image(repr(self), theta, good, f"the function to have the value {self.value:.6g}")
        return theta[..., self._others]

    def jacobian(self, xi: ArrayLike) -> Array:
        home = self.to_home(xi)
        made = np.zeros((*home.shape, self.size))
        made[..., self._others, :] = np.eye(self.size)
        for index in np.ndindex(home.shape[:-1]):
            slope = np.asarray(self._gradient(home[index]), dtype=float)
            made[(*index, self.pivot)] = -slope[self._others] / slope[self.pivot]
        return made

    def contains(self, xi: ArrayLike) -> Mask:
        inside = super().contains(xi)
        return inside & np.isfinite(self.to_home(xi)[..., self.pivot])
