"""One self-contained interactive page of a race: plotly and the data inside, nothing from the network."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit._version import __version__
from natfit.diagnostics.plotting import COLOURS
from natfit.diagnostics.races.page import PAGE, SCRIPT, STYLE
from natfit.diagnostics.races.track import Run
from natfit.diagnostics.races.view import FINE, LEVELS, View, nats, views

if TYPE_CHECKING:
    from natfit.diagnostics.races.races import Race

Array = np.ndarray[Any, np.dtype[Any]]

SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "2px,2px")
"""Plotly's names for the markers and lines of `natfit.diagnostics.plotting`."""

GLYPHS = (("●", "○"), ("■", "□"), ("▲", "△"), ("◆", "◇"), ("▼", "▽"), ("✚", "✛"), ("⬢", "⬡"))
PATTERNS = ("none", "9 5", "2 3", "9 3 2 3", "14 5", "14 3 2 3", "3 2")
"""The same for the key in the table: markers filled and open, and lengths of dashes and gaps."""

ALL = "all"
"""The choice of every parametrization, and of every optimizer."""


def page(race: Race) -> str:
    """Return the page.

    Raises
    ------
    ValueError
        If the model has not two parameters.
    ImportError
        If plotly is missing; the message names the extra to install.
    """
    each, together = views(race)
    plotly = plotly_script()
    seen = {**each, ALL: together}
    data = {
        "views": {name: _view(view) for name, view in seen.items()},
        "runs": [_run(race, run, seen) for run in race.runs],
        "gaps": _gap_layout(race),
    }
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    heads = ["key", "optimizer", "parametrization", "iteration", *race.field.home_names]
    heads += ["gap (nats)", "decrement (std errors²)", "KL to the optimum (nats)", "passes"]
    return PAGE.format(
        title=html.escape(f"Race: {race.field.title}"),
        words=html.escape(_words(race)),
        style=STYLE,
        plotly=plotly,
        charts=_options({**{name: name for name in each}, ALL: f"all, carried to {together.name}"}),
        optimizers=_options({ALL: "all", **{name: name for name in race.optimizers}}),
        most=max(len(run.gap) for run in race.runs) - 1,
        heads="".join(f'<th scope="col">{html.escape(head)}</th>' for head in heads),
        data=text,
        script=SCRIPT,
    )


def plotly_script() -> str:
    """Return plotly's own script, a few megabytes.

    Raises
    ------
    ImportError
        If plotly is missing; the message names the extra to install.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise ImportError("the interactive page needs plotly: install natfit[plot].") from error
    return get_plotlyjs()


def _words(race: Race) -> str:
    return (
        f"Every optimizer in every parametrization starts at the circle, {race.start_gap:.4g} nats below the maximum of the "
        "likelihood (star). A red cross is where a run diverged; grey is outside the domain. The shaded ellipse round each "
        "iterate is its KL ball to second order: by the Fisher information, all distributions within "
        f"{nats(race.radius)} of it over all rows. Steps are of the log-likelihood of an average row. Made by natfit "
        f"{__version__}."
    )


def _options(choices: dict[str, str]) -> str:
    return "".join(
        f'<option value="{html.escape(value)}">{html.escape(text)}</option>' for value, text in choices.items()
    )


def plain(values: Any) -> Any:
    """Return numbers to seven digits as lists for JSON, None for what is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> plain(np.array([1 / 3, np.nan]))
    [0.3333333, None]
    """
    if isinstance(values, np.ndarray) and values.ndim:
        return [plain(each) for each in values]
    return float(f"{values:.7g}") if np.isfinite(values) else None


def _view(view: View) -> dict[str, Any]:
    """Return contours, axes, start and optimum."""
    import plotly.graph_objects as go

    x, y, gap = view.contours
    thin = slice(None, None, 2 if len(x) == FINE else 1)
    levels = view.field.measure(view.start)[0] * LEVELS
    with np.errstate(all="ignore"):
        heights = np.log(np.clip(gap[thin, thin], 0.25 * levels[0], 4.0 * levels[-1]))
    contour = go.Contour(
        contours={"start": np.log(levels[0]), "end": np.log(levels[-1]) + 1e-9, "size": np.log(4.0)},
        colorscale=[[0.0, "#8fa8bd"], [1.0, "#ffffff"]],
        line={"color": "#888", "width": 0.8},
        colorbar={
            "title": {"text": "nats below<br>the maximum"},
            "tickvals": plain(np.log(levels)),
            "ticktext": [f"{float(f'{level:.2g}'):g}" for level in levels],
            "thickness": 12,
            "len": 0.75,
        },
        hoverinfo="skip",
    )
    low, high = view.box
    layout = _layout(*view.labels)
    layout["xaxis"]["range"], layout["yaxis"]["range"] = ([low[j], high[j]] for j in (0, 1))
    ends = view.coordinates(np.array([view.start, view.field.optimum]))
    return {
        "contour": {**contour.to_plotly_json(), "x": plain(x[thin]), "y": plain(y[thin]), "z": plain(heights)},
        "layout": layout,
        "start": plain(ends[0]),
        "optimum": plain(ends[1]),
    }


def _layout(x: str, y: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": x}, "zeroline": False},
        "yaxis": {"title": {"text": y, "standoff": 14}, "zeroline": False, "automargin": True},
        "showlegend": False,
        "margin": {"l": 80, "r": 20, "t": 20, "b": 60},
        "plot_bgcolor": "#ececec",
        "uirevision": x + y,
    }


def _gap_layout(race: Race) -> dict[str, Any]:
    layout = _layout("iteration", "gap: log-likelihood below its maximum (nats)")
    top = np.log10(30.0 * race.start_gap)
    layout["plot_bgcolor"] = "#ffffff"
    layout["yaxis"].update(type="log", exponentformat="power", gridcolor="#ddd", range=[-13.0, float(top)])
    layout["xaxis"].update(gridcolor="#ddd", rangemode="tozero")
    return layout


def _run(race: Race, run: Run, seen: dict[str, View]) -> dict[str, Any]:
    """Return a run's numbers, and its path and balls in each view that shows it."""
    chart, optimizer = list(race.charts).index(run.parametrization), race.optimizers.index(run.optimizer)
    filled = optimizer % 2 == 0
    drawn = {}
    for name in (run.parametrization, ALL):
        view = seen[name]
        balls = np.array([view.ball_axes(home).ravel() for home in run.home])
        drawn[name] = {"xy": plain(view.path(run)), "balls": plain(balls)}
    return {
        "optimizer": run.optimizer,
        "parametrization": run.parametrization,
        "outcome": run.outcome,
        "diverged": run.diverged,
        "gap": plain(run.gap),
        "drop": plain(np.maximum(run.gap, 1e-13)),
        "decrement": plain(run.decrement),
        "kl": plain(run.kl),
        "passes": [int(each) for each in run.passes],
        "home": plain(run.home),
        "views": drawn,
        "look": {
            "color": COLOURS[chart % len(COLOURS)],
            "symbol": SYMBOLS[chart % len(SYMBOLS)] + ("" if filled else "-open"),
            "glyph": GLYPHS[chart % len(GLYPHS)][0 if filled else 1],
            "pattern": PATTERNS[optimizer % len(PATTERNS)],
            "dash": DASHES[optimizer % len(DASHES)],
        },
    }
