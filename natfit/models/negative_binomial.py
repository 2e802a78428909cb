"""Negative binomial regression with alpha estimated jointly by maximum likelihood, the Poisson boundary included."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.negative_binomial import NegativeBinomial
from natfit.likelihoods.negative_binomial import NegativeBinomialLikelihood
from natfit.metric import SingularMetric
from natfit.models.fitting import Settings, fit_glm
from natfit.need import ALL, LOGLIK, OBSERVED
from natfit.optimize.loop import Outcome
from natfit.optimize.objective import LikelihoodObjective, ParametrizedObjective, Point
from natfit.optimize.optimizer import natural_gradient, run
from natfit.parametrizations import Affine, Log, Product
from natfit.results.fitted import Fitted

if TYPE_CHECKING:
    from natfit.models.glm import GLM

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Shape:
    """An estimated alpha.

    Parameters
    ----------
    alpha : float
    se : float
        From the observed information of coefficients and alpha together; NaN on the boundary.
    cov : (p + 1, p + 1) ndarray
        Joint covariance, alpha last; NaN for aliased columns and, on the boundary, for alpha.
    boundary : bool
        Whether the maximum lies at alpha = 0, the Poisson model.
    """

    alpha: float
    se: float
    cov: Array
    boundary: bool


def fit_with_alpha(model: GLM, settings: Settings) -> tuple[Fitted, NegativeBinomial, Shape]:
    """Fit coefficients and alpha.

    The Poisson fit comes first. If the likelihood does not rise from there as alpha leaves 0, the maximum is on the
    boundary; otherwise both are moved together, alpha on the scale of its logarithm.
    """
    data, source = model.data, model.source
    joint = NegativeBinomialLikelihood(model.link, data.names)
    poisson = fit_glm(joint.at(0.0), source, data.mean(), lambda rank: model.wnobs - rank, settings)
    home = np.where(poisson.kept, poisson.params, 0.0)
    sums = source.reduce(partial(joint.alpha_score_at_zero, home))
    if poisson.separation is not None or not poisson.converged or not sums["slope"] > 0.0:
        shape = Shape(0.0, np.nan, _boundary_cov(poisson), sums["slope"] <= 0.0)
        return poisson, NegativeBinomial(0.0), shape
    # Moments: E[(y - mu)^2 - y] = alpha mu^2.
    start = np.append(poisson.params[poisson.kept], np.log(2.0 * sums["slope"] / sums["spread"]))
    outcome = run(
        settings.optimizer or natural_gradient(finish="observed"),
        joint_objective(joint, source, poisson.kept),
        start,
        stop=settings.stop,
        max_iterations=settings.max_iterations,
        callback=settings.callback,
    )
    return _finish(model, joint, poisson, outcome)


def joint_objective(joint: NegativeBinomialLikelihood, source: Any, kept: Array) -> ParametrizedObjective:
    """Return the joint objective in the kept coefficients and the logarithm of alpha."""
    names = [name for name, k in zip(joint.layout.names[:-1], kept, strict=True) if k]
    coordinates = Product(Affine(np.eye(kept.size)[:, kept], names=names), Log(["log_alpha"]))
    return ParametrizedObjective(LikelihoodObjective(joint, source), coordinates)


def _finish(
    model: GLM, joint: NegativeBinomialLikelihood, poisson: Fitted, outcome: Outcome
) -> tuple[Fitted, NegativeBinomial, Shape]:
    alpha = float(np.exp(outcome.params[-1]))
    kept = poisson.kept
    params = np.full(kept.size, np.nan)
    params[kept] = outcome.params[:-1]
    full = np.append(np.where(kept, params, 0.0), alpha)
    observed = model.source.reduce(lambda block: joint.evaluate(full, block, LOGLIK | OBSERVED))["observed"]
    cov = _joint_cov(observed, np.append(kept, True))
    shape = Shape(alpha, float(np.sqrt(cov[-1, -1])), cov, False)
    # From here on the fit is that of a GLM whose alpha is known.
    held = joint.at(alpha)
    sums = model.source.reduce(lambda block: held.evaluate(full[:-1], block, ALL))
    if not kept.all():
        selection = np.eye(kept.size)[:, kept]
        sums["metric"], sums["score"] = sums["metric"].pullback(selection), sums["score"][kept]
    fitted = replace(
        poisson,
        params=params,
        point=Point(params[kept], sums),
        outcome=outcome,
        converged=outcome.converged,
        reason=outcome.reason,
    )
    return fitted, NegativeBinomial(alpha), shape


def _joint_cov(observed: Any, kept: Array) -> Array:
    cov = np.full((kept.size, kept.size), np.nan)
    with suppress(SingularMetric):  # no maximum was reached: the fit says so, and its joint standard errors stay NaN
        cov[np.ix_(kept, kept)] = observed.pullback(np.eye(kept.size)[:, kept]).inverse()
    return cov


def _boundary_cov(poisson: Fitted) -> Array:
    kept = poisson.kept
    cov = np.full((kept.size + 1, kept.size + 1), np.nan)
    if poisson.separation is None:
        inside = np.append(kept, False)
        cov[np.ix_(inside, inside)] = poisson.metric.inverse()
    return cov
