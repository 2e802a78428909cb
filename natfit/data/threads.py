"""Threads over runs of rows, kept for the life of the process, and BLAS kept out of their way."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

S = TypeVar("S")
T = TypeVar("T")

CHUNK_BYTES = 8 << 20
"""Bytes that one thread looks through before it takes the next run."""
MANY_BYTES = 8 << 20
"""Bytes from which on a look through an array is worth more than one thread."""


def processors() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


_own = threading.local()


@lru_cache(maxsize=4)
def pool(threads: int) -> ThreadPoolExecutor:
    """Return a pool of so many threads, always the same one."""
    return ThreadPoolExecutor(threads, thread_name_prefix="natfit", initializer=_enter)


def _enter() -> None:
    _own.in_pool = True


def in_order(function: Callable[[S], T], items: Iterable[S], threads: int) -> Iterator[T]:
    """Yield ``function(item)`` for each item in their order, on threads that run no further ahead than their own number.

    Examples
    --------
    >>> list(in_order(abs, [-3, 2, -1], 2))
    [3, 2, 1]
    """
    workers, waiting = pool(threads), deque[Future[T]]()
    for item in items:
        waiting.append(workers.submit(function, item))
        if len(waiting) >= threads:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def one_blas_thread() -> Any:
    """Return a context in which BLAS keeps to one thread: its own would wait, busily, on the processors of the blocks'."""
    # A controller of one's own costs milliseconds to make; the cached one hundredths.
    return _controller().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Have the C library keep what is freed for the next block, where it would hand it back to the system each time.

    The GNU library tells what is worth handing back from the largest piece up to 32 MiB that was ever freed (mallopt(3),
    M_MMAP_THRESHOLD). Blocks made anew in every pass otherwise come page by page from the system: a third of a pass.
    """
    np.empty(31 << 20, dtype=np.uint8)  # made, never touched, and freed


def get_ready() -> None:
    """Find the BLAS libraries now: it takes milliseconds, once, that no fit is to wait for."""
    _controller()


@lru_cache(maxsize=1)
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def over_runs(array: np.ndarray, look: Callable[[np.ndarray], T]) -> list[T]:
    """Look at an array run by run of its first axis, on threads where it is large; return what was seen, in order.

    Parameters
    ----------
    array : (n, ...) ndarray
    look : callable
        Of a run, a view.

    Examples
    --------
    >>> over_runs(np.arange(3.0), lambda run: float(run.sum()))
    [3.0]
    """
    # A thread of the pool that waited for others of it could wait for ever.
    if array.nbytes < MANY_BYTES or getattr(_own, "in_pool", False):
        return [look(array)]
    run = max(int(CHUNK_BYTES * len(array) // array.nbytes), 1)
    return list(pool(processors()).map(lambda start: look(array[start : start + run]), range(0, len(array), run)))
