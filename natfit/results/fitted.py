"""What the fit of coefficients leaves behind for its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from natfit.metric import Metric

if TYPE_CHECKING:
    from natfit.optimize.loop import Outcome
    from natfit.optimize.objective import Point

Array = np.ndarray[Any, np.dtype[Any]]


class Separation(NamedTuple):
    """Coefficients that run off to infinity.

    ``direction`` is one in which they do, ``columns`` marks all that are concerned, ``pivots`` the fewest columns
    without which the information of the others is regular, and ``n_rows`` counts the rows fitted ever better.
    """

    direction: Array
    columns: Array
    pivots: Array
    n_rows: int


@dataclass
class Fitted:
    """What a fit leaves behind: parameters, the information at them, and what is to be said about them."""

    params: Array
    kept: Array
    point: Point
    outcome: Outcome
    converged: bool
    reason: str
    alias_notes: list[str]
    separation: Separation | None
    edge_rows: int = 0
    bias_reduction: str | None = None

    @property
    def metric(self) -> Metric:
        """Expected information of the kept coefficients at unit dispersion."""
        return self.point.metric
