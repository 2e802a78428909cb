"""Designs give the same products whatever holds them: dense, sparse, categorical, some columns of another."""

import tracemalloc
from typing import Literal

import numpy as np
import pytest
from scipy import sparse

from natfit.data.arrays import WIDE, ArraySource
from natfit.data.block import Block
from natfit.data.cutting import categorical
from natfit.data.matrix import Chosen, Constant, Dense, Tabmat, as_columns, cross
from natfit.data.products import product_rows
from natfit.likelihoods.sums import Sums

RNG = np.random.default_rng(5)
X = RNG.normal(size=(11, 5)) * (RNG.random((11, 5)) < 0.6)
WEIGHT = RNG.normal(size=11)


@pytest.mark.parametrize("whole", [Dense(X), Dense(np.asfortranarray(X)), as_columns(sparse.csr_matrix(X))])
@pytest.mark.parametrize("columns", [[0, 3], [4, 1, 2], [2]])
def test_chosen_columns_give_the_products_of_a_copy(whole, columns):
    chosen, copy = Chosen(whole, np.array(columns)), X[:, columns]
    vector = np.arange(1.0, len(columns) + 1)
    np.testing.assert_allclose(chosen.matvec(vector), copy @ vector, atol=1e-14)
    np.testing.assert_allclose(chosen.rmatvec(WEIGHT), copy.T @ WEIGHT, atol=1e-14)
    np.testing.assert_allclose(chosen.gram(WEIGHT), copy.T @ (WEIGHT[:, None] * copy), atol=1e-13)
    np.testing.assert_allclose(chosen.rows(2, 7).dense(), copy[2:7])
    np.testing.assert_allclose(chosen.weighted_rows(WEIGHT), copy * WEIGHT[:, None])
    assert chosen.shape == copy.shape


def test_chosen_columns_of_chosen_columns():
    twice = Chosen(Chosen(Dense(X), np.array([4, 2, 0])), np.array([2, 0]))
    np.testing.assert_array_equal(twice.dense(), X[:, [0, 4]])


@pytest.mark.parametrize("right", [Dense(X[:, :2]), Constant(11), Chosen(Dense(X), np.array([3, 1]))])
def test_cross_products_with_chosen_columns(right):
    left = Chosen(Dense(X), np.array([4, 0, 2]))
    expected = left.dense().T @ (WEIGHT[:, None] * right.dense())
    np.testing.assert_allclose(cross(left, WEIGHT, right), expected, atol=1e-13)
    np.testing.assert_allclose(cross(right, WEIGHT, left), expected.T, atol=1e-13)


def test_products_of_more_rows_than_are_multiplied_together():
    rows = 2 * product_rows(3) + 5
    tall, other, weight = RNG.normal(size=(rows, 3)), RNG.normal(size=(rows, 2)), RNG.normal(size=rows)
    np.testing.assert_allclose(cross(Dense(tall), weight, Dense(other)), tall.T @ (weight[:, None] * other), rtol=1e-9)
    np.testing.assert_allclose(Dense(tall).gram(weight**2), tall.T @ (weight[:, None] ** 2 * tall), rtol=1e-9)


def test_rows_of_tabmat_matrices_are_cut_as_tabmat_cuts_them():
    tabmat = pytest.importorskip("tabmat")

    rng = np.random.default_rng(3)
    parts = [
        tabmat.DenseMatrix(rng.standard_normal((50, 2))),
        categorical(rng.integers(0, 4, 50).astype(np.int32), 4, "g"),
        tabmat.SparseMatrix(sparse.random(50, 5, 0.3, format="csc", random_state=1)),
    ]
    for matrix in (*parts, tabmat.SplitMatrix(parts)):
        whole, design = matrix.toarray(), Tabmat(matrix)
        weight, chosen = rng.random(20), np.array([3, 7, 40])
        for _ in range(2):  # the second time from what was kept
            cut = design.rows(10, 30)
            np.testing.assert_array_equal(cut.dense(), whole[10:30])
            np.testing.assert_allclose(cut.gram(weight), whole[10:30].T @ (weight[:, None] * whole[10:30]), atol=1e-12)
        np.testing.assert_allclose(cut.matvec(np.ones(whole.shape[1])), whole[10:30].sum(axis=1), atol=1e-12)
        np.testing.assert_allclose(cut.rmatvec(weight), weight @ whole[10:30], atol=1e-12)
        np.testing.assert_array_equal(design.take(chosen).dense(), whole[chosen])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("width", [20, 400])
def test_products_of_runs_of_rows_add_up(width, order):
    rows = 2 * product_rows(width) + 7
    rng = np.random.default_rng(width)
    array = np.asarray(rng.standard_normal((rows, width)), order=order)
    for weight in (rng.random(rows), rng.standard_normal(rows)):  # the second has both signs
        expected = (array * weight[:, None]).T @ array
        np.testing.assert_allclose(Dense(array).gram(weight), expected, atol=1e-11 * rows)
    weight[rows // 2] = np.nan
    assert np.isnan(Dense(array).gram(weight)).any()


def test_sums_of_wide_blocks_do_not_depend_on_threads():
    rng = np.random.default_rng(1)
    block = Block({"mean": Dense(rng.standard_normal((3000, WIDE)))}, {"y": rng.random(3000)})

    def reduced(jobs):
        return ArraySource(block, jobs).reduce(lambda part: Sums(metric=part.designs["mean"].gram(part.columns["y"])))[
            "metric"
        ]

    assert ArraySource(block).block_rows < 3000
    assert np.array_equal(reduced(1), reduced(2))
    assert np.array_equal(reduced(1), reduced(3))


@pytest.mark.parametrize("order", ["C", "F"])
def test_taking_rows_copies_no_others(order: Literal["C", "F"]) -> None:
    """A sample of a design by columns, as formulas make, once cost a copy of the whole in every block."""
    whole = np.asarray(np.random.default_rng(0).normal(size=(50_000, 8)), order=order)
    rows = np.arange(0, 50_000, 50)
    tracemalloc.start()
    try:
        taken = Dense(whole).take(rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(taken.array, whole[rows])
    assert taken.array.flags[f"{order}_CONTIGUOUS"]
    assert peak < 2 * taken.array.nbytes + 4096
