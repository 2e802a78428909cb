"""Mixtures and distributional regressions in a full run, each by its own command in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import report
from benchmarks.run import ROOT, WorkerFailed, say

MIXTURES = ["benchmarks.mixtures", "--repeat", "2"]
DISTRIBUTIONAL = [
    "benchmarks.distributional",
    "--problems",
    "5",
    "--kinds",
    "beta,negative_binomial,zero_inflated_poisson",
]
"""Short settings: a handful of random problems where the command by itself takes a hundred."""


class Found(NamedTuple):
    """The tables of mixtures, and what `benchmarks.distributional` has found."""

    mixtures: str
    distributional: list[dict[str, Any]]


def run(timeout: float, small: bool = False) -> Found:
    """Run both; ``small`` to see that all works."""
    with tempfile.TemporaryDirectory(prefix="natfit-benchmarks-") as folder:
        tables, rows = Path(folder) / "mixtures.md", Path(folder) / "distributional.json"
        _run([*MIXTURES, *(["--quick"] if small else []), "--output", str(tables)], timeout)
        size = ["--rows", "5000", "--columns", "4", "--problems", "1"] if small else []
        _run([*DISTRIBUTIONAL, *size, "--json", str(rows)], timeout)
        return Found(tables.read_text(encoding="utf-8"), json.loads(rows.read_text(encoding="utf-8")))


def sections(found: Found) -> Iterator[str]:
    """Yield a section of mixtures and one of distributional regressions."""
    yield "\n".join(["## Mixtures", "", re.sub("^#", "##", found.mixtures, flags=re.MULTILINE)])
    yield distributional_section(found.distributional)


def distributional_section(found: list[dict[str, Any]]) -> str:
    """Return tables of what `benchmarks.distributional` has found."""
    timed = [each for each in found if "ratio" in each]
    hard = [each for each in found if "peer" in each]
    speed = [
        [
            f"{each['kind']}, {each['rows']:,} x {each['columns']}",
            f"{each['natfit_seconds']:.2f}",
            f"{each['statsmodels_seconds']:.2f}",
            f"{each['ratio']:.1f}",
            f"{each['llf_gain']:.2g}",
        ]
        for each in timed
    ]
    problems = [
        [
            f"{each['kind']}, {each['peer']}",
            str(each["problems"]),
            str(each["converged_natfit"]),
            str(each[f"converged_{each['peer']}"]),
            str(len(each["seeds_lower"])),
        ]
        for each in hard
    ]
    return "\n".join(
        [
            "## Distributional regressions",
            "",
            report.table(
                ["family", "natfit, s", "statsmodels, s", "times faster", "log-likelihood above theirs"], speed
            ),
            "",
            report.table(["family, peer", "problems", "natfit converged", "peer converged", "natfit lower"], problems),
            "",
        ]
    )


def _run(command: list[str], timeout: float) -> None:
    say(" ".join(["python -m", *command]))
    try:
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise WorkerFailed(f"{command[0]}: no answer within {timeout:g} s") from None
    if done.returncode != 0:
        raise WorkerFailed(f"{command[0]}: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}")
