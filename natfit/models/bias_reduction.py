"""Bias reduction: Firth's penalised likelihood and mean-bias-reducing adjusted scores, and the fit of either.

Jeffreys' prior is the volume of the Fisher metric, so its penalty wraps a likelihood's objective and is an objective
again: parametrizations wrapped round that hold coefficients, for tests and profiles, and leave the penalty that of all
coefficients (Heinze & Schemper, 2002, Statistics in Medicine 21).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from natfit.data.arrays import Source
from natfit.likelihoods.bias import ADJUSTMENTS, adjustment
from natfit.likelihoods.glm import GLMLikelihood
from natfit.metric import SingularMetric
from natfit.need import METRIC, SCORE
from natfit.optimize.anderson import Accelerated
from natfit.optimize.curve import Curve
from natfit.optimize.loop import Outcome
from natfit.optimize.objective import LikelihoodObjective, Point
from natfit.optimize.optimizer import Optimizer
from natfit.optimize.record import Record
from natfit.optimize.steps import Backtracking, StepRule
from natfit.results.dispersion import estimate_dispersion

Array = np.ndarray[Any, np.dtype[Any]]

DIGITS = 1e-20
"""Decrement at which a bias-reduced fit stops: scoring converges linearly to it, so that the last step is worth no further
digits as it is for a likelihood."""

SAME_DISPERSION = 1e-12
"""Relative change of a free dispersion within which fit and dispersion agree."""

MOST_ROUNDS = 100
"""Rounds of fit and dispersion; each shrinks their disagreement by a factor of order p / n."""


class Reduction(NamedTuple):
    """How to reduce bias: "firth" or "mean", and the dispersion or what estimates it."""

    kind: str
    dispersion: float | str


def resolve(bias_reduction: str | None) -> str | None:
    """Return the kind of bias reduction, or None.

    Raises
    ------
    ValueError
        For a kind that is not known.
    """
    if bias_reduction is None:
        return None
    kind = {"jeffreys": "firth", "mpljeffreys": "firth", "asmean": "mean"}
    name = str(bias_reduction).lower().replace("_", "")
    name = kind.get(name, name)
    if name not in ADJUSTMENTS:
        raise ValueError(f"bias_reduction must be 'firth', 'mean' or None, got {bias_reduction!r}")
    return name


class AdjustedObjective:
    """A GLM's log-likelihood with bias reduction, over all coefficients; two passes over the data for each score.

    Parameters
    ----------
    likelihood, source
    kept : (p,) ndarray of bool
        Coefficients that are not aliased; the penalty is that of their information.
    kind : {"firth", "mean"}
        For "firth" the objective is loglik + dispersion log det F / 2, at unit dispersion. For "mean" the score is
        adjusted and no objective belongs to it: ``loglik`` stays the log-likelihood's.
    dispersion : float
    """

    kl_is_exact = False

    def __init__(self, likelihood: GLMLikelihood, source: Source, kept: Array, kind: str, dispersion: float = 1.0):
        self.likelihood, self.source, self.kept = likelihood, source, kept
        self.kind, self.dispersion = kind, dispersion
        self._plain = LikelihoodObjective(likelihood, source)
        self._selection = np.eye(kept.size)[:, kept]
        self._second_passes = 0

    @property
    def passes(self) -> int:
        return self._plain.passes + self._second_passes

    def evaluate(self, params: Array, need: int) -> Point:
        plain = self._plain.evaluate(params, need | METRIC)
        if not plain.inside:
            return Point(params, plain.sums, self.dispersion)
        metric = plain.metric if self.kept.all() else plain.metric.pullback(self._selection)
        sums: dict[str, Any] = dict(plain.sums)
        try:
            if self.kind == "firth":
                sums["loglik"] += 0.5 * self.dispersion * metric.logdet()
            if need & SCORE:
                inverse = self._selection @ metric.inverse() @ self._selection.T
                sums["score"] = sums["score"] + self.dispersion * self._adjustment(params, inverse)
        except SingularMetric:  # no volume: log det F is minus infinity
            return Point(params, {"loglik": -np.inf}, self.dispersion)
        return Point(params, sums, self.dispersion)

    def _adjustment(self, params: Array, inverse: Array) -> Array:
        self._second_passes += 1
        likelihood, kind = self.likelihood, self.kind
        summed = self.source.reduce(lambda block: adjustment(likelihood, params, block, inverse, kind))
        return np.asarray(summed["adjustment"])


class Shrinking(StepRule):
    """Unit steps, halved until the point lies in the domain and the decrement has fallen: for a score without objective."""

    need = SCORE | METRIC

    def propose(self, curve: Curve) -> float:
        return 1.0

    def judge(self, curve: Curve, trial: Point, step: float) -> float | None:
        if trial.inside:
            try:
                before, after = (float(p.score @ p.natural_gradient) for p in (curve.point, trial))
                if after < before or before < DIGITS * trial.dispersion:
                    return None
            except SingularMetric:
                pass  # a shorter step stays where the information has full rank
        return 0.5 * step


def fit_reduced(
    likelihood: GLMLikelihood,
    source: Source,
    kept: Array,
    df: Callable[[int], float],
    reduction: Reduction,
    maximize: Callable[[Any, Iterator[Array], Any], Outcome],
    starts: Iterator[Array],
    chosen: Any = None,
) -> Outcome:
    """Fit with bias reduction; a free dispersion and the fit that it enters are found together.

    Parameters
    ----------
    likelihood, source, kept, df
        As of `natfit.models.fitting.fit_glm`.
    reduction : Reduction
    maximize : callable
        ``(objective, starts, optimizer) -> Outcome``.
    starts : iterator of (q,) ndarray
        Kept coefficients to begin from.
    chosen : Optimizer, optional
        Instead of accelerated scoring.

    Notes
    -----
    The dispersion multiplies the adjustment: the score is s / phi + a. Where it is free its own estimate (Pearson's, the
    deviance's or maximum likelihood) is put in and found together with the coefficients.
    """
    rule = Shrinking() if reduction.kind == "mean" else Backtracking()
    optimizer = chosen or Optimizer(Accelerated(), rule, name="accelerated scoring")
    estimate = partial(_dispersion, likelihood, source, df, int(kept.sum()), str(reduction.dispersion))
    known = not isinstance(reduction.dispersion, str)
    phi = float(reduction.dispersion) if known else 1.0
    record = Record()
    for round_ in range(MOST_ROUNDS):
        objective = AdjustedObjective(likelihood, source, kept, reduction.kind, phi)
        if not known and round_ == 0:
            starts, phi = _first_dispersion(estimate, kept, starts)
            objective = AdjustedObjective(likelihood, source, kept, reduction.kind, phi)
        outcome = maximize(objective, starts, optimizer)
        record.extend(row._replace(iteration=len(record) + row.iteration) for row in outcome.record)
        if known or not outcome.converged:
            break
        before, phi = phi, estimate(_spread(kept, outcome.params))
        if abs(phi - before) <= SAME_DISPERSION * before:
            break
        starts = iter([outcome.params])
    else:
        outcome = outcome._replace(converged=False, reason="dispersion and coefficients did not come to agree")
    return outcome._replace(record=record)


def _first_dispersion(
    estimate: Callable[[Array], float], kept: Array, starts: Iterator[Array]
) -> tuple[Iterator[Array], float]:
    """Return the starts from the first at which the dispersion can be estimated, and that dispersion."""
    tried = list(starts)
    for place, start in enumerate(tried):
        phi = estimate(_spread(kept, start))
        if 0.0 < phi < np.inf:
            return iter(tried[place:]), phi
    raise ValueError(
        "bias reduction with a free dispersion needs residual degrees of freedom and a response that is not fitted "
        "exactly; give the dispersion as a number: scale=1.0"
    )


def _spread(kept: Array, params: Array) -> Array:
    full = np.zeros(kept.size)
    full[kept] = params
    return full


def _dispersion(
    likelihood: GLMLikelihood, source: Source, df: Callable[[int], float], rank: int, how: str, params: Array
) -> float:
    summaries = source.reduce(partial(likelihood.summaries, params))
    known: Any = SimpleNamespace(
        family=likelihood.family,
        model=SimpleNamespace(wnobs=df(0)),
        df_resid=df(rank),
        pearson_chi2=summaries["pearson"],
        deviance=summaries["deviance"],
        _loglik_at=lambda phi: source.reduce(partial(likelihood.log_prob, params, dispersion=phi))["loglik"],
    )
    return estimate_dispersion(known, how)
