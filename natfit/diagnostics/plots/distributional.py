"""Figures of a distributional regression: hanging rootogram, and the histogram of the probability integral transform."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.diagnostics.plotting import COLOURS, finish, new_axes

RARE = 0.05
"""Expected rows under which the counts below the data's least are not drawn."""


def plot_rootogram(fit: Any, highest: int | None, width: int | None, ax: Any) -> Any:
    """Draw a hanging rootogram; see `DistributionalResults.plot_rootogram`."""
    table = fit.rootogram(highest, width)
    seen = (table["observed"] > 0.0) | (table["expected"].cumsum() > RARE)
    table = table[seen.cummax()]
    together = int(np.diff(table.index[:2])[0]) if len(table) > 1 else 1
    ax = new_axes(ax)
    root, expected = np.sqrt(table["observed"].to_numpy()), np.sqrt(table["expected"].to_numpy())
    counts = table.index.to_numpy() + 0.5 * (together - 1)
    ax.bar(
        counts,
        root,
        bottom=expected - root,
        width=0.9 * together,
        color=COLOURS[5],
        edgecolor="white",
        label="observed",
    )
    ax.plot(counts, expected, color=COLOURS[1], marker="o", markersize=4, linewidth=1.6, label="expected")
    ax.axhline(0.0, color="0.2", linewidth=1.0)
    ax.axhspan(-1.0, 1.0, color="0.85", linewidth=0, zorder=0, label="within chance (+-1)")
    ax.set_ylim(bottom=min(float((expected - root).min()), -1.0) - 0.06 * float(expected.max()))
    ax.xaxis.get_major_locator().set_params(integer=True)
    told = "Bars that end below 0 are counts that the model expects too rarely; above, too often."
    x = "Count" if together == 1 else f"Count, {together} of them together"
    finish(ax, f"Hanging rootogram, {fit.family.name}", x, "Root of the number of rows", told)
    return ax


def plot_pit(fit: Any, bins: int, ax: Any) -> Any:
    """Draw the histogram of the probability integral transform; see `DistributionalResults.plot_pit`."""
    shares = fit.pit(bins)
    ax = new_axes(ax)
    edges = np.linspace(0.0, 1.0, bins + 1)
    even, n = 1.0 / bins, fit.model.wnobs
    error = 1.96 * np.sqrt(even * (1.0 - even) / n)
    ax.axhspan(even - error, even + error, color="0.85", linewidth=0, zorder=0, label="95 % of each bin by chance")
    ax.bar(edges[:-1], shares, width=even, align="edge", color=COLOURS[5], edgecolor="white", label="rows")
    ax.axhline(even, color=COLOURS[1], linewidth=1.6, label="calibrated")
    told = "A valley: the model spreads too little. A hill: too much. A slope: it is biased."
    finish(ax, f"Probability integral transform, {fit.family.name}", "P(Y <= y)", "Share of the rows", told)
    return ax
