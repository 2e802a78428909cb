"""The invariance report in plain words, claiming what was measured and no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from natfit.diagnostics.invariance_report.paths import affine_pairs
from natfit.diagnostics.invariance_report.spread import Spread
from natfit.diagnostics.report import WIDTH
from natfit.parametrizations.checking import JACOBIAN_TOLERANCE, check

if TYPE_CHECKING:
    from natfit.diagnostics.invariance_report.report import InvarianceReport

FLAT = 0.15
"""An order nearer to 0 than this is told as no fall at all."""

UNCLEAR = 0.15
"""Error of an order above which nothing is said of it but that."""


def summary(report: InvarianceReport) -> str:
    """Return the summary of a report: what was done, a line for each move, and a sentence for each."""
    case = report.case
    title = f"Invariance report: {case.title}"
    done = (
        f"From {case.start_text} ({np.sqrt(report.distance):.3g} standard errors from the maximum), the same distribution "
        f"in each of the parametrizations {', '.join(case.charts)}, paths of fixed steps {report.steps[0]:g} to "
        f"{report.steps[-1]:g} run for the flow time {report.time:g}. Spread: the largest distance between two "
        "parametrizations' distributions at equal flow times, in standard errors, and in KL (nats over all rows)."
    )
    lines = [title, "=" * min(len(title), WIDTH), fill(done, WIDTH), "", *_table(report), ""]
    for spread in report.spreads.values():
        lines.append(fill(f"{spread.way.label}: {_sentence(report, spread)}", WIDTH, subsequent_indent="    "))
    told = f"Iterations until the decrement is below {report.decrement:g}, steps backtracked:"
    return "\n".join([*lines, "", told, *_counts(report), "", fill(_scope(report), WIDTH)])


def _table(report: InvarianceReport) -> list[str]:
    wide = max(len(spread.way.label) for spread in report.spreads.values())
    head = f"{'':<{wide}}  {'smallest':>10}  {'spread':>9}  {'order':>14}  {'spread':>9}  {'order':>14}"
    lines = [head, f"{'':<{wide}}  {'step':>10}  {'(SE)':>9}  {'(SE)':>14}  {'(KL)':>9}  {'(KL)':>14}"]
    for spread in report.spreads.values():
        orders = [
            "identical" if spread.identical else f"{each.value:.3f} ± {each.error:.3f}" if each.known else "not known"
            for each in (spread.order, spread.kl_order)
        ]
        size, kl = (f"{each:.2e}" if np.isfinite(each) else "none" for each in (spread.spread[-1], spread.kl[-1]))
        lines.append(
            f"{spread.way.label:<{wide}}  {spread.steps[-1]:>10.4g}  {size:>9}  {orders[0]:>14}  {kl:>9}  {orders[1]:>14}"
        )
    return lines


def _sentence(report: InvarianceReport, spread: Spread) -> str:
    parts = [_main(report, spread)]
    if len(spread.names) > 1 and not spread.identical:
        parts += _agreements(report, spread)
    parts += _departures(spread)
    if spread.slowed < 1.0:
        parts.append(
            f"All its speeds are {spread.slowed:.2g} of the natural gradient's, as larger steps would overshoot in one "
            "of the parametrizations."
        )
    return " ".join(parts)


def _main(report: InvarianceReport, spread: Spread) -> str:
    """Say what the spread does as the step shrinks."""
    known = np.isfinite(spread.spread)
    if len(spread.names) < 2 or not known.any():
        return "fewer than two paths stayed inside the domain, so nothing can be compared."
    if np.all(spread.spread[known] <= spread.tolerance):
        return (
            f"the paths are identical to rounding: they agree to {spread.spread[known].max():.1e} standard errors at "
            f"each of the steps compared ({_list(spread.steps[known])}), where up to {spread.tolerance:.1e} counts as "
            "identical."
        )
    value, error, last = spread.order.value, spread.order.error, spread.spread[-1]
    if not spread.order.known:
        return (
            f"the spread is {last:.2g} standard errors at the smallest step; too few steps lie above rounding, which may "
            f"make {spread.floor:.1e}, and inside the domain to measure an order."
        )
    if error > UNCLEAR:
        return (
            f"no order is to be seen ({value:.2f} ± {error:.2f}; {last:.2g} standard errors at the smallest step): smaller "
            "steps, or a nearer start, may show one."
        )
    if abs(value) <= FLAT:
        return (
            f"the spread does not fall with the step (order {value:.3f} ± {error:.3f}): at the smallest the paths still lie "
            f"{last:.3g} standard errors apart{_why_flat(report, spread)}."
        )
    verb = "falls" if value > 0 else "grows as the step shrinks,"
    return (
        f"the spread {verb} with the step to the power {value:.3f} ± {error:.3f}, to {last:.2g} standard errors at the "
        "smallest; at finite steps the paths are not the same."
    )


def _why_flat(report: InvarianceReport, spread: Spread) -> str:
    """Say what is known of a spread that stays: a natural gradient's would not, were all Jacobians right and steps small."""
    if not spread.way.has_speed:
        return ", as flows do that differ between parametrizations"
    wrong = []
    for name, chart in report.case.charts.items():
        error = check(chart, chart.from_home(report.case.start)).jacobian_error
        if not error <= JACOBIAN_TOLERANCE:
            wrong.append(f"{name} (relative error {error:.2g} against numerical differentiation)")
    if wrong:
        return f". The Jacobian is wrong at the start in {_and(wrong)}"
    return (
        ". A natural gradient has one flow in all parametrizations, to which small steps must come; the Jacobians are right "
        "at the start, so smaller steps or a nearer start may show it"
    )


def _departures(spread: Spread) -> list[str]:
    """Say where paths left the domain."""
    by_steps: dict[tuple[float, ...], list[str]] = {}
    for name, at in spread.diverged.items():
        by_steps.setdefault(tuple(at), []).append(name)
    told = []
    for steps, names in by_steps.items():
        when = (
            "every step" if len(steps) == spread.steps.size else f"step{'s' if len(steps) > 1 else ''} {_list(steps)}"
        )
        out = [name for name in names if name not in spread.names]
        left_out = f"; {'they are' if len(out) > 1 else 'it is'} not compared" if out else ""
        told.append(f"In {_and(names)} the path left the domain at {when}{left_out}.")
    return told


def _agreements(report: InvarianceReport, spread: Spread) -> list[str]:
    """Say which parametrizations agree among themselves although not all do."""
    groups = [group for group in spread.groups() if len(group) > 1]
    if not groups or len(groups[0]) == len(spread.names):
        return []
    affine = affine_pairs(report.case.charts, _points(report))
    told = []
    for group in groups:
        pairs = [frozenset((a, b)) for i, a in enumerate(group) for b in group[:i]]
        why = ", which are affine in one another," if all(pair in affine for pair in pairs) else ""
        index = [spread.names.index(name) for name in group]
        worst = float(spread.pairs[:, index][:, :, index].max())
        told.append(f"Among {_and(group)}{why} the paths are identical to rounding ({worst:.1e} standard errors).")
    return told


def _points(report: InvarianceReport) -> np.ndarray:
    """Return a few home parameters near the start, inside every parametrization, at which to look at Jacobians."""
    start = report.case.start
    return start + np.array([[0.0], [1e-2], [-1e-2]]) * np.where(start == 0.0, 1e-3, np.abs(start))


def _counts(report: InvarianceReport) -> list[str]:
    wide = max(len(spread.way.label) for spread in report.spreads.values())
    names = list(report.case.charts)
    lines = [f"{'':<{wide}}  " + "  ".join(f"{name:>{max(len(name), 5)}}" for name in names)]
    for spread in report.spreads.values():
        cells = []
        for name in names:
            count = spread.iterations[name]
            text = f">{report.max_iterations}" if count is None else str(count)
            cells.append(f"{text:>{max(len(name), 5)}}")
        lines.append(f"{spread.way.label:<{wide}}  " + "  ".join(cells))
    return lines


def _scope(report: InvarianceReport) -> str:
    exact = getattr(report.case.objective, "kl_is_exact", False)
    told = "Measured for these data, parametrizations, start and flow time; other ones have other numbers."
    return told if exact else f"{told} KL is half the squared distance, as the model has no divergence of its own."


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _list(steps: Iterable[float]) -> str:
    return ", ".join(f"{step:g}" for step in steps)
