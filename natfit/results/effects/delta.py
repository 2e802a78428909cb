"""Functions of predictions with standard errors by the delta method, their Jacobians exact, in chunks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from natfit.results.covariance import unseen
from natfit.results.prediction import critical

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 16_384
"""Rows whose Jacobian is held at a time."""
HELD = 4_000_000
"""Entries of a Jacobian that may be held at once, for hypotheses about its rows."""


class Part(NamedTuple):
    """Values of some rows (k,), and their Jacobian in the coefficients (k, p)."""

    value: Array
    jacobian: Array


Evaluate = Callable[[int, int], Part]
"""From a run of rows, start to stop, to what is estimated there."""


@dataclass(frozen=True)
class Estimates:
    """Estimates with standard errors; the Jacobian where it was asked for or is small."""

    value: Array
    std_error: Array
    jacobian: Array | None = None

    def combined(self, fit: Any, weights: Array) -> Estimates:
        """Return linear combinations, one for each row of ``weights``, (j, k)."""
        if self.jacobian is None:
            raise ValueError(
                f"hypotheses about {self.value.size} rows would hold too large a Jacobian; average over them first, with by="
            )
        return at_once(fit, Part(weights @ self.value, weights @ self.jacobian))


def of_mean(fit: Any, rows: Any, which: str) -> Evaluate:
    """Return what evaluates predictions of rows: of the mean, or of the linear predictor."""
    if which not in ("mean", "linear"):
        raise ValueError(f"which must be 'mean' or 'linear', got {which!r}")

    def evaluate(start: int, stop: int) -> Part:
        design, eta = run_of(fit, rows, start, stop)
        if which == "linear":
            return Part(eta, design)
        with np.errstate(all="ignore"):
            mu, _, slope = fit.link.mean(eta)
        return Part(mu, slope[:, None] * design)

    return evaluate


def run_of(fit: Any, rows: Any, start: int, stop: int) -> tuple[Array, Array]:
    """Return a run of rows of a design, dense, and their linear predictors."""
    design = rows.design.rows(start, stop).dense()
    eta = design @ fit._params_filled
    return design, eta if rows.offset is None else eta + rows.offset[start:stop]


def each_row(fit: Any, evaluate: Evaluate, n_rows: int, hold: bool = False) -> Estimates:
    """Return an estimate for each row; with ``hold`` their Jacobian too, if it is not too large."""
    hold = hold and n_rows * fit._params_filled.size <= HELD
    parts, errors = [], []
    for start, stop in _runs(n_rows):
        part = evaluate(start, stop)
        errors.append(standard_errors(fit, part.jacobian))
        parts.append(part if hold else Part(part.value, part.jacobian[:0]))
    value = np.concatenate([part.value for part in parts])
    return Estimates(value, np.concatenate(errors), np.vstack([part.jacobian for part in parts]) if hold else None)


def averaged(evaluate: Evaluate, groups: Array, weight: Array, n_groups: int) -> Part:
    """Return weighted averages over groups of rows; the Jacobian of the rows is never held as a whole."""
    from scipy import sparse

    total = np.bincount(groups, weight, n_groups)
    value, jacobian = np.zeros(n_groups), None
    for start, stop in _runs(len(groups)):
        part = evaluate(start, stop)
        places = (groups[start:stop], np.arange(stop - start))
        sums = sparse.csr_array((weight[start:stop], places), shape=(n_groups, stop - start))
        value += sums @ part.value
        jacobian = sums @ part.jacobian if jacobian is None else jacobian + sums @ part.jacobian
    assert jacobian is not None
    return Part(value / total, jacobian / total[:, None])


def at_once(fit: Any, part: Part) -> Estimates:
    """Return a few estimates with their Jacobian."""
    return Estimates(part.value, standard_errors(fit, part.jacobian), part.jacobian)


def _runs(n_rows: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n_rows, CHUNK):
        yield start, min(start + CHUNK, n_rows)


def standard_errors(fit: Any, jacobian: Array) -> Array:
    """Return sqrt(J cov J') of each row of J, with the fit's own covariance; NaN where the data don't tell the estimate.

    That is where a row loads on a separated coefficient, or on a direction that aliased columns leave unseen.
    """
    kept, cov = fit.fitted.kept, fit._cov
    lost = np.isnan(cov.diagonal())
    full = np.where(lost | lost[:, None], 0.0, cov)
    with np.errstate(invalid="ignore"):
        error = np.sqrt(np.einsum("ij,ij->i", jacobian @ full, jacobian))
    running = lost & kept
    unknown = np.any(jacobian[:, running] != 0.0, axis=1) if running.any() else np.zeros(len(error), dtype=bool)
    if not kept.all():
        unknown |= unseen(fit, jacobian)
    return np.where(unknown, np.nan, error)


def inference(fit: Any, estimates: Estimates, alpha: float, null: float = 0.0) -> dict[str, Array]:
    """Return the columns estimate, std_error, statistic, p_value, conf_low and conf_high."""
    df = fit.df_resid_inference if fit.use_t else None
    with np.errstate(all="ignore"):
        statistic = (estimates.value - null) / estimates.std_error
    width = critical(alpha, df) * estimates.std_error
    return {
        "estimate": np.where(np.isnan(estimates.std_error), np.nan, estimates.value),
        "std_error": estimates.std_error,
        "statistic": statistic,
        "p_value": two_sided(statistic, df),
        "conf_low": estimates.value - width,
        "conf_high": estimates.value + width,
    }


def two_sided(statistic: Array, df: float | None) -> Array:
    """Return two-sided p-values of z, or of t with df degrees of freedom."""
    size = -np.abs(statistic)
    return np.asarray(2.0 * (special.ndtr(size) if df is None else special.stdtr(df, size)))


def contrast_weights(hypothesis: Any, labels: list[str]) -> tuple[Array, list[str]]:
    """Return the combinations of estimates that a hypothesis is about, (j, k), and their names.

    Parameters
    ----------
    hypothesis : {"pairwise", "reference", "sequential", "meandev"}, str, mapping or array_like
        All pairs (the later less the earlier); each less the first; each less the one before; each less the mean of all; an
        equation in b1, b2, ... (``"b2 - b1 = 0"``); weights by name; or weights, one row for each combination.
    labels : list of str
        Names of the estimates.
    """
    k = len(labels)
    identity = np.eye(k)
    if isinstance(hypothesis, str):
        if hypothesis in ("pairwise", "reference", "sequential"):
            pairs = {
                "pairwise": [(j, i) for i in range(k) for j in range(i + 1, k)],
                "reference": [(j, 0) for j in range(1, k)],
                "sequential": [(j, j - 1) for j in range(1, k)],
            }[hypothesis]
            weights = np.array([identity[j] - identity[i] for j, i in pairs]).reshape(-1, k)
            return weights, [f"{labels[j]} - {labels[i]}" for j, i in pairs]
        if hypothesis == "meandev":
            return identity - 1.0 / k, [f"{label} - mean" for label in labels]
        return _equation(hypothesis, k)
    names = None
    if isinstance(hypothesis, Mapping):
        hypothesis, names = list(hypothesis.values()), [str(name) for name in hypothesis]
    lengths = {np.size(row) for row in hypothesis} if np.ndim(hypothesis[0]) else set()
    if len(lengths) > 1:
        raise ValueError(f"a hypothesis about {k} estimates needs {k} weights in each row; these have {lengths}")
    weights = np.atleast_2d(np.asarray(hypothesis, dtype=float))
    if weights.ndim != 2 or weights.shape[1] != k:
        raise ValueError(
            f"a hypothesis about {k} estimates needs {k} weights in each row; these have shape {weights.shape}"
        )
    return weights, names or [f"combination {j + 1}" for j in range(len(weights))]


def _equation(text: str, k: int) -> tuple[Array, list[str]]:
    from formulaic.utils.constraints import LinearConstraints

    try:
        found = LinearConstraints.from_spec(text, variable_names=[f"b{j + 1}" for j in range(k)])
    except Exception as error:
        raise ValueError(
            f"hypothesis {text!r} can't be read; use 'pairwise', 'reference', 'sequential', 'meandev', or an equation in "
            f"b1 to b{k}"
        ) from error
    if np.any(np.asarray(found.constraint_values) != 0.0):
        raise ValueError(f"hypothesis {text!r} must have 0 on its right side")
    return np.asarray(found.constraint_matrix, dtype=float), [text]
