"""Sums over rows that covariances robust to misspecification are made of.

White's sum of outer products of the rows' scores is the flag `natfit.need.MEAT` of every likelihood. Here are those that
need more than one row at a time: scores summed by cluster, scores with their leverage, scores multiplied with their
neighbours in time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.likelihoods.glm import GLMLikelihood
from natfit.likelihoods.sums import Sums

Array = np.ndarray[Any, np.dtype[Any]]

FULL_LEVERAGE = 1e-10
"""A row whose leverage is nearer to 1 than this is fitted perfectly whatever its response: its residual tells nothing."""


class GroupSums:
    """Rows added up by group, as far as groups have been seen; merges with another block's by code.

    Parameters
    ----------
    codes : (k,) ndarray of int
        Ascending.
    sums : (k, p) ndarray

    Notes
    -----
    Parts are kept as they come and added up whenever they hold twice the groups of the last time, so that n rows in G
    groups cost O(n p) work and O(G p) memory for each run of blocks that is being added, in whatever order the groups come.

    Examples
    --------
    >>> one = GroupSums(np.array([0, 2]), np.array([[1.0], [2.0]]))
    >>> one += GroupSums(np.array([2, 3]), np.array([[10.0], [20.0]]))
    >>> one.total().tolist()
    [[1.0], [12.0], [20.0]]
    """

    __slots__ = ("_held", "_parts", "_settled")

    def __init__(self, codes: Array, sums: Array):
        self._parts = [(codes, sums)]
        self._held = self._settled = len(codes)

    def __iadd__(self, other: GroupSums) -> GroupSums:
        self._parts.extend(other._parts)
        self._held += other._held
        if self._held > 2 * self._settled:
            self._settle()
        return self

    def total(self) -> Array:
        """Return the sums of all groups seen, (k, p), in the order of their codes."""
        self._settle()
        return self._parts[0][1]

    def _settle(self) -> None:
        if len(self._parts) > 1:
            codes = np.concatenate([codes for codes, _ in self._parts])
            self._parts = [summed_by(codes, np.concatenate([sums for _, sums in self._parts]))]
        self._held = self._settled = len(self._parts[0][0])


def summed_by(codes: Array, rows: Array) -> tuple[Array, Array]:
    """Return the codes that occur, ascending, and the sums of the rows that have them.

    Examples
    --------
    >>> summed_by(np.array([1, 0, 1]), np.array([[1.0], [2.0], [4.0]]))
    (array([0, 1]), array([[2.],
           [5.]]))
    """
    if (codes[1:] < codes[:-1]).any():
        order = np.argsort(codes, kind="stable")
        codes, rows = codes[order], rows[order]
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    return codes[starts], np.add.reduceat(rows, starts, axis=0)


def score_rows(likelihood: GLMLikelihood, params: Array, block: Block) -> Array:
    """Return the score of each row at unit dispersion, (n, p); a row of frequency f has f times that of one observation."""
    own = getattr(likelihood, "score_rows", None)  # of a likelihood with several predictors
    if own is not None:
        return np.asarray(own(params, block))
    with np.errstate(all="ignore"):
        rows = likelihood.rows(params, block)
        if rows is None:
            return np.full(block.designs["mean"].shape, np.nan)
        first, _ = likelihood.derivatives(rows, block.columns.get("weight"))
        return block.designs["mean"].weighted_rows(first)


def group_scores(likelihood: GLMLikelihood, params: Array, block: Block) -> Sums:
    """Return ``grouped``, the rows' scores summed by the block's column ``group``."""
    return Sums(grouped=GroupSums(*summed_by(block.columns["group"], score_rows(likelihood, params, block))))


def leverage(likelihood: GLMLikelihood, params: Array, inverse: Array, block: Block) -> Array:
    """Return the leverage of each row, w x' F^-1 x with w its weight in the expected information F, (n,).

    For a row of frequency f it is that of all its f observations together. They sum to the rank.
    """
    with np.errstate(all="ignore"):
        rows = likelihood.rows(params, block)
        if rows is None:
            return np.full(block.n_rows, np.nan)
        _, expected = likelihood.derivatives(rows, block.columns.get("weight"))
        return expected * quadratic(block, inverse)


def quadratic(block: Block, inverse: Array) -> Array:
    """Return x' inverse x of each row, (n,)."""
    rows = block.designs["mean"].dense()
    return np.einsum("ij,ij->i", rows @ inverse, rows)


def leveraged_meat(likelihood: GLMLikelihood, params: Array, inverse: Array, power: int, block: Block) -> Sums:
    """Return ``meat``, the outer products of the rows' scores over (1 - leverage)^power, and ``perfect``.

    A row of frequency f counts as f observations, each with an f-th of the score and of the leverage. ``perfect`` is what
    the rows of leverage 1 put into the coefficients' variances: theirs, 0 / 0, are left out of the meat.
    """
    with np.errstate(all="ignore"):
        rows = likelihood.rows(params, block)
        design = block.designs["mean"]
        if rows is None:
            return Sums(meat=np.full((len(inverse), len(inverse)), np.nan), perfect=np.zeros(len(inverse)))
        first, expected = likelihood.derivatives(rows, block.columns.get("weight"))
        counted = np.ones(block.n_rows) if "freq_weights" not in block.columns else block.columns["freq_weights"]
        left = 1.0 - np.divide(expected, counted, out=np.zeros_like(first), where=counted > 0) * quadratic(
            block, inverse
        )
        perfect = left < FULL_LEVERAGE
        each = np.divide(first**2, counted * left**power, out=np.zeros_like(first), where=(counted > 0) & ~perfect)
        put_in = np.zeros(len(inverse))
        for row in np.flatnonzero(perfect).tolist():
            put_in += expected[row] * (inverse @ block.rows(row, row + 1).designs["mean"].dense()[0]) ** 2
        return Sums(meat=design.gram(each), perfect=put_in)


def lag_weights(kernel: Any, lags: int) -> Array:
    """Return a kernel's weights of the lags from 0, (lags + 1,).

    Parameters
    ----------
    kernel : {"bartlett", "uniform"} or callable
        A function takes the number of lags.
    lags : int

    Raises
    ------
    ValueError
        For another name, or a function that returns another shape.

    Examples
    --------
    >>> lag_weights("bartlett", 3)
    array([1.  , 0.75, 0.5 , 0.25])
    """
    if callable(kernel):
        weights = np.asarray(kernel(lags), dtype=float)
        if weights.shape != (lags + 1,):
            raise ValueError(
                f"the kernel must return a weight for each lag from 0 to {lags}, got shape {weights.shape}"
            )
        return weights
    if kernel not in ("bartlett", "uniform"):
        raise ValueError(f"kernel must be 'bartlett', 'uniform' or a function of the number of lags, got {kernel!r}")
    return 1.0 - np.arange(lags + 1.0) / (lags + 1.0) if kernel == "bartlett" else np.ones(lags + 1)


def windowed(parts: Iterable[tuple[Array, Array]], weights: Array) -> Array:
    """Return the sum over lags l of weights[l] (G_l + G_l'), with G_l = sum_t s_t s_{t-l}' (and G_0 counted once).

    Parameters
    ----------
    parts : iterable of ((m, p) ndarray, (m,) ndarray of int)
        The scores s_t in order of time, a run of rows after another, and each row's place in its series: a row has
        neighbours before it only as far as its series reaches back.
    weights : (L + 1,) ndarray
        Of the lags, from 0.

    Notes
    -----
    Newey and West (1987), Econometrica 55. The scores before each row are weighted and added first, so that there is one
    product of p by p for each row and not one for each lag; L rows are carried from one part to the next.
    """
    lags = len(weights) - 1
    total: Any = 0.0
    history: Array | None = None
    for rows, places in parts:
        before = np.empty((0, rows.shape[1])) if history is None else history
        joined = np.concatenate([before, rows])
        smooth = 0.5 * weights[0] * rows
        for lag in range(1, min(lags, len(joined) - 1) + 1):
            first = max(lag - len(before), 0)
            earlier = joined[len(before) + first - lag : len(joined) - lag]
            reaches = places[first:] >= lag
            smooth[first:] += weights[lag] * (earlier if reaches.all() else np.where(reaches[:, None], earlier, 0.0))
        product = rows.T @ smooth
        total = total + product + product.T
        history = joined[len(joined) - lags :] if lags < len(joined) else joined
    return np.asarray(total)


def deletions(likelihood: GLMLikelihood, params: Array, inverse: Array, block: Block) -> Sums:
    """Return ``squares`` and ``cubes`` of what leaving out one observation moves each coefficient by, to one step.

    F^-1 s / (1 - h), s the observation's score and h its leverage; a row of frequency f counts f times. Observations of
    leverage 1 are left out: without them there is no estimate.
    """
    with np.errstate(all="ignore"):
        rows = likelihood.rows(params, block)
        if rows is None:
            return Sums(squares=np.full(len(params), np.nan), cubes=np.full(len(params), np.nan))
        first, expected = likelihood.derivatives(rows, block.columns.get("weight"))
        counted = block.columns.get("freq_weights", np.ones(block.n_rows))
        each = np.divide(1.0, counted, out=np.zeros_like(first), where=counted > 0)
        left = 1.0 - expected * each * quadratic(block, inverse)
        size = np.divide(first * each, left, out=np.zeros_like(first), where=left > FULL_LEVERAGE)
        moved = block.designs["mean"].weighted_rows(size) @ inverse
        return Sums(squares=counted @ moved**2, cubes=counted @ moved**3)


def score_cumulants(likelihood: GLMLikelihood, params: Array, inverse: Array, block: Block) -> Sums:
    """Return ``squares`` and ``cubes``: second and third cumulants of the score along each column of F^-1.

    They stand at unit dispersion. The third cumulant of a response is (dispersion / weight)^2 V V', so that of its row's
    score in the predictor is weight mu'^3 V' / V^2 over the dispersion (McCullagh & Nelder, 1989, section 2.2.2).
    """
    with np.errstate(all="ignore"):
        rows = likelihood.rows(params, block)
        if rows is None:
            return Sums(squares=np.full(len(params), np.nan), cubes=np.full(len(params), np.nan))
        weight = block.columns.get("weight")
        _, expected = likelihood.derivatives(rows, weight)
        third = rows.slope**3 * likelihood.family.variance_derivative(rows.mu, rows.complement) / rows.variance**2
        third = third if weight is None else third * weight
        along = block.designs["mean"].dense() @ inverse
        return Sums(squares=expected @ along**2, cubes=np.where(rows.variance > 0.0, third, 0.0) @ along**3)
