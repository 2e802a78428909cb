"""Predictions of distributional regressions with their uncertainty: classes and shares, units, agreement of the limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import natfit as nf

FIT = nf.DistributionalRegression.from_formula


@pytest.fixture(scope="module")
def odds() -> nf.DistributionalResults:
    return FIT("normal + mild + severe ~ logt", nf.datasets.load("pneumo"), "multinomial").fit()


def test_probabilities_of_classes_have_standard_errors(odds: nf.DistributionalResults) -> None:
    new = nf.datasets.load("pneumo").iloc[2:5]
    found = odds.get_prediction(new)
    frame = found.summary_frame()
    assert list(frame.columns[:5]) == ["normal", "normal_se", "normal_ci_lower", "normal_ci_upper", "mild"]
    assert list(frame.index) == list(new.index)
    np.testing.assert_allclose(frame[["normal", "mild", "severe"]], odds.predict(new), rtol=1e-12)
    # the delta method by hand: dp_j / d eta_k = p_j (1[j = k] - p_k), the predictors being those of mild and severe
    x = np.column_stack([np.ones(3), new["logt"]])
    eta = np.column_stack([np.zeros(3), x @ odds.params.iloc[:2], x @ odds.params.iloc[2:]])
    p = special.softmax(eta, axis=1)
    for i in range(3):
        slopes = np.array([[p[i, j] * ((j == k) - p[i, k]) for k in (1, 2)] for j in range(3)])
        gradient = np.hstack([slopes[:, [0]] * x[i], slopes[:, [1]] * x[i]])
        se = np.sqrt(np.diag(gradient @ odds.cov_params().to_numpy() @ gradient.T))
        np.testing.assert_allclose(found.se[i], se, rtol=1e-6)
    limits = found.conf_int(alpha=0.1)
    assert limits.shape == (3, 3, 2)
    assert ((limits > 0.0) & (limits < 1.0)).all()
    assert (limits[..., 0] < found.predicted).all()
    assert (limits[..., 1] > found.predicted).all()


def test_shares_and_variances_too(odds: nf.DistributionalResults) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    parts = rng.gamma(np.column_stack([np.exp(1.0 + 0.3 * x), np.full(80, 2.0), np.full(80, 1.0)]))
    data = pd.DataFrame(parts / parts.sum(axis=1, keepdims=True), columns=["a", "b", "c"]).assign(x=x)
    fit = FIT("a + b + c ~ x", data, "dirichlet").fit()
    frame = fit.get_prediction(data.head(4)).summary_frame()
    np.testing.assert_allclose(frame[["a", "b", "c"]].sum(axis=1), 1.0, rtol=1e-12)
    spread = odds.get_prediction(nf.datasets.load("pneumo").head(2), what="variance")
    np.testing.assert_allclose(spread.predicted, odds.predict(nf.datasets.load("pneumo").head(2), what="variance"))


@pytest.mark.parametrize("unit", [1e9, 1e-9])
def test_limits_for_new_observations_follow_a_change_of_units(unit: float) -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"x": rng.normal(size=60)})
    data["y"] = rng.gamma(3.0, np.exp(0.5 + 0.5 * data["x"]) / 3.0)
    new = pd.DataFrame({"x": [-2.0, 0.0, 6.0]})
    plain = FIT("y ~ x | x", data, "gamma").fit()
    scaled = FIT("y ~ x | x", data.assign(x=unit * data["x"]), "gamma").fit()
    for ask in ("prediction_interval", "quantile_interval"):
        one, other = getattr(plain, ask)(new, n=400), getattr(scaled, ask)(unit * new, n=400)
        np.testing.assert_allclose(other, one, rtol=1e-4)


def test_the_two_ways_to_limits_for_observations_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    gasoline = nf.datasets.load("gasoline")
    fit = FIT("yield ~ C(batch) + temp | temp", gasoline, "beta").fit()
    frame, limits = fit.get_prediction(gasoline).summary_frame(), fit.prediction_interval(gasoline)
    np.testing.assert_array_equal(frame[["obs_ci_lower", "obs_ci_upper"]], limits)
    # rows are taken so many at a time as memory allows: other draws, the same limits
    monkeypatch.setattr("natfit.results.distributional.predicting.CELLS", 3 * 4000)
    few: Any = fit.prediction_interval(gasoline)
    np.testing.assert_allclose(few, limits, atol=0.02)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
def test_standard_errors_follow_a_change_of_the_responses_units(unit: float) -> None:
    # an identity link's predictor has the response's units; the variance is mean^3 / shape
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"y": rng.wald(2.0, 3.0, size=200)})
    links = {"mean": "identity", "shape": "identity"}
    plain = FIT("y ~ 1", data, "inverse_gaussian", links=links).fit()
    scaled = FIT("y ~ 1", unit * data, "inverse_gaussian", links=links).fit()
    for what, power in (("mean", 1), ("variance", 2), ("shape", 1)):
        one, other = (fit.get_prediction(data.head(1), what=what) for fit in (plain, scaled))
        np.testing.assert_allclose(other.se, unit**power * one.se, rtol=1e-6)


def test_limits_for_each_share_of_a_new_observation(odds: nf.DistributionalResults) -> None:
    rng = np.random.default_rng(3)
    alpha = np.array([4.0, 2.0, 1.0])
    data = pd.DataFrame(rng.dirichlet(alpha, size=4000), columns=["a", "b", "c"])
    limits = FIT("a + b + c ~ 1", data, "dirichlet").fit().prediction_interval(data.head(2), alpha=0.1)
    assert list(limits.columns[:2]) == [("a", "lower"), ("a", "upper")]
    for j, name in enumerate("abc"):  # shares of a Dirichlet law are beta; 4,000 rows leave little to the parameters
        expected = stats.beta.ppf([0.05, 0.95], alpha[j], alpha.sum() - alpha[j])
        np.testing.assert_allclose(limits[name].iloc[0], expected, atol=0.02)
    with pytest.raises(ValueError, match="prediction intervals need a response of one number"):
        odds.prediction_interval(nf.datasets.load("pneumo").head(2))


@pytest.fixture(scope="module")
def hits() -> Any:
    rng = np.random.default_rng(3)
    x, trials = rng.normal(size=250), rng.integers(1, 15, 250)
    mean = 1.0 / (1.0 + np.exp(-x))
    good = rng.binomial(trials, rng.beta(3.0 * mean, 3.0 * (1.0 - mean)))
    grade = pd.Categorical.from_codes(
        np.digitize(x + rng.logistic(size=250), [-1.0, 1.0]), ["low", "mid", "high"], True
    )
    return pd.DataFrame({"x": x, "good": good, "bad": trials - good, "grade": grade})


class TestSuccessesOutOfTrials:
    @pytest.fixture(scope="class")
    @staticmethod
    def fit(hits: Any) -> Any:
        return FIT("good + bad ~ x", hits, "beta_binomial").fit()

    @staticmethod
    def law(fit: Any, rows: Any, trials: Any) -> Any:
        """SciPy's law of the successes at the fitted parameters."""
        mean, rho = np.asarray(fit.predict(rows, "parameters")).T
        return stats.betabinom(trials, mean * (1.0 / rho - 1.0), (1.0 - mean) * (1.0 / rho - 1.0))

    def test_quantile_residuals_lie_between_scipys_tails(self, fit: Any, hits: Any) -> None:
        law = self.law(fit, hits, hits["good"] + hits["bad"])
        found = stats.norm.cdf(fit.quantile_residuals(random_state=0))
        assert np.all((found >= law.cdf(hits["good"] - 1) - 1e-12) & (found <= law.cdf(hits["good"]) + 1e-12))
        assert stats.kstest(found, "uniform").pvalue > 0.01

    def test_quantiles_are_scipys(self, fit: Any, hits: Any) -> None:
        trials = np.array([1, 7, 30])
        found = fit.quantile(hits.head(3), [0.1, 0.5, 0.9], trials=trials)
        law = self.law(fit, hits.head(3), trials)
        np.testing.assert_array_equal(found, np.column_stack([law.ppf(level) for level in (0.1, 0.5, 0.9)]))

    def test_draws_and_limits_are_out_of_the_trials(self, fit: Any, hits: Any) -> None:
        drawn = fit.simulate(hits.head(2), n=4000, random_state=0, trials=9)
        law = self.law(fit, hits.head(2), 9)
        np.testing.assert_allclose(drawn.mean(axis=1), law.mean(), atol=4.0 * law.std().max() / 4000**0.5)
        own = fit.simulate(random_state=0)
        assert (own[0] <= hits["good"] + hits["bad"]).all()
        limits = fit.prediction_interval(hits.head(2), trials=9, n=500)
        assert np.all((limits["lower"] <= law.ppf(0.025) + 1) & (limits["upper"] >= law.ppf(0.975) - 1))

    @pytest.mark.parametrize(
        ("ask", "message"),
        [
            (lambda fit, rows: fit.simulate(rows), "give trials=, one number or one a row"),
            (lambda fit, rows: fit.quantile(rows, trials=[1, 2, 0]), "whole numbers of at least 1"),
            (lambda fit, rows: fit.prediction_interval(rows, trials=[3, 4]), "one for each of the 3 rows"),
            (lambda fit, rows: fit.quantile(trials=3), "known; give trials= for new rows only"),
        ],
    )
    def test_trials_are_asked_for(self, fit: Any, hits: Any, ask: Any, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            ask(fit, hits.head(3))


class TestClasses:
    @pytest.mark.parametrize("family", ["cumulative", "adjacent_category", "continuation_ratio"])
    def test_ordered_classes_have_quantile_residuals(self, hits: Any, family: str) -> None:
        fit = FIT("grade ~ x", hits, family).fit()
        upto = np.cumsum(np.asarray(fit.predict()), axis=1)
        code = hits["grade"].cat.codes.to_numpy()
        rows = np.arange(len(hits))
        found = stats.norm.cdf(fit.quantile_residuals(random_state=0))
        below = np.where(code > 0, upto[rows, code - 1], 0.0)
        assert np.all((found >= below - 1e-12) & (found <= upto[rows, code] + 1e-12))
        assert fit.pit(4).sum() == pytest.approx(1.0)

    @pytest.mark.parametrize("family", ["cumulative", "multinomial"])
    def test_draws_are_classes(self, hits: Any, family: str) -> None:
        fit = FIT("grade ~ x", hits, family).fit()
        drawn = fit.simulate(hits.head(1), n=4000, random_state=0).iloc[0]
        shares = drawn.value_counts(normalize=True)[["low", "mid", "high"]]
        np.testing.assert_allclose(shares, np.asarray(fit.predict(hits.head(1)))[0], atol=0.03)

    def test_what_makes_no_sense_is_refused(self, hits: Any) -> None:
        with pytest.raises(ValueError, match="the classes of the multinomial family have none"):
            FIT("grade ~ x", hits, "multinomial").fit().quantile_residuals()
        with pytest.raises(ValueError, match=r"is a class; get_prediction\(\) has the classes' probabilities"):
            FIT("grade ~ x", hits, "cumulative").fit().prediction_interval(hits.head(1))
        pneumo = FIT("normal + mild + severe ~ logt", nf.datasets.load("pneumo"), "cumulative").fit()
        with pytest.raises(ValueError, match="of single cases, and these rows count several"):
            pneumo.quantile_residuals()


def test_limits_of_directions_lie_around_them_wherever_angles_begin() -> None:
    """Turning all angles turns predictions, quantiles and limits with them; SciPy's law is cut opposite its direction."""
    rng = np.random.default_rng(12)
    y = rng.vonmises(0.0, 15.0, 200)
    levels = [0.05, 0.5, 0.95]
    fits = []
    for turn in (0.0, 3.1):
        turned = (y + turn + np.pi) % (2.0 * np.pi) - np.pi
        fit = nf.DistributionalRegression.from_formula("v ~ 1 | 1", pd.DataFrame({"v": turned}), "von_mises").fit()
        fits.append(fit)
        direction, concentration = fit.predict(what="parameters").to_numpy()[0]
        quantiles = fit.quantile(q=levels).iloc[0].to_numpy()
        wanted = stats.vonmises.ppf(levels, concentration, loc=direction)
        np.testing.assert_allclose(quantiles, wanted, atol=1e-6)
        law = fit.get_distribution()
        np.testing.assert_allclose(law.cdf(quantiles[2])[0], 0.95, atol=1e-8)
        np.testing.assert_allclose(law.cdf(quantiles[2] - 2.0 * np.pi)[0], 0.95, atol=1e-8)
        limits = fit.prediction_interval(alpha=0.1).iloc[0]
        assert limits["lower"] < direction < limits["upper"] < limits["lower"] + 1.2
        bounds = fit.quantile_interval(q=0.95).iloc[0]
        assert bounds["lower"] < bounds["quantile"] < bounds["upper"] < bounds["lower"] + 0.5
    residuals = [fit.quantile_residuals().to_numpy() for fit in fits]
    np.testing.assert_allclose(residuals[0], residuals[1], atol=1e-6)
