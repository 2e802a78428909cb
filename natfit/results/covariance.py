"""Covariance matrices of a GLM's coefficients, each from sums over rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.metric import Gram, Metric
from natfit.need import LOGLIK, MEAT, OBSERVED

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = {
    "nonrobust": "expected information",
    "eim": "expected information",
    "oim": "observed information",
    "hc0": "sandwich of the observed information and the scores' outer products",
}


def resolve(cov_type: str) -> str:
    """Return the key in `KINDS` of a covariance type as statsmodels spells it.

    Raises
    ------
    ValueError
        For a type that is not known; the message lists those that are.
    """
    key = {"observed": "oim", "expected": "eim"}.get(cov_type.lower(), cov_type.lower())
    if key not in KINDS:
        raise ValueError(f"unknown cov_type {cov_type!r}: choose nonrobust (or EIM), OIM or HC0")
    return key


def covariance(fit: GLMResults, kind: str) -> Array:
    """Return the (p, p) covariance of the coefficients; NaN in rows and columns that are not identified.

    Parameters
    ----------
    fit : GLMResults
    kind : str
        A key of `KINDS`.

    Notes
    -----
    Expected: dispersion (X'WX)^-1. Observed: dispersion H^-1 with H minus the Hessian. HC0: H^-1 M H^-1 with M the sum
    of the rows' score outer products, a row of frequency f counting as f rows (White, 1982, Econometrica 50).
    """
    if kind in ("nonrobust", "eim"):
        return _spread(fit, fit.scale * _inverse(fit, fit.fitted.metric))
    sums = fit.evaluate(LOGLIK | OBSERVED | (MEAT if kind == "hc0" else 0))
    observed = Gram(sums["observed"].matrix_form()[np.ix_(fit.fitted.kept, fit.fitted.kept)])
    inverse = _inverse(fit, observed)
    if kind == "oim":
        return _spread(fit, fit.scale * inverse)
    finite = finite_columns(fit)[fit.fitted.kept]
    meat = sums["meat"].matrix_form()[np.ix_(fit.fitted.kept, fit.fitted.kept)]
    bread = inverse[np.ix_(finite, finite)]
    robust = np.full_like(inverse, np.nan)
    robust[np.ix_(finite, finite)] = bread @ meat[np.ix_(finite, finite)] @ bread
    return _spread(fit, robust)


def finite_columns(fit: GLMResults) -> Array:
    """Return which of the p coefficients have a finite estimate: kept, and not separated."""
    finite = fit.fitted.kept.copy()
    if fit.fitted.separation is not None:
        finite &= ~fit.fitted.separation.columns
    return finite


def _inverse(fit: GLMResults, metric: Metric) -> Array:
    """Invert the information of the kept columns; NaN where separation leaves a coefficient without an estimate."""
    if fit.fitted.separation is None:
        return metric.inverse()
    # In the limit the separated rows carry no information. Without one column for each direction that runs off the rest
    # is regular, and the coefficients that stay finite have the same covariance whichever column that is.
    kept, lost = fit.fitted.kept, fit.fitted.separation.columns[fit.fitted.kept]
    rest = np.flatnonzero(~fit.fitted.separation.pivots[kept])
    inverse = np.full((metric.size, metric.size), np.nan)
    if rest.size:
        inverse[np.ix_(rest, rest)] = Gram(metric.matrix_form()[np.ix_(rest, rest)]).inverse()
    inverse[lost, :] = np.nan
    inverse[:, lost] = np.nan
    return inverse


def _spread(fit: GLMResults, kept_cov: Array) -> Array:
    kept = fit.fitted.kept
    if kept.all():
        return kept_cov
    full = np.full((kept.size, kept.size), np.nan)
    full[np.ix_(kept, kept)] = kept_cov
    return full
