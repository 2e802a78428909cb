"""A fit as statsmodels' generic classes want to see one: their influence, marginal effects and score tests run on it.

They ask a result and its model for dense arrays, and for methods with leading underscores; this view has them, so that
natfit's own classes need not. Everything here is an answer as large as the design.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


def require_identified(fit: GLMResults, what: str) -> None:
    """Refuse what needs all coefficients to be finite, in one sentence."""
    kept, separation = fit.fitted.kept, fit.fitted.separation
    lost = ~kept if separation is None else ~kept | separation.columns
    if lost.any():
        names = ", ".join(str(name) for name, gone in zip(fit.model.exog_names, lost, strict=True) if gone)
        raise ValueError(
            f"{what} needs a finite estimate of every coefficient, but {names} {'has' if lost.sum() == 1 else 'have'} "
            "none (aliased or separated); leave these columns out of the model"
        )


class ModelView:
    """The model of a fit, with the fit's family and dispersion.

    Parameters
    ----------
    fit : GLMResults
    df_resid : float, optional
        Degrees of freedom for the dispersion, where not the fit's own.
    """

    def __init__(self, fit: GLMResults, df_resid: float | None = None):
        self.own = copy.copy(fit.model)
        self.own.dispersion, self.own.family = fit.dispersion, fit.family
        self.df_resid = fit.df_resid if df_resid is None else df_resid

    @cached_property
    def exog(self) -> Array:
        """The design, dense."""
        return self.own.data.design.dense()

    def _scale(self, params: Any) -> float:
        """Return the dispersion at coefficients, over this view's degrees of freedom."""
        estimated = self.own._at(params, None)[1]
        return estimated if isinstance(self.own.dispersion, float) else estimated * self.own.df_resid / self.df_resid

    def score_factor(self, params: Any, scale: float | None = None) -> Array:
        return self.own.score_factor(params, self._scale(params) if scale is None else scale)

    def hessian_factor(self, params: Any, scale: float | None = None, observed: bool = True) -> Array:
        """Second derivatives of the rows' log-likelihoods: negative, as of statsmodels' models other than GLM."""
        return -self.own.hessian_factor(params, self._scale(params) if scale is None else scale, observed)

    def score_obs(self, params: Any, scale: float | None = None) -> Array:
        return self.score_factor(params, scale)[:, None] * self.exog

    def score(self, params: Any, scale: float | None = None) -> Array:
        return self.own.score(params, self._scale(params) if scale is None else scale)

    def hessian(self, params: Any, scale: float | None = None, observed: bool | None = None) -> Array:
        return self.own.hessian(params, self._scale(params) if scale is None else scale, observed)

    def predict(self, params: Any, exog: Any = None, **known: Any) -> Array:
        if np.iscomplexobj(params):
            raise TypeError("natfit's links take real predictors only")  # statsmodels then takes real differences
        rows = None if exog is None else np.atleast_2d(exog)
        return np.asarray(self.own.predict(params, rows, **known))

    def _derivative_exog(
        self, params: Any, exog: Any = None, transform: str = "dydx", dummy_idx: Any = None, count_idx: Any = None
    ) -> Array:
        """Return the derivative of each row's mean, or its logarithm, in each column, or in its logarithm."""
        from statsmodels.discrete.discrete_margins import _get_count_effects, _get_dummy_effects

        rows = self.exog if exog is None else np.atleast_2d(exog)
        mu, _, slope = self.own.link.mean(self.predict(params, rows, which="linear"))
        effects = slope[:, None] * params
        if "ex" in transform:
            effects = effects * rows
        if "ey" in transform:
            effects = effects / mu[:, None]
        if count_idx is not None:
            effects = _get_count_effects(effects, rows, count_idx, transform, self, params)
        if dummy_idx is not None:
            effects = _get_dummy_effects(effects, rows, dummy_idx, transform, self, params)
        return effects

    def _derivative_predict(self, params: Any, exog: Any = None, transform: str = "dydx") -> Array:
        """Return the derivative of each row's mean, or its logarithm, in each coefficient."""
        rows = self.exog if exog is None else np.atleast_2d(exog)
        mu, _, slope = self.own.link.mean(self.predict(params, rows, which="linear"))
        return (slope / mu if "ey" in transform else slope)[:, None] * rows

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "own":
            raise AttributeError(name)
        return getattr(self.own, name)


ModelView.__name__ = "GLM"  # what statsmodels' tables print


class FitView:
    """A fit with plain arrays, and a `ModelView` for its model; all else is the fit's own."""

    def __init__(self, fit: GLMResults, df_resid: float | None = None):
        self.fit = fit
        self.model = ModelView(fit, df_resid)
        self.params = fit.fitted.params
        self.bse = fit._bse

    def cov_params(self, *args: Any, **kwargs: Any) -> Array:
        """The covariance as an array."""
        return np.asarray(self.fit.cov_params(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.fit, name)
