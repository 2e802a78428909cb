"""From starts to the best maximum of a mixture of regressions that the constraint allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.data.arrays import Source
from natfit.likelihoods.mixtures.regression import MixtureRegressionLikelihood
from natfit.metric import SingularMetric
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.fitting import ROUNDS, MixtureObjective, finishing
from natfit.models.mixtures.search import APART, FINALISTS, SAME, NoMaximum
from natfit.need import COMPLETE, LOGLIK, SCORE
from natfit.optimize.em import CompleteData, Slow
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.optimizer import Optimizer
from natfit.optimize.record import Record
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement
from natfit.results.mixtures.fitted import Search

Array = np.ndarray[Any, np.dtype[Any]]

PASSES = 200
"""Steps of a short run."""

LEFT = 0.01
"""Nats still to be gained, as estimated, under which a short run ends."""

FLOOR = 1e-7
"""Dispersion, as a share of that of a single regression, under which a component has collapsed."""


class NoRegressions(NoMaximum):
    """No start led to a maximum that the constraint allows."""

    def __init__(self, excluded: list[tuple[float, str]], n_starts: int):
        why = max(excluded)[1] if excluded else "in each a component lost its rows or its dispersion"
        ValueError.__init__(
            self,
            f"none of {n_starts} starts led to a maximum inside the constraint ({why}); use fewer components, more starts "
            "(n_init), dispersion='shared', or a looser constraint",
        )


def generalised_em() -> Optimizer:
    """Return EM with one scoring step for each component, shortened where the likelihood would fall."""
    return Optimizer(CompleteData(), Backtracking(), name="EM")


def climb(
    objective: MixtureObjective,
    params: Array,
    tol: float = 1e-12,
    max_iterations: int = 1000,
    callback: Callable[[Any], Any] | None = None,
) -> Outcome:
    """Return the outcome of the way up from ``params``: EM while it gains, then the observed data's metric."""
    record = Record()
    passes = 20
    for _ in range(ROUNDS):
        outcome = generalised_em().run(
            objective, params, Slow(left=0.1, gain=tol), min(passes, max_iterations), callback
        )
        _append(record, outcome.record)
        outcome = finishing().run(objective, outcome.params, Decrement(tol), max_iterations, callback)
        _append(record, outcome.record)
        params = outcome.params
        if outcome.converged or len(record) >= max_iterations:
            break
        passes *= 2
    return outcome._replace(record=record)


def _append(record: Record, more: Record) -> None:
    for row in more:
        record.append(row._replace(iteration=len(record)))


def row_sizes(objective: MixtureObjective, params: Array) -> Array:
    """Return the sums of responsibilities over rows, (K,)."""
    likelihood: Any = objective.likelihood
    return likelihood.sizes(params, objective.evaluate(params, LOGLIK | SCORE | COMPLETE).sums)


class Ranked:
    """Maxima as they are found: those that count, and those left out.

    Parameters
    ----------
    likelihood : MixtureRegressionLikelihood
    source : Source
        Of the rows that starts run on.
    constraint : Constraint
    spread : (1,) ndarray
        Dispersion of a single regression.
    """

    def __init__(self, likelihood: MixtureRegressionLikelihood, source: Source, constraint: Constraint, spread: Array):
        self.likelihood, self.constraint, self.spread = likelihood, constraint, spread
        self.objective = MixtureObjective(likelihood, source)
        self.found: list[tuple[float, Array, Array]] = []
        self.excluded: list[tuple[float, str]] = []

    def breach(self, params: Array) -> str | None:
        """Return how a maximum breaks the constraint, or None."""
        rest = self.likelihood.split(params)[1]
        components = self.likelihood.components
        return self.constraint.breach(components, rest, row_sizes(self.objective, params), self.spread)

    def short(self, params: Array) -> tuple[float, Array]:
        """Return where a short run of EM ends; -inf where it breaks down."""
        try:
            outcome = generalised_em().run(self.objective, params, Slow(left=LEFT, gain=1e-6), PASSES)
        except (OutsideDomain, SingularMetric):
            return -np.inf, params
        rest = self.likelihood.split(outcome.params)[1]
        components = self.likelihood.components
        collapsed = not components.bounded and (components.spreads(rest) < FLOOR * self.spread).any()
        return (-np.inf if collapsed else outcome.point.loglik), outcome.params

    def carry(self, params: Array, start: Array) -> float | None:
        """Carry a short run to its maximum; return the log-likelihood there, or None where it does not count."""
        try:
            outcome = climb(self.objective, params, 1e-8, 300)
            breach = self.breach(outcome.params)
        except (OutsideDomain, SingularMetric):
            return None
        if breach is not None:
            self.excluded.append((outcome.point.loglik, breach))
            return None
        self.found.append((outcome.point.loglik, outcome.params, start))
        return outcome.point.loglik


def rank(ranked: Ranked, starts: list[Array], n_rows: int) -> Search:
    """Return what became of the starts.

    Raises
    ------
    NoMaximum
        If no start led to a maximum that the constraint allows.
    """
    runs = [ranked.short(params) for params in starts]
    ends = np.array([loglik for loglik, _ in runs])
    order = np.argsort(-ends, kind="stable")
    broken = int((~np.isfinite(ends)).sum())
    before = np.inf
    last: float | None = None
    carried = 0
    for at in order[: len(order) - broken]:
        if before - ends[at] > APART:
            if carried >= FINALISTS and ranked.found:
                break
            last = ranked.carry(runs[at][1], starts[at])
            carried += 1
        before = ends[at]
        ends[at] = -np.inf if last is None else max(ends[at], last)
    if not ranked.found:
        raise NoRegressions(ranked.excluded, len(starts))
    best, params, start = max(ranked.found, key=lambda each: each[0])
    reached = int((ends > best - SAME).sum())
    others = sorted({round(each, 2) for each, *_ in ranked.found if each < best - SAME}, reverse=True)
    options: dict[str, Any] = {"excluded": ranked.excluded, "broken": broken, "others": others}
    return Search(
        params=params, start=start, loglik=best, n_starts=len(starts), n_best=reached, n_rows=n_rows, **options
    )
