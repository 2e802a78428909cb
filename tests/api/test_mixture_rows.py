"""Rows of mixtures: new ones, those at a point mass, with frequencies or missing values, and what can't be fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import logsumexp

import natfit as nf
from natfit.results.mixtures.bootstrap import drawn

FAITHFUL = nf.datasets.load("faithful").astype(float)


@pytest.fixture(scope="module")
def geyser() -> nf.MixtureResults:
    return nf.Mixture("gaussian", 2).fit(FAITHFUL, n_init=4, random_state=0)


def test_new_rows_are_matched_by_name(geyser: nf.MixtureResults) -> None:
    expected = geyser.predict_proba().iloc[:3].to_numpy()
    new = FAITHFUL.iloc[:3]
    for given in (
        new,
        new[["waiting", "eruptions"]],
        new.assign(more="text"),
        new.to_numpy(),
        dict(new[new.columns[::-1]]),
    ):
        assert geyser.predict_proba(given).to_numpy() == pytest.approx(expected, rel=1e-12)


NEW = [
    (FAITHFUL.rename(columns={"waiting": "w"}), "need the columns of the fit, and 'waiting' is not among eruptions, w"),
    (FAITHFUL[["waiting"]], "'eruptions' is not among waiting"),
    (np.ones((3, 3)), "need 2 columns .eruptions, waiting., and these have 3"),
    ([2.0, 50.0], "need 2 columns .eruptions, waiting., and these have 1"),
    (2.0, "one row of numbers for each observation"),
    (FAITHFUL.mask(FAITHFUL > 95), "missing values in 'waiting': 1 row .148.; leave those rows out"),
    ([[1e200, 3.0]], "every component has density 0, in floating point, at 1 row .0."),
]


@pytest.mark.parametrize(("rows", "message"), NEW, ids=[str(i) for i in range(len(NEW))])
def test_new_rows_that_don_t_fit_are_refused(geyser: nf.MixtureResults, rows: object, message: str) -> None:
    for ask in (geyser.predict_proba, geyser.predict):
        with pytest.raises(ValueError, match=message):
            ask(rows)


def test_new_rows_outside_the_support_are_refused() -> None:
    deaths = nf.datasets.load("london_times")
    fit = nf.Mixture("poisson", 2, zero_inflated=True).fit("deaths", "freq", data=deaths, n_init=4, random_state=0)
    with pytest.raises(ValueError, match=r"poisson needs whole numbers from 0 up.*rows 1"):
        fit.score_samples([0.0, 2.5])
    columns = pd.DataFrame({"size": [1.0, 2.0, 3.0, 5.0, 8.0, 9.0] * 5, "count": [0, 1, 1, 4, 6, 7] * 5})
    both = nf.Mixture({"size": "gamma", "count": "poisson"}, 1).fit(columns)
    with pytest.raises(ValueError, match=r"poisson needs whole numbers from 0 up.*count"):
        both.predict_proba(columns.assign(count=-1))


@pytest.mark.parametrize("family", ["gamma", "exponential", "gaussian"])
def test_a_point_mass_has_all_rows_at_zero_of_continuous_components(family: str) -> None:
    rng = np.random.default_rng(5)
    y = np.where(rng.random(120) < 0.3, 0.0, rng.gamma(3.0, 2.0, 120))
    fit = nf.Mixture(family, 1, zero_inflated=True).fit(y, n_init=2, random_state=0)
    some = y[y > 0.0]
    alone = nf.Mixture(family, 1).fit(some)
    share = np.mean(y == 0.0)
    expected = alone.llf + len(some) * np.log1p(-share) + (len(y) - len(some)) * np.log(share)
    assert fit.llf == pytest.approx(expected, rel=1e-12)
    assert fit.component_params.to_numpy() == pytest.approx(alone.component_params.to_numpy(), rel=1e-7)
    assert fit.predict_proba([0.0, 2.0]).to_numpy() == pytest.approx(np.array([[0.0, 1.0], [1.0, 0.0]]))
    scaled = nf.Mixture(family, 1, zero_inflated=True).fit(1e-4 * y, n_init=2, random_state=0)
    assert scaled.llf == pytest.approx(fit.llf + len(some) * np.log(1e4), rel=1e-10)


def test_components_of_one_variance_beside_a_point_mass() -> None:
    rng = np.random.default_rng(2)
    y = np.where(rng.random(150) < 0.2, 0.0, rng.normal(np.where(rng.random(150) < 0.5, 5.0, 9.0), 1.0))
    fit = nf.Mixture("gaussian", 2, covariance="E", zero_inflated=True).fit(y, n_init=4, random_state=0)
    alone = nf.Mixture("gaussian", 2, covariance="E").fit(y[y != 0.0], n_init=4, random_state=0)
    assert fit.means.to_numpy().ravel() == pytest.approx(alone.means.to_numpy().ravel(), rel=1e-7)
    assert fit.df == alone.df + 1


def test_tied_gaussians_far_from_zero() -> None:
    velocity = nf.datasets.load("galaxies")["velocity"]
    expected = nf.Mixture("gaussian", 3, covariance="E").fit(velocity, n_init=6, random_state=0)
    for shift, within in ((0.0, 1e-10), (1e6, 1e-6)):
        fit = nf.Mixture("gaussian", 3, shared=["variance"]).fit(velocity + shift, n_init=6, random_state=0)
        assert fit.converged
        assert fit.llf == pytest.approx(expected.llf, abs=within)
        assert fit.means.to_numpy() - shift == pytest.approx(expected.means.to_numpy(), abs=1e-6)
        assert fit.bse.to_numpy() == pytest.approx(expected.bse.to_numpy(), rel=1e-5)


def test_ties_of_unlike_columns_name_their_column() -> None:
    families = {"eruptions": "gamma", "waiting": "gaussian"}
    fit = nf.Mixture(families, 2, shared=["eruptions:shape", "variance"]).fit(FAITHFUL, n_init=4, random_state=0)
    assert fit.df == 1 + 3 + 3
    assert np.ptp(fit.component_params["eruptions:shape"]) == pytest.approx(0.0, abs=1e-8)
    assert np.ptp(fit.component_params["waiting:variance"]) == pytest.approx(0.0, abs=1e-8)
    with pytest.raises(ValueError, match="no column's family has a parameter 'waiting:shape'"):
        nf.Mixture(families, 2, shared=["waiting:shape"]).fit(FAITHFUL)


def test_gaussian_columns_that_are_independent_have_all_their_means() -> None:
    both = nf.Mixture({"eruptions": "gaussian", "waiting": "gaussian"}, 2).fit(FAITHFUL, n_init=4, random_state=0)
    together = nf.Mixture("gaussian", 2, covariance="VVI").fit(FAITHFUL, n_init=4, random_state=0)
    assert both.means.to_numpy() == pytest.approx(together.means.to_numpy(), rel=1e-7)
    for k in range(2):
        assert both.covariances[k].to_numpy() == pytest.approx(together.covariances[k].to_numpy(), rel=1e-6)


def test_one_column_has_the_gaussian_s_parametrizations_and_several_have_names() -> None:
    fit = nf.Mixture("gaussian", 2).fit(FAITHFUL["waiting"], n_init=4, random_state=0)
    variance, log_sd = fit.params["variance[0]"], fit.to("log_sd")
    assert log_sd.params["log_sd[0]"] == pytest.approx(0.5 * np.log(variance))
    assert log_sd.bse["log_sd[0]"] == pytest.approx(0.5 * fit.bse["variance[0]"] / variance)  # delta method, by hand
    both = nf.Mixture("gaussian", 1).fit(FAITHFUL).to("precision").params
    assert list(both.index[1:4]) == ["mean[eruptions][0]", "mean[waiting][0]", "precision[eruptions, eruptions][0]"]
    assert both["precision[waiting, eruptions][0]"] == pytest.approx(np.linalg.inv(np.cov(FAITHFUL.T, ddof=0))[1, 0])


def test_a_bootstrap_of_frequencies_leaves_rows_of_none_out() -> None:
    freq = np.arange(len(FAITHFUL)) % 3
    fit = nf.Mixture("gaussian", 1).fit(FAITHFUL, freq_weights=freq)
    made = fit.bootstrap(60, random_state=0)
    assert made.n_failed == 0
    robust = fit.with_covariance("robust").bse  # eruptions come in two kinds, so the model's own are off
    assert (made.bse / robust).drop("weight[0]").between(0.6, 1.6).all()


def test_a_parametric_bootstrap_misses_what_the_rows_miss() -> None:
    rng = np.random.default_rng(0)
    y = FAITHFUL.mask(rng.random(FAITHFUL.shape) < [0.0, 0.6])
    freq = np.arange(len(y)) % 3
    fit = nf.Mixture("gaussian", 1).fit(y, freq_weights=freq, missing="observed")
    holes = np.isnan(drawn(fit, rng).columns["y"])
    assert (holes == np.isnan(y.loc[np.repeat(y.index, freq)].to_numpy())).all()
    made = fit.bootstrap(5, "parametric", random_state=0)
    assert made.n_failed == 0
    with pytest.raises(ValueError, match="freq_weights must be whole"):
        nf.Mixture("gaussian", 1).fit(FAITHFUL, freq_weights=freq / 2.0).bootstrap(2, "parametric")
    with pytest.raises(ValueError, match="var_weights have no distribution to draw from"):
        nf.Mixture("gaussian", 1).fit(FAITHFUL, var_weights=np.full(272, 2.0)).bootstrap(2, "parametric")


def test_numbers_of_components_are_tested_of_any_rows() -> None:
    rng = np.random.default_rng(0)
    rows = FAITHFUL.iloc[:60]
    kinds = [
        (nf.Mixture("poisson", 1), pd.Series([0.0, 1.0, 5.0, 9.0], name="y"), {"freq_weights": [20, 8, 6, 10]}),
        (nf.Mixture({"eruptions": "gamma", "waiting": "gaussian"}, 1), rows, {}),
        (nf.Mixture("gaussian", 1), rows.mask(rng.random(rows.shape) < [0.0, 0.2]), {"missing": "observed"}),
    ]
    for model, y, options in kinds:
        fit = model.fit(y, **options)
        test = fit.test_components(4, n_init=2, random_state=0)
        assert test.larger.columns == fit.columns
        assert test.larger.nobs == fit.nobs
        assert test.pvalue == pytest.approx(0.2)  # two kinds of rows are plain in all of them
        assert len(test.replicates) == 4


def test_selection_of_covariances_among_unlike_columns() -> None:
    families = {("eruptions", "waiting"): "gaussian"}
    found = nf.Mixture.select(families, FAITHFUL, np.int64(2), covariance=["EEE", "VVI"], n_init=2, random_state=0)
    assert found.table()["covariance"].tolist() == ["EEE", "VVI"]
    assert found.fits["VVI", 2].df == 9
    with pytest.raises(ValueError, match="sort must be 'aic', 'bic' or 'icl'; got 'llf'"):
        found.table("llf")


REFUSED = [
    ({"noise": True, "zero_inflated": True}, {}, "noise=True or zero_inflated=True, not both"),
    ({"family": "poisson", "covariance": "EEE"}, {}, "covariance='EEE' is for Gaussian components, and these are none"),
    ({"covariance": "EEE", "fixed": {"variance": 1.0}}, {}, "fixed and shared hold parameters in their place"),
    ({"fixed": {"variance": -1.0}}, {}, "gaussian can't have variance = -1"),
    ({"n_components": None}, {}, "n_components must be a whole number, 1 or more; got None"),
    ({}, {"n_init": 0}, "n_init must be a whole number, 1 or more; got 0"),
    ({}, {"maxiter": 0.5}, "maxiter must be a whole number, 1 or more; got 0.5"),
    (
        {"n_components": 3},
        {"freq_weights": [1.0, 2.0, *[0.0] * 270], "y": FAITHFUL["waiting"]},
        "there are 2; use fewer components",
    ),
    (
        {"covariance": "full", "zero_inflated": True},
        {"y": FAITHFUL["waiting"]},
        "needs rows at 0, and 'waiting' has none",
    ),
    ({}, {"y": FAITHFUL.assign(waiting=np.nan), "missing": "observed"}, "'waiting' has no value; leave it out"),
]


@pytest.mark.parametrize(("model", "fit", "message"), REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_would_not_be_heeded_is_refused(model: dict, fit: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nf.Mixture(**{"family": "gaussian", "n_components": 2, **model}).fit(**{"y": FAITHFUL, **fit})


def test_a_uniform_component_by_hand() -> None:
    rng = np.random.default_rng(3)
    y = np.vstack([FAITHFUL, np.column_stack([rng.uniform(1, 6, 40), rng.uniform(40, 100, 40)])])
    fit = nf.Mixture("gaussian", 2, noise=True).fit(y, n_init=4, random_state=0)
    weights = fit.weights.to_numpy()
    each = [
        np.log(weights[k]) + stats.multivariate_normal.logpdf(y, fit.means.loc[k], fit.covariances[k]) for k in range(2)
    ]
    box = np.full(len(y), np.log(weights[2]) - np.log(np.ptp(y, axis=0)).sum())
    assert fit.llf == pytest.approx(logsumexp([*each, box], axis=0).sum(), rel=1e-12)


def test_tables_that_stream_by_keep_their_names(tmp_path: Path) -> None:
    table = FAITHFUL.assign(times=np.arange(len(FAITHFUL)) % 3)
    table.to_parquet(tmp_path / "faithful.parquet")
    source = nf.data.from_parquet(tmp_path / "faithful.parquet")
    names = ["eruptions", "waiting"]
    fit = nf.Mixture("gaussian", 2).fit(names, "times", data=source, n_init=3, random_state=0)
    held = nf.Mixture("gaussian", 2).fit(names, "times", data=table, n_init=3, random_state=0)
    assert fit.llf == pytest.approx(held.llf, rel=1e-12)
    assert fit.nobs == held.nobs
    assert list(fit.params.index) == list(held.params.index)
    expected = held.predict_proba(table.head(3)).to_numpy()
    assert fit.predict_proba(table.head(3)[names[::-1]]).to_numpy() == pytest.approx(expected, rel=1e-6)
    every = nf.Mixture("gaussian", 1).fit(nf.data.from_frame(FAITHFUL))
    assert every.means.to_numpy().ravel() == pytest.approx(FAITHFUL.mean().to_numpy())
    with pytest.raises(ValueError, match="give freq_weights as its name"):
        nf.Mixture("gaussian", 1).fit(names, np.ones(272), data=source)


def test_figures_of_bounded_and_of_independent_columns() -> None:
    rng = np.random.default_rng(0)
    share = nf.Mixture("beta", 1).fit(rng.beta(5.0, 0.5, 80)).plot()  # up to 1, which the density does not reach
    assert np.isfinite(share.lines[0].get_ydata()).all()
    families = {"eruptions": "gaussian", "waiting": "gaussian"}
    axes = nf.Mixture(families, 2).fit(FAITHFUL, n_init=3, random_state=0).plot()
    assert len(axes.lines) == 4  # two ellipses for each component


def test_regressions_heed_frequencies_and_refuse_responses_out_of_the_support() -> None:
    rng = np.random.default_rng(1)
    rows = pd.DataFrame(
        {"x": rng.normal(size=40), "person": rng.integers(12, size=40), "times": rng.integers(0, 3, 40)}
    )
    kind = rng.random(12)[rows["person"]] < 0.5
    rows["y"] = rng.poisson(np.exp(np.where(kind, 0.2, 2.0) + 0.2 * rows["x"]))
    repeated = rows.loc[np.repeat(rows.index, rows["times"])].reset_index(drop=True)
    options = {"family": "poisson", "n_components": 1, "groups": "person"}
    counted = nf.MixtureRegression.from_formula("y ~ x", rows, freq_weights="times", **options).fit()
    plain = nf.MixtureRegression.from_formula("y ~ x", repeated, **options).fit()
    tests = [fit.test_components(1, n_init=1, random_state=0) for fit in (counted, plain)]
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=1e-8)
    assert tests[0].replicates == pytest.approx(tests[1].replicates, rel=1e-5, abs=1e-6)
    with pytest.raises(ValueError, match="Poisson counts must be 0 or more"):
        plain.predict_proba(rows.assign(y=-1), groups="person")
    with pytest.raises(ValueError, match="'y' has missing values"):
        plain.predict_proba(rows.assign(y=np.nan), groups="person")


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_weights_of_the_likelihood_have_any_scale(scale: float) -> None:
    plain = nf.Mixture("gaussian", 2).fit(FAITHFUL, n_init=4, random_state=0)
    fit = nf.Mixture("gaussian", 2).fit(FAITHFUL, var_weights=np.full(len(FAITHFUL), scale), n_init=4, random_state=0)
    assert fit.llf == pytest.approx(scale * plain.llf, rel=1e-10)
    assert fit.params.to_numpy() == pytest.approx(plain.params.to_numpy(), rel=1e-8)
    assert fit.bse.to_numpy() * np.sqrt(scale) == pytest.approx(plain.bse.to_numpy(), rel=1e-6)
    assert fit.base.search.loglik == pytest.approx(fit.llf, rel=1e-6)


def test_latent_classes_of_categories() -> None:
    rng = np.random.default_rng(0)
    first = rng.random(200) < 0.5
    chances = (rng.choice(3, 200, p=[0.7, 0.2, 0.1]), rng.choice(3, 200, p=[0.1, 0.2, 0.7]))
    columns = {f"q{j}": np.where(first, rng.permutation(chances[0]), rng.permutation(chances[1])) for j in range(4)}
    table = pd.DataFrame(columns)
    fit = nf.Mixture("categorical", 2).fit(table, n_init=4, random_state=0)
    weights, params = fit.weights.to_numpy(), fit.component_params
    joint = np.log(weights)[None].repeat(len(table), axis=0)
    for name, codes in table.items():  # the last class has what the others leave
        chance = params[[f"{name}:probability[0]", f"{name}:probability[1]"]].to_numpy()
        chance = np.column_stack([chance, 1.0 - chance.sum(axis=1)])
        joint += np.log(chance[:, codes]).T
    assert fit.llf == pytest.approx(logsumexp(joint, axis=1).sum(), rel=1e-12)
    assert fit.df == 1 + 2 * 4 * 2
    with pytest.raises(ValueError, match=r"categorical needs whole numbers from 0 to 2.*of q0 are outside"):
        nf.Mixture("categorical", 2).fit(table + 0.5)


def test_a_probability_at_its_edge_is_named() -> None:
    rng = np.random.default_rng(1)
    sick = rng.random(150) < 0.4
    table = pd.DataFrame({f"t{j}": (sick & (rng.random(150) < 0.8)).astype(float) for j in range(4)})
    with pytest.warns(
        nf.DegeneracyWarning, match="t0:probability of component 0 stands at 0: it has no standard error"
    ):
        nf.Mixture("bernoulli", 2).fit(table, n_init=4, random_state=0)


def test_regressions_are_all_of_counts_or_none() -> None:
    table = pd.DataFrame({"y": [0.0, 1.0, 2.0, 5.0, 3.0, 4.0], "x": np.arange(6.0)})
    with pytest.raises(ValueError, match="poisson gives probabilities and gaussian densities"):
        nf.MixtureRegression.from_formula("y ~ x", table, family=["poisson", "gaussian"])
