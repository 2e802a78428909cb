"""``natfit fit``: a generalized linear model from a formula and a table."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from natfit.cli import distributional
from natfit.cli.render import FORMATS, as_text
from natfit.cli.running import INTERRUPTED, Refusal, refusing
from natfit.cli.scope import _from_nowhere
from natfit.cli.tables import WritablePath, check_distinct, read_data, streamed

if TYPE_CHECKING:
    import pandas as pd

    from natfit.models.glm import GLM
    from natfit.results.glm import GLMResults

LONG_WORK = 20_000_000
"""Entries of the design from which a bar is shown unasked: a fit then takes about a second or more on one core."""

NOT_CONVERGED = 1

EPILOG = """\b
Examples:
  natfit fit "sat ~ width + C(color)" --data crabs --family poisson
  natfit fit "cbind(killed, n - killed) ~ dose" --data beetles --family binomial --link probit
  natfit fit "claims ~ age + C(group)" --data policies.parquet --family poisson \\
      --exposure holders --cov-type HC0 --output table.html

  natfit fit "yield ~ C(batch) + temp | temp" --data gasoline --family beta

Exit status: 0 where the fit converged, 1 where it did not (the table says why), 2 for bad input, 130 where it was
interrupted (the table shows the last good parameters, and no file is written).
"""


class Dispersion(click.ParamType):
    """A number above zero, or the name of an estimate."""

    name = "number|pearson|deviance|ml"
    estimates = ("pearson", "deviance", "ml")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | str:
        """Return the number or name, or refuse it."""
        if value in self.estimates:
            return str(value)
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor one of {', '.join(self.estimates)}", param, ctx)
        if not 0.0 < number < math.inf:
            self.fail(f"{value} is not a finite number above 0", param, ctx)
        return number


class Numbers(click.ParamType):
    """Finite numbers with commas between them."""

    name = "b0,b1,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        """Return the numbers, or refuse what is none."""
        numbers = []
        for piece in str(value).split(","):
            try:
                number = float(piece)
            except ValueError:
                number = math.nan
            if not math.isfinite(number):
                self.fail(f"{piece.strip()!r} is not a finite number; write numbers with commas between", param, ctx)
            numbers.append(number)
        return numbers


class Between(click.ParamType):
    """A number between 0 and 1, both excluded."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, or refuse it."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0.0 < number < 1.0:
            self.fail(f"{value!r} is not a number between 0 and 1", param, ctx)
        return number


def option(*names: str, **settings: Any) -> Callable[[Any], Any]:
    """Make an option whose help shows its default, where it has one."""
    return click.option(*names, show_default=settings.get("default") is not None, **settings)


COLUMN = {"metavar": "COLUMN"}

OPTIONS = [
    option("--data", required=True, metavar="PATH", help="The table: .csv, .tsv, .txt, .parquet or .feather. Where "
           "there is no such file, a data set that natfit ships, as 'crabs'."),
    option("--family", default="gaussian", metavar="NAME", help="gaussian, binomial, poisson, gamma, inverse_gaussian, "
           "negative_binomial or tweedie; with a constant as in 'tweedie(1.5)' and 'negative_binomial(0.3)' (left out: "
           "alpha is estimated). With predictors for several parameters, as in 'y ~ x | z', also beta, weibull, student_t, "
           "zero_inflated_poisson, multinomial, cumulative and the like: an unknown name lists them all."),
    option("--link", multiple=True, metavar="NAME", help="identity, log, logit, probit, cloglog, loglog, cauchit, "
           "log_complement, inverse, inverse_squared, sqrt, 'power(0.5)', 'negative_binomial(0.3)' or softplus; by default "
           "the family's customary one. Of several parameters once for each, as in --link precision=sqrt."),
    option("--offset", multiple=True, **COLUMN, help="Added to the linear predictor. COLUMN is a column or an expression; "
           "of several parameters once for each, as in --offset alpha=z."),
    option("--exposure", **COLUMN, help="Its logarithm is added to the linear predictor; needs the log link."),
    option("--freq-weights", **COLUMN, help="How many identical observations a row stands for."),
    option("--var-weights", **COLUMN, help="A row's variance is divided by this."),
    option("--trials", **COLUMN, help="For a binomial proportion: how many trials it is of."),
    option("--dispersion", type=Dispersion(), metavar="NUMBER|NAME", help="What the variance is multiplied by: a number, "
           "pearson, deviance or ml; pearson makes any family a quasi-likelihood. By default 1 for binomial, Poisson and "
           "negative binomial, pearson for the others."),
    option("--cov-type", default="nonrobust", metavar="KIND", help="Standard errors: nonrobust (expected information), "
           "OIM (observed information), HC0 (White's sandwich), HC1, HC2, HC3, or cluster."),
    option("--groups", **COLUMN, help="The clusters of --cov-type cluster."),
    option("--fixed", multiple=True, metavar="PARAMETER=NUMBER", help="A parameter of the distribution that is held at a "
           "number instead of having predictors; may be given several times."),
    option("--constraint", multiple=True, metavar="TEXT", help="A linear constraint on the coefficients of several "
           "parameters, as in 'mean:x = precision:x'; may be given several times."),
    option("--parametrization", metavar="NAME", help="Which parameters of the distribution have the predictors, as in "
           "--family beta --parametrization a_b."),
    option("--use-t", is_flag=True, help="Student's t instead of the normal law."),
    option("--alpha", type=Between(), default=0.05, help="One less the level of the intervals."),
    option("--missing", type=click.Choice(["drop", "raise"]), default="drop", help="Rows with missing values: leave "
           "them out and say how many, or refuse them."),
    option("--rank", type=click.Choice(["drop", "raise"]), default="drop", help="Aliased columns: leave them out with a "
           "note, or refuse them."),
    option("--tol", type=float, default=1e-12, help="Stop when the decrement, the squared distance to the maximum in "
           "standard errors, falls below this."),
    option("--maxiter", type=click.IntRange(min=1), default=100, help="Most iterations."),
    option("--start", type=Numbers(), help="Coefficients to start from."),
    option("--checkpoint", type=click.Path(dir_okay=False), metavar="PATH", help="A file that is written after each pass "
           "over the data; a fit that finds one of its own goes on from there."),
    option("--stream", is_flag=True, help="Read the table anew in every pass, a few rows at a time, so that it need not fit "
           "into memory: --data is then a .parquet or .csv file, a folder of them, or a pattern as 'claims/*.parquet'."),
    option("--progress/--no-progress", default=None, help="A bar with the decrement, on standard error; by default "
           "where that is a terminal and the work is long."),
    option("--output", type=WritablePath(FORMATS), metavar="PATH", help="Write the table to this file too: .txt, .html, "
           ".tex (LaTeX), .md (Markdown), or .csv (coefficients to all digits)."),
    option("--record", is_flag=True, help="Print the record too: a line for each iteration."),
    option("--predict", type=(str, WritablePath([".csv"])), metavar="NEW OUT.csv", help="Predict the mean, with its "
           "standard error and interval, for the rows of the table NEW and write OUT.csv, row by row."),
]  # fmt: skip


def with_options(function: Any) -> Any:
    """Give a command the options of a fit, in their order."""
    for each in reversed(OPTIONS):
        function = each(function)
    return function


@click.command("fit", epilog=EPILOG)
@click.argument("formula")
@with_options
def command(formula: str, **asked: Any) -> int:
    """Fit a generalized linear model, or a distributional regression, to a table and print its summary.

    FORMULA names the response and the terms, as in "sat ~ width + C(color)": C() makes levels of numbers, a:b and a*b
    are interactions, bs(x, df=4) a spline, log(x) and the like are applied to columns. Further parts behind a bar are the
    predictors of further parameters: "y ~ x | z" with --family beta has z for the precision.
    """
    with refusing():
        inputs = [asked["data"]] + ([asked["predict"][0]] if asked["predict"] else [])
        check_distinct(inputs, [path for path in (asked["output"], (asked["predict"] or (0, None))[1]) if path])
        tables = [streamed(inputs[0]) if asked["stream"] else read_data(inputs[0]), *map(read_data, inputs[1:])]
        model = build(formula, tables[0], asked)
        if asked["predict"]:
            model.new_rows(tables[1])  # what can't be predicted for is refused before any fitting
    fit = estimate(model, asked)
    interrupted = fit.reason.startswith("interrupted")
    click.echo(as_text(fit, asked["alpha"]), nl=False)
    if asked["record"]:
        click.echo("\n" + fit.record.to_string(index=False))
    if interrupted:
        return INTERRUPTED
    with refusing():
        write(fit, asked, tables[-1])
    return 0 if fit.converged else NOT_CONVERGED


def build(formula: str, table: pd.DataFrame, asked: dict[str, Any]) -> Any:
    """Return the model; everything that is wrong with formula, columns, family or link is found here."""
    from natfit.models.glm import GLM
    from natfit.results.cov_type import read

    if asked["groups"] is not None and asked["cov_type"].lower() != "cluster":
        raise ValueError(f"--groups are the clusters of --cov-type cluster, and that is {asked['cov_type']}")
    if distributional.is_distributional(formula, asked["family"]):
        return _checked_start(distributional.build(formula, table, asked), asked["start"])
    for name in distributional.OWN:
        if asked[name]:
            raise ValueError(
                f"--{name} is for families with predictors for several parameters, as in 'y ~ x | z' with --family beta; "
                f"{asked['family']} here is a generalized linear model"
            )
    asked = {**asked, **{name: distributional.by_parameter(asked[name]) for name in ("link", "offset")}}
    for name in ("link", "offset"):
        if isinstance(asked[name], dict):
            raise ValueError(f"--{name} of a generalized linear model is one, of the mean; got {asked[name]}")
    names = ("family", "link", "offset", "exposure", "freq_weights", "var_weights", "trials", "dispersion", "missing")
    model: GLM = _from_nowhere(GLM.from_formula, formula, table, **{name: asked[name] for name in names})
    read(asked["cov_type"], distributional.clusters(asked), model.data)
    return _checked_start(model, asked["start"])


def _checked_start(model: Any, start: Any) -> Any:
    """Return the model, or refuse a start of another length than its coefficients."""
    if start is not None and len(start) != len(model.exog_names):
        raise ValueError(
            f"--start must have one number for each of the {len(model.exog_names)} coefficients "
            f"({', '.join(model.exog_names)}), and has {len(start)}"
        )
    return model


def estimate(model: Any, asked: dict[str, Any]) -> Any:
    """Fit the model; that it did not converge is a warning, whatever filters are set."""
    from natfit.results.warnings import ConvergenceWarning, SeparationWarning

    progress = asked["progress"]
    if progress is None:
        progress = sys.stderr.isatty() and model.nobs * len(model.exog_names) >= LONG_WORK
    with warnings.catch_warnings(), refusing():
        for kind in (ConvergenceWarning, SeparationWarning):
            warnings.simplefilter("always", kind)
        if not hasattr(model, "dispersion"):
            return model.fit(asked["start"], progress=progress, **distributional.settings(asked))
        return model.fit(
            asked["start"],
            maxiter=asked["maxiter"],
            tol=asked["tol"],
            tol_criterion="decrement",
            cov_type=asked["cov_type"],
            cov_kwds=distributional.clusters(asked),
            checkpoint=asked["checkpoint"],
            use_t=asked["use_t"],
            rank=asked["rank"],
            progress=progress,
        )


def write(fit: GLMResults, asked: dict[str, Any], new: pd.DataFrame) -> None:
    """Write the table and the predictions to the files that were asked for."""
    output: Path | None = asked["output"]
    if output is not None:
        _write(output, FORMATS[output.suffix.lower()](fit, asked["alpha"]))
    if asked["predict"]:
        frame = fit.get_prediction(new).summary_frame(asked["alpha"])
        # A row with a missing value has no prediction; it keeps its place, so that both files go side by side.
        _write(asked["predict"][1], frame.reindex(new.index).to_csv(index=False, lineterminator="\n"))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise Refusal(f"{str(path)!r} can't be written: {error.strerror}") from error
