"""What the invariance report asks of a model: an objective in home parameters, charts on them, and a start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from natfit.metric import SingularMetric
from natfit.need import ALL
from natfit.optimize import Objective, Point
from natfit.parametrizations import OffImageError, Parametrization
from natfit.parametrizations.base import Array

REACH = 0.1
"""Divergence from estimate to default start, in nats for each observation: far enough for coordinates to bend on the way."""

MOST_HALVINGS = 40
"""Of the distance to the default start; after these it would be the estimate."""


@dataclass(frozen=True)
class Case:
    """A model as the invariance report sees it; every kind of model has an adapter that makes one.

    Parameters
    ----------
    title : str
        The model in words.
    objective : Objective
        The log-likelihood in home parameters.
    names : tuple of str
        Of the p home parameters.
    charts : mapping of str to Parametrization
        The parametrizations to compare; as many coordinates as home parameters.
    start : (p,) ndarray
        Home parameters, inside the domain of all.
    family : optional
        The family whose home parameters these are, for moves that are defined for one.
    own_moves : mapping of str to move
        Coordinate-free moves of this model, besides those of `natfit.optimize.MOVES`.
    default_moves : tuple of str
        What is compared where nothing else is asked.
    dispersion : float
        What squared lengths and divergences of the objective's metric are divided by.
    ruler : Parametrization, optional
        Coordinates in which differences are measured, where home parameters won't do: angles wrap around.
    """

    title: str
    objective: Objective
    names: tuple[str, ...]
    charts: Mapping[str, Parametrization]
    start: Array
    family: Any = None
    own_moves: Mapping[str, Any] = field(default_factory=dict)
    default_moves: tuple[str, ...] = ("gradient_descent", "straight", "midpoint")
    dispersion: float = 1.0
    ruler: Parametrization | None = None

    @property
    def start_text(self) -> str:
        """The start, by names of home parameters."""
        return shown(self.names, self.start)


def shown(names: Iterable[str], values: Array) -> str:
    """Write parameters for a sentence.

    Examples
    --------
    >>> shown(["mean", "variance"], np.array([1.0, 0.25]))
    'mean = 1, variance = 0.25'
    """
    return ", ".join(f"{name} = {value:.6g}" for name, value in zip(names, values, strict=True))


def choose_charts(known: Mapping[str, Parametrization], asked: Any, size: int, what: str) -> dict[str, Parametrization]:
    """Return the parametrizations to compare, by name.

    Parameters
    ----------
    known : mapping of str to Parametrization
        All that have a name.
    asked : sequence of str or Parametrization, or mapping of str to either; or None
        None for all that are known.
    size : int
        Number of home parameters.
    what : str
        What they are parametrizations of, for errors.

    Raises
    ------
    ValueError
        If one is unknown, given twice or of another size, or there are fewer than two.

    Examples
    --------
    >>> from natfit.parametrizations import Identity, Log
    >>> list(choose_charts({"rate": Identity(["rate"]), "log_rate": Log(["log_rate"])}, None, 1, "poisson"))
    ['rate', 'log_rate']
    """
    if asked is None:
        chosen = {name: chart for name, chart in known.items() if chart.size == chart.home_size == size}
    else:
        chosen = {}
        for name, chart in _named(asked):
            if name in chosen:
                raise ValueError(f"the parametrization {name!r} is given twice; give each once")
            chosen[name] = known[chart] if isinstance(chart, str) and chart in known else chart
    for name, chart in chosen.items():
        if not isinstance(chart, Parametrization):
            raise ValueError(f"{what} has no parametrization {name!r}; there are {', '.join(known)}")
        if not chart.size == chart.home_size == size:
            raise ValueError(
                f"the parametrization {name!r} maps {chart.size} coordinates to {chart.home_size} parameters, and {what} "
                f"has {size}; paths can be compared in coordinates of the whole model only"
            )
    if len(chosen) < 2:
        raise ValueError(
            f"invariance is a comparison and needs at least two parametrizations of {what}, but got "
            f"{', '.join(chosen) or 'none'}; there are {', '.join(known)}"
        )
    return chosen


def _named(asked: Any) -> list[tuple[str, Any]]:
    if isinstance(asked, Mapping):
        return [(str(name), chart) for name, chart in asked.items()]
    each = [asked] if isinstance(asked, str | Parametrization) else list(asked)
    return [(chart if isinstance(chart, str) else repr(chart), chart) for chart in each]


def given_start(names: tuple[str, ...], start: Any) -> Array:
    """Return a user's start as home parameters (p,).

    Raises
    ------
    ValueError
        If it has not one finite number for each parameter.
    """
    if isinstance(start, Mapping):
        if set(start) != set(names):
            raise ValueError(
                f"start needs a value for each of {', '.join(names)}, but has {', '.join(map(str, start))}"
            )
        start = [start[name] for name in names]
    theta = np.atleast_1d(np.asarray(start, dtype=float))
    if theta.shape != (len(names),) or not np.isfinite(theta).all():
        raise ValueError(f"start needs one finite number for each of {', '.join(names)}, in this order; got {start!r}")
    return theta


def start_away(
    objective: Objective,
    estimate: Array,
    names: tuple[str, ...],
    charts: Mapping[str, Parametrization],
    nobs: float,
    dispersion: float = 1.0,
) -> Array:
    """Return home parameters (p,) about `REACH` nats for each observation from the estimate, inside every chart.

    They lie in the direction L'^-1 1 with F = LL' the Fisher information at the estimate, which is special in no
    coordinates; the distance is halved until all is well.

    Raises
    ------
    ValueError
        If there is no such start, or the Fisher information is singular at the estimate.
    """
    point = objective.evaluate(estimate, ALL)
    fisher = require_information(point, names, "the estimate") / dispersion
    scale = 1.0 / np.sqrt(fisher.diagonal())
    direction = scale * np.linalg.solve(np.linalg.cholesky(fisher * scale * scale[:, None]).T, np.ones(estimate.size))
    length = np.sqrt(2.0 * REACH * nobs / (direction @ fisher @ direction))
    for _ in range(MOST_HALVINGS):
        start = estimate + length * direction
        moved = objective.kl(estimate, start) if getattr(objective, "kl_is_exact", False) else 0.0  # type: ignore[attr-defined]
        if moved / dispersion <= 4.0 * REACH * nobs and all(
            off_chart(chart, start) is None for chart in charts.values()
        ):
            with np.errstate(all="ignore"):
                if objective.evaluate(start, ALL).inside:
                    return start
        length *= 0.5
    raise ValueError(
        "no start was found near the estimate that lies inside the domain of every parametrization; give start, or leave "
        "out the parametrizations whose edge the estimate is at"
    )


def off_chart(chart: Parametrization, theta: Array) -> str | None:
    """Say why home parameters have no coordinates in a parametrization, if they have none."""
    try:
        with np.errstate(all="ignore"):
            xi = chart.from_home(theta)
            return None if np.all(chart.contains(xi)) else "they lie outside its domain"
    except (OffImageError, ArithmeticError, np.linalg.LinAlgError) as error:
        return str(error).rstrip(".")


def check_start(case: Case, domain: str = "") -> Point:
    """Return the objective at the start, or say what is wrong with it.

    Raises
    ------
    ValueError
        If it lies outside the domain of the model or of a parametrization, if the Fisher information or a Jacobian is
        singular there, or if it is the maximum itself.
    """
    with np.errstate(all="ignore"):
        point = case.objective.evaluate(case.start, ALL)
    if not point.inside:
        raise ValueError(
            f"the start ({case.start_text}) lies outside the domain of {case.title}, or the data have no likelihood or "
            f"information there{f': {domain}' if domain else ''}; start inside it"
        )
    for name, chart in case.charts.items():
        reason = off_chart(chart, case.start)
        if reason is not None:
            raise ValueError(
                f"the start ({case.start_text}) has no coordinates in the parametrization {name!r}: {reason}; leave it "
                "out, or start elsewhere"
            )
        chart.require_regular(chart.from_home(case.start))
    require_information(point, case.names, f"the start ({case.start_text})")
    if not point.decrement / case.dispersion > 1e-12:
        raise ValueError(
            f"the start ({case.start_text}) is the maximum of the likelihood itself, from which no path moves; start "
            "elsewhere"
        )
    return point


def require_information(point: Point, names: tuple[str, ...], where: str) -> Array:
    """Return the Fisher matrix of a point, or say along which direction it is singular.

    Raises
    ------
    ValueError
        If it is.
    """
    try:
        point.metric.solve(point.score)
    except SingularMetric as trouble:
        lost = trouble.directions[:, 0] if trouble.directions.shape[1] else np.ones(len(names))
        lost = lost / np.abs(lost).max()
        terms = " ".join(f"{c:+.3g} {name}" for c, name in zip(lost, names, strict=True) if abs(c) > 1e-9)
        raise ValueError(
            f"the Fisher information is singular at {where} along the direction {terms}: the data say nothing about "
            "moves that way, so there is no natural gradient; start elsewhere, or leave out what can't be told apart"
        ) from None
    return point.metric.matrix_form()
