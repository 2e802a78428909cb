"""Sources of blocks in memory: arrays cut into blocks and summed on threads, or an iterator of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from natfit.data.block import Block
from natfit.data.matrix import TALL_ROWS, Columns, Tabmat
from natfit.data.products import FEWEST_ROWS, product_rows
from natfit.data.threads import Addable, get_ready, merged_in_order, n_threads, one_blas_thread, processors
from natfit.scratch import one_pass

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK_BYTES = 6 << 20
"""Bytes of design in one block: its rows are read from memory once, and then stay in the cache that the cores share."""
MOST_ROWS = 32_768
"""Rows of a block, at most: with more the row-wise vectors leave the cache, with fewer threads wait for the interpreter more
often than it takes to be quick."""
COPIED_BYTES = 4 << 20
"""A sample up to this size is copied once and not in every pass; a larger one would show beside the data."""
COPY_BYTES = 3 << 20
"""Bytes of a larger one that are copied at a time, at most: with many columns a thread holds a matrix besides."""
RUN = 32
"""Rows of a sample that lie side by side: they share cache lines and pages, and cost little more than one."""
COLUMNS_PER_PASS = 40
"""Columns for which the arithmetic of a Gram matrix takes as long as the memory takes to bring the rows."""
LANES = 16
"""Blocks are added up in this many runs, whatever the number of threads, so that an answer does not depend on it."""
SUMS_BYTES, FEWEST_JOBS = 8 << 20, 2
"""Bytes of large sums that threads hold together, and threads all the same: one alone would take too long."""
WIDE = 400
"""Columns from which on every block is a run: a Gram matrix is then as large as a share of the block."""


S = TypeVar("S", bound=Addable)


class Source:
    """What yields blocks and merges their sums."""

    n_rows: int

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks in their order."""
        raise NotImplementedError

    def reduce(self, evaluate: Callable[[Block], S]) -> S:
        """Return the merged sums of all blocks, added in block order."""
        return fold(map(evaluate, self.blocks()))

    def sample(self, rows: int, rng: np.random.Generator) -> Source | None:
        """Return a random sample of about so many rows, in memory; None where the source can't be sampled cheaply."""
        return None

    def map(self, function: Callable[[Block], Any]) -> Iterator[Any]:
        """Yield ``function(block)`` for each block, in their order."""
        return map(function, self.blocks())

    def for_large_sums(self, size: int) -> Source:
        """Return the same rows in blocks for sums of ``size`` bytes, of which few are to be held at a time.

        For an evaluation that takes a block's rows a few at a time by itself, whatever the height of the block.
        """
        return self

    @property
    def metric_cost(self) -> float:
        """How many passes for the score alone a pass costs that takes a metric, about, beyond one of its own."""
        return 0.0

    def with_columns(self, columns: Mapping[str, Array]) -> Source:
        """Return the same rows with further columns, (n,) each, cut as the blocks are."""

        def joined() -> Iterator[Block]:
            start = 0
            for block in self.blocks():
                stop = start + block.n_rows
                further = {name: column[start:stop] for name, column in columns.items()}
                yield Block(block.designs, {**block.columns, **further})
                start = stop

        return BlockSource(joined, self.n_rows)


def fold(sums: Iterable[S]) -> S:
    iterator = iter(sums)
    try:
        total = next(iterator)
    except StopIteration:
        raise ValueError("there are no rows to sum: the source yields no block") from None
    for one in iterator:
        total = total.merge(one)
        del one  # or it would stay until the next one is there, and may be a large matrix
    return total


class BlockSource(Source):
    """Blocks from a callable that returns a fresh iterator of them, one pass at a time.

    Parameters
    ----------
    blocks : callable returning an iterable of Block
        Called once for every pass over the data.
    n_rows : int, optional
        Of all blocks; counted by a pass if not given.

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

    def __init__(self, blocks: Callable[[], Iterable[Block]], n_rows: int | None = None):
        self._blocks, self._n_rows = blocks, n_rows

    def blocks(self) -> Iterator[Block]:
        return iter(self._blocks())

    @property
    def n_rows(self) -> int:  # type: ignore[override]
        if self._n_rows is None:
            self._n_rows = sum(block.n_rows for block in self.blocks())
        return self._n_rows


class ArraySource(Source):
    """Arrays in memory, cut into blocks that are summed on threads.

    Parameters
    ----------
    whole : Block
        The rows.
    n_jobs : int, optional
        Threads; by default as many as there are processors to run on. The answer does not depend on it.
    block_rows : int, optional
        Rows of a block; by default so many that a block stays in cache.
    chosen : (m,) ndarray of int, optional
        Numbers of the rows to use, all by default; they are copied block by block, in every pass.
    """

    def __init__(
        self,
        whole: Block,
        n_jobs: int | None = None,
        block_rows: int | None = None,
        chosen: np.ndarray | None = None,
    ):
        get_ready()
        self.whole = whole
        self.n_rows = whole.n_rows if chosen is None else chosen.size
        self._chosen = chosen
        self.n_jobs = n_threads(n_jobs)
        if block_rows is None:
            block_rows = min((_height(design) for design in whole.designs.values()), default=MOST_ROWS)
            block_rows = _evenly(self.n_rows, block_rows)
        self.block_rows = block_rows

    def with_columns(self, columns: Mapping[str, Array]) -> ArraySource:
        whole = Block(self.whole.designs, {**self.whole.columns, **columns})
        return ArraySource(whole, self.n_jobs, self.block_rows, self._chosen)

    def for_large_sums(self, size: int) -> ArraySource:
        """Return the same rows, each run of blocks that is added up as one block."""
        threads = min(self.n_jobs or processors(), max(SUMS_BYTES // max(size, 1), FEWEST_JOBS))
        return ArraySource(self.whole, threads, max(self.block_rows, -(-self.n_rows // LANES)), self._chosen)

    @property
    def metric_cost(self) -> float:
        designs = list(self.whole.designs.values())
        if any(isinstance(design, Tabmat) for design in designs):
            return 4.0  # measured with factors of 100 and 1,000 levels
        return max((design.shape[1] for design in designs), default=0) / COLUMNS_PER_PASS

    def blocks(self) -> Iterator[Block]:
        for start in range(0, self.n_rows, self.block_rows):
            yield self._rows(start, min(start + self.block_rows, self.n_rows))

    def _rows(self, start: int, stop: int) -> Block:
        if self._chosen is not None:
            return self.whole.take(self._chosen[start:stop])
        return self.whole if stop - start == self.n_rows else self.whole.rows(start, stop)

    def sample(self, rows: int, rng: np.random.Generator) -> ArraySource:
        """Return a random sample: short runs of rows, one from each of as many equal parts of all rows."""
        chosen = sampled_rows(self.n_rows, rows, rng)
        if self._chosen is not None:
            chosen = self._chosen[chosen]
        designs = list(self.whole.designs.values())
        width = sum(design.shape[1] for design in designs)
        if 8 * chosen.size * width <= COPIED_BYTES:
            return ArraySource(self.whole.take(chosen), self.n_jobs)
        if any(isinstance(design, Tabmat) for design in designs):
            return ArraySource(self.whole, self.n_jobs, self.block_rows, chosen)
        # Blocks of copies: small ones, which take memory that the block before has just given back.
        height = min(self.block_rows, product_rows(width), max(-(-COPY_BYTES // (8 * max(width, 1))), FEWEST_ROWS))
        return ArraySource(self.whole, self.n_jobs, height, chosen)

    def _lanes(self) -> list[tuple[int, int]]:
        n_blocks = -(-self.n_rows // self.block_rows)
        # Where sums are large each block's own are added up at once, so that fewer of them are there at a time.
        width = max((design.shape[1] for design in self.whole.designs.values()), default=1)
        lanes = n_blocks if width >= WIDE else min(LANES, n_blocks)
        edges = np.linspace(0, n_blocks, lanes + 1).astype(int) * self.block_rows
        return [(int(a), min(int(b), self.n_rows)) for a, b in pairwise(edges)]

    def reduce(self, evaluate: Callable[[Block], S]) -> S:
        if self.n_rows <= self.block_rows:
            if self.n_rows < FEWEST_ROWS:  # products so small that BLAS keeps to one thread by itself
                return evaluate(self._rows(0, self.n_rows))
            with one_blas_thread(), one_pass():
                return evaluate(self._rows(0, self.n_rows))

        def lane(edges: tuple[int, int]) -> S:
            starts = range(edges[0], edges[1], self.block_rows)
            return fold(evaluate(self._rows(at, min(at + self.block_rows, edges[1]))) for at in starts)

        with one_blas_thread(), one_pass():
            threads = self.n_jobs or processors()
            if threads == 1:
                return fold(map(lane, self._lanes()))
            return merged_in_order(lane, self._lanes(), threads)


def _height(design: Columns) -> int:
    return TALL_ROWS if isinstance(design, Tabmat) else block_height(design.shape[1])


def _evenly(n_rows: int, height: int) -> int:
    """Return a height, ``height`` at most, at which threads get equal shares of rows that make but a few blocks.

    Examples
    --------
    >>> _evenly(200_000, 29_490), _evenly(50_000, 29_490), _evenly(1_000_000, 29_490)
    (25000, 25000, 29490)
    """
    many = -(-n_rows // height)
    return height if many == 1 or many > LANES else -(-n_rows // (many + many % 2))


def block_height(width: int) -> int:
    """Return how many rows of so many columns are best evaluated together.

    Examples
    --------
    >>> block_height(20), block_height(200), block_height(800)
    (29490, 3932, 800)
    """
    product = product_rows(width)
    if product >= MOST_ROWS:
        return MOST_ROWS
    # A whole number of products, which then are as large as is best.
    return max(min(BLOCK_BYTES // (8 * max(width, 1)), MOST_ROWS) // product, 1) * product


def sampled_rows(n_rows: int, rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return the numbers of about ``rows`` random rows of ``n_rows``, in order, spread evenly.

    Examples
    --------
    >>> sampled_rows(1_000_000, 10_000, np.random.default_rng(0)).size
    9984
    """
    runs = max(rows // RUN, 1)
    edges = np.linspace(0, n_rows, runs + 1).astype(np.int64)
    length = min(RUN, rows, int(np.diff(edges).min()))
    starts = edges[:-1] + (rng.random(runs) * (np.diff(edges) - length + 1)).astype(np.int64)
    return (starts[:, None] + np.arange(length)).ravel()
