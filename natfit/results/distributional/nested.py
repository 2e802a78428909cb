"""Likelihood-ratio tests between distributional fits: whether one model is a special case of the other, and the law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.data.block import Block
from natfit.metric import Triangular

if TYPE_CHECKING:
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]

SPANNED = 1e-7
"""Share of the length of a random combination of columns that may be left after projecting on another model's columns:
over rounding by far, under any column of its own."""
CHUNK = 65_536
"""Rows whose dense designs are held at once."""
NOT_THE_LAW = ("parallel", "baseline", "chart", "closed", "domains", "support", "_positive")
"""Attributes of a family that say nothing of its distribution, or follow from those that do."""


def likelihood_ratio(large: DistributionalResults, small: Any) -> tuple[float, float, float]:
    """Return the likelihood-ratio statistic, its p-value and degrees of freedom; see `DistributionalResults.lr_test`."""
    _check_rows(large, small)
    for fit in (large, small):
        if not fit.fitted.converged and not fit.limit_reached():
            raise ValueError(f"lr_test compares maxima, but a fit did not converge ({fit.reason}); fit it again first")
    vanished = _limit_between(large, small)
    if vanished is None:
        _check_law(large, small)
    df = large.df_model - small.df_model
    if df <= 0:
        raise ValueError(
            f"the restricted fit must have fewer free coefficients than this one's {large.df_model:g}, and has "
            f"{small.df_model:g}"
        )
    _check_spanned(large, small, vanished)
    statistic = 2.0 * (large.llf - small.llf)
    tail = float(special.chdtrc(df, max(statistic, 0.0)))
    if vanished is not None:
        tail = 0.5 * (
            tail + (float(special.chdtrc(df - 1, max(statistic, 0.0))) if df > 1 else float(statistic <= 0.0))
        )
    return statistic, tail, df


def _check_rows(large: Any, small: Any) -> None:
    from natfit.results.distributional.results import DistributionalResults

    if not isinstance(small, DistributionalResults):
        raise TypeError(f"lr_test takes the fit of a DistributionalRegression, got {type(small).__name__}")
    mine, theirs = large.model.data, small.model.data
    if getattr(mine, "y", None) is None or getattr(theirs, "y", None) is None:
        raise ValueError("lr_test needs the rows of both fits, and a saved fit holds none; fit both again")
    same = mine.y.shape == theirs.y.shape and np.array_equal(mine.y, theirs.y)
    if not same or not _equal(mine.freq_weights, theirs.freq_weights):
        raise ValueError("both fits must be of the same responses in the same rows, with the same weights")


def _equal(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


def _constants(family: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(family).items() if name not in NOT_THE_LAW}


def _check_law(large: DistributionalResults, small: DistributionalResults) -> None:
    """Refuse fits whose parameters are not the same functions of predictors."""
    one, other = large.family, small.family
    if type(one) is not type(other) or _constants(one) != _constants(other):
        raise ValueError(
            f"lr_test needs two fits of one family in one parametrization, but these are {_told(large)} and "
            f"{_told(small)}; compare their aic"
        )
    for name in small.model.likelihood.layout.slices:
        if name not in large.model.held and large.links[name] != small.links[name]:
            raise ValueError(
                f"lr_test needs the same links, but {name} has {large.links[name].name} in one fit and "
                f"{small.links[name].name} in the other; compare their aic"
            )


def _told(fit: DistributionalResults) -> str:
    return f"{fit.family.name} ({', '.join(fit.family.parameter_names)})"


def _limit_between(large: DistributionalResults, small: DistributionalResults) -> str | None:
    """Return the parameter at whose limit the larger fit's family is the smaller one's, where there is one.

    Raises
    ------
    ValueError
        Where more than one coefficient vanishes at the limit: the statistic has no chi-square law there.
    """
    if type(large.family) is type(small.family) and large.family.name == small.family.name:
        return None
    for name, _, value, simpler in large.family.simpler:
        if simpler != small.family.name or large.family.K != small.family.K + 1 or name in large.model.held:
            continue
        if any(large.links[one] != small.links[other] for one, other in _pairs(large, small, name)):
            continue
        own = large.model.likelihood.layout.slices[name]
        columns = np.flatnonzero((large.model.constraints.tie.matrix[own] != 0.0).any(axis=0))
        shared = (np.delete(large.model.constraints.tie.matrix, own, axis=0)[:, columns] != 0.0).any()
        if len(columns) != 1 or shared:
            raise ValueError(
                f"the {simpler} family is the limit of {large.family.name} where {name} tends to {value:.3g}, and with more "
                f"than a constant for {name} the likelihood ratio has no chi-square law there; compare the fits' aic"
            )
        return name
    return None


def _pairs(large: DistributionalResults, small: DistributionalResults, vanished: str | None) -> list[tuple[str, str]]:
    """Return which parameter of the larger fit's family is which of the smaller one's: the same, or the same part."""
    if vanished is None:
        return [(name, name) for name in large.family.parameter_names]
    left = [name for name in large.family.parts if name != vanished]
    return list(zip(left, small.family.parts, strict=True))


def _check_spanned(large: DistributionalResults, small: DistributionalResults, vanished: str | None) -> None:
    """Refuse fits whose models are not nested.

    The predictors of all parameters, one below the other, are an affine space in each model: a random combination of the
    smaller one's columns, and the difference of the offsets, must lie in the span of the larger one's.
    """
    factor: Any = None
    for rows in _stacked(large, small, vanished):
        factor = Triangular.from_rows(rows if factor is None else np.vstack([factor.factor, rows]))
    square = np.zeros((factor.size, factor.size))
    square[: len(factor.factor)] = factor.factor
    length = np.linalg.norm(square, axis=0)
    probe_left = abs(square[-2, -2])
    gap_left = float(np.hypot(square[-2, -1], square[-1, -1]))
    if probe_left > SPANNED * length[-2]:
        raise ValueError(
            f"lr_test needs nested fits, but the predictors of the restricted one ({_predictors(small)}) are no "
            f"combinations of this one's ({_predictors(large)}); compare their aic"
        )
    if gap_left > SPANNED * length[-1]:
        raise ValueError(
            "lr_test needs nested fits, but their offsets, or values at which parameters or coefficients are held, differ "
            "by what this one's predictors do not span; give both the same"
        )


def _predictors(fit: DistributionalResults) -> str:
    return ", ".join(fit.model.exog_names[:8]) + (", ..." if len(fit.model.exog_names) > 8 else "")


def _stacked(large: Any, small: Any, vanished: str | None) -> Iterator[Array]:
    """Yield runs of rows of the larger model's columns, a combination of the smaller's, and the offsets' difference."""
    kept = small.fitted.kept
    unit = np.sqrt(small.fitted.metric.matrix_form().diagonal())
    weights = np.zeros(kept.size)
    weights[kept] = np.random.default_rng(0).normal(size=unit.size) / np.where(unit > 0.0, unit, 1.0)
    pairs = _pairs(large, small, vanished)
    mine = _runs(large, [one for one, _ in pairs])
    theirs = _runs(small, [other for _, other in pairs])
    for one, other in _aligned(mine, theirs):
        for j in range(len(pairs)):
            gap = other[:, j, -1] - one[:, j, -1]
            yield np.column_stack([one[:, j, :-1][:, large.fitted.kept], other[:, j, :-1] @ weights, gap])


def _runs(fit: Any, names: list[str]) -> Iterator[Array]:
    """Yield runs of rows of some parameters' predictors, as `AffineRows` has them."""
    model = fit.model
    held = {name: float(fit.links[name](np.array([value]))[0]) for name, value in model.held.items()}
    rows, tie = model.new_rows(), model.constraints.tie
    affine = AffineRows(names, held, model.likelihood.layout.slices, tie.matrix, tie.offset)
    if rows.streamed:
        yield from rows.map(affine)
        return
    for start in range(0, rows.block.n_rows, CHUNK):
        yield affine(rows.block.rows(start, min(start + CHUNK, rows.block.n_rows)))


@dataclass(frozen=True)
class AffineRows:
    """From a block to the rows of some parameters' predictors as functions of the free coefficients, (m, k, q + 1).

    The columns are the coefficients', and last what is added to them.
    """

    names: Sequence[str]
    held: Mapping[str, float]
    slices: Mapping[str, slice]
    matrix: Array
    offset: Array

    def __call__(self, block: Block) -> Array:
        found = np.zeros((block.n_rows, len(self.names), self.matrix.shape[1] + 1))
        for j, name in enumerate(self.names):
            if name in self.held:
                found[:, j, -1] = self.held[name]
                continue
            dense, own = block.designs[name].dense(), self.slices[name]
            found[:, j, :-1] = dense @ self.matrix[own]
            found[:, j, -1] = dense @ self.offset[own] + block.columns.get(f"offset:{name}", 0.0)
        return found


def _aligned(one: Iterator[Array], other: Iterator[Array]) -> Iterator[tuple[Array, Array]]:
    """Yield runs of the same rows from two streams whose own runs may be of other lengths."""
    left, right = next(one, None), next(other, None)
    while left is not None and right is not None:
        size = min(len(left), len(right))
        yield left[:size], right[:size]
        left = left[size:] if len(left) > size else next(one, None)
        right = right[size:] if len(right) > size else next(other, None)
