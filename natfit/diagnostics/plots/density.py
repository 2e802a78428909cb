"""A fitted density over a histogram of the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.diagnostics.plotting import COLOURS, finish, new_axes

Array = np.ndarray[Any, np.dtype[Any]]

BINS = 30
"""Of a histogram of measurements: rules for one hump make them too wide where there are several."""


def draw_rows(ax: Any, y: Array, weight: Array | None, support: Any) -> Array:
    """Draw the histogram of rows (n,), and return the places at which a density is to be drawn over it."""
    if support.discrete:
        edges = np.arange(y.min(), y.max() + 2) - 0.5
        places = np.arange(y.min(), y.max() + 1)
    else:
        edges = np.histogram_bin_edges(y, BINS)
        pad = 0.05 * (y.max() - y.min())
        places = np.linspace(max(y.min() - pad, support.low + 1e-9), min(y.max() + pad, support.high - 1e-9), 600)
    ax.hist(y, edges, weights=weight, density=True, color="0.85", label="rows")
    return places


def plot_distribution(fit: Any, ax: Any) -> Any:
    """Draw a fitted distribution over its rows; see `natfit.results.distribution_rows.DistributionRows.plot`."""
    y = fit._rows("the plot")
    ax = new_axes(ax)
    support = fit.family.support
    places = draw_rows(ax, y, fit.base.data.freq_weights, support)
    line = {"marker": "o", "linestyle": "-"} if support.discrete else {"linewidth": 2.0}
    ax.plot(places, np.exp(fit.distribution.log_prob(places)), color=COLOURS[0], label=fit.family.name, **line)
    finish(ax, "Fitted distribution", fit.base.data.name, "Probability" if support.discrete else "Density")
    return ax
