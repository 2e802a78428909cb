"""``natfit invariance``: which optimizers' paths depend on the parametrization, on a column of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from natfit.cli.running import Refusal, refusing
from natfit.cli.tables import WritablePath, check_distinct, read_data

if TYPE_CHECKING:
    from natfit.diagnostics.invariance_report.report import InvarianceReport

FIGURES = (".png", ".pdf", ".svg")

EPILOG = """\b
Examples:
  natfit invariance --family gamma --data rain.csv --column mm
  natfit invariance --family gaussian --data crabs --column weight \\
      --parametrizations variance,precision,log_sd --plot spread.png --output spread.csv

Exit status: 0 where the report was made, 2 for bad input.
"""


class Names(click.ParamType):
    """Names with commas between them."""

    name = "a,b,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        """Return the names, or refuse an empty one."""
        if isinstance(value, list):
            return value
        names = [piece.strip() for piece in str(value).split(",")]
        if not all(names):
            self.fail(f"{value!r} has an empty name; write names with commas between", param, ctx)
        return names


@click.command("invariance", epilog=EPILOG)
@click.option("--family", required=True, metavar="NAME", help="A family with parameters of its own, as 'gamma'.")
@click.option("--data", required=True, metavar="PATH", help="The table: .csv, .tsv, .txt, .parquet or .feather. Where "
              "there is no such file, a data set that natfit ships, as 'crabs'.")  # fmt: skip
@click.option("--column", required=True, type=Names(), metavar="COLUMN", help="The observations; for vectors all their "
              "columns, with commas between.")  # fmt: skip
@click.option("--freq-weights", metavar="COLUMN", help="How many identical observations a row stands for.")
@click.option("--parametrizations", type=Names(), help="At least two; by default all that the family has.")
@click.option("--moves", type=Names(), help="By default gradient_descent, straight, midpoint and the geodesics that the "
              "family has.")  # fmt: skip
@click.option("--time", type=float, default=1.0, show_default=True, help="Flow time of every path.")
@click.option("--missing", type=click.Choice(["drop", "raise"]), default="drop", show_default=True, help="Rows with "
              "missing values: leave them out, or refuse them.")  # fmt: skip
@click.option(
    "--plot", type=WritablePath(FIGURES), metavar="PATH", help="Draw spread against step: .png, .pdf or .svg."
)
@click.option("--output", type=WritablePath([".csv"]), metavar="PATH", help="Write the table to this file, to all "
              "digits.")  # fmt: skip
def command(**asked: Any) -> None:
    """Compare optimizers' paths in several parametrizations of one distribution, and print how far they lie apart.

    From the same distribution, gradient descent and the natural gradient along several moves run for the same flow time
    in each parametrization. As the step is halved, the spread of their distributions falls with an order that is
    measured: about 0, 1 or 2, or the paths are identical.
    """
    with refusing():
        check_distinct([asked["data"]], [path for path in (asked["plot"], asked["output"]) if path])
        if asked["plot"]:
            _pyplot()  # that it is missing is found before any work
        report = _report(asked)
    click.echo(report.table()[SHOWN].to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    click.echo(f"\n{report.summary()}")
    with refusing():
        if asked["output"]:
            _write(asked["output"], report)
        if asked["plot"]:
            _draw(asked["plot"], report)


SHOWN = ["move", "step", "spread_se", "spread_kl", "order", "order_error", "identical", "diverged"]
"""Columns of the table that are printed; the file has all."""


def _report(asked: dict[str, Any]) -> InvarianceReport:
    from natfit.data.table import Table
    from natfit.diagnostics import invariance

    table = Table(read_data(asked["data"]))
    columns = asked["column"]
    observations = table.column(columns[0]) if len(columns) == 1 else _stacked(table, columns)
    weights = asked["freq_weights"]
    report: InvarianceReport = invariance(
        asked["family"],
        observations,
        asked["parametrizations"],
        moves=asked["moves"],
        time=asked["time"],
        freq_weights=None if weights is None else table.column(weights),
        missing=asked["missing"],
    )
    return report


def _stacked(table: Any, columns: list[str]) -> Any:
    import pandas as pd

    return pd.DataFrame({name: table.column(name) for name in columns})


def _write(path: Path, report: InvarianceReport) -> None:
    try:
        report.table().to_csv(path, index=False, lineterminator="\n")
    except OSError as error:
        raise Refusal(f"{str(path)!r} can't be written: {error.strerror}") from error


def _draw(path: Path, report: InvarianceReport) -> None:
    figure = report.plot().figure
    try:
        figure.savefig(path, dpi=150, bbox_inches="tight")
    except OSError as error:
        raise Refusal(f"{str(path)!r} can't be written: {error.strerror}") from error
    finally:
        _pyplot().close(figure)


def _pyplot() -> Any:
    from natfit.diagnostics.plotting import pyplot

    return pyplot()
