"""Fisher information computed three ways is one matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from natfit.diagnostics.plotting import finish, series
from natfit.diagnostics.report import Report
from natfit.diagnostics.theory.derivatives import hessian, hessian_stencil
from natfit.diagnostics.theory.place import Place
from natfit.diagnostics.theory.rules import Rule
from natfit.diagnostics.theory.verdicts import DRAWS, NUMERICAL, largest_z, z_scores
from natfit.families.family import Coordinates
from natfit.parametrizations.base import Array

STATEMENT = "F = Hessian_1 KL(p || p1) at p1 = p = E[score score'] = -E[Hessian of log p]"

EVALUATIONS = 4_000_000
"""Most log-densities evaluated for the Monte Carlo average of Hessians; the draws are fewer where coordinates are many."""


def check_fisher(
    family: Any,
    params: ArrayLike,
    parametrization: Coordinates = None,
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
) -> Report:
    """Compare the family's Fisher matrix with the Hessian of KL, the covariance of the score and the expected Hessian.

    F_ij = d2 KL(p || p1) / dxi_i dxi_j at p1 = p (numerically) = E[s_i s_j] = -E[d2 log p / dxi_i dxi_j], the
    last two over a sample and, where the support allows, by quadrature or sum; the Hessian of log p is numerical.
    Differences are given relative to sqrt(F_ii F_jj): free of units, like a correlation.

    Sources: Kullback (1959), section 2.6; Cover & Thomas (2006), section 11.10; Amari (2016), section 1.3.

    Parameters
    ----------
    family, params, parametrization, draws, seed
        As for `check_cross_entropy`.

    Returns
    -------
    Report
        Its number is the largest relative difference from F by the ways without chance; its error the largest standard
        error by Monte Carlo. ``details`` has one row for each entry and way.

    Raises
    ------
    ValueError
        If the point is outside the domain or of another length, or the Fisher matrix is singular there.

    Examples
    --------
    >>> report = check_fisher("gamma", [2.0, 0.5], draws=2_000)
    >>> report.passed, sorted(set(report.details["way"]))[0]
    (True, 'Hessian of KL, numerical')
    """
    place = Place(family, params, parametrization)
    sample, exact = place.sample(draws, seed), place.exact()
    unit = 1.0 / np.sqrt(place.fisher.diagonal())
    curvature, _ = hessian(lambda xi: place.kl(place.xi, xi), place)
    ways: list[tuple[str, Array, Array]] = [
        ("Hessian of KL, numerical", place.lower @ curvature @ place.lower.T, np.zeros_like(curvature))
    ]
    for rule in (exact, sample):
        if rule is not None:
            ways.append((f"covariance of score, {rule.kind}", *_covariance(place, rule, unit)))
            ways.append((f"expected Hessian, {rule.kind}", *_expected_hessian(place, _shortened(rule, place), unit)))
    details = pd.concat([_rows(place, unit, *way) for way in ways], ignore_index=True)
    certain = details["standard_error"] == 0.0
    value = float(details.loc[certain, "difference"].abs().max())
    z = float(details.loc[~certain, "z"].max())
    spread = float(details["standard_error"].max())
    passed = value <= NUMERICAL and z <= largest_z(int((~certain).sum()))
    return Report(
        name="Fisher information",
        statement=STATEMENT,
        where=place.text,
        value=value,
        error=spread,
        value_text="largest difference from F, relative to sqrt(F_ii F_jj) (error: largest Monte Carlo standard error)",
        verdict=_verdict(bool(passed), value, z, details),
        details=details,
        passed=bool(passed),
        draw=_draw,
    )


def _shortened(rule: Rule, place: Place) -> Rule:
    """Take as many draws as the budget of evaluations allows."""
    if rule.exact:
        return rule
    count = max(200, EVALUATIONS // (1 + 4 * place.size**2))
    y = rule.y[:count]
    return Rule(y, np.full(len(y), 1.0 / len(y)), rule.kind)


def _covariance(place: Place, rule: Rule, unit: Array) -> tuple[Array, Array]:
    """Return E[ss'], (q, q), and its standard errors."""
    scores = np.asarray(place.family.score(rule.y, place.xi, place.chart)) * unit
    products = scores[:, :, None] * scores[:, None, :]
    scale = unit * unit[:, None]
    return rule.mean(products) / scale, rule.standard_error(products) / scale


def _expected_hessian(place: Place, rule: Rule, unit: Array) -> tuple[Array, Array]:
    """Return minus the expected Hessian of log p, (q, q), and its standard errors, a run of observations at a time."""
    points, weights = hessian_stencil(place)
    scale = unit * unit[:, None]
    runs = np.array_split(np.arange(len(rule.y)), 1 + len(rule.y) * len(points) // 500_000)
    flat = (weights * scale).reshape(len(points), -1)
    curvature = [-place.log_prob(rule.y[rows], points) @ flat for rows in runs]
    each = np.concatenate(curvature).reshape(-1, place.size, place.size)
    return rule.mean(each) / scale, rule.standard_error(each) / scale


def _rows(place: Place, unit: Array, way: str, matrix: Array, spread: Array) -> pd.DataFrame:
    """One row for each entry on or below the diagonal."""
    i, j = np.tril_indices(place.size)
    names, scale = place.chart.names, unit[i] * unit[j]
    # below the error of the numerical Hessian itself a standard error of zero (a linear score) is no contradiction
    error = spread[i, j] * scale
    error = np.where((error > 0) & (error < NUMERICAL), NUMERICAL, error)
    difference = (matrix - place.fisher)[i, j] * scale
    return pd.DataFrame(
        {
            "entry": [names[a] if a == b else f"{names[a]}, {names[b]}" for a, b in zip(i, j, strict=True)],
            "way": way,
            "value": matrix[i, j],
            "closed": place.fisher[i, j],
            "difference": difference,
            "standard_error": error,
            "z": z_scores(difference, error),
        }
    )


def _verdict(passed: bool, value: float, z: float, details: pd.DataFrame) -> str:
    ways = details["way"].nunique()
    if passed:
        return (
            f"{ways} computations give one matrix: those without chance differ from F by at most {value:.1g} "
            f"(relative), those by Monte Carlo by at most {z:.1f} standard errors."
        )
    off = details.groupby("way", sort=False)["difference"].apply(lambda d: d.abs().max())
    said = "; ".join(f"{way}: {amount:.2g}" for way, amount in off.items())
    return (
        f"the computations do not give one matrix; largest relative differences from the family's F are {said} "
        f"(Monte Carlo up to {z:.1f} standard errors). Where all differ alike, F or the Jacobian is wrong; where one "
        "does, what it is computed from."
    )


def _draw(ax: Any, report: Report) -> None:
    entries = list(dict.fromkeys(report.details["entry"]))
    ways = list(dict.fromkeys(report.details["way"]))
    for k, way in enumerate(ways):
        d = report.details[report.details["way"] == way]
        shift = 0.6 * ((k + 0.5) / len(ways) - 0.5)
        position = [entries.index(entry) + shift for entry in d["entry"]]
        look = series(k, line=False, filled="Monte Carlo" not in way)
        ax.errorbar(position, 100 * d["difference"], 200 * d["standard_error"], capsize=3, label=way, **look)
    ax.axhline(0.0, color="0.4", linewidth=0.8)
    ticks, x = entries, "entry ij of the matrix"
    if sum(map(len, entries)) > 50:  # too long to be read side by side: rows of the triangle, numbered
        size = int(np.sqrt(2 * len(entries)))
        ticks = [f"{i + 1},{j + 1}" for i in range(size) for j in range(i + 1)]
        x = f"entry i,j of the matrix; 1 is {entries[0]}, {size} is {entries[-1]}"
    ax.set_xticks(
        range(len(entries)), ticks, fontsize=9 if len(entries) <= 10 else 7, rotation=0 if len(entries) <= 10 else 90
    )
    finish(
        ax,
        "Fisher information, three ways (bars: ± 2 Monte Carlo s.e.)",
        x,
        "difference from F, in % of √(F_ii F_jj)",
        report.where,
    )
