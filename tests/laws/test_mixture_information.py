"""Second-order sums of mixtures: the same however rows are cut, and in little memory."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import natfit as nf
from natfit.data.arrays import ArraySource
from natfit.data.block import Block
from natfit.families import curvature
from natfit.families.gaussian_covariances import MODELS, CovarianceCoordinates
from natfit.likelihoods.mixtures import second_order
from natfit.likelihoods.mixtures.gaussian import GaussianComponents
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.models.mixtures.coordinates import GaussianHome, MemberCoordinates
from natfit.models.mixtures.fitting import MixtureObjective
from natfit.need import COMPLETE, LOGLIK, MEAT, METRIC, OBSERVED, SCORE
from natfit.results.mixtures.information import information

ALL = LOGLIK | SCORE | MEAT | METRIC | OBSERVED


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.mark.parametrize("panel", [1, 3, 7, 100])
def test_outer_products_are_those_of_numpy(rng, monkeypatch, panel):
    monkeypatch.setattr(second_order, "PANEL", panel)
    held = second_order.SecondOrder(7, MEAT | METRIC | OBSERVED)
    scores = rng.normal(size=(7, 50))
    for part in (scores[:, :20], scores[:, 20:]):
        held.add(part)
    made = held.finished()
    for name in ("meat", "metric", "observed"):
        np.testing.assert_allclose(made[name].matrix, scores @ scores.T, rtol=1e-13, atol=1e-13)
    assert made["meat"].matrix is not made["metric"].matrix  # they are added to in place


def grouped_regressions(rng):
    groups = np.repeat(np.arange(60), rng.integers(1, 6, size=60))
    x = np.column_stack([np.ones(groups.size), rng.normal(size=(groups.size, 2))])
    y = x @ np.array([1.0, 2.0, -1.0]) * np.where(groups % 2, 1.0, -1.0) + rng.normal(size=groups.size)
    model = nf.MixtureRegression(y, x, "gaussian", 2, groups=groups, freq_weights=rng.integers(1, 3, size=groups.size))
    params = np.array([0.3, 0.5, 1.0, -1.0, 0.2, -0.5, -1.0, 1.0, 0.1])
    return model.likelihood(), model.source.whole, params


def weighted_gaussians(rng):
    likelihood = MixtureLikelihood(GaussianComponents(2, 2))
    block = Block({}, {"y": rng.normal(size=(90, 2)), "weight": rng.random(90) * 3.0})
    eye = np.broadcast_to(np.eye(2), (2, 2, 2))
    return likelihood, block, np.append([0.2], likelihood.components.pack(np.array([[-0.5, 0.1], [0.6, 0.0]]), eye))


@pytest.mark.parametrize("case", [grouped_regressions, weighted_gaussians])
def test_sums_do_not_depend_on_how_many_rows_are_looked_at_together(rng, monkeypatch, case):
    likelihood, block, params = case(rng)
    whole = likelihood.evaluate(params, block, ALL)
    complete = likelihood.complete_information(params, block)["complete"].matrix
    monkeypatch.setattr(second_order, "ROWS_BYTES", 1)
    monkeypatch.setattr(second_order, "FEWEST_ROWS", 7)
    monkeypatch.setattr("natfit.likelihoods.mixtures.mixture.PRODUCT_ROWS", 7)
    cut = likelihood.evaluate(params, block, ALL)
    assert cut["loglik"] == pytest.approx(whole["loglik"], rel=1e-13)
    np.testing.assert_allclose(cut["score"], whole["score"], rtol=1e-10)
    for name in ("meat", "metric", "observed"):
        np.testing.assert_allclose(cut[name].matrix, whole[name].matrix, rtol=1e-10, atol=1e-10)
    again = likelihood.complete_information(params, block)["complete"].matrix
    np.testing.assert_allclose(again, complete, rtol=1e-10, atol=1e-10)


def test_standard_errors_of_many_parameters_take_little_memory(rng):
    likelihood = MixtureLikelihood(GaussianComponents(10, 8))
    y = rng.normal(size=(20_000, 10))
    means = rng.normal(size=(8, 10))
    params = np.append(np.zeros(7), likelihood.components.pack(means, np.broadcast_to(np.eye(10), (8, 10, 10))))
    rows = ArraySource(Block({}, {"y": y}), None, 2048)
    fit = SimpleNamespace(base=SimpleNamespace(params=params), likelihood=likelihood, _rows=rows, _chart=None)
    information(fit, "complete")  # what the threads keep
    for kind in ("observed", "empirical", "complete"):
        tracemalloc.start()
        information(fit, kind)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 16e6, kind  # a matrix takes 2.2 MB


@pytest.mark.parametrize("concomitant", [False, True], ids=["constant weights", "concomitant weights"])
@pytest.mark.parametrize("family", ["gaussian", "poisson", "binomial"])
def test_a_fit_of_a_mixture_of_regressions_takes_little_memory(rng, family, concomitant):
    x = np.column_stack([np.ones(20_000), rng.normal(size=(20_000, 59)) / 10.0])
    z = np.column_stack([np.ones(20_000), rng.normal(size=20_000)]) if concomitant else None
    model = nf.MixtureRegression(rng.integers(2, size=20_000), x, family, 5, z, n_jobs=2)
    objective = MixtureObjective(model.likelihood(), model.source)
    at = 0.1 * rng.normal(size=objective.likelihood.layout.size)
    objective.evaluate(at, LOGLIK | SCORE | COMPLETE)  # what the threads keep
    tracemalloc.start()
    objective.complete(objective.evaluate(at, LOGLIK | SCORE | COMPLETE))
    step = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    both = [objective.evaluate(at, LOGLIK | SCORE | METRIC | OBSERVED) for _ in range(2)]  # a point and a trial
    end = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert step < 6e6
    assert end < 12.5e6  # a matrix takes 0.8 MB, of which each point and each thread holds two
    assert both[0].sums["complete"].nbytes < 0.2e6  # no products between components


def test_few_components_look_at_fewer_rows_together():
    assert second_order.SecondOrder.rows_at_once(61, 1) * 61 * 4 * 8 <= second_order.ROWS_BYTES
    assert second_order.SecondOrder.rows_at_once(309, 5) == second_order.ROWS_BYTES // (8 * 309)


def test_the_bend_of_coordinates_comes_out_the_same_one_coordinate_at_a_time(rng, monkeypatch):
    near = np.array([[[2.0, 0.5], [0.5, 1.0]], [[3.0, -1.0], [-1.0, 1.5]]])
    chart = CovarianceCoordinates(MODELS["VVE"], 2, near)
    xi = rng.normal(size=chart.size) * 0.1
    score, scale = rng.normal(size=chart.home_size), np.full(chart.size, 0.1)
    together = curvature.nearby_bend(chart, xi, score, scale)
    monkeypatch.setattr(curvature, "BENT_BYTES", 0)
    np.testing.assert_allclose(curvature.nearby_bend(chart, xi, score, scale), together, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(together, curvature.bend(chart, xi, score, scale), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in MODELS if len(name) == 3])
def test_scores_are_carried_to_coordinates_as_by_the_jacobian(rng, name):
    components = GaussianComponents(3, 2, model=MODELS[name])
    root = rng.normal(size=(2, 3, 3))
    near = CovarianceCoordinates(MODELS[name], 2, root @ np.swapaxes(root, -1, -2) + np.eye(3))
    chart = MemberCoordinates(components, GaussianHome(near))
    xi, score = 0.3 * rng.normal(size=(4, chart.size)), rng.normal(size=chart.home_size)
    expected = np.einsum("nij,i->nj", chart.jacobian(xi), score)
    np.testing.assert_allclose(chart.pull_score(xi, score), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        near.pull_score(xi[0, 6:], score[:12]), near.jacobian(xi[0, 6:]).T @ score[:12], atol=1e-9
    )


@pytest.mark.parametrize("name", ["VVI", "VEI"])  # the second one's parameters lie on a curved surface
def test_many_columns_under_a_covariance_model_reach_its_maximum(rng, name):
    y = rng.normal(size=(500, 20)) * (1.0 + np.arange(20) % 3)
    y[:200] = 1.7 * y[:200] + 3.0
    fit = nf.Mixture("gaussian", 2, covariance=name).fit(y, random_state=0, n_init=3)
    assert fit.base.params.size > 400
    assert fit.df < 400
    assert fit.converged
    assert fit.decrement < 1e-6
    deviations = np.sqrt([np.diag(each) for each in fit.covariances.values()])
    if name == "VEI":
        assert np.ptp(deviations[0] / deviations[1]) < 1e-9
    else:  # the maximum is where a step of EM leads back to
        share = fit.predict_proba().to_numpy().T
        again = np.sqrt((share @ y**2) / share.sum(axis=1)[:, None] - fit.means.to_numpy() ** 2)
        np.testing.assert_allclose(deviations, again, rtol=1e-6)
    logs = [
        np.log(w) + stats.norm(m, s).logpdf(y).sum(axis=1)
        for w, m, s in zip(fit.weights, fit.means.to_numpy(), deviations, strict=True)
    ]
    assert fit.llf == pytest.approx(np.logaddexp(*logs).sum(), rel=1e-12)
