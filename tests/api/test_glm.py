"""nf.GLM in the place of sm.GLM: the same arguments, names and numbers; every kind of data; laws of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import statsmodels.api as sm
import tabmat
from hypothesis import given, settings
from hypothesis import strategies as st

import natfit as nf

N = 200
RNG = np.random.default_rng(0)
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
ETA = X @ [0.5, 0.3, -0.2]
MU = np.exp(ETA)
links = sm.families.links
RESPONSES: dict[str, tuple[Any, np.ndarray]] = {
    "gaussian": (sm.families.Gaussian(), ETA + RNG.normal(size=N)),
    "gaussian_log": (sm.families.Gaussian(links.Log()), MU + 0.1 * RNG.normal(size=N)),
    "poisson": (sm.families.Poisson(), RNG.poisson(MU).astype(float)),
    "gamma": (sm.families.Gamma(links.Log()), RNG.gamma(3.0, MU / 3.0)),
    "gamma_inverse": (sm.families.Gamma(), RNG.gamma(30.0, 1 / (3 + 0.1 * X[:, 1]) / 30.0)),
    "inverse_gaussian": (sm.families.InverseGaussian(links.Log()), RNG.wald(MU, 5.0)),
    "negative_binomial": (
        sm.families.NegativeBinomial(alpha=0.7),
        RNG.negative_binomial(2, 2 / (2 + MU)).astype(float),
    ),
    "tweedie": (sm.families.Tweedie(links.Log(), var_power=1.5), RNG.poisson(MU) * RNG.gamma(2.0, 0.5, N)),
    "binomial": (sm.families.Binomial(), RNG.binomial(1, 1 / (1 + np.exp(-ETA))).astype(float)),
    "two_columns": (
        sm.families.Binomial(links.Probit()),
        np.column_stack([RNG.binomial(9, 0.3, N), RNG.binomial(9, 0.7, N) + 1.0]),
    ),
    "cauchit": (sm.families.Binomial(links.Cauchy()), RNG.binomial(1, 0.4, N).astype(float)),
}
EXTRAS: dict[str, dict[str, np.ndarray]] = {
    "plain": {},
    "freq_weights": {"freq_weights": RNG.integers(1, 4, N).astype(float)},
    "var_weights": {"var_weights": RNG.uniform(0.5, 2.0, N)},
    "offset": {"offset": 0.1 * RNG.normal(size=N)},
}
NUMBERS = """
    params bse tvalues pvalues conf_int cov_params scale llf llnull deviance null_deviance pearson_chi2 aic bic
    bic_deviance df_model df_resid nobs fittedvalues null resid_response resid_pearson resid_working resid_deviance
""".split()  # noqa: SIM905 - one word a name reads better than a column of quotes


@pytest.mark.parametrize("cov_type", ["nonrobust", "HC0"])
@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.filterwarnings("ignore:The .* link function does not respect")
@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels")
def test_every_number_is_statsmodels(name: str, extra: str, cov_type: str) -> None:
    family, y = RESPONSES[name]
    theirs = sm.GLM(y, X, family=family, **EXTRAS[extra]).fit(cov_type=cov_type, tol=1e-14)
    ours = nf.GLM(y, X, family=family, **EXTRAS[extra]).fit(cov_type=cov_type)
    for attribute in NUMBERS:
        a, b = getattr(theirs, attribute), getattr(ours, attribute)
        a, b = (a(), b()) if callable(a) else (a, b)
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        assert a.shape == b.shape, attribute
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-6 * np.abs(a).max(), err_msg=attribute)
    for kind in ("cs", "mcf"):
        assert ours.pseudo_rsquared(kind) == pytest.approx(theirs.pseudo_rsquared(kind), abs=1e-7)
    test = [0.0, 1.0, -1.0]
    assert ours.t_test(test).pvalue == pytest.approx(theirs.t_test(test).pvalue, abs=1e-7)
    joint = np.eye(3)[1:]
    assert ours.wald_test(joint, scalar=True).statistic == pytest.approx(
        theirs.wald_test(joint, scalar=True).statistic, rel=1e-6
    )


@pytest.mark.parametrize("name", ["poisson", "gamma", "two_columns"])
def test_predictions_are_statsmodels(name: str) -> None:
    family, y = RESPONSES[name]
    theirs, ours = sm.GLM(y, X, family=family).fit(tol=1e-14), nf.GLM(y, X, family=family).fit()
    a, b = theirs.get_prediction(X[:7]).summary_frame(), ours.get_prediction(X[:7]).summary_frame()
    assert list(a.columns) == list(b.columns)
    np.testing.assert_allclose(b, a, rtol=1e-6)
    np.testing.assert_allclose(ours.predict(X[:7]), ours.fittedvalues[:7], rtol=1e-12)
    np.testing.assert_allclose(ours.predict(X[:7], offset=np.ones(7), which="linear"), X[:7] @ ours.params + 1.0)


@pytest.mark.parametrize("name", ["poisson", "gaussian", "two_columns"])
def test_t_inference(name: str) -> None:
    family, y = RESPONSES[name]
    theirs, ours = sm.GLM(y, X, family=family).fit(use_t=True, tol=1e-14), nf.GLM(y, X, family=family).fit(use_t=True)
    np.testing.assert_allclose(ours.pvalues, theirs.pvalues, atol=1e-7)
    np.testing.assert_allclose(ours.conf_int(0.1), theirs.conf_int(0.1), rtol=1e-6)


def test_statsmodels_tol_keeps_its_meaning() -> None:
    _, y = RESPONSES["poisson"]
    model = nf.GLM(y, X, family="poisson")
    loose = model.fit(tol=1e-1)
    assert "deviance changed by less than 0.1" in loose.reason
    assert abs(np.diff(-2.0 * loose.record["loglik"].to_numpy())[-1]) <= 1e-1
    by_params = model.fit(tol=1e-3, tol_criterion="params")
    assert "params changed" in by_params.reason
    assert model.fit(tol=1e-4, tol_criterion="decrement").decrement < 1e-4


def test_methods_but_irls_report_the_observed_information() -> None:
    family, y = RESPONSES["gamma"]
    theirs, ours = sm.GLM(y, X, family=family).fit(method="newton"), nf.GLM(y, X, family=family).fit(method="newton")
    np.testing.assert_allclose(ours.bse, theirs.bse, rtol=1e-5)


@pytest.mark.parametrize(
    "design",
    [
        lambda: np.asfortranarray(X),
        lambda: X.astype(np.float32),
        lambda: sp.csr_matrix(X),
        lambda: sp.csc_array(X),
        lambda: tabmat.DenseMatrix(np.asfortranarray(X)),
        lambda: pd.DataFrame(X, columns=["a", "b", "c"]),
        lambda: pl.DataFrame(X, schema=["a", "b", "c"]),
        lambda: X.tolist(),
    ],
    ids=["fortran", "float32", "csr", "csc_array", "tabmat", "pandas", "polars", "lists"],
)
def test_every_kind_of_design_gives_one_answer(design: Any) -> None:
    _, y = RESPONSES["poisson"]
    expected = nf.GLM(y, X, family="poisson").fit()
    fit = nf.GLM(y, design(), family="poisson").fit()
    np.testing.assert_allclose(fit.params, expected.params, rtol=1e-5)
    np.testing.assert_allclose(fit.bse, expected.bse, rtol=1e-5)


def test_arrays_are_not_copied() -> None:
    _, y = RESPONSES["poisson"]
    model = nf.GLM(y, X, family="poisson")
    assert model.exog is X
    assert np.shares_memory(model.endog, y)


def test_labels_come_through() -> None:
    _, y = RESPONSES["poisson"]
    data = pd.DataFrame(X[:, 1:], columns=["a", "b"], index=[f"row{i}" for i in range(N)]).assign(y=y)
    fit = nf.GLM.from_formula("y ~ a + b", data, family="poisson").fit()
    assert list(fit.params.index) == ["Intercept", "a", "b"]
    assert list(fit.conf_int().columns) == [0, 1]
    assert list(fit.fittedvalues.index) == list(data.index)
    assert list(fit.resid_deviance.index) == list(data.index)
    assert list(fit.predict(data.iloc[3:5]).index) == ["row3", "row4"]
    assert list(fit.cov_params().columns) == ["Intercept", "a", "b"]
    assert isinstance(nf.GLM(y, X, family="poisson").fit().params, np.ndarray)


def test_formula_offset_exposure_and_trials_are_named_or_expressions() -> None:
    ships = nf.datasets.load("ships").query("service > 0")
    named = nf.GLM.from_formula("incidents ~ C(type)", ships, family="poisson", exposure="service").fit()
    expression = nf.GLM.from_formula("incidents ~ C(type)", ships, family="poisson", offset="log(service)").fit()
    np.testing.assert_allclose(named.params, expression.params, rtol=1e-10)
    # New rows bring their own exposure by the same name.
    np.testing.assert_allclose(named.predict(ships.iloc[:3]), named.fittedvalues.iloc[:3], rtol=1e-12)
    beetles = nf.datasets.load("beetles").assign(alive=lambda d: d["n"] - d["killed"])
    trials = nf.GLM.from_formula("I(killed / n) ~ dose", beetles, family="binomial", trials="n").fit()
    columns = nf.GLM.from_formula("killed + alive ~ dose", beetles, family="binomial").fit()
    np.testing.assert_allclose(columns.params, trials.params, rtol=1e-10)
    assert columns.llf == pytest.approx(trials.llf, rel=1e-12)


@pytest.mark.parametrize("kind", [lambda y: y > 0, lambda y: np.where(y > 0, "yes", "no")], ids=["boolean", "text"])
def test_a_response_of_two_levels_models_the_second(kind: Any) -> None:
    crabs = nf.datasets.load("crabs").assign(any=lambda d: kind(d["sat"]))
    fit = nf.GLM.from_formula("any ~ width", crabs, family="binomial").fit()
    numeric = nf.GLM.from_formula("I(sat > 0) ~ width", crabs, family="binomial").fit()
    np.testing.assert_allclose(fit.params, numeric.params, rtol=1e-12)
    assert "Modelled: P(any = " in str(fit.summary())


def test_dropped_rows_are_counted_in_the_table() -> None:
    crabs = nf.datasets.load("crabs")
    crabs.loc[[2, 8], "width"] = np.nan
    fit = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit()
    assert fit.nobs == 171
    assert "2 row(s) with missing values were dropped" in str(fit.summary())


def test_fractional_counts_are_fitted_and_the_table_says_so() -> None:
    fit = nf.GLM.from_formula("I(sat / 2) ~ width", nf.datasets.load("crabs"), family="poisson").fit()
    assert "Quasi-likelihood: 59 response(s)" in str(fit.summary())


def test_quasi_likelihood_scales_standard_errors_only() -> None:
    plain = nf.GLM.from_formula("sat ~ width", nf.datasets.load("crabs"), family="poisson").fit()
    quasi = nf.GLM.from_formula("sat ~ width", nf.datasets.load("crabs"), family="poisson", dispersion="pearson").fit()
    np.testing.assert_allclose(quasi.params, plain.params, rtol=1e-9)
    np.testing.assert_allclose(quasi.bse, plain.bse * np.sqrt(plain.pearson_chi2 / plain.df_resid), rtol=1e-8)


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(["poisson", "gamma", "binomial", "gaussian"]))
def test_row_order_does_not_matter(random: Any, name: str) -> None:
    family, y = RESPONSES[name]
    order = list(range(N))
    random.shuffle(order)
    before, after = nf.GLM(y, X, family=family).fit(), nf.GLM(y[order], X[order], family=family).fit()
    np.testing.assert_allclose(after.params, before.params, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(after.bse, before.bse, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.floats(-6, 6), st.floats(-6, 6), st.sampled_from(["poisson", "gamma", "gaussian"]))
def test_a_change_of_units_is_followed(column: float, response: float, name: str) -> None:
    """Columns and (where the family has a scale) the response in other units: estimates change by the units alone."""
    family, y = RESPONSES[name]
    units = np.array([1.0, 10.0**column, 1.0])
    scale = 10.0**response if name == "gaussian" else 1.0
    before, after = nf.GLM(y, X, family=family).fit(), nf.GLM(y * scale, X * units, family=family).fit()
    np.testing.assert_allclose(after.params * units / scale, before.params, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(after.bse * units / scale, before.bse, rtol=1e-8)
    assert len(after.record) == len(before.record)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=N, max_size=N))
def test_a_frequency_is_so_many_rows(counts: list[int]) -> None:
    _, y = RESPONSES["poisson"]
    weighted = nf.GLM(y, X, family="poisson", freq_weights=np.array(counts)).fit(cov_type="HC0")
    repeated = nf.GLM(np.repeat(y, counts), np.repeat(X, counts, axis=0), family="poisson").fit(cov_type="HC0")
    np.testing.assert_allclose(weighted.params, repeated.params, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(weighted.bse, repeated.bse, rtol=1e-9)
    assert weighted.llf == pytest.approx(repeated.llf, rel=1e-10)


def test_the_record_ends_at_the_log_likelihood_and_never_falls() -> None:
    for name in ("poisson", "gamma", "gamma_inverse", "cauchit"):
        family, y = RESPONSES[name]
        fit = nf.GLM(y, X, family=family).fit()
        loglik = fit.record["loglik"].to_numpy()
        assert loglik[-1] == pytest.approx(fit.llf, rel=1e-9)
        assert (np.diff(loglik) >= -1e-9 * abs(fit.llf)).all()
        expected = ["iteration", "loglik", "decrement", "step", "kl", "passes", "seconds", "metric"]
        assert list(fit.record.columns)[: len(expected)] == expected


def test_an_interrupt_keeps_the_last_good_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    from natfit.likelihoods.glm import GLMLikelihood

    _, y = RESPONSES["poisson"]
    plain, calls = GLMLikelihood.evaluate, [0]

    def interrupted(self: Any, *args: Any) -> Any:
        calls[0] += 1
        if calls[0] == 4:
            raise KeyboardInterrupt
        return plain(self, *args)

    monkeypatch.setattr(GLMLikelihood, "evaluate", interrupted)
    with pytest.warns(nf.ConvergenceWarning, match="interrupted"):
        fit = nf.GLM(y, X, family="poisson").fit()
    assert not fit.converged
    assert np.isfinite(fit.params).all()


def test_progress_shows_the_decrement(capsys: pytest.CaptureFixture[str]) -> None:
    _, y = RESPONSES["poisson"]
    nf.GLM(y, X, family="poisson").fit(progress=True)
    assert "decrement" in capsys.readouterr().err


def test_the_table_says_what_was_done() -> None:
    family, y = RESPONSES["gamma"]
    fit = nf.GLM(y, X, family=family).fit()
    text = str(fit.summary())
    for part in ("Gamma", "log", "standard errors from the maximum", "Parametrization", "observed Fisher information"):
        assert part in text
    assert "<table" in fit.summary().as_html()
