"""The lazy metric changes the path and its cost, never the optimum, its standard errors or who is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

import natfit as nf
from natfit.data.arrays import sampled_rows
from natfit.families import links
from natfit.models.fitting import Settings
from natfit.need import LOGLIK, METRIC
from natfit.optimize import Lazy, NaturalGradient, Optimizer, natural_gradient
from natfit.optimize.lazy import Carrier
from natfit.optimize.objective import LikelihoodObjective

ROWS, COLUMNS = 60_000, 6


def draw(family, link, rows=ROWS, seed=3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((rows, COLUMNS))
    X[:, 0] = 1.0
    eta = X @ np.array([0.9, 0.4, -0.3, 0.2, 0.1, -0.2])
    mu = links.get(link).inverse(eta)
    if family == "poisson":
        y = rng.poisson(mu).astype(float)
    elif family == "binomial":
        y = (rng.random(rows) < mu).astype(float)
    elif family == "gamma":
        y = rng.gamma(2.0, mu / 2.0)
    else:
        y = mu + rng.standard_normal(rows)
    return y, X


def plain(y, X, **options):
    return nf.GLM(y, X, **options).fit(optimizer="natural_gradient")


CASES = [
    ("poisson", "log"),
    ("poisson", "sqrt"),
    ("binomial", "logit"),
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("gamma", "log"),
    ("gaussian", "identity"),
]


@pytest.mark.parametrize(("family", "link"), CASES)
def test_a_lazy_fit_ends_at_the_optimum_with_its_standard_errors(family, link):
    y, X = draw(family, link)
    lazy, full = nf.GLM(y, X, family=family, link=link).fit(), plain(y, X, family=family, link=link)
    assert lazy.converged
    assert lazy.decrement < 1e-12
    distance = (lazy.params - full.params) @ np.linalg.solve(full.cov_params(), lazy.params - full.params)
    assert np.sqrt(distance) < 1e-6
    np.testing.assert_allclose(lazy.bse, full.bse, rtol=1e-6)
    assert lazy.llf == pytest.approx(full.llf, rel=1e-12)
    last = lazy.record.iloc[-1]
    assert last.sample_passes > 0
    assert last.metric_passes <= full.record.iloc[-1].metric_passes
    assert last.metric_passes <= last.passes


def test_the_record_tells_that_one_metric_of_all_rows_was_taken():
    y, X = draw("poisson", "log")
    last = nf.GLM(y, X, family="poisson").fit().record.iloc[-1]
    assert (last.metric_passes, last.sample_passes >= 1, last.passes <= 6) == (1, True, True)


def test_a_lazy_fit_does_not_depend_on_threads_but_on_its_seed_alone():
    y, X = draw("binomial", "logit")
    fits = [nf.GLM(y, X, family="binomial", n_jobs=jobs).fit() for jobs in (1, 2, 3)]
    for other in fits[1:]:
        assert np.array_equal(fits[0].params, other.params)
        assert np.array_equal(fits[0].bse, other.bse)
    seeded = [nf.GLM(y, X, family="binomial").fit(random_state=seed) for seed in (1, 1, 2)]
    assert np.array_equal(seeded[0].params, seeded[1].params)
    assert seeded[0].record.decrement[0] != seeded[2].record.decrement[0]
    np.testing.assert_allclose(seeded[0].params, seeded[2].params, rtol=1e-9)


def test_a_sample_carries_the_metric_over_a_short_step_and_says_where_it_cannot():
    y, X = draw("poisson", "log")
    model = nf.GLM(y, X, family="poisson")
    objective = LikelihoodObjective(model.likelihood(), model.source)
    sample = objective.sample(10_000, np.random.default_rng(0))
    carrier = Carrier(sample, COLUMNS / 10_000)
    start = np.array([0.9, 0.4, -0.3, 0.2, 0.1, -0.2])
    before = objective.evaluate(start, LOGLIK | METRIC).metric
    end = start + 4e-6
    after = objective.evaluate(end, LOGLIK | METRIC).metric
    carried = carrier.carry(before, start, end)
    changed = np.abs(np.sqrt(np.diag(before.inverse()) / np.diag(after.inverse())) - 1.0).max()
    left = np.abs(np.sqrt(np.diag(carried.inverse()) / np.diag(after.inverse())) - 1.0).max()
    assert changed > 1e-6
    assert left < 0.1 * changed
    assert carrier.carry(before, start, start + 1e-3) is None  # the sample's error of such a change is above 1e-6


def test_small_data_and_named_optimizers_are_fitted_plainly():
    y, X = draw("poisson", "log")
    for fit in (nf.GLM(y[:15_000], X[:15_000], family="poisson").fit(), plain(y, X, family="poisson")):
        last = fit.record.iloc[-1]
        assert last.sample_passes == 0
        assert last.metric_passes == last.passes


def test_a_rare_category_that_no_sample_holds_is_fitted_plainly():
    y, X = draw("poisson", "log")
    chosen = sampled_rows(ROWS, 10_000, np.random.default_rng(0))
    left_out = np.setdiff1d(np.arange(ROWS), chosen)[:40]
    X[:, 5] = 0.0
    X[left_out, 5] = 1.0
    fit, full = nf.GLM(y, X, family="poisson").fit(), plain(y, X, family="poisson")
    assert fit.record.iloc[-1].metric_passes == fit.record.iloc[-1].passes
    np.testing.assert_allclose(fit.params, full.params, rtol=1e-9)


def test_aliased_columns_are_named_as_by_a_plain_fit():
    y, X = draw("poisson", "log")
    X[:, 5] = X[:, 1] - X[:, 2]
    fit = nf.GLM(y, X, family="poisson").fit()
    assert np.isnan(fit.params[5])
    assert np.isfinite(fit.params[:5]).all()


def test_separation_is_found_on_large_data_too():
    y, X = draw("binomial", "logit")
    X[:, 5] = (np.arange(ROWS) % 100 == 0).astype(float)
    y[X[:, 5] == 1.0] = 1.0
    with pytest.warns(nf.SeparationWarning):
        fit = nf.GLM(y, X, family="binomial").fit()
    assert not fit.converged


def test_sorted_rows_and_a_misspecified_model_still_end_at_the_optimum():
    y, X = draw("gamma", "log")
    order = np.argsort(y)
    X, y = X[order], y[order] ** 3
    fit, full = nf.GLM(y, X, family="gamma", link="log").fit(), plain(y, X, family="gamma", link="log")
    assert fit.converged
    np.testing.assert_allclose(fit.params, full.params, rtol=0, atol=1e-6 * full.bse.min())
    np.testing.assert_allclose(fit.bse, full.bse, rtol=1e-6)


def test_a_start_given_is_not_left_for_a_sample():
    y, X = draw("poisson", "log")
    near = plain(y, X, family="poisson").params
    fit = nf.GLM(y, X, family="poisson").fit(start_params=near)
    assert fit.record.iloc[0].decrement < 1e-12
    assert fit.record.iloc[-1].sample_passes == 0


def test_a_lazy_refresh_needs_the_expected_information():
    with pytest.raises(ValueError, match="holds the expected information"):
        NaturalGradient("observed", refresh=Lazy())
    assert isinstance(natural_gradient(refresh=Lazy(random_state=4)), Optimizer)
    assert Settings().may_be_lazy
    assert not Settings(lazy=None).may_be_lazy


@pytest.mark.parametrize(("n_rows", "rows"), [(100, 100), (1000, 33), (10_007, 5000), (50, 7)])
def test_sampled_rows_are_distinct_in_order_and_inside(n_rows, rows):
    chosen = sampled_rows(n_rows, rows, np.random.default_rng(1))
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] >= 0
    assert chosen[-1] < n_rows
    assert chosen.size <= rows


@pytest.mark.parametrize("layout", ["C", "F", "float32", "strided", "sparse"])
def test_a_design_is_taken_as_it_lies(layout):
    y, X = draw("poisson", "log", rows=45_000)
    single = X.astype(np.float32)
    expected = plain(y, single.astype(float), family="poisson")
    given = {
        "C": single.astype(float),
        "F": np.asfortranarray(single.astype(float)),
        "float32": single,
        "strided": np.repeat(single.astype(float), 2, axis=1)[:, ::2],
        "sparse": sparse.csr_array(single.astype(float)),
    }[layout]
    model = nf.GLM(y, given, family="poisson")
    assert layout == "sparse" or np.shares_memory(model.data.design.array, given)
    fit = model.fit()
    np.testing.assert_allclose(fit.params, expected.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse, expected.bse, rtol=1e-6)
