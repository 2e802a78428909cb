"""Designs give the same products whatever holds them: dense, sparse, categorical, some columns of another."""

import numpy as np
import pytest
from scipy import sparse

from natfit.data.matrix import Chosen, Constant, Dense, as_columns, cross

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
