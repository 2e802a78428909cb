"""The direction of a distributional fit: the natural gradient, kept from overshooting and led along separations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import linalg

from natfit.metric import Gram, SingularMetric
from natfit.models.distribution_start import Reaching
from natfit.optimize.directions import METRICS, Heading, State
from natfit.optimize.objective import Objective, Point

Array = np.ndarray[Any, np.dtype[Any]]

STRIDE = 1.5
"""Most that predictors on a log or logit scale may change in one step, in root mean square, while the maximum is far."""
SIGHT = 9.0
"""Root mean square of these predictors from which the stride grows with them: nine is a factor of eight thousand. What lies
farther out is on its way to infinity, which steps of one length would reach too late."""
GROWTH = 1.0
"""Share of what exceeds `SIGHT` that a stride may be: along a separation predictors then double from step to step."""
LEAST = 1e-2
"""Share of the expected information under which the observed one along a direction, of either sign, is not taken at its
word: the step would be a hundred times that of scoring."""
FLAT = 1e-18
"""Share of the log-likelihood, and nats, that a change of predictors by one counts as costing where steps are held back, so
that predictors of which nothing more is known don't run on while others are still being found."""
SEEN = 1e-12
"""Share of the log-likelihood, and nats, that a step along what the metric no longer sees has to promise to be taken."""


class Striding(Reaching):
    """`Reaching`, held back further where predictors would change by more than a stride, and not lost in separations.

    Where the information of a parameter vanishes, as of a zero inflation near 0, a step by it overshoots into the flat; the
    divergence of the distributions says nothing there, the predictor does. The metric is then added a share of the squared
    change of the predictors themselves (Levenberg & Marquardt), just so much that the stride is kept: other coefficients go
    on as they would.

    Where the likelihood has no maximum, as with a step across a plane that becomes steeper and steeper, its supremum is
    approached as exp(-t) along coefficients t d + c: first d has to be found, for which predictors have to become large
    beside the distances of the nearest rows from the plane, and then each unit step gains one in the nearest rows'
    predictors. Three things lead there in some sixty steps. The stride grows with the predictors. Where the observed
    information is not positive definite, steps are by its absolute value, taken in directions that are orthogonal for the
    expected one (Dauphin et al. 2014, Advances in Neural Information Processing Systems 27), since the expected one says
    little of rows beside the plane. And where d is all that is left and the information along it is lost in rounding, the
    step is a stride along it.

    Parameters
    ----------
    reach : float
    strides : sequence of Gram
        Squared change of each parameter's predictor that has a scale of its own, averaged over the rows, as a form in the
        free coordinates.
    **options
        Arguments of `NaturalGradient`.
    """

    def __init__(self, reach: float, strides: Sequence[Gram], **options: Any):
        super().__init__(reach, **options)
        self.strides = strides
        self.stride = Gram(np.sum([part.matrix for part in strides], axis=0))

    def __call__(self, objective: Objective, point: Point, state: State) -> tuple[Heading, State]:
        try:
            heading, state = super().__call__(objective, point, state)
            point = heading.point  # with what the state now asks for, should the metric prove singular here
            return self._held_back(heading, state), state
        except SingularMetric as singular:
            return self._where_singular(point, state, singular), state

    def _held_back(self, heading: Heading, state: State) -> Heading:
        point = heading.point
        metric = point.metric.matrix_form()
        if self.finish is not None and state.finishing and heading.metric == self.metric:
            metric = _definite(point.sums[METRICS[self.finish][1]].matrix_form(), metric)
            heading = heading._replace(vector=Gram(metric).solve(point.score))
        stride = self._stride_at(point.params)
        if stride.quadratic(heading.vector) <= STRIDE**2:
            return heading
        least = FLAT * max(abs(point.loglik), 1.0)
        weight, step = self.reach, heading.vector
        while weight > least:
            step = Gram(metric + weight * stride.matrix).solve(point.score)
            if stride.quadratic(step) > STRIDE**2:
                break
            weight *= 0.25
        while stride.quadratic(step) > STRIDE**2:
            weight *= 2.0
            step = Gram(metric + weight * stride.matrix).solve(point.score)
        # what a stride gains to first order bounds what lies ahead: farther out the likelihood is flatter still
        promised = min(float(heading.decrement or np.inf), 2.0 * float(point.score @ step))
        return heading._replace(vector=step, decrement=promised)

    def _stride_at(self, params: Array) -> Gram:
        """Return the form in which a stride has the length `STRIDE`: each parameter's predictors by how far out they are."""
        if self.stride.quadratic(params) <= SIGHT**2:
            return self.stride
        whole = np.zeros_like(self.stride.matrix)
        for part in self.strides:
            beyond = GROWTH * (np.sqrt(max(part.quadratic(params), 0.0)) - SIGHT)
            whole += part.matrix * (STRIDE / max(STRIDE, beyond)) ** 2
        return Gram(whole)

    def _where_singular(self, point: Point, state: State, singular: SingularMetric) -> Heading:
        """Head on where the expected information has been lost in rounding, or raise where nothing promises a gain."""
        if state.finishing and self.finish is not None:
            try:
                return self._along(point, self.finish)
            except SingularMetric:
                pass  # lost there too
        for step in self._into_the_unseen(point, singular):
            gain = float(point.score @ step)
            if gain > SEEN * max(abs(point.loglik), 1.0):
                return Heading(step, 2.0 * gain, point, self.metric)
        raise singular

    def _into_the_unseen(self, point: Point, singular: SingularMetric) -> Iterator[Array]:
        """Yield steps without regard to what the metric does not see: along its null space, then by the stride's form.

        Along the null space parameters grow by a share of themselves. Predictors that are far out then keep their signs,
        which the steepest ascent would not mind to change; and the score falls off on the way, so that the gain is bounded.
        """
        yield singular.directions @ linalg.lstsq(singular.directions, GROWTH * point.params)[0]
        stride, weight = self._stride_at(point.params), FLAT * max(abs(point.loglik), 1.0)
        for _ in range(100):
            weight *= 4.0
            try:
                step = Gram(point.metric.matrix_form() + weight * stride.matrix).solve(point.score)
            except SingularMetric:
                continue
            if stride.quadratic(step) <= STRIDE**2:
                yield step
                return


def _definite(observed: Array, expected: Array) -> Array:
    """Return the absolute value of the observed information in the metric of the expected one; the latter where singular."""
    if not np.isfinite(observed).all():
        return expected
    try:
        values, vectors = linalg.eigh(observed, expected)
    except linalg.LinAlgError:
        return expected
    root = expected @ vectors * np.sqrt(np.maximum(np.abs(values), LEAST))
    return root @ root.T
