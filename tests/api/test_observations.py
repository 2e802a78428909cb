"""New observations: quantiles, draws and prediction intervals, and quantile residuals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import natfit as nf

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "textbook" / "reference" / "inference.json").read_text(encoding="utf-8")
)
RNG = np.random.default_rng(11)
N = 50
DATA = pd.DataFrame({"x": RNG.normal(size=N), "e": RNG.uniform(0.5, 4.0, N), "n": RNG.integers(2, 30, N)})
MU = np.exp(0.7 + 0.5 * DATA["x"])
DATA = DATA.assign(
    normal=1 + 2 * DATA["x"] + RNG.normal(size=N),
    count=RNG.poisson(MU * DATA["e"]),
    spread=RNG.poisson(RNG.gamma(2.0, MU / 2)),
    share=RNG.binomial(DATA["n"], 0.4) / DATA["n"],
    positive=RNG.gamma(3.0, MU / 3),
)
FITS = {
    "gaussian": nf.GLM.from_formula("normal ~ x", DATA).fit(),
    "poisson": nf.GLM.from_formula("count ~ x", DATA, family="poisson", exposure="e").fit(),
    "negative_binomial": nf.GLM.from_formula("spread ~ x", DATA, family="negative_binomial").fit(),
    "binomial": nf.GLM.from_formula("share ~ x", DATA, family="binomial", trials="n").fit(),
    "gamma": nf.GLM.from_formula("positive ~ x", DATA, family="gamma", link="log").fit(),
    "inverse_gaussian": nf.GLM.from_formula("positive ~ x", DATA, family="inverse_gaussian", link="log").fit(),
    "tweedie": nf.GLM.from_formula("spread ~ x", DATA, family="tweedie").fit(),
}
NEW = pd.DataFrame({"x": [-1.0, 0.0, 1.5], "e": [1.0, 2.0, 3.0], "n": [4, 20, 7]}, index=["a", "b", "c"])


def test_quantile_residuals_of_the_reference():
    (case,) = [case for case in REFERENCE if case["kind"] == "quantile_residuals"]
    fit = nf.GLM.from_formula("lot1 ~ log(u)", nf.datasets.load("clotting"), family="gamma").fit()
    np.testing.assert_allclose(fit.quantile_residuals(), case["values"], rtol=1e-7)


@pytest.mark.parametrize("name", FITS)
def test_quantile_residuals_are_standard_normal_where_the_model_holds(name):
    fit = FITS[name]
    drawn = fit.simulate(n=60, random_state=1).to_numpy()
    residuals = []
    for seed, y in enumerate(drawn.T):
        other = fit.model.refit(fit, y=y)
        other.fitted.params[:] = fit.fitted.params  # the law they were drawn from, not its estimate
        other.__dict__.update(scale=fit.scale, family=fit.family)
        other.__dict__.pop("_params_filled", None)
        residuals.append(other.quantile_residuals(seed))
    assert stats.kstest(np.concatenate(residuals), "norm").pvalue > 1e-3


def test_randomized_residuals_repeat_by_seed_and_stay_in_their_step():
    fit = FITS["poisson"]
    one, other = fit.quantile_residuals(3), fit.quantile_residuals(4)
    assert one.equals(fit.quantile_residuals(3))
    assert not one.equals(other)
    assert fit.resid_quantile.equals(fit.quantile_residuals(0))
    law = stats.poisson(fit.fittedvalues)
    y = DATA["count"]
    assert ((one >= stats.norm.ppf(law.cdf(y - 1))) & (one <= stats.norm.ppf(law.cdf(y)))).all()


def test_far_residuals_are_finite():
    y = np.array([1.0, 0.0, 2.0, 1.0, 400.0])
    assert np.isfinite(nf.GLM(y, np.ones((5, 1)), family="poisson").fit().quantile_residuals(0)).all()


@pytest.mark.parametrize("name", FITS)
def test_quantiles_hold_their_levels_and_draws_follow_them(name):
    fit = FITS[name]
    levels = [0.05, 0.5, 0.95]
    found = fit.quantile(NEW, levels)
    assert found.index.tolist() == ["a", "b", "c"]
    assert found.columns.tolist() == levels
    drawn = fit.simulate(NEW, 20_000, random_state=5).to_numpy()
    for level in levels:
        at = found[level].to_numpy()[:, None]
        assert ((drawn <= at).mean(axis=1) >= level - 0.008).all()
        assert ((drawn < at).mean(axis=1) <= level + 0.008).all()
    pd.testing.assert_series_equal(fit.quantile(NEW, 0.5), found[0.5], check_names=False)


def test_a_gaussians_prediction_interval_is_students():
    fit = nf.GLM.from_formula("normal ~ x", DATA.head(8)).fit()
    frame = fit.get_prediction(NEW).summary_frame(obs=True, n=200_000, random_state=1)
    spread = np.sqrt(frame["mean_se"] ** 2 + fit.scale) * stats.t.ppf(0.975, 6)
    np.testing.assert_allclose(frame["obs_ci_lower"], frame["mean"] - spread, atol=0.06)
    np.testing.assert_allclose(frame["obs_ci_upper"], frame["mean"] + spread, atol=0.06)
    assert frame.columns.tolist() == [
        "mean",
        "mean_se",
        "mean_ci_lower",
        "mean_ci_upper",
        "obs_ci_lower",
        "obs_ci_upper",
    ]


@pytest.mark.parametrize("name", FITS)
def test_both_methods_agree_and_repeat(name):
    fit = FITS[name]
    one = fit.prediction_interval(NEW, 0.1, random_state=7)
    pd.testing.assert_frame_equal(one, fit.prediction_interval(NEW, 0.1, random_state=7))
    if name == "tweedie":
        return  # a bootstrap of it takes as long as all others together
    other = fit.prediction_interval(NEW, 0.1, method="bootstrap", n=300, random_state=7)
    spread = one["obs_ci_upper"] - one["obs_ci_lower"]
    assert ((one - other).abs().max(axis=1) <= 0.35 * spread + 1.0 * fit.family.discrete * (name != "binomial")).all()


def test_intervals_of_counts_and_proportions_are_whole_and_conservative():
    counts = FITS["poisson"].prediction_interval(NEW, random_state=1)
    assert (counts == counts.round()).all(axis=None)
    plain = FITS["poisson"].quantile(NEW, [0.025, 0.975]).to_numpy()
    assert (counts["obs_ci_upper"] - counts["obs_ci_lower"] >= plain[:, 1] - plain[:, 0] - 1).all()
    shares = FITS["binomial"].prediction_interval(NEW, random_state=1).mul(NEW["n"], axis=0)
    np.testing.assert_allclose(shares, shares.round(), atol=1e-9)


def test_trials_exposure_and_offsets_of_new_rows():
    shares = FITS["binomial"]
    by_name, by_value = shares.quantile(NEW, 0.9), shares.quantile(NEW[["x"]], 0.9, trials=[4, 20, 7])
    pd.testing.assert_series_equal(by_name, by_value)
    single = shares.quantile(NEW[["x"]], [0.1, 0.9], trials=1)
    assert single.isin([0.0, 1.0]).all(axis=None)
    twice = FITS["poisson"].simulate(NEW, 4000, random_state=1, exposure=2.0).mean(axis=1)
    np.testing.assert_allclose(twice, FITS["poisson"].predict(NEW, exposure=2.0), rtol=0.1)
    shifted = FITS["poisson"].quantile(NEW, 0.5, offset=np.log(100.0), exposure=1.0)
    np.testing.assert_allclose(shifted, 100 * FITS["poisson"].predict(NEW, exposure=1.0), rtol=0.05)


def test_missing_rows_are_missing_in_every_answer():
    holes = NEW.assign(x=[0.5, np.nan, 1.0])
    for name in ("poisson", "binomial", "inverse_gaussian", "tweedie"):
        fit = FITS[name]
        for frame in (fit.quantile(holes, [0.1, 0.9]), fit.simulate(holes, 2), fit.prediction_interval(holes, n=50)):
            assert frame.isna().all(axis=1).tolist() == [False, True, False]


def test_parameter_uncertainty_widens_draws():
    fit = nf.GLM.from_formula("normal ~ x", DATA.head(6)).fit()
    far = pd.DataFrame({"x": [4.0]})
    plain, free = (
        fit.simulate(far, 4000, random_state=1, parameters=how).to_numpy().std() for how in ("estimate", "simulation")
    )
    assert free > 1.3 * plain


def test_refusals():
    quasi = nf.GLM.from_formula("count ~ x", DATA, family="poisson", dispersion="pearson").fit()
    for ask in (quasi.quantile, quasi.simulate, quasi.prediction_interval, quasi.quantile_residuals):
        with pytest.raises(ValueError, match="quasi-likelihood that has none; fit a negative binomial"):
            ask()
    fit = FITS["binomial"]
    with pytest.raises(ValueError, match="the new data has no column 'n'"):
        fit.quantile(NEW[["x"]], 0.5)
    arrays = nf.GLM(DATA["share"], DATA[["x"]], family="binomial", trials=DATA["n"]).fit()
    with pytest.raises(ValueError, match="rows have trials, on which the answer depends; give trials= of the new rows"):
        arrays.quantile(NEW[["x"]], 0.5)
    with pytest.raises(ValueError, match="'trials' must be greater than 0, and is not in 1 row"):
        fit.quantile(NEW, 0.5, trials=[0, 1, 2])
    with pytest.raises(ValueError, match="trials are for the binomial family; this fit's is poisson"):
        FITS["poisson"].quantile(NEW, 0.5, trials=3)
    with pytest.raises(ValueError, match=r"levels of quantiles lie strictly between 0 and 1; got \[0.5, 1.0\]"):
        fit.quantile(NEW, [0.5, 1.0])
    with pytest.raises(ValueError, match="alpha must lie strictly between 0 and 1, got 5"):
        fit.prediction_interval(NEW, 5)
    with pytest.raises(ValueError, match="method must be 'simulation' or 'bootstrap', got 'exact'"):
        fit.prediction_interval(NEW, method="exact")
    with pytest.raises(ValueError, match="number of draws must be a whole number of at least 1, got 0"):
        fit.simulate(NEW, 0)
    identity = nf.GLM([1, 0, 2, 4, 3], np.c_[np.ones(5), np.arange(5.0)], family="poisson", link="identity").fit()
    with pytest.raises(ValueError, match="draws of the coefficients lead outside the poisson family's means"):
        identity.prediction_interval()
    with pytest.raises(ValueError, match="residual degree of freedom"):
        nf.GLM([1.0, 2.0], np.eye(2)).fit().prediction_interval()


def test_alpha_on_the_boundary_is_a_poisson():
    y = [2, 2, 3, 2, 3, 2, 2, 3]
    fit = nf.GLM(y, np.ones((8, 1)), family="negative_binomial").fit()
    assert fit.shape.boundary
    assert fit.quantile([[1.0]], [0.1, 0.9]).tolist() == [stats.poisson(np.mean(y)).ppf([0.1, 0.9]).tolist()]
    assert np.isfinite(fit.prediction_interval([[1.0]], n=100)).all()
