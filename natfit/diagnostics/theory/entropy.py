"""Cross-entropy minus entropy is the Kullback-Leibler divergence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from natfit.diagnostics.plotting import finish, series
from natfit.diagnostics.report import Report
from natfit.diagnostics.theory.place import Place
from natfit.diagnostics.theory.rules import Rule
from natfit.diagnostics.theory.verdicts import DRAWS, NUMERICAL, largest_z, z_scores
from natfit.families.family import Coordinates
from natfit.parametrizations.base import Array

STATEMENT = "H(p0, p1) - H(p0) = KL(p0 || p1) = E0[log p0(y) - log p1(y)]"
PATH = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Where p1 stands on its way from p0 to the second distribution."""
WAY = "position t of p1 on its way from p0 (t = 0)\nto the second distribution (t = 1)"
"""What figures call it."""


def check_cross_entropy(
    family: Any,
    params: ArrayLike,
    other: ArrayLike | None = None,
    parametrization: Coordinates = None,
    *,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
) -> Report:
    """Check that cross-entropy minus entropy equals KL, and that a difference of average log-likelihoods estimates it.

    With p0 at ``params`` and p1 moving to ``other`` on a straight line of coordinates:
    H(p0, p1) = -E0[log p1], H(p0) = H(p0, p0), and KL = E0[log p0 - log p1], all in nats. The log-likelihoods are averaged
    over a sample from p0, and over a quadrature or sum where the support allows.

    Sources: Kullback (1959), Information Theory and Statistics, section 1.2; Cover & Thomas (2006), sections 2.3, 8.5.

    Parameters
    ----------
    family : Family, class or str
        The family or its name.
    params, other : array_like, (q,)
        Coordinates of p0 and of the last p1; a neighbour of p0 where omitted.
    parametrization : str or Parametrization, optional
        Home parameters where omitted.
    draws : int
        Size of the sample.
    seed : int or Generator
        Of the sample.

    Returns
    -------
    Report
        Its number is the KL at ``other``; its error the largest disagreement of KL with cross-entropy minus entropy.

    Raises
    ------
    ValueError
        If a point is outside the domain or of another length, or the Fisher matrix is singular there.

    Examples
    --------
    >>> report = check_cross_entropy("exponential", [1.0], other=[2.0], draws=1_000)
    >>> report.passed, round(report.value, 4)
    (True, 0.3069)
    """
    place = Place(family, params, parametrization)
    target = place.other(other)
    sample, exact = place.sample(draws, seed), place.exact()
    rows = [_row(place, float(t), place.xi + t * (target.xi - place.xi), sample, exact) for t in PATH]
    details = pd.DataFrame(rows)
    size = 1.0 + details[["entropy", "cross_entropy", "kl"]].abs().to_numpy().max()
    closed = float((details["difference"] - details["kl"]).abs().max())
    exactly = 0.0 if exact is None else float((details["quadrature"] - details["kl"]).abs().max())
    z = float(details["z"].max())
    passed = closed <= NUMERICAL * size and exactly <= NUMERICAL * size and z <= largest_z(len(rows))
    return Report(
        name="cross-entropy",
        statement=STATEMENT,
        where=place.text,
        value=float(details["kl"].iloc[-1]),
        error=max(closed, exactly),
        value_text="KL divergence in nats",
        verdict=_verdict(passed, closed, exactly, exact, z, sample, details),
        details=details,
        passed=bool(passed),
        draw=_draw,
    )


def _row(place: Place, t: float, xi: Array, sample: Rule, exact: Rule | None) -> dict[str, float]:
    """Every quantity with p1 at ``xi``."""
    kl = float(place.kl(place.xi, xi))
    entropy, cross_entropy = entropies(place, xi, exact)
    pair = np.stack([place.xi, xi])
    ratio = -np.diff(place.log_prob(sample.y, pair), axis=1)[:, 0]
    average, spread = float(sample.mean(ratio)), float(sample.standard_error(ratio))
    quadrature = np.nan
    if exact is not None:
        quadrature = float(exact.mean(-np.diff(place.log_prob(exact.y, pair), axis=1)[:, 0]))
    return {
        "t": t,
        "entropy": entropy,
        "cross_entropy": cross_entropy,
        "difference": cross_entropy - entropy,
        "kl": kl,
        "quadrature": quadrature,
        "monte_carlo": average,
        "standard_error": spread,
        "z": float(z_scores(average - kl, spread)),
    }


def entropies(place: Place, xi: Array, exact: Rule | None) -> tuple[float, float]:
    """Return H(p0) and H(p0, p1): the family's own forms, or quadratures; not a number where there is neither."""
    entropy, cross_entropy = (getattr(place.family, name, None) for name in ("entropy", "cross_entropy"))
    if entropy is not None and cross_entropy is not None:
        return float(entropy(place.xi, place.chart)), float(cross_entropy(place.xi, xi, place.chart))
    if exact is None:
        return np.nan, np.nan
    both = -exact.mean(place.log_prob(exact.y, np.stack([place.xi, xi])))
    return float(both[0]), float(both[1])


def _verdict(
    passed: bool, closed: float, exactly: float, exact: Rule | None, z: float, sample: Rule, details: pd.DataFrame
) -> str:
    draws = f"{len(sample.y):,} draws"
    by = "" if exact is None else f", the {exact.kind} of log p0 - log p1 from both by at most {exactly:.1g}"
    if passed:
        return (
            f"cross-entropy minus entropy differs from KL by at most {closed:.1g} nats{by}; the average "
            f"log-likelihood ratio of {draws} agrees within {z:.1f} standard errors."
        )
    worst = details.loc[(details["difference"] - details["kl"]).abs().idxmax()]
    return (
        f"cross-entropy minus entropy is {worst['difference']:.6g} nats where KL is {worst['kl']:.6g}{by}; the average "
        f"log-likelihood ratio of {draws} is {z:.1f} standard errors from KL: entropy, cross_entropy, kl and log_prob do "
        "not belong together."
    )


def _draw(ax: Any, report: Report) -> None:
    d = report.details
    label = f"cross-entropy minus entropy\n(H(p0) = {d['entropy'].iloc[0]:.4g} nats)"
    ax.plot(d["t"], d["difference"], label=label, **{**series(0), "marker": "none"})
    ax.plot(d["t"], d["kl"], label="KL(p0 || p1)", **series(1, line=False))
    bars = {**series(2, line=False), "marker": "_", "markersize": 12}
    label = "average of log p0 - log p1\nin the sample, ± 2 s.e."
    ax.errorbar(d["t"], d["monte_carlo"], 2 * d["standard_error"], capsize=4, label=label, **bars)
    finish(
        ax,
        "Cross-entropy minus entropy is KL",
        WAY,
        "nats",
        report.where,
    )
