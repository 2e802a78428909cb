"""Steps of a given length in nats: the Kullback-Leibler divergence from the old distribution to the new one."""

from __future__ import annotations

import math
from collections.abc import Callable

from natfit.need import METRIC
from natfit.optimize.curve import Curve
from natfit.optimize.steps import Backtracking

CLOSE = 1e-11
"""Relative error of the root of the divergence at which its equation counts as solved; rounding of a sum is below it."""

AT_EDGE = 1e-3
"""Relative distance to an edge of the domain inside the ball at which the search for it ends: a judge shortens the rest."""

MOST_SOLVES = 60
"""Evaluations of the divergence after which what has been reached is taken: bisection alone would be done by then."""


class KLBall(Backtracking):
    """The step at which the distribution has moved by a given KL divergence, solved for exactly along the curve.

    It starts from t = sqrt(2 radius / v'Fv), which is right to second order for a straight move. A step is never longer
    than the one that would be taken without a ball, t = 1, where the direction has such a length (a natural gradient);
    for others, never longer than score'v / v'Fv, the maximum of the quadratic model along the curve. So the ball is a
    trust region: far from the optimum the divergence of every step is the radius, near it the steps are whole. The
    trial is then judged as under `Backtracking`.

    Parameters
    ----------
    radius : float
        In nats over all rows; greater than 0. Half the decrement is what is left to gain.
    shrink, sufficient : float
        As for `Backtracking`, should the log-likelihood not rise enough.

    Notes
    -----
    Where the objective has no KL divergence of its own, half the quadratic form of the step in the metric stands in; the
    record says which. Each evaluation of an exact one is a pass over the rows (three or four for a step).
    Nocedal & Wright (2006), Numerical Optimization, chapter 4, for trust regions.

    Examples
    --------
    >>> from natfit.optimize import NaturalGradient, Optimizer
    >>> Optimizer(NaturalGradient(), KLBall(0.1)).step.radius
    0.1
    """

    need = METRIC

    def __init__(self, radius: float = 1.0, shrink: float = 0.5, sufficient: float = 1e-4):
        if not 0.0 < radius < math.inf:
            raise ValueError(f"the radius of a KL ball must be greater than 0 and finite, got {radius}")
        super().__init__(shrink=shrink, sufficient=sufficient)
        self.radius = radius

    def propose(self, curve: Curve) -> float:
        quadratic, dispersion = curve.quadratic, curve.point.dispersion
        if not quadratic > 0.0 or not dispersion > 0.0:
            return 1.0
        limit = 1.0 if curve.full_step else curve.slope / quadratic
        first = min(limit, math.sqrt(2.0 * self.radius * dispersion / quadratic))
        return solve_for_kl(curve.kl, self.radius, first, limit)


def solve_for_kl(kl: Callable[[float], float], radius: float, first: float, limit: float) -> float:
    """Return t with kl(t) = radius, or ``limit`` where the divergence is smaller there.

    The root of the divergence is nearly linear in t, so the secant method on it takes three or four evaluations; every
    fifth one halves the interval that is known to hold the solution, and so do those where the secant leaves it or the
    divergence is infinite. Where the domain ends before the divergence reaches the radius, t is just inside its edge.

    Parameters
    ----------
    kl : callable
        0 at t = 0; infinite outside the domain.
    radius : float
    first, limit : float
        Where to begin, and the largest t.

    Examples
    --------
    >>> solve_for_kl(lambda t: t * t, 0.25, 0.4, 1.0)
    0.5
    >>> solve_for_kl(lambda t: t * t, 4.0, 0.4, 1.0)
    1.0
    """
    low, high, edge = 0.0, math.inf, False
    before, missed = 0.0, -1.0
    t = first
    for count in range(1, MOST_SOLVES):
        miss = math.sqrt(kl(t) / radius) - 1.0
        if abs(miss) <= CLOSE or (miss < 0.0 and t >= limit):
            break
        if miss < 0.0:
            low = t
        else:
            high, edge = t, math.isinf(miss)
        slope = (miss - missed) / (t - before) if math.isfinite(miss) and math.isfinite(missed) and t != before else 0.0
        before, missed = t, miss
        t = t - miss / slope if slope > 0.0 else math.nan
        if not low < t < high or count % 5 == 0:
            t = 0.5 * (low + high) if high < math.inf else 2.0 * low
        if high == math.inf:
            t = min(t, 2.0 * low, limit)
        elif edge and high - low <= AT_EDGE * high:  # the domain ends inside the ball
            return low
    return t
