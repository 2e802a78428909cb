"""Figures of profile likelihoods: the signed root against Wald's straight line, and how the other parameters move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.diagnostics.plotting import finish, grid_of_axes, new_axes, series, style
from natfit.results.prediction import quantile

if TYPE_CHECKING:
    from natfit.results.profile import ProfileLikelihood, ProfileLikelihoods

SMOOTH = 200
"""Points of the curve drawn through the table's rows."""


def draw_profile(profile: ProfileLikelihood, alpha: float, ax: Any = None, legend: bool = True) -> Any:
    """Draw one profile; return the axes."""
    ax = new_axes(ax) if ax is None else style(ax)
    table = profile.table
    value, root = table["value"].to_numpy(), table["signed_root"].to_numpy()
    target = quantile(1.0 - alpha / 2.0, profile._df(None))
    curve = {**series(0), "label": "signed root deviance"}
    ax.plot(*_smooth(value, root), **{**curve, "marker": "none"})
    ax.plot(value, root, **{**curve, "linestyle": "none", "label": None, "markersize": 4})
    if np.isfinite(profile.se):
        ends = np.array([value.min(), value.max()])
        ax.plot(ends, (ends - profile.estimate) / profile.se, **{**series(1), "marker": "none", "label": "Wald"})
    for limits, index, name in ((profile.wald(alpha), 1, "Wald limits"), (profile.conf_int(alpha), 0, "limits")):
        marks = {**series(index, line=False, filled=index == 0), "markersize": 8, "label": name}
        seen = np.isfinite(limits)
        if seen.any():
            ax.plot(limits[seen], np.array([-target, target])[seen], **marks)
    for level in (-target, 0.0, target):
        ax.axhline(level, color="0.6", linewidth=0.8, linestyle=":")
    told = "; ".join(profile.notes)
    finish(
        ax, f"Profile likelihood of {profile.name}", str(profile.name), "signed root deviance", told, f"{1 - alpha:.0%}"
    )
    if not legend and ax.get_legend() is not None:
        ax.get_legend().remove()
    return ax


def draw_profiles(profiles: ProfileLikelihoods, alpha: float) -> Any:
    """Draw several profiles, two to a row; return the array of axes."""
    axes = grid_of_axes(len(profiles))
    for place, (ax, one) in enumerate(zip(axes.flat, profiles.values(), strict=False)):
        draw_profile(one, alpha, ax, legend=place == min(1, len(profiles) - 1))
    return axes


def draw_traces(profile: ProfileLikelihood, axes: Any = None) -> Any:
    """Draw each of the other parameters along the profile; return the array of axes."""
    table = profile.table
    others = table.columns[2:]
    axes = grid_of_axes(max(len(others), 1)) if axes is None else np.atleast_1d(axes)
    value, root = table["value"].to_numpy(), table["signed_root"].to_numpy()
    for ax, name in zip(axes.flat, others, strict=False):
        style(ax).plot(*_smooth(value, table[name].to_numpy()), **{**series(0), "marker": "none"})
        ax.plot(value, table[name], **{**series(0, line=False), "markersize": 4})
        best = int(np.argmin(np.abs(root)))
        ax.plot(
            value[best : best + 1], table[name].iloc[best : best + 1], **{**series(1, line=False), "label": "estimate"}
        )
        finish(ax, f"{name} along the profile of {profile.name}", str(profile.name), str(name))
    return axes


def _smooth(x: Any, y: Any) -> tuple[Any, Any]:
    """Return a curve through points that keeps their order of rising and falling."""
    finite = np.isfinite(x) & np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(x) < 3:
        return x, y
    from scipy.interpolate import PchipInterpolator

    dense = np.linspace(x[0], x[-1], SMOOTH)
    return dense, PchipInterpolator(x, y)(dense)
