"""Predictions, comparisons and slopes of a fit, for rows or averaged over them, in the manner of R's marginaleffects.

Arel-Bundock, Greifer & Heiss (2024), Journal of Statistical Software 111(9). The Jacobians in the coefficients are exact; a
slope differentiates the frozen formula's columns numerically in the variable, so that polynomials, splines and
interactions follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.results.effects.contrasts import contrasts, named
from natfit.results.effects.delta import (
    Estimates,
    Evaluate,
    Part,
    at_once,
    averaged,
    contrast_weights,
    each_row,
    inference,
    of_mean,
    run_of,
)
from natfit.results.effects.request import Request

Array = np.ndarray[Any, np.dtype[Any]]

STEP = 1e-4
"""Step of a slope's difference quotient, as a share of the variable's range: its error is some 1e-8 of the third
derivative's part, and rounding some 1e-12."""

COMPARISONS = {
    "difference": lambda hi, lo: (hi - lo, np.ones_like(hi), -np.ones_like(lo)),
    "ratio": lambda hi, lo: (hi / lo, 1.0 / lo, -hi / lo**2),
    "lnratio": lambda hi, lo: (np.log(hi / lo), 1.0 / hi, -1.0 / lo),
    "lift": lambda hi, lo: (hi / lo - 1.0, 1.0 / lo, -hi / lo**2),
    "lnoddsratio": lambda hi, lo: (
        np.log(hi / (1.0 - hi)) - np.log(lo / (1.0 - lo)),
        1.0 / (hi * (1.0 - hi)),
        -1.0 / (lo * (1.0 - lo)),
    ),
}
"""Each from two predictions to what is estimated, and its derivatives in both."""

SLOPES = ("dydx", "eyex", "eydx", "dyex")


@dataclass
class Row:
    """One kind of effect: its labels, and the estimates of its rows or groups."""

    labels: dict[str, Any]
    estimates: Estimates


def _grouped(request: Request) -> tuple[Array, Any]:
    """Return the group of each row, and a table with a row of ``by`` columns for each group."""
    import pandas as pd

    if not request.by:
        return np.zeros(len(request.frame), dtype=int), pd.DataFrame(index=range(1))
    grouped = request.frame.groupby(request.by, sort=True, observed=True, dropna=False)
    keys = grouped.size().index.to_frame(index=False)
    return grouped.ngroup().to_numpy(), keys


def _estimate(fit: Any, request: Request, evaluate: Evaluate, hold: bool) -> Estimates:
    """Return estimates for each row, or for each group."""
    if request.by is None:
        return each_row(fit, evaluate, len(request.frame), hold)
    groups, keys = _grouped(request)
    return at_once(fit, averaged(evaluate, groups, request.weight, len(keys)))


def predictions(
    fit: Any,
    newdata: Any,
    by: Any,
    which: str,
    variables: Mapping[str, Any] | None,
    hypothesis: Any,
    alpha: float,
    known: Any,
) -> Any:
    """See `Effects.predictions`."""
    request = Request.of(fit, newdata, by, known)
    if variables:
        request = request.repeated(variables)
    rows = request.design()
    estimates = _estimate(fit, request, of_mean(fit, rows, which), hypothesis is not None)
    table = _table(fit, request, [Row({}, estimates)], hypothesis, alpha)
    if which == "mean" and request.by is None and hypothesis is None:
        # The same interval as of get_prediction: made on the link's scale.
        eta = each_row(fit, of_mean(fit, rows, "linear"), len(request.frame))
        low, high = _through_link(fit, eta, alpha)
        table["conf_low"], table["conf_high"] = low, high
    return table


def _through_link(fit: Any, eta: Estimates, alpha: float) -> tuple[Array, Array]:
    columns = inference(fit, eta, alpha)
    with np.errstate(all="ignore"):
        ends = np.sort(fit.link.inverse(np.stack([columns["conf_low"], columns["conf_high"]])), axis=0)
    return ends[0], ends[1]


def comparisons(
    fit: Any,
    variables: Any,
    newdata: Any,
    by: Any,
    comparison: str,
    which: str,
    hypothesis: Any,
    alpha: float,
    known: Any,
) -> Any:
    """See `Effects.comparisons`."""
    if comparison not in COMPARISONS:
        raise ValueError(f"comparison must be one of {', '.join(COMPARISONS)}; got {comparison!r}")
    request = Request.of(fit, newdata, by, known)
    found = []
    for name, how in named(request.variables, variables).items():
        for label, low, high in contrasts(request, name, how):
            ends = [of_mean(fit, request.design(**{name: end}), which) for end in (high, low)]
            estimates = _compare(fit, request, ends[0], ends[1], comparison, hypothesis is not None)
            found.append(Row({"term": name, "contrast": label}, estimates))
    return _table(fit, request, found, hypothesis, alpha, 1.0 if comparison == "ratio" else 0.0)


def _compare(fit: Any, request: Request, high: Evaluate, low: Evaluate, comparison: str, hold: bool) -> Estimates:
    """Compare two predictions of each row, or their averages over groups (a ratio is that of the averages)."""

    def joined(hi: Part, lo: Part) -> Part:
        with np.errstate(all="ignore"):
            value, by_hi, by_lo = COMPARISONS[comparison](hi.value, lo.value)
        return Part(value, by_hi[:, None] * hi.jacobian + by_lo[:, None] * lo.jacobian)

    if request.by is None:
        return each_row(fit, lambda a, b: joined(high(a, b), low(a, b)), len(request.frame), hold)
    groups, keys = _grouped(request)
    ends = [averaged(end, groups, request.weight, len(keys)) for end in (high, low)]
    return at_once(fit, joined(ends[0], ends[1]))


def slopes(
    fit: Any,
    variables: Any,
    newdata: Any,
    by: Any,
    slope: str,
    which: str,
    hypothesis: Any,
    alpha: float,
    known: Any,
) -> Any:
    """See `Effects.slopes`."""
    if slope not in SLOPES:
        raise ValueError(f"slope must be one of {', '.join(SLOPES)}; got {slope!r}")
    request = Request.of(fit, newdata, by, known)
    found = []
    for name in named(request.variables, variables):
        if request.variables.levels(name) is None:
            evaluate = _slope_of(fit, request, name, slope, which)
            label = {"dydx": "dY/dX", "eyex": "eY/eX", "eydx": "eY/dX", "dyex": "dY/eX"}[slope]
            estimates = _estimate(fit, request, evaluate, hypothesis is not None)
            found.append(Row({"term": name, "contrast": label}, estimates))
            continue
        for label, low, high in contrasts(request, name, None):
            ends = [of_mean(fit, request.design(**{name: end}), which) for end in (high, low)]
            estimates = _compare(fit, request, ends[0], ends[1], "difference", hypothesis is not None)
            found.append(Row({"term": name, "contrast": label}, estimates))
    return _table(fit, request, found, hypothesis, alpha)


def _slope_of(fit: Any, request: Request, name: str, slope: str, which: str) -> Evaluate:
    """Return what evaluates the derivative of predictions in a variable, and its Jacobian in the coefficients."""
    if which not in ("mean", "linear"):
        raise ValueError(f"which must be 'mean' or 'linear', got {which!r}")
    x = request.column(name).to_numpy(dtype=float)
    nodes, share, step = _stencil(x, *request.variables.limits(name, x))
    designs = [request.design(**{name: x + node * step}) for node in nodes]
    here = request.design(**{name: x})
    weights = [each / step for each in share]

    def evaluate(start: int, stop: int) -> Part:
        design, eta = run_of(fit, here, start, stop)
        turned = np.zeros_like(design)
        for weight, rows in zip(weights, designs, strict=True):
            turned += weight[start:stop, None] * rows.design.rows(start, stop).dense()
        rate = turned @ fit._params_filled
        if which == "linear":
            mu, first, second = eta, np.ones_like(eta), np.zeros_like(eta)
        else:
            with np.errstate(all="ignore"):
                mu, _, first = fit.link.mean(eta)
                second = fit.link.curvature(eta, mu, first)
        value = first * rate
        jacobian = (second * rate)[:, None] * design + first[:, None] * turned
        if slope in ("eyex", "eydx"):
            jacobian = jacobian / mu[:, None] - (value * first / mu**2)[:, None] * design
            value = value / mu
        if slope in ("eyex", "dyex"):
            value, jacobian = value * x[start:stop], jacobian * x[start:stop, None]
        return Part(value, jacobian)

    return evaluate


def _stencil(x: Array, low: float, high: float) -> tuple[list[Array], list[Array], float]:
    """Return nodes, their weights and the step of a difference quotient of second order.

    Central; but at the ends of the data, low and high, it looks inwards, where splines and logarithms are defined.
    """
    step = STEP * ((high - low) or abs(high) or 1.0)
    inside = (x >= low) & (x <= high)
    side = np.where(inside & (x + step > high), -1.0, np.where(inside & (x - step < low), 1.0, 0.0))
    nodes = [side - 1.0, side, side + 1.0]
    weights = [-side - 0.5, 2.0 * side, 0.5 - side]
    return nodes, weights, step


def _table(fit: Any, request: Request, found: Sequence[Row], hypothesis: Any, alpha: float, null: float = 0.0) -> Any:
    """Put estimates under each other as a table, with the rows or groups they belong to; or hypotheses about them."""
    import pandas as pd

    if not found:
        raise ValueError("there is nothing to estimate: the model has no variables, or none with two levels")
    aside = request.frame if request.by is None else _grouped(request)[1]
    parts = []
    for row in found:
        columns = pd.DataFrame(inference(fit, row.estimates, alpha, null), index=aside.index)
        labels = pd.DataFrame({key: [value] * len(aside) for key, value in row.labels.items()}, index=aside.index)
        ordered = [labels, columns, aside] if request.by is None else [labels, aside, columns]
        parts.append(pd.concat(ordered, axis=1))
    single = len(parts) == 1 and request.by is None and not request.own
    table = parts[0] if len(parts) == 1 else pd.concat(parts)
    if not (single or (request.own and request.by is None)):
        table = table.reset_index(drop=True)
    if hypothesis is None:
        return table
    return hypotheses(fit, [row.estimates for row in found], _labels(table, request), hypothesis, alpha)


def _labels(table: Any, request: Request) -> list[str]:
    """Return a name for each row of a table: its term, contrast and groups."""
    keys = [name for name in ("term", "contrast", *(request.by or ())) if name in table]
    if not keys:
        return [f"b{j + 1}" for j in range(len(table))]
    return [" ".join(map(str, row)) for row in table[keys].itertuples(index=False)]


def hypotheses(fit: Any, found: Sequence[Estimates], labels: list[str], hypothesis: Any, alpha: float) -> Any:
    """Return a table of linear combinations of estimates."""
    import pandas as pd

    jacobians = [each.jacobian for each in found if each.jacobian is not None]
    held = np.vstack(jacobians) if len(jacobians) == len(found) else None
    value = np.concatenate([each.value for each in found])
    together = Estimates(value, np.concatenate([each.std_error for each in found]), held)
    weights, names = contrast_weights(hypothesis, labels)
    return pd.DataFrame({"hypothesis": names} | inference(fit, together.combined(fit, weights), alpha))
