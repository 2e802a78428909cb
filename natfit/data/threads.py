"""Threads over runs of rows, kept for the life of the process, and BLAS kept out of their way."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Condition
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from natfit.scratch import one_pass


class Addable(Protocol):
    """What merges with the next of its kind, and gives the sum."""

    def merge(self, other: Any) -> Any: ...


S = TypeVar("S")
T = TypeVar("T")
M = TypeVar("M", bound=Addable)

CHUNK_BYTES = 8 << 20
"""Bytes that one thread looks through before it takes the next run."""
MANY_BYTES = 8 << 20
"""Bytes from which on a look through an array is worth more than one thread."""


def processors() -> int:
    """Return how many processors this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def n_threads(n_jobs: Any) -> int | None:
    """Return the number of threads that a user asks for; None where it is that of all processors.

    Raises
    ------
    ValueError
        For anything but a whole number of at least 1, -1 or None.

    Examples
    --------
    >>> n_threads(2), n_threads(-1), n_threads(None)
    (2, None, None)
    """
    if n_jobs is None or n_jobs == -1:
        return None
    if not isinstance(n_jobs, int | np.integer) or isinstance(n_jobs, bool) or n_jobs < 1:
        raise ValueError(f"n_jobs is a number of threads, 1 or more, or -1 or None for all processors; got {n_jobs!r}")
    return int(n_jobs)


_own = threading.local()


@lru_cache(maxsize=4)
def pool(threads: int) -> ThreadPoolExecutor:
    """Return a pool of so many threads, always the same one."""
    return ThreadPoolExecutor(threads, thread_name_prefix="natfit", initializer=_enter)


def _enter() -> None:
    _own.in_pool = True


def merged_in_order(function: Callable[[S], M], items: Sequence[S], threads: int) -> M:
    """Return ``function(item)`` of all items merged in their order, on threads that each add what they made themselves.

    A thread waits for its turn to add, and so never holds more than one thing that it has made: where these are large
    matrices, that is what bounds the memory.

    Examples
    --------
    >>> from natfit.likelihoods.sums import Sums
    >>> merged_in_order(lambda n: Sums(total=n), [3, -2, 1], 2)
    {'total': 2}
    """
    turns: _Turns[Any, Any] = _Turns(function, items)
    workers = [pool(threads).submit(turns.work) for _ in range(min(threads, len(items)))]
    try:
        for worker in workers:
            worker.result()
    finally:
        turns.end()  # where one has failed, or somebody has interrupted, the others stop after what they are at
    return turns.total


class _Turns(Generic[S, M]):
    """Items that threads take one by one, and a total to which they add in the items' order."""

    def __init__(self, function: Callable[[S], M], items: Sequence[S]):
        self.function, self.items = function, items
        self.total: Any = None
        self._taken = self._added = 0
        self._ended = False
        self._changed = Condition()

    def work(self) -> None:
        """Take the next item, make what is to be added, and add it in its turn, until there is no item left."""
        try:
            with one_pass():
                while self._add_next():
                    pass
        except BaseException:
            self.end()
            raise

    def _add_next(self) -> bool:
        at = self._take()
        if at is None:
            return False
        made = self.function(self.items[at])
        if not self._wait_for(at):
            return False
        self.total = made if at == 0 else self.total.merge(made)
        self._pass_on()
        return True

    def end(self) -> None:
        """Let nobody take another item, nor wait any longer."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self) -> int | None:
        with self._changed:
            if self._ended or self._taken == len(self.items):
                return None
            self._taken += 1
            return self._taken - 1

    def _wait_for(self, at: int) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._added == at)
            return not self._ended

    def _pass_on(self) -> None:
        with self._changed:
            self._added += 1
            self._changed.notify_all()


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
