"""Regressions of a mixture over the rows that they were fitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults

MOST_POINTS = 5_000
"""Rows drawn of each component; of more, every so many."""


def plot_regressions(fit: MixtureRegressionResults, ax: Any = None, covariate: str | None = None) -> Any:
    """Draw each component's mean against one column of the design, over rows in the colour of their likeliest component.

    Parameters
    ----------
    fit : MixtureRegressionResults
    ax : matplotlib axes, optional
    covariate : str, optional
        The first column that is not constant where left out. Other columns and the offset stand at their means.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    ValueError
        If there is no such column.
    """
    from natfit.diagnostics.plotting import COLOURS, MARKERS, finish, new_axes, series

    data = fit.model.data
    design = data.design.dense()
    varies = np.ptp(design, axis=0) > 0.0
    if covariate is not None and covariate not in data.names:
        raise ValueError(f"no column {covariate!r} in the design; there are {', '.join(data.names)}")
    if covariate is None and not varies.any():
        raise ValueError("no column of the design varies, so there is nothing to draw the means against")
    at = int(np.argmax(varies)) if covariate is None else data.names.index(covariate)
    ax = new_axes(ax)
    x = np.linspace(design[:, at].min(), design[:, at].max(), 200)
    grid = np.repeat(design.mean(axis=0)[None], x.size, axis=0)
    grid[:, at] = x
    offset = data.linear_offset()
    rest = fit.likelihood.split(fit.base.params)[1]
    label = fit.classify().to_numpy()
    shown = slice(None, None, max(data.n_rows // MOST_POINTS, 1))
    for k, member in enumerate(fit.components.members):
        own = np.flatnonzero(label == k)[shown]
        style = {"color": COLOURS[k % len(COLOURS)], "marker": MARKERS[k % len(MARKERS)]}
        ax.scatter(design[own, at], data.y[own], s=14, alpha=0.5, linewidths=0, **style)
        eta = grid @ fit.model.spread(rest[fit.components.coefficients_at[k]]) + (
            0.0 if offset is None else offset.mean()
        )
        line = series(k) | {"marker": "none"}
        ax.plot(x, member.link.mean(eta)[0], label=f"component {k}, weight {fit.weights[k]:.2f}", **line)
    finish(ax, f"{fit.n_components} regressions of {data.y_name}", data.names[at], data.y_name)
    return ax
