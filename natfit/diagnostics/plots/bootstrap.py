"""Histograms of a bootstrap's replicates."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.diagnostics.plotting import COLOURS, finish, grid_of_axes, style


def plot_bootstrap(boot: Any, columns: list[Any], alpha: float, method: str) -> Any:
    """Draw one histogram for each column; see `natfit.results.bootstrap.results.BootstrapResults.plot`."""
    unknown = [name for name in columns if name not in boot.estimate.index]
    if unknown or not columns:
        raise ValueError(
            f"columns must be some of {', '.join(map(str, boot.estimate.index))}, "
            f"got {', '.join(map(str, unknown)) or 'none'}"
        )
    limits = boot.conf_int(alpha, method)
    axes = grid_of_axes(len(columns), 1 if len(columns) == 1 else 2)
    for ax, name in zip(axes.flat, columns, strict=False):
        style(ax)
        values = boot.replicates[name].dropna().to_numpy()
        ax.hist(values, bins=_bins(values), color=COLOURS[5], edgecolor="white", linewidth=0.4)
        ax.axvline(boot.estimate[name], color=COLOURS[2], linewidth=1.8, label="estimate")
        for k, limit in enumerate(limits.loc[name]):
            label = f"{method} limits, {100 * (1 - alpha):g}%" if k == 0 else None
            ax.axvline(limit, color=COLOURS[1], linewidth=1.6, linestyle="--", label=label)
        left_out = boot.n - boot.n_used
        subtitle = f"{len(values)} replicates" + (f", {left_out} without a maximum left out" if left_out else "")
        finish(ax, f"{name}: bootstrap ({boot.kind})", str(name), "Replicates", subtitle)
    return axes.ravel()[: len(columns)]


def _bins(values: Any) -> int:
    return int(np.clip(2.0 * len(values) ** (1 / 3), 5, 60))
