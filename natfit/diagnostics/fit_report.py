"""One self-contained HTML page about a fit: what it printed, its figures, how it got there, what is invariant."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from natfit.diagnostics.plotting import COLOURS, new_axes, pyplot

RESOLUTION = 110
"""Dots per inch of the figures."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
table { border-collapse: collapse; font-size: 13px; margin: 1rem 0; }
td, th { padding: .15rem .7rem .15rem 0; text-align: right; border-bottom: 1px solid #ddd; }
pre { background: #f5f5f3; padding: .7rem 1rem; overflow-x: auto; font-size: 13px; line-height: 1.35; }
.absent { border-left: 3px solid #bbb; padding-left: 1rem; }
img { max-width: 100%; display: block; margin: 1rem 0; }
"""

MOST_ROWS, MOST_ROWS_OF_MIXTURES = 20_000, 2_000
"""Rows up to which the invariance report is run: beyond, it takes longer than all else together."""

FEW_STEPS = (0.25, 0.125, 0.0625, 0.03125)
"""Steps for mixtures, of which each pass costs more: enough for an order, at a quarter of the passes."""

ROUNDING = 1e-16
"""Decrement that counts as none: squared distances below a hundred-millionth of a standard error."""

NO_INFLUENCE = "Leverage and Cook's distance are computed for generalized linear models only."
NO_MEANS = "This model has one mean for all rows, so there is no fitted value to draw a row against."


def write_report(
    fit: Any, path: str | os.PathLike[str], title: str | None = None, invariance: bool | None = None
) -> Path:
    """Write a report on a fit; see `natfit.results.reporting.Reported.report`."""
    target = Path(path)
    name = title or str(fit.summary().tables[0].title or type(fit).__name__)
    parts = [f"<h2>{html.escape(heading)}</h2>\n{body}" for heading, body in sections(fit, invariance)]
    target.write_text(
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(name)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{html.escape(name)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n",
        encoding="utf-8",
    )
    return target


def sections(fit: Any, invariance: bool | None) -> Iterator[tuple[str, str]]:
    """Yield headings and bodies. What every report has and this kind of fit cannot have is a sentence that says why."""
    yield "Summary", f"<pre>{html.escape(str(fit.summary()))}</pre>"
    yield "Coefficients", drawn(fit, "plot_coefficients", "This fit has no figure of its estimates.")
    for heading, method in OF_SOME:
        if hasattr(fit, method) and applies(fit, method):
            yield heading, drawn(fit, method)
    yield "Residuals", drawn(fit, "plot_residuals", "Residuals are not defined for this kind of fit.")
    yield "Observed against fitted", drawn(fit, "plot_fitted", NO_MEANS)
    yield "Influence", influence_section(fit)
    record = fit.record
    if len(record):
        yield "How the maximum was reached", record_section(record)
    yield "What depends on the parametrization", invariance_section(fit, invariance)


OF_SOME = (
    ("The fit over its rows", "plot"),
    ("EM and the natural gradient", "plot_convergence"),
    ("Calibration", "plot_calibration"),
    ("Counts expected and observed", "plot_rootogram"),
    ("Probability integral transform", "plot_pit"),
)
"""Heading and method of figures that only some kinds of fit have."""


def drawn(fit: Any, method: str, otherwise: str = "") -> str:
    """Return a method's figure, or the sentence with which the method refuses, or that said of fits without it."""
    draw = getattr(fit, method, None)
    if draw is None:
        return said(otherwise)
    try:
        return figure(draw)
    except ValueError as refusal:
        return said(str(refusal))


def said(sentence: str) -> str:
    """Return a sentence as a paragraph that stands where a figure would."""
    text = sentence[:1].upper() + sentence[1:]
    return f'<p class="absent">{html.escape(text if text.endswith(".") else text + ".")}</p>'


def applies(fit: Any, method: str) -> bool:
    """Say whether a figure that only some fits have makes sense for one that has the method."""
    family = getattr(fit, "family", None)
    if method == "plot_calibration":
        return getattr(family, "name", "") in ("binomial", "bernoulli")
    if method in ("plot_rootogram", "plot_pit"):
        support = family.support  # type: ignore[union-attr]
        return not support.event_shape and (support.discrete or method == "plot_pit")
    return True


def influence_section(fit: Any) -> str:
    """Return the figure of influence and the rows that have most, or why there are none."""
    if not hasattr(fit, "influence"):
        return said(NO_INFLUENCE)
    if getattr(fit.fitted, "separation", None) is not None:
        return said("a coefficient runs off to infinity, so that no row's deletion has an effect that can be measured")
    try:
        rows = most_influential(fit)
    except ValueError as refusal:  # a saved fit has no rows
        return said(str(refusal))
    return figure(fit.plot_influence) + "<h3>Most influential rows</h3>" + rows


def figure(draw: Callable[[], Any]) -> str:
    """Return what a function draws as an inline PNG."""
    plt = pyplot()
    before = set(plt.get_fignums())
    parts = []
    try:
        draw()
        for number in sorted(set(plt.get_fignums()) - before):
            png = io.BytesIO()
            plt.figure(number).savefig(png, format="png", dpi=RESOLUTION)
            text = base64.b64encode(png.getvalue()).decode("ascii")
            parts.append(f'<img alt="figure" src="data:image/png;base64,{text}">')
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)
    return "\n".join(parts)


def most_influential(fit: Any, rows: int = 10) -> str:
    """Return the rows with the largest Cook's distances as a table."""
    frame = fit.influence(dfbetas=False)
    return table(frame.sort_values("cooks_d", ascending=False).head(rows))


def record_section(record: Any) -> str:
    """Return the figure and the table of the iterations, or in place of a figure of rounding a sentence."""
    highest = float(record["decrement"].max())
    if not highest > ROUNDING:
        told = (
            "these iterations set out from the maximum, to rounding, where a closed form or the starts had led: the "
            f"decrement never exceeded {max(highest, 0.0):.1g}"
        )
        return said(told) + table(record)
    return figure(lambda: plot_record(record)) + table(record)


def plot_record(record: Any, ax: Any = None) -> Any:
    """Draw the decrement of each iteration on a logarithmic axis.

    Parameters
    ----------
    record : DataFrame
        A fit's ``record``.
    ax : matplotlib Axes, optional
    """
    ax = new_axes(ax)
    shown = record[record["decrement"] > 0.0]
    ax.semilogy(shown["iteration"], shown["decrement"], color=COLOURS[0], marker="o")
    ax.set(xlabel="iteration", ylabel="decrement: squared distance to\nthe maximum, standard errors")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def table(frame: Any) -> str:
    """Return a DataFrame as an HTML table, its names escaped."""
    return str(frame.to_html(border=0, float_format=lambda value: f"{value:.4g}", escape=True))


def invariance_section(fit: Any, asked: bool | None) -> str:
    """Return the invariance report's figure and words, or why it was not run."""
    from natfit.diagnostics.invariance_report.report import invariance

    try:
        model, most, options = invariance_request(fit)
        if asked is False or (asked is None and fit.nobs > most):
            raise ValueError(
                "it was not measured for this report; report(..., invariance=True) does, and takes its time"
            )
        report = invariance(model, **options)
    except ValueError as refusal:
        return said(str(refusal))
    return figure(report.plot) + f"<pre>{html.escape(report.summary())}</pre>"


def invariance_request(fit: Any) -> tuple[Any, int, dict[str, Any]]:
    """Return what the invariance report takes of a fit, up to how many rows it is run unasked, and its options.

    Raises
    ------
    ValueError
        Where it can't be run: the reason.
    """
    from natfit.results.distribution import DistributionResults
    from natfit.results.glm import GLMResults
    from natfit.results.mixtures.mixture import MixtureResults

    if not fit.converged:
        raise ValueError("paths are compared on their way to a maximum, and this fit did not converge to one")
    if isinstance(fit, GLMResults):
        if not fit.fitted.kept.all() or fit.bias_reduction is not None:
            raise ValueError("paths are compared for maximum likelihood fits in which no column is aliased")
        return fit.model, MOST_ROWS, {}
    if isinstance(fit, DistributionResults):
        data = fit.base.data
        if data.y is None:
            raise ValueError("paths of one distribution are compared on observations in memory, which this fit has not")
        return fit.family, MOST_ROWS, {"data": data.y, "freq_weights": data.freq_weights}
    if isinstance(fit, MixtureResults):
        return fit, MOST_ROWS_OF_MIXTURES, {"steps": FEW_STEPS}
    raise ValueError(
        "paths are compared for generalized linear models, single distributions and mixtures of one family; for this "
        "kind of model the direction and the decrement are invariant, and how far paths differ is not measured yet"
    )
