"""Figures of a race. Colour and marker tell the parametrization, line and filling the optimizer, in every panel."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.diagnostics.plotting import COLOURS, LINES, MARKERS, pyplot, series, style
from natfit.diagnostics.races.track import ARRIVED, Run
from natfit.diagnostics.races.view import LEVELS, View, nats, views

if TYPE_CHECKING:
    from natfit.diagnostics.races.races import Race

PANEL = (3.9, 3.3)
"""Width and height of one panel in inches."""

LEGEND = 3.1
"""Width in inches that is kept for the legend, to the right of all panels."""

CROSS: dict[str, Any] = {
    "marker": "x",
    "color": "#B00000",
    "markersize": 12,
    "markeredgewidth": 2.2,
    "linestyle": "none",
    "zorder": 6,
}

"""What a path ends in where it diverged."""

BALLS = 4
"""Most KL balls along a path."""


def draw(race: Race) -> Any:
    """Draw everything in one figure: a panel for each parametrization, then two rows with a column for each optimizer."""
    if len(race.field.home_names) != 2:
        return draw_gaps(race, note=f"Paths need two parameters, and this model has {len(race.field.home_names)}.")
    return _draw_parts(race, gaps=True)


def draw_paths(race: Race) -> Any:
    """Draw contours, paths and KL balls in each parametrization, and all paths in home parameters."""
    return _draw_parts(race, gaps=False)


def _draw_parts(race: Race, gaps: bool) -> Any:
    each, together = views(race)
    charts, optimizers = len(each), len(race.optimizers)
    wide, narrow = min(charts, 3), min(optimizers, 3)
    heights = [-(-charts // wide), *[-(-optimizers // narrow)] * (2 if gaps else 1)]
    figure = _figure(max(wide, narrow), sum(heights))
    parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    _draw_views(race, each, _panels(parts[0], charts, wide))
    _draw_together(race, together, _panels(parts[1], optimizers, narrow))
    if gaps:
        _draw_gaps(race, _panels(parts[2], optimizers, narrow, share=True))
    _finish(figure, race, paths=True, gaps=gaps)
    return figure


def draw_gaps(race: Race, note: str = "") -> Any:
    """Draw the gap against the iteration, a panel for each optimizer."""
    columns = min(len(race.optimizers), 3)
    figure = _figure(columns, -(-len(race.optimizers) // columns))
    _draw_gaps(race, _panels(figure, len(race.optimizers), columns, share=True))
    _finish(figure, race, paths=False, gaps=True, note=note)
    return figure


def _figure(columns: int, rows: int) -> Any:
    size = (PANEL[0] * columns + LEGEND, PANEL[1] * rows + 0.7)
    return pyplot().figure(figsize=size, layout="constrained")


def _panels(figure: Any, count: int, columns: int, share: bool = False) -> list[Any]:
    axes = figure.subplots(-(-count // columns), columns, squeeze=False, sharex=share, sharey=share)
    for ax in axes.flat[count:]:
        ax.set_visible(False)
    for ax in axes.flat[:count]:
        if share:
            ax.tick_params(labelbottom=True, labelleft=True)
    return [style(ax) for ax in axes.flat[:count]]


def look(race: Race, run: Run) -> dict[str, Any]:
    """Return the keywords of a run's line: one look for it in every panel."""
    chart, optimizer = list(race.charts).index(run.parametrization), race.optimizers.index(run.optimizer)
    keywords = series(chart, filled=optimizer % 2 == 0)
    return {**keywords, "linestyle": LINES[optimizer % len(LINES)], "markersize": 4.5, "linewidth": 1.4}


def _title(ax: Any, text: str) -> None:
    ax.set_title(fill(text, 46), loc="left", fontsize=10)


def _draw_views(race: Race, each: dict[str, View], axes: list[Any]) -> None:
    for ax, (name, view) in zip(axes, each.items(), strict=True):
        _draw_view(race, view, view.runs, ax)
        _title(ax, f"In {name}")


def _draw_together(race: Race, view: View, axes: list[Any]) -> None:
    for ax, name in zip(axes, race.optimizers, strict=True):
        _draw_view(race, view, [run for run in race.runs if run.optimizer == name], ax)
        _title(ax, f"All carried to {view.name}: {name}")


def _draw_view(race: Race, view: View, runs: Any, ax: Any) -> None:
    _draw_contours(view, ax)
    for run in runs:
        path = view.path(run)
        every = max(1, len(path) // 8)
        ax.plot(path[:, 0], path[:, 1], markevery=every, **look(race, run))
        if run.diverged:
            ax.plot(*path[-1], **CROSS)
    for home in _centres(race, runs):
        outline = view.ball(home)
        ax.plot(outline[:, 0], outline[:, 1], color="0.25", linewidth=0.9, linestyle="-")
    ends = view.coordinates(np.array([race.start, race.field.optimum]))
    ax.plot(*ends[0], marker="o", markersize=11, color="black", markerfacecolor="none", markeredgewidth=1.6)
    ax.plot(*ends[1], marker="*", markersize=14, color="black", markerfacecolor="#F0E442", zorder=5)
    low, high = view.box
    x, y = (fill(label, width) for label, width in zip(view.labels, (46, 34), strict=True))
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=x, ylabel=y)
    ax.locator_params(nbins=5)


def _draw_contours(view: View, ax: Any) -> None:
    x, y, gap = view.contours
    levels = view.field.measure(view.start)[0] * LEVELS
    shown = np.ma.masked_invalid(gap)
    if shown.count() == 0:
        return
    lines = ax.contour(x, y, shown, levels=levels, colors="0.62", linewidths=0.9)
    ax.clabel(lines, fmt=lambda level: f"{float(f'{level:.2g}'):g}", fontsize=7, colors="0.35")
    if shown.mask.any():
        ax.contourf(x, y, np.ma.getmaskarray(shown).astype(float), levels=[0.5, 1.5], colors="0.9", zorder=0)


def _centres(race: Race, runs: Any) -> list[Any]:
    """Return home parameters of the distributions that KL balls are drawn round.

    They stand along one run, the longest of those that arrive, at even distances in standard errors.
    """
    good = [run for run in runs if not run.diverged]
    if not good:
        return [race.start, race.field.optimum]
    best = min(good, key=lambda run: (run.gap[-1] >= ARRIVED, -len(run.gap)))
    distance = np.sqrt(np.maximum(best.gap, 0.0))
    wanted = np.linspace(1.0, 0.0, BALLS) * distance[0]
    places = {int(np.argmin(np.abs(distance - each))) for each in wanted[1:-1]}
    return [race.start, *(best.home[place] for place in sorted(places)), race.field.optimum]


def _draw_gaps(race: Race, axes: list[Any]) -> None:
    floor = max(1e-13, 4 * np.finfo(float).eps * abs(race.field.highest) / race.field.dispersion)
    top = 1e3 * race.start_gap
    for ax, name in zip(axes, race.optimizers, strict=True):
        for run in (run for run in race.runs if run.optimizer == name):
            gap = np.maximum(run.gap, floor)
            where = np.arange(len(gap))
            offset = list(race.charts).index(run.parametrization)
            every = (min(2 * offset, len(gap) - 1), max(1, len(gap) // 8))
            ax.plot(where, gap, markevery=every, **look(race, run))
            if run.diverged:
                ax.plot(where[-1], min(gap[-1], top / 4.0), **CROSS)
        ax.axhline(ARRIVED, color="0.35", linewidth=1.0, linestyle=(0, (1, 3)))
        ax.set_yscale("log")
        ax.set(xlabel="iteration", ylabel=r"gap  $\ell(\hat\theta)-\ell(\theta)$  (nats)")
        ax.set_ylim(floor / 3.0, top)
        ax.xaxis.get_major_locator().set_params(integer=True)
        _title(ax, f"Distance from the maximum: {name}")


def _finish(figure: Any, race: Race, paths: bool, gaps: bool, note: str = "") -> None:
    """Title and legend: of the whole figure, to the right of all panels."""
    from matplotlib.lines import Line2D

    handles = [_heading("Parametrization")]
    for k, name in enumerate(race.charts):
        marks: dict[str, Any] = {
            "color": COLOURS[k % len(COLOURS)],
            "marker": MARKERS[k % len(MARKERS)],
            "linestyle": "none",
        }
        handles.append(Line2D([], [], label=name, **marks))
    handles += [_heading(""), _heading("Optimizer")]
    for k, name in enumerate(race.optimizers):
        face = "0.3" if k % 2 == 0 else "white"
        line: dict[str, Any] = {
            "color": "0.3",
            "linestyle": LINES[k % len(LINES)],
            "marker": "o",
            "markerfacecolor": face,
        }
        handles.append(Line2D([], [], label=fill(name, 30), markersize=4.5, **line))
    handles.append(_heading(""))
    if paths:
        handles += _keys_of_paths(race)
    if any(run.diverged for run in race.runs):
        handles.append(Line2D([], [], label="diverged: last point inside\nthe domain, or of the run", **CROSS))
    if gaps:
        dots = (0, (1, 3))
        handles.append(Line2D([], [], color="0.35", linewidth=1.0, linestyle=dots, label=f"arrived: {ARRIVED:g} nats"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False, fontsize=9, handlelength=2.6)
    start = ", ".join(f"{name} {value:.4g}" for name, value in zip(race.field.home_names, race.start, strict=True))
    if len(start) > 90:
        start = "the same distribution"
    title = f"Race: {race.field.title}\nAll paths start at {start}, {race.start_gap:.4g} nats below the maximum"
    figure.suptitle(title + (f"\n{note}" if note else ""), x=0.01, ha="left", fontsize=12)


def _heading(text: str) -> Any:
    from matplotlib.lines import Line2D

    label = rf"$\bf{{{text}}}$" if text else " "
    return Line2D([], [], linestyle="none", label=label)


def _keys_of_paths(race: Race) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        Line2D([], [], marker="o", markersize=10, color="black", markerfacecolor="none", linestyle="none", label="start"),
        Line2D([], [], marker="*", markersize=13, color="black", markerfacecolor="#F0E442", linestyle="none",
               label="maximum of the likelihood"),
        Line2D([], [], color="0.25", linewidth=0.9, label=f"Fisher ellipse: KL ball\nof {nats(race.radius)}"),
        Line2D([], [], color="0.62", linewidth=0.9, label="log-likelihood, in nats\nbelow its maximum"),
        Patch(color="0.9", label="outside the domain"),
    ]  # fmt: skip
