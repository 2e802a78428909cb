"""Figures of one column of a GLM's design against the others: added variable, partial residuals, CERES residuals."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.diagnostics.plots.fit import POINT, guide
from natfit.diagnostics.plotting import COLOURS, finish, new_axes
from natfit.results.drop_in import added_variable as residuals

Array = np.ndarray[Any, np.dtype[Any]]


def plot_added_variable(fit: Any, focus: int | str, resid_type: str | None, use_glm_weights: bool, ax: Any) -> Any:
    """Draw what the other columns leave of the response against what they leave of the focus column."""
    kind = resid_type or "resid_deviance"
    left, moved = residuals.added_variable_resids(fit, focus, kind, use_glm_weights)
    name = fit.model.exog_names[residuals.column_number(fit, focus)]
    ax = _scatter(moved, left, ax)
    slope = float(moved @ left / (moved @ moved))
    _line(ax, moved, slope)
    words = kind.removeprefix("resid_").capitalize()
    subtitle = f"Line: least squares, slope {slope:.3g}."
    finish(
        ax, f"Added variable: {name}", f"{name}, less the others' share", f"{words} residual without {name}", subtitle
    )
    return ax.figure


def plot_partial_residuals(fit: Any, focus: int | str, ax: Any) -> Any:
    """Draw a column's own part of the predictor plus the working residual against the column."""
    number = residuals.column_number(fit, focus)
    name, values = fit.model.exog_names[number], residuals.column(fit, number)
    ax = _scatter(values, residuals.partial_resids(fit, number), ax)
    slope = float(fit.fitted.params[number])
    _line(ax, values, slope)
    finish(ax, f"Partial residuals: {name}", name, "Component plus residual", f"Line: the fit's, slope {slope:.3g}.")
    return ax.figure


def plot_ceres_residuals(fit: Any, focus: int | str, frac: float, cond_means: Any, ax: Any) -> Any:
    """Draw CERES residuals against the focus column, with a smooth through them."""
    from statsmodels.nonparametric.smoothers_lowess import lowess

    number = residuals.column_number(fit, focus)
    name, values = fit.model.exog_names[number], residuals.column(fit, number)
    found = residuals.ceres_resids(fit, number, frac, cond_means)
    ax = _scatter(values, found, ax)
    smooth = lowess(found, values, frac=frac)
    ax.plot(smooth[:, 0], smooth[:, 1], color=COLOURS[1], linewidth=1.6)
    finish(ax, f"CERES residuals: {name}", name, "Component plus residual", f"Line: a lowess smooth of span {frac:g}.")
    return ax.figure


def _scatter(x: Array, y: Array, ax: Any) -> Any:
    ax = new_axes(ax)
    guide(ax, 0.0)
    ax.plot(x, y, **POINT)
    return ax


def _line(ax: Any, x: Array, slope: float) -> None:
    ends = np.array([x.min(), x.max()])
    ax.plot(ends, slope * ends, color=COLOURS[1], linewidth=1.6)
