"""Where a GLM's fit begins: coefficients inside the domain, and the columns that the data can tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from natfit.data.arrays import Source
from natfit.data.block import Block
from natfit.likelihoods.glm import GLMLikelihood
from natfit.likelihoods.sums import Sums
from natfit.metric import ILL_CONDITIONED, Metric, Triangular
from natfit.need import FACTOR, METRIC

Array = np.ndarray[Any, np.dtype[Any]]


class Start(NamedTuple):
    """The first pass over the data: weighted least squares on the kept columns, and which columns are aliased.

    ``units`` is the diagonal of its metric, of all columns; the metric itself, which may be large, is let go.
    """

    solution: Array
    units: Array
    aliased: Array
    factor: Triangular | None


def first_pass(likelihood: GLMLikelihood, source: Source, mean: float) -> Start:
    """Sum weighted least squares on the working response, and find aliased columns where the metric calls for it.

    Rank is decided on a triangular factor, which costs a second pass and is asked for only when the Gram matrix is too
    ill-conditioned to tell.
    """
    sums = source.reduce(lambda block: likelihood.start_sums(block, mean))
    metric = sums["metric"]
    _check_units(likelihood, source, sums)
    if metric.rcond() >= ILL_CONDITIONED:
        units = metric.matrix_form().diagonal().copy()
        return Start(metric.solve(sums["score"]), units, np.zeros(metric.size, dtype=bool), None)
    sums = source.reduce(lambda block: likelihood.start_sums(block, mean, METRIC | FACTOR))
    factor = sums["metric"]
    assert isinstance(factor, Triangular)
    aliased = factor.aliased()
    units = (factor.factor**2).sum(axis=0)
    return Start(_solved(sums, ~aliased), units, aliased, factor)


def _solved(sums: Sums, kept: Array) -> Array:
    """Return the coefficients of the kept columns by weighted least squares."""
    metric: Metric = sums["metric"] if kept.all() else sums["metric"].pullback(np.eye(kept.size)[:, kept])
    return metric.solve(sums["score"][kept])


def _check_units(likelihood: GLMLikelihood, source: Source, sums: Sums) -> None:
    """Refuse columns, or a response, whose squares are too large or too small for floating point."""
    lengths = sums["metric"].matrix_form().diagonal()
    strange = ~np.isfinite(lengths)
    if (lengths == 0.0).any():
        # A column whose squares vanish though it does not; one that is zero on every row with a weight is aliased.
        strange |= (lengths == 0.0) & np.any(list(source.map(lambda block: _in_use(block))), axis=0)
    if strange.any() and not strange.all():
        names = ", ".join(repr(name) for name, s in zip(likelihood.layout.names, strange, strict=True) if s)
        raise ValueError(
            f"the squares of a column must neither overflow nor vanish, and those of {names} do; give it in other units"
        )
    if strange.any() or not np.isfinite(sums["score"]).all():
        raise ValueError(
            "response, offset or weights are so large or so small that the first step overflows; give them in other units"
        )


def _in_use(block: Block) -> Array:
    """Return which columns of the design are not zero on all rows that have a weight."""
    design = block.designs["mean"]
    rows = block.columns["weight"] > 0.0 if "weight" in block.columns else slice(None)
    return np.array([design.matvec(pick)[rows].any() for pick in np.eye(design.shape[1])])


def explain_alias(factor: Metric, column: int, aliased: Array, names: tuple[str, ...]) -> str:
    """Say in words which kept columns an aliased one is a linear combination of."""
    assert isinstance(factor, Triangular)
    kept = np.flatnonzero(~aliased[:column])
    length = np.sqrt((factor.factor**2).sum(axis=0))
    if length[column] == 0.0:
        return f"{names[column]} is zero on every row"
    if not kept.size:
        return f"{names[column]} can't be told from the other columns"
    scaled = factor.factor / np.where(length > 0.0, length, 1.0)
    share, *_ = np.linalg.lstsq(scaled[:, kept], scaled[:, column], rcond=None)
    parts = [names[k] for k, s in zip(kept, share, strict=True) if abs(s) > 1e-6]
    return f"{names[column]} is a linear combination of {', '.join(parts)}"


def starting_points(
    likelihood: GLMLikelihood, source: Source, start: Start, kept: Array, mean: float
) -> Iterator[Array]:
    """Yield coefficients of the kept columns to begin from, the most promising first.

    Weighted least squares on the working response; the constant nearest to link(mean); and, for links whose predictor
    has an edge, the coefficients that keep every row farthest inside (a linear program).
    """
    yield start.solution
    yield _solved(source.reduce(lambda block: likelihood.start_sums(block, mean, constant=True)), kept)
    centre = _most_interior(likelihood, source, kept)
    if centre is not None:
        yield centre


def _most_interior(likelihood: GLMLikelihood, source: Source, kept: Array) -> Array | None:
    """Return coefficients that keep the predictors of all rows as far as possible inside the edges of the domain."""
    from scipy.optimize import linprog

    low, high = _predictor_edges(likelihood)
    if not (np.isfinite(low) or np.isfinite(high)):
        return None
    rows = list(source.map(lambda block: (block.designs["mean"].dense()[:, kept], block.columns.get("offset"))))
    X = np.vstack([x for x, _ in rows])
    offset = np.concatenate([np.zeros(len(x)) if o is None else o for x, o in rows])
    sides = []
    if np.isfinite(low):
        sides.append((-X, offset - low))
    if np.isfinite(high):
        sides.append((X, high - offset))
    A = np.vstack([np.column_stack([side, np.ones(len(X))]) for side, _ in sides])
    b = np.concatenate([bound for _, bound in sides])
    cost = np.append(np.zeros(X.shape[1]), -1.0)
    found = linprog(cost, A_ub=A, b_ub=b, bounds=[(None, None)] * X.shape[1] + [(0.0, 1.0)])
    return found.x[:-1] if found.status == 0 and found.x[-1] > 0.0 else None


def _predictor_edges(likelihood: GLMLikelihood) -> tuple[float, float]:
    """Return the least and greatest predictor whose mean lies in the family's domain."""
    domain = likelihood.family.mean_domain
    ends = np.array([likelihood.link.limit(domain.low), likelihood.link.limit(domain.high)])
    ends = np.where(np.isnan(ends), np.inf, ends)
    return float(ends.min()), float(ends.max())
