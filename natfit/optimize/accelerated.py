"""EM accelerated by what its last steps say of its rate: for models whose observed-data metric is too large to be held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from natfit.need import COMPLETE, SCORE
from natfit.optimize.curve import Curve
from natfit.optimize.directions import Direction, Heading
from natfit.optimize.moves import Move, Turn
from natfit.optimize.objective import Point, scaled
from natfit.optimize.optimizer import Optimizer
from natfit.optimize.steps import ROUNDING, StepRule

Array = np.ndarray[Any, np.dtype[Any]]

PLAIN = 0.5
"""The step that stands for EM's own, taken where the accelerated one does not raise the log-likelihood."""


class History(NamedTuple):
    """The last parameters, EM's steps from them, and the scores there, oldest first."""

    params: tuple[Array, ...] = ()
    steps: tuple[Array, ...] = ()
    scores: tuple[Array, ...] = ()


class AndersonEM(Direction):
    """EM's step, corrected by the last ``memory`` differences so that what they predict of the next step vanishes.

    With F the complete data's metric an EM step is nearly F^-1 score, so the inner product of two steps in that metric is
    that of one with the other's score: no metric is formed.

    Parameters
    ----------
    memory : int

    Notes
    -----
    Anderson (1965), J. ACM 12; Henderson & Varadhan (2019), Damped Anderson acceleration with restarts and monotonicity
    control for accelerating EM, J. Comp. Graph. Stat. 28.
    """

    def __init__(self, memory: int = 8):
        if memory < 1:
            raise ValueError(f"memory must be 1 or more, got {memory}")
        self.memory = memory

    def initial(self) -> History:
        return History()

    def need(self, state: Any) -> int:
        return SCORE | COMPLETE

    def __call__(self, objective: Any, point: Point, state: History) -> tuple[Heading, History]:
        step = objective.complete(point, 1.0) - point.params
        state = History(*(past[-self.memory :] for past in state))
        vector = step + self._correction(point, step, state)
        decrement = None if "metric" in point.sums else scaled(float(point.score @ step), point.dispersion)
        state = History((*state.params, point.params), (*state.steps, step), (*state.scores, point.score))
        return Heading(vector, decrement, point, "complete"), state

    def _correction(self, point: Point, step: Array, state: History) -> Array:
        """Return what is added to EM's step: 0 where the history tells nothing that can be used."""
        if not state.params:
            return np.zeros_like(step)
        moved = np.array([*state.params, point.params])
        steps = np.array([*state.steps, step])
        dx, df = np.diff(moved, axis=0), np.diff(steps, axis=0)
        ds = np.diff(np.array([*state.scores, point.score]), axis=0)
        gram = 0.5 * (df @ ds.T + ds @ df.T)
        scale = np.sqrt(np.abs(gram.diagonal()))
        if not np.all(scale > 0.0) or not np.isfinite(gram).all():
            return np.zeros_like(step)
        values, vectors = np.linalg.eigh(gram / scale / scale[:, None])
        kept = values > 1e-10 * values[-1]  # directions along which the history repeats itself tell nothing
        right = vectors[:, kept].T @ ((df @ point.score) / scale)
        gamma = (vectors[:, kept] @ (right / values[kept])) / scale
        return -gamma @ (dx + df)


class OrPlain(StepRule):
    """The accelerated step where it does not lower the log-likelihood, else EM's own, which never does."""

    def propose(self, curve: Curve) -> float:
        return 1.0

    def judge(self, curve: Curve, trial: Point, step: float) -> float | None:
        if step != 1.0 or (trial.inside and trial.loglik >= curve.point.loglik - ROUNDING * abs(curve.point.loglik)):
            return None
        return PLAIN


class AcceleratedMove(Move):
    """The accelerated step at 1, EM's own at any other length."""

    def curve(self, objective: Any, point: Point, vector: Array, turn: Turn | None = None) -> Callable[[float], Array]:
        """Return the curve."""
        return lambda t: point.params + vector if t == 1.0 else objective.complete(point, 1.0)


def accelerated_em(memory: int = 8) -> Optimizer:
    """Return Anderson-accelerated EM; the log-likelihood never falls.

    Parameters
    ----------
    memory : int
        Steps that are remembered.

    Examples
    --------
    >>> accelerated_em().name
    'accelerated EM'
    """
    return Optimizer(AndersonEM(memory), OrPlain(), AcceleratedMove(), "accelerated EM")
