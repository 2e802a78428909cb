"""Covariances that are robust to misspecification: statsmodels' numbers, R's formulas, and laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import natfit as nf
from natfit.data.arrays import ArraySource, BlockSource
from natfit.likelihoods.robust import GroupSums

RNG = np.random.default_rng(4)
N = 240
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 3))])
MU = np.exp(X @ [0.3, 0.3, -0.2, 0.1])
G, H = RNG.integers(0, 17, N), RNG.integers(3, 9, N)
TIME, PANEL = np.arange(N) % 24, np.arange(N) // 24
WEIGHT = RNG.uniform(0.5, 2.0, N)
FREQ = RNG.integers(0, 4, N)
RESPONSES = {
    "poisson": (RNG.poisson(MU * RNG.gamma(2.0, 0.5, N)).astype(float), None, sm.families.Poisson()),
    "gamma": (RNG.gamma(1.5, MU), "log", sm.families.Gamma(sm.families.links.Log())),
    "gaussian": (MU + MU * RNG.normal(size=N), None, sm.families.Gaussian()),
    "binomial": ((RNG.random(N) < MU / 4.0).astype(float), "probit", sm.families.Binomial(sm.families.links.Probit())),
}
ASKED = {
    "HC0": ("HC0", {}),
    "HC0, scaled": ("HC0", {"scaling_factor": (N - 1) / (N - 4)}),
    "cluster": ("cluster", {"groups": G}),
    "cluster, texts": ("cluster", {"groups": np.array([f"g{g}" for g in G])}),
    "cluster, plain": ("cluster", {"groups": G, "use_correction": False, "df_correction": False}),
    "two ways": ("cluster", {"groups": np.column_stack([G, H])}),
    "two ways, a list": ("cluster", {"groups": [G, H], "use_correction": False}),
    "HAC": ("HAC", {"maxlags": 4}),
    "HAC, uniform": ("hac", {"maxlags": 2, "kernel": "uniform", "use_correction": True}),
    "panel by groups": ("hac-panel", {"maxlags": 3, "groups": PANEL}),
    "panel by time": ("nw-panel", {"maxlags": 3, "time": TIME, "use_correction": "cluster"}),
    "Driscoll-Kraay": ("hac-groupsum", {"maxlags": 2, "time": TIME}),
    "Driscoll-Kraay by dates": (
        "hac-groupsum",
        {"maxlags": 2, "time": np.datetime64("2020-01") + TIME, "df_correction": False},
    ),
    "Driscoll-Kraay, hac": ("nw-groupsum", {"maxlags": 2, "time": TIME, "use_correction": "hac"}),
}


def fit(family="poisson", cov_type="nonrobust", use_t=None, data=None, rows=slice(None), cov_kwds=None, **options):
    y, link, _ = RESPONSES[family]
    design = X if data is None else data
    model = nf.GLM(y[rows], design[rows], family=family, link=link, **options)
    return model.fit(cov_type=cov_type, cov_kwds=cov_kwds, use_t=use_t)


def cov(*args, **kwargs):
    return fit(*args, **kwargs).cov_params()


@pytest.mark.parametrize("asked", [asked for asked in ASKED if "dates" not in asked])  # statsmodels takes integers
@pytest.mark.parametrize("family", RESPONSES)
@pytest.mark.filterwarnings("ignore:cov_type not fully supported")
def test_numbers_are_those_of_statsmodels(family: str, asked: str) -> None:
    cov_type, cov_kwds = ASKED[asked]
    y, _, theirs = RESPONSES[family]
    weights = {"var_weights": WEIGHT} if family == "gamma" else {}
    ours = fit(family, cov_type, True, cov_kwds=cov_kwds, **weights)
    theirs = sm.GLM(y, X, family=theirs, **weights).fit(
        cov_type=cov_type, cov_kwds=dict(cov_kwds), use_t=True, tol=1e-14
    )
    np.testing.assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-8)
    np.testing.assert_allclose(ours.pvalues, theirs.pvalues, rtol=1e-7)
    np.testing.assert_allclose(ours.conf_int(0.1), theirs.conf_int(0.1), rtol=1e-7)
    for name in ("f_test", "wald_test"):
        restrictions = np.eye(4)[1:3]
        options = {} if name == "f_test" else {"use_f": False, "scalar": True}
        one, other = (getattr(each, name)(restrictions, **options) for each in (ours, theirs))
        np.testing.assert_allclose(one.pvalue, other.pvalue, rtol=1e-7)
    np.testing.assert_allclose(ours.t_test("x1 = x2").pvalue, theirs.t_test("x1 = x2").pvalue, rtol=1e-7)
    assert ours.df_resid_inference == getattr(theirs, "df_resid_inference", theirs.df_resid)
    assert ours.cov_kwds["adjust_df"] == theirs.cov_kwds["adjust_df"]
    if hasattr(theirs, "n_groups"):
        assert ours.n_groups == theirs.n_groups


def working(result, y, weight=1.0):
    """Return the scores and leverages of a log-link Gamma or Poisson fit, from their formulas."""
    mu = np.exp(X @ np.asarray(result.params))
    w = weight * (mu if result.family.name == "poisson" else np.ones_like(mu))
    score = (w * (y - mu) / mu)[:, None] * X
    bread = np.linalg.inv(X.T * w @ X)
    return score, bread, w * np.einsum("ij,jk,ik->i", X, bread, X)


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_hc1_to_hc3_are_those_of_r_sandwich(family: str) -> None:
    # vcovHC of a glm: bread from the expected information, omega from squared scores and hat values.
    y = RESPONSES[family][0]
    score, bread, h = working(fit(family, var_weights=WEIGHT), y, WEIGHT)
    factors = {"HC1": N / (N - 4), "HC2": 1.0 / (1.0 - h), "HC3": 1.0 / (1.0 - h) ** 2}
    for kind, factor in factors.items():
        by_hand = bread @ (score.T * factor @ score) @ bread
        ours = cov(family, kind, var_weights=WEIGHT, cov_kwds={"bread": "expected"})
        np.testing.assert_allclose(ours, by_hand, rtol=1e-8)


@pytest.mark.parametrize("correction", [True, False, "HC0", "HC1"])
def test_cluster_factors_are_those_of_r_sandwich(correction) -> None:
    plain = cov(cov_type="cluster", cov_kwds={"groups": G, "use_correction": False})
    factor = {True: 17 / 16 * (N - 1) / (N - 4), False: 1.0, "HC0": 17 / 16, "HC1": 17 / 16 * (N - 1) / (N - 4)}[
        correction
    ]
    ours = cov(cov_type="cluster", cov_kwds={"groups": G, "use_correction": correction})
    np.testing.assert_allclose(ours, factor * plain, rtol=1e-12)


def test_hc3_of_a_gaussian_is_the_jackknife() -> None:
    whole = fit("gaussian", "HC3")
    without = np.array([fit("gaussian", rows=np.arange(N) != i).params for i in range(N)]) - whole.params
    np.testing.assert_allclose(whole.cov_params(), without.T @ without, rtol=1e-8)


@pytest.mark.parametrize("cov_type", ["HC0", "HC1", "HC2", "HC3", "cluster"])
def test_a_row_of_frequency_f_is_f_rows(cov_type: str) -> None:
    rows = np.repeat(np.arange(N), FREQ)
    some = {"groups": G, "use_correction": True} if cov_type == "cluster" else None
    all_ = {"groups": G[rows], "use_correction": True} if cov_type == "cluster" else None
    for family in ("gaussian", "gamma"):
        weighted = fit(family, cov_type, True, cov_kwds=some, freq_weights=FREQ)
        written = fit(family, cov_type, True, cov_kwds=all_, rows=rows)
        np.testing.assert_allclose(weighted.cov_params(), written.cov_params(), rtol=1e-8)
        np.testing.assert_allclose(weighted.pvalues, written.pvalues, rtol=1e-6)


@pytest.mark.parametrize("cov_type", ["HC0", "HC1", "HC2", "HC3", "cluster"])
def test_rows_of_weight_zero_are_as_if_they_were_not_there(cov_type: str) -> None:
    weight = np.where(RNG.random(N) < 0.3, 0.0, WEIGHT)
    rows = weight > 0
    groups = np.where(rows, G, 100 + np.arange(N) % 5)  # clusters of such rows alone don't count either
    zero = cov("gamma", cov_type, cov_kwds={"groups": groups} if cov_type == "cluster" else None, var_weights=weight)
    kwds = {"groups": G[rows]} if cov_type == "cluster" else None
    left_out = cov("gamma", cov_type, cov_kwds=kwds, rows=rows, var_weights=weight[rows])
    np.testing.assert_allclose(zero, left_out, rtol=1e-8)


@pytest.mark.parametrize("asked", ["HC2", "HC3", "cluster", "two ways", "Driscoll-Kraay by dates"])
def test_order_of_rows_and_units_of_columns(asked: str) -> None:
    cov_type, cov_kwds = ASKED.get(asked, (asked, {}))
    order, unit = RNG.permutation(N), np.array([1.0, 1e4, 1e-3, 7.0])
    moved = {name: value[order] if isinstance(value, np.ndarray) else value for name, value in cov_kwds.items()}
    first = cov("gamma", cov_type, cov_kwds=cov_kwds)
    then = cov("gamma", cov_type, data=X / unit, rows=order, cov_kwds=moved)
    np.testing.assert_allclose(first * np.outer(unit, unit), then, rtol=1e-8)


@pytest.mark.parametrize("asked", ["HC1", "HC3", "cluster", "two ways", "HAC", "panel by groups", "Driscoll-Kraay"])
def test_neither_blocks_nor_threads_matter(asked: str) -> None:
    cov_type, cov_kwds = ASKED.get(asked, (asked, {}))
    whole = cov("gamma", cov_type, cov_kwds=cov_kwds)
    cut = fit("gamma", cov_type, cov_kwds=cov_kwds)
    answers = []
    for threads, block in ((1, 3), (3, 3), (2, 100)):
        cut.model.source = ArraySource(cut.model.source.whole, threads, block)
        answers.append(cut.get_robustcov_results(cov_type, **cov_kwds).cov_params())
        np.testing.assert_allclose(answers[-1], whole, rtol=1e-9)
    np.testing.assert_array_equal(answers[0], answers[1])
    cut.model.source = BlockSource(cut.model.source.blocks)
    np.testing.assert_allclose(cut.get_robustcov_results(cov_type, **cov_kwds).cov_params(), whole, rtol=1e-9)


def test_sums_by_group_hold_no_more_than_two_of_each_group() -> None:
    total = GroupSums(np.arange(10), np.ones((10, 2)))
    for start in range(100):
        total += GroupSums(np.arange(10) if start % 2 else np.arange(3, 7), np.ones((10 if start % 2 else 4, 2)))
        assert sum(len(codes) for codes, _ in total._parts) <= 20
    np.testing.assert_array_equal(total.total()[:, 0], [51.0] * 3 + [101.0] * 4 + [51.0] * 3)


def test_clusters_of_one_row_are_hc0_and_two_equal_ways_are_one() -> None:
    single = cov(cov_type="cluster", cov_kwds={"groups": np.arange(N), "use_correction": False})
    np.testing.assert_allclose(single, cov(cov_type="HC0"), rtol=1e-10)
    twice = cov(cov_type="cluster", cov_kwds={"groups": [G, G]})
    np.testing.assert_allclose(twice, cov(cov_type="cluster", cov_kwds={"groups": G}), rtol=1e-10)


def test_hac_without_lags_is_hc0_and_a_panel_of_all_lags_is_clusters() -> None:
    np.testing.assert_allclose(cov(cov_type="HAC", cov_kwds={"maxlags": 0}), cov(cov_type="HC0"), rtol=1e-10)
    panel = {"groups": PANEL, "maxlags": 23, "kernel": "uniform", "use_correction": "cluster"}
    np.testing.assert_allclose(
        cov(cov_type="hac-panel", cov_kwds=panel), cov(cov_type="cluster", cov_kwds={"groups": PANEL}), rtol=1e-8
    )


def test_sampling_weights_as_a_survey_design_has_them() -> None:
    # Binder's linearization, which survey::svyglm reports: A^-1 [n / (n - 1) sum of squared weighted scores] A^-1.
    y = RESPONSES["poisson"][0]
    score, bread, _ = working(fit("poisson", var_weights=WEIGHT), y, WEIGHT)
    ours = cov("poisson", "HC0", var_weights=WEIGHT, cov_kwds={"scaling_factor": N / (N - 1)})
    np.testing.assert_allclose(ours, N / (N - 1) * bread @ (score.T @ score) @ bread, rtol=1e-8)


def test_aliased_columns_change_nothing() -> None:
    doubled = np.column_stack([X, X[:, 1] + X[:, 2]])
    for cov_type, cov_kwds in (("HC3", None), ("cluster", {"groups": G}), ("HAC", {"maxlags": 2})):
        found = cov("gamma", cov_type, data=doubled, cov_kwds=cov_kwds)
        np.testing.assert_allclose(found[:4, :4], cov("gamma", cov_type, cov_kwds=cov_kwds), rtol=1e-7)
        assert np.isnan(found[4]).all()


def test_sparse_designs_have_the_same_covariances() -> None:
    from scipy import sparse

    dummies = np.column_stack([np.ones(N), np.eye(6)[H - 3][:, 1:]])
    for cov_type, cov_kwds in (("HC3", None), ("cluster", {"groups": G}), ("HAC", {"maxlags": 2})):
        dense = cov("poisson", cov_type, data=dummies, cov_kwds=cov_kwds)
        np.testing.assert_allclose(
            cov("poisson", cov_type, data=sparse.csr_matrix(dummies), cov_kwds=cov_kwds), dense, rtol=1e-8, atol=1e-12
        )


def test_a_row_of_leverage_one_has_no_say_in_other_coefficients() -> None:
    for family in ("gaussian", "gamma", "poisson"):
        alone = np.column_stack([X, 0.37 * (np.arange(N) == 7)])
        with_row, without = fit(family, "HC3", data=alone), fit(family, "HC3", rows=np.arange(N) != 7)
        np.testing.assert_allclose(with_row.bse[:4], without.bse, rtol=1e-7)
        assert np.isnan(with_row.bse[4])
    assert "NO STANDARD ERROR of x4, which rest on rows of leverage 1" in str(with_row.summary())


def test_a_negative_variance_is_told() -> None:
    # The uniform kernel's estimate need not be positive.
    y = np.tile([1.0, 3.0], 10) + np.linspace(0.0, 0.1, 20)
    found = nf.GLM(y, np.ones(20), family="gaussian").fit(cov_type="HAC", cov_kwds={"maxlags": 1, "kernel": "uniform"})
    assert np.isnan(found.bse).all()
    assert "negative variance" in str(found.summary())


def test_dropped_rows_take_their_labels_along() -> None:
    table = pd.DataFrame({"y": RESPONSES["poisson"][0], "x": X[:, 1], "g": G})
    table.loc[[3, 50], "x"] = np.nan
    model = nf.GLM.from_formula("y ~ x", table, family="poisson")
    clean = table.dropna()
    right = nf.GLM.from_formula("y ~ x", clean, family="poisson").fit(
        cov_type="cluster", cov_kwds={"groups": clean["g"]}
    )
    for labels in (table["g"], table["g"].to_numpy(), clean["g"], list(clean["g"])):
        found = model.fit(cov_type="cluster", cov_kwds={"groups": labels})
        np.testing.assert_allclose(found.bse, right.bse, rtol=1e-10)
    assert list(found.bse.index) == ["Intercept", "x"]
    by_name = model.fit(cov_type="cluster", cov_kwds={"groups": "g"})
    np.testing.assert_allclose(by_name.bse, right.bse, rtol=1e-10)
    np.testing.assert_allclose(
        model.fit(cov_type="cluster", cov_kwds={"groups": ["g", "g"]}).bse, right.bse, rtol=1e-10
    )
    with pytest.raises(ValueError, match="has no column 'G'; did you mean 'g'"):
        model.fit(cov_type="cluster", cov_kwds={"groups": "G"})
    told = str(model.fit(cov_type="HAC", cov_kwds={"maxlags": 1}).summary())
    assert "count as consecutive" in told


def test_another_covariance_of_the_same_fit() -> None:
    plain = fit("gamma")
    other = plain.get_robustcov_results("cluster", use_t=True, groups=G)
    direct = fit("gamma", "cluster", True, cov_kwds={"groups": G})
    np.testing.assert_array_equal(other.cov_params(), direct.cov_params())
    np.testing.assert_array_equal(other.pvalues, direct.pvalues)
    np.testing.assert_array_equal(plain.cov_params(information="HC3"), cov("gamma", "HC3"))
    assert plain.cov_type == "nonrobust"
    told = str(direct.summary())
    assert "17 clusters, times G / (G - 1) (n - 1) / (n - rank)" in told
    assert "clusters for" not in told
    assert "With 3 clusters for 4 coefficients" in str(fit(cov_type="cluster", cov_kwds={"groups": G % 3}).summary())


MISSING = pd.Series(["a", None, "b"] * (N // 3))
REFUSED = {
    "no clusters": ("cluster", {}, {}, "needs the cluster of each row"),
    "clusters of another length": ("cluster", {"groups": G[:-1]}, {}, "'groups' has 239 rows and 'endog' has 240"),
    "missing clusters": ("cluster", {"groups": MISSING}, {}, "'groups' is missing in 80 rows (1, 4, 7, 10, 13, ...)"),
    "NaN among clusters": ("cluster", {"groups": np.where(G == 0, np.nan, G)}, {}, "'groups' is missing in"),
    "a name without a table": ("cluster", {"groups": "g"}, {}, "arrays have no columns to name"),
    "one cluster": ("cluster", {"groups": np.ones(N)}, {}, "2 or more groups to vary, and there is 1"),
    "one cluster that counts": ("cluster", {"groups": G > 3}, {"var_weights": (G > 3) * 1.0}, "there is 1"),
    "three ways": ("cluster", {"groups": [G, H, G]}, {}, "'groups' has 3 columns"),
    "a misspelled setting": ("cluster", {"group": G}, {}, "did you mean 'groups'"),
    "settings of none": ("nonrobust", {"groups": G}, {}, "takes none"),
    "another correction": ("cluster", {"groups": G, "use_correction": "hac"}, {}, "must be one of True, False"),
    "another bread": ("HC0", {"bread": "white"}, {}, "'observed' or 'expected'"),
    "too many lags": ("HAC", {"maxlags": N}, {}, "from 0 to 239"),
    "half a lag": ("HAC", {"maxlags": 0.5}, {}, "whole number"),
    "another kernel": ("HAC", {"maxlags": 1, "kernel": "parzen"}, {}, "'bartlett', 'uniform'"),
    "a kernel of another length": ("HAC", {"maxlags": 1, "kernel": np.ones}, {}, "a weight for each lag from 0 to 1"),
    "frequencies in time": ("HAC", {"maxlags": 1}, {"freq_weights": FREQ}, "one observation at each place in time"),
    "parts of rows with leverage": ("HC3", {}, {"freq_weights": WEIGHT}, "must be whole numbers"),
    "a panel out of order": ("hac-panel", {"maxlags": 1, "groups": G}, {}, "must stand together"),
    "a panel of nothing": ("hac-panel", {"maxlags": 1}, {}, "give 'groups' or 'time'"),
    "no time": ("hac-groupsum", {"maxlags": 1}, {}, "needs the time of each row"),
    "time without order": ("hac-groupsum", {"maxlags": 1, "time": MISSING}, {}, "so that it has an order"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_in_one_sentence(case: str) -> None:
    cov_type, cov_kwds, options, said = REFUSED[case]
    with pytest.raises(ValueError, match=r".") as refused:
        fit(cov_type=cov_type, cov_kwds=cov_kwds, **options)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_rows_in_another_order_are_refused() -> None:
    table = pd.DataFrame({"y": RESPONSES["poisson"][0], "x": X[:, 1], "g": G})
    model = nf.GLM.from_formula("y ~ x", table, family="poisson")
    with pytest.raises(ValueError, match="in another order"):
        model.fit(cov_type="cluster", cov_kwds={"groups": table["g"].sample(frac=1.0, random_state=0)})


def test_kinds_with_settings_are_not_had_by_name_alone() -> None:
    with pytest.raises(ValueError, match="needs settings: give it to fit"):
        fit().cov_params(information="cluster")
