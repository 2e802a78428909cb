"""``natfit mixture``: finite mixtures of columns of a table, one or several to be compared."""

from __future__ import annotations

import re
from typing import Any

import click

from natfit.cli.running import refusing
from natfit.cli.tables import WritablePath, check_distinct, read_data

FIGURES = (".png", ".pdf", ".svg")

EPILOG = """\b
Examples:
  natfit mixture --family gaussian --components 3 --data faithful
  natfit mixture --family gaussian --components 1:6 --covariance all --data faithful.csv
  natfit mixture --family poisson --components 1:3 --data london_times --column deaths --freq-weights freq

Exit status: 0 where the best fit converged, 1 where it did not, 2 for bad input.
"""


class Sizes(click.ParamType):
    """Numbers of components: one, several with commas, or from:to with both ends."""

    name = "K or FROM:TO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """Return the numbers, or refuse what is none."""
        if isinstance(value, list):
            return value
        span = re.fullmatch(r"\s*(\d+)\s*:\s*(\d+)\s*", str(value))
        if span:
            low, high = int(span[1]), int(span[2])
            if not 1 <= low <= high:
                self.fail(f"{value!r} is no range of numbers of components; write it as 1:6", param, ctx)
            return list(range(low, high + 1))
        pieces = [piece.strip() for piece in str(value).split(",")]
        if not all(piece.isdigit() and int(piece) >= 1 for piece in pieces):
            self.fail(f"{value!r} is no number of components; write 3, or 1:6 for several", param, ctx)
        return [int(piece) for piece in pieces]


@click.command("mixture", epilog=EPILOG)
@click.option("--family", default="gaussian", show_default=True, metavar="NAME", help="Of the components.")
@click.option("--components", "sizes", type=Sizes(), required=True, help="How many; of several the one with the "
              "smallest BIC is shown.")  # fmt: skip
@click.option("--covariance", default="full", show_default=True, metavar="NAME", help="For Gaussian components: EII to "
              "VVV, full, tied, diag, spherical, or 'all'.")  # fmt: skip
@click.option("--data", required=True, metavar="PATH", help="The table: .csv, .tsv, .txt, .parquet or .feather. Where "
              "there is no such file, a data set that natfit ships, as 'faithful'.")  # fmt: skip
@click.option("--column", "columns", metavar="A,B,...", help="Columns to fit; all of them by default.")
@click.option("--freq-weights", metavar="COLUMN", help="How many identical rows a row stands for.")
@click.option("--noise", is_flag=True, help="Add a component that is uniform over the rows' box.")
@click.option("--zero-inflated", is_flag=True, help="Add a component that has all its rows at 0.")
@click.option("--starts", type=click.IntRange(min=1), default=20, show_default=True, help="Starts of each fit.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the starts.")
@click.option("--missing", type=click.Choice(["drop", "raise"]), default="raise", show_default=True, help="Rows with "
              "missing values: leave them out, or refuse them.")  # fmt: skip
@click.option("--plot", type=WritablePath(FIGURES), metavar="PATH", help="Draw the fit: .png, .pdf or .svg.")
@click.option("--output", type=WritablePath([".csv"]), metavar="PATH", help="Write each row's probabilities of the "
              "components to this file.")  # fmt: skip
@click.pass_context
def command(context: click.Context, **asked: Any) -> None:
    """Fit finite mixtures by maximum likelihood, from many starts, and print the best.

    With several numbers of components, or several covariance models, a table compares them first.
    """
    with refusing():
        check_distinct([asked["data"]], [path for path in (asked["plot"], asked["output"]) if path])
        selection = _fitted(asked)
    if len(selection.fits) + len(selection.failures) > 1:
        click.echo(selection.table("bic").to_string(index=False, float_format=lambda value: f"{value:.2f}"))
        click.echo("")
    fit = selection.best()
    click.echo(str(fit.summary()))
    with refusing():
        if asked["output"]:
            fit.predict_proba().to_csv(asked["output"], index_label="row")
        if asked["plot"]:
            _draw(fit, asked["plot"])
    if not fit.converged:
        context.exit(1)


def _fitted(asked: dict[str, Any]) -> Any:
    """Return the mixtures asked for."""
    from natfit.models.mixtures.mixture import Mixture

    table = read_data(asked["data"])
    weights = asked["freq_weights"]
    named = asked["columns"]
    columns = [name.strip() for name in named.split(",")] if named else [str(name) for name in table if name != weights]
    y: Any = columns if len(columns) > 1 else columns[0]
    options = {name: asked[name] for name in ("noise", "zero_inflated", "missing", "freq_weights")}
    return Mixture.select(
        asked["family"],
        y,
        asked["sizes"],
        asked["covariance"],
        data=table,
        n_init=asked["starts"],
        random_state=asked["seed"],
        **options,
    )


def _draw(fit: Any, path: str) -> None:
    import matplotlib

    matplotlib.use("agg")
    columns = fit.columns[:2] if len(fit.columns) > 2 else None
    fit.plot(columns=columns).figure.savefig(path, dpi=150, bbox_inches="tight")
