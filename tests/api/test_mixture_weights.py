"""Weights of mixtures: a common factor of var_weights is one of the likelihood, and of nothing else."""

import numpy as np
import pytest

import natfit as nf
from natfit.likelihoods.mixtures.composed import Noise
from natfit.models.mixtures.search import NoMaximum


@pytest.mark.parametrize("factor", [1e-12, 1e-6, 1e9])
@pytest.mark.parametrize("covariance", ["E", "V"])
def test_a_common_factor_of_var_weights_changes_no_estimate(factor, covariance):
    y = nf.datasets.load("galaxies")["velocity"].to_numpy()
    weight = np.linspace(0.5, 2.0, y.size)
    options = {"random_state": 0, "n_init": 12}
    plain = nf.Mixture("gaussian", 3, covariance).fit(y, var_weights=weight, **options)
    fit = nf.Mixture("gaussian", 3, covariance).fit(y, var_weights=factor * weight, **options)
    assert fit.converged
    assert not fit.degeneracies
    assert fit.llf == pytest.approx(factor * plain.llf, rel=1e-10)
    np.testing.assert_allclose(fit.params, plain.params, rtol=1e-6)
    np.testing.assert_allclose(fit.bse * np.sqrt(factor), plain.bse, rtol=1e-6)
    assert fit.record["loglik"].iloc[-1] == pytest.approx(fit.llf, rel=1e-9)


def test_a_bootstrap_goes_by_observations_too():
    y = nf.datasets.load("galaxies")["velocity"].to_numpy()
    model = nf.Mixture("gaussian", 2, "E")
    made = [
        model.fit(y, var_weights=np.full(y.size, factor), random_state=0, n_init=8).bootstrap(5, random_state=1)
        for factor in (1.0, 1e-9)
    ]
    np.testing.assert_allclose(made[1].estimates, made[0].estimates, rtol=1e-4)


@pytest.mark.parametrize(("n", "said"), [(1, "1 maximum was left out"), (2, "2 maxima were left out")])
def test_maxima_left_out_are_counted_in_words(n, said):
    from dataclasses import replace

    from natfit.results.mixtures.notes import notes

    fit = nf.Mixture("gaussian", 2).fit(nf.datasets.load("galaxies")["velocity"], random_state=0, n_init=8)
    found = replace(fit.base.search, excluded=[(1.0, "component 0 holds 2 rows, fewer than 2.5")] * n)
    fit.base = replace(fit.base, search=found)
    assert any(line.startswith(said) for line in notes(fit))


def test_rows_without_noise_are_told_from_rows_with_too_many_components():
    y = np.random.default_rng(4).normal(size=(300, 3))
    y[150:] += 3.0
    with pytest.warns(nf.DegeneracyWarning, match="the weight of component 2 .noise. has gone to zero; leave it out"):
        nf.Mixture("gaussian", 2, noise=True).fit(y, random_state=0)
    refusal = NoMaximum([], 20, Noise(np.zeros(1), np.ones(1)))
    assert "use no noise component, which may have no rows, fewer components" in str(refusal)
