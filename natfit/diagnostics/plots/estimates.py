"""Estimates of several kinds with their intervals: a panel for each kind."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from natfit.diagnostics.plotting import COLOURS, pyplot, style

COLUMNS = 3
"""Panels beside each other."""
MOST_PANELS = 12
"""Of a mixture of many columns the first are drawn: its weights and means, not its covariances."""
ROW = 0.32
"""Inches for one estimate."""

Panels = dict[str, tuple[list[str], list[int]]]


def panels_of(labels: list[str]) -> Panels:
    """Sort labels into panels: their rows' names, and which estimates they are.

    Examples
    --------
    >>> panels_of(["weight[0]", "weight[1]", "mean[0]", "mean[1]"])
    {'weight': (['component 0', 'component 1'], [0, 1]), 'mean': (['component 0', 'component 1'], [2, 3])}
    >>> panels_of(["mean:temp", "precision:temp"])
    {'mean': (['temp'], [0]), 'precision': (['temp'], [1])}
    >>> panels_of(["shape", "rate"])
    {'shape': (['shape'], [0]), 'rate': (['rate'], [1])}
    """
    made: Panels = {}
    for place, label in enumerate(labels):
        component, parameter = re.fullmatch(r"(.+)\[(\d+)\]", label), re.fullmatch(r"([^:]+):(.+)", label)
        if component:
            panel, row = component[1], f"component {component[2]}"
        else:
            panel, row = parameter.groups() if parameter else (label, label)
        rows, places = made.setdefault(panel, ([], []))
        rows.append(row)
        places.append(place)
    return made


def plot_estimates(fit: Any, alpha: float) -> Any:
    """Draw estimates with their intervals; see `natfit.results.plots.EstimatePlots.plot_coefficients`."""
    estimates, limits = fit.params, fit.conf_int(alpha).to_numpy()
    panels = panels_of([str(label) for label in estimates.index])
    shown = dict(list(panels.items())[:MOST_PANELS])
    columns = min(COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    tallest = max(len(rows) for rows, _ in shown.values())
    size = (3.6 * columns + 0.6, lines * (1.0 + ROW * tallest) + 0.4)
    figure, axes = pyplot().subplots(lines, columns, figsize=size, layout="constrained", squeeze=False)
    for ax, (name, (rows, places)) in zip(axes.flat, shown.items(), strict=False):
        draw_panel(style(ax), name, rows, estimates.to_numpy()[places], limits[places])
    for ax in axes.flat[len(shown) :]:
        ax.set_visible(False)
    left = f", {len(panels) - len(shown)} further quantities left out" if len(shown) < len(panels) else ""
    figure.suptitle(f"Estimates with {100 * (1 - alpha):g} % intervals{left}", x=0.01, ha="left", fontsize=10.5)
    return axes


def draw_panel(ax: Any, name: str, rows: list[str], estimates: Any, limits: Any) -> None:
    """Draw one quantity's estimates, the first on top; a row without an interval is a point alone."""
    at = np.arange(len(rows))[::-1]
    known = np.isfinite(limits).all(axis=1)
    spread = np.where(known[:, None], np.abs(limits - estimates[:, None]), 0.0).T
    drawn = {"fmt": "o", "color": COLOURS[0], "markersize": 5.5, "capsize": 3, "linewidth": 1.6}
    ax.errorbar(estimates, at, xerr=spread, **drawn)
    ends = np.concatenate([limits[known].ravel(), estimates])
    if ends.min() <= 0.0 <= ends.max():
        ax.axvline(0.0, color="0.45", linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    ax.set_yticks(at, rows)
    ax.set_ylim(-0.7, at.max() + 0.7)
    ax.grid(False, axis="y")
    ax.locator_params(axis="x", nbins=5)
    ax.set_title(name, loc="left", fontsize=10)
