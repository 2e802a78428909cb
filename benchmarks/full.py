"""Everything that natfit promises of speed and memory, in one run, and whether it was kept."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks import further, other_models, report
from benchmarks.cases import FAMILIES, Case
from benchmarks.peers import choose
from benchmarks.run import ROOT, Comparison, compare, compare_small, say

SHAPES = {
    (1_000_000, 20): ["natfit", "statsmodels", "glum"],
    (200_000, 200): ["natfit", "statsmodels", "glum"],
    (4_000_000, 50): ["natfit", "glum"],
    (50_000, 800): ["natfit", "glum"],
}
"""Shapes and who fits them: statsmodels would want ten times the design's memory for the larger two."""
RESPONSES = ("poisson", "binomial")
SMALL, SMALL_REPEAT, REPEAT = (100, 3), 300, 3
CATEGORIES, STREAM, SWEEP = 1_000_000, 20_000_000, 100_000_000

GRAMS, GRAMS_OF_WIDE, WIDE = 3.0, 4.0, 400
TIMES_GLUM, TIMES_STATSMODELS, TIMES_DISTRIBUTIONAL = 6.0, 50.0, 10.0
SHARE, DISTANCE, BSE_ERROR, IMPORT_SECONDS = 0.15, 1e-6, 1e-6, 0.5

IMPORT = "import time; start = time.perf_counter(); import natfit; natfit.GLM; print(time.perf_counter() - start)"


class Limit(NamedTuple):
    """A promise: what of, the number reached, the limit, and whether the number is to lie above it."""

    what: str
    reached: float
    limit: float
    above: bool = False

    @property
    def kept(self) -> bool:
        return self.reached >= self.limit if self.above else self.reached <= self.limit


def describe() -> str:
    """Return in one line what a full run holds."""
    shapes = ", ".join(f"{rows:,} x {columns}" for rows, columns in SHAPES)
    return (
        f"{' and '.join(RESPONSES)} at {shapes}; small fits, factors of {CATEGORIES:,} rows, {STREAM:,} rows of Parquet "
        "and Dask, mixtures, distributional regressions, the import; then what was promised and whether it was kept"
    )


def sections(options: argparse.Namespace) -> Iterator[str]:
    """Yield the sections of a full run, the verdict last."""
    limits: list[Limit] = []
    for (rows, columns), names in SHAPES.items():
        for family in RESPONSES:
            case = Case(family, rows, columns, seed=options.seed, order=options.order)
            found = compare(case, choose(names)[0], options.repeat or REPEAT, options.timeout)
            limits += of_comparison(found)
            yield report.comparison_table(found)
    small = [Case(family, *SMALL, seed=options.seed) for family in FAMILIES]
    peers = choose(["natfit", "statsmodels"])[0]
    timings = {case.family: compare_small(case, peers, SMALL_REPEAT, options.timeout) for case in small}
    limits += [of_small(family, by_peer) for family, by_peer in timings.items() if len(by_peer) > 1]
    yield report.small_table(timings, f"{SMALL[0]} x {SMALL[1]}")
    wanted = {"categories": CATEGORIES, "stream": STREAM, "dask": True, "sweep": SWEEP, "peers": ["natfit", "glum"]}
    yield from further.sections(argparse.Namespace(**{**vars(options), **wanted}))
    others = other_models.run(options.timeout)
    yield from other_models.sections(others)
    limits += of_distributional(others.distributional)
    limits.append(Limit("`import natfit` and `natfit.GLM`, seconds", import_seconds(), IMPORT_SECONDS))
    yield limits_table(limits)


def of_comparison(found: Comparison) -> Iterator[Limit]:
    """Yield what was promised of natfit's fits of one case."""
    one = next(runs for runs in found.runs if runs.peer == "natfit")
    seconds, extra, title = one.median("seconds"), one.median("extra_bytes"), found.case.title
    if seconds is None:
        yield Limit(f"{title}: fits that failed", float(len(one.failures)), 0.0)
        return
    most = GRAMS_OF_WIDE if found.case.columns >= WIDE else GRAMS
    fastest, usual = found.gram_passes(one)
    yield Limit(f"{title}: Gram passes, fastest over fastest", fastest, most)
    yield Limit(f"{title}: Gram passes, median over median", usual, most)
    for peer, least in (("glum", TIMES_GLUM), ("statsmodels", TIMES_STATSMODELS)):
        theirs = next((runs.median("seconds") for runs in found.runs if runs.peer == peer), None)
        if theirs is not None:
            yield Limit(f"{title}: times faster than {peer}", theirs / seconds, least, above=True)
    if extra is not None:
        yield Limit(f"{title}: extra memory, share of the design", extra / found.case.design_bytes, SHARE)
    if one.distance is not None and one.bse_error is not None:
        yield Limit(f"{title}: standard errors from the maximum", one.distance, DISTANCE)
        yield Limit(f"{title}: relative error of standard errors", one.bse_error, BSE_ERROR)


def of_small(family: str, by_peer: dict[str, list[float]]) -> Limit:
    """Return what was promised of small fits of a family."""
    ours, theirs = (statistics.median(by_peer[peer]) for peer in ("natfit", "statsmodels"))
    return Limit(f"{family}, {SMALL[0]} x {SMALL[1]}: times faster than statsmodels", theirs / ours, 1.0, above=True)


def of_distributional(found: Sequence[dict[str, Any]]) -> Iterator[Limit]:
    """Yield what was promised of distributional regressions."""
    for each in found:
        if "ratio" in each:
            title = f"{each['kind']}, {each['rows']:,} x {each['columns']}"
            yield Limit(f"{title}: times faster than statsmodels", each["ratio"], TIMES_DISTRIBUTIONAL, above=True)
        else:
            title = f"{each['kind']}, {each['problems']} random problems"
            yield Limit(f"{title}: log-likelihoods below {each['peer']}'s", float(len(each["seeds_lower"])), 0.0)


def import_seconds(repeat: int = 5) -> float:
    """Return the median seconds that a fresh process takes to import natfit and what fits a GLM.

    The first one, which compiles natfit as an installation does, is not counted.
    """
    command = [sys.executable, "-c", IMPORT]
    known = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        known["PYTHONPYCACHEPREFIX"] = folder
        runs = [
            subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, env=known)
            for _ in range(1 + repeat)
        ]
    taken = [float(run.stdout) for run in runs[1:]]
    say(f"import: {statistics.median(taken):.3f} s")
    return statistics.median(taken)


def limits_table(limits: Sequence[Limit]) -> str:
    """Return a table of what was promised, what was reached and whether the promise was kept."""
    rows = [
        [
            each.what,
            f"{each.reached:.3g}",
            f"{'at least' if each.above else 'at most'} {each.limit:g}",
            "yes" if each.kept else "**no**",
        ]
        for each in limits
    ]
    kept = sum(each.kept for each in limits)
    lines = [
        "## What was promised",
        "",
        f"{kept} of {len(limits)} kept. Factors and Parquet have their own lines above.",
        "",
    ]
    return "\n".join([*lines, report.table(["what", "reached", "limit", "kept"], rows)])
