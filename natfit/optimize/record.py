"""One row for each iteration: what the optimizer did, and what it cost."""

from __future__ import annotations

import time
from typing import NamedTuple


class Row(NamedTuple):
    """The state at the start of an iteration, and the step that followed from it.

    ``loglik`` is the objective's own; ``kl`` is the Kullback-Leibler divergence moved, in nats over all rows: exact
    where ``kl_is_exact`` (a step rule has computed it), otherwise half the quadratic form of the step in the expected
    information, which is the divergence to second order (NaN where no metric was at hand); ``passes`` counts passes
    over the data so far, of which ``metric_passes`` took a metric along with the score; ``sample_passes`` counts those
    over samples of the rows, which come on top.
    """

    iteration: int
    loglik: float
    decrement: float
    step: float
    kl: float
    passes: int
    seconds: float
    metric: str
    kl_is_exact: bool = False
    metric_passes: int = 0
    sample_passes: int = 0


class Record(list[Row]):
    """The rows of one optimization, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._began = time.perf_counter()

    def note(
        self,
        loglik: float,
        decrement: float,
        step: float,
        kl: float,
        passes: int,
        metric: str,
        kl_is_exact: bool = False,
        metric_passes: int = 0,
        sample_passes: int = 0,
    ) -> Row:
        """Append a row, stamped with the time since the record began."""
        seconds = time.perf_counter() - self._began
        counts = (metric_passes, sample_passes)
        row = Row(len(self), loglik, decrement, step, kl, passes, seconds, metric, kl_is_exact, *counts)
        self.append(row)
        return row

    def leave_out(self, seconds: float) -> None:
        """Take time out of the account that was spent on watching and not on the optimization."""
        self._began += seconds
