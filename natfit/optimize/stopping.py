"""When to end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from natfit.need import METRIC
from natfit.optimize.objective import Point
from natfit.optimize.record import Record

AT_ROUNDING = 1e3 * np.finfo(float).eps
"""A step that moves the linear predictor by less than this share of its length is rounding error."""


class Verdict(NamedTuple):
    """That the optimizer may end, and why, in words."""

    converged: bool
    reason: str


class Stop:
    """When to end. ``check`` returns a Verdict, or None to go on."""

    need = 0

    def check(self, point: Point, decrement: float, record: Record) -> Verdict | None:
        raise NotImplementedError

    def foresees(self, ahead: float) -> Verdict | None:
        """Return a Verdict where a bound on the decrement after the step just computed is all that is to be known."""
        return None

    def at_rounding(self, point: Point, decrement: float) -> Verdict | None:
        """Return a Verdict where rounding lets no step get any further; asked when no step is accepted.

        A singular metric magnifies rounding without bound: of it nothing can be said.
        """
        if point.metric.rcond() > 0.0 and decrement * point.dispersion <= _resolution(point):
            return Verdict(True, "the step is at rounding error")
        return None


class Decrement(Stop):
    """End when the decrement falls below a tolerance: the same event in every parametrization.

    Parameters
    ----------
    tol : float
        Squared standard errors; 1e-12 is one millionth of a standard error.

    Notes
    -----
    Also ends where rounding does not let the decrement fall further: it has stopped shrinking while its step is below
    what rounding leaves of a step, ``step' F step <= (1000 eps)^2 params' F params + (4 eps)^2 2 |loglik| / rcond(F)``:
    first the rounding of the linear predictor, then that of the sums in the score, which a badly conditioned F
    magnifies.
    """

    need = METRIC

    def __init__(self, tol: float = 1e-12):
        if not tol > 0.0:
            raise ValueError(f"the tolerance on the decrement must be greater than 0, got {tol}")
        self.tol = tol

    def check(self, point: Point, decrement: float, record: Record) -> Verdict | None:
        if decrement < self.tol:
            return Verdict(True, f"the decrement fell below {self.tol:g}")
        if record and decrement >= 0.25 * record[-1].decrement:
            return self.at_rounding(point, decrement)
        return None

    def foresees(self, ahead: float) -> Verdict | None:
        if ahead < self.tol:
            return Verdict(True, f"the last step takes the decrement below {self.tol:g}")
        return None


def _resolution(point: Point) -> float:
    """Return the squared length of a step, in the metric at unit dispersion, that rounding alone can make."""
    metric = point.metric
    predictor = AT_ROUNDING**2 * metric.quadratic(point.params)
    eps = np.finfo(float).eps
    return predictor + (4.0 * eps) ** 2 * 2.0 * abs(point.loglik) / max(metric.rcond(), eps**2)


class Change(Stop):
    """End when deviance or parameters change by less than a tolerance from one iteration to the next.

    This is statsmodels' rule, kept for scripts that set it: ``|now - before| <= atol + rtol |before|``.

    Parameters
    ----------
    criterion : {"deviance", "params"}
    atol, rtol : float
    """

    need = METRIC

    def __init__(self, criterion: str = "deviance", atol: float = 1e-8, rtol: float = 0.0):
        if criterion not in ("deviance", "params"):
            raise ValueError(f"tol_criterion must be 'decrement', 'deviance' or 'params', got {criterion!r}")
        self.criterion = criterion
        self.atol = atol
        self.rtol = rtol
        self._before: np.ndarray | None = None

    def check(self, point: Point, decrement: float, record: Record) -> Verdict | None:
        now = point.params if self.criterion == "params" else np.array([-2.0 * point.loglik])
        before, self._before = self._before, now
        if not record or before is None:
            return None
        if np.all(np.abs(now - before) <= self.atol + self.rtol * np.abs(before)):
            return Verdict(True, f"the {self.criterion} changed by less than {self.atol:g}")
        return None
