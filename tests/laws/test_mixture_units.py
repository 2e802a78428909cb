"""Columns of a Gaussian mixture may come in any units: only the units of what is estimated change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import natfit as nf
from natfit.likelihoods.mixtures.gaussian import smallest_eigenvalues

POWERS = st.lists(st.floats(-9.0, 9.0), min_size=3, max_size=3)


def rows() -> np.ndarray:
    """Return two overlapping groups of rows of three correlated columns, and some that belong to neither."""
    rng = np.random.default_rng(4)
    turn = np.array([[1.0, 0.4, -0.3], [0.0, 1.0, 0.5], [0.0, 0.0, 0.7]])
    label = rng.random(160) < 0.4
    x = rng.normal(size=(160, 3)) @ turn + 4.0 * label[:, None]
    return np.vstack([x, rng.uniform(x.min(axis=0), x.max(axis=0), (20, 3))])


@pytest.mark.parametrize("options", [{}, {"covariance": "EEE"}, {"covariance": "VVI"}, {"noise": True}])
@given(powers=POWERS)
@settings(max_examples=6, deadline=None)
def test_each_column_has_units_of_its_own(options: dict, powers: list[float]) -> None:
    y, scale = rows(), 10.0 ** np.array(powers)
    plain = nf.Mixture("gaussian", 2, **options).fit(y, n_init=4, random_state=0)
    scaled = nf.Mixture("gaussian", 2, **options).fit(y * scale, n_init=4, random_state=0)
    assert scaled.n_best == plain.n_best
    assert scaled.llf == pytest.approx(plain.llf - len(y) * np.log(scale).sum(), abs=1e-7)
    assert scaled.weights.to_numpy() == pytest.approx(plain.weights.to_numpy(), rel=1e-6)
    own = np.concatenate([scale, np.outer(scale, scale)[np.tril_indices(3)]])
    units = np.concatenate([np.ones(scaled.n_components), own, own])
    expected = plain.bse.to_numpy()
    assert scaled.bse.to_numpy() / units == pytest.approx(expected, rel=1e-5, abs=1e-9 * expected.max())


@given(powers=POWERS)
def test_the_smallest_eigenvalue_has_digits_of_its_own(powers: list[float]) -> None:
    root = np.array([[1.0, 0.0, 0.0], [0.3, 1.0, 0.0], [-0.2, 0.6, 1.0]]) * 10.0 ** np.array(powers)[:, None]
    found = smallest_eigenvalues(np.stack([root @ root.T, np.diag([2.0, 0.0, 1.0])]))
    exact = (
        1.0 / np.linalg.svd(np.linalg.inv(root), compute_uv=False)[0] ** 2
    )  # largest of the inverse: no cancellation
    assert found[0] == pytest.approx(exact, rel=1e-9)
    assert found[1] == 0.0
