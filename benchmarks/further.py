"""Sections beside the plain comparison: factors of many levels, rows from Parquet, growth by rows and columns."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import categories, sweep
from benchmarks.report import table
from benchmarks.run import in_process, say


def sections(options: argparse.Namespace) -> Iterator[str]:
    """Yield the sections that the options ask for."""
    if options.categories:
        yield _categories(options)
    if options.stream:
        yield _streams(options)
    if options.sweep:
        yield _sweep(options)


def _categories(options: argparse.Namespace) -> str:
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in categories.PEERS if name in options.peers}
    repeat = options.repeat or 3
    for round_ in range(repeat):
        for name, fits in runs.items():
            fits.append(in_process({"do": "categories", "peer": name, "rows": options.categories}, options.timeout))
            say(f"factors, round {round_ + 1} of {repeat}: {name} {fits[-1]['seconds']:.3f} s")
    medians = {name: statistics.median(fit["seconds"] for fit in fits) for name, fits in runs.items()}
    rows = [
        [
            name,
            f"{medians[name]:.3f}",
            f"{medians[name] / medians.get('natfit', np.nan):.2f}",
            f"{statistics.median(fit['extra_bytes'] for fit in fits) / 1e6:.0f}",
            f"{fits[-1]['coefficient']:.9f}",
            f"{fits[-1]['error']:.3e}",
        ]
        for name, fits in runs.items()
    ]
    levels = " and ".join(f"{count:,}" for count in categories.LEVELS)
    return "\n".join(
        [
            f"## Poisson, {options.categories:,} rows, factors of {levels} levels",
            "",
            f"`{categories.FORMULA}` from a DataFrame, the building of the design included, with standard errors; medians "
            f"of {repeat} fits, each in a fresh process.",
            "",
            table(["peer", "seconds", "times natfit", "extra MB", "coefficient of x", "its standard error"], rows),
        ]
    )


def _streams(options: argparse.Namespace) -> str:
    rows = options.stream
    with tempfile.TemporaryDirectory(prefix="natfit-benchmarks-") as folder:
        job = {"rows": rows, "folder": folder}
        size = in_process(job | {"do": "stream_write"}, options.timeout)["bytes"]
        found = {}
        for name in ("scan", "fit", "memory", *(("dask",) if options.dask else ())):
            found[name] = in_process(job | {"do": f"stream_{name}"}, options.timeout)
            say(f"Parquet: {name} {found[name]['seconds']:.2f} s")
    scan, streamed, memory = found["scan"], found["fit"], found["memory"]
    scans, arrays = streamed["passes"] * scan["seconds"], memory["arrays"]
    shares = [streamed["seconds"] / (scans + one["seconds"]) for one in (memory, arrays)]
    lines = [
        ["pyarrow's scan of all columns", f"{scan['seconds']:.2f}", "-", "-", "-"],
        _row("natfit from the file", streamed, memory, f"{streamed['passes']}"),
        _row("natfit from a frame in memory (reading not counted)", memory, memory, "-"),
        _row("natfit from arrays in memory (design at hand)", arrays, memory, "-"),
    ]
    if "dask" in found:
        killed = found["dask"]["killed"]
        lines.append(_row("natfit on a Dask cluster of 2", found["dask"], memory, "-"))
        what = f"the same fit, a worker killed after {killed['killed_after']:.1f} s"
        lines.append(_row(what, killed, memory, "-"))
    return "\n".join(
        [
            f"## Poisson, {rows:,} rows x 10 columns of Parquet ({size / 1e6:.0f} MB)",
            "",
            f"From the file: {shares[0]:.2f} times (passes x scan + the fit of the same formula from a frame in memory); "
            f"{shares[1]:.2f} times where arrays in memory are taken instead, whose fit has no design to build. A fit of a "
            "hundred rows goes before each, so that no import counts; on Dask the first fit has its workers import "
            "everything, and peak resident memory is the client's.",
            "",
            table(
                ["what", "seconds", "passes over the file", "peak resident MiB", "greatest difference of params"], lines
            ),
        ]
    )


def _row(what: str, one: dict[str, Any], base: dict[str, Any], passes: str) -> list[str]:
    resident = "-" if one["resident"] is None else f"{one['resident'] / 2**20:.0f}"
    away = np.abs(np.subtract(one["params"], base["params"])).max()
    return [what, f"{one['seconds']:.2f}", passes, resident, f"{away:.1g}"]


def _sweep(options: argparse.Namespace) -> str:
    found: dict[str, list[dict[str, Any]]] = {}
    for along, pairs in sweep.shapes(options.sweep).items():
        found[along] = []
        for rows, columns in pairs:
            one = in_process({"do": "sweep", "rows": rows, "columns": columns}, options.timeout)
            found[along].append(one | {"rows": rows, "columns": columns})
            say(f"{rows} x {columns}: {one['seconds']:.4f} s")
    if options.plot:
        sweep.plot(found, options.plot)
    lines = [
        [
            f"{one['rows']:,} x {one['columns']}",
            f"{one['seconds']:.4f}",
            f"{one['gram']:.4f}",
            f"{one['seconds'] / one['gram']:.1f}",
            f"{one['passes']} ({one['metric_passes']})",
            f"{one['sample_passes']}",
        ]
        for rows in found.values()
        for one in rows
    ]
    head = [
        "rows x columns",
        "seconds",
        "one Gram pass",
        "Gram passes",
        "passes (with a metric)",
        "passes over samples",
    ]
    return "\n".join(["## natfit by rows and by columns, Poisson", "", table(head, lines)])
