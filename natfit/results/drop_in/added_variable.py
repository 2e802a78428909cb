"""Residuals for plots of one column of a GLM's design against the others.

Wang (1985), Technometrics 27, 273-276, for added variables; Cook & Croos-Dabrera (1998), Journal of the American
Statistical Association 93, 730-739, for partial and CERES residuals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


def column_number(fit: GLMResults, focus: int | str) -> int:
    """Return a column's number, given by number or by name; one that is not there or aliased is refused."""
    names = fit.model.exog_names
    if isinstance(focus, str) and focus not in names:
        raise ValueError(f"the model has no column {focus!r}; its columns are {', '.join(names)}")
    number = names.index(focus) if isinstance(focus, str) else range(len(names))[int(focus)]
    if not fit.fitted.kept[number]:
        raise ValueError(f"{names[number]} is aliased, and has no effect of its own to draw; draw another column")
    return number


def column(fit: GLMResults, number: int) -> Array:
    """Return one column of the design, (n,)."""
    design = fit.model.data.design
    return np.array(design.matvec(np.eye(design.shape[1])[number]))


def added_variable_resids(
    fit: GLMResults, focus: int | str, resid_type: str = "resid_deviance", use_glm_weights: bool = True
) -> tuple[Array, Array]:
    """Return what the other columns leave of the response and of the focus column, (n,) each.

    Parameters
    ----------
    fit : GLMResults
    focus : int or str
        The column's number or name.
    resid_type : str
        Which residuals of the fit without the column.
    use_glm_weights : bool
        Whether the column is regressed on the others with the fit's working weights.
    """
    number = column_number(fit, focus)
    others = np.flatnonzero(fit.fitted.kept & (np.arange(fit.fitted.kept.size) != number))
    without = fit.model.refit(fit, columns=others, start=fit.fitted.params[others])
    if not without.converged:
        raise ValueError(f"the fit without {fit.model.exog_names[number]} did not converge: {without.reason}")
    if not hasattr(without, resid_type):
        raise ValueError(f"{resid_type!r} are no residuals that a fit has, such as 'resid_deviance' or 'resid_pearson'")
    weights = fit.model.hessian_factor(fit._params_filled, 1.0, observed=False)
    weights = weights if use_glm_weights else np.ones_like(weights)
    gram = fit.model.data.design.gram(weights)
    regression = np.zeros(len(gram))
    regression[others] = -np.linalg.solve(gram[np.ix_(others, others)], gram[others, number])
    regression[number] = 1.0
    return np.asarray(getattr(without, resid_type)), np.array(fit.model.data.design.matvec(regression))


def partial_resids(fit: GLMResults, focus: int | str) -> Array:
    """Return the column's own part of the linear predictor plus the working residual (y - mu) deta/dmu, (n,)."""
    number = column_number(fit, focus)
    return column(fit, number) * fit.fitted.params[number] + _working(fit)


def ceres_resids(fit: GLMResults, focus: int | str, frac: float = 0.66, cond_means: Any = None) -> Array:
    """Return residuals that show how the focus column enters, also where others depend on it nonlinearly, (n,).

    Parameters
    ----------
    fit : GLMResults
    focus : int or str
        The column's number or name.
    frac : float
        Span of the lowess smooth of the other columns given this one.
    cond_means : (n, k) array_like, optional
        Their conditional means given this one, instead of the smooth.
    """
    from natfit.data.matrix import Dense

    number = column_number(fit, focus)
    others = np.flatnonzero(fit.fitted.kept & (np.arange(fit.fitted.kept.size) != number))
    rest = fit.model.data.design.dense()[:, others]
    means = _conditional_means(rest, column(fit, number), frac) if cond_means is None else np.asarray(cond_means)
    names = [f"column {j}" for j in range(others.size + means.shape[1])]
    wider = fit.model.refit(fit, design=Dense(np.column_stack([rest, means])), names=names)
    own = np.where(wider.fitted.kept, wider.fitted.params, 0.0)[others.size :]
    return _working(wider) + means @ own


def _working(fit: GLMResults) -> Array:
    """Return (y - mu) deta/dmu of each row; of a binomial's proportions."""
    with np.errstate(all="ignore"):
        mu, complement, slope = fit.link.mean(fit._eta)
    return fit.family.residual(fit.model.data.y, mu, complement) / slope


def _conditional_means(rest: Array, focus: Array, frac: float) -> Array:
    """Return a lowess smooth against the focus of each principal axis of the other columns."""
    from statsmodels.nonparametric.smoothers_lowess import lowess

    left, sizes, _ = np.linalg.svd(rest - rest.mean(axis=0), full_matrices=False)
    axes = left[:, sizes > 1e-6]
    return np.column_stack([lowess(axis, focus, frac=frac, return_sorted=False) for axis in axes.T] or [axes])
