"""The loop: evaluate, turn, step, judge, until the stopping rule is content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from natfit.metric import SingularMetric
from natfit.need import LOGLIK, METRIC, SCORE
from natfit.optimize.curve import Curve, Move
from natfit.optimize.directions import Direction, Heading, NaturalGradient
from natfit.optimize.moves import straight
from natfit.optimize.objective import Objective, Point
from natfit.optimize.record import Record, Row
from natfit.optimize.steps import Backtracking, StepRule
from natfit.optimize.stopping import Decrement, Stop, Verdict

Array = np.ndarray[Any, np.dtype[Any]]

SETTLED = 1e-16
"""Decrement (a hundred-millionth of a standard error, squared) under which the last step changes no sum in its first nine
digits, so that the sums need not be taken again after it."""

STALLED = 1e-4
"""Share of the length proposed, where a unit step is meant to be whole, under which the domain's edge decides it."""

MOST_TRIALS = 60
"""Halvings after which a unit step is below rounding."""


class OutsideDomain(ValueError):
    """The optimizer was to start where the log-likelihood is not finite."""


class Outcome(NamedTuple):
    """Where an optimization ended, and in words why. ``params`` are always the best that were reached."""

    params: Array
    point: Point
    converged: bool
    reason: str
    decrement: float
    record: Record
    direction: Array | None
    """The last direction computed: where the parameters were still heading."""


def maximize(
    objective: Objective,
    start: Array,
    direction: Direction | None = None,
    step: StepRule | None = None,
    move: Move = straight,
    stop: Stop | None = None,
    max_iterations: int = 100,
    callback: Callable[[Row], Any] | None = None,
) -> Outcome:
    """Maximize an objective from ``start``.

    Parameters
    ----------
    objective : Objective
    start : (p,) ndarray
        Inside the domain.
    direction, step, move, stop
        The four exchangeable parts; by default unit steps of the natural gradient with backtracking, straight, until
        the decrement falls below 1e-12.
    max_iterations : int
    callback : callable, optional
        Called with each row of the record.

    Returns
    -------
    Outcome
        A failure is a value too: ``converged`` is False and ``reason`` says why; the best parameters are kept, also on
        an interrupt from the keyboard.

    Raises
    ------
    OutsideDomain
        Where ``start`` lies outside the domain.
    """
    run = _Run(objective, direction or NaturalGradient(), step or Backtracking(), move, stop or Decrement(), callback)
    # A step that is too long over- and underflows: the log-likelihood there says so.
    with np.errstate(all="ignore"):
        return run.to_the_end(np.asarray(start, dtype=float), max_iterations)


class _Run:
    """One optimization under way."""

    def __init__(
        self,
        objective: Objective,
        direction: Direction,
        step: StepRule,
        move: Move,
        stop: Stop,
        callback: Callable[[Row], Any] | None,
    ):
        self.objective, self.direction, self.move, self.stop = objective, direction, move, stop
        self.step = step.begin()
        self._always = LOGLIK | SCORE | self.step.need | (0 if direction.measures else stop.need)
        self.callback = callback
        self.record = Record()
        self.state = direction.initial()
        self.decrement = np.nan
        self.heading: Heading | None = None
        self.point: Point

    @property
    def need(self) -> int:
        return self._always | self.direction.need(self.state)

    def to_the_end(self, start: Array, max_iterations: int) -> Outcome:
        better, self.state = self.direction.begin(self.objective, start)
        self.point = self.objective.evaluate(better, self.need)
        if not self.point.inside and better is not start:
            self.state = self.direction.initial()
            self.point = self.objective.evaluate(start, self.need)
        if not self.point.inside:
            raise OutsideDomain(
                "the start lies outside the model's domain: its log-likelihood is not finite; give start_params inside it"
            )
        try:
            for _ in range(max_iterations):
                reason = self._iterate()
                if reason is not None:
                    return reason
            self._head()
        except KeyboardInterrupt:
            return self._outcome(False, "interrupted from the keyboard; the last good parameters are kept")
        except (SingularMetric, np.linalg.LinAlgError) as trouble:
            self.heading = None
            return self._outcome(False, f"stopped because {trouble}")
        return self._outcome(False, f"no convergence within {max_iterations} iterations")

    def _head(self) -> Heading:
        heading, self.state = self.direction(self.objective, self.point, self.state)
        self.heading, self.point = heading, heading.point
        self.decrement = self.point.decrement if heading.decrement is None else heading.decrement
        return heading

    def _iterate(self) -> Outcome | None:
        heading = self._head()
        verdict = self.stop.check(self.point, self.decrement, self.record)
        if verdict is not None:
            if verdict.converged and self.direction.full_step:
                self._take_last(heading)
            else:
                self._note(0.0, None)
            return self._outcome(verdict.converged, verdict.reason)
        curve = Curve(self.objective, heading, self.move, self.direction, self.state)
        proposed = step = self.step.propose(curve)
        foreseen = None if heading.ahead is None or step != 1.0 else self.stop.foresees(heading.ahead)
        if foreseen is not None:
            self._take_unseen(curve, float(heading.ahead))  # type: ignore[arg-type]
            return self._outcome(foreseen.converged, foreseen.reason)
        need = self.need
        for _ in range(MOST_TRIALS):
            trial = self.objective.evaluate(curve.params(step), need)
            shorter = self.step.judge(curve, trial, step)
            if shorter is None:
                break
            step = shorter
        else:
            return self._stuck(
                "no step along the direction raises the log-likelihood: the parameters stand at the edge of the domain, "
                "or its score is wrong",
            )
        self._note(step, curve)
        if trial.inside and self.direction.full_step and step < STALLED * min(proposed, 1.0):
            retreat = self.direction.retreat(self.state)
            if retreat is None:
                return self._stuck("the steps shrank to nothing at the edge of the domain")
            self.state = retreat
        if not trial.inside:
            return self._outcome(False, f"diverged: a step of {step:g} led out of the domain")
        self.point = trial
        return None

    def _stuck(self, reason: str) -> Outcome:
        verdict = self.stop.at_rounding(self.point, self.decrement) or Verdict(False, reason)
        return self._outcome(verdict.converged, verdict.reason)

    def _take_last(self, heading: Heading) -> None:
        """Take the step already computed: where the direction converges quadratically it is worth another six digits."""
        curve = Curve(self.objective, heading, self.move, self.direction, self.state)
        step = self.step.propose(curve)
        params = curve.params(step)
        if self.decrement < SETTLED:
            self._note(step, curve)
            self.point = Point(params, self.point.sums, self.point.dispersion)
            return
        trial = self.objective.evaluate(params, self.need)
        curve.slope = 0.0  # what gain is left lies below rounding: the trial is only not to be worse
        taken = trial.inside and self.step.judge(curve, trial, step) is None
        if taken:
            self._note(step, curve)
            self.point = trial
            self._head()
        self._note(0.0, None)

    def _take_unseen(self, curve: Curve, ahead: float) -> None:
        """Take the step already computed and spare the pass that would confirm it; the log-likelihood rises by what the
        quadratic model says, half the decrement."""
        self._note(1.0, curve)
        gain = 0.5 * self.decrement * self.point.dispersion
        params = curve.params(1.0)
        metric, self.state = self.direction.carried(self.point, params, self.state)
        sums = {**self.point.sums, "loglik": self.point.loglik + gain, "metric": metric}
        self.point, self.decrement = Point(params, sums, self.point.dispersion), ahead
        self._note(0.0, None)

    def _note(self, step: float, curve: Curve | None) -> None:
        kl, exact = (0.0, False) if curve is None else curve.moved(step)
        row = self.record.note(
            self.point.loglik,
            self.decrement,
            step,
            kl,
            self.objective.passes,
            self.heading.metric if self.heading else "",
            exact,
            *getattr(self.objective, "kinds", (0, 0)),
        )
        if self.callback is not None:
            self.callback(row)

    def _outcome(self, converged: bool, reason: str) -> Outcome:
        vector = self.heading.vector if self.heading else None
        if self.direction.outdated(self.state):
            self.point = self.objective.evaluate(self.point.params, self._always | METRIC)
        return Outcome(self.point.params, self.point, converged, reason, self.decrement, self.record, vector)
