"""When a metric is taken anew on large data: seldom. The score is exact at every step, so the optimum is exact too.

A pass for the score alone costs n p, one for the metric n p^2. A sample of the rows gives the first coefficients and a
metric right to a factor of 1 +- sqrt(p / rows); with it steps of exact scores shrink the decrement to about p / rows of
itself each, and the metric of all rows is taken once, at the end, for the standard errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from natfit.metric import ILL_CONDITIONED, Gram, Metric, SingularMetric
from natfit.need import LOGLIK, METRIC, SCORE
from natfit.optimize.memory import Remembered, corrected
from natfit.optimize.objective import Objective, Point

if TYPE_CHECKING:
    from natfit.optimize.directions import State

Array = np.ndarray[Any, np.dtype[Any]]

FEW = 20_000
"""Rows under which plain scoring is as fast."""

SHARES = (1 / 16, 1 / 8)
"""Least and greatest share of the rows in the second sample. Measured at 20 and 200 columns: a larger one costs more than
the score passes over all rows that it saves, and a pass over few columns saves less."""

COLUMNS_PER_SHARE = 1600
"""Columns at which the second sample would hold all rows."""

SAMPLED = 2 / 3
"""What scoring may leave on a sample, as a share of the sample's own squared distance from the optimum, p n / rows. A step
leaves about the square of its decrement over the rows, so it is the last one where the decrement, in standard errors of the
sample, is below sqrt(p rows) times the root of this."""

MOST_SAMPLED = 20
"""Scoring steps on a sample; one that needs more is separated, or starts out of reach."""

CLOSE = 1e-6
"""Decrement at which the last metric may be taken."""

CLOSE_CARRIED = 1e-3
"""The same where a sample tells how the metric changes over the last step, and whether that is enough."""

MOST_CARRIED = 200
"""Parameters up to which a sample carries the metric."""

CLOSE_FREE = 1e-9
"""The same where the dispersion is estimated, which changes with the first power of the last step."""

LEFT = 1e-12
"""Decrement that the last step may leave where scoring converges but linearly."""

SAME_METRIC = 1e-12
"""Squared relative error of the standard errors that the last step may still bring."""

UNSURE = 4.0
"""Factor by which the decrement predicted after the last step is raised before it is compared with the tolerance."""


@dataclass(frozen=True)
class Lazy:
    """A refresh policy for `NaturalGradient`: sampled metric, score-only passes, one metric of all rows at the end.

    Parameters
    ----------
    random_state : int
        Seed of the samples. The same one gives the same fit to the last digit, whatever the number of threads.
    fewest_rows : int
        Rows of the first sample, if parameters don't ask for more.
    rows_per_parameter : int
        Rows of the first sample for each parameter.
    sample : bool
        Whether to start from samples; otherwise the first metric is that of all rows at the start.
    least_share : float
        Least share of the rows in the second sample. A larger one pays where a pass for the score costs nearly as much as
        one for the metric, as where either takes special functions of every row.
    first : bool
        Whether there is a first sample where there is a second; without it the start is to be as near as its optimum.
    newton : bool
        Whether the last metric is taken together with the direction's ``finish``, so that the last step is Newton's and
        leaves the square of what was left.

    Notes
    -----
    A metric is taken anew where it saves more passes than it costs, and plain scoring takes over where even a fresh one
    contracts badly close to the optimum, where there are few rows, or where a sample can't tell the parameters apart.

    Examples
    --------
    >>> from natfit.optimize import NaturalGradient
    >>> NaturalGradient(refresh=Lazy(random_state=1)).refresh.fewest_rows
    10000
    """

    random_state: int = 0
    fewest_rows: int = 10_000
    rows_per_parameter: int = 25
    sample: bool = True
    least_share: float = SHARES[0]
    first: bool = True
    newton: bool = False

    def stages(self, n_rows: int, size: int) -> list[int]:
        """Return the sizes of the samples, smallest first; none where rows are too few to sample."""
        first = max(self.fewest_rows, self.rows_per_parameter * size)
        if n_rows < max(FEW, 2 * first):
            return []
        second = int(n_rows * min(max(size / COLUMNS_PER_SHARE, self.least_share), SHARES[1]))
        if second < 2 * first:
            return [first]
        return [first, second] if self.first else [second]

    def scout(self, objective: Any, start: Array) -> Scouted | None:
        """Fit samples of the rows; None where there is nothing to gain, or the samples don't tell enough."""
        n_rows = getattr(objective, "n_rows", None)
        if n_rows is None or not self.stages(n_rows, start.size):
            return None
        if not self.sample:
            return Scouted(start, None)
        rng = np.random.default_rng(self.random_state)
        scouted, carriers = Scouted(start, None), []
        cost = 1.0 + getattr(objective, "metric_cost", 0.0)
        for rows in self.stages(n_rows, start.size):
            part = objective.sample(rows, rng)
            enough = (SAMPLED * start.size * rows) ** 0.5 * n_rows / rows
            found = None if part is None else _scoring(part, scouted.params, enough)
            if found is None:
                return None
            # Two metrics of the sample are to take less than half a pass, and to solve for the change next to nothing.
            if 4 * rows * cost < n_rows and start.size <= MOST_CARRIED:
                carriers.append(Carrier(part, start.size / rows))
            scouted = found
        assert scouted.metric is not None
        share = start.size / rows
        return Scouted(scouted.params, scouted.metric.scaled((1.0 + share) / (1.0 - share) ** 2), tuple(carriers))

    def need(self, state: State, most: int) -> int:
        """Return what the next point must carry; ``most`` is what plain scoring asks for."""
        return most if state.held is None or state.renew else SCORE

    def hold(self, point: Point, state: State, newton: bool) -> tuple[Point, State, float | None]:
        """Give a point the metric to go on with, decide what the next one is to carry, and foresee the decrement there.

        Parameters
        ----------
        point : Point
        state : State
        newton : bool
            Whether the expected information is the curvature at the optimum: a step with a fresh one then squares the
            distance; otherwise it shrinks by no less than it has been seen to.

        Returns
        -------
        point : Point
            With a metric.
        state : State
        ahead : float or None
            Bound on the decrement after a whole step from here, where the metric is this point's own.
        """
        fresh = "metric" in point.sums
        metric: Metric = point.sums.get("metric", state.held)
        if not fresh:
            point = Point(point.params, {**point.sums, "metric": metric}, point.dispersion)
        decrement = point.decrement
        ratio = decrement / state.last if np.isfinite(state.last) and state.last > 0.0 else np.nan
        # What a step leaves is its metric's error plus its curvature's: ratio = error^2 + bend * last. So no less than
        # ratio / last bounds the bend, and the step with a metric of its own point leaves bend * decrement^2.
        bend = state.bend if np.isnan(ratio) else min(state.bend, ratio / state.last)
        age = 0 if fresh else state.age + 1
        floor = 0.0 if newton else ratio
        ahead = UNSURE * (bend * decrement + floor) * decrement if fresh and np.isfinite(bend) else None
        slow = state.held is not None and state.age == 0 and ratio > POOR and decrement < 1.0
        plain = bool(slow or (fresh and metric.rcond() < ILL_CONDITIONED))
        close = CLOSE_CARRIED if state.carriers else CLOSE
        close = close if point.dispersion == 1.0 else CLOSE_FREE
        share = state.carriers[0].share if state.carriers else 1.0
        renew = _renew(
            decrement,
            ratio,
            (state.age, age),
            state.cost,
            lambda after: (
                after <= close
                and bend * after * share <= SAME_METRIC
                and UNSURE * (bend * after + floor) * after <= LEFT
            ),
        )
        state = state._replace(held=metric, age=age, last=decrement, bend=bend, renew=renew, plain=plain)
        return point, state, ahead

    def mix(self, point: Point, state: State) -> tuple[Array, State]:
        """Return the natural gradient, corrected by its changes under the same metric, and the state that remembers it."""
        if state.age == 0:
            return point.natural_gradient, state._replace(memory=Remembered())
        memory = state.memory.followed_by(point, MIXED)
        vector = corrected(point, memory)
        if vector is None:
            memory = Remembered().followed_by(point, MIXED)
        return point.natural_gradient if vector is None else vector, state._replace(memory=memory)


MIXED = 8
"""Points that a sampled metric's errors are told from: more brought nothing at 20 to 800 columns."""

POOR = 0.1
"""A fresh metric that leaves more than this of the decrement, within one standard error of the optimum, is not the
curvature there: the observed information is called for."""


VARIES = 3.0
"""Factor by which a step may do worse than the one before: a metric taken one step too early is taken twice."""


AFTER = 3.0
"""Passes for the score that are still to come after a fresh metric far from the optimum."""


class Carrier(NamedTuple):
    """A sample that tells how the metric changes over a short step: what all rows say at one end is carried to the other.

    ``share`` is the squared relative error of what a sample says of all rows, parameters over rows.
    """

    objective: Objective
    share: float

    def carry(self, metric: Metric, start: Array, end: Array) -> Metric | None:
        """Return the metric at the end of a step from that at its start; None where the sample is too small to tell.

        M(end) = M(start) + m(end) - m(start), m being the sample's in units of all rows: a control variate, whose error
        is the sample's own share of a change that is itself small.
        """
        old, new = (self.objective.evaluate(params, LOGLIK | METRIC) for params in (start, end))
        if not isinstance(metric, Gram) or not (old.inside and new.inside):
            return None
        change = new.metric.matrix_form() - old.metric.matrix_form()
        relative = metric.solve(change)
        if not np.sum(relative * relative.T) * self.share <= SAME_METRIC:
            return None
        return Gram(metric.matrix + change)


class Scouted(NamedTuple):
    """What samples tell: where to start, the metric there in units of all rows (None: not sampled), and what carries a
    metric over the last step, the smallest sample first."""

    params: Array
    metric: Metric | None
    carriers: tuple[Carrier, ...] = ()


def _renew(
    decrement: float, ratio: float, ages: tuple[int, int], cost: float, is_last: Callable[[float], bool]
) -> bool:
    """Say whether the next point is to carry a metric of its own.

    ``ages`` are those of the last metric and of this, ``cost`` that of a metric in score passes; ``is_last`` tells from a
    decrement whether a step with a fresh metric from there is the last one.
    """
    if np.isnan(ratio):
        return False
    if (ages[1] > 0 and is_last(decrement)) or is_last(VARIES * ratio * decrement):
        return True
    if ages[1] == 0:
        return ages[0] == 0 and ratio > POOR  # fresh, and yet slow: far from the optimum every step wants its own
    left = np.inf if ratio >= 1.0 else np.log(CLOSE / decrement) / np.log(ratio)
    return left > AFTER + cost


def _scoring(objective: Objective, params: Array, enough: float) -> Scouted | None:
    """Fit by plain scoring until the decrement falls below ``enough``; None where that does not work."""
    before, point = -np.inf, None
    for _ in range(MOST_SAMPLED):
        del point  # its metric is let go of before there is another
        point = objective.evaluate(params, LOGLIK | SCORE | METRIC)
        if not point.inside or point.loglik < before:
            return None
        try:
            if point.metric.rcond() < ILL_CONDITIONED:
                return None
            params = params + point.natural_gradient
        except SingularMetric:
            return None
        if not point.decrement >= enough:
            return Scouted(params, point.metric) if np.isfinite(params).all() else None
        before = point.loglik
    return None
