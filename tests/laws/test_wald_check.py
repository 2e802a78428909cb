"""What is told of Wald's statistics: the tails at their limits, and how the statistic changes with the coefficient."""

import numpy as np
import pytest
from scipy.special import ndtr

import natfit as nf

RNG = np.random.default_rng(2)
X = np.column_stack([np.ones(60), RNG.normal(size=(60, 2))])
Y = RNG.poisson(np.exp(0.3 + 0.4 * X[:, 1])).astype(float)


def test_nothing_departs_from_a_linear_gaussian():
    table = nf.GLM(Y, X).fit().wald_check(alpha=0.1)
    np.testing.assert_allclose(table[["lower_tail", "upper_tail"]], 0.05, rtol=1e-9)
    np.testing.assert_allclose(table["wald_slope"], 1.0, rtol=1e-9)
    assert not table["disagrees"].any()
    assert not table["hauck_donner"].any()


@pytest.mark.parametrize(("family", "link"), [("poisson", "log"), ("binomial", "probit"), ("gamma", "log")])
def test_the_tails_are_those_of_the_profile_to_third_order(family, link):
    y = {"poisson": Y, "binomial": np.minimum(Y, 1.0), "gamma": Y + 0.5}[family]
    fit = nf.GLM(y, X, family=family, link=link).fit()
    table, limits = fit.wald_check(), fit.conf_int()
    for j in (1, 2):
        others = [k for k in range(3) if k != j]
        for side, name in enumerate(("lower_tail", "upper_tail")):
            made = nf.GLM(y, X[:, others], family=family, link=link, offset=limits[j, side] * X[:, j])
            deviance = (made.fit().deviance - fit.deviance) / fit.scale
            # the tangent errs from fourth order on, and to the side of less likelihood
            assert table[name].iloc[j] == pytest.approx(ndtr(-np.sqrt(deviance)), rel=0.05)
            assert table[name].iloc[j] <= ndtr(-np.sqrt(deviance)) * (1 + 1e-9)


@pytest.mark.parametrize(("family", "link"), [("poisson", "log"), ("binomial", "cloglog"), ("inverse_gaussian", "log")])
def test_the_slope_is_the_derivative_of_the_wald_statistic(family, link):
    y = {"poisson": Y, "binomial": np.minimum(Y, 1.0), "inverse_gaussian": Y + 0.5}[family]
    model = nf.GLM(y, X, family=family, link=link, freq_weights=np.tile([1.0, 2.0], 30))
    fit = model.fit()

    def wald(value, j):
        at = fit.params.copy()
        at[j] = value
        return value / np.sqrt(np.linalg.inv(-model.information(at, scale=1.0))[j, j])

    slopes = fit.wald_check()["wald_slope"]
    for j in range(3):
        b, h = fit.params[j], 1e-5
        numerical = (wald(b + h, j) - wald(b - h, j)) / (2 * h) * (b / wald(b, j))
        assert slopes.iloc[j] == pytest.approx(numerical, rel=1e-6, abs=1e-8)


def test_a_summary_names_who_disagrees():
    few = nf.GLM([1, 0, 0, 0, 0, 0, 0, 0], np.ones((8, 1)), family="binomial").fit()
    assert few.wald_check()["disagrees"].all()
    text = few.summary().as_text()
    assert "WALD AND LIKELIHOOD RATIO DISAGREE on const" in text
    assert "prefer conf_int(method='profile')" in text
    calm = nf.GLM(Y, X, family="poisson").fit().summary().as_text()
    assert "DISAGREE" not in calm
    assert "HAUCK" not in calm


def test_a_summary_names_the_hauck_donner_effect():
    # Hauck & Donner (1977): a coefficient so large that its standard error outgrows it; the likelihood ratio is sure.
    x = np.repeat([0.0, 1.0], 40)
    y = np.concatenate([np.tile([0.0, 1.0], 20), np.ones(40)])
    y[-1] = 0.98  # not quite separated
    fit = nf.GLM(y, np.column_stack([np.ones(80), x]), family="binomial").fit()
    assert fit.wald_check()["hauck_donner"].iloc[1]
    assert fit.pvalues[1] > 0.05
    assert fit.lr_test("x1")["pvalue"].iloc[0] < 1e-6
    assert "HAUCK-DONNER EFFECT on x1" in fit.summary().as_text()


def test_the_effect_is_harmless_where_the_test_is_sure():
    beetles = nf.datasets.load("beetles")
    fit = nf.GLM.from_formula("I(killed / n) ~ dose", beetles, family="binomial", trials="n").fit()
    assert fit.wald_check()["hauck_donner"]["dose"]
    assert "HAUCK" not in fit.summary().as_text()


def test_a_large_fit_is_not_looked_at_unasked(monkeypatch):
    from natfit.results import wald_check

    monkeypatch.setattr(wald_check, "CHEAP", 10)
    assert "not looked at in so large a fit" in nf.GLM(Y, X, family="poisson").fit().summary().as_text()


def test_bias_reduced_and_separated_fits():
    table = nf.GLM(Y, X, family="poisson").fit(bias_reduction="firth").wald_check()
    assert table[["lower_tail", "upper_tail"]].isna().all(axis=None)
    assert table["wald_slope"].notna().all()
    with pytest.warns(nf.SeparationWarning):
        fit = nf.GLM([0.0, 0.0, 1.0, 1.0], [[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]], family="binomial").fit()
    with pytest.raises(ValueError, match="no finite standard errors"):
        fit.wald_check()
    assert "DISAGREE" not in fit.summary().as_text()


def test_aliased_columns_say_nothing():
    fit = nf.GLM(Y, np.column_stack([X, X[:, 1]]), family="poisson").fit()
    table = fit.wald_check()
    assert table.iloc[3][["lower_tail", "upper_tail", "wald_slope"]].isna().all()
    np.testing.assert_allclose(
        table.iloc[:3, :3], nf.GLM(Y, X, family="poisson").fit().wald_check().iloc[:, :3], rtol=1e-7
    )
