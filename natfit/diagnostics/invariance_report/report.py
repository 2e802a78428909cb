"""The invariance report: which paths depend on the parametrization, and how fast that fades with the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from natfit.diagnostics.invariance_report.case import Case, check_start
from natfit.diagnostics.invariance_report.models import make_case
from natfit.diagnostics.invariance_report.paths import choose_ways
from natfit.diagnostics.invariance_report.spread import FIRST, Spread, measure
from natfit.diagnostics.order import FEWEST, Order
from natfit.parametrizations.base import Array

if TYPE_CHECKING:
    import pandas as pd

LARGEST, HALVINGS = 0.25, 5
"""Default steps: a quarter of the flow time, halved five times. The last four give orders to a few hundredths."""


@dataclass(frozen=True, eq=False)
class InvarianceReport:
    """How far the paths of each move lie apart in different parametrizations, and with which order that falls.

    Parameters
    ----------
    case : Case
        The model, its parametrizations and the start.
    spreads : mapping of str to Spread
        By move.
    time : float
        Flow time of every path.
    steps : (S,) ndarray
    distance : float
        The decrement at the start: its squared distance from the maximum, in standard errors.
    decrement : float
        Below which iterations are counted.
    max_iterations : int
    """

    case: Case
    spreads: Mapping[str, Spread]
    time: float
    steps: Array
    distance: float
    decrement: float
    max_iterations: int

    @property
    def orders(self) -> dict[str, Order]:
        """The order of each move's spread in standard errors, with its error; NaN where paths are identical."""
        return {name: spread.order for name, spread in self.spreads.items()}

    @property
    def kl_orders(self) -> dict[str, Order]:
        """The order of each move's spread in KL divergence."""
        return {name: spread.kl_order for name, spread in self.spreads.items()}

    @property
    def identical(self) -> dict[str, bool]:
        """Whether a move's paths agree to rounding at every step run, in all parametrizations."""
        return {name: spread.identical for name, spread in self.spreads.items()}

    def table(self) -> pd.DataFrame:
        """Return one row for each move and step.

        Returns
        -------
        DataFrame
            ``move``, ``step``, ``spread_se`` (largest distance of two parametrizations' distributions, in standard
            errors), ``spread_kl`` (the larger KL divergence of those two, in nats over all rows), ``order`` and
            ``order_error``, ``kl_order`` and ``kl_order_error`` (of the move, NaN where not known), ``in_order`` (whether
            the order was measured on this step), ``identical``, ``diverged`` (parametrizations whose path left the domain
            at this step), and ``iterations[name]`` for each parametrization (of the move; missing where the decrement
            did not fall so far).
        """
        import pandas as pd

        rows = [row for spread in self.spreads.values() for row in _rows(spread)]
        frame = pd.DataFrame(rows)
        counts = [column for column in frame if str(column).startswith("iterations[")]
        return frame.astype(dict.fromkeys(counts, "Int64"))

    def summary(self) -> str:
        """Return the table in short and what it says, in plain words."""
        from natfit.diagnostics.invariance_report.text import summary

        return summary(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw spread against step, with the fitted slopes, and return the matplotlib axes; new ones where ``ax`` is None.

        Raises
        ------
        ImportError
            If matplotlib is missing; the message names the extra to install.
        """
        from natfit.diagnostics.invariance_report.plot import draw

        return draw(self, ax)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        told = (
            f"{name} {'identical' if each.identical else f'{each.order.value:.2f}'}"
            for name, each in self.spreads.items()
        )
        return f"<InvarianceReport of {self.case.title}: orders {', '.join(told)}>"


def _rows(spread: Spread) -> list[dict[str, Any]]:
    counts = {f"iterations[{name}]": count for name, count in spread.iterations.items()}
    return [
        {
            "move": spread.way.name,
            "step": float(step),
            "spread_se": float(spread.spread[i]),
            "spread_kl": float(spread.kl[i]),
            "order": spread.order.value,
            "order_error": spread.order.error,
            "kl_order": spread.kl_order.value,
            "kl_order_error": spread.kl_order.error,
            "in_order": bool(spread.order.known and spread.order.used[i]),
            "identical": spread.identical,
            "diverged": ", ".join(name for name, at in spread.diverged.items() if float(step) in at),
            **counts,
        }
        for i, step in enumerate(spread.steps)
    ]


def invariance(
    model_or_family: Any,
    data: Any = None,
    parametrizations: Any = None,
    *,
    start: Any = None,
    moves: Any = None,
    time: float = 1.0,
    steps: ArrayLike | None = None,
    decrement: float = 1e-6,
    max_iterations: int = 200,
    freq_weights: Any = None,
    missing: str = "none",
) -> InvarianceReport:
    """Measure how far optimizers' paths depend on the parametrization, on your data.

    From one distribution, paths of fixed steps h are followed in each parametrization for the same flow time T, T/h steps
    each. Their spread is the largest distance between two parametrizations' distributions at equal flow times,
    sqrt(d'Fd) with F the Fisher information of all the data at the average of the points compared. As the step is halved
    it falls like h^order; the order is the slope of log spread on log step at the smallest steps.

    Parameters
    ----------
    model_or_family : str, class, Family, GLM, MixtureResults or Case
        A family with ``data``, an `natfit.GLM` or a fitted mixture with its own rows, or a
        `natfit.diagnostics.invariance_report.case.Case`.
    data : array_like, optional
        The observations of a family, (n, *event), or a `natfit.data` source.
    parametrizations : sequence of str or Parametrization, or mapping of str to either, optional
        At least two. By default all of the family's; of a GLM's coefficients these themselves, "scaled" by their
        standard errors, "rotated", and a "nonlinear" map.
    start : array_like or mapping, optional
        Home parameters to start from. By default about 0.1 nats for each observation from the estimate.
    moves : sequence of str, or mapping of str to move, Direction or Optimizer, optional
        ``"gradient_descent"``, or natural gradient along a move of `natfit.optimize.MOVES`. By default gradient descent,
        natural gradient straight and by midpoints, and the moves that are defined without coordinates: e- and m-geodesic
        of an exponential family, the Fisher-Rao geodesic where its closed form is known, straight in the home parameters
        elsewhere (for a GLM in its coefficients: with the canonical link the e-geodesic). Of an Optimizer only direction
        and move are used.
    time : float
        Flow time T. Along the natural gradient flow the distance to the maximum shrinks about as exp(-t).
    steps : array_like, optional
        Decreasing, at least three, each dividing the time. By default time/4, halved five times.
    decrement : float
        Iterations are counted until the decrement falls below this: 1e-6 is a thousandth of a standard error. There steps
        are backtracked, from unit steps of a natural gradient and growing ones of a gradient.
    max_iterations : int
        Most iterations counted.
    freq_weights : (n,) array_like, optional
        How many identical observations a row stands for.
    missing : {"none", "drop", "raise"}
        What to do about missing observations.

    Returns
    -------
    InvarianceReport

    Raises
    ------
    ValueError
        If the start lies outside the domain or is the maximum, the Fisher information is singular there, a
        parametrization or move is unknown, there is only one parametrization, or steps don't decrease. A path that leaves
        the domain raises nothing: it is recorded, and the report goes on.

    Notes
    -----
    The gradient's flow dxi/dt = g has no time scale of its own, and is another flow in each parametrization, so its spread
    does not fall with the step. To compare like with like it is multiplied in each parametrization by one constant,
    such that the first steps move equally far in KL: c^2 g'Fg = g'F^-1 g. Where the largest step would overshoot in one
    of them (c F h having an eigenvalue above 1 at the start), all are slowed by a common factor, which the summary tells.

    An Euler step follows the natural gradient flow to first order and a midpoint step to second, whatever the
    coordinates (Hairer, Norsett & Wanner, 1993, section II.1): so paths in different coordinates agree to these orders.
    Affine changes of coordinates, and moves along e-, m- and Fisher-Rao geodesics, leave whole paths the same. (These moves
    divide a Jacobian out again, so they can't tell a wrong one; straight and midpoint paths then lose their orders.)

    It takes some thousand passes over the rows: of very many compare a sample, or give fewer steps and parametrizations.

    Source: Amari (1998), Natural gradient works efficiently in learning, Neural Computation 10.

    Examples
    --------
    >>> import natfit as nf
    >>> report = nf.diagnostics.invariance("poisson", [1, 4, 2, 2, 5, 3], ["rate", "log_rate"])
    >>> {name: round(order.value, 1) for name, order in report.orders.items() if order.known}
    {'gradient_descent': 0.0, 'straight': 1.0, 'midpoint': 2.0}
    >>> [name for name, same in report.identical.items() if same]
    ['e_geodesic', 'm_geodesic', 'fisher_rao']
    """
    time, halved = _checked_steps(time, steps)
    if not decrement > 0.0 or not max_iterations >= 1:
        raise ValueError(
            f"decrement must be above 0 and max_iterations at least 1, but they are {decrement} and {max_iterations}"
        )
    case = make_case(model_or_family, data, parametrizations, start, freq_weights, missing)
    ways = choose_ways(case, moves)
    point = check_start(case)
    spreads = {way.name: measure(case, way, point, time, halved, decrement, int(max_iterations)) for way in ways}
    distance = point.decrement / case.dispersion
    return InvarianceReport(case, spreads, time, halved, distance, decrement, int(max_iterations))


def _checked_steps(time: float, steps: ArrayLike | None) -> tuple[float, Array]:
    """Return flow time and steps, or say what is wrong with them."""
    if not 0.0 < time < np.inf:
        raise ValueError(f"time must be above 0 and finite, but is {time}")
    if steps is None:
        return float(time), time * LARGEST * 0.5 ** np.arange(HALVINGS + 1)
    halved = np.atleast_1d(np.asarray(steps, dtype=float))
    text = ", ".join(f"{step:g}" for step in halved.ravel())
    if halved.ndim != 1 or halved.size < max(FEWEST, FIRST):
        raise ValueError(f"an order needs at least {max(FEWEST, FIRST)} steps, but got {text or 'none'}")
    if not (np.isfinite(halved).all() and (halved > 0.0).all() and (np.diff(halved) < 0.0).all()):
        raise ValueError(f"steps must be above 0 and decrease, but are {text}")
    counts = time / halved
    uneven = np.abs(counts - np.rint(counts)) > 1e-9 * counts
    if uneven.any() or (np.rint(counts) < 1).any():
        raise ValueError(
            f"each step must divide the flow time {time:g}, so that all paths end together, but "
            f"{', '.join(f'{step:g}' for step in halved[uneven | (np.rint(counts) < 1)])} does not"
        )
    return float(time), halved
