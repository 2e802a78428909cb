"""The order with which an error falls as a step is halved, with an uncertainty of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array

FEWEST = 3
"""Points under which no slope with an uncertainty can be given."""


@dataclass(frozen=True, eq=False)
class Order:
    """The slope of log error on log step.

    Parameters
    ----------
    value, error : float
        The order and its uncertainty; not a number where too few points lie above rounding.
    log_constant : float
        The fitted error is exp(log_constant) step^value.
    used : (n,) bool ndarray
        Which points the slope was measured on.
    """

    value: float
    error: float
    log_constant: float
    used: Array

    @property
    def known(self) -> bool:
        """Whether there were points enough."""
        return bool(np.isfinite(self.value))

    @property
    def text(self) -> str:
        """Order and uncertainty to two places, the uncertainty rounded up."""
        return f"{self.value:.2f} ± {np.ceil(100 * self.error) / 100:.2f}"


def measure_order(step: ArrayLike, error: ArrayLike, floor: ArrayLike = 0.0, points: int = 6) -> Order:
    """Fit error = C step^order on the smallest steps whose error stands above the floor of rounding.

    The largest steps are left out because terms of higher order bend the line there, those under the floor because
    rounding does; nothing else is chosen. The uncertainty is the larger of the slope's standard error and half the
    difference between the slopes of the upper and the lower half: what bending is left is owned to.

    Parameters
    ----------
    step, error : array_like, (n,)
        Positive; errors that are zero or not finite count as under the floor.
    floor : array_like, (n,) or scalar
        Size of error that rounding alone can make.
    points : int
        Most points to fit on.

    Examples
    --------
    >>> import numpy as np
    >>> h = 0.5 ** np.arange(10)
    >>> order = measure_order(h, h**3 + h**4)
    >>> round(order.value, 1), order.error < 0.1
    (3.0, True)
    """
    step, error = np.asarray(step, dtype=float), np.asarray(error, dtype=float)
    good = np.isfinite(error) & (error > 0) & (error > np.asarray(floor))
    # the first run of steps above the floor: below one that drowns, errors stand out by chance only
    order = np.argsort(-step)
    runs = np.split(order, np.flatnonzero(~good[order]))
    runs = [run[good[run]] for run in runs]
    chosen = next((run for run in runs if run.size >= FEWEST), order[:0])[-points:]
    used = np.zeros(step.size, dtype=bool)
    used[chosen] = True
    if chosen.size < FEWEST:
        return Order(np.nan, np.nan, np.nan, used)
    x, y = np.log(step[chosen]), np.log(error[chosen])
    slope, constant, spread = _line(x, y)
    half = (chosen.size + 1) // 2
    bend = 0.5 * abs(_line(x[:half], y[:half])[0] - _line(x[-half:], y[-half:])[0])
    return Order(slope, max(spread, bend), constant, used)


def _line(x: Array, y: Array) -> tuple[float, float, float]:
    """Return slope, intercept and the slope's standard error of a least-squares line."""
    centred = x - x.mean()
    squares = float(centred @ centred)
    slope = float(centred @ y) / squares
    constant = float(y.mean() - slope * x.mean())
    residual = y - constant - slope * x
    spread = np.sqrt(float(residual @ residual) / max(x.size - 2, 1) / squares)
    return slope, constant, float(spread)
