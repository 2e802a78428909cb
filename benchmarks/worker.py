"""What runs in a fresh process: reads one job as JSON from standard input, writes its answer as JSON in the last line.

A new process for every fit gives each the same start: nothing cached, no memory that an earlier fit left behind.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import bootstrap, categories, small, streams, sweep
from benchmarks.cases import Case, load
from benchmarks.judge import Maximum, find_maximum
from benchmarks.measure import measure
from benchmarks.peers import PEERS

GRAM_REPEAT = 5


def fit(job: dict[str, Any]) -> dict[str, Any]:
    """Fit once, with standard errors, after a fit of 100 rows that has imported what the peer needs."""
    peer, family = PEERS[job["peer"]], job["case"]["family"]
    peer.fit(*Case(family, 100, 3).simulate(), family)
    y, X = load(Path(job["folder"]))
    (params, bse), cost = measure(lambda: peer.fit(y, X, family))
    answer = {"params": np.asarray(params).tolist(), "bse": None if bse is None else np.asarray(bse).tolist()}
    return answer | cost._asdict()


def gram(job: dict[str, Any]) -> list[float]:
    """Return the seconds of some products X'X of the design, by BLAS with all its threads: the unit of fits."""
    _, X = load(Path(job["folder"]))
    seconds = []
    for _ in range(1 + GRAM_REPEAT):
        start = time.perf_counter()
        X.T @ X
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def judge(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Measure the distance of every answer from the maximum."""
    y, X = load(Path(job["folder"]))
    best = _maximum(y, X, job)
    return [
        {
            "distance": best.distance(np.array(answer["params"])),
            "bse_error": None if answer["bse"] is None else best.bse_error(np.array(answer["bse"])),
        }
        for answer in job["answers"]
    ]


def _maximum(y: np.ndarray, X: np.ndarray, job: dict[str, Any]) -> Maximum:
    """Find the maximum from the first answer that leads there."""
    for answer in job["answers"]:
        try:
            return find_maximum(y, X, job["case"]["family"], np.array(answer["params"]))
        except (ArithmeticError, np.linalg.LinAlgError):
            continue
    raise ArithmeticError("no answer was near enough to the maximum to find it")


JOBS = {"fit": fit, "gram": gram, "judge": judge, "small": small.job, "bootstrap": bootstrap.job}
JOBS |= {"categories": categories.job, "sweep": sweep.job, **streams.JOBS}


def main() -> None:
    job = json.load(sys.stdin)
    warnings.simplefilter("ignore")
    print("\n" + json.dumps(JOBS[job["do"]](job)))


if __name__ == "__main__":
    main()
