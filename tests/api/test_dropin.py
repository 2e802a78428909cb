"""What statsmodels' GLM can be asked, asked of natfit's: the same numbers, and never by a GLM of statsmodels."""

from __future__ import annotations

import pickle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.genmod.generalized_linear_model import GLM as THEIRS
from statsmodels.genmod.generalized_linear_model import GLMResults as THEIR_RESULTS
from statsmodels.graphics import regressionplots
from statsmodels.stats.outliers_influence import MLEInfluence

import natfit as nf
from natfit.results.drop_in import added_variable

RNG = np.random.default_rng(11)
N = 60
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.uniform(0.5, 2.0, size=N),
        "g": RNG.choice(["u", "v", "w"], size=N),
    },
    index=[f"row {i}" for i in range(N)],
)
ETA = 0.3 + 0.4 * FRAME["x"] - 0.2 * FRAME["z"] + 0.3 * (FRAME["g"] == "v")
FRAME["count"] = RNG.poisson(np.exp(ETA) * 2.0)
FRAME["size"] = RNG.gamma(2.0, np.exp(ETA) / 2.0)
FRAME["yes"] = RNG.binomial(1, 1.0 / (1.0 + np.exp(-ETA)))
CASES = {
    "poisson": ("count", sm.families.Poisson()),
    "gamma log": ("size", sm.families.Gamma(sm.families.links.Log())),
    "probit": ("yes", sm.families.Binomial(sm.families.links.Probit())),
    "gaussian": ("size", sm.families.Gaussian()),
    "negative binomial": ("count", sm.families.NegativeBinomial(alpha=0.5)),
}
TIGHT = {"tol": 1e-14, "maxiter": 200}


def both(name: str, right: str = "x + z + g", **options: Any) -> tuple[Any, Any]:
    """Return a fit by statsmodels, as tight as it gets, and natfit's."""
    y, family = CASES[name]
    theirs = smf.glm(f"{y} ~ {right}", FRAME, family=family).fit(**TIGHT, **options)
    return theirs, nf.GLM.from_formula(f"{y} ~ {right}", FRAME, family=family).fit(**options)


@pytest.fixture(scope="module", params=CASES)
def pair(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    return both(request.param)


def close(ours: Any, theirs: Any, rtol: float = 1e-6) -> None:
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=rtol, atol=1e-9)
    if isinstance(theirs, pd.Series | pd.DataFrame):
        pd.testing.assert_index_equal(ours.index, theirs.index)


# --- models -----------------------------------------------------------------------------------------------------------


def test_what_each_row_contributes(pair):
    theirs, ours = pair
    at = np.asarray(theirs.params) * 0.9
    for name in ("score_factor", "hessian_factor", "score_obs"):
        close(getattr(ours.model, name)(at), getattr(theirs.model, name)(at), rtol=1e-7)
    close(ours.model.hessian_factor(at, observed=False), theirs.model.hessian_factor(at, observed=False), rtol=1e-7)
    mu = np.asarray(theirs.fittedvalues)
    close(ours.model.loglike_mu(mu, 1.3), theirs.model.loglike_mu(mu, 1.3), rtol=1e-9)


def test_factors_add_up_to_score_and_hessian(pair):
    _, ours = pair
    at, model = np.asarray(ours.params) * 1.1, ours.model
    design = model.data.design.dense()
    close(model.score_obs(at).sum(axis=0), model.score(at), rtol=1e-9)
    close(-(design.T * model.hessian_factor(at)) @ design, model.hessian(at), rtol=1e-9)


def test_distributions(pair):
    theirs, ours = pair
    new = FRAME.iloc[:5]
    close(ours.get_distribution(new).mean(), ours.predict(new).to_numpy(), rtol=1e-12)
    close(ours.get_distribution().var(), theirs.get_distribution().var())
    close(
        ours.model.get_distribution(theirs.params, 1.0).std(), theirs.model.get_distribution(theirs.params, 1.0).std()
    )


def test_the_power_of_a_tweedie_variance():
    y, X = np.asarray(FRAME["size"]), sm.add_constant(np.asarray(FRAME[["x", "z"]]))
    options = {"family": sm.families.Tweedie(var_power=1.5, link=sm.families.links.Log())}
    theirs, ours = sm.GLM(y, X, **options), nf.GLM(y, X, **options)
    mu = theirs.fit(**TIGHT).mu
    close(ours.estimate_tweedie_power(mu), theirs.estimate_tweedie_power(mu))
    with pytest.raises(ValueError, match=r"no power between 4\.0 and 5\.0"):
        ours.estimate_tweedie_power(mu, low=4.0)


# --- families ---------------------------------------------------------------------------------------------------------


def test_a_family_has_statsmodels_methods_and_class(pair):
    theirs, ours = pair
    family, given = ours.model.family, theirs.model.family
    y, mu = np.asarray(theirs.model.endog), np.asarray(theirs.fittedvalues)
    assert isinstance(family, type(given))
    for name in ("weights", "predict"):
        close(getattr(family, name)(mu), getattr(given, name)(mu), rtol=1e-9)
    for name in ("loglike_obs", "resid_dev", "resid_anscombe", "loglike", "deviance"):
        close(getattr(family, name)(y, mu, 2.0, scale=1.5), getattr(given, name)(y, mu, 2.0, scale=1.5), rtol=1e-8)
    for name in ("deriv", "deriv2"):
        close(getattr(family.link, name)(mu), getattr(given.link, name)(mu), rtol=1e-7)
    copied = pickle.loads(pickle.dumps(family))
    assert copied == family
    assert isinstance(copied, type(given))


def test_counts_of_successes_with_weights():
    trials = RNG.integers(2, 9, size=N)
    successes = RNG.binomial(trials, 1.0 / (1.0 + np.exp(-ETA)))
    y, X = np.column_stack([successes, trials - successes]), sm.add_constant(FRAME[["x", "z"]].to_numpy())
    weights = {"freq_weights": RNG.integers(1, 4, size=N), "var_weights": RNG.uniform(0.5, 1.5, size=N)}
    options = {"family": sm.families.Binomial(), **weights}
    theirs, ours = sm.GLM(y, X, **options).fit(**TIGHT), nf.GLM(y, X, **options).fit()
    a, b = theirs.model, ours.model
    for name in ("score_factor", "hessian_factor", "score_obs"):
        close(getattr(b, name)(theirs.params), getattr(a, name)(theirs.params), rtol=1e-7)
    close(b.loglike_mu(theirs.mu), a.loglike_mu(theirs.mu), rtol=1e-9)
    for name in ("loglike", "deviance"):
        close(getattr(b.family, name)(a.endog, theirs.mu), getattr(a.family, name)(a.endog, theirs.mu), rtol=1e-9)
    for name in ("resid_anscombe", "resid_deviance", "resid_pearson"):
        close(getattr(ours, name), getattr(theirs, name), rtol=1e-6)
    close(ours.get_hat_matrix_diag(), theirs.get_hat_matrix_diag())
    close(ours.get_distribution(X[:3], n_trials=5).mean(), theirs.get_distribution(X[:3], n_trials=5).mean())


def test_a_family_of_no_model_has_no_link():
    with pytest.raises(AttributeError, match="belongs to no model and so has no link"):
        _ = nf.families.Poisson().link


@pytest.mark.parametrize(
    "family",
    [nf.families.get(n) for n in ("gaussian", "poisson", "gamma", "inverse_gaussian")]
    + [nf.families.Binomial(), nf.families.NegativeBinomial(0.7), nf.families.Tweedie(1.4)],
)
def test_the_slope_of_anscombe_s_transform_is_the_variance_to_minus_a_third(family):
    y, h = np.array([0.15, 0.4, 0.8]), 1e-5
    slope = (family.anscombe(y + h) - family.anscombe(y - h)) / (2.0 * h)
    close(slope, family.variance(y) ** (-1.0 / 3.0), rtol=1e-8)


# --- results ----------------------------------------------------------------------------------------------------------


def test_residuals(pair):
    theirs, ours = pair
    for name in ("response", "pearson", "working", "deviance", "anscombe", "anscombe_scaled", "anscombe_unscaled"):
        close(getattr(ours, f"resid_{name}"), getattr(theirs, f"resid_{name}"), rtol=1e-5)


@pytest.mark.parametrize(
    ("which", "average"),
    [("mean", False), ("linear", False), ("var_unscaled", False), ("mean", True), ("var_unscaled", True)],
)
def test_predictions_of_each_kind(pair, which, average):
    theirs, ours = pair
    options = {"which": which, "average": average, "agg_weights": np.linspace(0.5, 2.0, 7) if average else None}
    a, b = theirs.get_prediction(FRAME.iloc[:7], **options), ours.get_prediction(FRAME.iloc[:7], **options)
    x, y = a.summary_frame(0.1), b.summary_frame(0.1)
    if which != "linear":
        assert list(y.columns) == list(x.columns)
    np.testing.assert_allclose(y.to_numpy(dtype=float), x.to_numpy(dtype=float), rtol=2e-5)


def test_predictions_in_the_order_of_statsmodels_arguments(pair):
    theirs, ours = pair
    offset = np.linspace(0.0, 0.2, 4)
    a = theirs.get_prediction(FRAME.iloc[:4], None, offset, row_labels=list("abcd"))
    b = ours.get_prediction(FRAME.iloc[:4], None, offset, row_labels=list("abcd"))
    close(b.summary_frame(), a.summary_frame(), rtol=1e-5)
    close(b.conf_int("delta", 0.1), a.conf_int("delta", 0.1), rtol=1e-5)
    close(b.linpred.se, a.linpred.se_mean, rtol=1e-5)
    for alternative in ("two-sided", "larger", "smaller"):
        close(b.t_test(0.9, alternative), a.t_test(0.9, alternative), rtol=1e-4)
    with pytest.raises(ValueError, match="which must be 'mean', 'linear' or 'var_unscaled'"):
        ours.get_prediction(which="median")


@pytest.mark.parametrize("observed", [True, False])
def test_influence(pair, observed):
    theirs, ours = pair
    a, b = theirs.get_influence(observed), ours.get_influence(observed)
    close(ours.get_hat_matrix_diag(observed), theirs.get_hat_matrix_diag(observed), rtol=1e-5)
    np.testing.assert_allclose(b.summary_frame(), a.summary_frame(), rtol=1e-4, atol=1e-7)
    close(b.resid_score_factor(), a.resid_score_factor(), rtol=1e-4)


def test_statsmodels_generic_influence_takes_a_fit(pair):
    theirs, ours = pair
    np.testing.assert_allclose(
        MLEInfluence(ours).summary_frame(), MLEInfluence(theirs).summary_frame(), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(("at", "method"), [("overall", "dydx"), ("mean", "eyex"), ("mean", "dyex"), ("all", "eydx")])
def test_marginal_effects(pair, at, method):
    theirs, ours = pair
    a, b = theirs.get_margeff(at, method), ours.get_margeff(at, method)
    close(b.margeff, a.margeff)
    if at != "all":
        close(b.margeff_se, a.margeff_se, rtol=1e-4)
        assert str(b.summary()).splitlines()[0].strip() == "GLM Marginal Effects"


@pytest.mark.parametrize("cov_type", ["nonrobust", "HC0"])
def test_score_tests(pair, cov_type):
    theirs, ours = pair
    extra = np.column_stack([FRAME["z"] ** 2, FRAME["x"] * FRAME["z"]])
    a, b = theirs.score_test(extra, cov_type=cov_type), ours.score_test(extra, cov_type=cov_type)
    close(np.squeeze([b.statistic, b.pvalue]), np.squeeze([a.statistic, a.pvalue]), rtol=1e-4)
    mine, given = (fit.model.score_test(fit.params, exog_extra=extra)[:2] for fit in (ours, theirs))
    close(mine, np.squeeze(given), rtol=1e-4)


def test_levels_pairwise(pair):
    theirs, ours = pair
    a, b = (fit.t_test_pairwise("g", method=["hs", "b"]).result_frame for fit in (theirs, ours))
    assert list(a.columns) == list(b.columns)
    assert list(a.index) == list(b.index)
    np.testing.assert_allclose(b.to_numpy(dtype=float), a.to_numpy(dtype=float), rtol=1e-4, atol=1e-8)
    with pytest.raises(ValueError, match=r"'x' is none \(there is g\)"):
        ours.t_test_pairwise("x")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("weighted", [True, False])
def test_residuals_of_one_column(name, weighted):
    y, family = CASES[name]
    X = sm.add_constant(FRAME[["x", "z"]].to_numpy())
    theirs = sm.GLM(FRAME[y].to_numpy(), X, family=family).fit(**TIGHT)
    ours = nf.GLM(FRAME[y].to_numpy(), X, family=family).fit()
    a = regressionplots.added_variable_resids(theirs, 1, use_glm_weights=weighted)
    close(np.stack(added_variable.added_variable_resids(ours, "x1", use_glm_weights=weighted)), np.stack(a), rtol=1e-4)
    close(added_variable.partial_resids(ours, 2), regressionplots.partial_resids(theirs, 2), rtol=1e-5)
    close(added_variable.ceres_resids(ours, 1), regressionplots.ceres_resids(theirs, 1), rtol=1e-4)


# --- constraints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "constraints", ["x = 0.3", "g[T.v] = g[T.w]", "x + z = 0.1, g[T.w] = 0", ["z = 0", "2*x = g[T.v]"]]
)
@pytest.mark.parametrize("name", ["poisson", "gamma log"])
def test_constrained_fits(name, constraints):
    y, family = CASES[name]
    formula = f"{y} ~ x + z + g"
    text = constraints if isinstance(constraints, str) else ", ".join(constraints)
    theirs = smf.glm(formula, FRAME, family=family).fit_constrained(text, **TIGHT)
    ours = nf.GLM.from_formula(formula, FRAME, family=family).fit_constrained(constraints)
    for attribute in ("params", "bse", "llf", "df_resid", "df_model", "scale", "deviance"):
        close(getattr(ours, attribute), getattr(theirs, attribute), rtol=1e-5)
    np.testing.assert_allclose(ours.constraints.coefs @ ours.params, ours.constraints.constants, atol=1e-12)
    close(ours.score_test().statistic, theirs.score_test().statistic, rtol=1e-4)
    assert "linear constraint" in str(ours.summary())


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        ("x = 1, x = 2", "the constraints contradict each other: no coefficients meet all 2"),
        ("w = 1", r"constraints are equations of the coefficients Intercept, .* 'w = 1' can't be read"),
        (np.eye(2), r"or \(R, q\) with 5 columns"),
        (np.eye(5), "determine all 5 coefficients and leave nothing to fit"),
    ],
)
def test_constraints_that_can_not_be_met_are_refused(constraints, message):
    model = nf.GLM.from_formula("count ~ x + z + g", FRAME, family="poisson")
    with pytest.raises(ValueError, match=message):
        model.fit_constrained(constraints)


@pytest.mark.parametrize("call", ["bootstrap", "profile", "update", "influence", "drop1"])
def test_what_would_lose_the_constraints_is_refused(call):
    fit = nf.GLM.from_formula("count ~ x + z", FRAME, family="poisson").fit_constrained("x = z")
    with pytest.raises(NotImplementedError, match=f"{call} would lose the constraints"):
        getattr(fit, call)()
    with pytest.raises(NotImplementedError, match="a refit would lose the constraints"):
        fit.model.refit(fit, columns=[0, 1])


# --- data removed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["formula", "arrays"])
def test_a_fit_without_its_rows(given):
    formula = given == "formula"
    model = (
        nf.GLM.from_formula("count ~ x + np.log(z) + g", FRAME, family="poisson", offset="x")
        if formula
        else nf.GLM(FRAME["count"], FRAME[["x", "z"]], family=sm.families.Poisson())
    )
    new = FRAME.iloc[:4] if formula else FRAME[["x", "z"]].iloc[:4]
    fit = model.fit()
    expected, table, _ = fit.predict(new), str(fit.summary2()), (fit.fittedvalues, fit.null)
    whole = len(pickle.dumps(fit))
    fit.remove_data()
    assert len(pickle.dumps(fit)) < 0.6 * whole
    again = pickle.loads(pickle.dumps(fit))
    pd.testing.assert_series_equal(again.predict(new), expected)
    assert str(again.summary2()).split("Date")[0] == table.split("Date")[0]
    for wanted in ("resid_pearson", "fittedvalues", "null"):
        with pytest.raises(ValueError, match=r"remove_data\(\)"):
            getattr(again, wanted)
    assert model.endog.size == N, "the model that was fitted keeps its data"


# --- never by statsmodels' GLM ----------------------------------------------------------------------------------------


def test_nothing_constructs_or_fits_statsmodels_glm(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("statsmodels' GLM was used")

    for owner, name in ((THEIRS, "__init__"), (THEIRS, "fit"), (THEIR_RESULTS, "__init__")):
        monkeypatch.setattr(owner, name, refuse)
    with pytest.raises(AssertionError, match="statsmodels' GLM was used"):
        sm.GLM(FRAME["count"], FRAME[["x"]])
    model = nf.GLM.from_formula("count ~ x + z + g", FRAME, family=sm.families.Poisson())
    for fit in (model.fit(), model.fit(cov_type="HC3"), model.fit(method="newton", use_t=True)):
        asked = {name: getattr(fit, name) for name in dir(fit) if not name.startswith("_")}
        assert len(asked) > 100
        fit.summary(), fit.summary2(), fit.get_prediction(FRAME.iloc[:3]).summary_frame()
        fit.get_prediction(which="mean", average=True), fit.get_distribution(), fit.get_margeff().summary_frame()
        fit.get_influence().summary_frame(), fit.get_hat_matrix_diag(), fit.t_test_pairwise("g"), fit.wald_test_terms()
        fit.t_test("x = 0"), fit.f_test("x = z"), fit.score_test(FRAME[["z"]] ** 2, cov_type="nonrobust")
        fit.pseudo_rsquared(), fit.info_criteria("qaic", scale=1.0), fit.get_robustcov_results("HC1")
        fit.model.estimate_tweedie_power(fit.mu, low=-3.0)
        fit.influence(), fit.drop1(), fit.update("~ . - z")
        for plot in (fit.plot_added_variable, fit.plot_partial_residuals, fit.plot_ceres_residuals):
            plot("x")
        plt.close("all")
    fit = model.fit()
    fit.conf_int(method="profile"), fit.bootstrap(n=4, random_state=1, progress=False)
    model.fit_constrained("x = z").summary()
    fit.remove_data()
