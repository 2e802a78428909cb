"""The effect of one variable on a parameter of a distributional regression."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from natfit.data.table import Table
from natfit.diagnostics.plots.effects import CURVE, spread_over
from natfit.diagnostics.plots.fit import POINT
from natfit.diagnostics.plotting import COLOURS, finish, new_axes, series

Array = np.ndarray[Any, np.dtype[Any]]


def plot_parameter_effect(fit: Any, variable: str, what: str, at: Any, alpha: float, ax: Any) -> Any:
    """Draw a parameter along a variable; see `natfit.results.plots.ParameterEffectPlot.plot_effect`."""
    along = _along(fit, variable, at)
    table, levels, places, grid = along.table, along.levels, along.places, along.grid
    frame = fit.get_prediction(grid, what)
    middle, limits = np.asarray(frame.predicted), frame.conf_int(alpha)
    ax = new_axes(ax)
    if what == "mean" and middle.ndim == 1:
        _draw_rows(ax, fit, variable, table, levels)
    label = f"{100 * (1 - alpha):g} % interval"
    if middle.ndim == 2:
        _draw_columns(ax, fit.family.class_names, places, levels, middle, limits)
        shown = "probability" if fit.family.class_predictors and what == "mean" else what
        y, legend = f"{shown} of each column" if shown == what else "probability", f"with {label}"
    else:
        _draw_one(ax, places, levels, middle, limits, label)
        name = fit.model.data.y_name
        share = fit.family.has_trials and what == "mean"
        y, legend = f"share of {name.partition(' + ')[0]}" if share else f"{what} of {name}", None
    _finish(ax, f"Effect of {variable}", variable, y, along, legend)
    return ax


def plot_parameter_quantiles(fit: Any, variable: str, q: Any, at: Any, ax: Any) -> Any:
    """Draw quantiles along a variable; see `natfit.results.plots.ParameterEffectPlot.plot_quantiles`."""
    along = _along(fit, variable, at)
    table = fit.quantile(along.grid, np.atleast_1d(q).tolist())
    ax = new_axes(ax)
    _draw_rows(ax, fit, variable, along.table, along.levels)
    for j, level in reversed(list(enumerate(table))):  # the highest first, as the curves stand
        drawn = {**series(j), "label": f"{100 * level:g} %", "markevery": max(len(along.places) // 8, 1)}
        if along.levels is not None:
            drawn["linestyle"] = "none"
        ax.plot(along.places, table[level], **drawn)
    _finish(ax, f"Quantiles along {variable}", variable, str(fit.model.data.y_name), along, "below the curve")
    return ax


class Along(NamedTuple):
    """The rows at which a figure is drawn: one variable varies, and the others are held."""

    table: Any
    levels: Any
    places: Array
    grid: Any


def _along(fit: Any, variable: str, at: Any) -> Along:
    table, coded = predictors(fit)
    held = dict(at or {})
    for name in (variable, *held):
        if name not in table:
            raise ValueError(f"the model's predictors have no variable {name!r}; there are {', '.join(table)}")
    for name, value in held.items():
        if np.ndim(value):
            raise ValueError(f"{name!r} is held at one value, and {value!r} is none; draw one figure for each")
    levels = sorted(table[variable].unique()) if variable in coded else None
    values = levels if levels is not None else np.linspace(table[variable].min(), table[variable].max(), CURVE)
    grid = typical(table, coded).loc[np.zeros(len(values), dtype=int)].reset_index(drop=True)
    places = np.asarray(values, dtype=float) if levels is None else np.arange(float(len(levels)))
    return Along(table, levels, places, grid.assign(**held, **{variable: values}))


def _draw_rows(ax: Any, fit: Any, variable: str, table: Any, levels: Any) -> None:
    own = table[variable] if levels is None else spread_over(table[variable], levels)
    ax.plot(own, _observed(fit), **{**POINT, "color": "0.6", "alpha": 0.6}, label="rows", zorder=1)


def _finish(ax: Any, title: str, variable: str, y: str, along: Along, legend: str | None) -> None:
    if along.levels is not None:
        ax.set_xticks(along.places, [str(level) for level in along.levels])
        ax.set_xlim(-0.6, len(along.places) - 0.4)
    rest = {name: along.grid.iloc[0][name] for name in along.grid if name != variable}
    told = ", ".join(f"{name} {v:.4g}" if isinstance(v, float) else f"{name} {v}" for name, v in rest.items())
    finish(ax, title, variable, y, f"Held: {told}." if told else "", legend)


def _observed(fit: Any) -> Array:
    """Return what is to be drawn of each row's response: of successes out of trials, their share."""
    y = fit.model.data.y
    return y[:, 0] / y.sum(axis=1) if fit.family.has_trials else y


def _draw_one(ax: Any, places: Array, levels: Any, middle: Array, limits: Array, label: str) -> None:
    if levels is None:
        ax.fill_between(places, *limits.T, color=COLOURS[1], alpha=0.25, linewidth=0, label=label)
        ax.plot(places, middle, color=COLOURS[1], linewidth=2.0, label="prediction")
    else:
        drawn = {"fmt": "s", "color": COLOURS[1], "capsize": 4, "linewidth": 2.0}
        ax.errorbar(places, middle, yerr=np.abs(limits.T - middle), label=f"prediction, {label}", **drawn)


def _draw_columns(ax: Any, names: Any, places: Array, levels: Any, middle: Array, limits: Array) -> None:
    """Draw a line, or a row of points, for each class or share, told apart by colour and by style."""
    for j, name in enumerate(names):
        drawn = series(j)
        if levels is None:
            ax.fill_between(places, *limits[:, j].T, color=drawn["color"], alpha=0.2, linewidth=0)
            ax.plot(places, middle[:, j], label=str(name), markevery=max(len(places) // 8, 1), **drawn)
        else:
            at = places + 0.3 * ((j + 0.5) / len(names) - 0.5)
            far = np.abs(limits[:, j].T - middle[:, j])
            ax.errorbar(at, middle[:, j], yerr=far, capsize=4, label=str(name), **{**drawn, "linestyle": "none"})


def predictors(fit: Any) -> tuple[Any, set[str]]:
    """Return the columns of the fit's table that its formulas name, on the rows kept, and which of them have levels."""
    import pandas as pd

    data = fit.model.data
    if getattr(data, "table", None) is None:
        raise ValueError(
            "effects are drawn for variables of a formula's table in memory, which this fit does not hold; predict new rows "
            "instead"
        )
    plans = [plan for design in data.frozen.values() for plan in design.factors.values()]
    named = {plan.expression: {plan.expression, *re.findall(r"\w+", plan.expression)} for plan in plans}
    used = set().union(*named.values())
    coded = set().union(*(named[plan.expression] for plan in plans if plan.kind == "categorical"))
    table = Table(data.table)
    frame = pd.DataFrame({name: table.column(name) for name in table if name in used})
    return frame if data.kept is None else frame[data.kept], coded


def typical(table: Any, coded: set[str]) -> Any:
    """Return one row: numbers at their means, columns with levels at the most frequent."""
    row = {name: [table[name].mode().iloc[0] if name in coded else table[name].mean()] for name in table}
    return type(table)(row)
