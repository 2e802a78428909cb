"""The natural gradient with a memory: Anderson acceleration of scoring."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.need import METRIC, SCORE
from natfit.optimize.directions import Direction, Heading
from natfit.optimize.memory import Remembered, corrected
from natfit.optimize.objective import Objective, Point

Array = np.ndarray[Any, np.dtype[Any]]


class Accelerated(Direction):
    """The natural gradient, corrected by how it has changed over the last steps.

    Scoring converges only linearly where the expected information is not minus the Hessian: for a penalised likelihood, or
    a score that is adjusted and has no objective at all. The changes of the natural gradient g along the last steps tell
    what it lacks: of all affine combinations of the last points, the one with the shortest g, in the metric's length, is
    where the next natural gradient is added.

    Parameters
    ----------
    memory : int
        Steps that are remembered.

    Notes
    -----
    Anderson (1965), Journal of the ACM 12; Walker & Ni (2011), SIAM Journal on Numerical Analysis 49. On linear problems it
    is GMRES, so that q coordinates take q steps. Where the corrected vector does not point uphill, or no step along it is
    accepted, the memory is dropped and the natural gradient itself taken.

    Examples
    --------
    >>> from natfit.optimize import Optimizer, Backtracking
    >>> Optimizer(Accelerated(memory=5), Backtracking(), name="accelerated scoring").name
    'accelerated scoring'
    """

    full_step = True
    measures = True

    def __init__(self, memory: int = 8):
        if memory != int(memory) or memory < 1:
            raise ValueError(f"memory must be a whole number of steps, 1 or more, got {memory}")
        self.memory = int(memory)

    def initial(self) -> Remembered:
        return Remembered()

    def need(self, state: Remembered) -> int:
        return SCORE | METRIC

    def retreat(self, state: Remembered) -> Remembered | None:
        return Remembered() if len(state.params) > 1 else None

    def __call__(self, objective: Objective, point: Point, state: Remembered) -> tuple[Heading, Remembered]:
        plain, decrement = point.natural_gradient, point.decrement
        state = state.followed_by(point, self.memory)
        vector = corrected(point, state)
        if vector is None:
            return Heading(plain, decrement, point, "expected"), Remembered((np.array(point.params),), (plain,))
        return Heading(vector, decrement, point, "expected"), state
