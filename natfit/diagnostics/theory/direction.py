"""The natural gradient is one direction in all parametrizations, the gradient another in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from natfit.diagnostics.plotting import finish, series
from natfit.diagnostics.report import Report
from natfit.diagnostics.theory.derivatives import Map, along, gradient
from natfit.diagnostics.theory.loss import at_minimum, make_loss
from natfit.diagnostics.theory.place import Place, angle
from natfit.diagnostics.theory.verdicts import NUMERICAL
from natfit.families.family import Coordinates
from natfit.parametrizations import Parametrization
from natfit.parametrizations.base import Array

STATEMENT = "J F^-1 grad L is one vector and grad L' F^-1 grad L one number in all parametrizations; J grad L is not"
QUANTITY = "largest relative difference between natural gradients"
COINCIDENCE = 1e-3
"""Angle in degrees under which two gradients count as the same direction."""


def check_direction(
    family: Any,
    params: ArrayLike,
    data: ArrayLike | None = None,
    parametrization: Coordinates = None,
    *,
    target: ArrayLike | None = None,
    others: Sequence[str | Parametrization] | None = None,
) -> Report:
    """Push gradient and natural gradient from each parametrization to one, and compare them there.

    In each parametrization the loss is differentiated numerically as a function of its coordinates, the family's Fisher
    matrix there is solved with, and the direction d is carried over as the derivative of the distribution reached:
    d/dt of coordinates(xi + t d) at 0. No Jacobian is used on the way, so a wrong one is found. The natural gradients
    must be one vector, length included, and the decrement grad L' F^-1 grad L one number; the gradients agree only by
    coincidence, which is said where it happens.

    Source: Amari (1998), section 2; Amari (2016), section 12.1.

    Parameters
    ----------
    family, params, data, parametrization, target
        As for `check_steepest_descent`.
    others : sequence of str or Parametrization, optional
        Parametrizations to compare with; all of the family where omitted.

    Returns
    -------
    Report
        Its number is the largest relative difference between natural gradients (in the metric F), its error that of the
        numerical derivatives.

    Raises
    ------
    ValueError
        If a point is outside the domain or of another length, a parametrization is unknown, the Fisher matrix is
        singular, or data lie outside the support.

    Examples
    --------
    >>> report = check_direction("gaussian", [0.0, 4.0], target=[1.0, 2.0], others=["precision", "log_sd"])
    >>> report.passed, list(report.details["parametrization"])
    (True, ['variance', 'precision', 'log_sd'])
    """
    place = Place(family, params, parametrization)
    loss = make_loss(place, data, target)
    slopes, error = loss.slopes()
    charts = [chart for chart in others or place.family.parametrizations if _label(chart) != place.chart_name]
    reason = _void(place, charts) or at_minimum(slopes, loss)
    if reason:
        return Report.void("direction", STATEMENT, place.text, QUANTITY, reason)
    rows = [_row(place, place, place.chart_name, loss, slopes)]
    for chart in charts:
        if place.family.parametrization(chart).size == place.size:
            rows.append(_row(place, _elsewhere(place, chart), _label(chart), loss, slopes))
    details = pd.DataFrame(rows)
    value = float(details["natural_difference"].max())
    decrement = details["decrement"]
    spread = float((decrement.max() - decrement.min()) / decrement.iloc[0])
    return Report(
        name="direction",
        statement=STATEMENT,
        where=f"{place.text}; loss: {loss.text}",
        value=value,
        error=error / float(np.linalg.norm(slopes)),
        value_text=QUANTITY,
        verdict=_verdict(details, value, spread, place),
        details=details,
        passed=bool(value <= NUMERICAL and spread <= NUMERICAL),
        draw=_draw,
    )


def _void(place: Place, charts: list[str | Parametrization]) -> str:
    """Return why the statement says nothing here, or an empty string."""
    if place.size < place.chart.home_size:
        return (
            f"{place.chart_name} has {place.size} coordinates for {place.chart.home_size} home parameters: the natural "
            "gradient there is that of a smaller model, which other parametrizations of the family do not describe."
        )
    if not charts:
        return f"{place.family.name} has one parametrization; register another to compare with."
    return ""


def _elsewhere(place: Place, chart: str | Parametrization) -> Place:
    """Return the same distribution in another parametrization."""
    return Place(place.family, place.family.from_home(place.theta, chart), chart)


def _label(chart: str | Parametrization) -> str:
    return chart if isinstance(chart, str) else repr(chart)


def _row(base: Place, at: Place, name: str, loss: Any, base_slopes: Array) -> dict[str, Any]:
    """Gradient and natural gradient of one parametrization, pushed to the base's axes."""

    def carried(xi: Array) -> Array:
        return base.chart.from_home(at.home(xi)) if at is not base else xi

    slopes = base_slopes if at is base else gradient(lambda xi: loss(carried(xi)), at)[0]
    # the natural gradient F^-1 g is V slopes, the gradient g is L slopes; both as steps along the axes V
    natural = _pushed(base, at, carried, slopes)
    plain = _pushed(base, at, carried, at.lower.T @ at.lower @ slopes)
    base_plain = base.lower.T @ base.lower @ base_slopes
    euclid = angle(base.axes @ plain, base.axes @ base_plain)
    return {
        "parametrization": name,
        "natural_difference": float(np.linalg.norm(natural - base_slopes) / np.linalg.norm(base_slopes)),
        "natural_angle": angle(natural, base_slopes),
        "gradient_angle": angle(plain, base_plain),
        "gradient_euclidean_angle": euclid,
        "natural_length_ratio": float(np.linalg.norm(natural) / np.linalg.norm(base_slopes)),
        "gradient_length_ratio": float(np.linalg.norm(plain) / np.linalg.norm(base_plain)),
        "decrement": float(slopes @ slopes),
        "stretch": 1.0 if at is base else _stretch(base, at, carried),
    }


def _pushed(base: Place, at: Place, carried: Map, step: Array) -> Array:
    """Carry a step along the axes of ``at`` to the axes of ``base``."""
    return step if at is base else base.lower.T @ along(carried, at, step)


def _stretch(base: Place, at: Place, carried: Map) -> float:
    """Return the largest over the smallest stretch of a unit step carried over; 1 for a similarity (conformal map)."""
    reached = np.stack([along(carried, at, at.lower.T @ unit) for unit in np.eye(at.size)], axis=-1)
    return float(np.linalg.cond(reached))


def _verdict(details: pd.DataFrame, value: float, spread: float, place: Place) -> str:
    count = len(details)
    decrement = f"the decrement is {details['decrement'].iloc[0]:.6g} in all {count} (relative spread {spread:.1g})"
    if not (value <= NUMERICAL and spread <= NUMERICAL):
        worst = details.loc[details["natural_difference"].idxmax()]
        return (
            f"the natural gradient from {worst['parametrization']} differs from that of {place.chart_name} by "
            f"{worst['natural_difference']:.2g} of its length ({worst['natural_angle']:.2g} degrees), and the decrement "
            f"has a relative spread of {spread:.1g}: the Jacobian of {worst['parametrization']} or F there is wrong."
        )
    same = f"pushed from {count - 1} other parametrizations, the natural gradient is one vector to {value:.1g}; {decrement}"
    others = details.iloc[1:]
    if place.size == 1:
        ratios = others["gradient_length_ratio"]
        return (
            f"{same}; with one coordinate the plain gradient has the same direction, but {ratios.min():.3g} to "
            f"{ratios.max():.3g} times the length."
        )
    turned = others["gradient_angle"]
    if turned.max() < COINCIDENCE:
        return f"{same}; the plain gradient has the same direction in all of them too, by coincidence at this point."
    told = _coincidences(others[turned < COINCIDENCE], place)
    return f"{same}; the plain gradient turns by up to {turned.max():.3g} degrees{told}."


def _coincidences(rows: pd.DataFrame, place: Place) -> str:
    """Say from where the gradient's direction is the same, and why."""
    if rows.empty:
        return ""
    similar = list(rows.loc[rows["stretch"] < 1.0 + 1e-6, "parametrization"])
    chance = [name for name in rows["parametrization"] if name not in similar]
    told = []
    if similar:
        told.append(
            f"from {', '.join(similar)} not at all: the map to {place.chart_name} stretches all directions alike here"
        )
    if chance:
        told.append(f"from {', '.join(chance)} not at all, by coincidence for this loss")
    return f" ({'; '.join(told)})"


def _draw(ax: Any, report: Report) -> None:
    d = report.details.iloc[1:]
    position = np.arange(len(d))
    base = report.details["parametrization"].iloc[0]
    if report.details["gradient_angle"].max() < COINCIDENCE:  # no angle to be seen: what differs is the length
        columns, x = ("gradient_length_ratio", "natural_length_ratio"), f"length of the vector, that of {base} = 1"
        ax.set_xscale("log")
    else:
        columns = ("gradient_angle", "natural_angle")
        x = f"angle to the direction of {base}, in the metric F (degrees)"
    ax.plot(d[columns[0]], position, label="gradient", **series(1, line=False))
    ax.plot(d[columns[1]], position, label="natural gradient", **series(0, line=False, filled=False))
    ax.set_yticks(position, d["parametrization"])
    ax.set_ylim(len(d) - 0.5, -0.5)
    finish(ax, "One vector in all parametrizations?", x, "parametrization", report.where.split("; loss")[0])
