"""Profile likelihoods of distributional fits: at their limits a fit with the coefficient held loses what it should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special, stats

import natfit as nf

FIT = nf.DistributionalRegression.from_formula
GASOLINE = nf.datasets.load("gasoline")
BETA = "yield ~ temp + C(batch) | temp"
QUANTILE = stats.chi2.ppf(0.95, 1)


@pytest.fixture(scope="module")
def beta() -> nf.DistributionalResults:
    return FIT(BETA, GASOLINE, "beta").fit()


@pytest.mark.parametrize("name", ["precision:temp", "mean:temp", "precision:Intercept"])
def test_a_fit_held_at_a_limit_loses_the_quantile(name: str, beta: nf.DistributionalResults) -> None:
    limits = beta.conf_int(method="profile").loc[name]
    for end in limits:
        held = FIT(BETA, GASOLINE, "beta", constraints=f"{name} = {end:.15g}").fit()
        assert 2.0 * (beta.llf - held.llf) == pytest.approx(QUANTILE, rel=1e-7)
    assert limits[0] < beta.params[name] < limits[1]


def test_coefficients_that_are_held_stay_where_they_are() -> None:
    fit = FIT("yield ~ temp | temp", GASOLINE, "beta", constraints="mean:temp = 0.01").fit()
    for end in fit.conf_int(method="profile").loc["precision:temp"]:
        both = ["mean:temp = 0.01", f"precision:temp = {end:.15g}"]
        held = FIT("yield ~ temp | temp", GASOLINE, "beta", constraints=both).fit()
        assert 2.0 * (fit.llf - held.llf) == pytest.approx(QUANTILE, rel=1e-7)


def test_a_likelihood_of_two_parameters_is_profiled_as_by_hand() -> None:
    y = np.random.default_rng(3).weibull(1.7, 25) * 4.0
    fit = nf.DistributionalRegression(y, family="weibull").fit()

    def deviance(log_shape: float) -> float:
        k = np.exp(log_shape)
        return 2.0 * (fit.llf - stats.weibull_min.logpdf(y, k, scale=np.mean(y**k) ** (1.0 / k)).sum())

    place = fit.family.parameter_names.index("shape")
    low, high = fit.conf_int(method="profile")[place]
    best = fit.params[place]
    ends = [optimize.brentq(lambda v: deviance(v) - QUANTILE, best, best + far) for far in (-2.0, 2.0)]
    np.testing.assert_allclose([low, high], ends, rtol=1e-6)
    shape = fit.profile(lambda params: float(np.exp(params[place])), name="shape")
    np.testing.assert_allclose(shape.conf_int(), np.exp(ends), rtol=1e-6)
    assert shape.estimate == pytest.approx(np.exp(best), rel=1e-9)
    assert shape.se == pytest.approx(np.exp(best) * fit.bse[place], rel=1e-6)


def test_tables_name_the_other_coefficients(beta: nf.DistributionalResults) -> None:
    profile = beta.profile("mean:temp", alpha=0.05, points=4)
    table = profile.table
    assert list(table.columns[2:]) == [name for name in beta.params.index if name != "mean:temp"]
    at = (table["signed_root"] == 0.0).idxmax()
    np.testing.assert_allclose(table.loc[at, "precision:temp"], beta.params["precision:temp"], rtol=1e-6)
    assert table["signed_root"].is_monotonic_increasing
    assert table["signed_root"].abs().max() == pytest.approx(-special.ndtri(0.025), rel=0.1)
    assert profile.plot().get_xlabel()


def test_ties_aliases_streams_and_classes() -> None:
    pneumo = nf.datasets.load("pneumo")
    odds = FIT("normal + mild + severe ~ logt", pneumo, "cumulative").fit()
    limits = odds.conf_int(method="profile").loc["logt"]
    offset = pneumo.assign(o=limits[1] * pneumo["logt"])
    held = FIT("normal + mild + severe ~ 1", offset, "cumulative", offset="o").fit()
    assert 2.0 * (odds.llf - held.llf) == pytest.approx(QUANTILE, rel=1e-7)
    crabs = pd.DataFrame(nf.datasets.load("crabs"))
    aliased = FIT("sat ~ width + I(2 * width) | 1", crabs, "nb2").fit()
    plain = FIT("sat ~ width | 1", crabs, "nb2").fit()
    streamed = FIT("sat ~ width | 1", nf.data.from_frame([crabs[:90], crabs[90:]]), "nb2").fit()
    wanted = plain.conf_int(method="profile")
    np.testing.assert_allclose(aliased.conf_int(method="profile").loc[wanted.index], wanted, rtol=1e-6)
    assert aliased.conf_int(method="profile").loc["mean:I(2 * width)"].isna().all()
    np.testing.assert_allclose(streamed.conf_int(method="profile"), wanted, rtol=1e-6)


def test_what_has_no_profile_is_refused(beta: nf.DistributionalResults, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which cov_type='HC1' does not trust"):
        beta.get_robustcov_results("HC1").profile("mean:temp")
    with pytest.raises(ValueError, match="there is no coefficient 'temp'"):
        beta.profile("temp")
    with pytest.raises(ValueError, match=r"one number; this one fails: KeyError\('temp'\)"):
        beta.profile(lambda params: params["temp"])
    with pytest.raises(ValueError, match="method must be 'wald' or 'profile'"):
        beta.conf_int(method="bootstrap")
    y = np.random.default_rng(1).uniform(size=80)
    with pytest.warns(nf.ConvergenceWarning):
        light = nf.DistributionalRegression(y, family="student_t").fit()
    with pytest.raises(ValueError, match="starts from the maximum, which this fit did not reach: df runs to infinity"):
        light.profile(0)
    beta.save(tmp_path / "fit.json")
    with pytest.raises(ValueError, match="a saved fit holds no rows, and a profile needs them"):
        nf.load(tmp_path / "fit.json").conf_int(method="profile")
    with pytest.raises(ValueError, match="the fit of constants alone needs them"):
        nf.load(tmp_path / "fit.json").llnull  # noqa: B018
