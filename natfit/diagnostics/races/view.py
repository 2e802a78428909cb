"""What a picture of a race in some coordinates shows: contours of the log-likelihood, paths and KL balls, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.diagnostics.races.field import Field
from natfit.diagnostics.races.labels import axis_label
from natfit.diagnostics.races.track import Run
from natfit.parametrizations import Parametrization

if TYPE_CHECKING:
    from natfit.diagnostics.races.races import Race

Array = np.ndarray[Any, np.dtype[Any]]

FINE, COARSE = 141, (25, 81)
"""Points a side of the grid that contours are drawn from; where each point costs a pass, between these two."""

ROWS = 1_500_000
"""Rows that may be visited for the contours of one panel, unless the coarsest grid takes more."""

LEVELS = 0.25 ** np.arange(4, -2, -1)
"""Gaps of the contours as shares of the start's, so that one of them runs through the start."""

CIRCLE = np.linspace(0.0, 2.0 * np.pi, 73)


@dataclass(frozen=True, eq=False)
class View:
    """Two coordinates of a race, and what there is to be seen in them.

    Parameters
    ----------
    field : Field
    chart : Parametrization
        With two coordinates.
    name : str
    start : (p,) ndarray
        In home parameters.
    runs : tuple of Run
        Whose paths are to be seen in it.
    radius : float
        Of the KL balls, in nats over all rows.
    unit : str
    """

    field: Field
    chart: Parametrization
    name: str
    start: Array
    runs: tuple[Run, ...]
    radius: float
    unit: str = ""

    @property
    def labels(self) -> list[str]:
        """Titles of both axes."""
        family = self.field.family.name if self.field.family is not None else ""
        return [axis_label(name, family, self.unit, self.field.quantity) for name in self.chart.names]

    def coordinates(self, home: Array) -> Array:
        """Return coordinates (k, 2) of home parameters; NaN where there are none."""
        found = np.full(home.shape, np.nan)
        for place, theta in enumerate(home):
            try:
                with np.errstate(all="ignore"):
                    found[place] = self.chart.from_home(theta)
            except ValueError:
                continue
        return found

    def path(self, run: Run) -> Array:
        """Return a run's iterates in these coordinates, (k, 2)."""
        return run.params if run.parametrization == self.name else self.coordinates(run.home)

    def ball_axes(self, home: Array) -> Array:
        """Return B (2, 2) such that xi + B u, u on the unit circle, is the KL ball round xi to second order.

        With F the Fisher information of all rows in these coordinates, B = sqrt(2 radius) L^-T, F = L L'. NaN where F
        is singular.
        """
        with np.errstate(all="ignore"):
            J = self.chart.jacobian(self.chart.from_home(home))
            try:
                root = np.linalg.cholesky(J.T @ self.field.fisher(home) @ J)
                return np.sqrt(2.0 * self.radius) * np.linalg.inv(root).T
            except (np.linalg.LinAlgError, ValueError):
                return np.full((2, 2), np.nan)

    def ball(self, home: Array) -> Array:
        """Return the outline (73, 2) of the KL ball round a distribution."""
        centre = self.coordinates(home[None])[0]
        return centre + np.column_stack([np.cos(CIRCLE), np.sin(CIRCLE)]) @ self.ball_axes(home).T

    @cached_property
    def box(self) -> tuple[Array, Array]:
        """Lower and upper corner: start, optimum and their balls, and the paths as far as they stay in the neighbourhood."""
        ends = np.array([self.start, self.field.optimum])
        core = [outline for outline in map(self.ball, ends) if np.isfinite(outline).all()]
        core.append(self.coordinates(ends))
        core += [self.path(run) for run in self.runs if run.outcome == "converged"]
        low, high = _corners(np.vstack(core))
        reach = 0.5 * (high - low)
        paths = np.vstack([self.path(run) for run in self.runs] or [core[-1]])
        near = paths[((paths >= low - reach) & (paths <= high + reach)).all(axis=1)]
        low, high = _corners(np.vstack([*core, near]))
        pad = 0.06 * (high - low)
        return low - pad, high + pad

    @cached_property
    def contours(self) -> tuple[Array, Array, Array]:
        """Grid lines x (m,) and y (m,), and the gap in nats at them, (m, m) with y first; NaN outside the domain."""
        size = FINE if self.field.quick else int(np.clip(np.sqrt(ROWS / self.field.rows), *COARSE))
        low, high = self.box
        x, y = (np.linspace(low[j], high[j], size) for j in (0, 1))
        xi = np.stack(np.meshgrid(x, y), axis=-1)
        with np.errstate(all="ignore"):
            good = np.asarray(self.chart.contains(xi))
            home = np.full(xi.shape, np.nan)
            home[good] = self.chart.to_home(xi[good])
        return x, y, self.field.gaps(home)


def _corners(points: Array) -> tuple[Array, Array]:
    good = points[np.isfinite(points).all(axis=1)]
    return good.min(axis=0), good.max(axis=0)


def views(race: Race) -> tuple[dict[str, View], View]:
    """Return a view for each parametrization, with its own runs, and one in home parameters with all of them.

    Raises
    ------
    ValueError
        If the model has not two parameters.
    """
    field = race.field
    if len(field.home_names) != 2:
        raise ValueError(
            f"paths are drawn in the plane of two parameters, and {field.title} has {len(field.home_names)}; "
            "plot_gap() shows how fast they arrive"
        )
    each = {
        name: View(
            field,
            chart,
            name,
            race.start,
            tuple(run for run in race.runs if run.parametrization == name),
            race.radius,
            race.unit,
        )
        for name, chart in race.charts.items()
    }
    home = field.known_charts.get(field.home) or next(iter(race.charts.values()))
    return each, View(field, home, field.home, race.start, race.runs, race.radius, race.unit)


def nats(amount: float) -> str:
    """Return an amount with its unit.

    Examples
    --------
    >>> nats(1.0), nats(0.3)
    ('1 nat', '0.3 nats')
    """
    return f"{amount:g} {'nat' if amount == 1.0 else 'nats'}"
