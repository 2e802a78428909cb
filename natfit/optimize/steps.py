"""How far along the direction: a step rule proposes a length and judges where it led."""

from __future__ import annotations

import copy

import numpy as np

from natfit.metric import SingularMetric
from natfit.optimize.curve import Curve
from natfit.optimize.objective import Point

ROUNDING = 16 * np.finfo(float).eps
"""Share of the terms of a log-likelihood that its summation may be off by; a fall smaller than this is no fall."""

NEAR = 1e-4
"""Decrement, a hundredth of a standard error squared, within which the score judges a step: the gain still expected is
less than the rounding that cancellation can leave in a log-likelihood."""


class StepRule:
    """How far to go. ``propose`` gives the first length; ``judge`` returns None to accept or a shorter length to try."""

    need = 0
    """Flags of what a point must carry for this rule, besides log-likelihood and score."""

    def begin(self) -> StepRule:
        """Return the rule to use for one optimization: itself, or a fresh copy where it remembers anything."""
        return self

    def propose(self, curve: Curve) -> float:
        """Return the first length to try along the curve ahead."""
        raise NotImplementedError

    def judge(self, curve: Curve, trial: Point, step: float) -> float | None:
        """Return None where the trial at ``step`` is accepted, otherwise the next length to try."""
        raise NotImplementedError


class FixedStep(StepRule):
    """Always the same length; a trial is accepted wherever it leads, as long as it stays in the domain.

    Parameters
    ----------
    step : float
        Greater than 0.
    """

    def __init__(self, step: float = 1.0):
        if not step > 0.0:
            raise ValueError(f"a step must be greater than 0, got {step}")
        self.step = step

    def propose(self, curve: Curve) -> float:
        return self.step

    def judge(self, curve: Curve, trial: Point, step: float) -> float | None:
        return None


class Backtracking(StepRule):
    """Unit steps, halved until the point lies in the domain and the log-likelihood has risen enough.

    Parameters
    ----------
    step : float
        First length to try.
    shrink : float
        Factor between one trial and the next.
    sufficient : float
        Share of the linear gain that a step must bring (Armijo's rule; Nocedal & Wright, section 3.1).
    grow : float
        Factor by which the next first length exceeds the last accepted one, up to ``step``. With 1 every iteration
        starts again from ``step``, which suits directions whose unit step means something.
    """

    def __init__(self, step: float = 1.0, shrink: float = 0.5, sufficient: float = 1e-4, grow: float = 1.0):
        if not step > 0.0 or not 0.0 < shrink < 1.0 or not 0.0 <= sufficient < 1.0 or not grow >= 1.0:
            raise ValueError(
                "Backtracking takes step > 0, 0 < shrink < 1, 0 <= sufficient < 1 and grow >= 1; "
                f"got {step}, {shrink}, {sufficient}, {grow}"
            )
        self.step = step
        self.shrink = shrink
        self.sufficient = sufficient
        self.grow = grow
        self._last = step / grow

    def begin(self) -> StepRule:
        if self.grow == 1.0:
            return self
        fresh = copy.copy(self)
        fresh._last = self.step / self.grow
        return fresh

    def propose(self, curve: Curve) -> float:
        return self.step if self.grow == 1.0 else self._last * self.grow

    def judge(self, curve: Curve, trial: Point, step: float) -> float | None:
        if trial.inside:
            point = curve.point
            gain = trial.loglik - point.loglik
            enough = gain >= self.sufficient * step * curve.slope - ROUNDING * abs(point.loglik)
            if enough or _too_near(point, trial, gain, 2.0 * self.sufficient * step):
                self._last = step
                return None
        return step * self.shrink


def _too_near(point: Point, trial: Point, gain: float, sufficient: float) -> bool:
    """Say whether a trial is so near the optimum that its score judges it better than its log-likelihood.

    Close to the optimum the gain drowns in the rounding of the log-likelihood, which the cancellation in residuals
    magnifies, long before the score loses its digits: a natural gradient whose square is shorter by a sufficient share is
    progress there.
    """
    if gain < -1e-6 * abs(point.loglik) or "metric" not in point.sums or "metric" not in trial.sums:
        return False
    try:
        before, after = float(point.score @ point.natural_gradient), float(trial.score @ trial.natural_gradient)
        return after < (1.0 - sufficient) * before and before < NEAR * point.dispersion
    except SingularMetric:
        return False
