"""The fit of a distributional regression: starts from nothing, aliased columns, the optimizer, the verdict."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.likelihoods.distributional import SPARING, DistributionalLikelihood
from natfit.likelihoods.sums import Sums
from natfit.metric import ILL_CONDITIONED, Gram, Triangular
from natfit.models.distributional.data import DistributionalData
from natfit.models.distributional.start import Striding, intercepts, row_starts, spread_over_designs, stride_of
from natfit.models.fitting import Fitted, Settings
from natfit.models.starting import explain_alias
from natfit.need import LOGLIK, METRIC
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import LikelihoodObjective, Objective, ParametrizedObjective
from natfit.optimize.optimizer import Optimizer, run
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement
from natfit.parametrizations.affine import Affine

Array = np.ndarray[Any, np.dtype[Any]]

FARTHEST = 1.0
"""Nats for each observation that a unit step may move the distribution: one is far, but still in sight."""

MANY = 4
"""Times as many rows as a sample from which a sample is fitted first."""
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
    kept, notes = _aliased(problem)
    if notes and settings.rank == "raise":
        raise ValueError(
            f"each parameter's columns must be linearly independent, but {'; '.join(notes)}: leave the column(s) out, or "
            "fit with rank='drop'"
        )
    tie = _without(problem.tie, kept) if notes else problem.tie
    likelihood = problem.likelihood
    sparing = likelihood.family.costly and problem.source.n_rows > LARGE
    stepping = likelihood.thinned(SPARING) if sparing else likelihood
    home = LikelihoodObjective(stepping, problem.source)
    whole = tie.matrix.shape[0] == tie.matrix.shape[1] and np.array_equal(tie.matrix, np.eye(len(tie.matrix)))
    objective: Objective = home if whole and not tie.offset.any() else ParametrizedObjective(home, tie)
    optimizer = settings.optimizer or Optimizer(
        Striding(FARTHEST * problem.data.count(), stride_of(likelihood, problem.source, tie), finish="observed"),
        Backtracking(),
        name="natural gradient",
    )
    starts = _starts(problem, tie, settings, kept)
    if settings.start_params is None and problem.source.n_rows > MANY * _sample_rows(likelihood):
        starts = _from_sample(problem, tie, settings, starts)
    outcome = _maximize(objective, starts, settings, optimizer)
    if sparing:
        outcome = _with_exact_metric(outcome, likelihood, problem.source, tie)
    params = np.full(kept.size, np.nan)
    params[kept] = outcome.params
    return Fitted(params, kept, outcome.point, outcome, outcome.converged, outcome.reason, notes, None)


def _sample_rows(likelihood: DistributionalLikelihood) -> int:
    return max(50 * likelihood.layout.size, 10_000)


def _from_sample(problem: Problem, tie: Affine, settings: Settings, starts: Iterator[Array]) -> Iterator[Array]:
    """Yield the maximum of a random sample of rows, then the starts it came from: passes over few rows cost little."""
    tried = list(itertools.islice(starts, 1))
    likelihood = problem.likelihood
    sample = problem.source.sample(_sample_rows(likelihood), np.random.default_rng(0))
    if sample is not None:
        reach = FARTHEST * sample.n_rows
        direction = Striding(reach, stride_of(likelihood, sample, tie), finish="observed")
        quick = replace(settings, stop=Decrement(1.0), callback=None)
        objective = ParametrizedObjective(LikelihoodObjective(likelihood, sample), tie)
        try:
            outcome = _maximize(objective, iter(tried), quick, Optimizer(direction, Backtracking()))
            if outcome.converged:
                yield outcome.params
        except OutsideDomain:
            pass  # the starts are tried on all rows next
    yield from tried
    yield from starts


def _with_exact_metric(outcome: Outcome, likelihood: DistributionalLikelihood, source: Source, tie: Affine) -> Outcome:
    """Replace the information of a share of the rows by that of all of them, for standard errors."""
    exact = ParametrizedObjective(LikelihoodObjective(likelihood, source), tie)
    point = exact.evaluate(outcome.params, LOGLIK | METRIC)
    outcome.point.sums["metric"] = point.sums["metric"]  # type: ignore[index]
    return outcome


def _maximize(objective: Objective, starts: Iterator[Array], settings: Settings, optimizer: Any) -> Outcome:
    """Maximize from the first start that lies inside the domain and gets somewhere."""
    last: Outcome | None = None
    for start in starts:
        try:
            outcome = run(
                optimizer,
                objective,
                start,
                stop=settings.stop,
                max_iterations=settings.max_iterations,
                callback=settings.callback,
            )
        except OutsideDomain:
            continue
        if outcome.converged:
            return outcome
        if last is None or outcome.point.loglik > last.point.loglik:
            last = outcome
    if last is not None:
        return last
    what = "no coefficients were found that keep" if settings.start_params is None else "start_params do not keep"
    raise OutsideDomain(
        f"{what} every row's parameters inside the family's domain: give start_params that do, or choose links whose "
        "values all lie in the domain"
    )


def _starts(problem: Problem, tie: Affine, settings: Settings, kept: Array) -> Iterator[Array]:
    """Yield free coordinates to begin from: the user's; or constants fitted first, then moments as they are."""
    if settings.start_params is not None:
        yield settings.start_params[kept]
        return
    likelihood, data = problem.likelihood, problem.data
    rows = row_starts(likelihood, data)
    if rows is not None:
        columns = {f"start:{j}": row for j, row in enumerate(rows)}
        source = ArraySource(Block(data.designs, {**data.columns(), **columns}))
        yield _free(tie, spread_over_designs(likelihood, source, list(columns)))
    for constants in intercepts(likelihood, data):
        yield _free(tie, spread_over_designs(likelihood, problem.source, constants))


def _free(tie: Affine, full: Array) -> Array:
    return np.linalg.lstsq(tie.matrix, full - tie.offset)[0]


def _aliased(problem: Problem) -> tuple[Array, list[str]]:
    """Return which free coordinates are kept, and in words why the others are not: per parameter, by pivoting."""
    layout, matrix = problem.likelihood.layout, problem.tie.matrix
    gone, notes = np.zeros(layout.size, dtype=bool), []
    factors: dict[int, Triangular | None] = {}
    for name, design in problem.data.designs.items():
        if id(design) not in factors:
            factors[id(design)] = _factor(problem.source, name)
        factor, own = factors[id(design)], layout.slices[name]
        if factor is None:
            continue
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


def _factor(source: Source, name: str) -> Triangular | None:
    """Return the triangular factor of a design where its Gram matrix is too ill-conditioned to be of full rank."""

    def gram(block: Block) -> Sums:
        return Sums(metric=Gram(block.designs[name].gram(np.ones(block.n_rows))))

    if source.reduce(gram)["metric"].rcond() >= ILL_CONDITIONED:
        return None

    def rows(block: Block) -> Sums:
        return Sums(metric=Triangular.from_rows(block.designs[name].weighted_rows(np.ones(block.n_rows))))

    return source.reduce(rows)["metric"]


def _without(tie: Affine, kept: Array) -> Affine:
    names = [name for name, keep in zip(tie.names, kept, strict=True) if keep]
    return Affine(tie.matrix[:, kept], tie.offset, names=names)
