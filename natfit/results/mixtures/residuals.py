"""Quantile residuals of mixtures: from the mixture's own distribution function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.likelihoods.mixtures.composed import Noise, PointMass, WithFixed
from natfit.results.mixtures.regression_rows import means_and_weights
from natfit.results.tails import Tails, tails_of

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults
    from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]


def why_none(fit: MixtureResults) -> str:
    """Return why a mixture has no quantile residuals, in words; empty where it has."""
    if fit.base.data.y is None:
        return "quantile residuals need the rows in memory, and this fit has them from a source; fit arrays instead"
    if len(fit.columns) != 1:
        return (
            f"quantile residuals need one column, and this mixture has {len(fit.columns)}: a distribution function of "
            "several columns orders no rows; look at the plot of two of them"
        )
    return ""


def mixture_tails(fit: MixtureResults) -> Tails:
    """Return P(Y < y) and P(Y <= y) of the rows of a mixture of one column, (n,)."""
    reason = why_none(fit)
    if reason:
        raise ValueError(reason)
    y = np.asarray(fit.base.data.y, dtype=float).ravel()
    each = [tails_of(fit._parts[0].components.family, y, home) for home in fit._members[0]]
    if isinstance(fit.components, WithFixed):
        each.append(fixed_tails(fit.components.fixed, y))
    below, upto = (sum(w * part[side] for w, part in zip(fit._weights, each, strict=True)) for side in (0, 1))
    return np.asarray(below), np.asarray(upto)


def fixed_tails(fixed: Noise | PointMass, y: Array) -> Tails:
    """Return P(Y < y) and P(Y <= y) of a component without parameters: uniform, or all at one value."""
    if isinstance(fixed, PointMass):
        return (y > fixed.at).astype(float), (y >= fixed.at).astype(float)
    share = np.clip((y - fixed.low) / (fixed.high - fixed.low), 0.0, 1.0)
    return share, share


def regression_tails(fit: MixtureRegressionResults) -> Tails:
    """Return P(Y < y) and P(Y <= y) of the rows of a mixture of regressions, (n,)."""
    data, rest = fit.model.data, fit.likelihood.split(fit.base.params)[1]
    known = {} if data.trials is None else {"trials": data.trials}
    weight = 1.0 if data.var_weights is None else data.var_weights
    prior, offset = means_and_weights(fit, None, {}, "weights")[1], data.linear_offset()
    below, upto = np.zeros(data.n_rows), np.zeros(data.n_rows)
    for k, member in enumerate(fit.components.members):
        phi, family = fit.components.dispersion(rest, k), member.family
        if family.discrete and (data.var_weights is not None or phi != 1.0):
            raise ValueError(
                f"quantile residuals need the law of an observation, and a {family.name} with var_weights or a "
                "dispersion other than 1 has none; use freq_weights or trials"
            )
        with np.errstate(all="ignore"):
            eta = data.design.matvec(fit.model.spread(rest[fit.components.coefficients_at[k]]))
            mu, complement, _ = member.link.mean(eta if offset is None else eta + offset)
            own = known | ({"complement": complement} if family.name == "binomial" else {})
            for total, strict in ((below, True), (upto, False)):
                total += prior[k] * family.response_tails(data.y, mu, phi, weight, strict, **own)[0]
    return below, upto
