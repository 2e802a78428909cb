"""What the data can't tell is named: aliased columns, separation, means at the edge of a family's domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import statsmodels.tools.sm_exceptions as sm_exceptions

import natfit as nf

RNG = np.random.default_rng(3)
GROUP = np.repeat([0, 1, 2], 20)
NOISE = RNG.normal(size=60)
DUMMIES = np.column_stack([np.ones(60), GROUP == 1, GROUP == 2, NOISE]).astype(float)
REST = DUMMIES[GROUP < 2][:, [0, 1, 3]]


def quasi_separated(link: str | None = None) -> tuple[nf.GLMResults, nf.GLMResults]:
    """All of group 2 succeed: its coefficient runs off, and the others are those of a fit without the group."""
    y = np.random.default_rng(4).binomial(1, 0.5, 60).astype(float)
    y[GROUP == 2] = 1.0
    with pytest.warns(nf.SeparationWarning, match="x2"):
        fit = nf.GLM(y, DUMMIES, family="binomial", link=link).fit()
    return fit, nf.GLM(y[GROUP < 2], REST, family="binomial", link=link).fit()


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "cauchit"])
def test_quasi_separation_is_named_and_the_rest_is_the_fit_without_it(link: str) -> None:
    fit, rest = quasi_separated(link)
    assert not fit.converged
    assert np.isnan(fit.bse[2])
    assert np.isnan(fit.pvalues[2])
    # A cauchit's tail is heavy: where its optimizer stops, the limit is still some way off.
    close = 1e-2 if link == "cauchit" else 1e-4
    np.testing.assert_allclose(fit.params[[0, 1, 3]], rest.params, atol=close)
    np.testing.assert_allclose(fit.bse[[0, 1, 3]], rest.bse, rtol=close)
    assert "SEPARATION" in str(fit.summary())
    assert "standard errors from the maximum" not in str(fit.summary())


def test_complete_separation_leaves_no_standard_error() -> None:
    x = np.linspace(-2.0, 2.0, 40)
    with pytest.warns(nf.SeparationWarning, match="const, x1"):
        fit = nf.GLM((x > 0).astype(float), np.column_stack([np.ones(40), x]), family="binomial").fit()
    assert np.isnan(fit.bse).all()
    assert not fit.converged


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_a_group_of_zeros_is_separation_for_counts(family: str) -> None:
    y = np.random.default_rng(5).negative_binomial(2, 0.4, 60).astype(float)
    y[GROUP == 2] = 0.0
    with pytest.warns(nf.SeparationWarning, match="x2"):
        fit = nf.GLM(y, DUMMIES, family=family).fit()
    assert np.isnan(fit.bse[2])
    assert np.isfinite(fit.bse[[0, 1, 3]]).all()


def test_two_directions_at_once() -> None:
    y = np.random.default_rng(6).binomial(1, 0.5, 60).astype(float)
    y[GROUP == 2], y[GROUP == 1] = 1.0, 0.0
    with pytest.warns(nf.SeparationWarning, match="x1, x2"):
        fit = nf.GLM(y, DUMMIES, family="binomial").fit()
    assert np.isnan(fit.bse[1:3]).all()
    alone = nf.GLM(y[GROUP == 0], DUMMIES[GROUP == 0][:, [0, 3]], family="binomial").fit()
    np.testing.assert_allclose(fit.bse[[0, 3]], alone.bse, rtol=1e-4)


def test_near_separation_is_none() -> None:
    y = np.random.default_rng(7).binomial(1, 0.5, 60).astype(float)
    y[GROUP == 2] = 1.0
    y[59] = 0.0
    fit = nf.GLM(y, DUMMIES, family="binomial").fit()
    assert fit.converged
    assert np.isfinite(fit.bse).all()


def test_far_apart_group_means_are_no_separation() -> None:
    y = np.where(GROUP == 2, 1e7, np.where(GROUP == 1, 1.0, 300.0))
    fit = nf.GLM(y, DUMMIES[:, :3], family="poisson").fit()
    assert fit.converged
    np.testing.assert_allclose(fit.params, [np.log(300), np.log(1 / 300), np.log(1e7 / 300)], rtol=1e-8)


def test_iris_is_separated() -> None:
    iris = nf.datasets.load("iris").query("Species != 'virginica'")
    iris.columns = [str(name).replace(".", "_") for name in iris.columns]
    iris["versicolor"] = (iris["Species"] == "versicolor").astype(float)
    with pytest.warns(nf.SeparationWarning):
        nf.GLM.from_formula("versicolor ~ Petal_Length", iris, family="binomial").fit()


def test_warnings_are_statsmodels_warnings_too() -> None:
    assert issubclass(nf.SeparationWarning, sm_exceptions.PerfectSeparationWarning)
    assert issubclass(nf.ConvergenceWarning, sm_exceptions.ConvergenceWarning)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_aliased_columns_are_named_and_nan(size: float) -> None:
    crabs = nf.datasets.load("crabs").assign(
        sum=lambda d: size * (d["width"] + 2.0 * d["weight"]), nothing=0.0, spine=lambda d: d["spine"].astype(float)
    )
    fit = nf.GLM.from_formula("sat ~ width + weight + sum + nothing + spine", crabs, family="poisson").fit()
    clean = nf.GLM.from_formula("sat ~ width + weight + spine", crabs, family="poisson").fit()
    assert sorted(fit.params.index[fit.params.isna()]) == ["nothing", "sum"]
    assert fit.fitted.alias_notes == ["sum is a linear combination of width, weight", "nothing is zero on every row"]
    names = list(clean.params.index)
    np.testing.assert_allclose(fit.params[names], clean.params, rtol=1e-9)
    np.testing.assert_allclose(fit.bse[names], clean.bse, rtol=1e-9)
    assert fit.df_resid == clean.df_resid
    np.testing.assert_allclose(fit.predict(crabs.iloc[:4]), clean.predict(crabs.iloc[:4]), rtol=1e-9)
    a, b = fit.get_prediction(crabs.iloc[:4]).summary_frame(), clean.get_prediction(crabs.iloc[:4]).summary_frame()
    np.testing.assert_allclose(a, b, rtol=1e-8)
    assert "Aliased: sum is a linear combination" in str(fit.summary())
    assert fit.wald_test("width = 0, spine = 0", scalar=True).pvalue == pytest.approx(
        clean.wald_test("width = 0, spine = 0", scalar=True).pvalue
    )


def test_sparse_designs_find_aliased_columns_too() -> None:
    import scipy.sparse as sp

    y = np.random.default_rng(8).poisson(2.0, 60).astype(float)
    doubled = np.column_stack([DUMMIES, GROUP == 0])
    fit = nf.GLM(y, sp.csc_matrix(doubled.astype(float)), family="poisson").fit()
    assert np.isnan(fit.params[4])
    np.testing.assert_allclose(fit.params[:4], nf.GLM(y, DUMMIES, family="poisson").fit().params, rtol=1e-9)


# -- the edge of a family's domain ---------------------------------------------------------------------------------

XX = RNG.uniform(0.0, 3.0, 200)
Z = np.column_stack([np.ones(200), XX])
EDGE: dict[str, dict[str, Any]] = {
    "gamma_inverse_on_log_data": {
        "family": "gamma",
        "link": "inverse",
        "y": RNG.gamma(2.0, np.exp(1 - 1.5 * XX) / 2.0),
    },
    "gamma_inverse_rising": {"family": "gamma", "link": "inverse", "y": RNG.gamma(2.0, np.exp(1.5 * XX) / 2.0)},
    "binomial_log": {
        "family": "binomial",
        "link": "log",
        "y": (RNG.uniform(size=200) < np.minimum(np.exp(-2 + 0.9 * XX), 1.0)).astype(float),
    },
    "binomial_log_inside": {
        "family": "binomial",
        "link": "log",
        "y": (RNG.uniform(size=200) < np.exp(-2 + 0.3 * XX)).astype(float),
    },
    "binomial_identity": {
        "family": "binomial",
        "link": "identity",
        "y": (RNG.uniform(size=200) < np.minimum(0.4 * XX, 1.0)).astype(float),
    },
    "poisson_identity": {
        "family": "poisson",
        "link": "identity",
        "y": RNG.poisson(np.maximum(3 - 1.05 * XX, 0.0)).astype(float),
    },
    "poisson_identity_inside": {"family": "poisson", "link": "identity", "y": RNG.poisson(1 + XX).astype(float)},
    "gaussian_log": {"family": "gaussian", "link": "log", "y": RNG.normal(np.exp(-XX), 0.3)},
    "inverse_gaussian": {"family": "inverse_gaussian", "link": "inverse_squared", "y": RNG.wald(np.exp(0.4 * XX), 3.0)},
}


def log_likelihood(fit: nf.GLMResults, params: np.ndarray) -> float:
    likelihood = fit.likelihood
    return fit.model.source.reduce(lambda block: likelihood.log_prob(params, block, fit.scale))["loglik"]


@pytest.mark.parametrize("case", EDGE)
@pytest.mark.filterwarnings("ignore::natfit.ConvergenceWarning")
def test_no_fit_converges_with_a_mean_outside_the_domain(case: str) -> None:
    known = EDGE[case]
    fit = nf.GLM(known["y"], Z, family=known["family"], link=known["link"]).fit()
    domain = fit.family.mean_domain
    assert domain.contains(fit.fittedvalues).all()
    assert np.isfinite(fit.llf)
    if not fit.converged:
        assert "edge" in fit.reason
        assert "NOT CONVERGED" in str(fit.summary())
    else:
        # A maximum inside: no coefficient can be moved to a higher likelihood.
        for j, se in enumerate(fit.bse):
            for sign in (-1.0, 1.0):
                moved = fit.params.copy()
                moved[j] += sign * 1e-3 * se
                assert log_likelihood(fit, moved) <= fit.loglik(fit.scale) + 1e-9


def test_a_maximum_on_the_edge_is_approached_but_not_called_converged() -> None:
    known = EDGE["binomial_log"]
    with pytest.warns(nf.ConvergenceWarning, match="edge of the family's domain"):
        fit = nf.GLM(known["y"], Z, family="binomial", link="log").fit()
    assert not fit.converged


def test_a_maximum_at_rest_on_the_edge_is_said_to_be_there() -> None:
    """Its score does not vanish, and the information of the row on the edge is without bound: neither is hidden."""
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    y = rng.poisson(np.maximum(1 + design[:, 1], 0.05)).astype(float)
    with pytest.warns(nf.ConvergenceWarning, match=r"fitted mean\(s\).*edge of the family's domain"):
        fit = nf.GLM(y, design, family="poisson", link="identity").fit()
    assert fit.fitted.edge_rows > 0
    assert "standard errors from the maximum" not in str(fit.summary())


def test_a_start_inside_the_domain_is_found_without_an_intercept() -> None:
    x = np.column_stack([XX - 4.0, RNG.normal(size=200)])
    y = RNG.poisson(4.0 - XX).astype(float)
    fit = nf.GLM(y, x, family="poisson", link="identity").fit()
    assert fit.converged
    assert (fit.fittedvalues > 0).all()
