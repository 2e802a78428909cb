"""Quantile residuals of distributions and mixtures: against SciPy's laws, and normal where the model is the truth."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import natfit as nf

FAITHFUL = nf.datasets.load("faithful")
DEATHS = nf.datasets.load("london_times")
TONE = nf.datasets.load("tonedata")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("family", "law"),
    [
        ("gamma", lambda p: stats.gamma(p["shape"], scale=1.0 / p["rate"])),
        ("lognormal", lambda p: stats.lognorm(np.sqrt(p["variance_log"]), scale=np.exp(p["mean_log"]))),
        ("inverse_gaussian", lambda p: stats.invgauss(p["mean"] / p["shape"], scale=p["shape"])),
    ],
)
def test_those_of_a_distribution_are_normal_quantiles_of_its_distribution_function(family, law):
    fit = nf.fit_distribution(family, FAITHFUL["waiting"])
    expected = stats.norm.ppf(law(fit.home_params).cdf(FAITHFUL["waiting"]))
    np.testing.assert_allclose(fit.quantile_residuals(), expected, rtol=1e-7, atol=1e-9)


def test_those_of_counts_lie_between_the_two_ends_of_the_step():
    fit = nf.fit_distribution("poisson", DEATHS["deaths"], freq_weights=DEATHS["freq"])
    law = stats.poisson(fit.params["rate"])
    drawn = stats.norm.cdf([fit.quantile_residuals(seed) for seed in range(100)])
    below, mass = law.cdf(DEATHS["deaths"] - 1), law.pmf(DEATHS["deaths"])
    share = (drawn - below) / mass
    assert share.min(axis=0) == pytest.approx(np.zeros(len(DEATHS)), abs=0.1)  # missed by chance once in 4,000 times
    assert share.max(axis=0) == pytest.approx(np.ones(len(DEATHS)), abs=0.1)
    np.testing.assert_array_equal(fit.quantile_residuals(3), fit.quantile_residuals(3))


def test_those_of_a_gaussian_mixture_come_from_the_mixture_s_own_distribution_function():
    fit = nf.Mixture("gaussian", n_components=2, covariance="V").fit(FAITHFUL["waiting"], random_state=0)
    y = FAITHFUL["waiting"]
    parts = zip(fit.weights, fit.component_params.to_numpy(), strict=True)
    share = sum(weight * stats.norm.cdf(y, mean, np.sqrt(variance)) for weight, (mean, variance) in parts)
    found = fit.quantile_residuals()
    assert found.index.equals(y.index)
    np.testing.assert_allclose(found, stats.norm.ppf(share), atol=1e-9)


def test_those_of_a_mixture_of_counts_lie_between_the_two_ends_of_the_step():
    fit = nf.Mixture("poisson", n_components=2).fit(DEATHS["deaths"], freq_weights=DEATHS["freq"], random_state=0)
    y = DEATHS["deaths"].to_numpy()
    rates = fit.component_params["rate"].to_numpy()
    below, upto = (
        stats.norm.ppf(stats.poisson.cdf(y[:, None] - step, rates) @ fit.weights.to_numpy()) for step in (1, 0)
    )
    found = fit.quantile_residuals(0).to_numpy()
    assert ((found >= below) & (found <= upto)).all()


def test_those_of_mixtures_know_of_noise_and_of_zeros():
    y = FAITHFUL["waiting"]
    fit = nf.Mixture("gaussian", n_components=1, noise=True).fit(y, random_state=0)
    mean, variance = fit.component_params.to_numpy()[0]
    uniform = (y - y.min()) / np.ptp(y)
    share = fit.weights[0] * stats.norm.cdf(y, mean, np.sqrt(variance)) + fit.weights[1] * uniform
    np.testing.assert_allclose(fit.quantile_residuals(), stats.norm.ppf(share), atol=1e-9)
    rng = np.random.default_rng(2)
    counts = np.where(rng.random(400) < 0.3, 0, rng.poisson(3.0, 400))
    zeros = nf.Mixture("poisson", n_components=1, zero_inflated=True).fit(counts, random_state=0)
    rate, inflation = zeros.component_params["rate"].iloc[0], zeros.weights[1]
    share = stats.norm.cdf(zeros.quantile_residuals(0))
    upto = inflation + (1.0 - inflation) * stats.poisson.cdf(counts, rate)
    below = np.where(counts > 0, inflation, 0.0) + (1.0 - inflation) * stats.poisson.cdf(counts - 1, rate)
    assert ((share >= below - 1e-12) & (share <= upto + 1e-12)).all()
    assert stats.kstest(share, "uniform").pvalue > 0.01


def test_those_of_a_mixture_of_regressions_take_the_weights_that_each_row_has():
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 300))
    late = rng.random(300) < 1.0 / (1.0 + np.exp(-z))
    data = pd.DataFrame({"y": rng.poisson(np.exp(np.where(late, 2.0 + 0.4 * x, 0.3 - 0.3 * x))), "x": x, "z": z})
    fit = nf.MixtureRegression.from_formula("y ~ x", data, family="poisson", n_components=2, concomitant="~ z").fit(
        random_state=0
    )
    means, weights = fit.predict(which="components").to_numpy(), fit.predict(which="weights").to_numpy()
    y = data["y"].to_numpy()[:, None]
    below, upto = (stats.norm.ppf((weights * stats.poisson.cdf(y - step, means)).sum(axis=1)) for step in (1, 0))
    found = fit.quantile_residuals(0).to_numpy()
    assert ((found >= below) & (found <= upto)).all()
    assert stats.kstest(found, "norm").pvalue > 0.01


def test_those_of_gaussian_regressions_meet_scipy_s():
    fit = nf.MixtureRegression.from_formula("tuned ~ stretchratio", TONE, n_components=2).fit(random_state=0)
    means, sd = fit.predict(which="components").to_numpy(), fit.component_params["sigma"].to_numpy()
    share = stats.norm.cdf(TONE["tuned"].to_numpy()[:, None], means, sd) @ fit.weights.to_numpy()
    np.testing.assert_allclose(fit.quantile_residuals(), stats.norm.ppf(share), atol=1e-7)


def test_those_of_binomial_regressions_know_their_trials():
    rng = np.random.default_rng(5)
    x, trials = rng.normal(size=200), rng.integers(5, 20, size=200)
    chance = 1.0 / (1.0 + np.exp(-np.where(rng.random(200) < 0.5, 1.5 + x, -1.5 + x)))
    data = pd.DataFrame({"share": rng.binomial(trials, chance) / trials, "x": x, "n": trials})
    fit = nf.MixtureRegression.from_formula("share ~ x", data, family="binomial", n_components=2, trials="n").fit(
        random_state=0
    )
    k, means = np.round(data["share"] * trials).to_numpy()[:, None], fit.predict(which="components").to_numpy()
    below, upto = (
        stats.norm.ppf(stats.binom.cdf(k - step, trials[:, None], means) @ fit.weights.to_numpy()) for step in (1, 0)
    )
    found = fit.quantile_residuals(0).to_numpy()
    assert ((found >= below - 1e-9) & (found <= upto + 1e-9)).all()


def test_figures_of_a_table_of_frequencies_have_a_point_for_each_observation():
    fit = nf.Mixture("poisson", n_components=2).fit(DEATHS["deaths"], freq_weights=DEATHS["freq"], random_state=0)
    axes = fit.plot_residuals()
    assert [ax.get_title(loc="left") for ax in axes.flat] == ["Normal quantiles", "Worm"]
    assert axes.flat[1].lines[-1].get_xdata().size == DEATHS["freq"].sum()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: nf.Mixture("gaussian", 2).fit(FAITHFUL, random_state=0).quantile_residuals(), "need one column"),
        (lambda: nf.fit_distribution("multivariate_normal", FAITHFUL).quantile_residuals(), "of one number each"),
        (
            lambda: nf.fit_distribution("gamma", FAITHFUL["waiting"]).plot_residuals("fitted"),
            "must be 'all', 'qq', 'worm'",
        ),
        (
            lambda: (
                nf.DistributionalRegression.from_formula(
                    "normal + mild + severe ~ logt", nf.datasets.load("pneumo"), family="cumulative"
                )
                .fit()
                .quantile_residuals()
            ),
            "give a row to each case",
        ),
    ],
    ids=["two columns", "vectors", "no fitted values", "counts of classes"],
)
def test_refusals(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
