"""The curve ahead of a point: what a step rule sees of an iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.metric import SingularMetric
from natfit.need import LOGLIK, METRIC, SCORE
from natfit.optimize.directions import Direction, Heading
from natfit.optimize.objective import Objective, Point, scaled

Array = np.ndarray[Any, np.dtype[Any]]
Move = Callable[[Objective, Point, Array, float], Array]
"""From an objective, a point, a vector and a step to parameters. One that wants more is a `natfit.optimize.moves.Move`."""


class Curve:
    """The curve that a move draws from a point along a heading, t -> params, with t = 0 at the point.

    Parameters
    ----------
    objective : Objective
    heading : Heading
        The direction's answer at the point.
    move : callable
        ``(objective, point, vector, t) -> params``; where it has a method ``curve``, that is asked once and what it
        returns is called with t.
    direction, state
        Of which the move may ask the direction anew at other parameters.

    Attributes
    ----------
    point : Point
        Where the curve begins.
    vector : (p,) ndarray
        Its velocity there.
    slope : float
        score'vector, the rate of gain at unit dispersion.
    decrement : float or None
        The direction's, where it has one.
    """

    _draw: Callable[[float], Array] | None = None
    _quadratic: float | None = None
    _kl: tuple[float, float] | None = None

    def __init__(self, objective: Objective, heading: Heading, move: Move, direction: Direction, state: Any):
        self.objective = objective
        self.vector, self.decrement, self.point = heading.vector, heading.decrement, heading.point
        self.slope = float(self.point.score @ self.vector)
        self._move, self._direction, self._state = move, direction, state

    @property
    def full_step(self) -> bool:
        """Whether t = 1 is meant to land on the optimum."""
        return self._direction.full_step

    def params(self, t: float) -> Array:
        """Return the parameters at t; not finite where the move has left the domain."""
        if self._draw is None:
            draw = getattr(self._move, "curve", None)
            if draw is None:
                return self._move(self.objective, self.point, self.vector, t)
            self._draw = draw(self.objective, self.point, self.vector, self.turn)
        return self._draw(t)

    def turn(self, params: Array) -> Array | None:
        """Return the direction's vector at other parameters, at the cost of a pass; None where there is none."""
        need = LOGLIK | SCORE | self._direction.need(self._state)
        try:
            point = self.objective.evaluate(params, need)
            return self._direction(self.objective, point, self._state)[0].vector if point.inside else None
        except (SingularMetric, np.linalg.LinAlgError):
            return None

    @property
    def quadratic(self) -> float:
        """vector' F vector at unit dispersion, F the expected information; it may cost a pass."""
        if self._quadratic is None:
            point = self.point
            if "metric" not in point.sums:
                point = self.objective.evaluate(point.params, LOGLIK | METRIC)
            self._quadratic = point.metric.quadratic(self.vector)
        return self._quadratic

    def kl(self, t: float) -> float:
        """Return the KL divergence, in nats over all rows, from the distribution at the point to that at t.

        Where the objective has no exact one, half the quadratic form of the chord in the metric at the point. Outside
        the domain it is infinite.
        """
        params = self.params(t)
        if getattr(self.objective, "kl_is_exact", False):
            value = scaled(self.objective.kl(self.point.params, params), self.point.dispersion)  # type: ignore[attr-defined]
            self._kl = (t, value)
        else:
            metric = self.point.sums["metric"]
            value = scaled(0.5 * metric.quadratic(params - self.point.params), self.point.dispersion)
        return value if value >= 0.0 else np.inf

    def moved(self, t: float) -> tuple[float, bool]:
        """Return the KL divergence moved at t without passing over data, and whether it is exact.

        Otherwise it is half the quadratic form t^2 vector' F vector / 2, right to second order in t for every move; NaN
        where no metric is at hand.
        """
        if self._kl is not None and self._kl[0] == t:
            return self._kl[1], True
        if self._quadratic is None:
            if self.decrement is not None and self.vector is self.point.known_natural_gradient:
                return 0.5 * t * t * self.decrement, False
            if "metric" not in self.point.sums:
                return np.nan, False
        return 0.5 * t * t * scaled(self.quadratic, self.point.dispersion), False
