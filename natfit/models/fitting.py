"""A GLM's fit from first pass to verdict: start, aliased columns, the optimizer, separation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from natfit.data.arrays import Source
from natfit.data.threads import one_blas_thread
from natfit.likelihoods.glm import GLMLikelihood
from natfit.models import separation
from natfit.models.bias_reduction import Reduction, fit_reduced
from natfit.models.maximizing import maximize_from
from natfit.models.starting import Start, explain_alias, first_pass, starting_points
from natfit.optimize.checkpoint import Checkpoint
from natfit.optimize.lazy import FEW, Lazy
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import LikelihoodObjective, Objective, ParametrizedObjective
from natfit.optimize.optimizer import Optimizer, natural_gradient
from natfit.optimize.stopping import Decrement, Stop
from natfit.parametrizations.affine import Affine
from natfit.results.fitted import Fitted

Array = np.ndarray[Any, np.dtype[Any]]


ON_EDGE = 1e-9
"""Share of the mean's size within which a mean has come to rest on an edge: information there grows as 1 / distance, so
the decrement of a row on the edge falls below 1e-12 when it is some 1e-12 away."""
INSIDE = (
    "every fitted mean inside the family's domain: give start_params that do, or choose a link whose means all lie in the "
    "domain"
)
TOWARDS_EDGE = 1e-6
"""The same for a fit that has not converged, whose rows are still on their way."""


@dataclass(frozen=True)
class Settings:
    """How a GLM is to be fitted; what `natfit.GLM.fit` makes of its arguments."""

    start_params: Array | None = None
    max_iterations: int = 100
    stop: Stop = field(default_factory=Decrement)
    optimizer: Any = None
    rank: str = "drop"
    lazy: Lazy | None = field(default_factory=Lazy)
    checkpoint: Checkpoint | None = None
    callback: Callable[[Any], Any] | None = None

    @property
    def may_be_lazy(self) -> bool:
        """Whether the optimizer and the stopping rule are left to natfit, so that large data may be fitted lazily."""
        plain = self.optimizer is not None or self.reduction is not None
        return self.lazy is not None and not plain and isinstance(self.stop, Decrement)

    reduction: Reduction | None = None
    first: Start | None = None
    """The first pass over the data, where it is known."""


def fit_glm(
    likelihood: GLMLikelihood,
    source: Source,
    mean: float,
    df: Callable[[int], float],
    settings: Settings,
) -> Fitted:
    """Fit the coefficients of a GLM.

    Parameters
    ----------
    likelihood, source
    mean : float
        The response's weighted mean.
    df : callable
        From the rank to the residual degrees of freedom.
    settings : Settings
    """
    if settings.may_be_lazy:
        with one_blas_thread() if source.n_rows >= FEW else nullcontext():
            fitted = _fit_lazily(likelihood, source, mean, df, settings)
        if fitted is not None:
            return fitted
    first = settings.first or first_pass(likelihood, source, mean)
    return _fit_from(first, likelihood, source, mean, df, replace(settings, lazy=None))


def _fit_lazily(
    likelihood: GLMLikelihood, source: Source, mean: float, df: Callable[[int], float], settings: Settings
) -> Fitted | None:
    """Fit with a lazy metric; None where rows are few, or where plain scoring has to say what the matter is."""
    assert settings.lazy is not None
    stages = settings.lazy.stages(source.n_rows, likelihood.layout.size)
    rows = max(stages[0] // 2, settings.lazy.fewest_rows) if stages else 0  # a start need not be near
    sample = source.sample(rows, np.random.default_rng(settings.lazy.random_state)) if stages else None
    if sample is None:
        return None
    first = first_pass(likelihood, sample, mean)
    if first.factor is not None:  # a sample can't say which columns all rows tell apart
        return None
    share = source.n_rows / sample.n_rows
    first = first._replace(units=first.units * share)
    if settings.start_params is not None:  # likely nearer than the sample's own optimum
        settings = replace(settings, lazy=replace(settings.lazy, sample=False))
    try:
        fitted = _fit_from(first, likelihood, source, mean, df, settings)
    except OutsideDomain:
        return None
    return fitted if fitted.outcome.converged else None


def _fit_from(
    first: Start,
    likelihood: GLMLikelihood,
    source: Source,
    mean: float,
    df: Callable[[int], float],
    settings: Settings,
) -> Fitted:
    kept = ~first.aliased
    names = likelihood.layout.names
    notes = []
    if first.factor is not None:
        notes = [explain_alias(first.factor, int(j), first.aliased, names) for j in np.flatnonzero(first.aliased)]
    if notes and settings.rank == "raise":
        raise ValueError(
            f"the design's columns must be linearly independent, but {'; '.join(notes)}: leave the column(s) out, or "
            "fit with rank='drop'"
        )
    df_resid = df(int(kept.sum()))
    # A saturated fit leaves nothing to estimate the dispersion from; then any divisor serves the stopping rule.
    home: Any = LikelihoodObjective(likelihood, source, _dispersion(likelihood, df_resid if df_resid > 0 else df(0)))
    if settings.checkpoint is not None:
        home = settings.checkpoint.watching(home)
    if settings.start_params is None:
        starts = starting_points(likelihood, source, first, kept, mean)
    else:
        starts = iter([settings.start_params[kept]])

    def maximize(home: Objective, starts: Iterator[Array], optimizer: Any = None) -> Outcome:
        objective = home if not notes else of_kept(home, kept, names)
        chosen = optimizer or settings.optimizer or default_optimizer(likelihood, settings.lazy)
        return maximize_from(starts, objective, settings, chosen, inside=INSIDE, to_the_top=False)

    if settings.reduction is None:
        return _judge(likelihood, source, first.units, kept, notes, maximize(home, starts))
    outcome = fit_reduced(likelihood, source, kept, df, settings.reduction, maximize, starts, settings.optimizer)
    fitted = _judge(likelihood, source, first.units, kept, notes, outcome, may_separate=False)
    fitted.bias_reduction = settings.reduction.kind
    return fitted


def of_kept(home: Objective, kept: Array, names: tuple[str, ...]) -> Objective:
    """Return an objective in the kept coefficients, the aliased ones held at 0."""
    selection = np.eye(kept.size)[:, kept]
    return ParametrizedObjective(home, Affine(selection, names=[n for n, k in zip(names, kept, strict=True) if k]))


def default_optimizer(likelihood: GLMLikelihood, lazy: Lazy | None = None) -> Optimizer:
    finish = None if likelihood.observed_is_expected else "observed"
    return natural_gradient(finish=finish, refresh=1 if lazy is None else lazy)


def _dispersion(likelihood: GLMLikelihood, df_resid: float) -> Callable[[Mapping[str, Any]], float] | None:
    """Return what estimates the dispersion from a pass: Pearson's statistic over its degrees of freedom."""
    if not likelihood.free_dispersion:
        return None
    return lambda sums: sums["pearson"] / df_resid


def _judge(
    likelihood: GLMLikelihood,
    source: Source,
    units: Array,
    kept: Array,
    notes: list[str],
    outcome: Outcome,
    may_separate: bool = True,
) -> Fitted:
    params = np.full(kept.size, np.nan)
    params[kept] = outcome.params
    fitted = Fitted(params, kept, outcome.point, outcome, outcome.converged, outcome.reason, notes, None)
    if may_separate and separation.suspected(fitted.metric, units[kept]):
        found = separation.examine(likelihood, source, fitted.metric, units[kept], kept)
        if found is not None:
            fitted.separation, fitted.converged = found, False
            fitted.reason = "the likelihood rises for ever along a direction of the coefficients (separation)"
            return fitted
    near = ON_EDGE if fitted.converged else TOWARDS_EDGE
    fitted.edge_rows = _rows_at_edge(likelihood, source, np.where(kept, params, 0.0), near)
    if fitted.edge_rows:
        came = "rest on" if fitted.converged else f"have come to ({fitted.reason})"
        fitted.converged = False
        fitted.reason = (
            f"{fitted.edge_rows} fitted mean(s) {came} the edge of the family's domain, where the maximum may lie: the "
            "score need not vanish there and standard errors don't hold; a link whose means all lie inside has no such edge"
        )
    return fitted


def _rows_at_edge(likelihood: GLMLikelihood, source: Source, params: Array, near: float) -> int:
    """Count the rows whose mean is this near, as a share of the mean's size, to an edge that the link can cross."""
    domain = likelihood.family.mean_domain
    if likelihood.link.mean_range in domain:
        return 0

    def count(block: Any) -> int:
        mu, _, _ = likelihood.link.mean(likelihood.predictor(params, block))
        scale = near * float(np.abs(mu).mean()) if mu.size else 0.0
        return int(((mu - domain.low < scale) | (domain.high - mu < scale)).sum())

    return sum(source.map(count))
