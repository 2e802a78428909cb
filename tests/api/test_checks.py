"""Tests of a fit's assumptions: statsmodels' numbers, hand computations, and the laws that they follow under their nulls."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.discrete._diagnostics_count import test_poisson_dispersion as statsmodels_dispersion

import natfit as nf

CRABS = pd.DataFrame(nf.datasets.load("crabs")).assign(any=lambda d: (d["sat"] > 0).astype(int))
COUNTS = nf.GLM.from_formula("sat ~ width", CRABS, family="poisson").fit()
SHARES = nf.GLM.from_formula("any ~ width", CRABS, family="binomial").fit()


def test_dispersion_of_counts_is_statsmodels():
    theirs = smf.poisson("sat ~ width", CRABS).fit(disp=0, tol=1e-12)
    ours = COUNTS.overdispersion_test()
    frame = statsmodels_dispersion(theirs).summary_frame().set_index("method")["statistic"]
    for name, other in (("Dean P_B", "Dean B"), ("Dean P_C", "Dean C"), ("Cameron-Trivedi NB2", "CT nb2")):
        np.testing.assert_allclose(ours.loc[name, "statistic"], frame[other], rtol=1e-5)
    # R's AER::dispersiontest(trafo = 1): sqrt(n) mean / sd of the same ratios
    ratio = ((CRABS["sat"] - COUNTS.fittedvalues) ** 2 - CRABS["sat"]) / COUNTS.fittedvalues
    row = ours.loc["Cameron-Trivedi NB1"]
    np.testing.assert_allclose(row["statistic"], np.sqrt(173) * ratio.mean() / ratio.std(), rtol=1e-9)
    np.testing.assert_allclose(row["estimate"], ratio.mean(), rtol=1e-9)
    assert ours.loc["Dean P_A", "statistic"] > ours.loc["Dean P_B", "statistic"]
    np.testing.assert_allclose(ours.loc["Pearson chi2", "p_value"], stats.chi2.sf(COUNTS.pearson_chi2, COUNTS.df_resid))


def test_frequencies_count_in_every_test():
    freq = np.random.default_rng(0).integers(0, 4, len(CRABS))
    repeated = CRABS.loc[CRABS.index.repeat(freq)]
    for formula, family, asks in [
        ("sat ~ width", "poisson", ["overdispersion_test", "zero_inflation_test", "link_test"]),
        ("any ~ width", "binomial", ["link_test"]),
    ]:
        one = nf.GLM.from_formula(formula, CRABS, family=family, freq_weights=freq).fit()
        many = nf.GLM.from_formula(formula, repeated, family=family).fit()
        for ask in asks:
            a, b = getattr(one, ask)(), getattr(many, ask)()
            if isinstance(a, pd.DataFrame):
                number = a.select_dtypes("number").columns
                np.testing.assert_allclose(a[number], b[number], rtol=1e-6)
            else:
                np.testing.assert_allclose(a.statistic, b.statistic, rtol=1e-7)


@pytest.mark.parametrize("link", ["log", "sqrt"])
def test_scores_follow_their_laws_under_the_null(link):
    rng = np.random.default_rng(4)
    x = rng.uniform(size=120)
    eta = 0.3 + 0.8 * x if link == "log" else 1.1 + 0.8 * x
    mu = np.exp(eta) if link == "log" else eta**2
    seen = []
    for _ in range(300):
        fit = nf.GLM(rng.poisson(mu), np.column_stack([np.ones(120), x]), family="poisson", link=link).fit()
        table = fit.overdispersion_test()["statistic"]
        seen.append([fit.zero_inflation_test().statistic, table["Dean P_A"], table["Dean P_C"]])
    zero, adjusted, plain = np.array(seen).T
    assert stats.kstest(zero, "chi2", args=(1,)).pvalue > 1e-3
    assert abs(zero.mean() - 1.0) < 4 * np.sqrt(2 / 300)
    assert abs(adjusted.mean()) < 4 / np.sqrt(300)
    assert abs(adjusted.std() - 1.0) < 0.2
    assert abs(plain.std() - 1.0) < 0.2


def test_zeros_added_are_found():
    rng = np.random.default_rng(1)
    y = rng.poisson(3.0, 200) * (rng.uniform(size=200) > 0.2)
    check = nf.GLM(y, np.ones((200, 1)), family="poisson").fit().zero_inflation_test()
    assert check.p_value < 1e-6
    assert "zeros than a Poisson has" in str(check)


def test_dispersion_of_proportions():
    rng = np.random.default_rng(8)
    n = rng.integers(5, 30, 80)
    p = rng.beta(3.0, 4.0, 80)
    wide = nf.GLM(rng.binomial(n, p) / n, np.ones((80, 1)), family="binomial", trials=n).fit().overdispersion_test()
    tame = nf.GLM(rng.binomial(n, 0.4) / n, np.ones((80, 1)), family="binomial", trials=n).fit().overdispersion_test()
    assert (wide["p_value"] < 1e-6).all()
    assert (tame["p_value"] > 0.01).all()


def test_link_test_is_the_refit():
    table = SHARES.link_test()
    eta = SHARES.predict(which="linear").to_numpy()
    X = np.column_stack([np.ones(len(eta)), eta, eta**2])
    theirs = sm.GLM(CRABS["any"].to_numpy(), X, family=sm.families.Binomial()).fit(tol=1e-14)
    np.testing.assert_allclose(table["estimate"], theirs.params, rtol=1e-6)
    np.testing.assert_allclose(table["p_value"], theirs.pvalues, rtol=1e-5)
    right = nf.GLM(CRABS["sat"].to_numpy(), np.ones((173, 1)) * [1.0], family="poisson").fit()
    assert right.link_test()["estimate"].isna().any()  # a constant's square says nothing


def test_hosmer_lemeshow_of_the_crabs():
    # R's ResourceSelection::hoslem.test(y, fitted, g = 10) prints X-squared = 4.3855, df = 8, p-value = 0.8208.
    check = SHARES.hosmer_lemeshow()
    assert (round(check.statistic, 4), check.df, round(check.p_value, 4)) == (4.3855, 8, 0.8208)
    np.testing.assert_allclose(check.table[["n", "observed", "expected"]].sum(), [173, 111, 111], rtol=1e-8)


def test_calibration_holds_the_groups_of_hosmer_and_lemeshow():
    table, groups = SHARES.calibration(6), SHARES.hosmer_lemeshow(6).table
    np.testing.assert_allclose(table["observed"] * table["n"], groups["observed"])
    low, high = stats.binomtest(int(groups["observed"][0]), int(groups["n"][0])).proportion_ci(method="wilson")
    np.testing.assert_allclose(table.loc[0, ["conf_low", "conf_high"]].astype(float), [low, high], rtol=1e-9)
    trials = nf.GLM.from_formula(
        "I(killed / n) ~ dose", nf.datasets.load("beetles"), family="binomial", trials="n"
    ).fit()
    assert trials.calibration(4)["n"].sum() == pd.DataFrame(nf.datasets.load("beetles"))["n"].sum()


def test_variance_inflation_of_a_linear_model_is_one_over_what_is_left():
    fit = nf.GLM.from_formula("sat ~ width + weight + spine", CRABS).fit()
    table = fit.vif()
    for name in table.index:
        others = " + ".join(sorted(set(table.index) - {name}))
        rest = smf.ols(f"{name} ~ {others}", CRABS).fit().rsquared
        np.testing.assert_allclose(table.loc[name, "gvif"], 1 / (1 - rest), rtol=1e-8)
    np.testing.assert_allclose(table["gvif_root"], np.sqrt(table["gvif"]))


def test_generalized_variance_inflation_does_not_depend_on_the_coding():
    one = nf.GLM.from_formula("sat ~ width + C(color)", CRABS, family="poisson").fit().vif()
    other = nf.GLM.from_formula("sat ~ I(width * 9) + C(color, Sum)", CRABS, family="poisson").fit().vif()
    np.testing.assert_allclose(sorted(one["gvif"]), sorted(other["gvif"]), rtol=1e-7)
    assert one.loc["C(color)", "df"] == 3


def test_identifiability_names_what_is_hardly_seen():
    rng = np.random.default_rng(2)
    x, z, w = rng.normal(size=(3, 60))
    data = pd.DataFrame({"y": rng.poisson(2.0, 60), "x": x, "near": 2 * x + 1e-4 * z, "w": w})
    report = nf.GLM.from_formula("y ~ x + near + w", data, family="poisson").fit().identifiability()
    assert report.identified
    assert report.condition > 1e3
    (direction,) = report.directions.to_numpy().T
    parts = pd.Series(direction, index=report.directions.index)
    np.testing.assert_allclose(parts["x"] / parts["near"], -2.0, rtol=1e-3)
    assert re.search(
        r"Nearly aliased \(condition index [\d.e+]+\): the columns' combination .* x .* near is almost zero",
        str(report),
    )
    assert " w" not in report.sentences[-1].split("is almost")[0]


def test_identifiability_tells_aliases_and_separation():
    twice = nf.GLM.from_formula("sat ~ width + I(2 * width)", CRABS, family="poisson").fit().identifiability()
    assert not twice.identified
    assert "linear combination of width" in str(twice)
    with pytest.warns(nf.SeparationWarning):
        fit = nf.GLM([0, 0, 0, 1, 1, 1], np.c_[np.ones(6), np.arange(6.0)], family="binomial").fit()
    report = fit.identifiability()
    assert not report.identified
    assert "the likelihood rises for ever" in str(report)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: SHARES.zero_inflation_test(), "is for the poisson; this fit's family is binomial"),
        (lambda: SHARES.overdispersion_test(), "single trials can't be overdispersed"),
        (lambda: nf.GLM([1.0, 2.0, 4.0], np.ones((3, 1))).fit().overdispersion_test(), "this fit's family is gaussian"),
        (lambda: COUNTS.hosmer_lemeshow(), "is for the binomial family; this fit's is poisson"),
        (lambda: SHARES.hosmer_lemeshow(1), "groups must be a whole number of at least 2, got 1"),
        (lambda: COUNTS.vif(), "the model needs two besides the constant"),
        (
            lambda: (
                nf.GLM([1, 2, 3], np.ones((3, 1)), family="poisson", var_weights=[1, 2, 1]).fit().overdispersion_test()
            ),
            "not defined with var_weights",
        ),
    ],
    ids=["zeros", "single trials", "gaussian", "groups of counts", "one group", "one term", "var_weights"],
)
def test_refusals(ask, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        ask()


def test_groups_of_probabilities_are_those_of_the_rows_written_out():
    """Frequencies and trials count as so many rows; the law that R's ``hoslem.test`` cuts single rows by."""
    crabs = nf.datasets.load("crabs").assign(any=lambda data: (data["sat"] > 0).astype(float))
    freq = crabs["spine"].to_numpy() + crabs["color"].to_numpy() % 2
    counted = nf.GLM.from_formula("any ~ width + color", crabs, family="binomial", freq_weights=freq).fit()
    trials = nf.GLM.from_formula("any ~ width + color", crabs, family="binomial", trials=freq).fit()
    rows = crabs.loc[np.repeat(crabs.index, freq)].reset_index(drop=True)
    written = nf.GLM.from_formula("any ~ width + color", rows, family="binomial").fit()
    for fit in (counted, trials):
        pd.testing.assert_frame_equal(fit.calibration(), written.calibration(), rtol=1e-8)
        np.testing.assert_allclose(fit.hosmer_lemeshow().statistic, written.hosmer_lemeshow().statistic, rtol=1e-8)


def test_overdispersion_needs_residual_freedom():
    with pytest.raises(ValueError, match="leaves no residual degree of freedom; leave terms out"):
        nf.GLM([3], [[1.0]], family="poisson").fit().overdispersion_test()
