"""The products that wide Gaussian mixtures are made of, against the sums that they stand for."""

import numpy as np
import pytest

from natfit.likelihoods.mixtures import panels
from natfit.likelihoods.mixtures.remembered import remembered


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def with_ones(rng, columns, rows):
    return np.concatenate([np.ones((1, rows)), rng.normal(size=(columns, rows))])


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 16, 33])
@pytest.mark.parametrize("buffer", [1, panels.BUFFER_BYTES])
def test_squared_lengths_are_those_of_whitened_rows(rng, monkeypatch, columns, buffer):
    monkeypatch.setattr(panels, "BUFFER_BYTES", buffer)
    z = with_ones(rng, columns, 50)
    triangles = rng.normal(size=(3, columns, 1 + columns))
    triangles[:, :, 1:] *= np.tri(columns)
    expected = ((triangles @ z) ** 2).sum(axis=1)
    np.testing.assert_allclose(panels.squared_lengths(triangles, z), expected, rtol=1e-12)


@pytest.mark.parametrize("columns", [1, 7, 8, 9, 16, 33])
@pytest.mark.parametrize("buffer", [1, panels.BUFFER_BYTES])
def test_products_are_weighted_sums_wherever_the_shares_lie(rng, monkeypatch, columns, buffer):
    monkeypatch.setattr(panels, "BUFFER_BYTES", buffer)
    z = with_ones(rng, columns, 200)
    share = rng.random((5, 200))
    share[1, 20:] = 0.0  # few rows
    share[2, 20:] = 1e-60  # few rows that count
    share[3] = 0.0  # none
    found = panels.weighted_products(share, z)
    expected = np.einsum("kn,in,jn->kij", share, z, z)
    lower = np.tril_indices(1 + columns)
    np.testing.assert_allclose(found[:, *lower], expected[:, *lower], rtol=1e-12, atol=1e-13)


def test_small_shares_of_rows_far_out_count(rng):
    z = with_ones(rng, 3, 40)
    z[1:, 10:] *= 1e16
    share = np.ones((1, 40))
    share[:, 10:] = 1e-30
    lower = np.tril_indices(4)
    expected = np.einsum("kn,in,jn->kij", share, z, z)[:, *lower]
    np.testing.assert_allclose(panels.weighted_products(share, z)[:, *lower], expected, rtol=1e-12)


def test_small_shares_count_where_all_are_small(rng):
    z = with_ones(rng, 3, 40)
    share = 1e-80 * rng.random((2, 40))
    lower = np.tril_indices(4)
    expected = np.einsum("kn,in,jn->kij", share, z, z)[:, *lower]
    np.testing.assert_allclose(panels.weighted_products(share, z)[:, *lower], expected, rtol=1e-12, atol=1e-93)


def test_what_is_remembered_belongs_to_the_parameters_asked_for():
    class Counted:
        calls = 0

        @remembered
        def twice(self, params):
            self.calls += 1
            return 2.0 * params

    one, other = Counted(), Counted()
    params = np.array([1.0, 2.0])
    assert one.twice(params).tolist() == one.twice(params.copy()).tolist() == [2.0, 4.0]
    assert one.calls == 1
    params[0] = 3.0  # changed in place: asked anew
    assert one.twice(params).tolist() == [6.0, 4.0]
    assert other.twice(params).tolist() == [6.0, 4.0]
    assert (one.calls, other.calls) == (2, 1)
