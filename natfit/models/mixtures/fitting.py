"""From a start to the maximum of a mixture's likelihood: EM while it gains, then the observed data's metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.data.arrays import Source
from natfit.families.curvature import nearby_bend
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.likelihoods.sums import Sums
from natfit.metric import Gram
from natfit.need import MEAT, METRIC, OBSERVED, SCORE
from natfit.optimize.accelerated import accelerated_em
from natfit.optimize.directions import NaturalGradient
from natfit.optimize.em import Slow, em
from natfit.optimize.loop import Outcome
from natfit.optimize.objective import LikelihoodObjective, ParametrizedObjective, Point
from natfit.optimize.optimizer import Optimizer
from natfit.optimize.record import Record
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement
from natfit.parametrizations.base import Parametrization

Array = np.ndarray[Any, np.dtype[Any]]

MOST_PARAMETERS = 400
"""Free parameters up to which the observed data's metric is held and solved."""

WIDE_TOL = 1e-6
"""Decrement, a thousandth of a standard error squared, that ends a fit of more parameters."""

WITHIN = 5.0
"""Standard errors from the optimum within which the observed information is tried."""

NO_ROWS = 1e-4
"""Rows below which a component's weight falls on for ever, and there is nothing to finish."""

FINISH = 10
"""Steps that the observed data's metric has at first: on a plateau, where it is singular, EM gets on better."""

ROUNDS = 12
"""Turns of EM and of the observed data's metric: the second is left where no step of it is accepted."""


class MixtureObjective(LikelihoodObjective):
    """A mixture's likelihood summed over a source; knows the complete data's m-geodesic.

    Parameters
    ----------
    likelihood : MixtureLikelihood
    source : Source
    share : float
        How many observations a unit of weight stands for: all sums are multiplied by it.
    """

    likelihood: MixtureLikelihood

    def __init__(self, likelihood: MixtureLikelihood, source: Source, share: float = 1.0):
        super().__init__(likelihood, source, share=share)

    def evaluate(self, params: Array, need: int) -> Point:
        """Return the Point; the metric is the empirical information, which is summed once for both."""
        if not need & METRIC:
            return super().evaluate(params, need)
        point = super().evaluate(params, (need & ~METRIC) | MEAT)
        if not point.inside:
            return point
        return Point(params, {**point.sums, "metric": point.sums["meat"]}, point.dispersion)

    def complete(self, point: Point, step: float = 1.0) -> Array:
        """Return the parameters at a step of EM from a point that carries the complete data's sums."""
        with np.errstate(all="ignore"):
            return self.likelihood.complete(point.params, point.sums, step)


class CurvedObjective(ParametrizedObjective):
    """An objective in coordinates, the observed information being the exact one: J'HJ less the coordinates' own bend.

    Where coordinates are fewer than parameters the score need not vanish at the maximum, so the bend stays.
    """

    objective: MixtureObjective
    parametrization: Parametrization

    def evaluate(self, params: Array, need: int) -> Point:
        if not self._contains(params):
            return Point(params, {"loglik": -np.inf})
        home = self.objective.evaluate(self.parametrization.to_home(params), need | SCORE if need & OBSERVED else need)
        sums: dict[str, Any] = dict(home.sums)
        if not home.inside:
            return Point(params, sums)
        held = [name for name in ("metric", "observed", "meat") if name in sums]
        if held:
            J = self.parametrization.jacobian(params)
            sums.update({name: sums[name].pullback(J) for name in held})
        if "observed" in sums:
            matrix = sums["observed"].matrix
            spread = sums.get("metric", sums["observed"]).matrix.diagonal()  # the empirical one is never negative
            scale = 1.0 / np.sqrt(np.maximum(np.abs(spread), np.finfo(float).tiny))
            sums["observed"] = Gram(matrix - nearby_bend(self.parametrization, params, home.score, scale))
        if "score" in sums:
            sums["score"] = self.parametrization.pull_score(params, home.score)
        return Point(params, sums)

    def complete(self, point: Point, step: float = 1.0) -> Array:
        """Return the coordinates at a step of EM."""
        home = Point(self.parametrization.to_home(point.params), point.sums, point.dispersion)
        return self.parametrization.from_home(self.objective.complete(home, step))


def finishing() -> Optimizer:
    """Return what ends a fit: the natural gradient in the empirical, then in the observed information."""
    direction = NaturalGradient("empirical", finish="observed", finish_within=WITHIN)
    return Optimizer(direction, Backtracking(), name="natural gradient")


def climb(
    objective: MixtureObjective,
    params: Array,
    coordinates: Callable[[Array], Parametrization | None],
    tol: float = 1e-12,
    max_iterations: int = 1000,
    callback: Callable[[Any], Any] | None = None,
) -> Outcome:
    """Return the outcome of the way up from ``params``, in the likelihood's own parameters.

    Parameters
    ----------
    coordinates : callable
        From parameters to the coordinates to finish in near them; None for the likelihood's own.
    tol : float
        On the decrement in the observed data's metric.
    """
    if params.size > MOST_PARAMETERS:
        return climb_wide(objective, params, coordinates(params), tol, max_iterations, callback)
    record = Record()
    passes = 20
    for turn in range(ROUNDS):
        outcome = em().run(objective, params, Slow(left=0.1, gain=tol), min(passes, max_iterations), callback)
        _append(record, outcome.record)
        params = outcome.params
        if outcome.point.sums["complete_weights"].min() < NO_ROWS:
            outcome = outcome._replace(converged=False, reason="the weight of a component has gone to zero")
            break
        chart = coordinates(params)
        inner: Any = objective if chart is None else CurvedObjective(objective, chart)
        start = params if chart is None else chart.from_home(params)
        outcome = finishing().run(inner, start, Decrement(tol), min(FINISH * (turn + 1), max_iterations), callback)
        _append(record, outcome.record)
        params = outcome.params if chart is None else chart.to_home(outcome.params)
        if outcome.converged or len(record) >= max_iterations:
            break
        passes *= 2
    return outcome._replace(params=params, record=record)


def in_own_weights(outcome: Outcome, share: float) -> Outcome:
    """Return an outcome of an objective with a ``share`` as one of the rows' own weights."""
    if share == 1.0:
        return outcome
    sums = Sums(outcome.point.sums).scaled(1.0 / share)
    record = Record()
    for row in outcome.record:
        record.append(row._replace(loglik=row.loglik / share, decrement=row.decrement / share))
    point = Point(outcome.point.params, sums, outcome.point.dispersion)
    return outcome._replace(point=point, record=record, decrement=outcome.decrement / share)


def in_order(likelihood: MixtureLikelihood, params: Array) -> Array:
    """Return the same mixture with its components by falling weight."""
    components = likelihood.components
    weights = likelihood.weights.probabilities(likelihood.split(params)[0])
    first = components.n_ordered
    order = np.concatenate([np.argsort(-weights[:first], kind="stable"), np.arange(first, components.n_components)])
    return likelihood.reordered(params, order)


def climb_wide(
    objective: MixtureObjective,
    params: Array,
    chart: Parametrization | None,
    tol: float,
    max_iterations: int,
    callback: Callable[[Any], Any] | None,
) -> Outcome:
    """Return the outcome of accelerated EM, for more parameters than a metric is held for.

    It ends on the decrement in the empirical information, found by conjugate gradients. Both count in the free
    coordinates: what accelerates EM would leave a model that is curved, and the score does not vanish across it.
    """
    record = Record()
    gain = 1e-4
    inner: Any = objective if chart is None else CurvedObjective(objective, chart)
    at = params if chart is None else chart.from_home(params)
    for _ in range(ROUNDS):
        outcome = accelerated_em().run(inner, at, Slow(gain=gain), max_iterations - len(record), callback)
        _append(record, outcome.record)
        at = outcome.params
        decrement = conjugate_decrement(objective, outcome.point, tol, chart=chart)
        met = decrement < WIDE_TOL
        if met or gain < tol or len(record) >= max_iterations:
            break
        gain *= 1e-2
    how = f"the decrement, by conjugate gradients, is {decrement:.2g}"
    limit = "where no step gains any more" if gain < tol else f"within {max_iterations} iterations"
    reason = how if met else f"no convergence {limit}; {how}"
    params = at if chart is None else chart.to_home(at)
    return outcome._replace(params=params, record=record, converged=met, reason=reason, decrement=decrement)


def conjugate_decrement(
    objective: MixtureObjective, point: Point, tol: float, most: int = 50, chart: Parametrization | None = None
) -> float:
    """Return score' F^-1 score in the empirical information by conjugate gradients: a lower bound that rises to it.

    Parameters
    ----------
    objective : MixtureObjective
    point : Point
        With the score and the complete data's sums; in the coordinates, where there are any.
    tol : float
        Decrement below which more digits are of no use.
    most : int
        Steps.
    chart : Parametrization, optional
        Free coordinates.
    """
    likelihood, source = objective.likelihood, objective.source
    score = point.score
    home = point.params if chart is None else chart.to_home(point.params)
    jacobian = None if chart is None else chart.jacobian(point.params)

    def times(vector: Array) -> Array:
        along = vector if jacobian is None else jacobian @ vector
        product = source.reduce(lambda block: likelihood.empirical_product(home, block, along))["product"]
        return product if jacobian is None else jacobian.T @ product

    counts = point.sums["complete_weights"]
    first = (counts * (1.0 - counts / counts.sum()))[: likelihood.weights.size]
    diagonal = np.concatenate([first, likelihood.components.complete_diagonal(likelihood.split(home)[1], counts)])
    if jacobian is not None:
        diagonal = np.einsum("ij,i,ij->j", jacobian, diagonal, jacobian)
    return _conjugate_form(times, score, diagonal, tol, most)


def _conjugate_form(times: Callable[[Array], Array], score: Array, diagonal: Array, tol: float, most: int) -> float:
    """Return score' F^-1 score for F known by its products, preconditioned by a diagonal."""
    residual, total = score.copy(), 0.0
    along = residual / diagonal
    size = float(residual @ along)
    for _ in range(most):
        image = times(along)
        curvature = float(along @ image)
        if not curvature > 0.0:
            break
        gained = size * size / curvature
        total += gained
        if gained < 1e-3 * total or total < tol:
            break
        residual = residual - size / curvature * image
        scaled = residual / diagonal
        now = float(residual @ scaled)
        along, size = scaled + now / size * along, now
    return total


def _append(record: Record, more: Record) -> None:
    for row in more:
        record.append(row._replace(iteration=len(record)))
