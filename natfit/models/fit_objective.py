"""A fit as an objective: in which coordinates it was found, and what it loses where some of them are held at 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from natfit.likelihoods.negative_binomial import NegativeBinomialLikelihood
from natfit.metric import Gram
from natfit.models.bias_reduction import AdjustedObjective
from natfit.models.fitting import default_optimizer, of_kept
from natfit.models.negative_binomial import joint_objective
from natfit.need import ALL
from natfit.optimize.anderson import Accelerated
from natfit.optimize.loop import OutsideDomain
from natfit.optimize.objective import LikelihoodObjective, Objective, ParametrizedObjective
from natfit.optimize.optimizer import Optimizer, natural_gradient, run
from natfit.optimize.profile import UNSURE
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement
from natfit.parametrizations import Affine
from natfit.results.cov_type import MODEL_BASED

if TYPE_CHECKING:
    from natfit.models.glm import GLM
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

STOP = Decrement(1e-12)
"""The other parameters' distance from their maximum enters the deviance squared: this leaves it twelve digits."""


class Fit(NamedTuple):
    """A fit as its objective in the coordinates that it was found in: the kept coefficients, and log alpha after them
    where alpha was estimated."""

    objective: Objective
    optimum: Array
    units: Array
    kept: Array
    has_alpha: bool
    optimizer: Any

    def home(self, working: Array) -> Array:
        """Return all coefficients, aliased ones as 0, and alpha after them where it was estimated."""
        full = np.zeros(self.kept.size)
        full[self.kept] = working[: int(self.kept.sum())]
        return np.append(full, np.exp(working[-1])) if self.has_alpha else full


def as_fit(model: GLM, fit: GLMResults) -> Fit:
    """Return a fit as an objective at unit dispersion whose points carry the fit's own, held where it was estimated.

    Raises
    ------
    ValueError
        Where there is no likelihood to profile, in one sentence.
    """
    _refuse(fit)
    kept, data, source = fit.fitted.kept, model.data, model.source
    scale = float(fit.scale)
    params = fit.fitted.params[kept]
    if fit.shape is not None and not fit.shape.boundary:
        joint = NegativeBinomialLikelihood(model.link, data.names)
        optimum = np.append(params, np.log(fit.shape.alpha))
        units = np.sqrt(fit.shape.cov.diagonal()[np.append(kept, True)])
        units[-1] /= fit.shape.alpha
        optimizer = natural_gradient(finish="observed")
        return Fit(joint_objective(joint, source, kept), optimum, units, kept, True, optimizer)
    likelihood = model.likelihood(fit.family)
    optimizer = default_optimizer(likelihood)
    if fit.bias_reduction == "firth":
        objective: Objective = AdjustedObjective(likelihood, source, kept, "firth", scale)
        optimizer = Optimizer(Accelerated(), Backtracking(), name="accelerated scoring")
    else:
        objective = LikelihoodObjective(likelihood, source, lambda sums: scale)
    if not kept.all():
        objective = of_kept(objective, kept, likelihood.layout.names)
    return Fit(objective, params, fit._bse[kept], kept, False, optimizer)


def _refuse(fit: GLMResults) -> None:
    if fit.bias_reduction == "mean":
        raise ValueError(
            "a profile needs a likelihood, and bias_reduction='mean' has none (it solves adjusted scores): use "
            "bias_reduction='firth', or Wald intervals"
        )
    if fit._cov_kind.kind not in MODEL_BASED:
        raise ValueError(
            f"a profile rests on the likelihood, which cov_type={fit.cov_type!r} does not trust: fit with "
            "cov_type='nonrobust', or use Wald intervals"
        )
    if not fit.converged and fit.fitted.separation is None:
        raise ValueError(f"a profile starts from the maximum, which this fit did not reach: {fit.reason}")
    if not np.isfinite(fit.scale) or not fit.scale > 0.0:
        raise ValueError(
            "a profile needs a dispersion, which no residual degree of freedom or no residual is left to estimate: give "
            "scale="
        )


def held_at_zero(model: GLM, fit: GLMResults, columns: Array) -> float:
    """Return twice the log-likelihood ratio of a fit to that with some coefficients held at 0, over the dispersion.

    Parameters
    ----------
    columns : (k,) ndarray of int
        Numbers of kept columns.

    Raises
    ------
    ValueError
        Where the maximum with these held was not reached.
    """
    whole = as_fit(model, fit)
    others = np.setdiff1d(np.flatnonzero(whole.kept), columns)
    if fit.bias_reduction == "firth" or not others.size:
        return _held_by_chart(whole, np.cumsum(whole.kept)[columns] - 1)
    smaller = model.refit(fit, columns=others, family=None if whole.has_alpha else fit.family)
    if not smaller.converged and smaller.fitted.separation is None:
        raise ValueError(f"no maximum was reached with these coefficients held at 0: {smaller.reason}; use a Wald test")
    if whole.has_alpha:
        return float(2.0 * (fit.llf - smaller.llf))
    return 2.0 * (fit.fitted.point.loglik - smaller.fitted.point.loglik) / float(fit.scale)


def _held_by_chart(whole: Fit, places: Array) -> float:
    """The same where the objective must stay that of all coefficients, as Firth's penalty does."""
    others = np.setdiff1d(np.arange(whole.optimum.size), places)
    objective = ParametrizedObjective(whole.objective, Affine(np.eye(whole.optimum.size)[:, others]))
    top = whole.objective.evaluate(whole.optimum, ALL)
    if not others.size:
        return 2.0 * (top.loglik - objective.evaluate(np.zeros(0), ALL).loglik) / top.dispersion
    metric, start = top.metric.matrix_form(), whole.optimum[others]
    # along the natural gradient the others move by F_oo^-1 F_oj times what is taken away
    moved = Gram(metric[np.ix_(others, others)]).solve(metric[np.ix_(others, places)] @ whole.optimum[places])
    for begin in (start + moved, start):
        try:
            outcome = run(whole.optimizer, objective, begin, stop=STOP)
        except OutsideDomain:
            continue
        if outcome.converged or outcome.decrement < UNSURE:
            return 2.0 * (top.loglik - outcome.point.loglik) / top.dispersion
    raise ValueError("no maximum was reached with these coefficients held at 0; use a Wald test")
