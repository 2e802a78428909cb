"""Runs the peers side by side: a fresh process for each fit, the peers in turn, several rounds."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.peers import Peer

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Runs:
    """All fits of one peer to one case."""

    peer: str
    fits: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    distance: float | None = None
    bse_error: float | None = None

    def median(self, what: str) -> float | None:
        """Return the median of "seconds", "cpu_seconds" or "extra_bytes" over the fits."""
        values = [fit[what] for fit in self.fits if fit[what] is not None]
        return statistics.median(values) if values else None


@dataclass
class Comparison:
    """One case, all peers, and the seconds of each Gram pass of the same design in the same rounds."""

    case: Case
    runs: list[Runs]
    grams: list[float]
    repeat: int

    def gram_passes(self, one: Runs) -> tuple[float, float]:
        """Return a peer's fits in Gram passes: fastest over fastest, and median over median."""
        seconds = [fit["seconds"] for fit in one.fits]
        return min(seconds) / min(self.grams), statistics.median(seconds) / statistics.median(self.grams)


class WorkerFailed(RuntimeError):
    """A measured process ended without an answer; the message is its last line."""


def compare(case: Case, peers: Sequence[Peer], repeat: int, timeout: float) -> Comparison:
    """Fit a case with every peer that knows its family, ``repeat`` times each."""
    runs = [Runs(peer.name) for peer in peers if case.family in peer.families]
    grams: list[float] = []
    with tempfile.TemporaryDirectory(prefix="natfit-benchmarks-") as folder:
        case.save(Path(folder))
        job = {"case": case.as_dict(), "folder": folder}
        for round_ in range(repeat):
            grams += in_process(job | {"do": "gram"}, timeout)
            shift = round_ % len(runs)
            for one in runs[shift:] + runs[:shift]:
                _fit(one, job, timeout, f"{case.title}, round {round_ + 1} of {repeat}")
        _judge(runs, job, timeout)
    return Comparison(case, runs, grams, repeat)


def compare_small(case: Case, peers: Sequence[Peer], repeat: int, timeout: float) -> dict[str, list[float]]:
    """Return the seconds of many fits of a small case, by peer, all in one process."""
    names = [peer.name for peer in peers if case.family in peer.families]
    say(f"{case.title}: {repeat} fits each of {', '.join(names)}")
    return in_process({"do": "small", "case": case.as_dict(), "peers": names, "repeat": repeat}, timeout)


def _fit(one: Runs, job: dict[str, Any], timeout: float, where: str) -> None:
    if one.failures:
        return
    try:
        one.fits.append(in_process(job | {"do": "fit", "peer": one.peer}, timeout))
        say(f"{where}: {one.peer} {one.fits[-1]['seconds']:.3f} s")
    except WorkerFailed as trouble:
        one.failures.append(str(trouble))
        say(f"{where}: {one.peer} failed: {trouble}")


def _judge(runs: Sequence[Runs], job: dict[str, Any], timeout: float) -> None:
    """Give each peer the largest distance and error among its fits."""
    answers = [{key: fit[key] for key in ("params", "bse")} for one in runs for fit in one.fits]
    if not answers:
        return
    try:
        verdicts = iter(in_process(job | {"do": "judge", "answers": answers}, timeout))
    except WorkerFailed as trouble:
        say(f"distances are unknown: {trouble}")
        return
    for one in runs:
        own = [next(verdicts) for _ in one.fits]
        if own:
            one.distance = max(verdict["distance"] for verdict in own)
            errors = [verdict["bse_error"] for verdict in own if verdict["bse_error"] is not None]
            one.bse_error = max(errors) if errors else None


def in_process(job: dict[str, Any], timeout: float) -> Any:
    """Do a job in a fresh Python process and return its answer."""
    command = [sys.executable, "-m", "benchmarks.worker"]
    try:
        done = subprocess.run(
            command, input=json.dumps(job), capture_output=True, text=True, cwd=ROOT, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise WorkerFailed(f"no answer within {timeout:g} s") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise WorkerFailed(lines[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def say(line: str) -> None:
    """Tell how far the work has come, on standard error."""
    print(line, file=sys.stderr, flush=True)
