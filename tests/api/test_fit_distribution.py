"""`fit_distribution`: any family, in any parametrization, from any kind of table, and what its result can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import natfit as nf
from natfit.data.arrays import ArraySource, BlockSource
from natfit.data.block import Block
from natfit.families import ExponentialFamily, Family
from natfit.families.registry import REGISTRY
from natfit.families.support import REALS
from natfit.likelihoods.distribution import DistributionLikelihood
from natfit.metric import Triangular
from natfit.need import FACTOR, LOGLIK, MEAT, METRIC, OBSERVED, SCORE
from natfit.optimize import Backtracking, NaturalGradient, Optimizer, gradient_descent
from natfit.parametrizations import Composed, Identity, Log, Product, Tied, from_function
from natfit.parametrizations.base import SingularParametrizationError

FAMILIES = [family for family in REGISTRY.examples() if isinstance(family, ExponentialFamily)]
SEEN = 150


def draws(family: Family, n: int = SEEN, example: int = 1) -> np.ndarray:
    return family.sample(family.example_parameters()[example], np.random.default_rng(5), n)


@pytest.fixture(scope="module")
def rain() -> np.ndarray:
    return np.random.default_rng(3).gamma(1.7, 4.0, 80)


# -- the same fit in every parametrization


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_a_refit_in_other_coordinates_is_the_same_fit_shown_in_them(family: ExponentialFamily) -> None:
    y = draws(family)
    home = nf.fit_distribution(family, y)
    for name in family.parametrizations:
        shown, again = home.to(name), nf.fit_distribution(family, y, parametrization=name)
        assert again.converged
        assert shown.llf == home.llf
        assert again.llf == pytest.approx(home.llf, rel=1e-12)
        assert list(shown.names) == list(again.names)
        np.testing.assert_array_less(np.abs(shown.params - again.params) / again.bse, 1e-8)
        np.testing.assert_allclose(shown.bse, again.bse, rtol=1e-8)
        np.testing.assert_allclose(
            shown.cov_params("HC0"), again.cov_params("HC0"), rtol=1e-6, atol=1e-9 * again.bse.max() ** 2
        )


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_from_a_distant_start_the_natural_gradient_finds_the_closed_estimate(family: ExponentialFamily) -> None:
    y = draws(family)
    closed = nf.fit_distribution(family, y)
    for name in (family.home, "natural"):
        start = family.from_home(family.example_parameters()[2], name)
        found = nf.fit_distribution(family, y, parametrization=name, start_params=start)
        assert found.converged
        assert len(found.record) > len(closed.record)
        assert closed.nobs * closed.distribution.kl(found) < 1e-12  # directions come back by whole turns
        assert found.llf == pytest.approx(closed.llf, rel=1e-11)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_at_the_maximum_observed_and_expected_information_are_one(family: ExponentialFamily) -> None:
    fit = nf.fit_distribution(family, draws(family))
    np.testing.assert_allclose(np.diag(fit.cov_params("observed")), np.diag(fit.cov_params("expected")), rtol=1e-7)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_score_and_observed_information_are_derivatives_of_the_log_likelihood(family: ExponentialFamily) -> None:
    likelihood = DistributionLikelihood(family)
    block = Block({}, {"y": draws(family, 12), "freq_weights": np.linspace(0.5, 3.0, 12)})
    theta = family.example_parameters()[0]
    sums = likelihood.evaluate(theta, block, LOGLIK | SCORE | METRIC | OBSERVED | MEAT)
    scale = 1.0 / np.sqrt(np.diag(family.home_fisher(theta)))
    for j, step in enumerate(np.diag(1e-4 * scale)):
        ahead, behind = (likelihood.evaluate(theta + sign * step, block, LOGLIK | SCORE) for sign in (1, -1))
        slope = (ahead["loglik"] - behind["loglik"]) / 2e-4
        assert slope == pytest.approx(sums["score"][j] * scale[j], rel=1e-5, abs=1e-4)
        bend = (behind["score"] - ahead["score"]) * scale / 2e-4
        np.testing.assert_allclose(bend, sums["observed"].matrix[j] * scale * scale[j], rtol=1e-5, atol=1e-4)
    each = family.score(block.columns["y"], theta)
    np.testing.assert_allclose(sums["meat"].matrix, (each.T * block.columns["freq_weights"]) @ each, rtol=1e-10)
    np.testing.assert_allclose(sums["score"], block.columns["freq_weights"] @ each, rtol=1e-8, atol=1e-9 / scale.min())


def test_a_users_own_parametrization_has_its_own_standard_errors(rain: np.ndarray) -> None:
    cv = from_function(
        lambda xi: np.array([xi[0], (xi[0] * xi[1]) ** 2]),
        lambda theta: np.array([theta[0], np.sqrt(theta[1]) / theta[0]]),
        names=["mean", "cv"],
        at=[2.0, 0.5],
    )
    fit = nf.fit_distribution("gaussian", rain, parametrization=cv)
    home = nf.fit_distribution("gaussian", rain)
    mean, variance = home.params
    gradient = np.array([-np.sqrt(variance) / mean**2, 0.5 / (mean * np.sqrt(variance))])
    assert fit.params["cv"] == pytest.approx(rain.std() / rain.mean(), rel=1e-10)
    assert fit.bse["cv"] == pytest.approx(np.sqrt(gradient**2 @ home.bse**2), rel=1e-8)
    assert home.to(cv).bse["cv"] == pytest.approx(fit.bse["cv"], rel=1e-8)


def test_a_parametrization_that_is_singular_at_the_estimate_says_so() -> None:
    cube = from_function(
        lambda xi: np.array([xi[0] ** 3, xi[1]]),
        lambda theta: np.array([np.cbrt(theta[0]), theta[1]]),
        lambda xi: np.diag([3 * xi[0] ** 2, 1.0]),
        names=["root", "variance"],
        at=[1.0, 1.0],
    )
    with pytest.raises(SingularParametrizationError, match="singular at"):
        nf.fit_distribution("gaussian", [-1.0, 1.0], parametrization=cube)
    with pytest.raises(SingularParametrizationError, match="singular at"):
        nf.fit_distribution("gaussian", [-1.0, 1.0]).to(cube)


def test_an_estimate_that_the_parametrization_does_not_reach_is_told() -> None:
    positive = Product(Log(["log_mean"]), Identity(["variance"]))
    with pytest.raises(ValueError, match="lies outside the parametrization log_mean, variance"):
        nf.fit_distribution("gaussian", [-3.0, -1.0], parametrization=positive)


# -- rows, weights, units, blocks


def test_the_order_of_rows_does_not_matter(rain: np.ndarray) -> None:
    fit = nf.fit_distribution("gamma", rain, cov_type="HC0")
    other = nf.fit_distribution("gamma", np.random.default_rng(0).permutation(rain), cov_type="HC0")
    np.testing.assert_allclose(other.params, fit.params, rtol=1e-12)
    np.testing.assert_allclose(other.bse, fit.bse, rtol=1e-10)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_a_weight_is_a_repetition(family: ExponentialFamily) -> None:
    y, times = draws(family, 40, 0), np.random.default_rng(1).integers(0, 4, 40)
    weighted = nf.fit_distribution(family, y, freq_weights=times)
    repeated = nf.fit_distribution(family, np.repeat(y, times, axis=0))
    assert weighted.nobs == repeated.nobs == times.sum()
    assert weighted.llf == pytest.approx(repeated.llf, rel=1e-11)
    np.testing.assert_allclose(weighted.params, repeated.params, rtol=1e-9, atol=1e-9 * repeated.bse.max())
    for kind in ("expected", "observed", "HC0"):
        ours, theirs = weighted.cov_params(kind), repeated.cov_params(kind)
        np.testing.assert_allclose(np.diag(ours), np.diag(theirs), rtol=1e-7)


@pytest.mark.parametrize(
    "family",
    [
        "gaussian",
        "gamma",
        "inverse_gaussian",
        "exponential",
        "inverse_gamma",
        "rayleigh",
        "lognormal",
        "laplace",
        "weibull(1.5)",
    ],
)
def test_a_change_of_units_changes_nothing_else(family: str, rain: np.ndarray) -> None:
    for unit in (1e-6, 1e7):
        fit, other = nf.fit_distribution(family, rain), nf.fit_distribution(family, rain * unit)
        assert other.llf == pytest.approx(fit.llf - rain.size * np.log(unit), rel=1e-10)
        sampled, again = (each.distribution.sample(5, rng=2) for each in (fit, other))
        np.testing.assert_allclose(again, sampled * unit, rtol=1e-6)
        z, z_again = (each.to("natural").tvalues.iloc[-1] for each in (fit, other))
        if family != "lognormal":
            assert z_again == pytest.approx(z, rel=1e-6)


def test_units_leave_the_path_as_it_is() -> None:
    y = np.random.default_rng(8).logistic(3.0, 2.0, 100)
    start = np.array([0.0, 1.0])
    paths = [
        nf.fit_distribution(Logistic(), y * unit, start_params=start * unit).record["decrement"][:4]
        for unit in (1.0, 1e5)
    ]
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-6)


@pytest.mark.parametrize("family", ["gamma", "gaussian", "multivariate_normal"])
def test_blocks_from_a_generator_give_the_same_fit(family: str, rain: np.ndarray) -> None:
    y = rain if family != "multivariate_normal" else rain.reshape(-1, 2)
    freq = np.linspace(0.5, 2.0, len(y))

    def blocks() -> Iterator[Block]:
        for start in range(0, len(y), 17):
            rows = slice(start, start + 17)
            yield Block({}, {"y": y[rows], "freq_weights": freq[rows]})

    whole = nf.fit_distribution(family, y, freq_weights=freq, cov_type="HC0")
    for source in (
        BlockSource(blocks),
        ArraySource(Block({}, {"y": y, "freq_weights": freq}), n_jobs=2, block_rows=11),
    ):
        streamed = nf.fit_distribution(family, source, cov_type="HC0")
        np.testing.assert_allclose(streamed.params, whole.params, rtol=1e-10)
        np.testing.assert_allclose(streamed.bse, whole.bse, rtol=1e-8)
        assert streamed.llf == pytest.approx(whole.llf, rel=1e-12)
        assert streamed.nobs == pytest.approx(whole.nobs)


def test_a_stream_of_numbers_that_hardly_differ() -> None:
    y = 1e9 + np.random.default_rng(4).normal(size=60)
    blocks = [Block({}, {"y": half}) for half in (y[:30], y[30:])]
    streamed = nf.fit_distribution("gaussian", BlockSource(lambda: iter(blocks)))
    assert streamed.params["variance"] == pytest.approx(y.var(), rel=1e-9)
    with pytest.raises(ValueError, match="no column 'y'; they have x"):
        nf.fit_distribution("gaussian", BlockSource(lambda: iter([Block({}, {"x": y})])))
    with pytest.raises(ValueError, match="carries its own columns"):
        nf.fit_distribution("gaussian", BlockSource(lambda: iter(blocks)), freq_weights=y)


def test_outside_the_domain_the_likelihood_is_minus_infinity_and_its_sums_merge(rain: np.ndarray) -> None:
    likelihood = DistributionLikelihood(nf.families.Gamma())
    block = Block({}, {"y": rain})
    need = LOGLIK | SCORE | METRIC | OBSERVED | MEAT
    for theta in ([-1.0, 1.0], [np.nan, 1.0], [np.inf, 1.0], [1.0, 1e-320], [1.0, 1e200]):
        for more in (0, FACTOR):
            sums = likelihood.evaluate(np.array(theta), block, need | more)
            assert sums["loglik"] == -np.inf
            inside = likelihood.evaluate(np.array([1.0, 1.0]), block, need | more)
            assert inside.merge(sums)["loglik"] == -np.inf
    held = likelihood.evaluate(np.array([2.0, 3.0]), block, LOGLIK | METRIC | FACTOR)["metric"]
    assert isinstance(held, Triangular)
    np.testing.assert_allclose(held.matrix_form(), rain.size * nf.families.Gamma().fisher([2.0, 3.0]), rtol=1e-12)


# -- a family that is not exponential


class Logistic(Family):
    """Location and scale of a logistic law: what a user writes for a family that is not exponential."""

    name = "logistic"
    home = "location_scale"
    parameter_names = ("location", "scale")
    support = REALS

    def contains(self, theta: np.ndarray) -> Any:
        return np.isfinite(theta).all(axis=-1) & (theta[..., 1] > 0)

    def home_log_prob(self, y: np.ndarray, theta: np.ndarray) -> np.ndarray:
        z = np.abs(y - theta[..., 0]) / theta[..., 1]
        return -z - 2 * np.log1p(np.exp(-z)) - np.log(theta[..., 1])

    def home_score(self, y: np.ndarray, theta: np.ndarray) -> np.ndarray:
        z = (y - theta[..., 0]) / theta[..., 1]
        return np.stack([np.tanh(z / 2), z * np.tanh(z / 2) - 1], axis=-1) / theta[..., 1:]

    def home_fisher(self, theta: np.ndarray) -> np.ndarray:
        return np.diag([1 / 3, (3 + np.pi**2) / 9]) / theta[..., 1, None, None] ** 2

    def home_sample(self, theta: np.ndarray, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.logistic(theta[..., 0], theta[..., 1], shape)

    def example_parameters(self) -> np.ndarray:
        return np.array([[0.0, 1.0], [3.0, 0.5]])

    def conventional_parametrizations(self) -> Any:
        return {"log_scale": Product(Identity(["location"]), Log(["log_scale"]))}


@pytest.mark.parametrize("parametrization", [None, "log_scale"])
@pytest.mark.parametrize(("location", "scale"), [(0.0, 1.0), (1000.0, 5.0), (-3.0, 200.0)])
def test_a_users_family_is_fitted_from_a_start_however_far(
    parametrization: str | None, location: float, scale: float
) -> None:
    y = np.random.default_rng(6).logistic(location, scale, 200)
    fit = nf.fit_distribution(Logistic(), y, parametrization=parametrization)
    assert fit.converged
    assert fit.record["metric"].iloc[-1] == "observed"
    np.testing.assert_allclose(fit.home_params, stats.logistic.fit(y), rtol=1e-6)
    assert fit.llf >= stats.logistic.logpdf(y, *stats.logistic.fit(y)).sum() - 1e-9
    np.testing.assert_allclose(
        fit.to(None).bse, np.sqrt([3, 9 / (3 + np.pi**2)]) * fit.home_params["scale"] / np.sqrt(200)
    )


def test_a_million_scales_from_the_start_the_steps_still_arrive() -> None:
    y = 1e6 + np.random.default_rng(6).logistic(0.0, 0.01, 200)
    fit = nf.fit_distribution(Logistic(), y)
    assert fit.params["location"] == pytest.approx(np.median(y), abs=0.01)
    near = nf.fit_distribution(Logistic(), y, start_params={"scale": 0.02, "location": 1e6})
    assert len(near.record) < len(fit.record)
    np.testing.assert_allclose(fit.params - near.params, 0.0, atol=1e-7)


def test_the_law_of_a_users_family_answers_by_quadrature() -> None:
    y = np.random.default_rng(6).logistic(2.0, 3.0, 100)
    fit = nf.fit_distribution(Logistic(), y)
    scipys = stats.logistic(*fit.home_params)
    law = fit.distribution
    assert law.mean() == pytest.approx(scipys.mean(), rel=1e-9)
    assert law.var() == pytest.approx(scipys.var(), rel=1e-9)
    assert law.entropy() == pytest.approx(scipys.entropy(), rel=1e-9)
    assert law.kl(fit) == pytest.approx(0.0, abs=1e-12)
    other = nf.fit_distribution(Logistic(), y + 1.0)
    sums = fit.base.likelihood.kl(fit.base.home, other.base.home, Block({}, {"y": y}))
    assert sums["kl"] == pytest.approx(100 * law.kl(other))
    assert law.kl(other) > 0


def test_a_family_may_say_where_to_start() -> None:
    asked = []

    class Moments(Logistic):
        def starting_parameters(self, y: np.ndarray, freq_weights: np.ndarray | None) -> np.ndarray:
            asked.append(freq_weights)
            return np.array([np.average(y, weights=freq_weights), y.std() * np.sqrt(3) / np.pi])

    y = 1e6 + np.random.default_rng(6).logistic(0.0, 0.01, 50)
    fit = nf.fit_distribution(Moments(), y, freq_weights=np.ones(50))
    assert len(fit.record) < 10
    assert asked[0].sum() == 50


def test_observed_information_and_sandwich_of_a_users_family() -> None:
    y = np.random.default_rng(6).logistic(2.0, 3.0, 60)
    fit = nf.fit_distribution(Logistic(), y, parametrization="log_scale", cov_type="HC0")
    location, scale = fit.home_params
    z = (y - location) / scale
    tanh, sech = np.tanh(z / 2), 1 / np.cosh(z / 2) ** 2
    rows = np.column_stack([tanh / scale, z * tanh - 1])
    hessian = np.array(
        [
            [sech.sum() / (2 * scale**2), (tanh + z * sech / 2).sum() / scale],
            [(tanh + z * sech / 2).sum() / scale, (z * tanh + z**2 * sech / 2).sum()],
        ]
    )
    np.testing.assert_allclose(fit.cov_params("observed"), np.linalg.inv(hessian), rtol=1e-6, atol=1e-9)
    sandwich = np.linalg.inv(hessian) @ (rows.T @ rows) @ np.linalg.inv(hessian)
    np.testing.assert_allclose(fit.cov_params(), sandwich, rtol=1e-6, atol=1e-9)


# -- held and tied parameters


def test_a_held_parameter_and_its_reflection_in_other_coordinates(rain: np.ndarray) -> None:
    fit = nf.fit_distribution("gamma", rain, parametrization="mean_shape", fixed={"shape": 2.0})
    assert list(fit.params.index) == ["mean"]
    assert fit.params["mean"] == pytest.approx(rain.mean(), rel=1e-10)
    assert fit.bse["mean"] == pytest.approx(rain.mean() / np.sqrt(2.0 * rain.size), rel=1e-10)
    assert fit.df == 1
    assert fit.aic == pytest.approx(2 - 2 * stats.gamma.logpdf(rain, 2.0, scale=rain.mean() / 2).sum())
    shown = fit.to("shape_rate")
    assert shown.bse["shape"] == 0.0
    assert shown.params["shape"] == pytest.approx(2.0, rel=1e-12)
    assert shown.bse["rate"] == pytest.approx(2.0 / rain.mean() ** 2 * fit.bse["mean"], rel=1e-9)
    assert shown.llf == fit.llf < nf.fit_distribution("gamma", rain).llf
    assert "Held while fitting: shape = 2 (mean_shape)" in str(fit.summary())


@pytest.mark.parametrize(
    ("family", "parametrization", "fixed"),
    [
        ("gamma", "shape_rate", {"rate": 0.5}),
        ("gamma", "mean_dispersion", {"mean": 5.0}),
        ("gaussian", "sd", {"sd": 1.0}),
        ("gaussian", "natural", {"eta[y^2]": -0.25}),
        ("gaussian", "mean", {"E[y]": 2.0}),
        ("gaussian", "mean", {"E[y^2]": 90.0}),  # a curved line of home parameters
        ("beta", "mean_precision", {"mean": 0.4}),
        ("inverse_gaussian", "mean_dispersion", {"dispersion": 0.2}),
        (Logistic(), "log_scale", {"log_scale": 0.7}),
    ],
)
def test_a_held_fit_is_the_maximum_along_its_line(
    family: Any, parametrization: str, fixed: dict[str, float], rain: np.ndarray
) -> None:
    y = rain / (rain.max() + 1) if family == "beta" else rain
    fit = nf.fit_distribution(family, y, parametrization=parametrization, fixed=fixed, cov_type="OIM")
    assert fit.converged
    chart = fit.family.parametrization(parametrization)

    def loss(xi: float) -> float:
        full = np.array([fixed.get(name, xi) for name in chart.names])
        return -float(fit.family.log_prob(y, full, chart).sum())

    here, spread = fit.params.iloc[0], fit.bse.iloc[0]
    best = optimize.minimize_scalar(loss, bracket=(here - 0.5 * spread, here + 0.4 * spread), tol=1e-10)
    assert here == pytest.approx(best.x, abs=1e-6 * spread)
    step = 0.01 * spread
    bend = (loss(here + step) - 2 * loss(here) + loss(here - step)) / step**2
    assert spread == pytest.approx(1 / np.sqrt(bend), rel=1e-3)


def test_data_without_an_estimate_have_one_where_enough_is_held() -> None:
    fit = nf.fit_distribution("gaussian", [5.0, 5.0, 5.0], fixed={"variance": 3.0})
    assert fit.params["mean"] == pytest.approx(5.0)
    assert fit.bse["mean"] == pytest.approx(1.0)


def test_tied_parameters() -> None:
    y = np.random.default_rng(2).beta(2.5, 2.5, 90)
    tied = nf.fit_distribution("beta", y, parametrization=Tied(["a", "b"], {"both": ["a", "b"]}))
    assert list(tied.params.index) == ["both"]
    shown = tied.to("mean_precision")
    assert shown.params["mean"] == pytest.approx(0.5)
    assert shown.bse["mean"] == pytest.approx(0.0, abs=1e-12)
    assert shown.params["precision"] == pytest.approx(2 * tied.params["both"])
    logged = tied.to(Composed(Tied(["a", "b"], {"both": ["a", "b"]}), Log(["log_both"])))
    assert logged.bse["log_both"] == pytest.approx(tied.bse["both"] / tied.params["both"], rel=1e-10)
    free = nf.fit_distribution("beta", y)
    assert free.llf > tied.llf
    with pytest.raises(ValueError, match="theta = A xi"):
        free.to(Tied(["a", "b"], {"both": ["a", "b"]}))


def test_a_fit_does_not_show_in_coordinates_that_hold_what_it_left_free() -> None:
    line = from_function(lambda xi: np.array([xi[0], xi[0] ** 2]), lambda theta: theta[:1], names=["mean"], at=[2.0])
    free = nf.fit_distribution("gaussian", [1.0, 3.0, 1.0, 3.0, 0.0, 4.0])
    assert free.params["variance"] == pytest.approx(2.0)  # not on the line
    with pytest.raises(ValueError, match="needs home parameters that some coordinates map to"):
        free.to(line)
    on = nf.fit_distribution("gaussian", [0.0, 4.0, 0.0, 4.0])  # mean 2, variance 4: on it by chance
    with pytest.raises(ValueError, match="holds directions along which this fit was free"):
        on.to(line)


# -- optimizers


def test_an_optimizer_is_exchanged(rain: np.ndarray) -> None:
    best = nf.fit_distribution("gamma", rain, parametrization="log_shape_log_rate")
    options: dict[str, Any] = {"parametrization": "log_shape_log_rate", "start_params": [0.0, 0.0]}
    plain = nf.fit_distribution("gamma", rain, optimizer=gradient_descent(), maxiter=3000, **options)
    assert plain.converged
    assert set(plain.record["metric"]) == {"euclidean"}
    assert "gradient" in str(plain.summary())
    rule = Optimizer(NaturalGradient("observed"), Backtracking())
    newton = nf.fit_distribution("gamma", rain, optimizer=rule, **options)
    natural = nf.fit_distribution("gamma", rain, **options)
    assert len(plain.record) > 5 * len(natural.record)
    for fit in (plain, newton, natural):
        np.testing.assert_allclose(fit.params, best.params, atol=3e-6 * best.bse.max())


def test_a_fit_that_did_not_converge_says_so(rain: np.ndarray) -> None:
    with pytest.warns(nf.ConvergenceWarning, match="no convergence within 1 iterations"):
        fit = nf.fit_distribution("gamma", rain, start_params=[1.0, 3.0], maxiter=1)
    assert not fit.converged
    assert "NOT CONVERGED" in str(fit.summary())
    loose = nf.fit_distribution("gamma", rain, start_params=[1.0, 1.0], tol=1.0)
    assert loose.converged


def test_the_record_tells_the_full_likelihood(rain: np.ndarray) -> None:
    fit = nf.fit_distribution("gamma", rain, start_params=[1.0, 1.0])
    assert fit.record["loglik"].iloc[0] == pytest.approx(stats.gamma.logpdf(rain, 1.0).sum())
    assert fit.record["loglik"].is_monotonic_increasing
    assert fit.llf == pytest.approx(stats.gamma.logpdf(rain, fit.params["shape"], scale=1 / fit.params["rate"]).sum())


# -- data of every kind


def test_a_column_is_a_column_whatever_the_table(rain: np.ndarray) -> None:
    polars = pytest.importorskip("polars")
    frame = pd.DataFrame({"mm": rain, "days": np.arange(rain.size) % 3}, index=np.arange(rain.size)[::-1])
    fits = [
        nf.fit_distribution("gamma", frame["mm"], freq_weights=frame["days"]),
        nf.fit_distribution("gamma", "mm", freq_weights="days", data=frame),
        nf.fit_distribution("gamma", "mm", freq_weights="days", data=polars.from_pandas(frame)),
        nf.fit_distribution("gamma", frame[["mm"]], freq_weights=list(frame["days"])),
        nf.fit_distribution(nf.families.Gamma, polars.Series("mm", rain), freq_weights=frame["days"].to_numpy()),
        nf.fit_distribution(nf.families.Gamma(), list(rain), freq_weights=frame["days"].to_numpy()),
    ]
    for fit in fits:
        assert list(fit.params) == list(fits[0].params)
        assert fit.nobs == frame["days"].sum()
    assert "mm" in str(fits[1].summary())


def test_the_dimension_is_taken_from_the_observations() -> None:
    iris = nf.datasets.load("iris")
    names = list(iris.columns[:3])
    fit = nf.fit_distribution("multivariate_normal", names, data=iris, parametrization="log_cholesky")
    assert fit.family.dim == 3
    np.testing.assert_allclose(fit.home_params[:3], iris[names].mean(), rtol=1e-10)
    with pytest.raises(ValueError, match=r"one observation of shape \(2,\)"):
        nf.fit_distribution(nf.families.MultivariateNormal(2), iris[names])
    shares = iris[names].div(iris[names].sum(axis=1), axis=0)
    assert nf.fit_distribution("dirichlet", shares).family.dim == 3
    matrices = nf.families.Wishart(2).sample([5.0, 1.0, 0.3, 2.0], np.random.default_rng(0), 30)
    assert nf.fit_distribution("wishart", matrices).family.dim == 2


def test_missing_rows_are_dropped_where_that_is_wanted(rain: np.ndarray) -> None:
    holes = rain.copy()
    holes[[3, 50]] = np.nan
    weights = np.ones(rain.size)
    weights[7] = np.nan
    fit = nf.fit_distribution("gamma", holes, freq_weights=weights, missing="drop")
    again = nf.fit_distribution("gamma", np.delete(rain, [3, 7, 50]))
    np.testing.assert_allclose(fit.params, again.params, rtol=1e-12)
    assert "3 row(s) with missing values were dropped" in str(fit.summary())
    holes[9] = -1.0
    with pytest.raises(ValueError, match=r"1 of 80 observations of y are outside \(rows 9;"):
        nf.fit_distribution("gamma", holes, missing="drop")


FRAME = {"mm": [1.0, 2.0, 3.0], "city": ["a", "b", "c"]}
BAD: list[tuple[dict[str, Any], str]] = [
    ({"family": "gama"}, "unknown family 'gama'; did you mean 'gamma'"),
    ({"family": "tweedie"}, "tweedie is no family with parameters of its own"),
    ({"family": "weibull"}, "missing 1 required positional argument: 'shape'"),
    ({"family": "gaussian", "y": np.ones((3, 2))}, r"needs one number for each row, but y has shape \(3, 2\)"),
    ({"y": []}, "there are no rows to fit"),
    ({"y": 3.0}, r"y has shape \(\)"),
    ({"y": ["a", "b"]}, "'y' holds text, not numbers; code it"),
    ({"y": [1.0, 0.0, 2.0]}, r"gamma needs positive numbers, but 1 of 3 observations of y are outside \(rows 1"),
    ({"y": [1.0, np.nan, 2.0]}, r"missing values in 'y': 1 row \(1\)"),
    ({"y": [1.0, np.inf, 2.0]}, r"'y' has infinite values in 1 row \(1\)"),
    ({"y": [np.nan, np.nan], "missing": "drop"}, "all 2 have a missing value"),
    ({"y": [2.0, 2.0, 2.0]}, "gamma has no maximum-likelihood estimate for y"),
    ({"missing": "maybe"}, "missing must be 'drop', 'raise' or 'none'"),
    ({"y": "mmm", "data": FRAME}, "no column 'mmm'; did you mean 'mm'"),
    ({"y": "city", "data": FRAME}, "'city' holds text"),
    ({"y": "mm"}, "names a column, and there is no data"),
    ({"y": np.ones(3), "data": FRAME}, "with data=, y must name a column"),
    ({"freq_weights": "days"}, "freq_weights='days' names a column"),
    ({"freq_weights": [1, 2]}, "'freq_weights' has 2 rows and 'y' has 3"),
    ({"freq_weights": [1, -2, 1]}, "'freq_weights' must not be negative"),
    ({"freq_weights": [0, 0, 0]}, "'freq_weights' is zero in all 3 rows"),
    ({"parametrization": "mean_sd"}, "gamma has no parametrization 'mean_sd'; there are shape_rate, shape_scale"),
    ({"parametrization": Identity(["a"])}, "gamma has 2 home parameters"),
    ({"fixed": {"shap": 1.0}}, "no parameter 'shap' to hold .* did you mean 'shape'"),
    ({"fixed": {"shape": -1.0}}, "no start was found for gamma with free parameters rate"),
    ({"fixed": {"shape": "two"}}, "fixed must give a finite number for 'shape'"),
    ({"fixed": {"shape": 1.0, "rate": 1.0}}, "nothing is left to fit"),
    ({"start_params": [-1.0, 1.0]}, r"start_params \(shape=-1, rate=1\) lie outside the domain of gamma"),
    ({"start_params": [1.0]}, "one number for each of shape, rate"),
    ({"start_params": {"shape": 1.0}}, "but lacks rate"),
    ({"start_params": {"shape": 1.0, "rte": 1.0}}, "start_params has 'rte'.*did you mean 'rate'"),
    ({"start_params": [1e300, 1e-300]}, "no finite log-likelihood, or no information, at the start"),
    ({"cov_type": "HC7"}, "unknown cov_type 'HC7'"),
    ({"tol": -1.0}, "tolerance on the decrement must be greater than 0"),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_bad_input_is_refused_in_one_sentence(given: dict[str, Any], message: str) -> None:
    arguments = {"family": "gamma", "y": [1.0, 2.0, 4.0], **given}
    with pytest.raises(ValueError, match=message):
        nf.fit_distribution(arguments.pop("family"), arguments.pop("y"), **arguments)


def test_what_is_no_family_or_optimizer_is_refused() -> None:
    with pytest.raises(TypeError, match="a family is given by name"):
        nf.fit_distribution(3.0, [1.0, 2.0])
    with pytest.raises(ValueError, match="unknown optimizer 'sgd': choose one of gradient_descent"):
        nf.fit_distribution("gamma", [1.0, 2.0], optimizer="sgd")


# -- what a result can be asked


def test_intervals_tests_and_sandwich_of_a_gaussian(rain: np.ndarray) -> None:
    fit = nf.fit_distribution("gaussian", rain, cov_type="HC0")
    n, variance = rain.size, rain.var()
    moments = np.array([(rain - rain.mean()) ** k for k in (3, 4)]).mean(axis=1)
    covariance = np.array([[variance, moments[0]], [moments[0], moments[1] - variance**2]]) / n
    np.testing.assert_allclose(fit.cov_params(), covariance, rtol=1e-8)
    np.testing.assert_allclose(
        fit.cov_params("expected"), np.diag([variance, 2 * variance**2]) / n, rtol=1e-10, atol=1e-12
    )
    width = stats.norm.ppf(0.95) * fit.bse
    np.testing.assert_allclose(fit.conf_int(0.1)[1], fit.params + width, rtol=1e-12)
    assert fit.conf_int(cols=[1]).index.tolist() == ["variance"]
    wald = fit.wald_test("mean = 5", scalar=True)
    assert wald.statistic == pytest.approx((rain.mean() - 5.0) ** 2 / fit.bse["mean"] ** 2)
    assert fit.t_test(np.eye(2)).effect == pytest.approx(fit.params.to_numpy())


def test_p_values_only_where_zero_is_a_value_that_the_parameter_can_have(rain: np.ndarray) -> None:
    fit = nf.fit_distribution("gaussian", rain)
    assert fit.pvalues["mean"] == pytest.approx(2 * stats.norm.sf(fit.zvalues["mean"]))
    assert np.isnan(fit.pvalues["variance"])
    assert np.isfinite(fit.to("log_sd").pvalues["log_sd"])
    assert nf.fit_distribution("gamma", rain).pvalues.isna().all()
    assert "P>|z|" not in str(fit.summary())
    assert "P>|z|" in str(fit.summary(pvalues=True))


def test_the_table_says_what_was_done(rain: np.ndarray) -> None:
    fit = nf.fit_distribution("gamma", pd.Series(rain, name="mm"), parametrization="mean_shape")
    table = str(fit.to("shape_rate").summary())
    for part in (
        "mm",
        "Gamma",
        "shape_rate",
        "fitted as mean_shape",
        "Stopped",
        "standard errors from",
        "expected Fisher",
    ):
        assert part in table
    assert f"{fit.to('shape_rate').params['rate']:.3f}" in table
    assert "natural gradient" in fit.summary().as_html()


def test_the_fitted_law(rain: np.ndarray) -> None:
    fit = nf.fit_distribution("gamma", rain, parametrization="mean_shape")
    law, scipys = fit.distribution, stats.gamma(fit.params["shape"], scale=fit.params["mean"] / fit.params["shape"])
    np.testing.assert_allclose(law.log_prob([1.0, 2.0]), scipys.logpdf([1.0, 2.0]))
    assert law.log_prob(-1.0) == -np.inf
    assert (law.mean(), law.var()) == pytest.approx((scipys.mean(), scipys.var()))
    assert law.entropy() == pytest.approx(scipys.entropy())
    assert law.sample(7, rng=1).shape == (7,)
    assert law.params("mean_shape") == pytest.approx(dict(fit.params))
    exponential = nf.fit_distribution("gamma", rain, parametrization="mean_shape", fixed={"shape": 1.0})
    gap = fit.llf - exponential.llf  # at a maximum of a full exponential family n KL is the gap in log-likelihood
    assert rain.size * law.kl(exponential) == pytest.approx(gap, rel=1e-9)
    with pytest.raises(ValueError, match=r"another distribution of the family Gamma\(\)"):
        law.kl(nf.fit_distribution("gaussian", rain))


@pytest.mark.parametrize(
    ("family", "theta", "scipys"),
    [
        (nf.families.Pareto(minimum=1.0), [2.5], stats.pareto(2.5)),
        (nf.families.Pareto(minimum=1.0), [1.5], stats.pareto(1.5)),
        (nf.families.Pareto(minimum=1.0), [0.9], stats.pareto(0.9)),
        (nf.families.InverseGamma(), [3.0, 2.0], stats.invgamma(3.0, scale=2.0)),
        (nf.families.InverseGamma(), [1.5, 2.0], stats.invgamma(1.5, scale=2.0)),
        (nf.families.LogNormal(), [0.5, 0.8], stats.lognorm(np.sqrt(0.8), scale=np.exp(0.5))),
        (nf.families.Weibull(shape=0.7), [2.0], stats.weibull_min(0.7, scale=2.0)),
        (nf.families.Poisson(), [3.5], stats.poisson(3.5)),
    ],
    ids=lambda value: "" if hasattr(value, "rvs") else str(value),
)
def test_mean_and_variance_also_where_they_are_infinite(family: Family, theta: list[float], scipys: Any) -> None:
    from natfit.results.frozen import FrozenDistribution

    law = FrozenDistribution(family, theta)
    assert law.mean() == pytest.approx(scipys.mean(), rel=1e-8)
    assert law.var() == pytest.approx(scipys.var(), rel=1e-7)
