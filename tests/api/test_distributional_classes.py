"""What is said once of classes holds for all their predictors: offsets, terms, parallel columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

import natfit as nf
from natfit.families.distributional.categorical import Cumulative

FIT = nf.DistributionalRegression.from_formula


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 300
    x, g = rng.normal(size=n), rng.choice(["a", "b"], n)
    z = rng.uniform(size=n)
    latent = 0.8 * x + (g == "b") + z + rng.logistic(size=n)
    grade = pd.Categorical(
        np.select([latent < 0.0, latent < 1.5], ["lo", "mid"], "hi"), ["lo", "mid", "hi"], ordered=True
    )
    return pd.DataFrame({"x": x, "g": g, "z": z, "grade": grade})


def test_an_offset_is_that_of_every_class(table: pd.DataFrame) -> None:
    theirs = OrderedModel(table["grade"], table[["x"]], offset=table["z"].to_numpy(), distr="logit")
    wanted = theirs.fit(method="newton", disp=0, maxiter=100)
    fits = [
        FIT("grade ~ x", table, "cumulative", offset="z").fit(),
        FIT("grade ~ x", table, "cumulative", offset=table["z"]).fit(),
        FIT("grade ~ x", table, "cumulative", offset={"Y>=mid": "z", "Y>=hi": "z"}).fit(),
        FIT("grade ~ x", nf.data.from_frame([table[:150], table[150:]]), "cumulative", offset="z").fit(),
    ]
    for fit in fits:
        assert fit.llf == pytest.approx(wanted.llf, rel=1e-10)
        assert fit.params["x"] == pytest.approx(wanted.params["x"], rel=1e-6)
    np.testing.assert_allclose(fits[1].predict(table, offset=table["z"]), fits[0].predict(), rtol=1e-10)


def test_parallel_is_read_from_a_name(table: pd.DataFrame) -> None:
    wanted = FIT("grade ~ x", table, Cumulative(parallel=False)).fit()
    read = FIT("grade ~ x", table, "cumulative(parallel=False)").fit()
    pd.testing.assert_series_equal(read.params, wanted.params)
    one = FIT("grade ~ x + z", table, "cumulative(parallel=x)").fit()
    assert list(one.params.index) == ["Y>=mid:Intercept", "Y>=mid:z", "Y>=hi:Intercept", "Y>=hi:z", "x"]
    pd.testing.assert_series_equal(FIT("grade ~ x + z", table, Cumulative(parallel="x")).fit().params, one.params)


def test_an_interaction_is_freed_by_its_own_name(table: pd.DataFrame) -> None:
    main = FIT("grade ~ C(g) + C(g):x", table, Cumulative(parallel={"C(g)": False})).fit()
    assert [name for name in main.params.index if "x" not in name and "Intercept" not in name] == [
        "Y>=mid:C(g)[T.b]",
        "Y>=hi:C(g)[T.b]",
    ]
    assert {"C(g)[a]:x", "C(g)[b]:x"} <= set(main.params.index)
    crossed = FIT("grade ~ C(g) + C(g):x", table, Cumulative(parallel={"C(g):x": False})).fit()
    assert "C(g)[T.b]" in crossed.params.index
    assert "Y>=hi:C(g)[b]:x" in crossed.params.index


def test_a_term_of_classes_is_tested_for_all_of_them(table: pd.DataFrame) -> None:
    fit = FIT("grade ~ x + z", table, "multinomial").fit()
    smaller = FIT("grade ~ x", table, "multinomial").fit()
    rows = nf.anova(fit)
    assert list(rows.index) == ["NULL", "x", "z"]
    statistic, pvalue, df = fit.lr_test(smaller)
    assert rows.loc["z", "Df"] == df == 2.0
    assert rows.loc["z", "LR"] == pytest.approx(statistic, rel=1e-8)
    assert rows.loc["z", "Pr(>Chi)"] == pytest.approx(pvalue, rel=1e-6)
    assert list(fit.wald_test_terms().table.index) == ["Intercept", "x", "z"]
    assert fit.wald_test_terms().table["df_constraint"].tolist() == [2, 2, 2]
