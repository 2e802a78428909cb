"""Tables of what was measured, in Markdown."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bootstrap import REPLICATES, Timing
from benchmarks.peers import PEERS, Peer
from benchmarks.run import Comparison, Runs

NONE = "-"


def opening(command: str, peers: Sequence[Peer], missing: Sequence[str], calls: bool = True) -> str:
    """Return what was run, when, where and with which versions."""
    versions = [f"{peer.name} {peer.version}" for peer in peers]
    lines = [
        f"- Run: `{command}`",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- Machine: {machine()}{_load()}",
        f"- Versions: Python {platform.python_version()}, {', '.join(versions + _libraries())}",
    ]
    if missing:
        lines.append(f"- Not installed, so left out: {', '.join(missing)}")
    if calls:
        lines += ["", "What each runs, with its default settings and no penalty:", ""]
        lines += [f"- {peer.name}: {peer.call}." for peer in peers]
    return "\n".join(lines) + "\n"


def comparison_table(comparison: Comparison) -> str:
    """Return a table of one case: a row for each peer."""
    case, grams = comparison.case, comparison.grams
    base = next((one for one in comparison.runs if one.peer == "natfit"), None)
    head = ["peer", "seconds", "from - to", "times natfit", "Gram passes (fastest)", "(medians)", "CPU seconds"]
    head += ["extra MB", "times natfit", "share of design", "standard errors from the MLE", "error of bse"]
    rows = [_row(one, base, comparison) for one in comparison.runs]
    measured = [fit["memory_by"] for one in comparison.runs for fit in one.fits]
    layout = "rows" if case.order == "C" else "columns"
    lines = [
        f"## {case.title}",
        "",
        f"Medians over {comparison.repeat} round(s) of fits with standard errors, each in a fresh process, the peers in "
        f"turn. A Gram pass: {min(grams):.3g} s at best, {statistics.median(grams):.3g} s by its median. "
        f"Design: {_mb(case.design_bytes)} MB, {layout} contiguous. "
        f"Extra memory: {measured[0] if measured else NONE}.",
        "",
        table(head, rows),
    ]
    lines += [f"{one.peer} failed: {one.failures[0]}\n" for one in comparison.runs if one.failures]
    return "\n".join(lines)


def small_table(timings: Mapping[str, Mapping[str, Sequence[float]]], shape: str) -> str:
    """Return a table of small fits: a row for each family and peer.

    Parameters
    ----------
    timings : mapping of family to mapping of peer to seconds
    shape : str
        Rows and columns, in words.
    """
    rows = []
    repeat = 0
    for family, by_peer in timings.items():
        base = statistics.median(by_peer["natfit"]) if "natfit" in by_peer else None
        for peer, seconds in by_peer.items():
            repeat = len(seconds)
            low, middle, high = statistics.quantiles(seconds, n=4)
            spread = f"{1e3 * low:.3f} - {1e3 * high:.3f}"
            rows.append([family, peer, f"{1e3 * middle:.3f}", spread, _ratio(middle, base)])
    lines = [
        f"## Small fits, {shape}",
        "",
        f"Medians of {repeat} fits with standard errors in one process, the peers in turn.",
        "",
        table(["family", "peer", "milliseconds", "quartiles", "times natfit"], rows),
    ]
    return "\n".join(lines)


def bootstrap_table(title: str, ways: Sequence[Sequence[Timing]]) -> str:
    """Return a table of bootstraps: a row for each way, its seconds scaled to as many replicates."""
    medians = [statistics.median(one.scaled for one in timings) for timings in ways]
    rows = []
    for timings, seconds in zip(ways, medians, strict=True):
        low, high = min(one.scaled for one in timings), max(one.scaled for one in timings)
        cpu = statistics.median(one.cpu_seconds * REPLICATES / one.replicates for one in timings)
        apart = timings[0].difference
        cells = [timings[0].name, str(timings[0].replicates), f"{seconds:.2f}", f"{low:.2f} - {high:.2f}", f"{cpu:.2f}"]
        rows.append([*cells, _ratio(seconds, medians[0]), NONE if apart is None else f"{apart:.1g}"])
    head = ["way", "replicates made", f"seconds for {REPLICATES}", "from - to", "CPU seconds", "times natfit"]
    lines = [
        f"## Case bootstrap, {title}",
        "",
        f"Medians over {len(ways[0])} round(s) of fresh processes, the ways in turn: `fit.bootstrap({REPLICATES})` and "
        "its fit, and loops of `GLM(y[rows], X[rows]).fit()`, which make fewer replicates, of the same rows; "
        f"their time is scaled to {REPLICATES}.",
        "",
        table([*head, "largest difference in standard errors"], rows),
    ]
    return "\n".join(lines)


def machine() -> str:
    """Return processor, cores and memory."""
    return f"{_processor()}, {os.cpu_count()} cores, {_memory()}, {platform.system()} {platform.machine()}"


def _row(one: Runs, base: Runs | None, comparison: Comparison) -> list[str]:
    seconds = one.median("seconds")
    if seconds is None:
        return [one.peer, "failed"] + [NONE] * 10
    fastest, usual = comparison.gram_passes(one)
    every = [fit["seconds"] for fit in one.fits]
    extra = one.median("extra_bytes")
    return [
        one.peer,
        f"{seconds:.3f}",
        f"{min(every):.3f} - {max(every):.3f}",
        _ratio(seconds, base.median("seconds") if base else None),
        f"{fastest:.2f}",
        f"{usual:.2f}",
        f"{one.median('cpu_seconds'):.2f}",
        NONE if extra is None else _mb(extra),
        _ratio(extra, base.median("extra_bytes") if base else None),
        NONE if extra is None else f"{extra / comparison.case.design_bytes:.2f}",
        NONE if one.distance is None else f"{one.distance:.1g}",
        NONE if one.bse_error is None else f"{one.bse_error:.1g}",
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    right = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, right, *rows]) + "\n"


def _ratio(value: float | None, base: float | None) -> str:
    return NONE if value is None or not base else f"{value / base:.2f}"


def _mb(size: float) -> str:
    return f"{size / 1e6:.1f}"


def _libraries() -> list[str]:
    from importlib.metadata import version

    return [f"{name} {version(name)}" for name in ("numpy", "scipy") if name not in PEERS]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _load() -> str:
    """Return how busy the machine was before the run, where that is known: others' work makes seconds longer."""
    try:
        return f"; load {os.getloadavg()[0]:.1f} when the run began"
    except (AttributeError, OSError):
        return ""


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (AttributeError, ValueError, OSError):
        return "memory unknown"
