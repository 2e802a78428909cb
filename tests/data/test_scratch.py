"""Memory that serves again is never lent twice at a time, and large memory goes back after a pass."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from natfit import scratch
from natfit.data.matrix import Dense
from natfit.data.threads import merged_in_order
from natfit.likelihoods.sums import Sums

SIZE = 20_000


def address(array):
    return array.ctypes.data


@pytest.fixture(autouse=True)
def own_shelves(monkeypatch):
    monkeypatch.setattr(scratch, "_shelves", scratch._Shelves())


def test_memory_serves_again_when_the_last_view_is_gone():
    first = scratch.array(SIZE)
    place, view = address(first), first[5:].reshape(-1, 5)[::2]
    del first
    second = scratch.array(SIZE)
    assert address(second) != place  # the view still stands on it
    del view
    assert address(scratch.array(SIZE)) == place


def test_memory_begins_on_a_cache_line():
    for _ in range(2):  # also when it serves again
        assert all(address(scratch.array(size)) % scratch.LINE == 0 for size in (SIZE, 60_000, 200_000, 2_000_000))


def test_no_thread_is_lent_what_another_holds():
    held, seen = [], []

    def borrow():
        arrays = [scratch.array(SIZE) for _ in range(20)]
        for array in arrays:
            array[:] = threading.get_ident()
        held.append(arrays)
        seen.extend(address(array) for array in arrays)

    for _ in range(3):
        threads = [threading.Thread(target=borrow) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(seen)) == len(seen) == 240
    assert all(len({array[0] for array in arrays}) == 1 for arrays in held)


def test_a_thread_keeps_no_more_than_a_block_needs():
    arrays = [scratch.array(SIZE) for _ in range(100)]
    room = 8 << (SIZE - 1).bit_length()
    arrays.clear()
    assert len(scratch._shelves.small[room].idle) == scratch.KEPT // room


def test_large_memory_serves_again_in_a_pass_and_goes_back_after_it():
    size = scratch.LARGE // 8
    with scratch.one_pass():
        first = scratch.array(size)
        place = address(first)
        del first
        with scratch.one_pass():  # one within another ends nothing
            again = scratch.array(size)
        assert address(again) == place
        shelves = scratch._shelves.large
    assert scratch._shelves.large is None
    del again  # outlives the pass, as a result does
    assert all(not shelf.idle for shelf in shelves.values())


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_products_on_such_memory_are_those_of_numpy(kind):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((3000, 30)).astype(kind)
    weight, rows = rng.random(3000), np.sort(rng.integers(0, 3000, 900))
    for array in (X, np.asfortranarray(X)):
        design = Dense(array)
        np.testing.assert_allclose(design.gram(weight), (X * weight[:, None]).T @ X, rtol=1e-10, atol=1e-10)
        np.testing.assert_array_equal(design.take(rows).dense(), X[rows])
        np.testing.assert_array_equal(design.take(np.array([-1, 2])).dense(), X[[-1, 2]])
        with pytest.raises(IndexError):
            design.take(np.array([0, 3000]))


def test_threads_add_in_the_order_of_the_items():
    numbers = [np.array([10.0 ** (k % 17)]) for k in range(200)]

    def make(number):
        return Sums(total=number * np.ones(SIZE))

    expected = make(numbers[0])
    for number in numbers[1:]:
        expected.merge(make(number))
    for threads in (1, 2, 5):
        total = merged_in_order(make, numbers, threads)
        np.testing.assert_array_equal(total["total"], expected["total"])


@pytest.mark.parametrize("fails", [0, 1])
def test_what_fails_on_one_thread_is_raised_and_stops_the_other(fails):
    both, owner, made = threading.Barrier(2), {}, []

    def make(number):
        if number < 2:
            owner[number] = threading.get_ident()
            both.wait()
        elif owner[fails] == threading.get_ident():
            raise ZeroDivisionError("no more")
        made.append(number)
        return Sums(total=number)

    with pytest.raises(ZeroDivisionError, match="no more"):
        merged_in_order(make, range(10_000), 2)
    assert len(made) < 10_000
    assert merged_in_order(lambda number: Sums(total=number), range(3), 2) == {"total": 3}  # both are there again
