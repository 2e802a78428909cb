"""Predicted means with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from natfit.families.links import Link

Array = np.ndarray[Any, np.dtype[Any]]


def quantile(level: float, df: float | None) -> float:
    """Return the quantile of the normal law, or of Student's t with ``df`` degrees of freedom."""
    return float(special.ndtri(level) if df is None else special.stdtrit(df, level))


class Prediction:
    """Predicted means of rows, with standard errors by the delta method and intervals made on the link's scale.

    Parameters
    ----------
    linear_predictor, variance : (m,) ndarray
        eta = x'b + offset and its sampling variance x' cov x.
    link : Link
    df : float, optional
        Degrees of freedom of Student's t; the normal law where None.
    index : optional
        Row labels.

    Attributes
    ----------
    predicted_mean, se_mean : (m,) ndarray
        Named as in statsmodels.
    """

    observed: Callable[..., Any] | None = None
    """What returns the limits of new observations of these rows."""

    def __init__(self, linear_predictor: Array, variance: Array, link: Link, df: float | None, index: Any = None):
        self.linear_predictor = linear_predictor
        self.linear_predictor_se = np.sqrt(variance)
        self.link = link
        self.df = df
        self.row_labels = index
        with np.errstate(all="ignore"):
            self.predicted_mean, _, slope = link.mean(linear_predictor)
        self.var_pred_mean = slope**2 * variance
        self.se_mean = np.abs(slope) * self.linear_predictor_se

    def conf_int(self, alpha: float = 0.05) -> Array:
        """Return (m, 2) limits for the mean: those of the linear predictor, carried through the inverse link."""
        width = quantile(1.0 - alpha / 2.0, self.df) * self.linear_predictor_se
        eta = np.stack([self.linear_predictor - width, self.linear_predictor + width], axis=1)
        with np.errstate(all="ignore"):
            return np.sort(self.link.inverse(eta), axis=1)

    def prediction_interval(self, alpha: float = 0.05, method: str = "simulation", **options: Any) -> Any:
        """Return limits for new observations of the rows, (m, 2): see `natfit.GLMResults.prediction_interval`."""
        assert self.observed is not None
        return self.observed(alpha=alpha, method=method, **options)

    def summary_frame(self, alpha: float = 0.05, obs: bool = False, **options: Any) -> Any:
        """Return a DataFrame of ``mean``, ``mean_se``, ``mean_ci_lower``, ``mean_ci_upper``.

        Parameters
        ----------
        alpha : float
            One less the level.
        obs : bool
            Add ``obs_ci_lower`` and ``obs_ci_upper``, limits for a new observation; ``options`` are those of
            `prediction_interval` (method, n, random_state).
        """
        import pandas as pd

        limits = self.conf_int(alpha)
        columns = {
            "mean": self.predicted_mean,
            "mean_se": self.se_mean,
            "mean_ci_lower": limits[:, 0],
            "mean_ci_upper": limits[:, 1],
        }
        if obs:
            lower, upper = np.asarray(self.prediction_interval(alpha, **options)).T
            columns |= {"obs_ci_lower": lower, "obs_ci_upper": upper}
        return pd.DataFrame(columns, index=self.row_labels)
