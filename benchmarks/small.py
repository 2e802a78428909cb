"""Many small fits in one process, alternating: what a fit costs beyond its arithmetic."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers import PEERS

WARM_UP = 10


def job(given: dict[str, Any]) -> dict[str, list[float]]:
    """Return the seconds of each fit with standard errors, by peer; the peers take turns, each round in another order."""
    case = Case(**given["case"])
    y, X = case.simulate()
    names: list[str] = list(given["peers"])
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for round_ in range(WARM_UP + given["repeat"]):
        shift = round_ % len(names)
        for name in names[shift:] + names[:shift]:
            fit = PEERS[name].fit
            start = time.perf_counter()
            fit(y, X, case.family)
            taken = time.perf_counter() - start
            if round_ >= WARM_UP:
                seconds[name].append(taken)
    return seconds
