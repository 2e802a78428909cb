"""One self-contained HTML page about a fit: what it printed, its figures, how it got there, what is invariant."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from natfit.diagnostics.plotting import COLOURS, new_axes, pyplot

RESOLUTION = 110
"""Dots per inch of the figures."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
table { border-collapse: collapse; font-size: 13px; margin: 1rem 0; }
td, th { padding: .15rem .7rem .15rem 0; text-align: right; border-bottom: 1px solid #ddd; }
pre { background: #f5f5f3; padding: .7rem 1rem; overflow-x: auto; font-size: 13px; line-height: 1.35; }
img { max-width: 100%; display: block; margin: 1rem 0; }
"""

MOST_ROWS = 20_000
"""Rows up to which the invariance report is run: beyond, it takes longer than all else together."""


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
    """Yield the headings and bodies of the sections that this kind of fit has."""
    yield "Summary", f"<pre>{html.escape(str(fit.summary()))}</pre>"
    for heading, method in FIGURES:
        draw = getattr(fit, method, None)
        if draw is not None and applies(fit, method):
            yield heading, figure(draw)
    if hasattr(fit, "influence") and applies(fit, "influence"):
        yield "Most influential rows", most_influential(fit)
    record = fit.record
    if len(record):
        yield "How the maximum was reached", figure(lambda: plot_record(record)) + table(record)
    model = invariant_model(fit)
    small = getattr(fit, "nobs", 0) <= MOST_ROWS
    if model is not None and (small if invariance is None else invariance):
        yield "What depends on the parametrization", invariance_section(model)


FIGURES = (
    ("Coefficients", "plot_coefficients"),
    ("Density and components", "plot"),
    ("Residuals", "plot_residuals"),
    ("Influence", "plot_influence"),
    ("Calibration", "plot_calibration"),
)
"""Heading and method; a section is left out where the result has no such method."""


def applies(fit: Any, method: str) -> bool:
    """Say whether a figure makes sense for a fit of which the method exists."""
    if method == "plot_calibration":
        return getattr(getattr(fit, "family", None), "name", "") in ("binomial", "bernoulli")
    if method == "plot_coefficients":
        names = [str(name) for name in fit.model.exog_names]
        finite = np.isfinite(np.asarray(fit.bse))
        return any(known and name not in ("Intercept", "const") for name, known in zip(names, finite, strict=True))
    if method in ("plot_influence", "influence"):
        separation = getattr(getattr(fit, "fitted", None), "separation", None)
        return separation is None
    return True


def figure(draw: Callable[[], Any]) -> str:
    """Return what a function draws as an inline PNG."""
    plt = pyplot()
    before = set(plt.get_fignums())
    draw()
    parts = []
    for number in plt.get_fignums():
        if number not in before:
            png = io.BytesIO()
            plt.figure(number).savefig(png, format="png", dpi=RESOLUTION)
            plt.close(number)
            parts.append(
                f'<img alt="figure" src="data:image/png;base64,{base64.b64encode(png.getvalue()).decode("ascii")}">'
            )
    return "\n".join(parts)


def most_influential(fit: Any, rows: int = 10) -> str:
    """Return the rows with the largest Cook's distances as a table."""
    frame = fit.influence(dfbetas=False)
    return table(frame.sort_values("cooks_d", ascending=False).head(rows))


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


def invariant_model(fit: Any) -> Any:
    """Return what the invariance report takes of a fit, or None where it can't be run."""
    from natfit.models.glm import GLM

    model = getattr(fit, "model", None)
    if isinstance(model, GLM) and fit.converged and fit.fitted.kept.all() and fit.bias_reduction is None:
        return model
    return None


def invariance_section(model: Any) -> str:
    """Return the invariance report's table, figure and words."""
    from natfit.diagnostics.invariance_report.report import invariance

    report = invariance(model)
    return figure(report.plot) + f"<pre>{html.escape(report.summary())}</pre>"
