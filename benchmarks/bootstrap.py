"""A case bootstrap: natfit's own beside loops over statsmodels' fits of the same resampled rows, each in a fresh process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.cases import Case, load
from benchmarks.run import in_process, say

Array = np.ndarray[Any, np.dtype[Any]]

REPLICATES, LOOPED = 1000, 40
"""Replicates that natfit makes, and those that a loop makes before its time is scaled to as many."""
SEED = 1


class Timing(NamedTuple):
    """What one way to bootstrap took: seconds for ``replicates``, and how its estimates differ from natfit's."""

    name: str
    replicates: int
    seconds: float
    cpu_seconds: float
    difference: float | None

    @property
    def scaled(self) -> float:
        return self.seconds * REPLICATES / self.replicates


def rows_of(replicate: int, n_rows: int) -> Array:
    """Return the rows of a replicate, those that natfit draws: from a generator spawned by the replicate's number."""
    return np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=(replicate,))).integers(0, n_rows, n_rows)


def natfit(y: Array, X: Array, family: str, count: int) -> Array:
    import natfit as nf

    fit = nf.GLM(y, X, family=family, link="log" if family == "gamma" else None).fit()
    return fit.bootstrap(count, random_state=SEED).replicates.to_numpy()


def statsmodels(y: Array, X: Array, family: str, count: int) -> Array:
    return _loop(y, X, family, count, False)


def statsmodels_started(y: Array, X: Array, family: str, count: int) -> Array:
    return _loop(y, X, family, count, True)


def _loop(y: Array, X: Array, family: str, count: int, started: bool) -> Array:
    import statsmodels.api as sm

    families: dict[str, Callable[[], Any]] = {
        "gaussian": sm.families.Gaussian,
        "poisson": sm.families.Poisson,
        "binomial": sm.families.Binomial,
        "gamma": lambda: sm.families.Gamma(sm.families.links.Log()),
    }
    options = {"start_params": sm.GLM(y, X, family=families[family]()).fit().params} if started else {}
    estimates = []
    for replicate in range(count):
        rows = rows_of(replicate, len(y))
        estimates.append(sm.GLM(y[rows], X[rows], family=families[family]()).fit(**options).params)
    return np.array(estimates)


WAYS: dict[str, tuple[Callable[[Array, Array, str, int], Array], int]] = {
    "natfit": (natfit, REPLICATES),
    "statsmodels, a loop": (statsmodels, LOOPED),
    "statsmodels, a loop started at the estimates": (statsmodels_started, LOOPED),
}


def job(given: dict[str, Any]) -> dict[str, Any]:
    """Time one way to bootstrap, after one of 100 rows that has imported what it needs."""
    way, count = WAYS[given["way"]]
    family = given["case"]["family"]
    way(*Case(family, 100, 3).simulate(), family, 2)
    y, X = load(Path(given["folder"]))
    wall, cpu = time.perf_counter(), time.process_time()
    estimates = way(y, X, family, count)
    taken = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    return taken | {"estimates": estimates[:LOOPED].tolist()}


def compare_bootstraps(case: Case, repeat: int, timeout: float) -> list[list[Timing]]:
    """Return, for each way, its timings in turn with the others."""
    found: dict[str, list[Timing]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        case.save(Path(folder))
        for _ in range(repeat):
            own: Array | None = None
            for name, (_, count) in WAYS.items():
                asked = {"do": "bootstrap", "case": case.as_dict(), "folder": folder, "way": name}
                answer = in_process(asked, timeout)
                estimates = np.array(answer["estimates"])
                difference = None if own is None else _apart(estimates, own)
                own = estimates if own is None else own
                found[name].append(Timing(name, count, answer["seconds"], answer["cpu_seconds"], difference))
                say(f"bootstrap, {case.title}: {name}, {count} replicates in {answer['seconds']:.2f} s")
    return list(found.values())


def _apart(estimates: Array, own: Array) -> float:
    """Return the largest difference between the same replicates, in standard errors."""
    return float((np.abs(estimates - own) / own.std(axis=0)).max())
