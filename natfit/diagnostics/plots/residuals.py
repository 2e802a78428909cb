"""Figures of a fit's residuals: against the fitted values, normal quantiles, worm, and scale against location."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.diagnostics.plots.fit import POINT, guide
from natfit.diagnostics.plotting import COLOURS, finish, grid_of_axes, new_axes

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = ("fitted", "qq", "worm", "scale")
NAMES = {
    "quantile": "Quantile residual",
    "pearson": "Studentized Pearson residual",
    "deviance": "Studentized deviance residual",
    "response": "Response residual",
}
SMOOTHED = 2_000
"""Rows that a smooth curve is drawn through: more are sampled, evenly in their order."""


def plot_residuals(fit: Any, kind: str, residuals: str, random_state: Any, ax: Any) -> Any:
    """Draw residuals; see `natfit.results.plots.Plots.plot_residuals`."""
    if kind == "all":
        if ax is not None:
            raise ValueError("kind='all' makes a figure of its own; leave ax out, or choose one kind")
        kinds = kinds_of(fit)
        axes = grid_of_axes(len(kinds))
        for each, place in zip(kinds, axes.flat, strict=True):
            plot_residuals(fit, each, residuals, random_state, place)
        return axes
    if kind not in kinds_of(fit):
        raise ValueError(f"kind must be 'all', {', '.join(map(repr, kinds_of(fit)))}; got {kind!r}")
    values = _values(fit, residuals, random_state)
    draw = {"fitted": _against_fitted, "qq": _quantiles, "worm": _worm, "scale": _scale_location}[kind]
    ax = new_axes(ax)
    draw(ax, fit, values, NAMES[residuals])
    return ax


def kinds_of(fit: Any) -> tuple[str, ...]:
    """Return the kinds of figures that there are: rows without predictors have no fitted values to be drawn against."""
    return KINDS if hasattr(fit, "_eta") or hasattr(fit, "plot_fitted") else ("qq", "worm")


def _values(fit: Any, residuals: str, random_state: Any) -> Array:
    from natfit.results.influence import leverage, studentized

    if residuals not in NAMES:
        raise ValueError(f"residuals must be one of {', '.join(map(repr, NAMES))}; got {residuals!r}")
    if residuals == "quantile":
        drawn = getattr(fit, "_residuals_of_observations", fit.quantile_residuals)
        return np.asarray(drawn(random_state))
    if residuals == "response":
        return np.asarray(fit.resid_response)
    return studentized(fit, getattr(fit, f"resid_{residuals}"), leverage(fit))


def _horizontal(fit: Any) -> tuple[Array, str]:
    """Return fitted values on the scale on which residuals spread evenly best: that of the linear predictor."""
    if not hasattr(fit, "_eta"):
        return np.asarray(fit.predict()), "Fitted mean"
    return np.asarray(fit._eta), "Linear predictor"


def _smooth(ax: Any, x: Array, y: Array, label: str) -> None:
    """Draw a local regression through the points (Cleveland's lowess, by statsmodels)."""
    from statsmodels.nonparametric.smoothers_lowess import lowess

    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    known = known[np.argsort(x[known], kind="stable")]
    known = known[:: max(known.size // SMOOTHED, 1)]
    if np.unique(x[known]).size < 8:
        return
    curve = lowess(y[known], x[known], frac=0.6, it=2, delta=0.01 * float(np.ptp(x[known])), return_sorted=True)
    ax.plot(*curve.T, color=COLOURS[1], linewidth=2.0, label=label)


def _against_fitted(ax: Any, fit: Any, values: Array, name: str) -> None:
    x, label = _horizontal(fit)
    ax.plot(x, values, **POINT)
    guide(ax, 0.0)
    _smooth(ax, x, values, "local mean")
    finish(
        ax,
        "Residuals against fit",
        label,
        name,
        "A curve away from 0: the link or the predictor's form is amiss.",
    )


def plot_fitted(fit: Any, ax: Any) -> Any:
    """Draw observed against fitted; see `natfit.results.plots.FittedPlot.plot_fitted`."""
    data = fit.model.data
    y = getattr(data, "y", None)
    mean = np.asarray(fit.predict())
    if y is None or np.ndim(y) != 1 or mean.ndim != 1:
        raise ValueError("observed and fitted are drawn for a response of one number with its rows in memory")
    ax = new_axes(ax)
    ax.plot(mean, y, **POINT)
    ends = np.array([np.nanmin(mean), np.nanmax(mean)])
    ax.plot(ends, ends, color="0.25", linewidth=1.4, linestyle=(0, (4, 3)), label="observed = fitted")
    _smooth(ax, mean, np.asarray(y, dtype=float), "local mean")
    finish(ax, "Observed against fitted", f"Fitted mean of {data.y_name}", f"Observed {data.y_name}")
    return ax


def _normal_order(values: Array) -> tuple[Array, Array, Array]:
    """Return normal quantiles, the sorted residuals, and a pointwise standard error of theirs.

    Of the k-th of n, sqrt(p (1 - p) / n) over the normal density (van Buuren & Fredriks, 2001, Statistics in Medicine 20).
    """
    ordered = np.sort(values[np.isfinite(values)])
    n = ordered.size
    share = (np.arange(1, n + 1) - 0.5) / n
    z = special.ndtri(share)
    error = np.sqrt(share * (1.0 - share) / n) * np.sqrt(2.0 * np.pi) * np.exp(0.5 * z**2)
    return z, ordered, error


def _quantiles(ax: Any, fit: Any, values: Array, name: str) -> None:
    z, ordered, error = _normal_order(values)
    ax.fill_between(z, z - 1.96 * error, z + 1.96 * error, color="0.85", linewidth=0, label="95 % at each point")
    ax.plot(z, z, color="0.45", linewidth=1.0, linestyle=(0, (4, 3)))
    ax.plot(z, ordered, **POINT)
    finish(ax, "Normal quantiles", "Normal quantile", name)


def _worm(ax: Any, fit: Any, values: Array, name: str) -> None:
    z, ordered, error = _normal_order(values)
    ax.fill_between(z, -1.96 * error, 1.96 * error, color="0.85", linewidth=0, label="95 % at each point")
    guide(ax, 0.0)
    ax.plot(z, ordered - z, **POINT)
    reach = 1.3 * max(float(np.abs(ordered - z).max(initial=0.0)), 1.96 * float(np.quantile(error, 0.9)))
    ax.set_ylim(-reach, reach)
    finish(ax, "Worm", "Normal quantile", f"{name} less quantile")


def _scale_location(ax: Any, fit: Any, values: Array, name: str) -> None:
    x, label = _horizontal(fit)
    root = np.sqrt(np.abs(values))
    ax.plot(x, root, **POINT)
    guide(ax, 0.822, label="normal law's mean")  # E sqrt|z| = 2^(1/4) Gamma(3/4) / sqrt(pi)
    _smooth(ax, x, root, "local mean")
    ax.set_ylim(bottom=0.0)
    finish(ax, "Scale against location", label, f"Root of |{name[0].lower() + name[1:]}|")
