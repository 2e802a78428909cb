"""Figures of mixtures: densities, ellipses, criteria, and the way of EM beside the natural gradient's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.diagnostics.plots.density import draw_rows
from natfit.diagnostics.plotting import (
    COLOURS,
    LINES,
    MARKERS,
    finish,
    grid_of_axes,
    logarithmic,
    new_axes,
    series,
)
from natfit.results.mixtures.covariance import is_normal

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults
    from natfit.results.mixtures.selection import MixtureSelection

Array = np.ndarray[Any, np.dtype[Any]]

MOST_POINTS = 5_000
"""Rows drawn in a scatter plot; of more, every so many."""

MOST_COLUMNS = 4
"""Columns of which all pairs are drawn where none are chosen."""

LINEAR = 10.0
"""Up to here differences of a criterion are drawn to scale: beyond, the evidence is overwhelming (Kass & Raftery, 1995)."""

MOST_EM = 3_000
"""Passes of EM that are drawn for comparison."""


def plot_mixture(fit: MixtureResults, ax: Any = None, columns: Any = None) -> Any:
    """Draw a fitted mixture of one column over a histogram, or of two columns as ellipses over the rows; return the axes.

    Of three or four columns, all pairs are drawn where none are chosen and no axes given.

    Raises
    ------
    ValueError
        If the rows are not in memory, or two columns out of several are not named.
    """
    data = fit.base.data
    if data.y is None:
        raise ValueError("the plot needs the rows in memory, and this fit has them from a source; fit arrays instead")
    if len(fit.columns) == 1:
        return _density(fit, new_axes(ax))
    if columns is None and ax is None and 2 < len(fit.columns) <= MOST_COLUMNS:
        pairs = list(combinations(fit.columns, 2))
        axes = grid_of_axes(len(pairs))
        for pair, place in zip(pairs, axes.flat, strict=False):
            _ellipses(fit, new_axes(place), list(pair))
        return axes
    chosen = list(columns or fit.columns)
    if len(chosen) != 2 or not set(chosen) <= set(fit.columns):
        raise ValueError(f"name two columns to draw, as in plot(columns=[...]); there are {', '.join(fit.columns)}")
    return _ellipses(fit, new_axes(ax), chosen)


def _density(fit: MixtureResults, ax: Any) -> Any:
    y, weight = np.asarray(fit.base.data.y).ravel(), fit.base.data.weight
    part, home = fit._parts[0], fit._members[0]
    family = part.components.family
    discrete = family.support.discrete
    x = draw_rows(ax, y, weight, family.support)
    shape = x.reshape(-1, 1, *([1] * len(family.support.event_shape)))
    each = np.exp(family.home_log_prob(shape, home[None])) * fit._weights[: len(home)]
    ax.plot(x, np.exp(fit.score_samples(x).to_numpy()), color="0.35", lw=3.0, label="mixture")
    for k in range(len(home)):
        own = {} if discrete else {"markevery": (7 * k % 50, 50)}
        ax.plot(x, each[:, k], label=name_of(fit, k), **(series(k, filled=False) | {"markersize": 5} | own))
    finish(ax, f"Mixture of {fit.n_components}", str(fit.columns[0]), "Probability" if discrete else "Density")
    return ax


def name_of(fit: MixtureResults, component: int) -> str:
    """Return a component's name for a legend: its number and its weight."""
    return f"component {component}, weight {fit._weights[component]:.2f}"


def _ellipses(fit: MixtureResults, ax: Any, chosen: list[str]) -> Any:
    y = np.asarray(fit.base.data.y)
    every = max(1, len(y) // MOST_POINTS)
    i, j = (fit.columns.index(name) for name in chosen)
    label = fit.predict().to_numpy()[::every]
    for k in range(fit.n_components):
        own = label == k
        style = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)]}
        ax.scatter(y[::every, i][own], y[::every, j][own], s=14, alpha=0.45, linewidths=0, **style)
    angle = np.linspace(0.0, 2.0 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for k, (mean, covariance) in enumerate(_two_columns(fit, chosen)):
        for share, width in ((0.5, 1.8), (0.9, 0.9)):
            radius = np.sqrt(-2.0 * np.log1p(-share))  # of a chi-squared with two degrees of freedom
            path = mean[:, None] + radius * np.linalg.cholesky(covariance) @ circle
            name = name_of(fit, k) if share == 0.5 else None
            line = {"color": COLOURS[k % len(COLOURS)], "linestyle": LINES[k % len(LINES)]}
            ax.plot(*path, lw=width, label=name, **line)
    told = "Ellipses hold 50 % and 90 % of a component."
    finish(ax, f"Mixture of {fit.n_components}", str(chosen[0]), str(chosen[1]), told)
    return ax


def _two_columns(fit: MixtureResults, chosen: list[str]) -> Iterator[tuple[Array, Array]]:
    """Return the mean and the covariance of two columns under each component; none where they are not Gaussian."""
    if any(is_normal(part) for part in fit._parts):
        columns, means, covariances = fit._gaussian
        if set(chosen) <= set(columns):
            own = [columns.index(name) for name in chosen]
            yield from zip(means[:, own], covariances[:, own][:, :, own], strict=True)


def plot_selection(selection: MixtureSelection, criterion: str = "bic", ax: Any = None) -> Any:
    """Draw a criterion, less its least value, against the number of components, a line for each covariance model.

    The legend names models from the best to the worst.
    """
    ax = new_axes(ax)
    value = {key: float(getattr(fit, criterion)) for key, fit in selection.fits.items()}
    best = min(value, key=lambda key: value[key])
    names = list(dict.fromkeys(name for name, _ in value))
    styles = {name: series(k, filled=k < len(MARKERS)) for k, name in enumerate(names)}
    for name in sorted(names, key=lambda name: min(each for (own, _), each in value.items() if own == name)):
        points = sorted((size, each - value[best]) for (own, size), each in value.items() if own == name)
        ax.plot(*zip(*points, strict=True), label=name if selection.gaussian else None, **styles[name])
    ax.plot(best[1], 0.0, marker="o", ms=15, mfc="none", mec="0.15", ls="none", label="best")
    ax.set_yscale("symlog", linthresh=LINEAR)
    ax.set_ylim(bottom=-0.2 * LINEAR)
    ax.xaxis.get_major_locator().set_params(integer=True)
    rule = criterion.upper()
    told = f"The best is {value[best]:.1f}. The axis is linear up to {LINEAR:g}, then logarithmic."
    finish(ax, f"{rule} of each number of components", "Number of components", f"{rule} above the best", told)
    return ax


def plot_convergence(fit: MixtureResults, ax: Any = None) -> Any:
    """Draw the log-likelihood still to be gained against passes over the data, for this fit and for EM; return the axes."""
    from matplotlib.ticker import LogLocator, ScalarFormatter

    traces = fit.model.traces(fit.base, MOST_EM)
    ax = new_axes(ax)
    least = 1e-10 * max(abs(fit.llf), 1.0)
    for name, style in (("EM", {"color": "0.5", "linestyle": "--"}), ("natfit", {"color": COLOURS[0]})):
        passes, left = np.array(traces[name], dtype=float).T
        ax.plot(passes, np.maximum(left, least), label=name, linewidth=2.0, **style)
    logarithmic(ax)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(ScalarFormatter())
    finish(ax, "EM and the natural gradient", "Passes over the data", "Log-likelihood left to gain, nats")
    return ax
