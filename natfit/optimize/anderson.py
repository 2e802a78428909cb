"""The natural gradient with a memory: Anderson acceleration of scoring."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from natfit.need import METRIC, SCORE
from natfit.optimize.directions import Direction, Heading
from natfit.optimize.objective import Objective, Point

Array = np.ndarray[Any, np.dtype[Any]]

NEARLY_DEPENDENT = 1e-10
"""Relative size under which a remembered change of the natural gradient says nothing that the others don't."""


class Remembered(NamedTuple):
    """Parameters of the last points, and the natural gradients there; the newest last."""

    params: tuple[Array, ...] = ()
    gradients: tuple[Array, ...] = ()


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
        kept = min(self.memory, plain.size)
        state = Remembered(
            (*state.params[-kept:], np.array(point.params)),
            (*state.gradients[-kept:], plain),
        )
        vector = self._corrected(point, state)
        if vector is None:
            return Heading(plain, decrement, point, "expected"), Remembered((np.array(point.params),), (plain,))
        return Heading(vector, decrement, point, "expected"), state

    @staticmethod
    def _corrected(point: Point, state: Remembered) -> Array | None:
        """Return the corrected vector, or None where there is nothing to correct by or it does not point uphill."""
        if len(state.params) < 2:
            return None
        steps = np.diff(np.array(state.params), axis=0).T
        changes = np.diff(np.array(state.gradients), axis=0).T
        weighed = point.metric.matrix_form() @ changes
        inner = changes.T @ weighed
        length = np.sqrt(np.maximum(inner.diagonal(), 0.0))
        if not (length > 0.0).all() or not np.isfinite(length).all():
            return None
        plain = point.natural_gradient
        scaled, *_ = np.linalg.lstsq(
            inner / np.outer(length, length), weighed.T @ plain / length, rcond=NEARLY_DEPENDENT
        )
        vector = plain - (steps + changes) @ (scaled / length)
        return vector if float(point.score @ vector) > 0.0 else None
