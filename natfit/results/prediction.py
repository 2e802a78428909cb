"""Predicted means with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from natfit.families.links import Link
from natfit.results import covariance as cov

Array = np.ndarray[Any, np.dtype[Any]]


def quantile(level: float, df: float | None) -> float:
    """Return the quantile of the normal law, or of Student's t with ``df`` degrees of freedom."""
    return float(special.ndtri(level) if df is None else special.stdtrit(df, level))


def critical(alpha: float, df: float | None) -> float:
    """Return how many standard errors limits of level 1 - alpha lie from the estimate.

    Raises
    ------
    ValueError
        If alpha does not lie between 0 and 1.
    """
    return quantile(1.0 - check_alpha(alpha) / 2.0, df)


def check_alpha(alpha: float) -> float:
    """Return one less the level of limits, or refuse what is none."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie between 0 and 1 (0.05 for 95% limits), got {alpha!r}")
    return alpha


class Estimates:
    """Numbers estimated for rows, with standard errors and intervals; attributes named as in statsmodels.

    Parameters
    ----------
    predicted, var_pred : (m,) ndarray
        The estimates, and their sampling variances.
    df : float, optional
        Degrees of freedom of Student's t; the normal law where None.
    row_labels : optional

    Attributes
    ----------
    predicted, se, tvalues : (m,) ndarray
    """

    columns: tuple[str, ...] = ("predicted", "se", "ci_lower", "ci_upper")

    def __init__(self, predicted: Array, var_pred: Array, df: float | None = None, row_labels: Any = None):
        self.predicted, self.var_pred = predicted, var_pred
        self.df, self.row_labels = df, row_labels
        with np.errstate(invalid="ignore"):
            self.se = np.sqrt(var_pred)

    @property
    def predicted_mean(self) -> Array:
        """Another name of `predicted`."""
        return self.predicted

    @property
    def var_pred_mean(self) -> Array:
        """Another name of `var_pred`."""
        return self.var_pred

    @property
    def se_mean(self) -> Array:
        """Another name of `se`."""
        return self.se

    @property
    def tvalues(self) -> Array:
        """Estimates over their standard errors."""
        return self.predicted / self.se

    def t_test(self, value: Any = 0.0, alternative: str = "two-sided") -> tuple[Array, Array]:
        """Return the statistics and p-values of the hypotheses that the estimates are ``value``.

        Parameters
        ----------
        value : float or (m,) array_like
        alternative : {"two-sided", "larger", "smaller"}
        """
        statistic = (self.predicted - np.asarray(value, dtype=float)) / self.se
        at = {"two-sided": -np.abs(statistic), "larger": -statistic, "smaller": statistic}
        if alternative not in at:
            raise ValueError(f"alternative must be 'two-sided', 'larger' or 'smaller', got {alternative!r}")
        tail = special.ndtr(at[alternative]) if self.df is None else special.stdtr(self.df, at[alternative])
        return statistic, tail * 2.0 if alternative == "two-sided" else tail

    def conf_int(self, *, alpha: float = 0.05, **ignored: Any) -> Array:
        """Return (m, 2) limits: estimates plus and minus a quantile of standard errors."""
        width = critical(alpha, self.df) * self.se
        return np.column_stack([self.predicted - width, self.predicted + width])

    def summary_frame(self, alpha: float = 0.05) -> Any:
        """Return a DataFrame of estimates, standard errors and limits, one row for each."""
        import pandas as pd

        limits = self.conf_int(alpha=alpha)
        values = (self.predicted, self.se, limits[:, 0], limits[:, 1])
        return pd.DataFrame(dict(zip(self.columns, values, strict=True)), index=self.row_labels)


class Prediction(Estimates):
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
    columns : sequence of str
        What `summary_frame` calls its columns.

    Attributes
    ----------
    predicted_mean, se_mean : (m,) ndarray
        Named as in statsmodels; also ``predicted`` and ``se``.
    linpred : Estimates
        The linear predictors.
    """

    observed: Callable[..., Any] | None = None
    """What returns the limits of new observations of these rows."""

    def __init__(
        self,
        linear_predictor: Array,
        variance: Array,
        link: Link,
        df: float | None,
        index: Any = None,
        columns: tuple[str, ...] = ("mean", "mean_se", "mean_ci_lower", "mean_ci_upper"),
    ):
        with np.errstate(all="ignore"):
            mean, _, slope = link.mean(linear_predictor)
            super().__init__(mean, slope**2 * variance, df, index)
            self.linpred = Estimates(linear_predictor, variance, df, index)
            self.se = np.abs(slope) * self.linpred.se  # the square root of a square that underflows would be 0
        self.link, self.columns = link, columns

    @property
    def linear_predictor(self) -> Array:
        """eta = x'b + offset, (m,)."""
        return self.linpred.predicted

    @property
    def linear_predictor_se(self) -> Array:
        """Standard errors of the linear predictor, (m,)."""
        return self.linpred.se

    def conf_int(self, method: str = "endpoint", alpha: float = 0.05, **ignored: Any) -> Array:
        """Return (m, 2) limits for the mean.

        Parameters
        ----------
        method : {"endpoint", "delta"}
            Those of the linear predictor, carried through the inverse link; or the mean plus and minus a quantile of its
            own standard errors, which may leave the mean's range.
        alpha : float
            One less the level.
        """
        if method not in ("endpoint", "delta"):
            raise ValueError(f"method must be 'endpoint' or 'delta', got {method!r}")
        if method == "delta":
            return super().conf_int(alpha=alpha)
        with np.errstate(all="ignore"):
            return np.sort(self.link.inverse(self.linpred.conf_int(alpha=alpha)), axis=1)

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
        frame = super().summary_frame(alpha)
        if obs:
            frame["obs_ci_lower"], frame["obs_ci_upper"] = np.asarray(self.prediction_interval(alpha, **options)).T
        return frame


def of_statistic(fit: Any, rows: Any, which: str, average: bool, agg_weights: Any, row_labels: Any) -> Estimates:
    """Return a statistic of each row's prediction, or its average over the rows, with its uncertainty.

    Parameters
    ----------
    fit : GLMResults
    rows : natfit.models.rows.NewRows
    which : {"mean", "linear", "var_unscaled"}
        The mean, the linear predictor, or the variance function at the mean.
    average : bool
    agg_weights : (m,) array_like, optional
        Each row's statistic is multiplied by this before it is averaged; not normalised, as in statsmodels.
    row_labels : sequence, optional
        Instead of the rows' own.

    Notes
    -----
    The delta method: variance g' cov g, with g the gradient of the statistic in the coefficients.
    """
    if which not in ("mean", "linear", "var_unscaled"):
        raise ValueError(f"which must be 'mean', 'linear' or 'var_unscaled', got {which!r}")
    df = fit.df_resid_inference if fit.use_t else None
    eta, labels = rows.matvec(fit._params_filled), rows.index if row_labels is None else row_labels
    if not average and which != "var_unscaled":
        variance = cov.of_rows(fit, rows)
        generic = Estimates.columns
        return (
            Estimates(eta, variance, df, labels)
            if which == "linear"
            else Prediction(eta, variance, fit.link, df, labels, generic)
        )
    with np.errstate(all="ignore"):
        values, slope = _statistic(fit, which, eta)
    if not average:
        return Estimates(values, slope**2 * cov.of_rows(fit, rows), df, labels)
    if rows.kept is not None and not rows.kept.all():
        raise ValueError(
            f"an average needs a prediction for every row, but {int((~rows.kept).sum())} row(s) lack a value that the "
            "formula needs; drop them"
        )
    weight = np.broadcast_to(np.asarray(1.0 if agg_weights is None else agg_weights, dtype=float), eta.shape)
    gradient = rows.design.rmatvec(weight * slope)[None, :] / eta.size
    return Estimates(np.atleast_1d(np.mean(weight * values)), cov.combine(fit._cov, gradient)[0], df)


def _statistic(fit: Any, which: str, eta: Array) -> tuple[Array, Array]:
    """Return a statistic of each row and its derivative in the linear predictor."""
    if which == "linear":
        return eta, np.ones_like(eta)
    mu, complement, slope = fit.link.mean(eta)
    if which == "mean":
        return mu, slope
    return fit.family.variance(mu, complement), fit.family.variance_derivative(mu, complement) * slope
