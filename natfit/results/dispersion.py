"""Estimates of the dispersion, once the means are fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from natfit.results.measures import Measures


def estimate_dispersion(fit: Measures, how: float | str) -> float:
    """Return the dispersion.

    Parameters
    ----------
    fit : GLMResults
    how : float or {"pearson", "deviance", "ml"}
        A number stands for itself. Pearson's statistic and the deviance are divided by the residual degrees of freedom;
        "ml" maximizes the log-likelihood with the means held (they are orthogonal to it, so that is the joint maximum).

    Notes
    -----
    McCullagh & Nelder (1989), sections 2.4.2 and 8.3.6. NaN where no degree of freedom is left.
    """
    if not isinstance(how, str):
        return float(how)
    if how == "ml":
        return _maximum_likelihood(fit)
    statistic = fit.pearson_chi2 if how == "pearson" else fit.deviance
    return statistic / fit.df_resid if fit.df_resid > 0 else np.nan


def _maximum_likelihood(fit: Measures) -> float:
    if fit.family.name in ("gaussian", "inverse_gaussian"):
        return fit.deviance / fit.model.wnobs  # for these two the deviance is the whole of the dispersion's statistic
    from scipy.optimize import brentq, minimize_scalar

    guess = np.log(fit.deviance / fit.model.wnobs)

    def slope(log_dispersion: float, h: float = 2e-3) -> float:
        # Differences of fourth order; their error leaves some ten digits of the root.
        at = [fit._loglik_at(float(np.exp(log_dispersion + k * h))) for k in (-2, -1, 1, 2)]
        return (at[0] - 8.0 * at[1] + 8.0 * at[2] - at[3]) / (12.0 * h)

    rough = minimize_scalar(lambda v: -fit._loglik_at(float(np.exp(v))), bracket=(guess - 0.5, guess + 0.5), tol=1e-6)
    return float(np.exp(brentq(slope, rough.x - 0.05, rough.x + 0.05, xtol=1e-13)))
