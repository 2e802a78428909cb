"""Sources of blocks in memory: arrays cut into blocks and summed on threads, or an iterator of blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import numpy as np

from natfit.data.block import Block

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK_BYTES = 1 << 20
"""Bytes of design in one block: a block and its scaled copy then stay in a core's cache."""
FEWEST_ROWS, MOST_ROWS = 512, 32_768
"""Bounds on a block's rows: under the first, Python's own time shows; over the second, the row-wise vectors leave the
cache."""
LANES = 16
"""Blocks are added up in this many runs, whatever the number of threads, so an answer does not depend on it and no more
than this many sums are held at once."""


class Addable(Protocol):
    def merge(self, other: Any) -> Any: ...


S = TypeVar("S", bound=Addable)


class Source:
    """What yields blocks and merges their sums."""

    n_rows: int

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks in their order."""
        raise NotImplementedError

    def reduce(self, evaluate: Callable[[Block], S]) -> S:
        """Return the merged sums of all blocks, added in block order."""
        return _fold(map(evaluate, self.blocks()))

    def map(self, function: Callable[[Block], Any]) -> Iterator[Any]:
        """Yield ``function(block)`` for each block, in their order."""
        return map(function, self.blocks())

    def with_columns(self, columns: Mapping[str, Array]) -> Source:
        """Return the same rows with further columns, (n,) each, cut as the blocks are."""

        def joined() -> Iterator[Block]:
            start = 0
            for block in self.blocks():
                stop = start + block.n_rows
                further = {name: column[start:stop] for name, column in columns.items()}
                yield Block(block.designs, {**block.columns, **further})
                start = stop

        return BlockSource(joined)


def _fold(sums: Iterable[S]) -> S:
    iterator = iter(sums)
    try:
        total = next(iterator)
    except StopIteration:
        raise ValueError("there are no rows to sum: the source yields no block") from None
    for one in iterator:
        total = total.merge(one)
    return total


class BlockSource(Source):
    """Blocks from a callable that returns a fresh iterator of them, one pass at a time.

    Parameters
    ----------
    blocks : callable returning an iterable of Block
        Called once for every pass over the data.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.data.block import Block
    >>> def halves():
    ...     for y in (np.arange(2.0), np.arange(3.0)):
    ...         yield Block({}, {"y": y})
    >>> BlockSource(halves).n_rows
    5
    """

    def __init__(self, blocks: Callable[[], Iterable[Block]]):
        self._blocks = blocks

    def blocks(self) -> Iterator[Block]:
        return iter(self._blocks())

    @property
    def n_rows(self) -> int:  # type: ignore[override]
        return sum(block.n_rows for block in self.blocks())


class ArraySource(Source):
    """Arrays in memory, cut into blocks that are summed on threads.

    Parameters
    ----------
    whole : Block
        All rows.
    n_jobs : int, optional
        Threads; by default as many as there are processors to run on. The answer does not depend on it.
    block_rows : int, optional
        Rows of a block; by default so many that a block stays in cache.
    """

    def __init__(self, whole: Block, n_jobs: int | None = None, block_rows: int | None = None):
        self.whole = whole
        self.n_rows = whole.n_rows
        self.n_jobs = n_jobs
        if block_rows is None:
            width = max((design.shape[1] for design in whole.designs.values()), default=1)
            block_rows = min(max(BLOCK_BYTES // (8 * max(width, 1)), FEWEST_ROWS), MOST_ROWS)
        self.block_rows = block_rows

    def with_columns(self, columns: Mapping[str, Array]) -> ArraySource:
        whole = Block(self.whole.designs, {**self.whole.columns, **columns})
        return ArraySource(whole, self.n_jobs, self.block_rows)

    def blocks(self) -> Iterator[Block]:
        if self.n_rows <= self.block_rows:
            yield self.whole
            return
        for start in range(0, self.n_rows, self.block_rows):
            yield self.whole.rows(start, min(start + self.block_rows, self.n_rows))

    def _lanes(self) -> list[tuple[int, int]]:
        n_blocks = -(-self.n_rows // self.block_rows)
        lanes = min(LANES, n_blocks)
        edges = np.linspace(0, n_blocks, lanes + 1).astype(int) * self.block_rows
        return [(int(a), min(int(b), self.n_rows)) for a, b in pairwise(edges)]

    def reduce(self, evaluate: Callable[[Block], S]) -> S:
        if self.n_rows <= self.block_rows:
            return evaluate(self.whole)

        def lane(edges: tuple[int, int]) -> S:
            starts = range(edges[0], edges[1], self.block_rows)
            return _fold(evaluate(self.whole.rows(at, min(at + self.block_rows, edges[1]))) for at in starts)

        with one_blas_thread():
            threads = self.n_jobs or processors()
            if threads == 1:
                return _fold(map(lane, self._lanes()))
            return _fold(_pool(threads).map(lane, self._lanes()))


def processors() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="natfit")


@lru_cache(maxsize=1)
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_blas_thread() -> Any:
    """Return a context in which BLAS keeps to one thread, as it must where blocks or fits run on threads of their own."""
    # A controller of one's own costs milliseconds to make; the cached one hundredths.
    return _controller().limit(limits=1, user_api="blas")
