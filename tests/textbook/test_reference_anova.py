"""Analysis of deviance, dropped terms and the three tests, against the numbers that R printed.

Cases and how they were made are in ``reference/inference.json`` and ``reference/README.md``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import natfit as nf

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "reference" / "inference.json").read_text(encoding="utf-8"))
}
INSURANCE = "Claims ~ C(District) + C(Group) + C(Age)"


def fit(formula, data, **options):
    return nf.GLM.from_formula(formula, nf.datasets.load(data), family="poisson", **options).fit()


def check(table, case):
    """Every number of the case's table, to 8 digits; "NA" is NaN."""
    expected = CASES[case]["table"]
    assert list(table.columns) == list(expected)
    for name, theirs in expected.items():
        theirs = np.array([np.nan if each == "NA" else each for each in theirs], dtype=float)
        np.testing.assert_allclose(table[name].to_numpy(dtype=float), theirs, rtol=5e-9, err_msg=name)


def test_sequential():
    table = nf.anova(fit(INSURANCE, "insurance", offset="log(Holders)"))
    check(table, "anova_insurance_sequential")
    assert list(table.index) == ["NULL", "C(District)", "C(Group)", "C(Age)"]


def test_type_two():
    check(nf.anova(fit(INSURANCE, "insurance", offset="log(Holders)"), typ=2), "anova_insurance_type2")


def test_type_three_with_sum_contrasts():
    table = nf.anova(fit("breaks ~ C(wool, contr.sum) * C(tension, contr.sum)", "warpbreaks"), typ=3)
    check(table, "anova_warpbreaks_type3")


def test_dropped_terms():
    table = fit("Days ~ C(Eth) + C(Sex) + C(Age) + C(Lrn)", "quine").drop1()
    check(table, "drop1_quine_poisson")
    assert list(table.index) == ["<none>", "C(Eth)", "C(Sex)", "C(Age)", "C(Lrn)"]


@pytest.mark.parametrize(("test", "name"), [("LRT", "lr"), ("Wald", "wald")])
def test_two_fits(test, name):
    expected = CASES["lr_wald_crabs"][name]
    table = nf.anova(fit("sat ~ width", "crabs"), fit("sat ~ width + C(color)", "crabs"), test=test)
    statistic = {"LRT": "Deviance", "Wald": "Wald"}[test]
    ours = table[statistic].iloc[1], table["Df"].iloc[1], table["Pr(>Chi)"].iloc[1]
    np.testing.assert_allclose(ours, [expected["stat"], expected["df"], expected["p"]], rtol=5e-9)


def rao_as_r(small, large, iterations):
    """R's formula for Rao's statistic: weighted squares of the working residuals that the larger design explains.

    R takes the residuals at the last iterate of its ``glm`` and the working weights at the one before.
    """
    y, X, Z = large.endog, np.asarray(large.exog), np.asarray(small.exog)
    eta, weights = np.log(y + 0.1), y + 0.1
    for _ in range(iterations):
        weights = np.exp(eta)
        root = np.sqrt(weights)
        working = eta + y / weights - 1.0
        eta = Z @ np.linalg.lstsq(Z * root[:, None], working * root)[0]
    residual = y / np.exp(eta) - 1.0
    found = []
    for w in (weights, np.exp(eta)):
        score = X.T @ (w * residual)
        found.append(score @ np.linalg.solve((X.T * w) @ X, score))
    return found


def test_rao():
    small, large = fit("sat ~ width", "crabs"), fit("sat ~ width + C(color)", "crabs")
    theirs, ours = CASES["lr_wald_crabs"]["rao"], nf.anova(small, large, test="score").iloc[1]
    as_r, at_maximum = rao_as_r(small.model, large.model, 6)
    # R's weights are one iteration old, which shows in the eighth digit of its statistic.
    np.testing.assert_allclose(as_r, theirs["stat"], rtol=1e-12)
    np.testing.assert_allclose(ours["Rao"], at_maximum, rtol=1e-11)
    np.testing.assert_allclose(ours[["Df", "Pr(>Chi)"]], [theirs["df"], theirs["p"]], rtol=1e-7)


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("test", ["score", "Wald"])
def test_the_last_term_is_tested_alike_by_every_table(kind, test):
    whole, part = (fit(formula, "crabs") for formula in ("sat ~ width + C(color)", "sat ~ width"))
    one = nf.anova(whole, typ=kind, test=test).loc["C(color)"]
    two = nf.anova(part, whole, test=test).iloc[1]
    np.testing.assert_allclose(sorted(one.dropna())[:2], sorted(two[["Df", "Pr(>Chi)"]])[:2], rtol=1e-9)
