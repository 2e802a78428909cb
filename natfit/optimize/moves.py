"""Along which curve: from a point, a direction and a length to new parameters.

A move is a function ``(objective, point, vector, t) -> params`` whose curve starts at the point with velocity
``vector``. One that computes something for the whole curve, or asks the direction anew on the way, derives from `Move`.
A move that leaves the domain returns parameters that are not finite; the log-likelihood there is -inf, so that the step
rule shortens the step.

At finite steps only the choice of move decides how far a path depends on coordinates: along straight moves of the
natural gradient it does to first order in the step, along midpoint and geodesic-corrected ones to second, and along e-,
m- and Fisher-Rao geodesics not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from natfit.optimize.objective import Objective, Point

Array = np.ndarray[Any, np.dtype[Any]]
Turn = Callable[[Array], Array | None]
"""From parameters to the direction's vector there; None outside the domain."""


class Move:
    """A move that draws a whole curve. A subclass gives ``curve``.

    Examples
    --------
    A move that leaves every other coordinate alone, in a user's own file:

    >>> class EveryOther(Move):
    ...     def curve(self, objective, point, vector, turn=None):
    ...         held = np.where(np.arange(vector.size) % 2 == 0, vector, 0.0)
    ...         return lambda t: point.params + t * held
    >>> point = Point(np.zeros(2), {"loglik": 0.0})
    >>> EveryOther()(None, point, np.ones(2), 0.5)
    array([0.5, 0. ])
    """

    def curve(
        self, objective: Objective, point: Point, vector: Array, turn: Turn | None = None
    ) -> Callable[[float], Array]:
        """Return the curve t -> params; ``turn`` gives the direction's vector at other parameters."""
        raise NotImplementedError

    def __call__(self, objective: Objective, point: Point, vector: Array, t: float, turn: Turn | None = None) -> Array:
        """Return the parameters at t."""
        return self.curve(objective, point, vector, turn)(t)


def straight(objective: Objective, point: Point, vector: Array, t: float) -> Array:
    """Move in a straight line in the coordinates that the objective is written in: ``params + t vector``."""
    return point.params + t * vector


class Midpoint(Move):
    """Move along the direction as it is at the half step: ``params + t d(params + t d / 2)``.

    The midpoint rule for the flow dxi/dt = d(xi): a step follows the flow to third order, so that paths in different
    coordinates agree to second order in the step. It costs one more pass for each length tried.

    Notes
    -----
    Hairer, Norsett & Wanner (1993), Solving Ordinary Differential Equations I, section II.1. The flow approaches the
    optimum only like exp(-t), so a unit step halves the distance to it rather than landing on it.
    """

    def curve(
        self, objective: Objective, point: Point, vector: Array, turn: Turn | None = None
    ) -> Callable[[float], Array]:
        """Return the curve.

        Raises
        ------
        ValueError
            If it is not told how to find the direction anew.
        """
        if turn is None:
            raise ValueError(
                "the midpoint move asks the direction anew at the half step: pass turn=, from params to vector"
            )

        def at(t: float) -> Array:
            there = turn(point.params + 0.5 * t * vector)
            return np.full_like(point.params, np.nan) if there is None else point.params + t * there

        return at


midpoint = Midpoint()


class Coordinates(Protocol):
    """What a move needs of a parametrization; ``contains`` besides, where its domain is not the whole space."""

    def to_home(self, xi: Array) -> Array: ...
    def from_home(self, theta: Array) -> Array: ...
    def jacobian(self, xi: Array) -> Array: ...


class Home:
    """The way from an objective's coordinates to home parameters, through every parametrization wrapped round it.

    Parameters
    ----------
    objective : Objective
        Wrapped in parametrizations, in penalties (which have an ``objective`` too), or in nothing.
    """

    def __init__(self, objective: Any):
        self.charts: list[Coordinates] = []
        while hasattr(objective, "objective"):
            if hasattr(objective, "parametrization"):
                self.charts.append(objective.parametrization)
            objective = objective.objective

    def to_home(self, xi: Array, vector: Array) -> tuple[Array, Array]:
        """Carry coordinates and a vector at them to home parameters: theta(xi) and J vector."""
        for chart in self.charts:
            xi, vector = chart.to_home(xi), chart.jacobian(xi) @ vector
        return xi, vector

    def from_home(self, theta: Array) -> Array:
        """Carry home parameters to coordinates; NaN where there are none."""
        for chart in reversed(self.charts):
            try:
                theta = chart.from_home(theta)
            except ValueError:  # off the image, which is to say outside the domain of these coordinates
                return np.full_like(theta, np.nan)
        return theta


class StraightIn(Move):
    """Move in a straight line in *fixed* coordinates, whatever coordinates the objective is written in.

    With eta the fixed coordinates, eta(t) = eta + t (deta/dtheta) J vector, and the end is carried back. The curve is
    the same in every parametrization, and so are whole paths of a direction that is a vector (the natural gradient).

    Parameters
    ----------
    target : parametrization
        Of the same home parameters as the objective, and with as many coordinates.

    Examples
    --------
    >>> from natfit.parametrizations import Log
    >>> point = Point(np.array([2.0]), {"loglik": 0.0})
    >>> straight_in(Log(["log_rate"]))(None, point, np.array([2.0]), 1.0)  # 2 exp(1)
    array([5.43656366])
    """

    def __init__(self, target: Coordinates):
        self.target = target

    def curve(
        self, objective: Objective, point: Point, vector: Array, turn: Turn | None = None
    ) -> Callable[[float], Array]:
        """Return the curve.

        Raises
        ------
        ValueError
            If the objective has fewer coordinates than the target: a straight line would leave its submodel.
        """
        home, target = Home(objective), self.target
        theta, velocity = home.to_home(point.params, vector)
        eta = target.from_home(theta)
        jacobian = target.jacobian(eta)
        if jacobian.shape != (point.params.size, point.params.size):
            raise ValueError(
                f"a straight move in fixed coordinates needs as many of them as the model has parameters, but there are "
                f"{jacobian.shape[1]} for {point.params.size}: a straight line would leave a model with ties or fixed values"
            )
        forward = np.linalg.solve(jacobian, velocity)

        def at(t: float) -> Array:
            there = eta + t * forward
            if not inside(target, there):
                return np.full_like(point.params, np.nan)
            return home.from_home(target.to_home(there))

        return at


def inside(chart: Coordinates, xi: Array) -> bool:
    """Say whether coordinates lie in the domain of a parametrization."""
    contains = getattr(chart, "contains", None)
    return bool(np.isfinite(xi).all()) and (contains is None or bool(np.all(contains(xi))))


def straight_in(target: Coordinates) -> StraightIn:
    """Return the move that is straight in fixed coordinates; see `StraightIn`."""
    return StraightIn(target)


def e_geodesic(family: Any) -> StraightIn:
    """Return the move along e-geodesics of an exponential family: straight in its natural parameters.

    Notes
    -----
    Amari (2016), Information Geometry and Its Applications, section 2.3.

    Examples
    --------
    >>> from natfit.families import Poisson
    >>> point = Point(np.array([2.0]), {"loglik": 0.0})
    >>> e_geodesic(Poisson())(None, point, np.array([2.0]), 1.0)
    array([5.43656366])
    """
    return _straight_in_dual(family, "natural")


def m_geodesic(family: Any) -> StraightIn:
    """Return the move along m-geodesics of an exponential family: straight in its mean parameters E[T].

    A unit step of the natural gradient along it lands on the maximum of the likelihood of a sample.

    Notes
    -----
    Amari (2016), Information Geometry and Its Applications, section 2.3.

    Examples
    --------
    >>> from natfit.families import Exponential
    >>> point = Point(np.array([1.0]), {"loglik": 0.0})
    >>> m_geodesic(Exponential())(None, point, np.array([-0.5]), 1.0)  # the mean goes from 1 to 1.5
    array([0.66666667])
    """
    return _straight_in_dual(family, "mean")


def _straight_in_dual(family: Any, name: str) -> StraightIn:
    charts = getattr(family, "parametrizations", {})
    if name not in charts:
        letter = name[0] if name == "mean" else "e"
        raise ValueError(
            f"an {letter}-geodesic is straight in the {name} parameters of an exponential family, and {family!r} has none; "
            "use straight_in with a parametrization, or fisher_rao"
        )
    return StraightIn(charts[name])
