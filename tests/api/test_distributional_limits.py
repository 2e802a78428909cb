"""Distributional fits without a maximum: a simpler family, separated classes, responses fitted exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import natfit as nf
from natfit.families import distributional

FIT = nf.DistributionalRegression.from_formula


def reason_of(formula: str, data: pd.DataFrame, family: str) -> str:
    with pytest.warns(nf.ConvergenceWarning):
        fit = FIT(formula, data, family).fit()
    assert not fit.converged
    assert f"NOT CONVERGED: {fit.reason}" in str(fit.summary())
    return fit.reason


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    narrow = rng.binomial(8, 0.5, 400)
    return pd.DataFrame(
        {
            "positive": narrow + 1,
            "spread": 1 + rng.poisson(4.0 * rng.gamma(1.0, size=400)),
            "narrow": np.maximum(narrow, 1),
            "inflated": np.where(rng.uniform(size=400) < 0.4, 0, narrow + 1),
            "hits": 4 + np.arange(400) % 2,
        }
    )


@pytest.mark.parametrize(
    ("response", "family", "simpler"),
    [
        ("positive", "hurdle_poisson", "zero_truncated_poisson"),
        ("spread", "hurdle_negative_binomial", "zero_truncated_negative_binomial"),
        ("inflated", "hurdle_negative_binomial", "hurdle_poisson"),
        ("inflated", "zero_inflated_negative_binomial", "zero_inflated_poisson"),
        ("narrow", "zero_truncated_negative_binomial", "zero_truncated_poisson"),
    ],
)
def test_the_simpler_family_is_named(counts: pd.DataFrame, response: str, family: str, simpler: str) -> None:
    assert reason_of(f"{response} ~ 1", counts, family).endswith(f"fit family={simpler!r} instead")
    FIT(f"{response} ~ 1", counts, simpler).fit()  # the remedy serves: no warning


@pytest.mark.parametrize("family", [f for f in map(distributional.get, distributional.names()) if f.simpler], ids=repr)
def test_simpler_families_exist_and_have_one_parameter_less(family: distributional.DistributionalFamily) -> None:
    for name, side, _, simpler in family.simpler:
        assert name in family.parameter_names
        assert side in ("low", "high")
        assert distributional.get(simpler).K < family.K


def test_a_binomial_is_one_of_glms(counts: pd.DataFrame) -> None:
    data = counts.assign(misses=8 - counts["hits"])
    assert reason_of("hits + misses ~ 1", data, "beta_binomial").endswith("fit nf.GLM with family='binomial' instead")


@pytest.fixture(scope="module")
def classes() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    grade = rng.integers(0, 3, 300)
    # nobody of group v has the highest grade: its log-odds there have no estimate
    return pd.DataFrame({"grade": grade, "group": np.where(grade == 2, "u", rng.choice(["u", "v"], 300))})


@pytest.mark.parametrize(
    ("family", "predictor"),
    [
        ("multinomial", "log P(2) / P(0)"),
        ("adjacent_category", "log P(2) / P(1)"),
        ("continuation_ratio", "logit P(Y>1 | Y>=1)"),
    ],
)
def test_separated_classes_are_told(classes: pd.DataFrame, family: str, predictor: str) -> None:
    assert reason_of("grade ~ group", classes, family).startswith(f"{predictor} runs to -infinity in ")


def test_classes_told_apart_entirely() -> None:
    x = np.linspace(-2.0, 2.0, 60)
    data = pd.DataFrame({"x": x, "grade": np.digitize(x, [-0.5, 0.5])})
    for family in ("multinomial", "cumulative", "adjacent_category", "continuation_ratio"):
        assert "have no maximum-likelihood estimate" in reason_of("grade ~ x", data, family)


def test_a_rate_at_zero_is_told() -> None:
    ones = pd.DataFrame({"y": np.ones(50)})
    assert reason_of("y ~ 1", ones, "zero_truncated_poisson").startswith("rate runs to 0 in ")


@pytest.mark.parametrize("family", ["gaussian", "student_t", "logistic", "gumbel", "lognormal", "weibull", "beta"])
@pytest.mark.parametrize("unit", [1.0, 1e-4])
def test_responses_fitted_exactly_are_told(family: str, unit: float) -> None:
    x = np.linspace(0.1, 0.8, 30)
    y = np.exp(x) if family in ("lognormal", "weibull") else 1.0 / (1.0 + np.exp(-x)) if family == "beta" else 1.0 + x
    data = pd.DataFrame({"x": x, "y": y if family == "beta" else unit * y})
    assert "fits every response exactly" in reason_of("y ~ x", data, family)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_a_close_fit_is_none_of_these(unit: float) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=100)
    close = pd.DataFrame({"x": x, "y": unit * (5.0 + x + 1e-5 * rng.normal(size=100))})
    assert FIT("y ~ x | x", close, "gaussian").fit().converged


def test_small_samples_and_certain_rows_are_none_of_these() -> None:
    # predictors far out, but known: a probability of 1e-10 in some rows is no separation
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(size=400), [12.0, 14.0]])
    inflated = rng.uniform(size=402) < 1.0 / (1.0 + np.exp(2.0 * x))
    data = pd.DataFrame({"x": x, "y": np.where(inflated, 0, rng.poisson(4.0, 402))})
    fit = FIT("y ~ 1 | x", data, "zero_inflated_poisson").fit()
    assert fit.predict(what="inflation").min() < 1e-10
    assert fit.converged


def test_a_concentration_that_runs_to_infinity_at_one_direction_is_named() -> None:
    # directions without a law: a concentration of 0 costs nothing in all rows but one
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"]).assign(y=rng.uniform(-np.pi, np.pi, 60))
    reason = reason_of("y ~ a + b + c | a + b + c", data, "von_mises")
    assert reason.startswith("concentration runs to infinity in ")
    assert "whose responses the von_mises law then fits exactly" in reason
    assert reason.endswith("make concentration a constant, leave columns out of its formula, or hold concentration")
    assert FIT("y ~ a + b + c", data, "von_mises").fit().converged  # the remedy serves


def test_a_local_maximum_is_found_by_way_of_the_first_parameter() -> None:
    # from a constant direction the concentration of this draw runs to infinity at one row
    rng = np.random.default_rng(240)
    X = np.column_stack([np.ones(120), rng.normal(size=(120, 3))])
    y = rng.vonmises(X @ [1.0, 0.3, -0.2, 0.1], np.exp(X @ [-0.8, 0.3, 0.2, -0.3]))
    assert nf.DistributionalRegression(y, {"direction": X, "concentration": X}, "von_mises").fit().converged


def without_inflation() -> pd.DataFrame:
    """No zeros but the Poisson's own: inflation becomes a step across a plane, steeper and steeper."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.normal(size=(200, 2)), columns=["a", "b"]).assign(y=rng.poisson(0.2, 200))


def test_a_fit_far_from_the_supremum_says_so() -> None:
    model = FIT("y ~ 1 | a + b", without_inflation(), "zero_inflated_poisson")
    with pytest.warns(nf.ConvergenceWarning):
        reason = model.fit(maxiter=12).reason
    assert reason.startswith("inflation is fitted ever closer to 0")
    assert "; the log-likelihood reached is not its supremum: it still rose by 0." in reason


def test_steps_across_a_plane_end_at_their_supremum() -> None:
    # that of the law whose inflation is 0 or 1 but in the rows that lie on the plane
    model = FIT("y ~ 1 | a + b", without_inflation(), "zero_inflated_poisson")
    with pytest.warns(nf.ConvergenceWarning):
        fit = model.fit()
    assert "supremum" not in fit.reason
    eta = model.data.designs["inflation"].matvec(fit.coefficients[1:])
    rate, y = np.exp(fit.coefficients[0]), model.data.y
    share = np.where(np.abs(eta) > 10.0, eta > 0.0, special.expit(eta))
    with np.errstate(divide="ignore"):
        each = np.log((1.0 - share) * stats.poisson.pmf(y, rate) + share * (y == 0))
    assert np.abs(eta).max() > 1e3
    assert fit.llf == pytest.approx(each.sum(), abs=1e-6)


@pytest.mark.parametrize(("seed", "reached"), [(84, -217.3124), (219, -229.9769)])
def test_a_plane_in_four_columns_is_climbed_to_where_scoring_stopped_short(seed: int, reached: float) -> None:
    # a lower bound of the supremum, reached by these very steps; without the observed information's absolute value they
    # ended 0.7 and 1.3 nats lower, on another plane
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(150), rng.normal(size=(150, 4))])
    rate = np.exp(0.5 + X[:, 1:] @ rng.normal(size=4) * 0.4)
    share = special.expit(-3.0 + X[:, 1:] @ rng.normal(size=4) * 0.5)
    y = np.where(rng.uniform(size=150) < share, 0.0, rng.poisson(rate))
    with pytest.warns(nf.ConvergenceWarning, match="ever closer to 0"):
        fit = nf.DistributionalRegression(y, {"rate": X, "inflation": X}, "zero_inflated_poisson").fit()
    assert fit.llf > reached


@pytest.mark.parametrize("nearest", [1.0, 1e-2, 1e-4])
def test_a_separated_share_ends_at_the_supremum(nearest: float) -> None:
    # zeros on one side and counts on the other: at best both are certain, and what counts is a Poisson's log-likelihood
    rng = np.random.default_rng(5)
    x = np.sort(np.r_[rng.uniform(0.1, 2.0, 150), nearest])
    data = pd.DataFrame({"x": np.r_[-x, x], "y": np.r_[np.zeros(151), 1 + rng.poisson(1.5, 151)]})
    counts = data["y"][data["x"] > 0.0]
    supremum = stats.poisson.logpmf(counts, counts.mean()).sum()
    for family in ("zero_inflated_poisson", "zero_inflated_negative_binomial"):
        with pytest.warns(nf.ConvergenceWarning, match="separation|alpha runs to 0"):
            fit = FIT("y ~ 1 | x", data, family).fit()
        assert fit.llf == pytest.approx(supremum, abs=1e-6)


@pytest.mark.parametrize("family", ["multinomial", "cumulative", "adjacent_category", "continuation_ratio"])
def test_classes_told_apart_entirely_are_certain_in_the_end(family: str) -> None:
    x = np.linspace(-2.0, 2.0, 60)
    data = pd.DataFrame({"x": x, "grade": np.digitize(x, [-0.5, 0.5])})
    with pytest.warns(nf.ConvergenceWarning):
        fit = FIT("grade ~ x", data, family).fit()
    assert fit.llf == pytest.approx(0.0, abs=1e-6)


def test_another_start_is_tried_before_a_limit_is_the_answer() -> None:
    # overdispersion makes most of the zeros; starts that take them for inflation end where alpha is 0
    rng = np.random.default_rng(35)
    X = np.column_stack([np.ones(200), rng.normal(size=(200, 2))])
    counts = rng.poisson(np.exp(X @ [-1.5, 0.3, -0.3]) * rng.gamma(0.2, 5.0, 200))
    y = np.where(rng.uniform(size=200) < 0.1, 0, counts)
    both = {"inflation": X}
    poisson = nf.DistributionalRegression(y, {"rate": X, **both}, "zero_inflated_poisson").fit()
    with pytest.warns(nf.ConvergenceWarning, match="inflation is fitted ever closer"):
        fit = nf.DistributionalRegression(y, {"mean": X, **both}, "zero_inflated_negative_binomial").fit()
    assert fit.llf > poisson.llf + 1.0


def test_coefficients_without_an_estimate_are_named() -> None:
    """One level has no counts; one level no highest grade; a threshold parts two classes: by construction."""
    rng = np.random.default_rng(5)
    n = 300
    x, g = rng.normal(size=n), rng.choice(list("abc"), n)
    table = pd.DataFrame(
        {
            "x": x,
            "g": g,
            "count": np.where(g == "b", 0, rng.poisson(2.0, n)),
            "side": np.where(x > 0.3, "hi", "lo"),
            "kind": np.where(g == "b", rng.choice(["A", "B"], n), rng.choice(["A", "B", "C"], n)),
        }
    )
    told = {
        ("count ~ x + C(g)", "nb2"): "estimate: mean:C(g)[T.b]; leave",
        ("kind ~ x + C(g)", "multinomial"): "estimate: C:C(g)[T.b]; leave",
        ("side ~ x", "multinomial"): "estimate: lo:Intercept, lo:x; leave",
    }
    for (formula, family), words in told.items():
        for data in (table, nf.data.from_frame([table[:100], table[100:]])):
            with pytest.warns(nf.ConvergenceWarning):
                fit = nf.DistributionalRegression.from_formula(formula, data, family).fit()
            assert words in fit.reason
