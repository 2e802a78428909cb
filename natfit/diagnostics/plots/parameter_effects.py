"""The effect of one variable on a parameter of a distributional regression."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from natfit.data.table import Table
from natfit.diagnostics.plots.effects import CURVE, spread_over
from natfit.diagnostics.plots.fit import POINT
from natfit.diagnostics.plotting import COLOURS, finish, new_axes


def plot_parameter_effect(fit: Any, variable: str, what: str, at: Any, alpha: float, ax: Any) -> Any:
    """Draw a parameter along a variable; see `natfit.results.plots.ParameterEffectPlot.plot_effect`."""
    table, coded = predictors(fit)
    held = dict(at or {})
    for name in (variable, *held):
        if name not in table:
            raise ValueError(f"the model's predictors have no variable {name!r}; there are {', '.join(table)}")
    levels = sorted(table[variable].unique()) if variable in coded else None
    values = levels if levels is not None else np.linspace(table[variable].min(), table[variable].max(), CURVE)
    grid = typical(table, coded).loc[np.zeros(len(values), dtype=int)].reset_index(drop=True)
    grid = grid.assign(**held, **{variable: values})
    frame = fit.get_prediction(grid, what)
    middle, limits = np.asarray(frame.predicted), frame.conf_int(alpha)
    if middle.ndim != 1:
        raise ValueError(
            f"{what} has several columns; name one of the parameters {', '.join(fit.family.parameter_names)}"
        )
    ax = new_axes(ax)
    places = np.asarray(values, dtype=float) if levels is None else np.arange(len(levels))
    if what == "mean":
        own = table[variable] if levels is None else spread_over(table[variable], levels)
        ax.plot(own, fit.model.data.y, **{**POINT, "color": "0.6", "alpha": 0.6}, label="rows", zorder=1)
    label = f"{100 * (1 - alpha):g} % interval"
    if levels is None:
        ax.fill_between(places, *limits.T, color=COLOURS[1], alpha=0.25, linewidth=0, label=label)
        ax.plot(places, middle, color=COLOURS[1], linewidth=2.0, label="prediction")
    else:
        drawn = {"fmt": "s", "color": COLOURS[1], "capsize": 4, "linewidth": 2.0}
        ax.errorbar(places, middle, yerr=np.abs(limits.T - middle), label=f"prediction, {label}", **drawn)
        ax.set_xticks(places, [str(level) for level in levels])
        ax.set_xlim(-0.6, len(places) - 0.4)
    rest = {name: grid.iloc[0][name] for name in grid if name != variable}
    told = ", ".join(f"{name} {v:.4g}" if isinstance(v, float) else f"{name} {v}" for name, v in rest.items())
    finish(
        ax, f"Effect of {variable}", variable, f"{what} of {fit.model.data.y_name}", f"Held: {told}." if told else ""
    )
    return ax


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
