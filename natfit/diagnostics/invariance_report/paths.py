"""Paths of fixed steps from one distribution, in one parametrization after another, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.diagnostics.invariance_report.case import Case
from natfit.need import ALL, LOGLIK, METRIC, SCORE
from natfit.optimize import (
    MOVES,
    Backtracking,
    Curve,
    Decrement,
    Direction,
    Gradient,
    NaturalGradient,
    Objective,
    Optimizer,
    ParametrizedObjective,
    run,
    straight,
)
from natfit.parametrizations import Identity, Parametrization
from natfit.parametrizations.base import Array

LABELS = {
    "gradient_descent": "gradient descent",
    "straight": "natural gradient, straight",
    "midpoint": "natural gradient, midpoint",
    "geodesic_corrected": "natural gradient, geodesic-corrected",
    "e_geodesic": "natural gradient, e-geodesic",
    "m_geodesic": "natural gradient, m-geodesic",
    "fisher_rao": "natural gradient, Fisher-Rao geodesic",
}

FIXED = "straight_in_"
"""How the names of moves begin that are straight in fixed coordinates."""


@dataclass(frozen=True)
class Way:
    """A direction and a move, under the name that tables use and the label that figures use."""

    name: str
    direction: Direction
    move: Any

    @property
    def label(self) -> str:
        """What figures and summaries call it."""
        if self.name.startswith(FIXED):
            return f"natural gradient, straight in {self.name.removeprefix(FIXED)}"
        return LABELS.get(self.name, self.name.replace("_", " "))

    @property
    def has_speed(self) -> bool:
        """Whether the direction's length means something, so that its flow needs no scale: a natural gradient's does."""
        return self.direction.full_step


def choose_ways(case: Case, moves: Any) -> list[Way]:
    """Return what is to be compared.

    Parameters
    ----------
    case : Case
    moves : sequence of str, or mapping of str to move, Direction or Optimizer; or None
        ``"gradient_descent"``, a name of `natfit.optimize.MOVES` or of the case's own moves (each along the natural
        gradient). None for the case's default.

    Raises
    ------
    ValueError
        If a name is unknown, or there is none.
    """
    if isinstance(moves, Mapping):
        ways = [_way(case, str(name), move) for name, move in moves.items()]
    else:
        names = case.default_moves if moves is None else (moves,) if isinstance(moves, str) else tuple(moves)
        ways = [_way(case, name, name) for name in dict.fromkeys(names)]
    if not ways:
        raise ValueError(f"name at least one move; there are {', '.join(_known(case))}")
    return ways


def _known(case: Case) -> list[str]:
    return ["gradient_descent", *case.own_moves, *MOVES.names(None if case.family is not None else False)]


def _way(case: Case, name: str, move: Any) -> Way:
    if isinstance(move, Optimizer):
        return Way(name, move.direction, move.move)
    if isinstance(move, Direction):
        return Way(name, move, straight)
    if not isinstance(move, str):
        return Way(name, NaturalGradient(), move)
    if move == "gradient_descent":
        return Way(name, Gradient(), straight)
    if move in case.own_moves:
        return Way(name, NaturalGradient(), case.own_moves[move])
    if move not in _known(case):
        raise ValueError(f"there is no move {move!r} for {case.title}; choose among {', '.join(_known(case))}")
    return Way(name, NaturalGradient(), MOVES.make(move, family=case.family))


def speeds(case: Case, way: Way, largest_step: float) -> tuple[dict[str, float], float]:
    """Return the constant by which each parametrization's flow is multiplied, and by what share all were slowed.

    A natural gradient has a speed of its own: 1. A gradient g has none, so it is given the natural gradient's: c with
    c^2 g'Fg = g'F^-1 g, under which the first steps move equally far, and equally far in KL, in all parametrizations.
    Where the largest step would overshoot at the start, c F step having an eigenvalue above 1, all are slowed alike.
    """
    if way.has_speed:
        return dict.fromkeys(case.charts, 1.0), 1.0
    found, stiffest = {}, 1.0
    for name, chart in case.charts.items():
        objective = ParametrizedObjective(case.objective, chart)
        point = objective.evaluate(chart.from_home(case.start), ALL)
        heading, _ = way.direction(objective, point, way.direction.initial())
        fisher = point.metric.matrix_form()
        found[name] = float(np.sqrt(point.score @ point.natural_gradient / (heading.vector @ fisher @ heading.vector)))
        stiffest = max(stiffest, found[name] * float(np.linalg.eigvalsh(fisher)[-1]) * largest_step)
    return {name: speed / stiffest for name, speed in found.items()}, 1.0 / stiffest


@dataclass(frozen=True, eq=False)
class Track:
    """A path in home parameters at the flow times compared, (times, p); NaN from where it left the domain."""

    home: Array
    diverged: float | None
    """The flow time at which it left the domain, if it did."""


def walk(
    objective: Objective, chart: Parametrization, way: Way, start: Array, step: float, speed: float, marks: Array
) -> Track:
    """Follow a direction in fixed steps through one parametrization.

    Parameters
    ----------
    objective : Objective
        In home parameters.
    chart, way
    start : (p,) ndarray
        Home parameters.
    step, speed : float
        Each step is ``speed * step`` times the direction's vector.
    marks : (times,) int ndarray
        After how many steps the path is looked at; increasing.
    """
    here: Objective = ParametrizedObjective(objective, chart)
    state = way.direction.initial()
    seen = np.full((len(marks), start.size), np.nan)
    need = LOGLIK | SCORE
    with np.errstate(all="ignore"):
        point = here.evaluate(chart.from_home(start), need | way.direction.need(state))
        for count in range(1, int(marks[-1]) + 1):
            try:
                heading, state = way.direction(here, point, state)
                curve = Curve(here, heading, way.move, way.direction, state)
                point = here.evaluate(curve.params(speed * step), need | way.direction.need(state))
            except (ArithmeticError, np.linalg.LinAlgError):  # no metric to turn by, or no way back from a geodesic
                return Track(seen, count * step)
            if not point.inside:
                return Track(seen, count * step)
            seen[marks == count] = chart.to_home(point.params)
    return Track(seen, None)


def distances(case: Case, tracks: list[Track]) -> Array:
    """Return how far the paths lie apart, in standard errors, (times, C, C): sqrt(d'Fd).

    F is the Fisher information of all the data at the average of the points compared (at the start, should that lie
    outside the domain). NaN where a path has left the domain.
    """
    inside = [track.diverged is None for track in tracks]
    times, size = tracks[0].home.shape
    apart = np.full((times, len(tracks), len(tracks)), np.nan)
    if not any(inside):
        return apart
    ruler = case.ruler or Identity(case.names)
    objective = ParametrizedObjective(case.objective, ruler)
    points = np.full((len(tracks), times, size), np.nan)
    points[inside] = ruler.from_home(np.array([track.home for track in tracks])[inside])
    for k in range(times):
        with np.errstate(all="ignore"):
            point = objective.evaluate(points[inside, k].mean(axis=0), LOGLIK | METRIC)
        if not point.inside:
            point = objective.evaluate(ruler.from_home(case.start), LOGLIK | METRIC)
        fisher = point.metric.matrix_form() / case.dispersion
        d = points[:, None, k] - points[None, :, k]
        apart[k] = np.sqrt(np.maximum(np.einsum("abi,ij,abj->ab", d, fisher, d), 0.0))
    return apart


def divergence(case: Case, a: Array, b: Array) -> float:
    """Return the larger of the KL divergences between two distributions, in nats over all rows.

    Half the squared distance stands in where the objective has no divergence of its own. NaN where it is infinite, as
    between points so near that it is rounding.
    """
    if getattr(case.objective, "kl_is_exact", False):
        kl = case.objective.kl  # type: ignore[attr-defined]
        value = max(kl(a, b), kl(b, a)) / case.dispersion
        return value if np.isfinite(value) else np.nan
    metric = case.objective.evaluate(0.5 * (a + b), LOGLIK | METRIC).metric
    return 0.5 * metric.quadratic(a - b) / case.dispersion


def iterations(case: Case, way: Way, decrement: float, most: int) -> dict[str, int | None]:
    """Return for each parametrization the iterations until the decrement falls below a value; None where it does not.

    Each step is halved until the log-likelihood rises; a natural gradient begins with unit steps, a gradient with twice
    the last one.
    """
    step = Backtracking(grow=1.0 if way.has_speed else 2.0)
    optimizer = Optimizer(way.direction, step, way.move, way.name)
    counts: dict[str, int | None] = {}
    for name, chart in case.charts.items():
        counts[name] = None
        objective = ParametrizedObjective(case.objective, chart)
        stop = Decrement(decrement * case.dispersion)
        try:
            with np.errstate(all="ignore"):
                record = run(optimizer, objective, chart.from_home(case.start), stop, most).record
        except (ArithmeticError, np.linalg.LinAlgError):  # a path that can't go on counts as one that did not arrive
            continue
        counts[name] = next((row.iteration for row in record if row.decrement < stop.tol), None)
    return counts


def affine_pairs(charts: Mapping[str, Parametrization], points: Array) -> set[frozenset[str]]:
    """Return the pairs of parametrizations that are affine changes of one another, as far as ``points`` (m, p) tell.

    They are where d xi_b / d xi_a is one matrix at all of them, to nine digits.

    Examples
    --------
    >>> from natfit.parametrizations import Affine, Identity, Log
    >>> charts = {"a": Identity(["a"]), "b": Affine([[2.0]]), "c": Log(["c"])}
    >>> [sorted(pair) for pair in affine_pairs(charts, np.array([[1.0], [2.0]]))]
    [['a', 'b']]
    """
    names = list(charts)
    jacobians = {name: charts[name].jacobian(charts[name].from_home(points)) for name in names}
    found = set()
    for i, a in enumerate(names):
        for b in names[:i]:
            change = np.linalg.solve(jacobians[b], jacobians[a])
            if np.abs(change - change[0]).max() <= 1e-9 * np.abs(change[0]).max():
                found.add(frozenset((a, b)))
    return found
