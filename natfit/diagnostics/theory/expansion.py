"""KL between neighbours is half the quadratic form in the Fisher matrix, up to third order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from natfit.diagnostics.order import Order, measure_order
from natfit.diagnostics.plotting import finish, logarithmic, series
from natfit.diagnostics.report import Report
from natfit.diagnostics.theory.place import Place
from natfit.families.family import Coordinates
from natfit.parametrizations.base import Array

STATEMENT = "KL(xi || xi + d) = d'Fd / 2 + O(|d|^3)"

HALVINGS = 24
DIRECTIONS = 3
TRUSTED = 1e-7
"""Relative error of F and KL that is not held against a family: some are differentiated or integrated numerically."""

UNSEEN = (
    "rounding leaves fewer than three steps on which the error of the quadratic form can be seen; centre the data, or "
    "choose coordinates of moderate size."
)

VAGUE = 0.5
"""Uncertainty of an order from which it says nothing."""

MARGIN = 30.0
"""How many times above rounding an error must stand to count."""

SLACK = 0.15
"""How far below 3 the measured order may fall."""


def check_expansion(
    family: Any,
    params: ArrayLike,
    parametrization: Coordinates = None,
    *,
    direction: ArrayLike | None = None,
    seed: int = 0,
) -> Report:
    """Measure the order with which KL(xi || xi + d) departs from d'Fd / 2 as the step d is halved.

    The slope of log |KL - d'Fd / 2| against log |d| is taken over the smallest steps on which that error stands well
    above rounding, which is measured too: from the scatter of the error when the point is shaken in its last digits.
    The order is 3 in general and higher where the cubic term vanishes (a probability of one half, a mean alone);
    where the form is exact no order exists, and the verdict says so. An F that is wrong gives order 2.

    Sources: Kullback (1959), section 2.6; Amari (1998), Natural gradient works efficiently in learning, section 2.

    Parameters
    ----------
    family, params, parametrization
        As for `check_cross_entropy`.
    direction : array_like, (q,), optional
        Of the steps, in coordinates; three arbitrary ones where omitted (one for a single coordinate).
    seed : int
        Of the arbitrary directions.

    Returns
    -------
    Report
        Its number is the lowest order among the directions, its error that order's uncertainty.

    Raises
    ------
    ValueError
        If the point is outside the domain or of another length, the direction zero, or the Fisher matrix singular.

    Examples
    --------
    >>> report = check_expansion("poisson", [3.0])
    >>> report.passed, round(report.value, 1)
    (True, 3.0)
    >>> round(check_expansion("bernoulli", [0.5]).value, 1)  # the cubic term vanishes at one half
    4.0
    """
    place = Place(family, params, parametrization)
    directions = _directions(place, direction, seed)
    frames, orders = [], []
    for k, axis in enumerate(directions):
        frame, order = _halvings(place, axis)
        frames.append(frame.assign(direction=k + 1))
        orders.append(order)
    details = pd.concat(frames, ignore_index=True)
    known = [order for order in orders if order.known and order.error < VAGUE]
    exact = [bool((frame["error"] <= frame["rounding"]).all()) for frame in frames]
    lowest = min(known, key=lambda order: order.value, default=Order(np.nan, np.nan, np.nan, np.zeros(0, bool)))
    passed = all(order.value >= 3.0 - max(SLACK, 2.0 * order.error) for order in known)
    reason = "" if known or all(exact) else UNSEEN
    return Report(
        name="expansion",
        statement=STATEMENT,
        where=place.text,
        value=lowest.value,
        error=lowest.error,
        value_text="order of the error in the step",
        verdict=reason or _verdict(passed, lowest, exact, details),
        details=details,
        passed=None if reason else passed,
        reason=reason,
        draw=_draw,
    )


def _directions(place: Place, direction: ArrayLike | None, seed: int) -> Array:
    """Return steps of one standard error, rows in the place's axes."""
    if direction is None:
        axes = np.random.default_rng(seed + 2).normal(size=(min(place.size, DIRECTIONS), place.size))
    else:
        given = np.asarray(direction, dtype=float)
        if given.shape != (place.size,) or not np.isfinite(given).all() or not given.any():
            raise ValueError(f"A direction needs {place.size} finite numbers, not all zero, but got {given.tolist()}.")
        axes = (place.lower.T @ given)[None]
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _halvings(place: Place, axis: Array) -> tuple[pd.DataFrame, Order]:
    """KL, quadratic form, error and rounding at halved steps along one direction, and the order of the error."""
    h = 0.5 * place.radius * 0.5 ** np.arange(HALVINGS)
    # the point itself and eight points next to it in the last digits; steps are those really taken in floating point
    shake = np.concatenate([np.zeros((1, place.size)), np.random.default_rng(3).uniform(-8, 8, (8, place.size))])
    start = place.xi * (1.0 + np.finfo(float).eps * shake)
    start = start[np.asarray(place.contains(start))]
    step = (start + (h[:, None] * (place.axes @ axis))[:, None, :]) - start
    kl = np.asarray(place.kl(start, start + step))
    fisher = np.concatenate([place.fisher[None], place.family.fisher(start[1:], place.chart)])
    half = 0.5 * np.einsum("...i,...ij,...j->...", step, fisher, step)
    gap = kl - half
    rounding = np.abs(gap - gap[:, :1]).max(axis=1) + TRUSTED * half[:, 0]
    error = np.abs(gap[:, 0])
    order = measure_order(h, error, MARGIN * rounding)
    table = {
        "direction": 0,
        "step": h,
        "kl": kl[:, 0],
        "half_quadratic_form": half[:, 0],
        "error": error,
        "rounding": rounding,
        "used": order.used,
        "order": order.value,
        "constant": np.exp(order.log_constant),
    }
    return pd.DataFrame(table), order


def _verdict(passed: bool, lowest: Order, exact: list[bool], details: pd.DataFrame) -> str:
    if all(exact):
        return "the quadratic form is KL itself, to rounding, at every step: no term of third order exists here."
    some = " (in the other directions the form is exact)" if any(exact) else ""
    size = f"{lowest.text}{some}"
    steps = details.loc[details["used"], "step"]
    where = f"over steps of {steps.min():.1g} to {steps.max():.1g} standard errors"
    if not passed:
        return (
            f"the error of the quadratic form has order {size} {where}, not 3: order 2 means that F is not half the "
            "curvature of KL there."
        )
    if lowest.value > 3.5:
        return (
            f"the error falls with order {size} {where}, faster than the third order claimed: the cubic term vanishes "
            "at this point."
        )
    return f"the error of the quadratic form falls with order {size} {where}, as claimed."


def _draw(ax: Any, report: Report) -> None:
    for k, (number, d) in enumerate(report.details.groupby("direction")):
        above = d[d["error"] > d["rounding"]]
        used = d[d["used"]]
        if above.empty:
            continue
        slope = f"slope {used['order'].iloc[0]:.2f}" if len(used) else "no slope"
        ax.plot(above["step"], above["error"], **series(k, line=False, filled=False))
        ax.plot(used["step"], used["error"], label=f"|KL - d'Fd/2|, direction {number}:\n{slope}", **series(k))
    first = report.details[report.details["direction"] == 1]
    ax.plot(first["step"], first["kl"], color="0.5", linewidth=1.2, label="KL itself (slope 2)")
    ax.fill_between(
        first["step"], first["rounding"], first["rounding"].min(), color="0.88", label="rounding", linewidth=0
    )
    logarithmic(ax)
    finish(
        ax,
        "KL is half the quadratic form in F, up to third order (filled: fitted)",
        "length of the step d, in standard errors √(d'Fd)",
        "nats",
        report.where,
    )
