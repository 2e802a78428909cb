"""Figures of a GLM's fit: influence, residuals, coefficients, each on matplotlib axes that are returned."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.diagnostics.plotting import COLOURS, finish, new_axes

Array = np.ndarray[Any, np.dtype[Any]]

POINT = {"color": COLOURS[0], "marker": "o", "linestyle": "none", "markersize": 4.5, "alpha": 0.7, "markeredgewidth": 0}
"""How rows of the data are drawn: many of them, so small and letting those below show."""
LARGEST = 700.0
"""Area of the largest bubble, in square points."""


def guide(ax: Any, level: float, **options: Any) -> None:
    """Draw a thin dashed horizontal line behind the data."""
    ax.axhline(level, **{"color": "0.45", "linewidth": 1.0, "linestyle": (0, (4, 3)), "zorder": 1, **options})


def name_points(ax: Any, x: Array, y: Array, names: list[str], clear: Array) -> None:
    """Write names beside points: ``clear`` typographic points away, on the side that leaves them inside the axes."""
    middle = np.mean(ax.get_xlim())
    placed: list[tuple[float, float]] = []
    to_pixels = ax.transData.transform
    for px, py, name, gap in zip(x, y, names, clear, strict=True):
        left = px > middle
        at = to_pixels((px, py))
        lift = sum(bool(abs(at[1] - other[1]) < 11.0 and abs(at[0] - other[0]) < 60.0) for other in placed)
        placed.append((float(at[0]), float(at[1])))
        ax.annotate(
            name,
            (px, py),
            xytext=(-gap if left else gap, 9 * lift),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8.5,
        )


def plot_influence(fit: Any, label: int = 5, ax: Any = None) -> Any:
    """Draw leverage against studentized residuals; see `natfit.results.influence.Influence.plot_influence`."""
    frame = fit.influence(dfbetas=False)
    ax = new_axes(ax)
    x, y, cook = (frame[name].to_numpy() for name in ("hat_diag", "standard_resid", "cooks_d"))
    shown = np.isfinite(y)
    area = 9.0 + LARGEST * cook / max(float(np.nanmax(cook)), 1e-300)
    ax.scatter(x[shown], y[shown], s=area[shown], facecolor=COLOURS[0], alpha=0.35, edgecolor=COLOURS[0], linewidth=0.8)
    for level in (-2.0, 0.0, 2.0):
        guide(ax, level)
    ax.margins(x=0.08, y=0.16)
    ax.autoscale_view()
    order = np.argsort(np.where(shown, -cook, np.inf))[: min(label, int(shown.sum()))]
    names = [str(frame.index[k]) for k in order]
    name_points(ax, x[order], y[order], names, 4.0 + np.sqrt(area[order] / np.pi))
    alone = int((~shown).sum())
    subtitle = f"Areas: Cook's distance, the largest {np.nanmax(cook):.3g}."
    if alone:
        subtitle += f" {alone} row(s) of leverage 1 can't be shown."
    finish(ax, "Influence", "Leverage", "Studentized Pearson residual", subtitle)
    return ax
