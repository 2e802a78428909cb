"""An objective along a constraint: the profile log-likelihood of one function of the parameters.

At each value the others are maximized over on the surface where the function has that value, in a parametrization of that
surface. From one value to the next they move along the natural gradient: with g the function's gradient they change at
the rate F^-1 g / g'F^-1 g, exact where the expected information is the observed one, and a few scoring steps do the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from natfit.metric import SingularMetric
from natfit.need import ALL, LOGLIK
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import Coordinates, Objective, ParametrizedObjective, Point
from natfit.optimize.optimizer import Optimizer, run
from natfit.optimize.stopping import Stop

Array = np.ndarray[Any, np.dtype[Any]]

NEARLY = 0.3
"""Root of the deviance under which a profile without a maximum is taken up; limits of levels over 25% lie farther off."""
SOLVED = 1e-7
"""Newton step, in standard errors, after which the limit is taken: the next one would be of the order of its square."""
MOST_STEPS = 80
"""Steps towards a limit, halvings and doublings included."""
EDGE = 1e-6
"""Distance, in standard errors, within which no further value has a maximum inside the domain before the edge is told."""
FLAT = 1e-6
"""Share of what is missing that a doubled distance must bring for a limit to be thought finite."""
UNSURE = 1e-8
"""Squared standard errors that the other parameters may be off: the deviance then is right to as much."""
VANISHED = 1e-14
"""Squared score, in standard errors of finite parameters, that a likelihood on its way to its supremum has left: along
such a way it falls as fast as what is missing, so less than 1e-7 of a log-likelihood is."""
BETTER, ROUNDING = 1e-7, 1e-10
"""How far a deviance may fall below 0, as such and as a share of the log-likelihood, before another maximum is suspected."""


class Constraint(Protocol):
    """A function of the parameters that is held at a value."""

    def value(self, params: Array) -> float: ...

    def gradient(self, params: Array) -> Array: ...

    def hold(self, value: float, near: Array) -> tuple[Coordinates, Array]:
        """Return a parametrization of the surface where the function has the value, and the coordinates nearest to
        parameters that may lie off it."""
        ...


class Spot(NamedTuple):
    """One value along a profile.

    ``root`` is the signed root of the deviance, ``slope`` its derivative in the value, ``tangent`` the rate at which the
    parameters move with the value.
    """

    value: float
    params: Array
    root: float
    slope: float
    tangent: Array


class Running(NamedTuple):
    """That parameters run off to infinity, and finite ones to begin from.

    ``side`` says whether the function itself runs off to plus (1) or minus (-1) infinity, or stays finite (0).
    """

    side: int
    start: Array


class Limit(NamedTuple):
    """Where the signed root reaches a quantile, and in words what is to be said of it (nothing, mostly)."""

    value: float
    note: str = ""


class ProfileTrouble(ArithmeticError):
    """A constrained maximum was not reached; the message says why."""


class Profile:
    """The profile of an objective along a constraint.

    Parameters
    ----------
    objective : Objective
        Its points carry the dispersion that deviances are divided by, the same at all parameters.
    optimum : (p,) ndarray
        Where the objective is largest.
    constraint : Constraint
    optimizer : Optimizer
    stop : Stop, optional
    running : Running, optional
        Where the objective has no maximum because parameters run off to infinity. ``optimum`` then is where the optimizer
        stopped, close to the supremum.

    Notes
    -----
    Venzon & Moolgavkar (1988), Applied Statistics 37; Bates & Watts (1988), Nonlinear Regression Analysis, section 6.1.
    The derivative of the profile log-likelihood is the multiplier of the constraint, so limits are found by Newton's
    method on the signed root, which is nearly straight, kept inside a bracket.
    """

    def __init__(
        self,
        objective: Objective,
        optimum: Array,
        constraint: Constraint,
        optimizer: Optimizer,
        stop: Stop | None = None,
        running: Running | None = None,
    ):
        self.objective, self.constraint, self._optimizer, self._stop = objective, constraint, optimizer, stop
        self.best = objective.evaluate(optimum, LOGLIK).loglik
        start = optimum if running is None else running.start
        point = objective.evaluate(start, ALL)
        self.dispersion = point.dispersion
        slope = constraint.gradient(start)
        tangent, length = self._tangent(point, slope)
        self.unit = float(np.sqrt(self.dispersion * length))
        if not (np.isfinite(self.unit) and self.unit > 0.0):
            raise ProfileTrouble("the function does not change along any direction that the data can see")
        value = constraint.value(start)
        self._reference = None if running is None else point.metric
        self._centre = value if running is None else constraint.value(optimum)
        self.top = Spot(value, start, 0.0, 1.0 / self.unit, tangent)
        if running is not None and running.side:
            self._centre = running.side * np.inf
            self.top = self._begin(running.side)
        elif running is not None:
            self.top = self._between(self._centre)

    def _begin(self, side: int) -> Spot:
        """Return a spot so far on the side where the likelihood rises for ever that hardly anything is missing there."""
        near, stride, told = self.top, 0.0, ""
        for _ in range(MOST_STEPS):
            spot = self._try(near.value + side * stride, near)
            if isinstance(spot, str):
                stride, told = 0.5 * stride, spot
                continue
            if abs(spot.root) < NEARLY:
                return spot
            near, stride = spot, 2.0 * stride + (0.0 if told else self.unit)
        raise ProfileTrouble(f"the likelihood's supremum was not approached{told and ': '}{told}")

    def _between(self, value: float) -> Spot:
        """Return the optimum's own value, reached from finite parameters while others run off to infinity."""
        near, ahead, told = self.top, value, ""
        for _ in range(MOST_STEPS):
            spot = self._try(ahead, near)
            if isinstance(spot, str):
                ahead, told = 0.5 * (near.value + ahead), spot
            elif ahead == value:
                return spot._replace(root=0.0, slope=1.0 / self.unit)
            else:
                near, ahead = spot, value
        raise ProfileTrouble(told)

    @staticmethod
    def _tangent(point: Point, slope: Array) -> tuple[Array, float]:
        """Return F^-1 g / g'F^-1 g, and g'F^-1 g; zeros and NaN where F has no inverse."""
        try:
            along = point.metric.solve(slope)
        except SingularMetric:
            return np.zeros_like(slope), np.nan
        length = float(slope @ along)
        return (along / length, length) if length > 0.0 else (np.zeros_like(slope), np.nan)

    def at(self, value: float, near: Spot) -> Spot | None:
        """Return the profile at a value, warm-started from a spot; None where no start inside the domain was found.

        Raises
        ------
        ProfileTrouble
            Where the other parameters' maximum was not reached.
        """
        start = near.params + (value - near.value) * near.tangent
        coordinates, xi = self.constraint.hold(value, start)
        if xi.size:
            outcome = self._maximize(coordinates, xi)
            if outcome is None:
                return None
            xi = outcome.params
        params = coordinates.to_home(xi)
        with np.errstate(all="ignore"):
            point = self.objective.evaluate(params, ALL)
        if not point.inside:
            return None
        slope = self.constraint.gradient(params)
        tangent, length = self._tangent(point, slope)
        multiplier = float(point.score @ tangent)
        if not np.isfinite(length):
            tangent, pivot = near.tangent, int(np.argmax(np.abs(slope)))
            multiplier = float(point.score[pivot] / slope[pivot])
        return self._spot(value, params, point.loglik, multiplier, tangent)

    def _spot(self, value: float, params: Array, loglik: float, multiplier: float, tangent: Array) -> Spot:
        deviance = 2.0 * (self.best - loglik) / self.dispersion
        if deviance < -(BETTER + ROUNDING * abs(self.best) / self.dispersion):
            raise ProfileTrouble(
                f"at {value:.6g} the log-likelihood is {-0.5 * deviance:.2g} above that of the fit, which is not its maximum"
            )
        root = float(np.copysign(np.sqrt(max(deviance, 0.0)), value - self._centre))
        slope = -multiplier / (self.dispersion * root) if root else 1.0 / self.unit
        return Spot(value, params, root, slope, tangent)

    def _maximize(self, coordinates: Coordinates, start: Array) -> Outcome | None:
        objective = ParametrizedObjective(self.objective, coordinates)
        try:
            outcome = run(self._optimizer, objective, start, stop=self._stop)
        except OutsideDomain:
            return None
        if not outcome.converged and not outcome.decrement < UNSURE and not self._nearly(coordinates, outcome):
            raise ProfileTrouble(f"the other parameters' maximum was not reached: {outcome.reason}")
        return outcome

    def _nearly(self, coordinates: Coordinates, outcome: Outcome) -> bool:
        """Say whether nothing is left to gain though the others' metric has vanished, on their way to infinity.

        The score is measured in the metric at the finite parameters that the profile began from.
        """
        if self._reference is None or "score" not in outcome.point.sums:
            return False
        score = outcome.point.score
        try:
            still = self._reference.pullback(coordinates.jacobian(outcome.params)).solve(score)
        except SingularMetric:
            return False
        return bool(score @ still < VANISHED * self.dispersion)

    def _try(self, value: float, near: Spot) -> Spot | str:
        """Return the spot at a value, or in words why there is none from here."""
        try:
            return self.at(value, near) or "the best means lie on the edge of the family's domain"
        except ProfileTrouble as trouble:
            return str(trouble)

    def limit(self, target: float) -> Limit:
        """Return the value at which the signed root is ``target``: infinite, with a note, where it never gets there."""
        side = float(np.sign(target))
        inner, outer, flat, stride, told = self.top, side * np.inf, 0, np.inf, ""
        value = self.top.value + target * self.unit
        for _ in range(MOST_STEPS):
            spot = self._try(value, inner)
            if isinstance(spot, str):  # beyond the domain, or too far for a warm start: nearer
                stride = 0.5 * abs(value - inner.value)
                told = f"it is not found beyond {inner.value:.6g}, where {spot}"
                if stride < EDGE * self.unit:
                    break
                value = inner.value + side * stride
                continue
            step = (target - spot.root) / spot.slope if spot.slope > 0.0 else np.nan
            if abs(step) <= SOLVED * self.unit:
                return Limit(spot.value + step)
            if side * spot.root >= side * target:
                outer = value
            else:
                flat = flat + 1 if abs(spot.root - inner.root) < FLAT * abs(target - inner.root) else 0
                if flat >= 3 and np.isinf(outer):
                    break
                inner, stride, told = spot, 2.0 * stride, ""
            value = self._next(spot.value + step, inner, outer, side, stride)
        if np.isinf(outer) and (flat >= 3 or not told):
            return Limit(side * np.inf, "the likelihood never falls as far as the quantile")
        return Limit(np.nan, told or "the limit was not reached")

    def _next(self, newton: float, inner: Spot, outer: float, side: float, stride: float) -> float:
        """Return the next value to try: Newton's, unless it leaves the bracket or strides too far."""
        ahead = side * (newton - inner.value)
        if np.isinf(outer):
            most = min(stride, 2.0 * abs(inner.value - self.top.value) + self.unit)
            return inner.value + side * (ahead if 0.0 < ahead < most else most)
        room = abs(outer - inner.value)
        return inner.value + side * min(ahead if 0.0 < ahead < room else 0.5 * room, stride)

    def spots(self, most: float, count: int, sides: Sequence[int] = (-1, 1)) -> list[Spot]:
        """Return ``count`` spots on each side, about evenly spaced in the signed root up to ``most``, and the optimum.

        Fewer on a side where the profile never gets so far.
        """
        found = [self.top]
        for side in sides:
            found.extend(self._one_side(side, most / count, count))
        return sorted(found, key=lambda spot: spot.value)

    def _one_side(self, side: int, gap: float, count: int) -> Iterator[Spot]:
        near, kept, stride = self.top, 0, np.inf
        for _ in range(MOST_STEPS):
            most = min(stride, 2.0 * abs(near.value - self.top.value) + self.unit)
            wanted = (gap * (kept + 1) - abs(near.root)) / near.slope if near.slope > 0.0 else np.inf
            value = near.value + side * min(max(wanted, 0.0) or most, most)
            spot = self._try(value, near)
            if isinstance(spot, str) or abs(spot.root) > gap * (kept + 1.5):  # too far: nearer
                stride = 0.5 * abs(value - near.value)
                if stride < EDGE * self.unit:
                    return
                continue
            near, stride = spot, 2.0 * stride
            if abs(spot.root) > gap * (kept + 0.5):  # else still too close to the last
                yield spot
                kept += 1
                if kept == count:
                    return
