"""Along which curve a step is taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.optimize.objective import Objective, Point

Array = np.ndarray[Any, np.dtype[Any]]


def straight(objective: Objective, point: Point, vector: Array, step: float) -> Array:
    """Return params + step * vector: a straight line in the coordinates at hand."""
    return point.params + step * vector
