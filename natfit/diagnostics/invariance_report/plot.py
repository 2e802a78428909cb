"""The invariance report as a figure: spread against step, both logarithmic, with the slopes that were fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.diagnostics.plotting import finish, new_axes, series

if TYPE_CHECKING:
    from natfit.diagnostics.invariance_report.report import InvarianceReport
    from natfit.diagnostics.invariance_report.spread import Spread

LEAST = float(np.finfo(float).eps)
"""Spreads under the rounding unit, exact zeros among them, are drawn there."""


def draw(report: InvarianceReport, ax: Any = None) -> Any:
    """Draw the report and return the axes."""
    ax = new_axes(ax)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    drawn = [spread for spread in report.spreads.values() if np.isfinite(spread.spread).any()]
    for index, spread in enumerate(drawn):
        _draw_one(ax, spread, index)
    if any(spread.identical for spread in drawn):
        tolerance = max(spread.tolerance for spread in drawn)
        ax.axhspan(LEAST / 4.0, tolerance, color="0.93", zorder=0, label="counted as identical")
        ax.set_ylim(bottom=LEAST / 4.0)
    ax.set_xticks(report.steps, [_fraction(step) for step in report.steps])
    ax.minorticks_off()
    finish(
        ax,
        "Do paths depend on the parametrization?",
        "step h (flow time)",
        "spread: largest distance between two\nparametrizations (standard errors)",
        f"{report.case.title}: {', '.join(report.case.charts)}",
    )
    return ax


def _draw_one(ax: Any, spread: Spread, index: int) -> None:
    look = series(index, filled=not spread.identical)
    order = spread.order
    if spread.identical:
        label = f"{spread.way.label}:\nidentical to rounding"
    elif order.known:
        label = f"{spread.way.label}:\norder {order.value:.3f} ± {order.error:.3f}"
    else:
        label = f"{spread.way.label}:\norder not known"
    ax.plot(spread.steps, np.maximum(spread.spread, LEAST), label=label, **{**look, "linestyle": "none"})
    if order.known:
        ends = np.array([spread.steps.min(), spread.steps.max()])
        fitted = np.exp(order.log_constant) * ends**order.value
        ax.plot(ends, fitted, **{**look, "marker": "none"})


def _fraction(step: float) -> str:
    """Write a step as 1/n where it is one.

    Examples
    --------
    >>> _fraction(0.125), _fraction(0.3)
    ('1/8', '0.3')
    """
    count = 1.0 / step
    return f"1/{round(count)}" if abs(count - round(count)) < 1e-9 * count and count > 1.5 else f"{step:g}"
