"""Rows in groups that share something: blocks that never split a group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from natfit.data.arrays import S, Source, fold
from natfit.data.block import Block
from natfit.data.threads import merged_in_order, n_threads, one_blas_thread, processors

Array = np.ndarray[Any, np.dtype[Any]]


class GroupedSource(Source):
    """Rows in memory whose groups stand together, cut into blocks between groups.

    Parameters
    ----------
    whole : Block
        With a column ``group`` of codes, the rows of each group side by side.
    n_jobs : int, optional
        Threads; the answer does not depend on it.
    block_rows : int
        Rows of a block, about.

    Examples
    --------
    >>> import numpy as np
    >>> whole = Block({}, {"y": np.arange(5.0), "group": np.array([0, 0, 0, 1, 1])})
    >>> [block.n_rows for block in GroupedSource(whole, block_rows=2).blocks()]
    [3, 2]
    """

    def __init__(self, whole: Block, n_jobs: int | None = None, block_rows: int = 8192):
        self.whole, self.n_jobs, self.n_rows = whole, n_threads(n_jobs), whole.n_rows
        starts = first_rows(whole)
        if starts is None:
            raise ValueError("a grouped source needs a column 'group' in its block")
        self._edges = _edges(starts, self.n_rows, block_rows)

    def blocks(self) -> Iterator[Block]:
        for start, stop in zip(self._edges[:-1].tolist(), self._edges[1:].tolist(), strict=True):
            yield self.whole.rows(start, stop)

    def reduce(self, evaluate: Callable[[Block], S]) -> S:
        with one_blas_thread():
            threads = self.n_jobs or processors()
            if threads == 1 or self._edges.size == 2:
                return fold(map(evaluate, self.blocks()))
            return merged_in_order(evaluate, list(self.blocks()), threads)


def first_rows(block: Block) -> Array | None:
    """Return the first row of each group in a block, or None where rows are in no groups."""
    codes = block.columns.get("group")
    return None if codes is None else np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))


def pieces(block: Block, most: int) -> Iterator[Block]:
    """Yield the rows of a block in views of ``most`` of them; where rows are in groups, of about so many.

    Examples
    --------
    >>> block = Block({}, {"y": np.arange(5.0), "group": np.array([0, 0, 0, 1, 1])})
    >>> [piece.n_rows for piece in pieces(block, 2)]
    [3, 2]
    """
    if block.n_rows <= most:
        yield block
        return
    starts = first_rows(block)
    edges = np.append(np.arange(0, block.n_rows, most), block.n_rows)
    for start, stop in pairwise((edges if starts is None else _edges(starts, block.n_rows, most)).tolist()):
        yield block.rows(start, stop)


def _edges(starts: Array, n_rows: int, most: int) -> Array:
    """Return where to cut rows between groups that begin at ``starts``, for about ``most`` rows each."""
    chosen = np.searchsorted(starts, np.arange(0, n_rows, most))
    return np.append(starts[np.unique(chosen[chosen < starts.size])], n_rows)
