"""Races: the same start for all, numbers that can be computed by hand, and divergence that is noted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import natfit as nf
from natfit.diagnostics.races.races import Race
from natfit.diagnostics.races.track import PerRow, Watched
from natfit.optimize import Point, gradient_descent, kl_ball, midpoint, natural_gradient, run, scipy_method
from natfit.parametrizations import Affine, from_function

race = nf.diagnostics.race
N = 80
FIVE = ["variance", "precision", "log_sd", "natural", "mean"]


@pytest.fixture(scope="module")
def heights() -> pd.Series:
    return pd.Series(np.random.default_rng(11).normal(0.3, 1.1, N), name="height")


@pytest.fixture(scope="module")
def five(heights: pd.Series) -> Race:
    return race("gaussian", heights, parametrizations=FIVE, optimizers=[gradient_descent(0.1), natural_gradient(0.1)])


@pytest.fixture(scope="module")
def crabs() -> Any:
    return nf.GLM.from_formula("sat ~ width", nf.datasets.load("crabs"), family="poisson")


def only(found: Race, parametrization: str, optimizer: str = "") -> Any:
    chosen = [each for each in found.runs if each.parametrization == parametrization and optimizer in each.optimizer]
    assert len(chosen) == 1
    return chosen[0]


def test_the_record_is_tidy_and_every_run_starts_at_the_same_distribution(five: Race) -> None:
    record = five.record
    assert list(record.columns[:9]) == [
        "iteration", "optimizer", "parametrization", "gap", "decrement", "kl", "passes", "seconds", "params",
    ]  # fmt: skip
    assert list(record.columns[9:]) == ["home_mean", "home_variance"]
    starts = record[record["iteration"] == 0]
    assert len(starts) == 2 * len(FIVE)
    assert np.allclose(starts[["home_mean", "home_variance"]], five.start, rtol=1e-12)
    assert not record.duplicated(["optimizer", "parametrization", "iteration"]).any()


def test_gap_decrement_and_divergence_are_those_of_all_rows(five: Race, heights: pd.Series) -> None:
    mean, variance = heights.mean(), heights.var(ddof=0)
    highest = stats.norm.logpdf(heights, mean, np.sqrt(variance)).sum()
    for _, row in five.record.iloc[::37].iterrows():
        m, v = row["home_mean"], row["home_variance"]
        loglik = stats.norm.logpdf(heights, m, np.sqrt(v)).sum()
        assert row["gap"] == pytest.approx(highest - loglik, rel=1e-8, abs=1e-10)
        score = np.array([(heights - m).sum() / v, (((heights - m) ** 2).sum() - N * v) / (2 * v * v)])
        decrement = score[0] ** 2 * v / N + score[1] ** 2 * 2 * v * v / N
        assert row["decrement"] == pytest.approx(decrement, rel=1e-8, abs=1e-10)
        kl = 0.5 * N * (np.log(variance / v) + v / variance + (m - mean) ** 2 / variance - 1)
        assert row["kl"] == pytest.approx(kl, rel=1e-8, abs=1e-10)


def test_the_default_start_lies_half_a_nat_a_row_from_the_optimum(five: Race) -> None:
    assert five.start_gap == pytest.approx(0.5 * N, rel=1e-9)


def test_steps_are_of_the_average_log_likelihood(five: Race, heights: pd.Series) -> None:
    """Gradient descent by hand in mean and variance; and ten copies of the data make the same path."""
    found = only(five, "variance", "gradient descent")
    theta = five.start.copy()
    for k in range(20):
        assert np.allclose(found.params[k], theta, rtol=1e-10)
        m, v = theta
        theta = theta + 0.1 * np.array([np.mean(heights - m) / v, (np.mean((heights - m) ** 2) - v) / (2 * v * v)])
    options: dict[str, Any] = {
        "parametrizations": "variance",
        "optimizers": gradient_descent(0.1),
        "max_iterations": 20,
    }
    tenfold = race("gaussian", np.tile(heights, 10), start=five.start, **options)
    assert np.allclose(tenfold.runs[0].params, found.params[:21], rtol=1e-9)
    weighted = race("gaussian", heights, start=five.start, freq_weights=np.full(N, 10.0), **options)
    assert np.allclose(weighted.runs[0].gap, tenfold.runs[0].gap, rtol=1e-9)


def test_the_natural_gradients_paths_stay_together_and_gradient_descents_do_not(five: Race) -> None:
    def spread(optimizer: str) -> float:
        gaps = np.array([only(five, name, optimizer).gap[20] for name in FIVE])
        return float(np.ptp(gaps) / gaps.mean())

    assert spread("natural") < 0.2
    assert spread("gradient descent") > 1.0


def test_the_table_says_when_each_arrived(five: Race) -> None:
    table = five.table()
    assert len(table) == 2 * len(FIVE)
    natural = table[table["optimizer"].str.startswith("natural")]
    assert (natural["outcome"] == "converged").all()
    assert (natural["arrived"] + 1 == natural["passes"]).all()
    for _, row in natural.iterrows():
        gap = only(five, row["parametrization"], "natural").gap
        assert (gap[row["arrived"] :] < 1e-6).all()
        assert gap[row["arrived"] - 1] >= 1e-6
    slow = table[(table["parametrization"] == "mean") & table["optimizer"].str.startswith("gradient")].iloc[0]
    assert (slow["outcome"], slow["iterations"], slow["all_passes"]) == ("unfinished", 200, 201)
    assert slow["arrived"] is pd.NA
    assert five.table(within=1.0)["arrived"].dropna().max() < table["arrived"].dropna().max()
    assert "nats" in five.summary()


def test_divergence_is_noted_and_the_race_goes_on(heights: pd.Series) -> None:
    found = race("gaussian", heights, parametrizations=FIVE, optimizers=["gradient_descent:20", "natural_gradient"])
    table = found.table()
    descent = table["optimizer"].str.startswith("gradient")
    assert (table.loc[descent, "diverged"]).any()
    assert (table.loc[~descent, "outcome"] == "converged").all()
    left = only(found, "variance", "gradient descent")
    assert left.reason.startswith("diverged")
    assert np.isfinite(left.home).all()
    assert "led out of the domain" in found.summary()


def test_every_kind_of_optimizer_can_race(heights: pd.Series) -> None:
    class Still:
        name = "stands still"

        def run(self, objective: Any, start: Any, **options: Any) -> Any:
            return natural_gradient().run(objective, start, max_iterations=1)

    racers = [
        natural_gradient(0.5, move=midpoint), natural_gradient(0.5, move=nf.optimize.m_geodesic(nf.families.Gaussian())),
        gradient_descent(), kl_ball(0.5), scipy_method("BFGS"), "nelder_mead", nf.optimize.NaturalGradient(), Still(),
    ]  # fmt: skip
    found = race("gaussian", heights, parametrizations=["variance", "natural"], optimizers=racers)
    assert len(set(found.optimizers)) == len(racers)
    assert "natural gradient, step 0.5, midpoint" in found.optimizers
    table = found.table()
    rest = table[table["optimizer"] != "stands still"]
    assert rest["arrived"].notna().all()
    assert not np.isnan(np.vstack([each.home for each in found.runs])).any()


def test_a_kl_balls_radius_is_of_all_rows(heights: pd.Series) -> None:
    found = race("gaussian", heights, parametrizations=["log_sd", "natural"], optimizers=kl_ball(0.5))
    family = nf.families.Gaussian()
    for each in found.runs:
        assert N * family.kl(each.home[0], each.home[1]) == pytest.approx(0.5, rel=1e-6)
        assert N * family.kl(each.home[3], each.home[4]) == pytest.approx(0.5, rel=1e-6)


class Bowl:
    """-|x|^2 / 2 for ten rows, with two coordinates and the information of ten rows."""

    passes = 0

    def evaluate(self, params: Any, need: int) -> Point:
        self.passes += 1
        sums = {
            "loglik": -5.0 * float(params @ params),
            "score": -10.0 * params,
            "metric": nf.metric.Gram(10.0 * np.eye(2)),
        }
        return Point(params, sums)


def test_iterates_are_told_apart_where_their_log_likelihoods_are_equal() -> None:
    """With a step of 2 gradient descent jumps between x and -x for ever."""
    start = np.array([1.0, 0.5])
    watched = Watched(PerRow(Bowl(), 10.0), start)
    run(gradient_descent(2.0), watched, start, None, 6, watched.note)
    assert np.array_equal(watched.iterates, [start * (-1) ** k for k in range(6)])


def test_an_average_rows_decrement_is_that_of_all_rows() -> None:
    x = np.array([1.0, 0.5])
    whole, average = Bowl().evaluate(x, 0), PerRow(Bowl(), 10.0).evaluate(x, 0)
    assert np.allclose(average.score, -x)
    assert average.loglik == pytest.approx(whole.loglik / 10)
    assert average.decrement == pytest.approx(whole.decrement, rel=1e-14)
    assert np.allclose(average.natural_gradient, whole.natural_gradient)


@pytest.mark.parametrize(
    ("start", "start_in"),
    [([2.0, 4.0], None), ({"mean": 2.0, "sd": 2.0}, "sd"), ([2.0, np.log(2.0)], "log_sd"), ([0.5, -0.125], "natural")],
)
def test_a_start_can_be_given_in_any_parametrization(start: Any, start_in: Any, heights: pd.Series) -> None:
    found = race("gaussian", heights, parametrizations=FIVE, max_iterations=1, start=start, start_in=start_in)
    assert np.allclose([each.home[0] for each in found.runs], [2.0, 4.0])


def test_ones_own_parametrizations_race_too(heights: pd.Series) -> None:
    spread = from_function(
        lambda xi: np.array([xi[0], xi[1] ** 2]), lambda t: np.array([t[0], np.sqrt(t[1])]), names=["mean", "s"],
        at=[1.0, 2.0], contains=lambda xi: xi[1] > 0,
    )  # fmt: skip
    found = race("gaussian", heights, parametrizations={"my own": spread, "sd": "sd"}, optimizers="natural_gradient")
    mine, known = found.runs
    assert mine.parametrization == "my own"
    assert np.allclose(mine.params, known.params, rtol=1e-6)


@pytest.mark.parametrize(
    ("family", "y"),
    [("gamma", [0.5, 1.2, 3.0, 2.2, 0.9]), ("poisson", [0.0, 3.0, 1.0]), ("bernoulli", [0.0, 1.0, 1.0, 1.0]),
     ("beta", [0.2, 0.5, 0.9]), ("dirichlet", np.random.default_rng(1).dirichlet([2.0, 3.0, 4.0], 30)),
     ("von_mises", [0.1, 0.5, -0.7]), ("negative_binomial(alpha=0.5)", [0.0, 3.0, 1.0])],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_any_family_races(family: str, y: Any) -> None:
    found = race(family, y, optimizers=["natural_gradient:0.3", "gradient_descent"])
    natural = found.table().query("optimizer.str.startswith('natural')")
    assert (natural["outcome"] == "converged").all()
    assert 0.0 < found.start_gap < 10.0 * len(y)


def test_affine_coordinates_of_a_distribution_change_no_natural_path(heights: pd.Series) -> None:
    turned = Affine([[2.0, 1.0], [0.0, 3.0]], names=["u", "v"])
    found = race("gaussian", heights, parametrizations={"home": "variance", "turned": turned},
                 optimizers="natural_gradient:0.3")  # fmt: skip
    assert np.allclose(found.runs[0].home[:40], found.runs[1].home[:40], rtol=1e-10)


# -- GLMs


def test_a_glms_coefficients_race_and_affine_coordinates_change_no_natural_path(crabs: Any) -> None:
    curved = from_function(
        lambda xi: np.array([np.sinh(xi[0]), xi[1]]), lambda t: np.array([np.arcsinh(t[0]), t[1]]), names=["a", "b"],
        at=[-1.0, 0.2],
    )  # fmt: skip
    charts = {"coefficients": "coefficients", "scaled": "scaled", "orthogonal": "orthogonal", "curved": curved}
    found = race(crabs, parametrizations=charts, optimizers=["natural_gradient:0.2", "gradient_descent:1e-3"])
    paths = {each.parametrization: each.home[:60] for each in found.runs if each.optimizer.startswith("natural")}
    for name in ("scaled", "orthogonal"):
        assert np.allclose(paths[name], paths["coefficients"], rtol=1e-8)
    assert not np.allclose(paths["curved"], paths["coefficients"], rtol=1e-4)
    descents = [each.home[5] for each in found.runs if each.optimizer.startswith("gradient") and len(each.home) > 5]
    assert len(descents) < 2 or not np.allclose(descents[0], descents[1], rtol=1e-3)
    X, zero = np.asarray(crabs.exog), np.zeros(2)
    scaled, orthogonal = (X @ found.charts[name].jacobian(zero) for name in ("scaled", "orthogonal"))
    assert np.allclose((scaled**2).mean(axis=0), 1.0)
    assert np.allclose(orthogonal.T @ orthogonal / len(X), np.eye(2))
    fit = crabs.fit()
    assert np.allclose(found.field.optimum, fit.params)
    run_ = only(found, "orthogonal", "natural")
    assert run_.gap[-1] < 1e-9


def test_a_glms_gap_is_in_nats_at_its_dispersion() -> None:
    crabs = nf.datasets.load("crabs")
    model = nf.GLM.from_formula("weight ~ width", crabs, family="gaussian")
    fit = model.fit()
    found = race(model, parametrizations=["orthogonal"], optimizers="natural_gradient", start=[0.0, 0.0])
    total = (crabs["weight"] ** 2).sum() - (fit.resid_response**2).sum()
    assert found.start_gap == pytest.approx(total / (2.0 * fit.scale), rel=1e-8)
    assert found.runs[0].decrement[0] == pytest.approx(2.0 * found.start_gap, rel=1e-8)
