"""One style for every figure of natfit: legible without colour, nothing on top of the data.

Series differ in colour, marker and line at once, so that they stay apart in grey and for colour-blind readers. The
colours are those of Okabe & Ito (2008), Color Universal Design, ordered so that neighbours also differ in lightness.
"""

from __future__ import annotations

from textwrap import fill, wrap
from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#000000", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
PANEL = (7.2, 4.2)
"""Width and height of one figure in inches, its legend included."""


def pyplot() -> Any:
    """Return matplotlib.pyplot.

    Raises
    ------
    ImportError
        If matplotlib is missing; the message names the extra to install.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError("figures need matplotlib: install natfit[plot].") from error
    return plt


def new_axes(ax: Any = None) -> Any:
    """Return axes in natfit's style: those given, or new ones in a figure of their own."""
    if ax is None:
        ax = pyplot().subplots(figsize=PANEL, layout="constrained")[1]
    return style(ax)


def grid_of_axes(count: int, columns: int = 2) -> Any:
    """Return an array of axes, at least ``count`` of them, in one new figure; those left over are invisible."""
    rows = -(-count // columns)
    size = (PANEL[0] * columns, PANEL[1] * rows)
    axes = pyplot().subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)[1]
    for ax in axes.flat[count:]:
        ax.set_visible(False)
    return axes


def style(ax: Any) -> Any:
    """Take away the box, put a light grid behind the data, and return the axes."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color="0.88", linewidth=0.8)
    ax.set_axisbelow(True)
    return ax


def series(index: int, line: bool = True, filled: bool = True) -> dict[str, Any]:
    """Return keywords for `Axes.plot` or `Axes.errorbar` of the index-th series: colour, marker and line together."""
    colour = COLOURS[index % len(COLOURS)]
    return {
        "color": colour,
        "marker": MARKERS[index % len(MARKERS)],
        "markersize": 6,
        "markerfacecolor": colour if filled else "white",
        "linestyle": LINES[index % len(LINES)] if line else "none",
        "linewidth": 1.6,
    }


def logarithmic(ax: Any) -> None:
    """Make both axes logarithmic, with labels at powers of ten only."""
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(numticks=7))
        axis.set_minor_formatter(NullFormatter())


def finish(ax: Any, title: str, x: str, y: str, subtitle: str = "", legend: str | None = None) -> None:
    """Name figure and axes, and put the legend (with a title of its own) to the right of the data."""
    ax.set_title("\n".join([title, *wrap(subtitle, 68)]), loc="left", fontsize=10.5)
    ax.set_xlabel(x)
    ax.set_ylabel(y)
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles,
            labels,
            title=legend,
            title_fontsize=9,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            frameon=False,
            fontsize=9,
            borderaxespad=0,
        )


def say(ax: Any, title: str, text: str) -> None:
    """Write a sentence where a figure would have been."""
    ax.set_title(title, loc="left", fontsize=10.5)
    ax.set_axis_off()
    ax.text(0.0, 0.9, fill(text, 60), transform=ax.transAxes, va="top", fontsize=10)
