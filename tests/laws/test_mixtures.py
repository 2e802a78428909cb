"""What every mixture obeys: derivatives, both informations, EM's ascent, covariance models, scalings and permutations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import natfit as nf
from natfit.data.arrays import ArraySource
from natfit.data.block import Block
from natfit.families import Gamma, Poisson
from natfit.families.gaussian_covariances import MODELS, CovarianceCoordinates
from natfit.likelihoods.mixtures.composed import Noise, ProductComponents, WithFixed
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.likelihoods.mixtures.gaussian import GaussianComponents
from natfit.likelihoods.mixtures.missing import PartlySeenGaussians
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.models.mixtures.coordinates import free_coordinates
from natfit.models.mixtures.fitting import CurvedObjective, MixtureObjective, conjugate_decrement
from natfit.models.mixtures.starts import short_runs
from natfit.need import LOGLIK, MEAT, METRIC, OBSERVED, SCORE
from natfit.optimize.accelerated import accelerated_em
from natfit.optimize.em import Slow, em

CASES = ["gaussian", "wide", "poisson", "gamma", "product", "noise", "missing"]


def case(name: str) -> tuple[MixtureLikelihood, Block, np.ndarray]:
    """Return a mixture, weighted rows and parameters off its maximum."""
    rng = np.random.default_rng(7)
    n, K = 60, 2
    label = rng.integers(K, size=n)
    x = rng.normal(size=(n, 2)) * (1.0 + label[:, None]) + 3.0 * label[:, None] + 5.0
    counts = rng.poisson(2.0 + 4.0 * label)
    y = {"poisson": counts.astype(float), "gamma": rng.gamma(2.0, 1.0 + label), "product": np.column_stack([counts, x])}
    block = Block({}, {"y": y.get(name, x), "weight": rng.integers(1, 4, n).astype(float)})
    gaussian = GaussianComponents(2, K, x.mean(axis=0), place=[1, 2] if name == "product" else None)
    components = {
        "poisson": ExponentialComponents(Poisson(), K),
        "gamma": ExponentialComponents(Gamma(), K),
        "product": ProductComponents([ExponentialComponents(Poisson(), K, 0), gaussian]),
        "noise": WithFixed(gaussian, Noise(x.min(axis=0) - 1.0, x.max(axis=0) + 1.0)),
    }.get(name, gaussian)
    if name == "wide":
        block = Block({}, {"y": rng.normal(size=(400, 16)) + label[0] + 2.0 * rng.integers(K, size=400)[:, None]})
        components = GaussianComponents(16, K, np.ones(16))
    likelihood = MixtureLikelihood(components)
    seen = components.view(block)
    share = rng.dirichlet(np.ones(components.n_components) * 2.0, block.n_rows).T
    weights = likelihood.weights.maximize(share.sum(axis=1), np.zeros(likelihood.weights.size))
    params = np.concatenate([weights, components.begin(seen, share)])
    if name == "missing":
        x[rng.random(x.shape) < 0.3 * np.array([1.0, 0.5])] = np.nan
        x[np.isnan(x).all(axis=1), 0] = 4.0
        likelihood = MixtureLikelihood(PartlySeenGaussians(gaussian))
    return likelihood, block, params


def numerical(function, at: np.ndarray, scale: np.ndarray) -> np.ndarray:
    steps = 1e-4 * scale
    return np.array([(function(at + h) - function(at - h)) / (2.0 * h.sum()) for h in np.diag(steps)])


@pytest.mark.parametrize("name", CASES[:1] + CASES[2:])
def test_score_and_observed_information_are_derivatives(name: str) -> None:
    likelihood, block, params = case(name)
    point = likelihood.evaluate(params, block, LOGLIK | SCORE | OBSERVED | MEAT)
    scale = 1.0 / np.sqrt(point["meat"].matrix.diagonal())
    slope = numerical(lambda p: likelihood.evaluate(p, block, LOGLIK)["loglik"], params, scale)
    bend = numerical(lambda p: likelihood.evaluate(p, block, LOGLIK | SCORE)["score"], params, scale)
    assert point["score"] * scale == pytest.approx(slope * scale, rel=1e-5, abs=1e-5)
    observed = point["observed"].matrix * scale * scale[:, None]
    assert observed == pytest.approx(-bend * scale * scale[:, None], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_rows_make_the_empirical_information_and_its_products(name: str) -> None:
    likelihood, block, params = case(name)
    weight = block.columns.get("weight", np.ones(block.n_rows))
    single = [likelihood.evaluate(params, block.rows(i, i + 1), LOGLIK | SCORE)["score"] for i in range(block.n_rows)]
    rows = np.array(single) / weight[:, None]
    meat = likelihood.evaluate(params, block, LOGLIK | MEAT)["meat"].matrix
    expected = (rows.T * weight) @ rows
    scale = np.sqrt(expected.diagonal())
    assert meat / scale / scale[:, None] == pytest.approx(expected / scale / scale[:, None], abs=1e-9)
    vector = np.cos(np.arange(params.size)) / scale
    product = likelihood.empirical_product(params, block, vector)["product"]
    assert product / scale == pytest.approx(expected @ vector / scale, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_em_and_its_acceleration_never_lower_the_likelihood_and_end_at_one_maximum(name: str) -> None:
    likelihood, block, params = case(name)
    objective = MixtureObjective(likelihood, ArraySource(block, 1, 25))
    plain = em().run(objective, params, Slow(gain=1e-9), 4000)
    fast = accelerated_em().run(objective, params, Slow(gain=1e-10), 4000)
    for outcome in (plain, fast):
        steps = np.diff([row.loglik for row in outcome.record])
        assert steps.min() > -1e-9 * abs(plain.point.loglik)
    assert fast.point.loglik >= plain.point.loglik - 1e-3
    assert len(fast.record) <= len(plain.record) + 5


def test_a_pass_is_the_density() -> None:
    likelihood, block, params = case("gaussian")
    components = likelihood.components
    means, covariances = components.unpack(params[1:])
    weights = likelihood.weights.probabilities(params[:1])
    density = sum(
        w * multivariate_normal(m + components.center, c).pdf(block.columns["y"])
        for w, m, c in zip(weights, means, covariances, strict=True)
    )
    expected = block.columns["weight"] @ np.log(density)
    assert likelihood.evaluate(params, block, LOGLIK)["loglik"] == pytest.approx(expected, rel=1e-12)


def test_whitening_and_products_of_columns_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    likelihood, block, params = case("wide")
    need = LOGLIK | SCORE | MEAT
    white = likelihood.evaluate(params, block, need)
    monkeypatch.setattr("natfit.likelihoods.mixtures.gaussian.WIDE", 99)
    plain = likelihood.evaluate(params, block, need)
    assert white["loglik"] == pytest.approx(plain["loglik"], rel=1e-12)
    assert white["complete"] == pytest.approx(plain["complete"], rel=1e-9, abs=1e-9)


def test_conjugate_gradients_find_the_decrement() -> None:
    likelihood, block, params = case("gaussian")
    objective = MixtureObjective(likelihood, ArraySource(block))
    point = objective.evaluate(params, LOGLIK | SCORE | METRIC)
    assert conjugate_decrement(objective, point, 1e-14, 300) == pytest.approx(point.decrement, rel=0.02)


@pytest.mark.parametrize("model", list(MODELS))
def test_covariance_models(model: str) -> None:
    """Coordinates round-trip with the right Jacobian; the maximum beats its neighbours and keeps the model's ties."""
    rng = np.random.default_rng(3)
    K, d = 3, 3
    counts = np.array([30.0, 20.0, 25.0])
    rows = rng.normal(size=(K, 40, d)) @ (np.eye(d) + 0.5 * rng.normal(size=(K, d, d)))
    scatter = np.swapaxes(rows, -1, -2) @ rows
    found = MODELS[model].maximize(counts, scatter, None, inner=400)
    chart = CovarianceCoordinates(MODELS[model], K, found)
    assert chart.size == MODELS[model].n_free(K, d)
    lower = np.tril_indices(d)
    packed = np.concatenate([each[lower] for each in found])
    xi = chart.from_home(packed)
    assert chart.to_home(xi) == pytest.approx(packed, rel=1e-8, abs=1e-10)
    bump = xi + 0.1 * rng.normal(size=xi.size)
    assert chart.from_home(chart.to_home(bump)) == pytest.approx(bump, abs=1e-9)
    slopes = numerical(chart.to_home, bump, np.ones(xi.size)).T
    assert chart.jacobian(bump) == pytest.approx(slopes, rel=1e-6, abs=1e-6)

    def value(at: np.ndarray) -> float:
        each = np.zeros((K, d, d))
        each[:, lower[0], lower[1]] = chart.to_home(at).reshape(K, -1)
        each[:, lower[1], lower[0]] = chart.to_home(at).reshape(K, -1)
        logs = np.linalg.slogdet(each)[1]
        return float(-(counts * logs).sum() - np.trace(np.linalg.solve(each, scatter), axis1=-2, axis2=-1).sum())

    slope = numerical(value, xi, np.ones(xi.size))
    assert slope == pytest.approx(np.zeros(xi.size), abs=2e-4)
    for _ in range(20):
        assert value(xi + 0.02 * rng.normal(size=xi.size)) <= value(xi)


@pytest.mark.parametrize("model", ["EEE", "VVE", "EEV"])
def test_information_in_a_model_s_coordinates_is_a_second_derivative(model: str) -> None:
    data = nf.datasets.load("faithful")
    fit = nf.Mixture("gaussian", 2, model).fit(data, random_state=0, n_init=6)
    chart = free_coordinates(fit.likelihood)(fit.base.params)
    assert chart is not None
    objective = CurvedObjective(fit.model.objective(fit.base), chart)
    xi = chart.from_home(fit.base.params)
    xi = xi + 1e-3 * np.cos(np.arange(xi.size))
    point = objective.evaluate(xi, LOGLIK | SCORE | OBSERVED | METRIC)
    scale = 1.0 / np.sqrt(point.metric.matrix_form().diagonal())
    bend = numerical(lambda p: objective.evaluate(p, LOGLIK | SCORE).score, xi, scale)
    observed = point.sums["observed"].matrix * scale * scale[:, None]
    assert observed == pytest.approx(-bend * scale * scale[:, None], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("model", ["EEE", "VEV"])
def test_a_result_holds_the_information_that_ended_the_fit(model: str) -> None:
    fit = nf.Mixture("gaussian", 2, model).fit(nf.datasets.load("faithful"), random_state=0, n_init=6)
    chart = free_coordinates(fit.likelihood)(fit.base.params)
    objective = CurvedObjective(fit.model.objective(fit.base), chart)
    point = objective.evaluate(chart.from_home(fit.base.params), LOGLIK | SCORE | OBSERVED | METRIC)
    held, expected = fit.information().matrix_form(), point.sums["observed"].matrix
    scale = 1.0 / np.sqrt(expected.diagonal())
    assert held * scale * scale[:, None] == pytest.approx(expected * scale * scale[:, None], abs=1e-7)


def test_starts_heed_weights() -> None:
    data = nf.datasets.load("london_times")
    block = Block({}, {"y": data["deaths"].to_numpy(float), "weight": data["freq"].to_numpy(float)})
    likelihood = MixtureLikelihood(ExponentialComponents(Poisson(), 2))
    found = short_runs(likelihood, block, 4, np.random.default_rng(0), 4000, 1e-12)
    assert found.loglik[0] == pytest.approx(-1989.945860, abs=1e-5)  # reference/public.json, london_times
    assert (np.diff(found.loglik) <= 0.0).all()


@pytest.mark.parametrize(("family", "covariance"), [("gaussian", "VVV"), ("gaussian", "VEI"), ("gamma", "full")])
def test_units_and_order_of_rows_change_nothing_but_units(family: str, covariance: str) -> None:
    data = nf.datasets.load("faithful")
    y = data.to_numpy() if family == "gaussian" else data["waiting"].to_numpy()
    model = nf.Mixture(family, 2, covariance)
    first = model.fit(y, random_state=0, n_init=6)
    small = model.fit(1e-4 * y, random_state=0, n_init=6)
    columns = 1 if y.ndim == 1 else y.shape[1]
    assert small.llf == pytest.approx(first.llf - len(y) * columns * np.log(1e-4), rel=1e-9)
    assert small.weights.to_numpy() == pytest.approx(first.weights.to_numpy(), rel=1e-6)
    if family == "gaussian":
        assert small.means.to_numpy() == pytest.approx(1e-4 * first.means.to_numpy(), rel=1e-6)
    turned = model.fit(y[::-1].copy(), random_state=1, n_init=6)
    assert turned.llf == pytest.approx(first.llf, rel=1e-9)
    assert turned.bse.to_numpy() == pytest.approx(first.bse.to_numpy(), rel=1e-5, abs=1e-9)
