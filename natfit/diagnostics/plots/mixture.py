"""Figures of mixtures: densities, ellipses, criteria, and the way of EM beside the natural gradient's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.multivariate_normal import MultivariateNormal

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults
    from natfit.results.mixtures.selection import MixtureSelection

Array = np.ndarray[Any, np.dtype[Any]]

MOST_POINTS = 5_000
"""Rows drawn in a scatter plot; of more, every so many."""

MOST_EM = 3_000
"""Passes of EM that are drawn for comparison."""


def axes_of(ax: Any, **options: Any) -> Any:
    """Return the axes given, or those of a new figure."""
    import matplotlib.pyplot as plt

    return plt.subplots(**options)[1] if ax is None else ax


def plot_mixture(fit: MixtureResults, ax: Any = None, columns: Any = None) -> Any:
    """Draw a fitted mixture of one column over a histogram, or of two columns as ellipses over the rows; return the axes.

    Raises
    ------
    ValueError
        If the rows are not in memory, or two columns out of several are not named.
    """
    data = fit.base.data
    if data.y is None:
        raise ValueError("the plot needs the rows in memory, and this fit has them from a source; fit arrays instead")
    if len(fit.columns) == 1:
        return _density(fit, axes_of(ax))
    chosen = list(columns or fit.columns)
    if len(chosen) != 2 or not set(chosen) <= set(fit.columns):
        raise ValueError(f"name two columns to draw, as in plot(columns=[...]); there are {', '.join(fit.columns)}")
    return _ellipses(fit, axes_of(ax), chosen)


def _density(fit: MixtureResults, ax: Any) -> Any:
    y, weight = np.asarray(fit.base.data.y).ravel(), fit.base.data.weight
    part, home = fit._parts[0], fit._members[0]
    family = part.components.family
    discrete = family.support.discrete
    if discrete:
        edges = np.arange(y.min(), y.max() + 2) - 0.5
        x = np.arange(y.min(), y.max() + 1)
    else:
        edges = np.histogram_bin_edges(y, "fd" if weight is None else 30)
        pad = 0.05 * (y.max() - y.min())
        x = np.linspace(max(y.min() - pad, family.support.low + 1e-9), min(y.max() + pad, family.support.high), 600)
    ax.hist(y, edges, weights=weight, density=True, color="0.85", label="rows")
    shape = x.reshape(-1, 1, *([1] * len(family.support.event_shape)))
    each = np.exp(family.home_log_prob(shape, home[None])) * fit._weights[: len(home)]
    style = {"marker": "o", "ms": 4} if discrete else {}
    for k in range(len(home)):
        ax.plot(x, each[:, k], lw=1.2, label=f"component {k} ({fit._weights[k]:.2f})", **style)
    ax.plot(x, np.exp(fit.score_samples(x).to_numpy()), color="0.15", lw=1.8, label="mixture", zorder=3)
    ax.set(xlabel=fit.columns[0], ylabel="probability" if discrete else "density")
    ax.legend(frameon=False)
    return ax


def _ellipses(fit: MixtureResults, ax: Any, chosen: list[str]) -> Any:
    y = np.asarray(fit.base.data.y)
    every = max(1, len(y) // MOST_POINTS)
    i, j = (fit.columns.index(name) for name in chosen)
    label = fit.predict().to_numpy()[::every]
    from matplotlib import colormaps

    colours = colormaps["tab10"](np.arange(fit.n_components) % 10)
    ax.scatter(y[::every, i], y[::every, j], s=10, color=colours[label], alpha=0.5, linewidths=0)
    angle = np.linspace(0.0, 2.0 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for part, home in zip(fit._parts, fit._members, strict=True):
        if not isinstance(part.components.family, MultivariateNormal) or not set(chosen) <= set(part.columns):
            continue
        own = [part.columns.index(name) for name in chosen]
        means, covariances = part.components.family.unpack(home)
        for k, (mean, covariance) in enumerate(zip(means[:, own], covariances[:, own][:, :, own], strict=True)):
            for share, width in ((0.5, 1.8), (0.9, 0.9)):
                radius = np.sqrt(-2.0 * np.log1p(-share))  # of a chi-squared with two degrees of freedom
                path = mean[:, None] + radius * np.linalg.cholesky(covariance) @ circle
                name = f"component {k} ({fit._weights[k]:.2f})" if share == 0.5 else None
                ax.plot(*path, color=colours[k], lw=width, label=name)
    ax.set(xlabel=chosen[0], ylabel=chosen[1], title="ellipses hold 50 % and 90 % of a component")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False)
    return ax


def plot_selection(selection: MixtureSelection, criterion: str = "bic", ax: Any = None) -> Any:
    """Draw a criterion against the number of components, a line for each covariance model; return the axes."""
    from matplotlib import colormaps

    ax = axes_of(ax)
    names = list(dict.fromkeys(name for name, _ in selection.fits))
    colours = colormaps["tab20"](np.arange(len(names)) % 20)
    for name, colour in zip(names, colours, strict=True):
        points = sorted((size, getattr(fit, criterion)) for (own, size), fit in selection.fits.items() if own == name)
        ax.plot(*zip(*points, strict=True), marker="o", ms=4, lw=1.2, color=colour, label=name)
    best = min(selection.fits, key=lambda key: getattr(selection.fits[key], criterion))
    ax.plot(best[1], getattr(selection.fits[best], criterion), marker="o", ms=11, mfc="none", mec="0.15", ls="none")
    ax.set(xlabel="number of components", ylabel=f"{criterion.upper()} (smaller is better)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    if selection.gaussian:
        ax.legend(frameon=False, fontsize="small", ncols=2 if len(names) > 7 else 1)
    return ax


def plot_convergence(fit: MixtureResults, ax: Any = None) -> Any:
    """Draw the log-likelihood still to be gained against passes over the data, for this fit and for EM; return the axes."""
    traces = fit.model.traces(fit.base, MOST_EM)
    ax = axes_of(ax)
    least = 1e-10 * max(abs(fit.llf), 1.0)
    for name, colour in (("EM", "0.6"), ("natfit", "tab:blue")):
        passes, left = np.array(traces[name], dtype=float).T
        ax.plot(passes, np.maximum(left, least), label=name, color=colour, lw=1.8)
    ax.set(xscale="log", yscale="log", xlabel="passes over the data", ylabel="log-likelihood left to gain, nats")
    ax.legend(frameon=False)
    return ax
