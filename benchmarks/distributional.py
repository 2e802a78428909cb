"""Distributional regressions side by side with statsmodels and ondil: speed at 200,000 x 20, and 100 random problems each.

    python -m benchmarks.distributional [--rows 200000] [--columns 20] [--problems 100] [--alone 100] [--json out.json]

Every program fits the same model to the same arrays from its own default start, with standard errors where it has some. A
problem counts as converged where the program says so; log-likelihoods are compared wherever both have one, also where the
peer says that it has not converged. Where natfit says that there is no maximum, since a parameter runs to its limit, how
far a program runs along is no merit: these are listed by themselves. statsmodels fits beta, negative binomial and both
zero-inflated families, on hard problems; ondil, an online fitter given all rows at once, is asked where it is installed,
on problems drawn from the family. ``--alone`` fits random problems of every family by natfit only.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import json
import zlib
from typing import Any

import numpy as np

from benchmarks import distributional_peers as peers
from benchmarks.distributional_problems import Problem, hard, large, of_family
from natfit.families import distributional

KINDS = ("beta", "negative_binomial", "zero_inflated_poisson")
"""Families that are timed against statsmodels; on hard problems one more, which takes statsmodels minutes on large data."""
HARD = (*KINDS, "zero_inflated_negative_binomial")
LOWER = 1e-8
"""Share of a log-likelihood, at least of 1, by which it may be lower: what sums of many rows may differ by in rounding."""


def speed(kind: str, rows: int, columns: int, repeats: int = 3) -> dict[str, Any]:
    """Fit one large problem; natfit as often as ``repeats`` says, the best counting, since it takes so little time."""
    rng = np.random.default_rng(1)
    problem = large(kind, rows, columns, rng)
    peers.timed(peers.ours, Problem(kind, problem.y[:500], {name: X[:500] for name, X in problem.exog.items()}))
    mine = min(peers.timed(peers.ours, problem) for _ in range(repeats))
    same = min(peers.timed(lambda each: peers.ours(each, "OIM"), problem) for _ in range(repeats))
    other = peers.timed(peers.statsmodels, problem)
    return {
        "kind": kind,
        "rows": rows,
        "columns": columns,
        "natfit_seconds": mine.seconds,
        "natfit_observed_information_seconds": same.seconds,
        "statsmodels_seconds": other.seconds,
        "ratio": other.seconds / mine.seconds,
        "llf_gain": mine.llf - other.llf,
        "converged": [mine.converged, other.converged],
    }


def against(peer: str, kind: str, problems: int) -> dict[str, Any]:
    """Fit random problems by natfit and a peer."""
    good, fine, gains, endless, lower = 0, 0, [], [], []
    said, seconds = collections.Counter[str](), [0.0, 0.0]
    for seed in range(problems):
        rng = np.random.default_rng([zlib.crc32(kind.encode()), seed])
        problem = hard(kind, rng) if peer == "statsmodels" else of_family(kind, rng, peers.ONDIL[kind][1])
        mine, other = peers.timed(peers.ours, problem), peers.timed(getattr(peers, peer), problem)
        good, fine = good + mine.converged, fine + other.converged
        seconds = [seconds[0] + mine.seconds, seconds[1] + other.seconds]
        if not mine.converged:
            said[mine.said] += 1
        if np.isfinite(other.llf):
            (gains if mine.converged else endless).append(mine.llf - other.llf)
            if mine.converged and not mine.llf >= other.llf - LOWER * max(abs(other.llf), 1.0):
                lower.append(seed)
    return {
        "kind": kind,
        "peer": peer,
        "problems": problems,
        "converged_natfit": good,
        "natfit_said": dict(said),
        f"converged_{peer}": fine,
        "compared": len(gains),
        "least_gain": float(np.min(gains)) if gains else np.nan,
        "median_gain": float(np.median(gains)) if gains else np.nan,
        "largest_gain": float(np.max(gains)) if gains else np.nan,
        "seeds_lower": lower,
        "gains_where_there_is_no_maximum": endless,
        "seconds": seconds,
    }


def alone(kind: str, problems: int) -> dict[str, Any]:
    """Fit random problems of a family by natfit."""
    said, good, seconds = collections.Counter[str](), 0, 0.0
    for seed in range(problems):
        problem = of_family(kind, np.random.default_rng([zlib.crc32(kind.encode()), seed]), ("power",))
        found = peers.timed(peers.ours, problem)
        good, seconds = good + found.converged, seconds + found.seconds
        if not found.converged:
            said[found.said] += 1
    return {"kind": kind, "problems": problems, "converged": good, "said": dict(said), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--alone", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(HARD), help="families for statsmodels")
    parser.add_argument("--families", default=",".join(distributional.names()), help="families for --alone")
    parser.add_argument("--json")
    asked = parser.parse_args()
    found: list[dict[str, Any]] = []

    def note(row: dict[str, Any]) -> None:
        found.append(row)
        print(row, flush=True)

    for kind in filter(None, asked.kinds.split(",")):
        if asked.problems:
            note(against("statsmodels", kind, asked.problems))
        if asked.rows and kind in KINDS:
            note(speed(kind, asked.rows, asked.columns))
    if asked.problems and importlib.util.find_spec("ondil"):
        for kind in peers.ONDIL:
            note(against("ondil", kind, asked.problems))
    for kind in asked.families.split(",") if asked.alone else ():
        note(alone(kind, asked.alone))
    if asked.json:
        with open(asked.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
