"""Races: every optimizer in every parametrization from the same distribution, on the same data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.diagnostics.races.choices import resolve_charts, resolve_optimizers, resolve_start, start_in_charts
from natfit.diagnostics.races.field import Field, make_field
from natfit.diagnostics.races.track import ARRIVED, Run, follow
from natfit.optimize.stopping import Stop
from natfit.parametrizations import Parametrization

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]


def race(
    model: Any,
    y: Any = None,
    *,
    parametrizations: Any = None,
    optimizers: Any = None,
    start: Any = None,
    start_in: Any = None,
    max_iterations: int = 200,
    stop: Stop | None = None,
    freq_weights: Any = None,
    data: Any = None,
    missing: str | None = None,
    unit: str = "",
) -> Race:
    """Run every optimizer in every parametrization from the same distribution.

    Optimizers see the log-likelihood of an average row, the sum divided by the number of rows, so that a fixed step of
    gradient descent does not depend on how many rows there are. What is reported (gap, decrement, divergence, also the
    radius of a KL ball) is of all rows.

    Parameters
    ----------
    model : str, Family or GLM
        A family, with its observations in ``y``; or a `natfit.GLM`, which carries its own data.
    y : array_like or str, optional
        The observations, or with ``data`` the name of their column; as for `natfit.fit_distribution`.
    parametrizations : sequence of str or Parametrization, or mapping of names to them, optional
        All that the family has by default. A GLM has ``"coefficients"``, ``"scaled"`` (columns of unit mean square)
        and ``"orthogonal"`` (columns made orthonormal).
    optimizers : sequence, or mapping of names to optimizers, optional
        Of natfit's (`natfit.optimize.gradient_descent` and the like), scipy's (`natfit.optimize.scipy_method`), your
        own, or registered names such as ``"natural_gradient:0.1"``, the number being the step. By default gradient
        descent and the natural gradient with steps of 0.1.
    start : (p,) array_like or mapping of coordinates to numbers, optional
        Where all of them start. By default the distribution found by raising every home parameter in proportion to its
        standard error until the fitted distribution's divergence from it is half a nat for each row.
    start_in : str or Parametrization, optional
        The coordinates that ``start`` is given in; home parameters by default.
    max_iterations : int
    stop : Stop, optional
        When a run ends before; by default when its decrement falls below 1e-12.
    freq_weights, data, missing : optional
        As for `natfit.fit_distribution`.
    unit : str
        Of the observations, such as ``"cm"``, for the axes of figures.

    Returns
    -------
    Race
        Also where runs diverge: the race notes it and goes on.

    Raises
    ------
    ValueError
        Where there are no data, or they have no maximum; for an unknown parametrization or optimizer; for a start
        outside the domain.

    Examples
    --------
    >>> import natfit as nf
    >>> heights = [1.62, 1.75, 1.81, 1.69, 1.58, 1.77]
    >>> run = nf.diagnostics.race("gaussian", heights, parametrizations=["variance", "log_sd"],
    ...                           optimizers=[nf.optimize.natural_gradient()])
    >>> run.table()[["parametrization", "outcome", "iterations"]]
      parametrization    outcome  iterations
    0        variance  converged           3
    1          log_sd  converged           7
    """
    if int(max_iterations) < 1:
        raise ValueError(f"max_iterations must be 1 or more, got {max_iterations}")
    racers = resolve_optimizers(optimizers)
    field = make_field(model, y, {"freq_weights": freq_weights, "data": data, "missing": missing})
    charts = resolve_charts(field, parametrizations)
    home = resolve_start(field, start, start_in)
    starts = start_in_charts(charts, home)
    runs = tuple(
        follow(field, racer, (name, chart), starts[name], int(max_iterations), stop)
        for racer in racers.items()
        for name, chart in charts.items()
    )
    return Race(field, charts, tuple(racers), home, runs, unit)


@dataclass(frozen=True, eq=False)
class Race:
    """The runs of a race: a tidy record, a table, figures and an interactive page. Made by `race`.

    Parameters
    ----------
    field : Field
        Model, data and optimum.
    charts : mapping of str to Parametrization
    optimizers : tuple of str
        The names of what ran.
    start : (p,) ndarray
        In home parameters.
    runs : tuple of Run
        Optimizer by optimizer, each in every parametrization.
    unit : str
        Of the observations.
    """

    field: Field
    charts: Mapping[str, Parametrization]
    optimizers: tuple[str, ...]
    start: Array
    runs: tuple[Run, ...]
    unit: str = ""

    @cached_property
    def record(self) -> pd.DataFrame:
        """One row for each iterate of each run.

        ``gap``: nats that the log-likelihood of all rows lies below its maximum. ``decrement``: squared distance to the
        maximum in standard errors, by the expected information at the iterate. ``kl``: Kullback-Leibler divergence from
        the iterate's distribution to the optimum's, in nats over all rows. ``passes`` and ``seconds``: spent until the
        iterate was reached, the last one's until the run ended (not what the race itself spends). ``params``: own
        coordinates, followed by home parameters, a column each.
        """
        import pandas as pd

        frames = []
        for run in self.runs:
            columns: dict[str, Any] = {
                "iteration": np.arange(len(run.gap)),
                "optimizer": run.optimizer,
                "parametrization": run.parametrization,
                "gap": run.gap,
                "decrement": run.decrement,
                "kl": run.kl,
                "passes": run.passes,
                "seconds": run.seconds,
                "params": [tuple(map(float, xi)) for xi in run.params],
            }
            homes = {f"home_{name}": run.home[:, j] for j, name in enumerate(self.field.home_names)}
            frames.append(pd.DataFrame({**columns, **homes}))
        return pd.concat(frames, ignore_index=True)

    def table(self, within: float = ARRIVED) -> pd.DataFrame:
        """Return one row for each run.

        ``outcome``: converged, diverged (left the domain, or ended lower than it began), unfinished (out of iterations)
        or stopped. ``iterations``: until it ended. ``arrived``: iterations until the gap stays below ``within`` nats,
        ``passes`` over the data until then (missing where it never did, with all passes in ``all_passes``).

        Parameters
        ----------
        within : float
            Nats over all rows.
        """
        import pandas as pd

        rows = []
        for run in self.runs:
            arrived = run.reached(within)
            rows.append(
                {
                    "optimizer": run.optimizer,
                    "parametrization": run.parametrization,
                    "outcome": run.outcome,
                    "diverged": run.diverged,
                    "iterations": len(run.gap) - 1,
                    "arrived": arrived,
                    "passes": None if arrived is None else run.passes[arrived],
                    "all_passes": run.passes[-1],
                    "seconds": run.seconds[-1],
                    "gap": run.gap[-1],
                    "decrement": run.decrement[-1],
                }
            )
        return pd.DataFrame(rows).astype({"arrived": "Int64", "passes": "Int64"})

    def summary(self, within: float = ARRIVED) -> str:
        """Return the table as text, with what its columns mean and why runs diverged or stopped."""
        table = self.table(within).drop(columns="diverged")
        shown = table.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.3g}")
        said = [
            f"{run.optimizer}, in {run.parametrization}: {run.reason}."
            for run in self.runs
            if run.outcome in ("diverged", "stopped")
        ]
        legend = (
            f"All start at {self._words(self.start)}, {self.start_gap:.4g} nats below the maximum at "
            f"{self._words(self.field.optimum)}. Arrived: iterations until the gap stays below {within:g} nats; passes: "
            "over the data until then. Steps are of the log-likelihood of an average row; gap (nats) and decrement "
            "(squared standard errors) are of all rows."
        )
        title = f"Race: {self.field.title}"
        return "\n".join([title, "=" * len(title), shown, "", fill(legend, 100), *(fill(line, 100) for line in said)])

    def _words(self, theta: Array) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in zip(self.field.home_names, theta, strict=True))

    @cached_property
    def start_gap(self) -> float:
        """Nats that the start lies below the maximum."""
        return self.field.measure(self.start)[0]

    @property
    def radius(self) -> float:
        """Radius of the KL balls in figures, in nats over all rows: a fortieth of the start's gap, to one digit."""
        return float(f"{max(self.start_gap, 1e-9) / 40.0:.0e}")

    def plot(self) -> Any:
        """Draw contours, paths and KL balls in each parametrization, all paths in home parameters, and the gaps.

        A model that has not two parameters gets the gaps alone, with a note. Returns the matplotlib figure.

        Raises
        ------
        ImportError
            If matplotlib is missing; the message names the extra to install.
        """
        from natfit.diagnostics.races.plot import draw

        return draw(self)

    def plot_paths(self) -> Any:
        """Draw contours, paths and KL balls in each parametrization; return the matplotlib figure.

        Raises
        ------
        ValueError
            If the model has not two parameters.
        """
        from natfit.diagnostics.races.plot import draw_paths

        return draw_paths(self)

    def plot_gap(self) -> Any:
        """Draw the gap against the iteration, a panel for each optimizer; return the matplotlib figure."""
        from natfit.diagnostics.races.plot import draw_gaps

        return draw_gaps(self)

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained interactive page and return its path.

        A slider moves through the iterations, and the KL balls with the iterates; parametrization and optimizer are
        chosen from lists. The page needs no network.

        Raises
        ------
        ValueError
            If the model has not two parameters.
        ImportError
            If plotly is missing; the message names the extra to install.
        """
        path = Path(path)
        path.write_text(self.html(), encoding="utf-8")
        return path

    def html(self) -> str:
        """Return the page that `to_html` writes."""
        from natfit.diagnostics.races.html import page

        return page(self)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return f"<Race on {self.field.title}: {len(self.optimizers)} optimizers in {len(self.charts)} parametrizations>"
