"""The bootstrap: replicates are the fits that they stand for, whoever works them out; intervals by their definitions."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.results.bootstrap.resampling import generator, seeds
from natfit.results.warnings import ConvergenceWarning

CRABS = nf.datasets.load("crabs")
SITE = np.arange(len(CRABS)) % 23
RNG = np.random.default_rng(11)


def crabs(formula="sat ~ width", family="poisson", **options):
    return nf.GLM.from_formula(formula, CRABS, family=family, **options).fit()


def test_numbers_depend_on_the_seed_alone() -> None:
    fit = crabs()
    one = fit.bootstrap(40, random_state=3, n_jobs=1)
    pd.testing.assert_frame_equal(one.replicates, fit.bootstrap(40, random_state=3, n_jobs=3).replicates)
    pd.testing.assert_frame_equal(one.replicates[:15], fit.bootstrap(15, random_state=3).replicates)
    pd.testing.assert_frame_equal(one.replicates, fit.bootstrap(40, random_state=np.random.SeedSequence(3)).replicates)
    again = fit.bootstrap(10, random_state=np.random.default_rng(5))
    pd.testing.assert_frame_equal(again.replicates, fit.bootstrap(10, random_state=again.entropy).replicates)
    assert not one.replicates[:15].equals(fit.bootstrap(15, random_state=4).replicates)
    assert list(one.replicates.columns) == list(fit.params.index)
    pd.testing.assert_frame_equal(
        pickle.loads(pickle.dumps(one)).summary_frame(0.1, "bca"), one.summary_frame(0.1, "bca")
    )
    assert repr(one) == "<BootstrapResults: case, 40 of 40 replicates>"


def test_a_case_replicate_is_the_fit_of_the_rows_drawn() -> None:
    boot = crabs().bootstrap(3, random_state=7)
    for b in range(3):
        rows = generator(seeds(7), b).integers(0, len(CRABS), len(CRABS))
        direct = nf.GLM.from_formula("sat ~ width", CRABS.iloc[rows], family="poisson").fit()
        np.testing.assert_allclose(boot.replicates.iloc[b], direct.params, rtol=1e-8)


def test_a_cluster_replicate_is_the_fit_of_whole_clusters() -> None:
    boot = crabs().bootstrap(3, kind="cluster", groups=SITE, random_state=7)
    table = CRABS.assign(site=SITE)
    named = nf.GLM.from_formula("sat ~ width", table, family="poisson").fit()
    named = named.bootstrap(3, kind="cluster", groups="site", random_state=7)
    np.testing.assert_allclose(named.replicates, boot.replicates)
    for b in range(3):
        drawn = generator(seeds(7), b).integers(0, 23, 23)
        rows = np.concatenate([np.flatnonzero(site == SITE) for site in drawn])
        direct = nf.GLM.from_formula("sat ~ width", CRABS.iloc[rows], family="poisson").fit()
        np.testing.assert_allclose(boot.replicates.iloc[b], direct.params, rtol=1e-8)


def test_a_parametric_replicate_is_the_fit_of_responses_drawn() -> None:
    X = np.column_stack([np.ones(50), RNG.normal(size=50)])
    weight, trials = RNG.uniform(0.5, 2.0, 50), RNG.integers(3, 9, 50).astype(float)
    cases = {
        "gamma": (RNG.gamma(2.0, 1.0, 50), {"link": "log", "var_weights": weight}),
        "binomial": (RNG.binomial(trials.astype(int), 0.4) / trials, {"trials": trials}),
    }
    for family, (y, options) in cases.items():
        fit = nf.GLM(y, X, family=family, **options).fit()
        boot = fit.bootstrap(2, kind="parametric", random_state=7)
        for b in range(2):
            known = {"trials": trials} if family == "binomial" else {"weight": weight}
            drawn = fit.family.sample_response(fit.fittedvalues, generator(seeds(7), b), dispersion=fit.scale, **known)
            direct = nf.GLM(drawn, X, family=family, **options).fit()
            np.testing.assert_allclose(boot.replicates.iloc[b], direct.params, rtol=1e-7)


def test_frequencies_are_observations_to_draw() -> None:
    freq = (np.arange(len(CRABS)) % 4).astype(float)
    drawn = []
    fit = crabs(freq_weights=freq)
    fit.bootstrap(5, random_state=1, n_jobs=1, statistic=lambda f: drawn.append(f.model.freq_weights) or 0.0)
    for each in drawn[1:]:
        assert each.sum() == freq.sum()
        assert not each[freq == 0].any()
    written = nf.GLM.from_formula(
        "sat ~ width", CRABS.loc[CRABS.index.repeat(freq.astype(int))], family="poisson"
    ).fit()
    one, other = fit.bootstrap(400, random_state=1).bse, written.bootstrap(400, random_state=2).bse
    np.testing.assert_allclose(one, other, rtol=0.2)  # each is known to 1 / sqrt(800), or 3.5%


def test_units_of_columns() -> None:
    y, X = CRABS["sat"].to_numpy(float), np.column_stack([np.ones(len(CRABS)), CRABS["width"]])
    unit = np.array([1.0, 1e5])
    one, other = (nf.GLM(y, X / u, family="poisson").fit().bootstrap(30, random_state=1) for u in (1.0, unit))
    np.testing.assert_allclose(other.replicates, one.replicates * unit, rtol=1e-8)
    np.testing.assert_allclose(other.acceleration, one.acceleration, rtol=1e-8)


def test_the_spread_of_a_mean() -> None:
    y = RNG.gamma(2.0, 1.0, 40)
    boot = nf.GLM(y, np.ones(40)).fit().bootstrap(2000, random_state=1)
    assert boot.bse.iloc[0] == pytest.approx(np.sqrt(y.var() / 40), rel=4 / np.sqrt(2 * 2000))
    assert abs(boot.bias.iloc[0]) < 4 * boot.bse.iloc[0] / np.sqrt(2000)
    np.testing.assert_allclose(boot.bse**2, np.diag(boot.cov_params()))
    assert boot.bse.iloc[0] == pytest.approx(boot.replicates.iloc[:, 0].std())


def test_limits_by_their_definitions() -> None:
    boot = crabs().bootstrap(39, random_state=1)
    ends = np.column_stack([boot.replicates.min(), boot.replicates.max()])
    np.testing.assert_allclose(boot.conf_int(), ends)  # the first and the last of 39
    np.testing.assert_allclose(boot.conf_int(method="basic"), 2 * boot.estimate.to_numpy()[:, None] - ends[:, ::-1])
    with pytest.raises(ValueError, match=r"an interval of level 0\.99 needs 199 or more"):
        boot.conf_int(0.01)


def test_bca_levels_are_efrons() -> None:
    from scipy.stats import norm

    boot = crabs().bootstrap(999, random_state=1)
    limits = boot.conf_int(0.1, "bca")
    for name in boot.estimate.index:
        values, a = boot.replicates[name], boot.acceleration[name]
        z0 = norm.ppf((values < boot.estimate[name]).mean())
        levels = [norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in norm.ppf([0.05, 0.95])]
        np.testing.assert_allclose(limits.loc[name], np.quantile(values, levels, method="weibull"))


def test_acceleration_of_a_linear_fit_is_the_jackknifes() -> None:
    y, X = RNG.gamma(1.0, 1.0, 50), np.column_stack([np.ones(50), RNG.gamma(1.0, 1.0, 50)])
    freq = np.where(np.arange(50) < 10, 2.0, 1.0)
    rows = np.repeat(np.arange(50), freq.astype(int))
    without = np.array([nf.GLM(y[keep], X[keep]).fit().params for keep in (np.delete(rows, i) for i in range(60))])
    moved = nf.GLM(y[rows], X[rows]).fit().params - without
    by_hand = (moved**3).sum(axis=0) / (6 * (moved**2).sum(axis=0) ** 1.5)
    weighted = nf.GLM(y, X, freq_weights=freq).fit().bootstrap(3, random_state=1)
    np.testing.assert_allclose(weighted.acceleration, by_hand, rtol=1e-8)


def test_acceleration_of_a_statistic_of_ones_own() -> None:
    y, X = RNG.gamma(1.0, 1.0, 50), np.column_stack([np.ones(50), RNG.gamma(1.0, 1.0, 50)])
    fit = nf.GLM(y, X).fit()
    own = fit.bootstrap(
        3, random_state=1, statistic=lambda f: {"ratio": f.params[1] / f.params[0], "slope": f.params[1]}
    )
    without = np.array([nf.GLM(np.delete(y, i), np.delete(X, i, 0)).fit().params for i in range(50)])
    ratio = without[:, 1] / without[:, 0]
    away = ratio.mean() - ratio
    assert own.acceleration["ratio"] == pytest.approx((away**3).sum() / (6 * (away**2).sum() ** 1.5), rel=1e-7)
    np.testing.assert_allclose(own.estimate, [fit.params[1] / fit.params[0], fit.params[1]])
    pooled = fit.bootstrap(
        3, kind="cluster", groups=np.arange(50) // 5, random_state=1, statistic=lambda f: f.params[1]
    )
    assert list(pooled.estimate.index) == ["statistic"]
    blocks = np.array([nf.GLM(y[k], X[k]).fit().params[1] for k in (np.arange(50) // 5 != g for g in range(10))])
    away = blocks.mean() - blocks
    assert pooled.acceleration.iloc[0] == pytest.approx((away**3).sum() / (6 * (away**2).sum() ** 1.5), rel=1e-7)


def test_parametric_acceleration_is_that_of_the_exponentials_mean() -> None:
    # Efron (1987), section 2: a third over the root of n, for the mean of n exponentials; in any monotone scale of it.
    fit = nf.GLM(RNG.exponential(2.0, 30), np.ones(30), family="gamma", link="log").fit(scale=1.0)
    boot = fit.bootstrap(2, kind="parametric", random_state=1)
    assert boot.acceleration.iloc[0] == pytest.approx(1 / (3 * np.sqrt(30)), rel=1e-9)
    half = nf.GLM(RNG.gamma(0.5, 2.0, 30), np.ones(30), family="gamma", link="log").fit(scale=2.0)
    boot = half.bootstrap(2, kind="parametric", random_state=1)
    assert boot.acceleration.iloc[0] == pytest.approx(np.sqrt(2) / (3 * np.sqrt(30)), rel=1e-9)


def test_cluster_acceleration_of_single_rows_is_that_of_deletions_without_leverage() -> None:
    y, X = RNG.gamma(1.0, 1.0, 400), np.column_stack([np.ones(400), RNG.normal(size=400)])
    fit = nf.GLM(y, X).fit()
    rows = fit.bootstrap(2, random_state=1).acceleration
    clusters = fit.bootstrap(2, kind="cluster", groups=np.arange(400), random_state=1).acceleration
    np.testing.assert_allclose(clusters, rows, rtol=0.1, atol=1e-3)


def test_alpha_is_one_of_the_estimates() -> None:
    fit = crabs(family=nf.families.NegativeBinomial(alpha="ml"))
    boot = fit.bootstrap(20, random_state=1)
    assert boot.estimate["alpha"] == fit.family.alpha
    assert boot.bse["alpha"] == pytest.approx(fit.shape.se, rel=0.8)


def test_replicates_without_a_maximum_are_counted_and_left_out() -> None:
    X = np.column_stack([np.ones(12), np.arange(12.0) % 5, np.arange(12) == 4])
    with pytest.warns(
        ConvergenceWarning, match=r"of 200 replicates have no maximum \(\d+ aliased\) and are left out"
    ) as said:
        boot = nf.GLM(RNG.normal(size=12), X).fit().bootstrap(200, random_state=1)
    assert said[0].filename == __file__
    absent = [0 if generator(seeds(1), b).integers(0, 12, 12).tolist().count(4) else 1 for b in range(200)]
    assert boot.left_out == {"aliased": sum(absent)}
    np.testing.assert_array_equal(boot.replicates.isna().any(axis=1), np.array(absent, dtype=bool))
    assert boot.n_used == 200 - sum(absent)
    assert f"{sum(absent)} of 200 replicates have no maximum" in str(boot.summary())
    assert np.isfinite(boot.conf_int()).all(axis=None)


def test_separated_replicates_are_told_apart() -> None:
    x = np.array([-2.0, -1.5, -1.0, -0.5, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0])
    y = (x > 0).astype(float)
    y[[4, 3]] = 0.0, 1.0
    fit = nf.GLM(y, np.column_stack([np.ones(10), x]), family="binomial").fit()
    with pytest.warns(ConvergenceWarning, match="separated"):
        boot = fit.bootstrap(60, random_state=1)
    assert boot.left_out["separated"] > 5
    firth = nf.GLM(y, np.column_stack([np.ones(10), x]), family="binomial").fit(bias_reduction="firth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert "separated" not in firth.bootstrap(60, random_state=1).left_out


def test_aliased_columns_of_the_fit_stay_aliased() -> None:
    X = np.column_stack([np.ones(30), np.arange(30.0), 2 * np.arange(30.0)])
    boot = nf.GLM(RNG.normal(size=30), X).fit().bootstrap(40, random_state=1)
    assert boot.n_used == 40
    assert boot.conf_int(method="bca").isna().all(axis=1).tolist() == [False, False, True]
    assert "nan" in str(boot.summary())


def test_table_and_figure() -> None:
    import matplotlib

    matplotlib.use("Agg")
    boot = crabs("sat ~ width + C(color)").bootstrap(60, random_state=1)
    frame = boot.summary_frame(method="bca")
    assert list(frame.columns) == ["estimate", "bias", "bse", "lower", "upper"]
    told = str(boot.summary(0.1, "basic"))
    assert "[0.05" in told
    assert "60 replicates; basic limits." in told
    assert "<table" in boot.summary().as_html()
    axes = boot.plot(["width", "Intercept"])
    assert [ax.get_xlabel() for ax in axes] == ["width", "Intercept"]
    assert sum(patch.get_height() for patch in axes[0].patches) == 60
    with pytest.raises(ValueError, match="columns must be some of Intercept"):
        boot.plot(["weight"])
    matplotlib.pyplot.close("all")


def test_progress_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    crabs().bootstrap(5, random_state=1, progress=True)
    assert "5/5" in capsys.readouterr().err


QUASI = {"dispersion": "pearson"}
REFUSED = {
    "no replicates": ({}, {"n": 1}, "2 or more"),
    "half a replicate": ({}, {"n": 2.5}, "whole number"),
    "another kind": ({}, {"kind": "wild"}, "'case', 'parametric' or 'cluster'"),
    "groups of cases": ({}, {"groups": SITE}, "drawn by kind='cluster'"),
    "no groups": ({}, {"kind": "cluster"}, "needs the cluster of each row"),
    "one group": ({}, {"kind": "cluster", "groups": np.ones(len(CRABS))}, "there is 1"),
    "missing groups": ({}, {"kind": "cluster", "groups": [None, *SITE[1:]]}, "'groups' is missing in 1 row (0)"),
    "too few groups": ({}, {"kind": "cluster", "groups": SITE[1:]}, "'groups' has 172 rows and 'endog' has 173"),
    "parts of observations": ({"freq_weights": CRABS["width"] / 20}, {}, "freq_weights must be whole numbers"),
    "responses by frequency": ({"freq_weights": SITE + 1.0}, {"kind": "parametric"}, "write those rows out"),
    "a quasi-likelihood's responses": (QUASI, {"kind": "parametric"}, "no law to draw responses from"),
    "a matrix": ({}, {"statistic": lambda fit: fit.cov_params()}, "a vector, a Series or a dict"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_in_one_sentence(case: str) -> None:
    options, asked, said = REFUSED[case]
    with pytest.raises(ValueError, match=r".") as refused:
        crabs(**options).bootstrap(**{"n": 5, **asked})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_fit_that_did_not_converge_is_refused() -> None:
    with pytest.warns(ConvergenceWarning):
        stopped = nf.GLM.from_formula("sat ~ width", CRABS, family="poisson").fit(maxiter=1)
    with pytest.raises(ValueError, match="needs a fit that reached its maximum"):
        stopped.bootstrap(5)
