"""Whether Wald's intervals and tests can be believed: one pass at the estimates, no fit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.likelihoods.wald import wald_sums
from natfit.results.cov_type import MODEL_BASED

if TYPE_CHECKING:
    import pandas as pd

    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

FACTOR = 2.0
"""Wald and likelihood ratio disagree badly where the tail that the likelihood ratio leaves beyond a Wald limit is more or
less than its nominal size by this factor: the error rate of that side then is wrong by as much. For 2.5% tails the signed
root at the limit lies outside 1.64 to 2.24. On the textbook fits the tangent's root was within 0.09 of the profile's own,
half of them within 0.003, so the tangent serves to tell."""
CHEAP = 10_000_000
"""Rows times columns up to which a summary looks: the pass costs two log-likelihoods for each coefficient, about a fit."""


def wald_check(fit: GLMResults, alpha: float = 0.05) -> pd.DataFrame:
    """Return how far the likelihood departs from Wald's straight line, for each coefficient; see `GLMResults.wald_check`."""
    import pandas as pd

    p, kept = fit.fitted.kept.size, fit.fitted.kept
    inverse = np.zeros((p, p))
    inverse[np.ix_(kept, kept)] = fit.fitted.metric.inverse()
    variance = np.where(kept, inverse.diagonal(), np.nan)
    wants_tails = fit.bias_reduction is None and fit.scale > 0.0
    width = -special.ndtri(alpha / 2.0) * np.sqrt(fit.scale * variance) if wants_tails else np.zeros(0)
    summed = partial(wald_sums, fit.likelihood, fit._params_filled, inverse=inverse, width=width)
    sums = fit.model.source.reduce(lambda block: summed(block))
    table = pd.DataFrame(index=pd.Index(fit._coefficients))
    with np.errstate(all="ignore"):
        for name in ("lower", "upper"):
            deviance = 2.0 * (fit.fitted.point.loglik - sums[name]) / fit.scale
            table[f"{name}_tail"] = np.where(kept, special.ndtr(-np.sqrt(np.maximum(deviance, 0.0))), np.nan)
        slope = 1.0 - 0.5 * fit.fitted.params * sums["bend"] / variance
    table["wald_slope"] = slope
    table["hauck_donner"] = slope < 0.0
    tails = table[["lower_tail", "upper_tail"]].to_numpy()
    far = (tails < alpha / 2.0 / FACTOR) | (tails > alpha / 2.0 * FACTOR)
    table["disagrees"] = far.any(axis=1)
    return table


def wald_notes(fit: GLMResults, alpha: float = 0.05) -> list[str]:
    """Return what a summary says of it, in words."""
    if fit.fitted.separation is not None or not fit.converged or fit._cov_kind.kind not in MODEL_BASED:
        return []  # said already, or not what the standard errors rest on
    if not np.isfinite(fit.scale):
        return []
    if fit.nobs * fit.fitted.kept.size > CHEAP:
        return ["Wald against likelihood ratio: not looked at in so large a fit; wald_check() does."]
    table, said = wald_check(fit, alpha), []
    for name, row in table[table["disagrees"]].iterrows():
        sides = [side for side in ("lower", "upper") if not _near(row[f"{side}_tail"], alpha)]
        tails = " and ".join(f"{row[f'{side}_tail']:.2g} beyond the {side}" for side in sides)
        said.append(
            f"WALD AND LIKELIHOOD RATIO DISAGREE on {name}: the likelihood ratio leaves a tail of {tails} Wald limit, where "
            f"{alpha / 2.0:g} is meant; prefer conf_int(method='profile')."
        )
    # Where the p-value is small the effect is common, and harmless: the test says what it should.
    unsure = np.asarray(fit.pvalues) > alpha
    fading = [str(name) for name in table.index[table["hauck_donner"] & unsure]]
    if fading:
        said.append(
            f"HAUCK-DONNER EFFECT on {', '.join(fading)}: estimates farther from 0 would have smaller Wald statistics, so a "
            "large p-value does not speak for 0; prefer lr_test()."
        )
    return said


def _near(tail: float, alpha: float) -> bool:
    return alpha / 2.0 / FACTOR <= tail <= alpha / 2.0 * FACTOR
