"""``natfit race``: every optimizer in every parametrization from the same distribution, on a column of a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from natfit.cli.fit import Numbers
from natfit.cli.running import Refusal, refusing
from natfit.cli.tables import WritablePath, check_distinct, read_data

if TYPE_CHECKING:
    from natfit.diagnostics.races.races import Race

FIGURES = (".png", ".pdf", ".svg")

EPILOG = """\b
Examples:
  natfit race --family gaussian --data heights.csv --column height --plot race.png
  natfit race --family gamma --data rain.csv --column mm --parametrizations shape_rate,mean_shape \\
      --optimizers gradient_descent:0.1,natural_gradient:0.1,kl_ball:0.5,bfgs --html race.html

Exit status: 0 where the race was run, also where optimizers diverged in it; 2 for bad input.
"""


def _pieces(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str] | None:
    """Return the words between commas, or refuse an empty one."""
    if value is None:
        return None
    pieces = [piece.strip() for piece in value.split(",")]
    if not all(pieces):
        raise click.BadParameter(f"{value!r} has an empty name; write names with commas between", ctx, param)
    return pieces


@click.command("race", epilog=EPILOG)
@click.option("--family", required=True, metavar="NAME", help="A family with parameters of its own, as 'gamma'.")
@click.option("--data", required=True, metavar="PATH", help="The table: .csv, .tsv, .txt, .parquet or .feather. Where "
              "there is no such file, a data set that natfit ships, as 'crabs'.")  # fmt: skip
@click.option("--column", required=True, callback=_pieces, metavar="COLUMN", help="The observations; for vectors all "
              "their columns, with commas between.")  # fmt: skip
@click.option("--freq-weights", metavar="COLUMN", help="How many identical observations a row stands for.")
@click.option("--parametrizations", callback=_pieces, metavar="A,B,...", help="By default all that the family has.")
@click.option("--optimizers", callback=_pieces, metavar="A,B,...", help="gradient_descent, natural_gradient, kl_ball, "
              "bfgs, l_bfgs_b, cg or nelder_mead; with a fixed step as in 'natural_gradient:0.1', for kl_ball with its "
              "radius in nats. By default gradient_descent:0.1,natural_gradient:0.1.")  # fmt: skip
@click.option("--start", type=Numbers(), help="Where all of them start; by default half a nat a row from the maximum.")
@click.option("--start-in", metavar="NAME", help="The parametrization that --start is given in; home parameters by "
              "default.")  # fmt: skip
@click.option("--max-iterations", type=click.IntRange(min=1), default=200, show_default=True, help="Of each run.")
@click.option("--missing", type=click.Choice(["drop", "raise"]), default="drop", show_default=True, help="Rows with "
              "missing values: leave them out, or refuse them.")  # fmt: skip
@click.option("--unit", default="", metavar="TEXT", help="Unit of the observations, as 'cm', for the figures' axes.")
@click.option("--plot", type=WritablePath(FIGURES), metavar="PATH", help="Draw contours, KL balls, paths and gaps: .png, "
              ".pdf or .svg.")  # fmt: skip
@click.option("--html", type=WritablePath([".html", ".htm"]), metavar="PATH", help="Write one interactive page, for "
              "families of two parameters.")  # fmt: skip
@click.option("--output", type=WritablePath([".csv"]), metavar="PATH", help="Write the record to this file, to all "
              "digits: a line for each iterate.")  # fmt: skip
def command(**asked: Any) -> None:
    """Race optimizers in several parametrizations of one distribution, and print how fast each arrives.

    All start at the same distribution. Plain gradient descent is sensitive to how the distribution is written; the
    natural gradient hardly is.
    """
    with refusing():
        check_distinct([asked["data"]], [asked[name] for name in ("plot", "html", "output") if asked[name]])
        _require(asked)
        found = _race(asked)
        page = found.html() if asked["html"] else ""
    click.echo(found.summary())
    with refusing():
        if asked["output"]:
            _save(asked["output"], lambda path: found.record.to_csv(path, index=False, lineterminator="\n"))
        if asked["html"]:
            _save(asked["html"], lambda path: path.write_text(page, encoding="utf-8"))
        if asked["plot"]:
            _draw(asked["plot"], found)


def _require(asked: dict[str, Any]) -> None:
    """Refuse before any work what would need a package that is missing."""
    if asked["plot"]:
        from natfit.diagnostics.plotting import pyplot

        pyplot()
    if asked["html"]:
        from natfit.diagnostics.races.html import plotly_script

        plotly_script()


def _race(asked: dict[str, Any]) -> Race:
    from natfit.diagnostics.races.races import race

    column = asked["column"]
    passed_on = (
        "parametrizations",
        "optimizers",
        "start",
        "start_in",
        "max_iterations",
        "missing",
        "freq_weights",
        "unit",
    )
    return race(
        asked["family"],
        column[0] if len(column) == 1 else column,
        data=read_data(asked["data"]),
        **{name: asked[name] for name in passed_on},
    )


def _save(path: Path, write: Callable[[Path], Any]) -> None:
    try:
        write(path)
    except OSError as error:
        raise Refusal(f"{str(path)!r} can't be written: {error.strerror}") from error


def _draw(path: Path, found: Race) -> None:
    from natfit.diagnostics.plotting import pyplot

    figure = found.plot()
    try:
        _save(path, lambda where: figure.savefig(where, dpi=130))
    finally:
        pyplot().close(figure)
