"""Figures of coefficients, of the effect of one variable, and of the calibration of probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.diagnostics.plots.fit import POINT
from natfit.diagnostics.plotting import COLOURS, finish, new_axes, pyplot
from natfit.results.effects.variables import Variables

Array = np.ndarray[Any, np.dtype[Any]]

CURVE = 101
"""Values of a number at which its effect is drawn."""
ROW_HEIGHT = 0.3
"""Inches for one coefficient."""


def plot_coefficients(fit: Any, alpha: float, intercept: bool, ax: Any) -> Any:
    """Draw estimates with their intervals; see `natfit.results.plots.Plots.plot_coefficients`."""
    names = np.array([str(name) for name in fit._coefficients])
    limits = np.asarray(fit.conf_int(alpha))
    shown = np.isfinite(limits).all(axis=1)
    if not intercept:
        shown &= ~np.isin(names, ("Intercept", "const"))
    if not shown.any():
        raise ValueError(
            "there is no coefficient to draw that has a finite interval; intercept=True shows the constant"
        )
    if ax is None:
        height = max(2.2, 1.2 + ROW_HEIGHT * int(shown.sum()))
        ax = pyplot().subplots(figsize=(7.2, height), layout="constrained")[1]
    ax = new_axes(ax)
    places = np.arange(int(shown.sum()))[::-1]
    centre = fit.fitted.params[shown]
    spread = np.abs(limits[shown].T - centre)
    ax.errorbar(centre, places, xerr=spread, fmt="o", color=COLOURS[0], markersize=5.5, capsize=3, linewidth=1.6)
    ax.axvline(0.0, color="0.45", linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    ax.set_yticks(places, names[shown])
    ax.set_ylim(-0.7, places.max() + 0.7)
    ax.grid(False, axis="y")
    left = int((~np.isfinite(limits).all(axis=1)).sum())
    missing = f" {left} without an interval (aliased or separated) left out." if left else ""
    finish(ax, "Coefficients", "Estimate", "", f"{100 * (1 - alpha):g} % intervals ({fit.cov_type}).{missing}")
    return ax


def plot_effect(fit: Any, variable: str, which: str, partial: bool, at: Any, alpha: float, ax: Any) -> Any:
    """Draw predictions along a variable; see `natfit.results.plots.Plots.plot_effect`."""
    variables = Variables(fit)
    variables.require([variable])
    levels = variables.levels(variable)
    if partial and not variables.has_rows:
        raise ValueError("partial residuals are of the fit's rows, which it no longer has; draw it with partial=False")
    held = {name: value for name, value in (at or {}).items() if name != variable}
    for name, value in held.items():
        if np.ndim(value) and not isinstance(value, str):
            raise ValueError(f"{name!r} is held at one value; got {value!r}")
    values = levels if levels is not None else np.linspace(*variables.about(variable).limits, CURVE)
    from natfit.results.effects.request import typical_shifts

    grid = variables.grid({variable: values, **held})
    table = fit.predictions(grid, which=which, alpha=alpha, **typical_shifts(fit))
    ax = new_axes(ax)
    label = f"{100 * (1 - alpha):g} % interval"
    places = np.arange(len(values)) if levels is not None else np.asarray(values, dtype=float)
    if partial:
        _partial_residuals(ax, fit, variables, variable, grid, which, levels)
    middle, low, high = (table[name].to_numpy() for name in ("estimate", "conf_low", "conf_high"))
    if levels is None:
        ax.fill_between(places, low, high, color=COLOURS[1], alpha=0.25, linewidth=0, label=label)
        ax.plot(places, middle, color=COLOURS[1], linewidth=2.0, label="prediction")
    else:
        ends = np.abs(np.stack([low, high]) - middle)
        drawn = {"fmt": "s", "color": COLOURS[1], "capsize": 4, "linewidth": 2.0}
        ax.errorbar(places, middle, yerr=ends, label=f"prediction, {label}", **drawn)
        ax.set_xticks(places, [str(level) for level in levels])
        ax.set_xlim(-0.6, len(values) - 0.4)
    y = f"Mean of {fit.model.endog_names}" if which == "mean" else "Linear predictor"
    finish(ax, f"Effect of {variable}", variable, y, _held(grid, variable))
    return ax


def _held(grid: Any, variable: str) -> str:
    first = grid.iloc[0]
    rest = [f"{name} {first[name]:.4g}" if isinstance(first[name], float) else f"{name} {first[name]}" for name in grid]
    rest = [text for name, text in zip(grid, rest, strict=True) if name != variable]
    return f"Held: {', '.join(rest)}." if rest else ""


def _partial_residuals(
    ax: Any, fit: Any, variables: Variables, variable: str, grid: Any, which: str, levels: list[Any] | None
) -> None:
    """Draw the data as they would lie with the other variables where the curve holds them.

    On the link's scale the prediction at a row's own value plus its working residual; for the mean the same carried back to
    first order, but a binomial's are the responses themselves, which stay between 0 and 1.
    """
    from natfit.results.effects.request import typical_shifts

    own = variables.frame()
    rest = {name: grid.iloc[0][name] for name in grid if name != variable}
    moved = own[[variable]].assign(**rest)
    if not variables.formula:
        moved = moved[[str(name) for name in variables.data.names]]
    rows = variables.design(moved, typical_shifts(fit))
    eta = rows.matvec(fit._params_filled)
    residual, _, _, _, slope, _, _ = fit._parts()
    with np.errstate(all="ignore"):
        y = eta + residual / slope
        if which == "mean":
            mu, _, there = fit.link.mean(eta)
            y = variables.data.y if fit.family.name == "binomial" else mu + there * residual / slope
    x = own[variable]
    if levels is None:
        places = x.to_numpy(dtype=float)
    else:
        places = spread_over(x, levels)
    ax.plot(places, y, **{**POINT, "color": "0.6", "alpha": 0.6}, label="partial data", zorder=1)


def spread_over(x: Any, levels: list[Any]) -> Array:
    """Return places of rows (n,) about those of their levels, spread evenly and the same each time."""
    order = {level: place for place, level in enumerate(levels)}
    jitter = (np.arange(len(x)) * 0.6180339887) % 1.0 - 0.5
    return np.asarray(x.map(order).to_numpy(dtype=float) + 0.3 * jitter)


def plot_calibration(fit: Any, groups: int, alpha: float, ax: Any) -> Any:
    """Draw observed against predicted shares; see `natfit.results.plots.Plots.plot_calibration`."""
    table = fit.calibration(groups, alpha)
    ax = new_axes(ax)
    ends = np.abs(table[["conf_low", "conf_high"]].to_numpy().T - table["observed"].to_numpy())
    ax.plot([0.0, 1.0], [0.0, 1.0], color="0.45", linewidth=1.0, linestyle=(0, (4, 3)), label="calibrated")
    ax.errorbar(
        table["predicted"],
        table["observed"],
        yerr=ends,
        fmt="o",
        color=COLOURS[0],
        capsize=3,
        linewidth=1.4,
        label=f"{len(table)} groups, {100 * (1 - alpha):g} %",
    )
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-0.03, 1.03)
    finish(ax, "Calibration", "Predicted share", "Observed share")
    return ax
