"""Large distributional regressions: samples and few metrics change the cost, never the optimum or its standard errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import natfit as nf
from natfit.data.arrays import sampled_rows
from natfit.data.block import Block
from natfit.data.matrix import Constant, Dense
from natfit.families import distributional
from natfit.families.distributional.base import Parameters
from natfit.families.distributional.rising import (
    log_chosen,
    log_factorial,
    log_rising,
    rising_bend,
    rising_slope,
    shape_information,
)
from natfit.families.interval import UNIT
from natfit.likelihoods.distributional import DistributionalLikelihood
from natfit.need import ALL, LOGLIK, OBSERVED
from natfit.optimize import natural_gradient

ROWS = 45_000
FAMILIES = (
    "gaussian",
    "beta",
    "gamma",
    "negative_binomial",
    "zero_inflated_poisson",
    "student_t",
    "weibull",
    "cumulative",
)


def drawn(name, seed=5):
    """Return a model's response and designs: every parameter depends on two predictors."""
    rng = np.random.default_rng(seed)
    family = distributional.get(name)
    if hasattr(family, "classes"):
        family = type(family)(classes=("a", "b", "c"))
    X = np.column_stack([np.ones(ROWS), rng.normal(size=(ROWS, 2))])
    theta = []
    for k, link in enumerate(family.resolve_links({})):
        constant = float(link(np.array([family.example_parameters()[0][k]]))[0])
        theta.append(link.inverse(X @ np.array([constant, 0.2, -0.1])))
    y = family.sample(theta, rng)
    return y, X if family.shared_predictors else dict.fromkeys(family.parameter_names, X)


def plain(y, exog, family):
    return nf.DistributionalRegression(y, exog, family).fit(optimizer=natural_gradient(finish="observed"))


def assert_same(fit, full):
    assert fit.converged
    distance = np.asarray(fit.params - full.params) / np.asarray(full.bse)
    assert np.abs(distance).max() < 1e-6
    np.testing.assert_allclose(fit.bse, full.bse, rtol=2e-6)
    assert fit.llf == pytest.approx(full.llf, rel=1e-12)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_lazy_fit_ends_at_the_optimum_with_its_standard_errors(name):
    y, exog = drawn(name)
    fit = nf.DistributionalRegression(y, exog, name).fit()
    assert_same(fit, plain(y, exog, name))
    last = fit.fitted.outcome.record[-1]
    assert last.sample_passes > 0
    assert last.metric_passes <= 2
    assert last.passes <= 9


def test_a_model_that_is_wrong_ends_at_the_optimum_too():
    rng = np.random.default_rng(1)
    y, exog = drawn("gamma")
    y = np.exp(0.7 * rng.standard_t(4.0, ROWS)) * (1.0 + exog["mean"][:, 1] ** 2)
    fit = nf.DistributionalRegression(y, exog, "gamma").fit()
    assert_same(fit, plain(y, exog, "gamma"))


def test_neither_threads_nor_a_design_in_common_change_a_digit():
    y, exog = drawn("beta")
    fits = [nf.DistributionalRegression(y, exog, "beta", n_jobs=jobs).fit() for jobs in (1, 2, 3)]
    apart = {name: X.copy() for name, X in exog.items()}
    fits.append(nf.DistributionalRegression(y, apart, "beta").fit())
    for other in fits[1:]:
        assert np.array_equal(fits[0].params, other.params)
        assert np.array_equal(fits[0].bse, other.bse)


def test_a_category_that_no_sample_holds_is_fitted_plainly():
    y, exog = drawn("negative_binomial")
    X = exog["mean"]
    left_out = np.setdiff1d(np.arange(ROWS), sampled_rows(ROWS, 10_000, np.random.default_rng(0)))[:60]
    X[:, 2] = 0.0
    X[left_out, 2] = 1.0
    fit = nf.DistributionalRegression(y, {"mean": X}, "negative_binomial").fit()
    assert fit.fitted.outcome.record[-1].sample_passes == 0
    assert_same(fit, plain(y, {"mean": X}, "negative_binomial"))


def test_aliased_columns_and_inflation_that_is_not_there_are_named():
    y, exog = drawn("beta")
    X = exog["mean"].copy()
    X[:, 2] = 2.0 * X[:, 1] - X[:, 0]
    fit = nf.DistributionalRegression(y, {"mean": X}, "beta").fit()
    assert np.isnan(fit.params[2])
    counts = np.random.default_rng(2).poisson(3.0, ROWS).astype(float)
    counts[counts == 0.0] = 1.0  # fewer zeros than any inflation allows
    with pytest.warns(UserWarning, match="poisson"):
        fit = nf.DistributionalRegression(counts, {"rate": np.ones((ROWS, 1))}, "zero_inflated_poisson").fit()
    assert not fit.converged


def test_tables_of_counts_give_what_each_count_gives():
    rng = np.random.default_rng(8)
    y, r = rng.poisson(6.0, 3000).astype(float), np.full(3000, 2.5)
    for function in (log_rising, rising_slope, rising_bend, log_chosen):
        one_by_one = np.concatenate([function(y[i : i + 100], r[:100]) for i in range(0, 3000, 100)])
        np.testing.assert_allclose(function(y, r), one_by_one, rtol=1e-15)
        apart = function(y, np.where(np.arange(3000) == 7, 9.0, r))
        assert np.array_equal(np.delete(apart, 7), np.delete(one_by_one, 7))
    np.testing.assert_allclose(log_factorial(y), special.gammaln(y + 1.0), rtol=1e-15)


@pytest.mark.parametrize("r", [2.5, None])
def test_interpolated_information_is_that_of_each_row(r):
    rng = np.random.default_rng(6)
    mean = np.exp(rng.normal(1.0, 0.8, 3000))
    shape = np.exp(rng.normal(0.5, 0.4, 3000)) if r is None else np.broadcast_to(r, 3000)
    found = shape_information(mean, shape)
    few = slice(0, 3000, 37)
    one_by_one = [shape_information(mean[i : i + 1], shape[i : i + 1])[0] for i in range(0, 3000, 37)]
    np.testing.assert_allclose(found[few], one_by_one, rtol=1e-9)
    mean[5] = np.nan
    assert np.array_equal(np.isnan(shape_information(mean, shape)), np.arange(3000) == 5)


@pytest.mark.parametrize("name", ["beta", "negative_binomial", "zero_inflated_poisson"])
def test_what_a_pass_has_in_common_is_what_each_part_computes(name):
    family = distributional.get(name)
    points = family.example_parameters()
    theta = [np.repeat(column, 300) for column in points.T]
    rng = np.random.default_rng(4)
    y, other = (family.sample(theta, rng) for _ in range(2))
    together = Parameters(theta)
    for responses in (y, other, y):  # as in a quadrature, other responses at the same parameters
        family.log_prob(responses, together)
        for part in (family.score, family.observed, family.fisher):
            shared, alone = part(responses, together), part(responses, theta)
            for key in shared if isinstance(shared, dict) else range(len(shared)):
                np.testing.assert_array_equal(shared[key], alone[key])


def test_a_constant_of_all_rows_is_a_column_of_ones():
    y, exog = drawn("negative_binomial")
    family = distributional.get("negative_binomial")
    names, params = {"mean": ["a", "b", "c"], "alpha": ["d"]}, np.array([0.2, -0.1, 0.3, -0.5])
    likelihood = DistributionalLikelihood(family, family.resolve_links({}), names)
    X = Dense(exog["mean"][:, :3])
    one, ones = (Block({"mean": X, "alpha": each}, {"y": y}) for each in (Constant(ROWS), Dense(np.ones((ROWS, 1)))))
    found, expected = (likelihood.evaluate(params, block, ALL | OBSERVED) for block in (one, ones))
    np.testing.assert_allclose(found["score"], expected["score"], rtol=1e-10)
    np.testing.assert_allclose(found["observed"].matrix, expected["observed"].matrix, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found["metric"].matrix, expected["metric"].matrix, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize(("name", "y", "at"), [("zero_inflated_poisson", 3.0, 50.0), ("beta", 0.3, 45.0)])
def test_a_probability_nearer_to_one_than_rounding_is_inside(name, y, at):
    family = distributional.get(name)
    both = family.resolve_links({})
    ones = {parameter: ["c"] for parameter in family.parameter_names}
    block = Block({parameter: Constant(1) for parameter in ones}, {"y": np.array([y])})
    logit = family.domains.index(UNIT)
    etas = np.where(np.arange(2) == logit, at, 1.0)
    found = DistributionalLikelihood(family, both, ones).evaluate(etas, block, LOGLIK)["loglik"]
    if name == "beta":  # precision e, b = e exp(-45): 1 / Gamma(b) is b
        assert found == pytest.approx(1.0 - at + (np.e - 1.0) * np.log(y) - np.log1p(-y), rel=1e-12)
    else:
        assert found == pytest.approx(-at + y - np.e - np.log(6.0), rel=1e-12)


def test_samples_are_seeded_and_a_seed_is_a_whole_number() -> None:
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(60_000), rng.normal(size=60_000)])
    y = rng.poisson(np.exp(x @ [0.5, 0.2]) * rng.gamma(2.0, 0.5, 60_000))
    model = nf.DistributionalRegression(y, {"mean": x}, "nb2")
    fits = [model.fit(random_state=seed) for seed in (1, 1, 2, None)]
    assert fits[0].record["sample_passes"].iloc[-1] > 0
    np.testing.assert_array_equal(fits[0].params, fits[1].params)
    assert not np.array_equal(fits[0].params, fits[2].params)
    np.testing.assert_allclose(fits[2].params, fits[0].params, rtol=1e-7)
    np.testing.assert_array_equal(fits[3].params, model.fit().params)
    for fit in (model.fit, nf.GLM(y, x, family="poisson").fit):
        for wrong in ("a", -1, 1.5):
            with pytest.raises(ValueError, match="random_state seeds the samples of a large fit"):
                fit(random_state=wrong)
    assert nf.GLM(y, x, family="poisson").fit(random_state=None).converged
