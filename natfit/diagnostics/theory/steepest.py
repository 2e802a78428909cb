"""On a small sphere of constant KL the best step points along F^-1 gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from natfit.diagnostics.order import Order, measure_order
from natfit.diagnostics.plotting import finish, logarithmic, series
from natfit.diagnostics.report import Report
from natfit.diagnostics.theory.loss import at_minimum, make_loss
from natfit.diagnostics.theory.place import Place, angle
from natfit.diagnostics.theory.sphere import best_step
from natfit.families.family import Coordinates
from natfit.parametrizations.base import Array

STATEMENT = "argmin L(xi + d) on KL(xi || xi + d) = c is -F^-1 grad L / lambda, lambda = sqrt(grad L' F^-1 grad L / 2c)"

QUANTITY = "order of the angle in the radius"
RADII = 6
COINCIDENCE = 0.5
"""Angle in degrees, between gradient and natural gradient, under which there is nothing to tell them apart by."""

RESOLUTION = 1e-8
"""Angle in radians to which a best step is trusted: the derivatives that it is found with are good to about 1e-10."""

SLACK = 0.25
"""How far below 1 the order of the angle may fall."""


def check_steepest_descent(
    family: Any,
    params: ArrayLike,
    data: ArrayLike | None = None,
    parametrization: Coordinates = None,
    *,
    target: ArrayLike | None = None,
) -> Report:
    """Find the best step on spheres of constant KL numerically, and compare it with the natural gradient.

    For c = r^2 / 2 with r halved from about 0.1 to 0.004 standard errors, L(xi + d) is minimised subject to
    KL(xi || xi + d) = c by sequential quadratic programming (scipy's SLSQP) from an arbitrary start; F takes no part in
    it. Lagrange's condition to leading order, grad L + lambda F d = 0 with d'Fd = 2c, gives
    d = -F^-1 grad L / lambda and lambda = sqrt(grad L' F^-1 grad L / 2c). So the angle between minimiser and
    -F^-1 grad L vanishes with r, at first order at least, the multiplier's ratio to the predicted one tends to 1, and the
    angle to the plain gradient stays.

    Source: Amari (1998), theorem 1.

    Parameters
    ----------
    family, params, parametrization
        As for `check_cross_entropy`.
    data : array_like, (n, *event), optional
        The loss is their average negative log-likelihood.
    target : array_like, (q,), optional
        Instead of data: the loss is the cross-entropy against this distribution; a neighbour's where omitted.

    Returns
    -------
    Report
        Its number is the order with which the angle vanishes, its error that order's uncertainty. Not applicable with
        one coordinate, at a minimum of the loss, and where gradient and natural gradient coincide.

    Raises
    ------
    ValueError
        If the point is outside the domain or of another length, the Fisher matrix is singular there, or data lie
        outside the support.

    Examples
    --------
    >>> report = check_steepest_descent("gaussian", [0.0, 4.0], target=[1.0, 2.0])
    >>> report.passed, round(report.value)
    (True, 1)
    """
    place = Place(family, params, parametrization)
    loss = make_loss(place, data, target)
    slopes, _ = loss.slopes()
    plain = place.lower.T @ place.lower @ slopes  # the gradient L slopes, as a step along the axes
    reason = _void(place, slopes, plain) or at_minimum(slopes, loss)
    if reason:
        return Report.void("steepest descent", STATEMENT, place.text, QUANTITY, reason)
    predicted = float(np.linalg.norm(slopes))
    radii = 0.25 * place.radius * 0.5 ** np.arange(RADII)
    details = pd.DataFrame([_row(place, loss, r, slopes, plain, predicted) for r in radii])
    rounding = 20.0 * np.maximum(details["residual"], RESOLUTION)
    order = measure_order(radii, details["angle_natural"], np.degrees(rounding), points=4)
    multiplier = measure_order(radii, (details["multiplier_ratio"] - 1.0).abs(), rounding, points=4)
    passed = _vanishes(details["angle_natural"], 180.0, order) and _vanishes(
        details["multiplier_ratio"] - 1.0, 1.0, multiplier
    )
    limit = angle(plain, slopes)
    stays = details["angle_gradient"].iloc[-1] > 0.5 * limit
    passed = bool(passed and stays and details["angle_natural"].iloc[-1] < 0.5 * details["angle_gradient"].iloc[-1])
    return Report(
        name="steepest descent",
        statement=STATEMENT,
        where=f"{place.text}; loss: {loss.text}",
        value=order.value,
        error=order.error,
        value_text=QUANTITY,
        verdict=_verdict(passed, details, order),
        details=details,
        passed=passed,
        draw=_draw,
    )


def _void(place: Place, slopes: Array, plain: Array) -> str:
    """Return why the statement says nothing here, or an empty string."""
    if place.size == 1:
        return "there is one coordinate, so every direction of descent is the same; choose a family with two or more."
    eigenvalues = np.linalg.eigvalsh(place.fisher)
    if eigenvalues[-1] - eigenvalues[0] < 1e-6 * eigenvalues[-1]:
        return (
            "the Fisher matrix is a multiple of the identity at this point, so gradient and natural gradient are the same "
            "direction; choose another point or parametrization."
        )
    if np.any(slopes) and angle(plain, slopes) < COINCIDENCE:
        return (
            f"gradient and natural gradient of this loss are {angle(plain, slopes):.2g} degrees apart here (the gradient "
            "is next to an eigenvector of F), so nothing tells them apart; choose other data or another target."
        )
    return ""


def _row(place: Place, loss: Any, radius: float, slopes: Array, plain: Array, predicted: float) -> dict[str, float]:
    """The best step on one sphere, its angles and its multiplier."""
    best = best_step(place, loss, radius)
    along = place.lower.T @ best.step
    return {
        "radius": radius,
        "kl": 0.5 * radius**2,
        "angle_natural": angle(along, -slopes),
        "angle_gradient": angle(along, -plain),
        "euclidean_angle_natural": angle(best.step, -(place.axes @ slopes)),
        "euclidean_angle_gradient": angle(best.step, -(place.lower @ slopes)),
        "multiplier": best.multiplier,
        "predicted_multiplier": predicted / radius,
        "multiplier_ratio": best.multiplier * radius / predicted,
        "residual": best.residual,
    }


def _vanishes(values: pd.Series, scale: float, order: Order) -> bool:
    """Whether values fall to zero with the radius at first order, or are nothing but rounding from the start."""
    last = float(values.abs().iloc[-1])
    if not order.known:
        return bool(values.abs().max() < 1e-4 * scale)
    return order.value >= 1.0 - max(SLACK, 2.0 * order.error) and last < 0.1 * scale


def _verdict(passed: bool, details: pd.DataFrame, order: Order) -> str:
    first, last = details.iloc[0], details.iloc[-1]
    if passed and not order.known:
        return (
            "the best step points along -F^-1 gradient itself, to rounding, on every sphere (it must in mean parameters); "
            f"the plain gradient is {last['angle_gradient']:.3g} degrees away, and the Lagrange multiplier is "
            f"{last['multiplier_ratio']:.4f} of the predicted one on the smallest."
        )
    falls = (
        f"the angle between the best step and -F^-1 gradient falls from {first['angle_natural']:.2g} to "
        f"{last['angle_natural']:.2g} degrees as the radius falls from {first['radius']:.2g} to {last['radius']:.2g} "
        "standard errors"
    )
    if order.known:
        falls += f" (order {order.text})"
    numbers = (
        f"{falls}; that to the plain gradient is {last['angle_gradient']:.3g} degrees at the smallest; the Lagrange "
        f"multiplier is {last['multiplier_ratio']:.4f} of the predicted one there"
    )
    if passed:
        return f"{numbers}."
    return f"not confirmed: {numbers}. F, or the Jacobian of the parametrization, does not belong to KL."


def _draw(ax: Any, report: Report) -> None:
    d = report.details
    ax.plot(d["radius"], d["angle_gradient"], label="to the plain gradient,\n-grad L", **series(1))
    ax.plot(d["radius"], d["angle_natural"], label="to the natural gradient,\n-F⁻¹ grad L", **series(0))
    guide = 0.4 * d["angle_natural"].iloc[0] * d["radius"] / d["radius"].iloc[0]
    ax.plot(d["radius"], guide, color="0.6", linewidth=1.0, linestyle=":", label="slope 1, for comparison")
    logarithmic(ax)
    ax.set_xticks(d["radius"], [f"{radius:.2g}" for radius in d["radius"]])
    finish(
        ax,
        "Angle of the best step on a sphere of constant KL",
        "radius r of the sphere KL = r²/2, in standard errors",
        "angle in the metric F (degrees)",
        report.where.split("; loss")[0],
    )
