"""The fit of a distributional regression: starts from nothing, aliased columns, the optimizer, the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from natfit.data.arrays import Source
from natfit.data.block import Block
from natfit.data.threads import one_blas_thread
from natfit.likelihoods.distributional import SPARING, DistributionalLikelihood
from natfit.likelihoods.sums import Sums
from natfit.metric import ILL_CONDITIONED, Gram, SingularMetric, Triangular
from natfit.models.distributional.data import DistributionalData
from natfit.models.distributional.start import Ground, starts
from natfit.models.distributional.striding import Striding
from natfit.models.fitting import Settings
from natfit.models.maximizing import maximize_from
from natfit.models.starting import explain_alias
from natfit.need import LOGLIK, METRIC
from natfit.optimize.lazy import FEW
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import LikelihoodObjective, Objective, ParametrizedObjective
from natfit.optimize.optimizer import Optimizer
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement
from natfit.parametrizations.affine import Affine
from natfit.results.fitted import Fitted

Array = np.ndarray[Any, np.dtype[Any]]

FARTHEST = 1.0
"""Nats for each observation that a unit step may move the distribution: one is far, but still in sight."""

VAST = 1e4
"""Standard error of the predictors on a log or logit scale, in root mean square over the rows, from which they are on their
way to infinity: a factor of e^10000."""
SHARE = 1 / 8
"""Share of the rows in the second sample: special functions make a score pass nearly as dear as one for the metric."""
INSIDE = (
    "every row's parameters inside the family's domain: give start_params that do, or choose links whose values all lie in "
    "the domain"
)
LARGE = 20_000
"""Rows from which steps take a share of the rows for an information that is no closed form."""


@dataclass(frozen=True)
class Problem:
    """What is to be maximized.

    Parameters
    ----------
    likelihood, source, data
    tie : Affine
        From the free coordinates to all coefficients.
    """

    likelihood: DistributionalLikelihood
    source: Source
    data: DistributionalData
    tie: Affine


def fit_distributional(problem: Problem, settings: Settings) -> Fitted:
    """Fit all coefficients together."""
    if settings.may_be_lazy:
        with one_blas_thread() if problem.source.n_rows >= FEW else nullcontext():
            fitted = _fit_lazily(problem, settings)
        if fitted is not None:
            return fitted
    return _fit_on_all_rows(problem, settings)


def _fit_lazily(problem: Problem, settings: Settings) -> Fitted | None:
    """Fit with a lazy metric from a sample's optimum; None where rows are few, or where they don't let themselves be
    sampled: then plain scoring has to say what the matter is."""
    assert settings.lazy is not None
    lazy = replace(settings.lazy, least_share=SHARE, newton=True)
    likelihood, tie = problem.likelihood, problem.tie
    stages = lazy.stages(problem.source.n_rows, likelihood.layout.size)
    sample = problem.source.sample(stages[0], np.random.default_rng(lazy.random_state)) if stages else None
    if sample is None:
        return None
    ground = Ground(likelihood, sample, problem.data.designs)
    if any(gram.rcond() < ILL_CONDITIONED for gram in ground.grams.values()):
        return None  # a sample can't say which columns all rows tell apart
    strides = ground.strides(tie)
    if settings.start_params is None:
        begin = _free_starts(tie, ground, problem.data)
        quick = replace(settings, stop=Decrement(1.0), callback=None)
        direction = Striding(FARTHEST * sample.n_rows, strides)
        found = _attempt(LikelihoodObjective(likelihood, sample), tie, begin, quick, direction)
        if found is None:
            return None
        start, lazy = found.params, replace(lazy, first=False)
    else:  # likely nearer than the sample's own optimum
        start, lazy = settings.start_params, replace(lazy, sample=False)
    direction = Striding(FARTHEST * problem.data.count(), strides, finish="observed", refresh=lazy)
    whole = _watched(LikelihoodObjective(likelihood, problem.source), settings)
    outcome = _attempt(whole, tie, iter([start]), settings, direction)
    return None if outcome is None else _fitted(outcome, np.ones(start.size, dtype=bool), [])


def _attempt(
    home: Any, tie: Affine, starts: Iterator[Array], settings: Settings, direction: Striding
) -> Outcome | None:
    """Return where the maximum is, or None where it is not found."""
    optimizer = Optimizer(direction, Backtracking(), name="natural gradient")
    try:
        outcome = maximize_from(starts, _tied(home, tie), settings, optimizer, inside=INSIDE, to_the_top=True)
    except (OutsideDomain, SingularMetric):
        return None
    return outcome if outcome.converged and not _at_limit(outcome, direction.strides) else None


def _at_limit(outcome: Outcome, strides: Sequence[Gram]) -> bool:
    """Say whether predictors have run so far out that the data tell nothing more of them: another start may lead higher."""
    try:
        inverse = outcome.point.metric.inverse()
    except SingularMetric:
        return True
    return any(float(np.sum(inverse * part.matrix)) > VAST**2 for part in strides)


def _watched(home: LikelihoodObjective, settings: Settings) -> Any:
    """Return the objective of all rows; it writes its parameters to the checkpoint, where there is one."""
    return home if settings.checkpoint is None else settings.checkpoint.watching(home)


def _tied(home: Any, tie: Affine) -> Objective:
    free = tie.matrix.shape[0] == tie.matrix.shape[1] and np.array_equal(tie.matrix, np.eye(len(tie.matrix)))
    return home if free and not tie.offset.any() else ParametrizedObjective(home, tie)


def _fit_on_all_rows(problem: Problem, settings: Settings) -> Fitted:
    """Fit by plain scoring; what depends on other columns is found first, and dropped or refused."""
    likelihood, source = problem.likelihood, problem.source
    ground = Ground(likelihood, source, problem.data.designs)
    kept, notes = _aliased(problem, ground)
    if notes and settings.rank == "raise":
        raise ValueError(
            f"each parameter's columns must be linearly independent, but {'; '.join(notes)}: leave the column(s) out, or "
            "fit with rank='drop'"
        )
    tie = _without(problem.tie, kept) if notes else problem.tie
    strides = ground.strides(tie)
    sparing = likelihood.family.costly and source.n_rows > LARGE
    stepping = likelihood.thinned(SPARING) if sparing else likelihood
    optimizer = settings.optimizer or Optimizer(
        Striding(FARTHEST * problem.data.count(), strides, finish="observed"),
        Backtracking(),
        name="natural gradient",
    )
    given = settings.start_params
    begin = _free_starts(tie, ground, problem.data) if given is None else iter([given[kept]])
    home = _watched(LikelihoodObjective(stepping, source), settings)
    outcome = maximize_from(
        begin,
        _tied(home, tie),
        settings,
        optimizer,
        inside=INSIDE,
        to_the_top=True,
        at_limit=lambda reached: _at_limit(reached, strides),
        bounded=bool(likelihood.family.support.discrete),
    )
    if sparing:
        outcome = _with_exact_metric(outcome, likelihood, source, tie)
    return _fitted(outcome, kept, notes)


def _fitted(outcome: Outcome, kept: Array, notes: list[str]) -> Fitted:
    params = np.full(kept.size, np.nan)
    params[kept] = outcome.params
    return Fitted(params, kept, outcome.point, outcome, outcome.converged, outcome.reason, notes, None)


def _with_exact_metric(outcome: Outcome, likelihood: DistributionalLikelihood, source: Source, tie: Affine) -> Outcome:
    """Replace the information of a share of the rows by that of all of them, for standard errors."""
    exact = ParametrizedObjective(LikelihoodObjective(likelihood, source), tie)
    point = exact.evaluate(outcome.params, LOGLIK | METRIC)
    outcome.point.sums["metric"] = point.sums["metric"]  # type: ignore[index]
    return outcome


def _free_starts(tie: Affine, ground: Ground, data: DistributionalData) -> Iterator[Array]:
    """Yield free coordinates to begin from."""
    for full in starts(ground, data.in_memory()):
        yield np.linalg.lstsq(tie.matrix, full - tie.offset)[0]


def _aliased(problem: Problem, ground: Ground) -> tuple[Array, list[str]]:
    """Return which free coordinates are kept, and in words why the others are not: per parameter, by pivoting."""
    layout, matrix = problem.likelihood.layout, problem.tie.matrix
    gone, notes = np.zeros(layout.size, dtype=bool), []
    factors: dict[str, Triangular] = {}
    for name, first in ground.first.items():
        if ground.grams[name].rcond() >= ILL_CONDITIONED:
            continue
        if first not in factors:
            factors[first] = _factor(problem.source, first)
        factor, own = factors[first], layout.slices[name]
        gone[own] = factor.aliased()
        labels = tuple(layout.names[own])
        notes += [explain_alias(factor, int(j), gone[own], labels) for j in np.flatnonzero(gone[own])]
    loads = matrix != 0.0
    dropped = loads.any(axis=0) & ~loads[~gone].any(axis=0)
    if loads[gone][:, ~dropped].any():
        raise ValueError(
            f"{notes[0]}, and a coefficient that is tied to others can't be dropped alone: leave the column out"
        )
    return ~dropped, notes


def _factor(source: Source, name: str) -> Triangular:
    """Return the triangular factor of a design."""

    def rows(block: Block) -> Sums:
        return Sums(metric=Triangular.from_rows(block.designs[name].weighted_rows(np.ones(block.n_rows))))

    return source.reduce(rows)["metric"]


def _without(tie: Affine, kept: Array) -> Affine:
    names = [name for name, keep in zip(tie.names, kept, strict=True) if keep]
    return Affine(tie.matrix[:, kept], tie.offset, names=names)
