"""The command: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import full, further, report
from benchmarks.bootstrap import compare_bootstraps
from benchmarks.cases import FAMILIES, Case
from benchmarks.peers import PEERS, Peer, choose
from benchmarks.run import WorkerFailed, compare, compare_small

SMALL_ROWS, SMALL_COLUMNS, SMALL_REPEAT = 100, 3, 300
BOOTSTRAP, BOOTSTRAP_REPEAT = (10_000, 10), 3
QUICK = {"rows": 20_000, "columns": 10, "repeat": 1}
USUAL = {"rows": 1_000_000, "columns": 20, "repeat": 3}
QUICK_SMALL_REPEAT = 20


def names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def count(text: str) -> int:
    value = int(text.replace("_", ""))
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {value}")
    return value


def shapes(text: str) -> list[tuple[int, int]]:
    pairs = [part.lower().split("x") for part in names(text)]
    if any(len(pair) != 2 for pair in pairs):
        raise argparse.ArgumentTypeError(f"must be rows x columns, as in 1000000x20,200000x200; got {text!r}")
    return [(count(rows), count(columns)) for rows, columns in pairs]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Fit GLMs with natfit and its peers side by side; prints tables in Markdown.",
    )
    made.add_argument("--rows", type=count, help=f"rows of the design ({USUAL['rows']})")
    made.add_argument("--columns", type=count, help=f"columns, the constant included ({USUAL['columns']})")
    made.add_argument("--shapes", type=shapes, help="rows x columns of several designs: 1000000x20,200000x200")
    made.add_argument("--family", type=names, help=f"one or more, with commas, of {', '.join(FAMILIES)} (poisson)")
    made.add_argument("--peers", type=names, default=list(PEERS), help=f"some of {', '.join(PEERS)} (all)")
    made.add_argument("--repeat", type=count, help=f"fits of each ({USUAL['repeat']}; small ones {SMALL_REPEAT})")
    made.add_argument("--order", choices=("C", "F"), default="C", help="the design lies by rows (C) or columns (F)")
    made.add_argument("--seed", type=int, default=Case.seed, help=f"of the data ({Case.seed})")
    made.add_argument("--timeout", type=float, default=900.0, help="seconds that one fit may take (900)")
    made.add_argument("--output", type=Path, help="write the report to this file too")
    made.add_argument("--append", action="store_true", help="add to the file's end instead of replacing it")
    what = made.add_mutually_exclusive_group()
    what.add_argument(
        "--small", action="store_true", help=f"many fits of {SMALL_ROWS} x {SMALL_COLUMNS} in one process"
    )
    what.add_argument(
        "--bootstrap",
        action="store_true",
        help="1,000 refits of 10,000 x 10 to rows drawn anew, beside a loop of statsmodels",
    )
    what.add_argument("--categories", type=count, metavar="ROWS", help="factors of many levels, from a formula")
    what.add_argument("--stream", type=count, metavar="ROWS", help="rows read from Parquet in every pass")
    what.add_argument(
        "--sweep", type=count, metavar="ENTRIES", help="natfit's cost by rows and by columns, up to a size"
    )
    made.add_argument("--dask", action="store_true", help="with --stream: on a Dask cluster too, a worker killed")
    made.add_argument("--plot", type=Path, help="with --sweep: draw it to this file")
    what.add_argument("--full", action="store_true", help=f"in one run: {full.describe()}")
    what.add_argument("--quick", action="store_true", help="something of everything, within a minute")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(given)
    try:
        peers, missing = choose(["natfit", "statsmodels"] if options.bootstrap else options.peers)
        if not peers:
            raise ValueError(f"none of the peers is installed: {', '.join(missing)}")
        small, large = cases(options)
        parts = [report.opening(" ".join(["python -m benchmarks", *given]), peers, missing, not options.bootstrap)]
        print(parts[0], flush=True)
        for part in sections(options, peers, small, large):
            parts.append(part)
            print(part, flush=True)
    except (ValueError, WorkerFailed) as trouble:
        print(f"benchmarks: {trouble}", file=sys.stderr)
        return 2
    if options.output:
        with options.output.open("a" if options.append else "w") as file:
            file.write("\n---\n\n" if options.append else "# Benchmarks\n\n")
            file.write("\n".join(parts))
    return 0


def cases(options: argparse.Namespace) -> tuple[list[Case], list[Case]]:
    """Return the small cases and the large ones that the options ask for."""

    def made(families: Sequence[str], rows: int, columns: int) -> list[Case]:
        shape = (options.rows or rows, options.columns or columns)
        return [Case(family, *shape, seed=options.seed, order=options.order) for family in options.family or families]

    if options.small:
        return made(FAMILIES, SMALL_ROWS, SMALL_COLUMNS), []
    if options.quick:
        small = [Case("poisson", SMALL_ROWS, SMALL_COLUMNS, seed=options.seed, order=options.order)]
        return small, made(FAMILIES, QUICK["rows"], QUICK["columns"])
    if options.bootstrap:
        return [], made(("poisson",), *BOOTSTRAP)
    if options.full or options.categories or options.stream or options.sweep:
        return [], []
    if options.shapes:
        families = options.family or ("poisson",)
        return [], [
            Case(family, rows, columns, seed=options.seed, order=options.order)
            for rows, columns in options.shapes
            for family in families
        ]
    return [], made(("poisson",), USUAL["rows"], USUAL["columns"])


def sections(
    options: argparse.Namespace, peers: Sequence[Peer], small: Sequence[Case], large: Sequence[Case]
) -> Iterator[str]:
    """Yield the report's sections as they are measured."""
    if options.full:
        yield from full.sections(options)
        return
    if small:
        repeat = QUICK_SMALL_REPEAT if options.quick else options.repeat or SMALL_REPEAT
        timings = {case.family: compare_small(case, peers, repeat, options.timeout) for case in small}
        yield report.small_table(timings, f"{small[0].rows} x {small[0].columns}")
    for case in large if options.bootstrap else ():
        yield report.bootstrap_table(
            case.title, compare_bootstraps(case, options.repeat or BOOTSTRAP_REPEAT, options.timeout)
        )
    yield from further.sections(options)
    for case in () if options.bootstrap else large:
        repeat = options.repeat or (QUICK if options.quick else USUAL)["repeat"]
        yield report.comparison_table(compare(case, peers, repeat, options.timeout))


if __name__ == "__main__":
    sys.exit(main())
