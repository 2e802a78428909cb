"""Derivatives by central differences of fourth order, for what a family does not give in closed form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from natfit.families.interval import Interval

Array = np.ndarray[Any, np.dtype[Any]]
Theta = Sequence[Array]

LARGEST = 2e-3
"""Share of a parameter's size, or of its distance to the edge of the domain, that a step begins with."""
BEND = 1e-4
"""Second difference of a row's log-density over a step that is small enough: a hundredth of a standard error of one row.
Of a log-density of some thousands, as precise betas have, shorter steps leave rounding and nothing else: with 1e-6 standard
errors from second derivatives of the beta on Prater's gasoline were right to 8e-6, with this to 2e-7."""

WEIGHTS = ((-2, 1.0 / 12.0), (-1, -8.0 / 12.0), (1, 8.0 / 12.0), (2, -1.0 / 12.0))
"""Of the values at so many steps, for the derivative times the step (Abramowitz & Stegun, 1964, 25.3.6)."""


def step_for(log_prob: Callable[[Theta], Array], theta: Theta, k: int, domain: Interval) -> Array:
    """Return a step along parameter k for each row: inside the domain, and short against the log-density's own bend."""
    values = np.asarray(theta[k], dtype=float)
    room = np.minimum(values - domain.low, domain.high - values)
    step = LARGEST * np.where(np.isfinite(room), room, np.maximum(np.abs(values), 1.0))
    here = log_prob(theta)
    for _ in range(30):
        ahead, behind = list(theta), list(theta)
        ahead[k], behind[k] = values + step, values - step
        bend = np.abs(log_prob(ahead) + log_prob(behind) - 2.0 * here)
        wide = ~(bend <= BEND + 1e-14 * np.abs(here))
        if not wide.any():
            break
        step = np.where(wide, 0.25 * step, step)
    return step


def _along(function: Callable[[Theta], Any], theta: Theta, k: int, step: Array) -> list[tuple[float, Any]]:
    """Return the function's values at the four places along parameter k, with their weights."""
    found = []
    for count, weight in WEIGHTS:
        moved = list(theta)
        moved[k] = theta[k] + count * step
        found.append((weight, function(moved)))
    return found


def gradient(log_prob: Callable[[Theta], Array], theta: Theta, domains: Sequence[Interval]) -> list[Array]:
    """Return the derivative of each row's log-density in each parameter, K arrays (n,)."""
    found = []
    for k, domain in enumerate(domains):
        step = step_for(log_prob, theta, k, domain)
        found.append(sum(weight * value for weight, value in _along(log_prob, theta, k, step)) / step)
    return found


def minus_jacobian(
    score: Callable[[Theta], Sequence[Array]],
    log_prob: Callable[[Theta], Array],
    theta: Theta,
    domains: Sequence[Interval],
) -> dict[tuple[int, int], Array]:
    """Return minus the derivatives of each row's score, made symmetric: (k, l), k <= l, to (n,)."""
    rows: list[list[Array]] = []
    for k, domain in enumerate(domains):
        step = step_for(log_prob, theta, k, domain)
        values = _along(score, theta, k, step)
        rows.append([-sum(weight * each[l] for weight, each in values) / step for l in range(len(domains))])
    size = range(len(domains))
    return {(k, l): 0.5 * (rows[k][l] + rows[l][k]) for k in size for l in size if k <= l}


def smooth_jacobian(
    function: Callable[[Theta], Sequence[Array]], theta: Theta, domains: Sequence[Interval]
) -> dict[tuple[int, int], Array]:
    """Return the derivatives of K functions of the parameters that change on the parameters' own scale, made symmetric."""
    rows: list[list[Array]] = []
    for k, domain in enumerate(domains):
        values = np.asarray(theta[k], dtype=float)
        room = np.minimum(values - domain.low, domain.high - values)
        step = LARGEST * np.where(np.isfinite(room), room, np.maximum(np.abs(values), 1.0))
        found = _along(function, theta, k, step)
        rows.append([sum(weight * each[l] for weight, each in found) / step for l in range(len(domains))])
    size = range(len(domains))
    return {(k, l): 0.5 * (rows[k][l] + rows[l][k]) for k in size for l in size if k <= l}
