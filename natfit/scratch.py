"""Memory for the products of a block: it comes back when the last of them is gone, and serves the next block.

A product takes a scaled copy of every block of rows, a matrix and predictors. From `numpy.empty` each may be a new run of
pages, which the system clears and maps at a cost like that of the arithmetic itself, and gives up again a moment later;
whether it does hangs on what the process has allocated before. Memory from here is mapped once and lies on cache lines. What
is small stays with its thread; what is large stays until the thread is told that a pass over the data has ended.
"""

from __future__ import annotations

import itertools
import math
import mmap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

FEWEST = 8192
"""Entries under which the C library keeps memory by itself."""
MAPPED = 1 << 20
"""Bytes from which on memory is asked of the system itself: what is never written to then takes none."""
LARGE = 4 << 20
"""Bytes from which on it is given back to the system after a pass."""
KEPT = 4 << 20
"""Bytes of idle memory of one size that a thread keeps, at most: the vectors of a block, or a block and its scaled copy."""
MANY = 16
"""Runs of large memory of one size that are kept during a pass: more than a block asks for."""
LINE = 64
"""Bytes of a cache line."""
PAGE = 4096
"""Bytes of a page."""


class _Shelf:
    """Idle memory of one size; ``most`` runs of it, at most."""

    __slots__ = ("idle", "most")

    def __init__(self, most: int) -> None:
        self.idle: list[memoryview] = []
        self.most = most


class _Shelves(threading.local):
    """A thread's shelves, by the bytes of what lies on them: those that stay, and those of a pass if one is under way."""

    def __init__(self) -> None:
        self.small: dict[int, _Shelf] = {}
        self.large: dict[int, _Shelf] | None = None


class _Lent(np.ndarray[Any, np.dtype[Any]]):
    """What holds a run of memory as long as an array on it, or a view of one, is in use."""

    shelf: _Shelf
    memory: memoryview

    def __del__(self) -> None:
        if len(self.shelf.idle) < self.shelf.most:
            self.shelf.idle.append(self.memory)


_shelves = _Shelves()
_NOWHERE = _Shelf(most=0)
_places = itertools.count()


def array(*shape: int) -> Array:
    """Return an uninitialised array of doubles, on memory that an earlier one has left if there is some.

    Examples
    --------
    >>> array(20_000).shape, array(300, 200).shape
    ((20000,), (300, 200))
    """
    size = math.prod(shape)
    if size < FEWEST:
        return np.empty(shape)
    needed = room(size)
    shelf = _shelf(needed)
    memory = shelf.idle.pop() if shelf.idle else _fresh(needed)
    lent = _Lent(shape, buffer=memory)
    lent.shelf, lent.memory = shelf, memory
    return lent.view(np.ndarray)


def room(size: int) -> int:
    """Return the bytes, a power of two, of the memory that so many doubles lie on.

    Examples
    --------
    >>> room(1000)
    8192
    """
    return 8 << (size - 1).bit_length()


def _shelf(room: int) -> _Shelf:
    shelves = _shelves.small if room < LARGE else _shelves.large
    if shelves is None:
        return _NOWHERE
    shelf = shelves.get(room)
    if shelf is None:
        shelf = shelves[room] = _Shelf(KEPT // room if room < LARGE else MANY)
    return shelf


@contextmanager
def one_pass() -> Iterator[None]:
    """Let the thread keep large memory too, and give it back to the system at the end.

    Examples
    --------
    >>> with one_pass():
    ...     product = array(1000, 1000)
    """
    if _shelves.large is not None:  # a pass within a pass
        yield
        return
    shelves = _shelves.large = {}
    try:
        yield
    finally:
        _shelves.large = None
        for shelf in shelves.values():
            shelf.most = 0  # what is still in use goes back to the system later
            shelf.idle.clear()


def _fresh(room: int) -> memoryview:
    """Return new memory that begins on a cache line, each at another place in its page: else they would get in each other's
    way in the cache."""
    memory = memoryview(mmap.mmap(-1, room + PAGE) if room >= MAPPED else bytearray(room + LINE + PAGE))
    start = -np.frombuffer(memory, np.uint8).ctypes.data % LINE + next(_places) * 5 * LINE % PAGE
    return memory[start : start + room]
