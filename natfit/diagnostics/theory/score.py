"""The gradient of KL in its second argument is minus the expected score, and vanishes at equality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from natfit.diagnostics.plotting import finish, series
from natfit.diagnostics.report import Report
from natfit.diagnostics.theory.derivatives import gradient
from natfit.diagnostics.theory.entropy import PATH, WAY
from natfit.diagnostics.theory.place import Place
from natfit.diagnostics.theory.rules import Rule
from natfit.diagnostics.theory.verdicts import DRAWS, NUMERICAL, largest_z, z_scores
from natfit.families.family import Coordinates
from natfit.parametrizations.base import Array

STATEMENT = "grad_1 KL(p0 || p1) = -E0[score of p1], and is zero at p1 = p0"


def check_score(
    family: Any,
    params: ArrayLike,
    other: ArrayLike | None = None,
    parametrization: Coordinates = None,
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
) -> Report:
    """Check that the gradient of KL(p0 || p1) in the coordinates of p1 is minus the expected score, and zero at p1 = p0.

    Only the second argument meets log p1, so grad KL = -E0[grad log p1]; at p1 = p0 the expected score is
    the integral of grad p, the gradient of 1. KL is differentiated numerically; the score is averaged over a sample from
    p0, and over a quadrature or sum where the support allows. Slopes are compared for one standard error of each
    coordinate (1/sqrt(F_ii)), so in nats.

    Sources: Kullback (1959), section 2.6; Amari (2016), Information Geometry and Its Applications, section 1.3.

    Parameters
    ----------
    family, params, other, parametrization, draws, seed
        As for `check_cross_entropy`.

    Returns
    -------
    Report
        Its number is the largest gap between gradient and expected score (exact where there is a quadrature, else in
        the sample), its error that of the numerical derivative, or the sample's standard error.

    Raises
    ------
    ValueError
        If a point is outside the domain or of another length, or the Fisher matrix is singular there.

    Examples
    --------
    >>> check_score("poisson", [3.0], other=[4.0], draws=1_000).passed
    True
    """
    place = Place(family, params, parametrization)
    target = place.other(other)
    sample, exact = place.sample(draws, seed), place.exact()
    way = [(float(t), place.moved(place.xi + t * (target.xi - place.xi))) for t in PATH]
    frames, errors = zip(*(_rows(place, t, at, sample, exact) for t, at in way), strict=True)
    details = pd.concat(frames, ignore_index=True)
    size = 1.0 + float(details["gradient"].abs().max())
    at_equality = float(details.loc[details["t"] == 0.0, "gradient"].abs().max())
    z = float(details["z"].max())
    exactly = 0.0 if exact is None else float((details["gradient"] - details["quadrature"]).abs().max())
    passed = exactly <= NUMERICAL * size and at_equality <= NUMERICAL and z <= largest_z(len(details))
    value, error = exactly, max(errors)
    if exact is None:
        value = float((details["gradient"] - details["monte_carlo"]).abs().max())
        error = float(details["standard_error"].max())
    return Report(
        name="score",
        statement=STATEMENT,
        where=place.text,
        value=value,
        error=error,
        value_text="largest gap between gradient and minus expected score, in nats for one standard error",
        verdict=_verdict(passed, exact, exactly, at_equality, z, sample),
        details=details,
        passed=bool(passed),
        draw=_draw,
    )


def _rows(place: Place, t: float, at: Place, sample: Rule, exact: Rule | None) -> tuple[pd.DataFrame, float]:
    """Gradient and expected scores with p1 at another place, one row a coordinate."""
    unit = 1.0 / np.sqrt(place.fisher.diagonal())
    slopes, error = gradient(lambda xi: place.kl(place.xi, xi), at)

    def minus_score(y: Array) -> Array:
        return -unit * np.asarray(at.family.score(y, at.xi, at.chart))

    scores = minus_score(sample.y)
    numerical = unit * (at.lower @ slopes)
    average, spread = sample.mean(scores), sample.standard_error(scores)
    frame = pd.DataFrame(
        {
            "t": t,
            "coordinate": place.chart.names,
            "gradient": numerical,
            "quadrature": np.nan if exact is None else exact.mean(minus_score(exact.y)),
            "monte_carlo": average,
            "standard_error": spread,
            "z": z_scores(average - numerical, spread),
        }
    )
    return frame, error


def _verdict(passed: bool, exact: Rule | None, exactly: float, at_equality: float, z: float, sample: Rule) -> str:
    by = "" if exact is None else f"minus the expected score by {exact.kind} is off by at most {exactly:.1g} nats, "
    numbers = (
        f"{by}by {len(sample.y):,} draws by at most {z:.1f} standard errors; at equality the gradient of KL is "
        f"{at_equality:.1g}"
    )
    if passed:
        return f"the gradient of KL is minus the expected score: {numbers}."
    return (
        f"the gradient of KL is not minus the expected score: {numbers}. Score, Jacobian and KL do not belong together."
    )


def _draw(ax: Any, report: Report) -> None:
    for k, (name, d) in enumerate(report.details.groupby("coordinate", sort=False)):
        look = series(k, filled=False)
        ax.plot(d["t"], d["gradient"], **{**look, "marker": "none"})
        bars = {**look, "linestyle": "none"}
        ax.errorbar(d["t"], d["monte_carlo"], 2 * d["standard_error"], capsize=4, **bars)
        ax.plot([], [], label=name, **look)
    ax.axhline(0.0, color="0.4", linewidth=0.8)
    finish(
        ax,
        "The gradient of KL is minus the expected score",
        WAY,
        "slope in nats for one standard error\nof the coordinate",
        report.where,
        "lines: gradient of KL\nmarkers: minus average\nscore, ± 2 s.e.",
    )
