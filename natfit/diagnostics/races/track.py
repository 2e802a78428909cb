"""One run of a race: an optimizer on the log-likelihood per row in one parametrization, and the path that it took."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.diagnostics.races.field import Field
from natfit.optimize.loop import OutsideDomain
from natfit.optimize.objective import Objective, ParametrizedObjective, Point
from natfit.optimize.optimizer import run
from natfit.optimize.record import Row
from natfit.optimize.stopping import Stop
from natfit.parametrizations import Identity, Parametrization

Array = np.ndarray[Any, np.dtype[Any]]

ARRIVED = 1e-6
"""Nats below the maximum at which a run counts as arrived."""


class PerRow:
    """An objective divided by the number of rows: its gradient is an average, so a step means the same for any data.

    Log-likelihood, score and information are those of an average row. The dispersion is divided by the number of rows
    as well, and decrement and divergence are divided by the dispersion: so they, the stopping rule and the radius of a
    KL ball remain those of all rows, and the natural gradient is unchanged.

    Parameters
    ----------
    objective : Objective
    rows : float

    Examples
    --------
    >>> class Two:
    ...     passes = 0
    ...     def evaluate(self, params, need):
    ...         return Point(params, {"loglik": -6.0, "score": np.array([4.0])})
    >>> PerRow(Two(), 2.0).evaluate(np.zeros(1), 3).score
    array([2.])
    """

    def __init__(self, objective: Any, rows: float):
        self.objective, self.rows = objective, rows

    @property
    def passes(self) -> int:
        return self.objective.passes

    @property
    def kl_is_exact(self) -> bool:
        """Whether the objective has a divergence of its own."""
        return getattr(self.objective, "kl_is_exact", False)

    def kl(self, params0: Array, params1: Array) -> float:
        """Return the divergence for an average row."""
        return self.objective.kl(params0, params1) / self.rows

    def evaluate(self, params: Array, need: int) -> Point:
        """Return the Point of an average row."""
        point = self.objective.evaluate(params, need)
        sums = dict(point.sums)
        if point.inside:
            shrink = np.eye(len(params)) / np.sqrt(self.rows)
            for name in ("metric", "observed", "meat"):
                if name in sums:
                    sums[name] = sums[name].pullback(shrink)
            if "score" in sums:
                sums["score"] = sums["score"] / self.rows
        sums["loglik"] = point.loglik / self.rows
        return Point(params, sums, point.dispersion / self.rows)


class Watched:
    """An objective that remembers where it was evaluated, so that any optimizer's path can be drawn.

    An optimizer's record says the log-likelihood of each iterate but not its parameters. They are those of the latest
    evaluation with that very log-likelihood before the iteration began.

    Parameters
    ----------
    objective : Objective
    start : (q,) ndarray
    """

    def __init__(self, objective: Any, start: Array):
        self.objective = objective
        self.rows: list[Row] = []
        self.iterates: list[Array] = []
        self._seen: list[tuple[float, Array]] = []
        self._earlier: list[tuple[float, Array]] = []
        self._start = start

    @property
    def passes(self) -> int:
        return self.objective.passes

    @property
    def kl_is_exact(self) -> bool:
        """Whether the objective has a divergence of its own."""
        return getattr(self.objective, "kl_is_exact", False)

    def kl(self, params0: Array, params1: Array) -> float:
        """Return the objective's divergence."""
        return self.objective.kl(params0, params1)

    def evaluate(self, params: Array, need: int) -> Point:
        """Return the objective's Point, and remember it."""
        point = self.objective.evaluate(params, need)
        self._seen.append((point.loglik, np.array(params, dtype=float)))
        return point

    def note(self, row: Row) -> None:
        """Take in a row of the record; the optimizer's callback."""
        if not self.rows:
            found = self._start
        else:
            among = [*self._earlier, *self._seen]
            matching = [params for loglik, params in self._earlier if loglik == row.loglik]
            matching = matching or [params for loglik, params in among if loglik == row.loglik]
            found = matching[-1] if matching else np.full_like(self._start, np.nan)
        self.rows.append(row)
        self.iterates.append(found)
        last = [(row.loglik, found)]
        self._earlier, self._seen = last + self._seen, []


@dataclass(frozen=True, eq=False)
class Run:
    """The path of one optimizer in one parametrization; one entry for each iterate, the start first.

    Parameters
    ----------
    optimizer, parametrization : str
    params : (k, q) ndarray
        In its own coordinates.
    home : (k, p) ndarray
        The same distributions in home parameters.
    gap : (k,) ndarray
        Nats that the log-likelihood of all rows lies below its maximum.
    decrement : (k,) ndarray
        score' F^-1 score with the expected information of all rows: the squared distance in standard errors.
    kl : (k,) ndarray
        Nats over all rows, KL(iterate || optimum).
    passes, seconds : (k,) ndarray
        Spent until an iterate was reached; the last: until the run ended.
    outcome : {"converged", "diverged", "unfinished", "stopped"}
    reason : str
        The same in words.
    """

    optimizer: str
    parametrization: str
    params: Array
    home: Array
    gap: Array
    decrement: Array
    kl: Array
    passes: Array
    seconds: Array
    outcome: str
    reason: str

    @property
    def diverged(self) -> bool:
        """Whether it left the domain, or ended farther below the maximum than it began."""
        return self.outcome == "diverged"

    def reached(self, gap: float) -> int | None:
        """Return the first iteration whose gap, and every later one's, is below ``gap`` nats; None if there is none."""
        below = self.gap < gap
        if not below[-1]:
            return None
        above = np.flatnonzero(~below)
        return int(above[-1]) + 1 if above.size else 0


def follow(
    field: Field,
    optimizer: tuple[str, Any],
    chart: tuple[str, Parametrization],
    start: Array,
    max_iterations: int,
    stop: Stop | None,
) -> Run:
    """Run one optimizer in one parametrization; where it fails on the way, what it did until then is its run.

    Parameters
    ----------
    field : Field
    optimizer, chart : (str, object)
        With the names to go by.
    start : (q,) ndarray
        In the chart.
    max_iterations : int
    stop : Stop, optional
    """
    watched = Watched(objective_in(PerRow(field.objective(), field.rows), chart[1]), start)
    try:
        with np.errstate(all="ignore"):
            outcome = run(optimizer[1], watched, start, copy.deepcopy(stop), max_iterations, watched.note)
    except OutsideDomain:
        raise ValueError(
            f"the start has no finite log-likelihood in the parametrization {chart[0]}; start elsewhere"
        ) from None
    except (ArithmeticError, np.linalg.LinAlgError) as trouble:  # such as a step to the very edge of a domain
        return _summed_up(field, watched, optimizer[0], chart, False, f"diverged: {trouble}")
    if outcome.reason.startswith("interrupted"):
        raise KeyboardInterrupt
    if not watched.iterates or not np.array_equal(watched.iterates[-1], outcome.params):
        _append_last(watched, np.array(outcome.params, dtype=float), outcome.decrement)
    return _summed_up(field, watched, optimizer[0], chart, outcome.converged, outcome.reason)


def objective_in(objective: Objective, chart: Parametrization) -> Objective:
    """Return an objective in home parameters, in coordinates."""
    return objective if isinstance(chart, Identity) else ParametrizedObjective(objective, chart)


def _append_last(watched: Watched, params: Array, decrement: float) -> None:
    """Add where the optimizer ended, which the record leaves out unless it was evaluated there."""
    last = watched.rows[-1] if watched.rows else None
    seconds = last.seconds if last else 0.0
    watched.rows.append(Row(len(watched.rows), np.nan, decrement, 0.0, 0.0, watched.passes, seconds, ""))
    watched.iterates.append(params)


def _summed_up(
    field: Field, watched: Watched, name: str, chart: tuple[str, Parametrization], converged: bool, reason: str
) -> Run:
    rows = watched.rows
    params = np.array(watched.iterates if rows else [watched._start])
    home = np.array([chart[1].to_home(each) for each in params])
    gap, decrement, kl = np.array([field.measure(theta) for theta in home]).T
    return Run(
        optimizer=name,
        parametrization=chart[0],
        params=params,
        home=home,
        gap=gap,
        decrement=decrement,
        kl=kl,
        passes=_on_arrival([row.passes for row in rows], 1),
        seconds=_on_arrival([row.seconds for row in rows], 0.0),
        **_verdict(converged, reason, gap),
    )


def _on_arrival(spent: list[Any], first: float) -> Array:
    """Return what had been spent when each iterate was reached: a row of the record counts the step after it too."""
    return np.array(
        [min([first, *spent[:1]]), *spent[: len(spent) - 2], spent[-1]] if len(spent) > 1 else spent or [first]
    )


def _verdict(converged: bool, reason: str, gap: Array) -> dict[str, str]:
    """Return the outcome in one word, and the reason for it."""
    if converged:
        return {"outcome": "converged", "reason": reason}
    if reason.startswith("diverged"):
        return {"outcome": "diverged", "reason": reason}
    if not gap[-1] <= gap[0]:
        return {"outcome": "diverged", "reason": f"diverged: it ended {gap[-1]:.4g} nats below the maximum; {reason}"}
    return {"outcome": "unfinished" if reason.startswith("no convergence within") else "stopped", "reason": reason}
