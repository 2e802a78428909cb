"""EM as one setting of the optimizer: the natural gradient in the complete data's metric, with unit steps.

For incomplete data the complete-data Fisher information is a metric of its own. In mean parameters of the complete data
its natural gradient is the expected sufficient statistics less the mean parameters; a unit step along the m-geodesic, the
straight line in mean parameters, replaces the latter by the former: EM's step.

An objective that knows complete data has ``complete(point, step)``: the parameters at a step along that m-geodesic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.need import COMPLETE, SCORE
from natfit.optimize.directions import Direction, Heading
from natfit.optimize.moves import Move, Turn
from natfit.optimize.objective import Point, scaled
from natfit.optimize.optimizer import Optimizer
from natfit.optimize.record import Record
from natfit.optimize.steps import FixedStep
from natfit.optimize.stopping import Stop, Verdict

Array = np.ndarray[Any, np.dtype[Any]]


class CompleteData(Direction):
    """The natural gradient in the complete data's metric, as the chord to where EM's step ends.

    Where the point carries an observed-data metric, asked for by a stopping rule, the decrement is that of this metric.
    Otherwise it is the complete data's: the symmetrised divergence between their laws at both ends, the squared length of
    the step to second order, which tells how far EM still goes in one step and not how far the optimum is.
    """

    def need(self, state: Any) -> int:
        return SCORE | COMPLETE

    def __call__(self, objective: Any, point: Point, state: Any) -> tuple[Heading, Any]:
        vector = objective.complete(point, 1.0) - point.params
        if "metric" in point.sums:
            return Heading(vector, None, point, "complete"), state
        return Heading(vector, scaled(float(point.score @ vector), point.dispersion), point, "complete"), state


class CompleteGeodesic(Move):
    """Move along the complete data's m-geodesic; at 1 it is EM's step, beyond it over-relaxed EM."""

    def curve(self, objective: Any, point: Point, vector: Array, turn: Turn | None = None) -> Callable[[float], Array]:
        """Return the curve."""
        return lambda t: point.params + vector if t == 1.0 else objective.complete(point, t)


class Slow(Stop):
    """End where EM's gains have become small: a better metric is then worth its price, or none is.

    The gains of EM shrink by a constant factor in the end, so what is left of them is the last one over one less that
    factor (Aitken).

    Parameters
    ----------
    left : float
        Nats still to be gained, as estimated, under which it ends.
    gain : float
        Nats of a single step under which it ends.
    """

    def __init__(self, left: float = 0.0, gain: float = 0.0):
        self.left = left
        self.gain = gain

    def check(self, point: Point, decrement: float, record: Record) -> Verdict | None:
        if len(record) < 2:
            return None
        last = point.loglik - record[-1].loglik
        before = record[-1].loglik - record[-2].loglik
        if last <= self.gain:
            return Verdict(True, f"a step gains less than {self.gain:g}")
        if before > last and last * last / (before - last) < self.left:
            return Verdict(True, f"less than {self.left:g} is estimated to be left")
        return None

    def at_rounding(self, point: Point, decrement: float) -> Verdict | None:
        """End where no step is accepted: what is left to gain is below what rounding leaves of the likelihood."""
        return Verdict(True, "no step gains any more")


def em() -> Optimizer:
    """Return EM: the natural gradient in the complete-data metric, unit steps, along m-geodesics.

    Notes
    -----
    Dempster, Laird & Rubin (1977), JRSS B 39; Amari (1995), Information geometry of the EM and em algorithms for neural
    networks, Neural Networks 8.

    Examples
    --------
    >>> em().name
    'EM'
    """
    return Optimizer(CompleteData(), FixedStep(1.0), CompleteGeodesic(), "EM")
