"""One row for each iteration: what the optimizer did, and what it cost."""

from __future__ import annotations

import time
from typing import NamedTuple


class Row(NamedTuple):
    """The state at the start of an iteration, and the step that followed from it.

    ``loglik`` is the objective's own; ``kl`` is half the quadratic form of the step in the metric, which is the
    Kullback-Leibler divergence moved to second order; ``passes`` counts passes over the data so far.
    """

    iteration: int
    loglik: float
    decrement: float
    step: float
    kl: float
    passes: int
    seconds: float
    metric: str


class Record(list[Row]):
    """The rows of one optimization, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.perf_counter()

    def note(self, loglik: float, decrement: float, step: float, kl: float, passes: int, metric: str) -> Row:
        """Append a row, stamped with the time since the record began."""
        row = Row(len(self), loglik, decrement, step, kl, passes, time.perf_counter() - self._began, metric)
        self.append(row)
        return row
