"""Whether the likelihood has its maximum at infinity, and along which coefficients.

A direction d of the coefficients is one of separation when no row's likelihood falls along it and some row's rises for
ever: rows whose response lies on a limit of the mean (0 or 1 for the binomial, 0 for counts) may move towards that limit,
all other rows must not move at all. The suspicion comes from the metric, which vanishes along such a direction; the
verdict from a linear program over the rows that can move (Albert & Anderson, 1984, Biometrika 71; Konis, 2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.data.arrays import Source
from natfit.data.block import Block
from natfit.likelihoods.glm import GLMLikelihood
from natfit.metric import Metric, SingularMetric
from natfit.results.fitted import Separation

Array = np.ndarray[Any, np.dtype[Any]]

SUSPECT = 1e-9
"""Share of its starting size to which the metric must have shrunk along some direction. Scoring that stops at a decrement
of 1e-12 has taken a separated row's weight to about that; without separation the verdict clears the suspicion."""
VANISHED = 1e-6
"""Directions whose share has fallen below this span the space in which the verdict is sought."""
STILL = 1e-4
"""A row moves along a direction when its predictor changes by more than this share of the fastest row's."""


def suspected(metric: Metric, units: Array) -> bool:
    """Say cheaply whether the metric has all but vanished along some direction since the start."""
    try:
        # The start's own diagonal as the unit: the metric's would hide a column whose weights have all vanished.
        inverse = metric.inverse()
        squared = np.einsum("ij,ij,i,j", inverse, inverse, units, units)
        if squared * SUSPECT**2 <= 1.0:  # Frobenius' norm is never under the spectral one, and cheap
            return False
        reference = np.sqrt(units)
        return bool(1.0 / np.linalg.norm(inverse * np.outer(reference, reference), 2) < SUSPECT)
    except (SingularMetric, np.linalg.LinAlgError):
        return True


def examine(likelihood: GLMLikelihood, source: Source, metric: Metric, units: Array, kept: Array) -> Separation | None:
    """Return the direction in which the likelihood rises for ever, or None where there is none.

    Parameters
    ----------
    likelihood, source
    metric : Metric
        Information at the last parameters, in the kept coefficients.
    units : (k,) ndarray
        Diagonal of the information at the first ones.
    kept : (p,) ndarray of bool
        Columns that are not aliased.
    """
    limits = _open_limits(likelihood)
    if not limits:
        return None
    reference = np.sqrt(units)
    values, vectors = np.linalg.eigh(metric.matrix_form() / np.outer(reference, reference))
    basis = vectors[:, values < VANISHED] / reference[:, None]
    if not basis.shape[1]:
        return None
    basis /= np.abs(basis).max(axis=0)
    full = np.zeros((kept.size, basis.shape[1]))
    full[kept] = basis
    parts = list(source.map(lambda block: _signed_moves(block, full, limits)))
    moves = np.vstack([rows for rows, _ in parts])
    fastest = max((peak for _, peak in parts), default=0.0)
    if not moves.size or fastest == 0.0:
        return None
    mixture = _recession(moves / fastest)
    if mixture is None:
        return None
    return _describe(full, mixture, moves, reference, kept)


def _describe(basis: Array, mixture: Array, moves: Array, reference: Array, kept: Array) -> Separation:
    from scipy.linalg import qr

    size = np.abs(basis[kept]) * reference[:, None]
    columns, pivots = np.zeros((2, kept.size), dtype=bool)
    columns[kept] = size.max(axis=1) > STILL * size.max()
    order = qr(size.T, mode="r", pivoting=True)[1]
    pivots[np.flatnonzero(kept)[order[: basis.shape[1]]]] = True
    direction, gains = basis @ mixture, moves @ mixture
    n_rows = int((gains > STILL * gains.max()).sum())
    return Separation(direction / np.abs(direction).max(), columns, pivots, n_rows)


def _open_limits(likelihood: GLMLikelihood) -> dict[float, float]:
    """Return, for each response that sits on a limit of the mean, the sign in which the predictor runs off to reach it."""
    family, limits = likelihood.family, {}
    for edge in (family.mean_domain.low, family.mean_domain.high):
        if not np.isfinite(edge) or edge not in family.attainable_limits:
            continue
        end = likelihood.link.limit(edge)
        if np.isinf(end):
            limits[float(edge)] = float(np.sign(end))
    return limits


def _signed_moves(block: Block, basis: Array, limits: dict[float, float]) -> tuple[Array, float]:
    """Return distinct rows of x'basis, signed so that positive is towards the row's limit, and the fastest of all rows."""
    moves = np.column_stack([block.designs["mean"].matvec(np.ascontiguousarray(b)) for b in basis.T])
    y = block.columns["y"]
    counted = np.ones(len(y), dtype=bool) if "weight" not in block.columns else block.columns["weight"] > 0.0
    sign = np.zeros(len(y))
    for edge, towards in limits.items():
        sign[y == edge] = towards
    peak = float(np.abs(moves[counted]).max(initial=0.0))
    return (moves * sign[:, None])[counted & (sign != 0.0)], peak


def _recession(moves: Array) -> Array | None:
    """Return z with moves @ z >= 0 on every row and > 0 in sum, or None."""
    if moves.shape[1] == 1:
        low, high = moves.min(), moves.max()
        if low >= -STILL and high > STILL:
            return np.array([1.0])
        return np.array([-1.0]) if high <= STILL and low < -STILL else None
    from scipy.optimize import linprog

    found = linprog(
        -moves.sum(axis=0), A_ub=-moves, b_ub=np.full(len(moves), STILL), bounds=[(-1.0, 1.0)] * moves.shape[1]
    )
    if found.status != 0 or (moves @ found.x).max() <= 10 * STILL:
        return None
    return found.x
