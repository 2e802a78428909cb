"""What a fit is asked afterwards: tests, covariances and predictions where some coefficients have no estimate."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

import natfit as nf

RNG = np.random.default_rng(11)
N = 90
TABLE = pd.DataFrame({"g": np.repeat(["a", "b", "c"], N // 3), "x": RNG.normal(size=N)})
TABLE["y"] = np.where(TABLE["g"] == "b", 1, RNG.binomial(1, 0.5, N))
REST = TABLE[TABLE["g"] != "b"]


@pytest.fixture(scope="module")
def separated() -> Any:
    """All of group b succeed: the other coefficients are those of a fit without it."""
    with pytest.warns(nf.SeparationWarning, match="b"):
        return nf.GLM.from_formula("y ~ g + x", TABLE, family="binomial").fit()


@pytest.fixture(scope="module")
def rest() -> Any:
    return nf.GLM.from_formula("y ~ g + x", REST, family="binomial").fit()


@pytest.fixture(scope="module")
def aliased() -> Any:
    return nf.GLM.from_formula("y ~ x + z + w", ALIASED, family="poisson").fit()


@pytest.fixture(scope="module")
def clean() -> Any:
    return nf.GLM.from_formula("y ~ x + w", ALIASED, family="poisson").fit()


ALIASED = pd.DataFrame({"x": RNG.normal(size=50), "w": RNG.normal(size=50), "y": RNG.poisson(2.0, 50)})
ALIASED["z"] = 2.0 * ALIASED["x"]


def test_a_separated_coefficient_takes_no_variance_from_the_others(separated: Any, rest: Any) -> None:
    close = {"rtol": 1e-4}
    for hypothesis in ("Intercept = 0", "g[T.c] = 0", "g[T.c] + x = 0.5"):
        ours, theirs = separated.t_test(hypothesis), rest.t_test(hypothesis)
        np.testing.assert_allclose(ours.sd, theirs.sd, **close)
        np.testing.assert_allclose(ours.pvalue, theirs.pvalue, **close)
        np.testing.assert_allclose(separated.wald_test(hypothesis).pvalue, theirs.pvalue, **close)
    joint = "g[T.c] = 0, x = 0"
    np.testing.assert_allclose(separated.f_test(joint).fvalue, rest.f_test(joint).fvalue, **close)
    rows = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 2.0]])
    expected = rest.cov_params(rows[[0, 2]][:, [0, 2, 3]])
    found = separated.cov_params(rows)
    np.testing.assert_allclose(found[np.ix_([0, 2], [0, 2])], expected, **close)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[:, 1]).all()


def test_the_test_of_a_separated_coefficient_is_nan_and_a_joint_one_is_refused(separated: Any) -> None:
    each = separated.t_test(np.eye(4))
    assert np.isnan(each.sd).tolist() == np.isnan(each.pvalue).tolist() == [False, True, False, False]
    np.testing.assert_allclose(np.delete(each.sd, 1), separated.bse.drop("g[T.b]"))
    assert np.isnan(separated.t_test("g[T.b] = g[T.c]").pvalue)
    for r_matrix in ("g[T.b] = 0", "g[T.b] = 0, g[T.c] = 0", [[0.0, 1.0, 0.0, 0.0]], (np.eye(4), np.zeros(4))):
        for test in (separated.wald_test, separated.f_test):
            with pytest.raises(ValueError, match=r"^a joint test needs .* g\[T.b\] is separated; test the others$"):
                test(r_matrix)


def test_predictions_have_intervals_where_no_separated_coefficient_enters(separated: Any, rest: Any) -> None:
    new = pd.DataFrame({"g": ["a", "b", "c"], "x": [0.3, 0.3, -1.0]})
    found = separated.get_prediction(new).summary_frame()
    assert np.isnan(found.iloc[1, 1:].to_numpy(dtype=float)).all()
    assert found.iloc[1, 0] == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(found.iloc[[0, 2]], rest.get_prediction(new.iloc[[0, 2]]).summary_frame(), rtol=1e-4)


def test_predictions_where_columns_are_both_aliased_and_separated(separated: Any) -> None:
    both = TABLE.assign(z=3.0 * TABLE["x"])
    with pytest.warns(nf.SeparationWarning):
        fit = nf.GLM.from_formula("y ~ g + x + z", both, family="binomial").fit()
    pd.testing.assert_frame_equal(
        fit.get_prediction().summary_frame(), separated.get_prediction().summary_frame(), rtol=1e-6
    )


def test_an_aliased_coefficient_takes_no_variance_from_the_others(aliased: Any, clean: Any) -> None:
    rows = np.array([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, -1.0], [0.0, 0.0, 1.0, 0.0]])
    found = aliased.cov_params(rows)
    np.testing.assert_allclose(found[:2, :2], clean.cov_params(rows[:2][:, [0, 1, 3]]), rtol=1e-9)
    assert np.isnan(found[2]).all()
    assert aliased.cov_params(r_matrix=[1, 0, 0, 0]) == pytest.approx(clean.cov_params(r_matrix=[1, 0, 0]))
    ours, theirs = aliased.t_test("x = w, w = 0.1"), clean.t_test("x = w, w = 0.1")
    np.testing.assert_allclose(ours.pvalue, theirs.pvalue, rtol=1e-9)
    ours, theirs = aliased.t_test("x = 0", cov_p=aliased.cov_params()), clean.t_test("x = 0")
    np.testing.assert_allclose(ours.pvalue, theirs.pvalue, rtol=1e-9)


@pytest.mark.parametrize(
    "r_matrix",
    ["z = 0", "x = 0, z = 1", ["x = 0", "z = 0"], {"z": 0.0}, [0, 0, 1, 0], (np.eye(4), np.zeros(4))],
    ids=str,
)
@pytest.mark.parametrize("test", ["t_test", "f_test", "wald_test"])
def test_a_test_of_an_aliased_coefficient_is_refused_in_one_sentence(aliased: Any, test: str, r_matrix: Any) -> None:
    with pytest.raises(ValueError, match=r"^a test needs identified coefficients, but z is aliased; test the others$"):
        getattr(aliased, test)(r_matrix)


def test_covariances_of_columns_and_of_two_sets_of_combinations(clean: Any) -> None:
    full = clean.cov_params().to_numpy()
    rows, other = RNG.normal(size=(2, 3)), RNG.normal(size=(4, 3))
    assert clean.cov_params(column=1) == full[1, 1]
    np.testing.assert_array_equal(clean.cov_params(column=[2]), full[[2]][:, [2]])
    np.testing.assert_array_equal(clean.cov_params(column=[0, 2]), full[np.ix_([0, 2], [0, 2])])
    np.testing.assert_allclose(clean.cov_params(rows, other=other), rows @ full @ other.T)
    np.testing.assert_allclose(clean.cov_params(rows[0], other=other), rows[0] @ full @ other.T)
    for wrong in ({"column": 1, "r_matrix": rows}, {"other": rows}, {"r_matrix": np.ones((2, 4))}):
        with pytest.raises(ValueError, match=r"not both|together|need 3 columns"):
            clean.cov_params(**wrong)


X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
COUNTS = RNG.poisson(2.0, N).astype(float)
PAIRS = np.column_stack([COUNTS, RNG.poisson(3.0, N) + 1.0])
POSITIVE = RNG.gamma(3.0, 1.0, N)
EXPOSURE = RNG.uniform(1.0, 3.0, N)
WEIGHTS = {"freq_weights": RNG.integers(1, 4, N).astype(float), "var_weights": RNG.uniform(0.5, 2.0, N)}
links = sm.families.links
MODELS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "gaussian": (X @ [1.0, 2.0, 3.0] + RNG.normal(size=N), sm.families.Gaussian(), {}),
    "poisson": (COUNTS, sm.families.Poisson(), {"exposure": EXPOSURE, "offset": 0.1 * EXPOSURE, **WEIGHTS}),
    "negative_binomial": (COUNTS, sm.families.NegativeBinomial(alpha=0.7), {"offset": 0.1 * EXPOSURE}),
    "gamma": (POSITIVE, sm.families.Gamma(links.Log()), WEIGHTS),
    "inverse_gaussian": (POSITIVE, sm.families.InverseGaussian(links.Log()), {}),
    "binomial": (PAIRS, sm.families.Binomial(links.CLogLog()), {}),
    "bernoulli": ((COUNTS > 2.0).astype(float), sm.families.Binomial(), {"freq_weights": WEIGHTS["freq_weights"]}),
    "tweedie": (POSITIVE, sm.families.Tweedie(links.Log(), var_power=1.5), {}),
}


@pytest.mark.parametrize("scale", [None, 2.5])
@pytest.mark.parametrize("name", MODELS)
def test_the_likelihood_at_given_coefficients_is_that_of_statsmodels(name: str, scale: float | None) -> None:
    y, family, extra = MODELS[name]
    ours, theirs = nf.GLM(y, X, family, **extra), sm.GLM(y, X, family, **extra)
    params = np.array([0.3, 0.1, -0.2])
    assert ours.loglike(params, scale) == pytest.approx(theirs.loglike(params, scale), rel=1e-9)
    for method in ("score", "information", "hessian"):
        found, expected = getattr(ours, method)(params, scale), getattr(theirs, method)(params, scale)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max(), err_msg=method)
    np.testing.assert_array_equal(ours.hessian(params, scale, observed=False), ours.information(params, scale))
    mu = theirs.predict(params)
    assert ours.estimate_scale(mu) == pytest.approx(theirs.estimate_scale(mu))
    for attribute in ("offset", "exposure", "freq_weights", "var_weights", "iweights", "n_trials", "k_constant"):
        found, expected = getattr(ours, attribute), getattr(theirs, attribute)
        assert (found is None) == (expected is None), attribute
        if found is not None:
            np.testing.assert_allclose(found, expected, err_msg=attribute)
    assert ours.fit().k_constant == 1


@pytest.mark.parametrize("dispersion", ["ml", "deviance", "pearson"])
def test_the_dispersion_at_the_fitted_means_is_that_of_the_fit(dispersion: str) -> None:
    for data, extra in ((POSITIVE, WEIGHTS), (POSITIVE, {})):
        fit = nf.GLM(data, X, family="gamma", link="log", dispersion=dispersion, **extra).fit()
        assert fit.model.estimate_scale(fit.mu) == pytest.approx(fit.scale, rel=1e-9)
        assert fit.model.loglike(fit.params) == pytest.approx(fit.llf, rel=1e-9)


def test_a_constant_is_found_in_the_span_of_the_columns() -> None:
    dummies = pd.get_dummies(TABLE["g"]).to_numpy(dtype=float)
    for design, expected in ((dummies, 1), (X[:, 1:], 0), (7.0 * X, 1), (dummies[:, 1:], 0), (X[:, [1, 0, 1]], 1)):
        assert nf.GLM(POSITIVE, design).k_constant == expected == sm.GLM(POSITIVE, design).k_constant


def test_coefficients_of_the_wrong_number_are_refused() -> None:
    model = nf.GLM(COUNTS, X, family="poisson")
    for params in ([1.0], [1.0, np.nan, 2.0]):
        with pytest.raises(ValueError, match="params needs a finite number for each of the 3 coefficients"):
            model.score(params)


def test_a_fit_tells_how_its_covariance_was_made() -> None:
    fit = nf.GLM(COUNTS, X, family="poisson").fit(cov_type="HC0")
    assert "sandwich" in fit.cov_kwds["description"]
    assert fit.mle_settings["optimizer"] == fit.method


def test_public_attributes_are_documented() -> None:
    for owner in (nf.GLM, nf.GLMResults):
        for name in dir(owner):
            each = getattr(owner, name)
            if not name.startswith("_") and (callable(each) or isinstance(each, property | cached_property)):
                assert each.__doc__, f"{owner.__name__}.{name}"


@pytest.mark.parametrize("use_t", [False, True])
def test_terms_are_tested_as_in_statsmodels(use_t: bool) -> None:
    table = TABLE.assign(y=COUNTS, h=np.tile(["u", "v"], N // 2))
    formula, family = "y ~ g * h + x", sm.families.Poisson()
    ours = nf.GLM.from_formula(formula, table, family="poisson").fit(use_t=use_t)
    theirs = smf.glm(formula, table, family=family).fit(use_t=use_t)
    options: list[dict[str, Any]] = [
        {},
        {"skip_single": True},
        {"combine_terms": ["g", "h"]},
        {"extra_constraints": [("both", np.eye(7)[[1, 3]])]},
    ]
    for each in options:
        found, expected = ours.wald_test_terms(**each), theirs.wald_test_terms(**each)
        pd.testing.assert_frame_equal(found.table, expected.table, rtol=1e-5, check_dtype=False)
        assert str(found).splitlines()[0].split() == str(expected).splitlines()[0].split()
    dropped = nf.GLM.from_formula(formula, table, drop_cols=["g[T.b]"], family="poisson").fit().wald_test_terms().table
    assert dropped["df_constraint"].to_dict() == {"Intercept": 1, "g": 1, "h": 1, "g:h": 2, "x": 1}
    with pytest.raises(ValueError, match="no term's name contains 'z'; the terms are Intercept, g, h, g:h, x"):
        ours.wald_test_terms(combine_terms=["z"])


def test_terms_without_an_estimate(separated: Any, rest: Any, aliased: Any, clean: Any) -> None:
    table = separated.wald_test_terms().table
    assert list(table.index) == ["Intercept", "g", "x"]
    assert table.loc["g"].isna().all()
    np.testing.assert_allclose(table.drop("g"), rest.wald_test_terms().table.drop("g"), rtol=1e-4)
    pd.testing.assert_frame_equal(aliased.wald_test_terms().table, clean.wald_test_terms().table, rtol=1e-8)
    arrays = nf.GLM(COUNTS, X, family="poisson").fit().wald_test_terms().table
    np.testing.assert_allclose(arrays["pvalue"], nf.GLM(COUNTS, X, family="poisson").fit().pvalues, rtol=1e-9)
