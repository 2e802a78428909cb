"""Measures, residuals and laws of distributional fits, against statsmodels, SciPy and fits of constants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.othermod.betareg import BetaModel

import natfit as nf

FIT = nf.DistributionalRegression.from_formula


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    n = 250
    x, z = rng.normal(size=n), rng.uniform(size=n)
    mean, precision = 1.0 / (1.0 + np.exp(-0.3 - 0.8 * x)), np.exp(2.0 + z)
    k = rng.binomial(9, rng.beta(2.0, 3.0, n))
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "share": rng.beta(mean * precision, (1.0 - mean) * precision),
            "count": rng.poisson(np.exp(0.4 + 0.3 * x) * rng.gamma(2.0, 0.5, n)),
            "number": 1.0 + x + np.exp(z) * rng.normal(size=n),
            "angle": rng.vonmises(0.5, 2.0, n),
            "k": k,
            "m": 9 - k,
            "w": rng.integers(0, 3, n),
        }
    )


def test_a_beta_fit_is_measured_as_statsmodels_does(table: pd.DataFrame) -> None:
    ours = FIT("share ~ x | z", table, "beta").fit()
    ones = np.ones(len(table))
    model = BetaModel(table["share"], np.column_stack([ones, table["x"]]), np.column_stack([ones, table["z"]]))
    theirs = model.fit(disp=0, method="newton", maxiter=200)
    for name in ("llnull", "llr", "prsquared"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-6), name
    assert ours.llr_pvalue == pytest.approx(theirs.llr_pvalue, rel=1e-4)
    assert ours.pseudo_rsquared("cs") == pytest.approx(theirs.pseudo_rsquared("cs"), rel=1e-6)
    np.testing.assert_allclose(ours.resid_response, theirs.resid, atol=1e-8)
    np.testing.assert_allclose(ours.resid_pearson, theirs.resid_pearson, atol=1e-7)
    assert list(ours.resid_pearson.index) == list(table.index)
    law, own = theirs.get_distribution(), ours.get_distribution()
    for name, value in {"logpdf": 0.3, "cdf": 0.3, "sf": 0.3, "ppf": 0.2}.items():
        np.testing.assert_allclose(getattr(own, name)(value), getattr(law, name)(value), rtol=1e-6)
    np.testing.assert_allclose(own.var(), law.var(), rtol=1e-7)


def test_probabilities_of_counts_are_statsmodels(table: pd.DataFrame) -> None:
    ours = FIT("count ~ x", table, "nb2").fit()
    model = sm.NegativeBinomial(table["count"], sm.add_constant(table["x"]))
    theirs = model.fit(disp=0, method="newton", maxiter=100)
    wanted = theirs.predict(which="prob")
    chances = ours.get_distribution().pmf(np.arange(wanted.shape[1])[:, None]).T
    np.testing.assert_allclose(chances, wanted, atol=1e-8)
    for name in ("llnull", "prsquared"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-6), name


def test_the_null_fit_keeps_offset_weights_and_held_values(table: pd.DataFrame) -> None:
    beside = {"offset": {"mean": "z"}, "freq_weights": "w", "fixed": {"alpha": 0.5}}
    whole = FIT("count ~ 0 + x + I(x**2)", table, "nb2", **beside).fit()
    constant = FIT("count ~ 1", table, "nb2", **beside).fit()
    assert whole.llnull == pytest.approx(constant.llf, rel=1e-12)
    np.testing.assert_allclose(whole.null_fit.params, constant.params, rtol=1e-8)
    assert constant.llr == pytest.approx(0.0, abs=1e-10)
    assert np.isnan(constant.llr_pvalue)


def test_streams_have_the_same_measures(table: pd.DataFrame) -> None:
    tables = nf.data.from_frame([table[:100], table[100:]])
    here, there = FIT("count ~ x | z", table, "nb2").fit(), FIT("count ~ x | z", tables, "nb2").fit()
    assert there.llnull == pytest.approx(here.llnull, rel=1e-12)
    np.testing.assert_allclose(there.resid_pearson, here.resid_pearson, rtol=1e-8)
    np.testing.assert_allclose(there.get_distribution().pmf(2), here.get_distribution().pmf(2), rtol=1e-8)


def test_another_covariance_of_the_same_fit(table: pd.DataFrame) -> None:
    plain = FIT("share ~ x | z", table, "beta").fit()
    for kind, kwds in (("HC1", {}), ("cluster", {"groups": table["w"]})):
        wanted = FIT("share ~ x | z", table, "beta").fit(cov_type=kind, cov_kwds=kwds)
        changed = plain.get_robustcov_results(kind, **kwds)
        np.testing.assert_allclose(changed.bse, wanted.bse, rtol=1e-10)
        assert changed.cov_type == kind
        assert plain.cov_type == "nonrobust"


def test_predictors_are_the_links_of_the_parameters(table: pd.DataFrame) -> None:
    fit = FIT("count ~ x | z", table, "nb2", links={"alpha": "sqrt"}, offset={"mean": "z"}).fit()
    eta, theta = fit.predict(table.head(4), what="linear"), fit.predict(table.head(4), what="parameters")
    np.testing.assert_allclose(eta["mean"], np.log(theta["mean"]))
    np.testing.assert_allclose(eta["alpha"], np.sqrt(theta["alpha"]))
    np.testing.assert_allclose(eta["mean"] - table["z"].head(4), fit.part("mean") @ [[1.0] * 4, table["x"].head(4)])
    held = FIT("count ~ x", table, "nb2", fixed={"alpha": 0.5}).fit()
    assert list(held.predict(table.head(2), what="linear")) == ["mean"]


def test_laws_are_told_from_their_supports(table: pd.DataFrame) -> None:
    law = FIT("count ~ x", table, "nb2").fit().get_distribution(table.head(2))
    np.testing.assert_array_equal(law.cdf(-1.0), 0.0)
    np.testing.assert_array_equal(law.cdf(np.inf), 1.0)
    np.testing.assert_array_equal(law.pmf(1.5), 0.0)
    np.testing.assert_allclose(law.cdf(2.5), law.pmf([[0], [1], [2]]).sum(axis=0))
    assert (law.cdf(law.ppf(0.7)) >= 0.7).all()
    gaussian = FIT("number ~ x | z", table, "gaussian").fit()
    theta = gaussian.predict(what="parameters")
    np.testing.assert_allclose(
        gaussian.get_distribution().logpdf(table["number"]),
        stats.norm.logpdf(table["number"], theta["mean"], theta["sd"]),
    )
    with pytest.raises(ValueError, match="one for each of the 2 rows"):
        law.pmf([0, 1, 2])
    with pytest.raises(ValueError, match="1 of 2 rows lack a value"):
        gaussian.get_distribution({"x": [1.0, np.nan], "z": [0.0, 0.0]})


def test_successes_out_of_trials(table: pd.DataFrame) -> None:
    fit = FIT("k + m ~ x", table, "beta_binomial").fit()
    law = fit.get_distribution(table.head(3), trials=9)
    mean, correlation = fit.predict(table.head(3), what="parameters").to_numpy().T
    ratio = 1.0 / correlation - 1.0
    wanted = stats.betabinom(9, mean * ratio, (1.0 - mean) * ratio)
    np.testing.assert_allclose(law.var(), wanted.var(), rtol=1e-10)
    np.testing.assert_allclose(law.pmf(4), wanted.pmf(4), rtol=1e-10)
    apart = table["k"].head(3) - wanted.mean()
    np.testing.assert_allclose(fit.resid_response.head(3), apart, rtol=1e-10)
    np.testing.assert_allclose(fit.resid_pearson.head(3), apart / wanted.std(), rtol=1e-10)


def test_residuals_of_classes_and_refusals(table: pd.DataFrame) -> None:
    pneumo = nf.datasets.load("pneumo")
    fit = FIT("normal + mild + severe ~ logt", pneumo, "multinomial").fit()
    counts = pneumo[["normal", "mild", "severe"]]
    expected = fit.predict().mul(counts.sum(axis=1), axis=0)
    pd.testing.assert_frame_equal(fit.resid_response, counts - expected)
    np.testing.assert_allclose(fit.resid_pearson, (counts - expected) / np.sqrt(expected * (1.0 - fit.predict())))
    with pytest.raises(ValueError, match="distributions need a response of one number"):
        fit.get_distribution()
    with pytest.raises(ValueError, match="directions have no differences"):
        FIT("angle ~ 1", table, "von_mises").fit().resid_pearson  # noqa: B018
    with pytest.raises(ValueError, match="kind must be 'cs'"):
        fit.pseudo_rsquared("tjur")
