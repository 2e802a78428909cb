"""Where to go: a direction turns a point into a vector, and keeps what it must remember in a state of its own."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from natfit.metric import ILL_CONDITIONED, Gram, Metric, SingularMetric
from natfit.need import FACTOR, LOGLIK, MEAT, METRIC, OBSERVED, SCORE
from natfit.optimize.lazy import Carrier, Lazy
from natfit.optimize.memory import Remembered
from natfit.optimize.objective import Objective, Point, scaled

Array = np.ndarray[Any, np.dtype[Any]]

NEAR = 1e-6
"""Decrement, a thousandth of a standard error squared, from which on a metric is taken at every step: there the stopping
rule decides, and what it decides on is not to be out of date."""

CONTRACTION = 0.25
"""A metric that does not shrink the decrement to this share, half the distance, is not worth holding."""

METRICS = {"expected": (METRIC, "metric"), "observed": (OBSERVED, "observed"), "empirical": (MEAT, "meat")}


class Heading(NamedTuple):
    """A direction's answer: the vector, the decrement if it has one, and the point (maybe evaluated anew).

    ``ahead`` is a bound on the decrement that a whole step leaves, where the direction knows one: a stopping rule that
    is content with it spares the pass that would only confirm it.
    """

    vector: Array
    decrement: float | None
    point: Point
    metric: str
    ahead: float | None = None


class State(NamedTuple):
    """What `NaturalGradient` remembers: whether it has gone over to another metric or to a triangular factor, and the
    metric it holds with the steps that it has served, the last decrement, and whether the optimum is near.

    The last six belong to `Lazy`: a bound on how fast the metric changes, whether the next point is to bring its own,
    whether it has given way to plain scoring, what a metric costs in passes for the score, what carries one over the last
    step, and the points since the metric was taken."""

    finishing: bool = False
    factor: bool = False
    may_finish: bool = True
    held: Metric | None = None
    age: int = 0
    last: float = np.inf
    near: bool = False
    bend: float = np.inf
    renew: bool = False
    plain: bool = False
    cost: float = 0.0
    carriers: tuple[Carrier, ...] = ()
    memory: Remembered = Remembered()


class Direction:
    """Where to go from a point. A subclass gives ``__call__``, and ``need`` where it wants more than the score."""

    measures = False
    """Whether its headings carry a decrement, so that the stopping rule needs no metric of its own."""

    full_step = False
    """Whether a unit step is meant to land on the optimum, so that the last computed step is worth taking."""

    def initial(self) -> Any:
        """Return the state to begin with."""
        return None

    def begin(self, objective: Objective, start: Array) -> tuple[Array, Any]:
        """Return where to begin, which may be a better place than ``start``, and the state to begin with."""
        return start, self.initial()

    def need(self, state: Any) -> int:
        """Return the flags of what a point must carry for this direction."""
        return SCORE

    def outdated(self, state: Any) -> bool:
        """Say whether the point's metric is that of an earlier point, so that a result wants it taken anew."""
        return False

    def carried(self, point: Point, params: Array, state: Any) -> tuple[Metric, Any]:
        """Return the metric at parameters a short step from a point, where no pass is made, and the state with it."""
        return point.metric, state

    def retreat(self, state: Any) -> Any:
        """Return a state to go on with where steps have shrunk to nothing, or None where there is no other way."""
        return None

    def __call__(self, objective: Objective, point: Point, state: Any) -> tuple[Heading, Any]:
        raise NotImplementedError


class Gradient(Direction):
    """The plain gradient: steepest ascent in the Euclidean length of whatever coordinates the objective is written in."""

    def __call__(self, objective: Objective, point: Point, state: Any) -> tuple[Heading, Any]:
        return Heading(point.score, None, point, "euclidean"), state


class NaturalGradient(Direction):
    """F^-1 score: steepest ascent when steps are measured by how far the distribution moves.

    Parameters
    ----------
    metric : {"expected", "observed", "empirical"}
        Which Fisher information stands for F.
    finish : {"observed", "empirical"}, optional
        Metric to go over to within ``finish_within`` standard errors of the optimum, as long as it is positive
        definite. Scoring with the expected information converges only linearly where it is not the observed one.
    finish_within : float
        Distance in standard errors, the root of the decrement.
    damping : float
        Adds this share of F's own diagonal to it: shorter steps, turned towards the scaled gradient. 0 is none.
    refresh : int or Lazy
        Steps that a metric serves before it is taken anew. A pass for the score alone costs n p, one for the metric
        n p^2, and with an exact score an older metric changes the path but not the optimum. It is taken anew at once
        where the decrement stops shrinking fast, and at every step once the optimum is near. With 1 it always is. `Lazy`
        takes the first ones on samples of the rows, and that of all rows as seldom as it can.

    Notes
    -----
    Amari (1998), Natural gradient works efficiently in learning, Neural Computation 10. With unit step and the expected
    metric it is Fisher scoring.
    """

    full_step = True
    measures = True

    def __init__(
        self,
        metric: str = "expected",
        finish: str | None = None,
        finish_within: float = 1.0,
        damping: float = 0.0,
        refresh: int | Lazy = 1,
    ):
        for name in (metric, finish or metric):
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}: choose one of {', '.join(METRICS)}")
        if not damping >= 0.0:
            raise ValueError(f"damping must be 0 or more, got {damping}")
        if isinstance(refresh, Lazy):
            if metric != "expected":
                raise ValueError(
                    f"a lazy refresh holds the expected information, and the metric asked for is {metric!r}"
                )
        elif refresh != int(refresh) or refresh < 1:
            raise ValueError(f"refresh must be a whole number of steps, 1 or more, got {refresh}")
        self.refresh = refresh
        self._lazy = refresh if isinstance(refresh, Lazy) else None
        self._steps = 1 if isinstance(refresh, Lazy) else int(refresh)
        self.metric = metric
        self.finish = finish
        self.finish_within = finish_within
        self.damping = damping

    def initial(self) -> State:
        return State()

    def begin(self, objective: Objective, start: Array) -> tuple[Array, State]:
        if self._lazy is None:
            return start, self.initial()
        scouted = self._lazy.scout(objective, start)
        if scouted is None:
            return start, self.initial()._replace(plain=True)
        cost = getattr(objective, "metric_cost", 0.0)
        state = self.initial()._replace(held=scouted.metric, age=1, cost=cost, carriers=scouted.carriers)
        return scouted.params, state

    def retreat(self, state: State) -> State | None:
        # The expected information grows without bound towards an edge of the domain and turns steps along it; the
        # observed one may head straight for it.
        return state._replace(finishing=False, may_finish=False) if state.finishing else None

    def outdated(self, state: State) -> bool:
        return state.age > 0

    def carried(self, point: Point, params: Array, state: State) -> tuple[Metric, State]:
        for carrier in state.carriers:
            carried = carrier.carry(point.metric, point.params, params)
            if carried is not None:
                return carried, state
        return point.metric, state._replace(age=1) if state.carriers else state

    def need(self, state: State) -> int:
        if self._lazy is not None and not state.plain:
            last = METRICS[self.finish][0] if self.finish and self._lazy.newton else 0
            return self._lazy.need(state, SCORE | METRIC | last)
        if state.held is not None and state.age + 1 < self._steps and not state.near and not state.finishing:
            return SCORE
        need = SCORE | METRIC | METRICS[self.metric][0] | (FACTOR if state.factor else 0)
        return need | METRICS[self.finish][0] if state.finishing and self.finish else need

    def __call__(self, objective: Objective, point: Point, state: State) -> tuple[Heading, State]:
        if self._lazy is not None and not state.plain:
            point, state, ahead = self._lazy.hold(point, state, newton=self.finish is None or self._lazy.newton)
            if not state.plain:
                heading = self._lazily(point, ahead)
                if heading.metric != self.metric:
                    return heading, state
                vector, state = self._lazy.mix(point, state)
                if state.renew:
                    point.metric.let_go()
                return heading._replace(vector=vector), state
            if state.age > 0:
                point = _with_more(objective, point, METRIC)
            state = state._replace(held=None, age=0)
        if self._steps > 1:
            point, state = self._with_held(objective, point, state)
        point, state = self._well_held(objective, point, state)
        heading = self._along(point, self.metric)
        if self.finish is None or heading.decrement is None:
            return heading, state
        if state.may_finish and not state.finishing and heading.decrement < self.finish_within**2:
            state = state._replace(finishing=True)
            point = _with_more(objective, point, METRICS[self.finish][0])
        if state.finishing:
            try:
                return self._along(point, self.finish), state
            except SingularMetric:
                pass  # not positive definite here: the metric that always is serves on
        return heading._replace(point=point), state

    def _lazily(self, point: Point, ahead: float | None) -> Heading:
        """Head along the metric that is held; near the optimum along that of the finish, where the point has it."""
        heading = self._along(point, self.metric)
        if self.finish is None or METRICS[self.finish][1] not in point.sums:
            return heading._replace(ahead=ahead)
        if heading.decrement is not None and heading.decrement < self.finish_within**2:
            try:
                return self._along(point, self.finish)._replace(ahead=ahead)
            except SingularMetric:
                pass  # not positive definite here: the metric that always is serves on, and squares nothing
        return heading

    def _with_held(self, objective: Objective, point: Point, state: State) -> tuple[Point, State]:
        """Give the point the metric that is held, or hold the point's own; take it anew where it serves badly."""
        key = METRICS[self.metric][1]
        decrement, near, age = np.inf, state.near, 0
        if key not in point.sums and state.held is not None:
            decrement = scaled(float(point.score @ state.held.solve(point.score)), point.dispersion)
            near = near or decrement < NEAR
            if near or decrement > CONTRACTION * state.last:
                point = _with_more(objective, point, METRIC | METRICS[self.metric][0])
            else:
                point = Point(point.params, {**point.sums, key: state.held, "metric": state.held}, point.dispersion)
                age = state.age + 1
        return point, state._replace(held=point.sums[key], age=age, last=decrement, near=near)

    def _well_held(self, objective: Objective, point: Point, state: State) -> tuple[Point, State]:
        """Where a Gram matrix is too ill-conditioned for its digits, ask for the triangular factor."""
        if state.factor or self.metric != "expected":
            return point, state
        metric = point.metric
        if isinstance(metric, Gram) and metric.rcond() < ILL_CONDITIONED:
            state = state._replace(factor=True)
            point = _with_more(objective, point, METRIC | FACTOR)
        return point, state

    def _along(self, point: Point, name: str) -> Heading:
        metric: Metric = point.sums[METRICS[name][1]]
        vector = point.natural_gradient if name == "expected" else metric.solve(point.score)
        decrement = scaled(float(point.score @ vector), point.dispersion)
        if self.damping:  # turns the step; how far the optimum is stays what it was
            full = metric.matrix_form()
            vector = Gram(full + self.damping * np.diag(full.diagonal())).solve(point.score)
        return Heading(vector, decrement, point, name)


def _with_more(objective: Objective, point: Point, need: int) -> Point:
    """Return the point with further sums, at the cost of one more pass."""
    more = objective.evaluate(point.params, LOGLIK | need)
    return Point(point.params, {**point.sums, **more.sums}, point.dispersion)
