"""What one move's paths say: their spread at each step, the order with which it falls, and who agrees with whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from natfit.diagnostics.invariance_report.case import Case
from natfit.diagnostics.invariance_report.paths import Track, Way, distances, divergence, iterations, speeds, walk
from natfit.diagnostics.order import Order, measure_order
from natfit.optimize.objective import Point
from natfit.optimize.steps import ROUNDING
from natfit.parametrizations.base import Array

IDENTICAL = 1e-10
"""Standard errors within which paths count as identical, where rounding alone does not make more."""

INDISTINCT = 1e-6
"""Standard errors above which paths never count as identical, however much rounding may make."""

AMPLIFIED = 1e3
"""Units of rounding by which a path of hundreds of steps may be off: measured on the registered families, up to 400; in
ill-conditioned coordinates (a Gaussian's natural and mean ones, 20 to a million standard deviations from 0) up to the root
of the metric's condition number, of which ten times are allowed."""

FIRST = 3
"""Largest steps on which paths are found to be one, so that the smaller ones need not be run."""

POINTS = 4
"""Smallest steps on which an order is measured: terms of higher order bend the line at larger ones."""


@dataclass(frozen=True, eq=False)
class Spread:
    """How far the paths of one move lie apart in the parametrizations compared.

    Parameters
    ----------
    way : Way
    names : tuple of str
        The parametrizations whose paths stayed inside the domain at the smallest step run; only they are compared.
    steps : (S,) ndarray
        The steps that were run, decreasing.
    pairs : (S, C, C) ndarray
        Largest distance between two of ``names`` over all flow times compared, in standard errors; NaN at steps at which
        one left the domain.
    kl : (S,) ndarray
        The larger KL divergence between the two that lie farthest apart, in nats over all rows.
    order, kl_order : Order
        With which spread and divergence fall with the step; not known where paths are identical.
    floor, tolerance : float
        Standard errors that rounding alone can make, and within which paths count as identical.
    diverged : mapping of str to dict of float to float
        For a parametrization whose path left the domain: at which steps, and at what flow time.
    slowed : float
        Factor of all speeds, by which the largest step was kept from overshooting; 1 where that was not needed.
    iterations : mapping of str to int or None
    """

    way: Way
    names: tuple[str, ...]
    steps: Array
    pairs: Array
    kl: Array
    order: Order
    kl_order: Order
    floor: float
    tolerance: float
    diverged: Mapping[str, Mapping[float, float]]
    slowed: float
    iterations: Mapping[str, int | None]

    @property
    def spread(self) -> Array:
        """Largest distance between any two, in standard errors, (S,)."""
        return self.pairs.max(axis=(1, 2)) if len(self.names) > 1 else np.full(self.steps.size, np.nan)

    @property
    def identical(self) -> bool:
        """Whether all paths are one, to rounding, at every step run."""
        return bool(np.all(self.spread <= self.tolerance)) and not self.diverged

    def groups(self) -> list[tuple[str, ...]]:
        """Return the parametrizations in groups whose paths are one to rounding at every step run."""
        same = np.all(self.pairs <= self.tolerance, axis=0)
        groups: list[list[int]] = []
        for i in range(len(self.names)):
            home = next((group for group in groups if all(same[i, j] for j in group)), None)
            if home is None:
                groups.append([i])
            else:
                home.append(i)
        return [tuple(self.names[i] for i in group) for group in groups]


def rounding(case: Case, start: Point) -> float:
    """Return the spread, in standard errors, that rounding alone can make.

    The rounding unit times the length of the parameters in standard errors, times `AMPLIFIED` and ten times the root of
    the metric's condition number (columns scaled) in the worst parametrization.
    """
    eps = float(np.finfo(float).eps)
    rcond = 1.0
    for chart in case.charts.values():
        metric = start.metric.pullback(chart.jacobian(chart.from_home(case.start)))
        rcond = min(rcond, max(metric.rcond(), eps**2))
    length = float(np.sqrt(start.metric.quadratic(case.start) / case.dispersion))
    return eps * (1.0 + length) * (AMPLIFIED + 10.0 * rcond**-0.5)


def measure(case: Case, way: Way, start: Point, time: float, steps: Array, decrement: float, most: int) -> Spread:
    """Run a move at every step in every parametrization and measure its spread.

    Once the paths of the three largest steps are found identical, the smaller ones are left out.

    Parameters
    ----------
    case, way
    start : Point
        The objective at the start, with its metric.
    time : float
        Flow time of each path.
    steps : (S,) ndarray
        Decreasing; each divides the time.
    decrement, most
        As for `iterations`.
    """
    floor = rounding(case, start)
    tolerance = max(IDENTICAL, min(floor, INDISTINCT))
    speed, slowed = speeds(case, way, float(steps[0]))
    tracks, apart = _tracks(case, way, time, steps, speed, tolerance)
    names, ran = list(case.charts), steps[: len(tracks)]
    kept = [j for j, track in enumerate(tracks[-1]) if track.diverged is None]
    pairs = np.array([each.max(axis=0)[np.ix_(kept, kept)] for each in apart])
    kl = np.array([_divergence(case, at, row, kept) for at, row in zip(apart, tracks, strict=True)])
    spread = pairs.max(axis=(1, 2)) if len(kept) > 1 else np.full(ran.size, np.nan)
    ordered = np.where(np.all(spread <= tolerance), np.nan, 1.0)  # what is identical has no order
    kl_floor = 0.5 * floor**2 + ROUNDING * (1.0 + abs(start.loglik) / case.dispersion)
    return Spread(
        way=way,
        names=tuple(names[j] for j in kept),
        steps=ran,
        pairs=pairs,
        kl=kl,
        order=measure_order(ran, ordered * spread, floor, POINTS),
        kl_order=measure_order(ran, ordered * kl, kl_floor, POINTS),
        floor=floor,
        tolerance=tolerance,
        diverged=_diverged(names, ran, tracks),
        slowed=slowed,
        iterations=iterations(case, way, decrement, most),
    )


def _tracks(
    case: Case, way: Way, time: float, steps: Array, speed: Mapping[str, float], tolerance: float
) -> tuple[list[list[Track]], list[Array]]:
    """Return the paths at each step, and the distances between them; smaller steps are left out once all are identical."""
    marks = compare_at(time, steps)
    tracks: list[list[Track]] = []
    apart: list[Array] = []
    for i, step in enumerate(steps):
        row = [
            walk(case.objective, chart, way, case.start, float(step), speed[name], marks[i])
            for name, chart in case.charts.items()
        ]
        tracks.append(row)
        apart.append(distances(case, row))
        if i + 1 == FIRST and all(np.all(each <= tolerance) for each in apart):
            break
    return tracks, apart


def compare_at(time: float, steps: Array) -> list[Array]:
    """Return for each step after how many of them its path is compared: at the multiples of the largest step.

    Where those are not multiples of every step, only the end is compared.

    Examples
    --------
    >>> compare_at(1.0, np.array([0.5, 0.25]))
    [array([1, 2]), array([2, 4])]
    """
    counts = np.rint(time / steps).astype(int)
    if np.any(counts % counts[0]):
        return [np.array([count]) for count in counts]
    return [np.arange(1, counts[0] + 1) * (count // counts[0]) for count in counts]


def _divergence(case: Case, apart: Array, tracks: list[Track], kept: list[int]) -> float:
    """Return the KL divergence between the two paths that lie farthest apart, where they do."""
    among = apart[:, kept][:, :, kept]
    if len(kept) < 2 or not np.isfinite(among).all():
        return np.nan
    k, i, j = np.unravel_index(int(np.argmax(among)), among.shape)
    return divergence(case, tracks[kept[i]].home[k], tracks[kept[j]].home[k])


def _diverged(names: list[str], steps: Array, tracks: list[list[Track]]) -> dict[str, dict[float, float]]:
    found: dict[str, dict[float, float]] = {}
    for step, row in zip(steps, tracks, strict=True):
        for name, track in zip(names, row, strict=True):
            if track.diverged is not None:
                found.setdefault(name, {})[float(step)] = track.diverged
    return found
