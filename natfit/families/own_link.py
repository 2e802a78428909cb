"""Links made from a user's own functions, which are tried at a few points before they are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.families.interval import REAL, UNIT, Array, Interval
from natfit.families.link_base import REGISTRY, Link

Function = Callable[[Array], Array]


class FunctionLink(Link):
    """A link made by `from_functions`."""

    def __init__(
        self,
        functions: tuple[Function, Function, Function, Function | None],
        name: str,
        mean_range: Interval,
        predictor_range: Interval,
    ) -> None:
        self._link, self._inverse, self._derivative, self._second = functions
        self.name = name
        self.mean_range = mean_range
        self.predictor_range = predictor_range
        self._bounded = mean_range in UNIT

    def __call__(self, mu: Array) -> Array:
        return self._link(mu)

    def inverse(self, eta: Array) -> Array:
        return self._inverse(eta)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        mu = self._inverse(eta)
        return mu, (1.0 - mu if self._bounded else None), self._derivative(eta)

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        if self._second is not None:
            return self._second(eta)
        step = 6e-6 * np.maximum(1.0, np.abs(eta))  # cube root of the machine epsilon
        return (self._derivative(eta + step) - self._derivative(eta - step)) / (2.0 * step)

    def limit(self, mu: float) -> float:
        """Predictor at a limit of the mean: the end of the predictor's range where the inverse leads there.

        Functions that clip their argument (as statsmodels' do) would give a finite predictor instead.
        """
        if mu in (self.mean_range.low, self.mean_range.high):
            for end in (self.predictor_range.low, self.predictor_range.high):
                with np.errstate(all="ignore"):
                    if float(np.asarray(self._inverse(np.array([end])), dtype=float).ravel()[0]) == mu:
                        return end
        return super().limit(mu)

    def parameters(self) -> tuple[Any, ...]:
        return (self.name, self._link, self._inverse, self._derivative, self._second)

    def __repr__(self) -> str:
        return f"from_functions(name={self.name!r})"


def from_functions(
    link: Function,
    inverse: Function,
    derivative: Function,
    *,
    name: str = "custom",
    mean_range: Interval | tuple[float, float] = REAL,
    predictor_range: Interval | tuple[float, float] = REAL,
    second_derivative: Function | None = None,
) -> Link:
    """A link from three functions of an array.

    Parameters
    ----------
    link : callable
        mu -> eta.
    inverse : callable
        eta -> mu.
    derivative : callable
        eta -> dmu/deta (of the inverse, not of the link).
    name : str
        How results call it. Pass the link to `register` to use it by this name.
    mean_range, predictor_range : Interval or (low, high)
        Open intervals that the link maps onto each other.
    second_derivative : callable, optional
        eta -> d2mu/deta2; central differences of `derivative` stand in where it is not given.

    Raises
    ------
    TypeError
        If one of the functions cannot be called.
    ValueError
        If the functions do not belong together at a few points of the predictor's range: ``link(inverse(eta))`` is not
        eta, or a derivative is not that of central differences; or if the name is that of one of natfit's own links.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import links
    >>> cube = links.from_functions(np.cbrt, lambda eta: eta**3, lambda eta: 3 * eta**2, name="cube root")
    >>> mu, complement, slope = cube.mean(np.array([2.0]))
    >>> print(mu, slope)
    [8.] [12.]
    """
    functions = {"link": link, "inverse": inverse, "derivative": derivative}
    for role, function in functions.items():
        if not callable(function):
            raise TypeError(f"a link needs three functions; its {role} cannot be called: {function!r}.")
    if second_derivative is not None and not callable(second_derivative):
        raise TypeError(f"a link's second derivative must be a function or left out; got {second_derivative!r}.")
    if name in REGISTRY.names() and not isinstance(REGISTRY.entry(name), FunctionLink):
        raise ValueError(f"the link name '{name}' is that of natfit's own; choose another name.")
    ranges = [r if isinstance(r, Interval) else Interval(*r) for r in (mean_range, predictor_range)]
    made = FunctionLink((link, inverse, derivative, second_derivative), name, *ranges)
    _check_functions(made)
    return made


_OFFSETS = np.array([0.11, 0.37, 0.83, 1.6, 2.3])


def _points(where: Interval) -> Array:
    """A few points of an interval, none of them special."""
    low, high = where.low, where.high
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * _OFFSETS / 2.5
    if np.isfinite(low):
        return low + _OFFSETS
    if np.isfinite(high):
        return high - _OFFSETS
    return np.concatenate([-_OFFSETS[::-1], _OFFSETS])


def _check_functions(made: FunctionLink) -> None:
    """Refuse functions that do not belong together, with the point where it shows and the size of the error.

    Points where the inverse is not finite, or so flat that rounding hides the predictor, tell nothing and are let by.
    """
    eta = _points(made.predictor_range)
    step = 6e-6 * np.maximum(1.0, np.abs(eta))  # cube root of the machine epsilon
    low, high = made.predictor_range.low, made.predictor_range.high
    step = np.minimum(step, 0.25 * np.minimum(eta - low, high - eta))

    def at(function: Function, x: Array) -> Array:
        return np.broadcast_to(np.asarray(function(x.copy()), dtype=float), x.shape)

    with np.errstate(all="ignore"):
        mu = at(made.inverse, eta)
        rounding = 4e-16 * np.maximum(np.abs(mu), 1.0)
        slope = (at(made.inverse, eta + step) - at(made.inverse, eta - step)) / (2.0 * step)
        given = at(made._derivative, eta)
        outside = (mu < made.mean_range.low) | (mu > made.mean_range.high)
        if np.any(outside):
            k = int(np.flatnonzero(outside)[0])
            raise ValueError(
                f"the {made.name} link's inverse gives the mean {mu[k]:.6g} at the predictor {eta[k]:.6g}, outside its "
                f"mean_range {made.mean_range}; correct the functions, or the mean_range or predictor_range."
            )
        back = at(made.__call__, mu)
        lost = 100.0 * rounding / np.abs(slope)
        _compare(made.name, "link(inverse(eta))", eta, back, eta, 1e-6 * np.maximum(1.0, np.abs(eta)) + lost)
        tolerance = 1e-4 * np.abs(slope) + 10.0 * rounding / step
        _compare(made.name, "derivative(eta)", eta, given, slope, tolerance)
        if made._second is not None:
            bend = (at(made._derivative, eta + step) - at(made._derivative, eta - step)) / (2.0 * step)
            tolerance = 1e-4 * (np.abs(bend) + np.abs(slope)) + 10.0 * rounding / step
            _compare(made.name, "second_derivative(eta)", eta, at(made._second, eta), bend, tolerance)


def _compare(name: str, what: str, eta: Array, got: Array, right: Array, tolerance: Array) -> None:
    """Refuse where a function's values are further than a tolerance from what they should be."""
    known = np.isfinite(right) & np.isfinite(tolerance)
    wrong = known & ~(np.abs(got - right) <= tolerance)
    if np.any(wrong):
        k = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"the {name} link's functions do not belong together: {what} is {got[k]:.6g} at eta = {eta[k]:.6g} where "
            f"it should be {right[k]:.6g} (off by {abs(got[k] - right[k]):.2g}); correct them, or give the mean_range "
            "and predictor_range on which they hold."
        )
