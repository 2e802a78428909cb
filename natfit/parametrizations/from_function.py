"""A user's own parametrization, from a plain function."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask, Parametrization, as_points, refuse_off_image
from natfit.parametrizations.checking import check
from natfit.parametrizations.numerical import numerical_jacobian

Function = Callable[[Array], ArrayLike]


class FromFunction(Parametrization):
    """A parametrization made of functions; see `from_function`."""

    def __init__(
        self,
        names: Sequence[str],
        home_size: int,
        to_home: Function,
        from_home: Function,
        jacobian: Function | None,
        contains: Callable[[Array], Mask] | None,
    ) -> None:
        super().__init__(names, home_size)
        self._to_home, self._from_home, self._jacobian, self._contains = to_home, from_home, jacobian, contains

    def to_home(self, xi: ArrayLike) -> Array:
        return as_points(self._to_home(self._coordinates(xi)), self.home_size, f"Results of to_home of {self!r}")

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        with np.errstate(all="ignore"):  # a function asked off its image may well divide by zero: looked at just below
            xi = as_points(self._from_home(theta), self.size, f"Results of from_home of {self!r}")
            good = self.contains(xi)
            back = self.to_home(np.where(good[..., None], xi, np.nan))
            scale = np.abs(theta).max(axis=-1)
            # sqrt of the rounding unit: round trips are good to far more digits than this, other points to far fewer
            good = good & (np.abs(back - theta).max(axis=-1) <= np.sqrt(np.finfo(float).eps) * (1.0 + scale))
        refuse_off_image(repr(self), theta, good, "home parameters that some coordinates map to")
        return xi

    def jacobian(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        if self._jacobian is None:
            return numerical_jacobian(self.to_home, xi, self.contains)
        return np.asarray(self._jacobian(xi), dtype=float)

    def contains(self, xi: ArrayLike) -> Mask:
        inside = super().contains(xi)
        return inside if self._contains is None else inside & self._contains(self._coordinates(xi))


def from_function(
    to_home: Function,
    from_home: Function | None = None,
    jacobian: Function | None = None,
    *,
    names: Sequence[str],
    at: ArrayLike,
    contains: Callable[[Array], Mask] | None = None,
    vectorized: bool = False,
) -> Parametrization:
    """Make a parametrization of your own functions, and check it.

    Parameters
    ----------
    to_home : callable
        Coordinates, shape (q,), to home parameters, shape (p,).
    from_home : callable, optional
        The inverse. Where omitted, `scipy.optimize.least_squares` solves for it, starting at the first point of ``at``.
    jacobian : callable, optional
        d theta / d xi, shape (p, q). Where omitted, by `scipy.differentiate`.
    names : sequence of str
        Names of the q coordinates.
    at : array_like, (q,) or (m, q)
        Points at which round trip and Jacobian are checked, now.
    contains : callable, optional
        Coordinates to bool: the domain.
    vectorized : bool
        True where all functions take any leading batch axes, which is faster. False: they are called point by point.

    Raises
    ------
    ValueError
        If the round trip or the Jacobian is wrong, with the point and the size of the error.

    Examples
    --------
    >>> import numpy as np
    >>> cv = from_function(lambda xi: np.array([xi[0], (xi[0] * xi[1]) ** 2]), names=["mean", "cv"], at=[2.0, 0.5])
    >>> cv.from_home([2.0, 1.0]).round(6)
    array([2. , 0.5])
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    points = np.atleast_2d(as_points(at, len(names), "Points of `at`"))
    if not vectorized:
        to_home, from_home = _pointwise(to_home, 1), from_home and _pointwise(from_home, 1)
        jacobian, contains = jacobian and _pointwise(jacobian, 2), contains and _pointwise(contains, 0)
    home_size = np.asarray(to_home(points)).shape[-1]
    if from_home is None:
        from_home = _solver(to_home, points[0])
    parametrization = FromFunction(names, home_size, to_home, from_home, jacobian, contains)
    check(parametrization, points).raise_if_wrong()
    return parametrization


def _pointwise(function: Callable, ndim: int) -> Callable:
    """Let a function of one point, with a result of ``ndim`` axes, take batch axes."""

    def batched(points: Array) -> Array:
        flat = [np.asarray(function(point)) for point in points.reshape(-1, points.shape[-1])]
        shape = flat[0].shape if flat else (0,) * ndim
        if len(shape) != ndim:
            raise ValueError(
                f"A parametrization's function must give {ndim} axes for one point, but gave {len(shape)}."
            )
        return np.array(flat).reshape(points.shape[:-1] + shape)

    return batched


def _solver(to_home: Function, start: Array) -> Function:
    """Invert ``to_home`` point by point, by least squares."""

    def inverse(theta: Array) -> Array:
        from scipy.optimize import least_squares

        eps = np.finfo(float).eps
        scale = np.maximum(np.abs(theta), np.finfo(float).tiny ** 0.5)

        def miss(xi: Array) -> Array:
            return (np.asarray(to_home(xi), dtype=float) - theta) / scale

        result = least_squares(
            miss,
            start,
            jac="3-point",
            xtol=4 * eps,
            ftol=None,
            gtol=None,
            x_scale=np.maximum(np.abs(start), 0.1),
        )
        return result.x

    return _pointwise(inverse, 1)
