"""Likelihood-ratio tests of distributional regressions: which fits are nested, and which law the statistic has."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import natfit as nf
from natfit.families.distributional.categorical import Cumulative

FIT = nf.DistributionalRegression.from_formula


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 300
    x, z = rng.normal(size=n), rng.uniform(-1.0, 1.0, size=n)
    p = 1.0 / (1.0 + np.exp(-x))
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "g": rng.choice(["a", "b", "c"], n),
            "share": rng.beta(4.0 * p, 4.0 * (1.0 - p)),
            "count": rng.poisson(np.exp(0.5 + 0.3 * x) * rng.gamma(2.0, 0.5, n)),
            "number": x + rng.normal(size=n),
            "grade": np.digitize(x + rng.logistic(size=n), [-1.0, 0.0, 1.5]),
        }
    )


NESTED: list[tuple[str, dict[str, Any], dict[str, Any], float]] = [
    ("beta", {"formula": "share ~ x + z | x"}, {"formula": "share ~ x"}, 2.0),
    ("beta", {"formula": "share ~ x + z | x"}, {"formula": "share ~ x", "fixed": {"precision": 8.0}}, 3.0),
    ("beta", {"formula": "share ~ x | x"}, {"formula": "share ~ x | x", "constraints": "mean:x = precision:x"}, 1.0),
    ("beta", {"formula": "share ~ C(g) + x"}, {"formula": "share ~ 0 + C(g)"}, 1.0),
    ("gaussian", {"formula": "number ~ x + z"}, {"formula": "number ~ x", "offset": {"mean": "z"}}, 1.0),
    ("gaussian", {"formula": "number ~ x", "fixed": {"sd": 1.0}}, {"formula": "number ~ 1", "fixed": {"sd": 1.0}}, 1.0),
]


@pytest.mark.parametrize(("family", "large", "small", "df"), NESTED, ids=[f"{j}" for j in range(len(NESTED))])
def test_nested_fits(table: pd.DataFrame, family: str, large: dict[str, Any], small: dict[str, Any], df: float) -> None:
    one, other = (FIT(data=table, family=family, **each).fit() for each in (large, small))
    statistic, p, degrees = one.lr_test(other)
    assert degrees == df
    assert statistic == pytest.approx(2.0 * (one.llf - other.llf), abs=1e-9)
    assert p == pytest.approx(stats.chi2.sf(statistic, df), rel=1e-9, abs=0.0)


def test_parallel_terms_are_nested(table: pd.DataFrame) -> None:
    loose = FIT("grade ~ x", table, Cumulative(parallel=False)).fit()
    assert loose.lr_test(FIT("grade ~ x", table, "cumulative").fit())[2] == 2.0
    with pytest.raises(ValueError, match="one family in one parametrization"):
        loose.lr_test(FIT("grade ~ x", table, Cumulative(direction="<=")).fit())


APART: list[tuple[dict[str, Any], str]] = [
    ({"formula": "share ~ g"}, "no combinations of this one's"),
    ({"formula": "share ~ I(x**2)"}, "no combinations of this one's"),
    ({"formula": "share ~ x", "links": {"mean": "probit"}}, "mean has logit in one fit and probit in the other"),
    ({"formula": "share ~ x", "family": "gamma"}, "these are beta (mean, precision) and gamma (mean, shape)"),
    ({"formula": "share ~ x", "parametrization": "a_b"}, "beta (a, b)"),
    ({"formula": "share ~ x", "offset": {"mean": "z * z"}}, "offsets, or values at which parameters"),
    ({"formula": "share ~ x + z | x"}, "must have fewer free coefficients"),
]


@pytest.mark.parametrize(("small", "message"), APART, ids=[f"{j}" for j in range(len(APART))])
def test_fits_that_are_not_nested_are_refused(table: pd.DataFrame, small: dict[str, Any], message: str) -> None:
    large = FIT("share ~ x + z | x", table, "beta").fit()
    asked = {"family": "beta", **small}
    with pytest.raises(ValueError, match=re.escape(message)):
        large.lr_test(FIT(data=table, **asked).fit())


def test_the_same_response_in_shuffled_rows_is_refused(table: pd.DataFrame) -> None:
    shuffled = table.assign(x=table["x"].sample(frac=1.0, random_state=0).to_numpy())
    with pytest.raises(ValueError, match="no combinations"):
        FIT("share ~ x + z", table, "beta").fit().lr_test(FIT("share ~ x", shuffled, "beta").fit())


def test_what_is_no_such_fit_is_refused(table: pd.DataFrame) -> None:
    fit = FIT("number ~ x", table, "gaussian").fit()
    with pytest.raises(TypeError, match="takes the fit of a DistributionalRegression, got GLMResults"):
        fit.lr_test(nf.GLM.from_formula("number ~ 1", table).fit())
    with pytest.warns(nf.ConvergenceWarning):
        unfinished = FIT("number ~ 1", table, "student_t", fixed={"df": 5.0}).fit(maxiter=1)
    with pytest.raises(ValueError, match="a fit did not converge"):
        FIT("number ~ x", table, "student_t", fixed={"df": 5.0}).fit().lr_test(unfinished)


def test_at_the_limit_of_a_family_the_statistic_is_half_as_often_zero(table: pd.DataFrame) -> None:
    # Self & Liang (1987), case 6: chi-square with df and df - 1 degrees of freedom, each with probability 1/2
    poisson = FIT("count ~ 1", table, "poisson").fit()
    one = FIT("count ~ 1", table, "negative_binomial").fit()
    statistic, p, df = one.lr_test(poisson)
    assert df == 1.0
    assert p == pytest.approx(0.5 * stats.chi2.sf(statistic, 1), rel=1e-9, abs=0.0)
    statistic, p, df = FIT("count ~ x", table, "negative_binomial").fit().lr_test(poisson)
    assert df == 2.0
    assert p == pytest.approx(0.5 * stats.chi2.sf(statistic, 1) + 0.5 * stats.chi2.sf(statistic, 2), rel=1e-9, abs=0.0)
    with pytest.raises(ValueError, match="more than a constant for alpha"):
        FIT("count ~ x | x", table, "negative_binomial").fit().lr_test(FIT("count ~ x", table, "poisson").fit())


class TestAnalysisOfDeviance:
    @pytest.fixture(scope="class")
    @staticmethod
    def fits() -> list[Any]:
        data = nf.datasets.load("gasoline")
        formulas = [("temp", "1"), ("temp", "temp"), ("C(batch) + temp", "temp")]
        return [
            nf.DistributionalRegression.from_formula(
                {"mean": f"yield ~ {m}", "precision": f"~ {p}"}, data, "beta"
            ).fit()
            for m, p in formulas
        ]

    def test_nested_fits_are_tested_one_against_the_next(self, fits: list[Any]) -> None:
        table = nf.anova(*fits, names=["a", "b", "c"])
        assert table.index.tolist() == ["a", "b", "c"]
        np.testing.assert_allclose(table["-2 llf"], [-2.0 * fit.llf for fit in fits])
        np.testing.assert_allclose(table["Df"][1:], [1.0, 9.0])
        statistic = -np.diff(table["-2 llf"])
        np.testing.assert_allclose(table["LR"][1:], statistic)
        np.testing.assert_allclose(table["Pr(>Chi)"][1:], stats.chi2.sf(statistic, [1, 9]), rtol=1e-10)

    def test_terms_of_all_parameters_are_added_one_after_the_other(self, fits: list[Any]) -> None:
        table = nf.anova(fits[-1])
        assert table.index.tolist() == ["NULL", "mean:C(batch)", "mean:temp", "precision:temp"]
        # each row is the model fitted by itself
        data = nf.datasets.load("gasoline")
        null = nf.DistributionalRegression.from_formula("yield ~ 1", data, "beta").fit()
        batch = nf.DistributionalRegression.from_formula("yield ~ C(batch)", data, "beta").fit()
        np.testing.assert_allclose(table["-2 llf"][:2], [-2.0 * null.llf, -2.0 * batch.llf], rtol=1e-9)
        assert table["Resid. Df"].tolist() == [30.0, 21.0, 20.0, 19.0]

    def test_terms_are_left_out_one_by_one(self, fits: list[Any]) -> None:
        table = nf.anova(fits[-1], typ=3)
        statistic, pvalue, df = fits[-1].lr_test(fits[1])
        np.testing.assert_allclose(
            table.loc["mean:C(batch)", ["LR", "Pr(>Chi)", "Df"]], [statistic, pvalue, df], rtol=1e-8
        )

    def test_what_it_can_not_do_is_refused(self, fits: list[Any]) -> None:
        with pytest.raises(ValueError, match=r"typ=1.*typ=3.*nf\.anova\(smaller, larger\)"):
            nf.anova(fits[0], typ=2)
        with pytest.raises(ValueError, match="test must be 'LRT'"):
            nf.anova(fits[0], test="F")
        glm = nf.GLM.from_formula("temp ~ 1", nf.datasets.load("gasoline")).fit()
        with pytest.raises(TypeError, match="fits of one kind"):
            nf.anova(fits[0], glm)
        data = nf.datasets.load("gasoline")
        bare = nf.DistributionalRegression.from_formula("temp ~ 0 + yield", data, fixed={"sd": 1.0}).fit()
        with pytest.raises(ValueError, match="its formulas have none"):
            nf.anova(bare)
