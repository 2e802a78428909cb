"""Fits compared, updated, and their terms dropped and added: what the tables say is what separate fits say."""

import numpy as np
import pandas as pd
import pytest

import natfit as nf

CRABS = nf.datasets.load("crabs")
NB = nf.families.NegativeBinomial(alpha="ml")


def fit(formula, data=CRABS, family="poisson", **options):
    return nf.GLM.from_formula(formula, data, family=family, **options).fit()


# -- tables are what separate fits say ----------------------------------------------------------------------------------


@pytest.mark.parametrize("test", ["LRT", "score", "Wald", "F"])
def test_type_two_leaves_out_the_terms_that_contain_a_term(test):
    table = nf.anova(fit("sat ~ width * C(color) + weight"), typ=2, test=test)
    without, beside = fit("sat ~ C(color) + weight"), fit("sat ~ width + C(color) + weight")
    direct = nf.anova(without, beside, test=test).iloc[1]
    statistic = {"LRT": "Deviance", "score": "Rao", "Wald": "Wald", "F": "F"}[test]
    ours = table.loc["width", "F" if test == "F" else table.columns[0]]
    # Wald's differs: one is taken at the whole model's estimate, and R's rule for it, the other at the smaller one's.
    np.testing.assert_allclose(ours, direct[statistic], rtol=0.3 if test == "Wald" else 1e-8)
    assert table.loc["width", "Df"] == 1


def test_wald_of_type_two_is_orthogonal_to_the_relatives():
    """car's conjugate complement: the contrast of a term that is uncorrelated with those that contain it."""
    whole = fit("sat ~ width * C(spine)")
    names = list(whole.params.index)
    own = [names.index("width")]
    relatives = [j for j, name in enumerate(names) if "width" in name and j not in own]
    V, b = np.asarray(whole.cov_params()), np.asarray(whole.params)
    both = own + relatives
    root = np.linalg.cholesky(np.linalg.inv(V[np.ix_(both, both)])).T  # coordinates in which V is the identity
    directions = np.linalg.qr(np.linalg.inv(root).T[:, 1:])[0]
    rotated = root @ b[both]
    left = rotated - directions @ (directions.T @ rotated)
    table = nf.anova(whole, typ=2, test="Wald")
    np.testing.assert_allclose(table.loc["width", "Wald Chisq"], left @ left, rtol=1e-8)


def test_sequential_rows_are_nested_fits():
    formulas = ["sat ~ 1", "sat ~ width", "sat ~ width + C(color)", "sat ~ width * C(color)"]
    fits = [fit(formula) for formula in formulas]
    table = nf.anova(fits[-1])
    direct = nf.anova(*fits)
    np.testing.assert_allclose(table["Resid. Dev"], direct["Resid. Dev"], rtol=1e-9)
    np.testing.assert_allclose(table["Pr(>Chi)"], direct["Pr(>Chi)"], rtol=1e-7)
    assert list(table.index) == ["NULL", "width", "C(color)", "width:C(color)"]


def test_no_constant_starts_from_no_model():
    data = nf.datasets.load("clotting")
    table = nf.anova(fit("lot1 ~ 0 + log(u)", data, "gaussian"))
    assert table.loc["NULL", "Resid. Dev"] == pytest.approx((data["lot1"] ** 2).sum())
    assert table.loc["NULL", "Resid. Df"] == len(data)


def test_f_takes_the_larger_models_dispersion():
    data = nf.datasets.load("clotting")
    one, two = (fit(formula, data, "gamma") for formula in ("lot1 ~ log(u)", "lot1 ~ log(u) + I(log(u)**2)"))
    table = nf.anova(one, two)
    assert list(table.columns) == ["Resid. Df", "Resid. Dev", "Df", "Deviance", "F", "Pr(>F)"]
    assert table["F"].iloc[1] == pytest.approx((one.deviance - two.deviance) / two.scale)


def test_tables_do_not_depend_on_units_or_the_order_of_rows():
    changed = CRABS.assign(width=CRABS["width"] * 1e4).sample(frac=1.0, random_state=3)
    for table in (lambda f: nf.anova(f), lambda f: nf.anova(f, typ=2, test="score"), lambda f: f.drop1(test="Wald")):
        one, two = table(fit("sat ~ width + C(color)")), table(fit("sat ~ width + C(color)", changed))
        np.testing.assert_allclose(one, two, rtol=1e-7)


def test_estimated_alphas_compare_by_their_likelihoods():
    small, large = fit("sat ~ width", family=NB), fit("sat ~ width + C(color)", family=NB)
    table = nf.anova(small, large)
    assert table["LRT"].iloc[1] == pytest.approx(2.0 * (large.llf - small.llf))
    assert table["alpha"].tolist() == [small.family.alpha, large.family.alpha]
    again = large.drop1(["C(color)"], shape="estimated")
    assert again.loc["C(color)", "LRT"] == pytest.approx(table["LRT"].iloc[1], rel=1e-8)
    held = large.drop1(["C(color)"]).loc["C(color)", "LRT"]
    direct = fit("sat ~ width", family=nf.families.NegativeBinomial(alpha=large.family.alpha))
    assert held == pytest.approx(direct.deviance - large.deviance, rel=1e-8)


def test_an_offset_may_be_a_special_case():
    """The claim that the coefficient of log(Holders) is 1, tested three ways."""
    data = nf.datasets.load("insurance")
    small = fit("Claims ~ C(District)", data, offset="log(Holders)")
    large = fit("Claims ~ C(District) + log(Holders)", data)
    place = large.model.exog_names.index("log(Holders)")
    wald = ((large.params.iloc[place] - 1.0) / large.bse.iloc[place]) ** 2
    assert nf.anova(small, large, test="Wald")["Wald"].iloc[1] == pytest.approx(wald, rel=1e-7)
    assert nf.anova(small, large)["Deviance"].iloc[1] == pytest.approx(small.deviance - large.deviance)


def test_constraints_compare_with_the_fit_without_them():
    model = nf.GLM.from_formula("sat ~ width + weight", CRABS, family="poisson")
    full, tied = model.fit(), model.fit_constrained("width = 0.1")
    table = nf.anova(tied, full)
    assert table["Df"].iloc[1] == 1
    assert table["Deviance"].iloc[1] == pytest.approx(tied.deviance - full.deviance, rel=1e-9)
    wald = ((full.params["width"] - 0.1) / full.bse["width"]) ** 2
    assert nf.anova(tied, full, test="Wald")["Wald"].iloc[1] == pytest.approx(wald, rel=1e-7)


# -- what can't be compared is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda: fit("sat ~ width + weight", CRABS[5:]), "same rows, but they have 173 and 168"),
        (lambda: fit("sat ~ width + weight", CRABS.set_axis(CRABS.index + 1)), "row labels differ"),
        (lambda: fit("I(sat + 1) ~ width + weight"), "same response, but theirs differ in 173 rows"),
        (lambda: fit("sat ~ width + weight", freq_weights=np.full(173, 2)), "same freq_weights"),
        (lambda: fit("sat ~ width + weight", family="gaussian"), "share a family"),
        (lambda: fit("sat ~ width + weight", link="sqrt"), "share a link, but these have log and sqrt"),
        (lambda: fit("sat ~ weight"), "must be nested"),
        (lambda: fit("sat ~ width + C(color)", offset="weight"), "same offset"),
    ],
)
def test_fits_that_do_not_compare_are_refused(other, said):
    with pytest.raises(ValueError, match=said):
        nf.anova(fit("sat ~ width"), other())


def test_constants_of_a_family_must_agree():
    one, two = (fit("sat ~ width", family=nf.families.NegativeBinomial(alpha=alpha)) for alpha in (0.5, 0.6))
    with pytest.raises(ValueError, match="family's constants"):
        nf.anova(one, two)


def test_other_refusals():
    whole = fit("sat ~ width + C(color)")
    with pytest.raises(ValueError, match="test must be"):
        nf.anova(whole, test="chi")
    with pytest.raises(ValueError, match="typ must be"):
        nf.anova(whole, typ=4)
    with pytest.raises(TypeError, match="takes fits of GLMs"):
        nf.anova(nf.fit_distribution("poisson", [1, 2, 3]))
    with pytest.raises(ValueError, match="can't drop 'C\\(colour\\)'; did you mean 'C\\(color\\)'"):
        whole.drop1(["C(colour)"])
    with pytest.raises(ValueError, match="coded otherwise"):
        fit("sat ~ 0 + C(color) + C(spine)").drop1()
    reduced = nf.GLM.from_formula("sat ~ width", CRABS, family="poisson").fit(bias_reduction="firth")
    with pytest.raises(ValueError, match="maximum-likelihood estimates"):
        reduced.drop1()
    assert reduced.drop1(test="Wald").loc["width", "Wald"] == pytest.approx(reduced.tvalues["width"] ** 2)


# -- update ------------------------------------------------------------------------------------------------------------


def test_update_edits_the_formula():
    whole = fit("sat ~ width + C(color)")
    changed = whole.update("np.sqrt(.) ~ . - C(color) + log(weight)", family="gaussian")
    direct = fit("np.sqrt(sat) ~ width + log(weight)", family="gaussian")
    np.testing.assert_allclose(changed.params, direct.params, rtol=1e-12)
    assert changed.model.formula == "np.sqrt(sat) ~ width + log(weight)"
    assert whole.update(link="sqrt").model.link.name == "sqrt"


def test_update_keeps_the_settings_and_finds_functions():
    def doubled(x):
        return 2.0 * x

    whole = nf.GLM.from_formula("sat ~ doubled(width)", CRABS, family="poisson", dispersion="pearson").fit(
        cov_type="HC0", use_t=True
    )
    again = whole.update("~ . + doubled(weight)")
    assert (again.cov_type, again.use_t, again.dispersion) == ("HC0", True, "pearson")
    np.testing.assert_allclose(again.params.iloc[1:], whole.update("~ width + weight").params.iloc[1:] / 2.0)


def test_update_looks_for_missing_rows_anew_and_sees_the_table_as_it_was():
    data = CRABS.copy()
    data["holes"] = data["weight"].where(data.index > 2)
    whole = fit("sat ~ width", data)
    data["width"] = 0.0
    assert whole.update("~ . + holes").model.data.n_missing == 3
    np.testing.assert_allclose(whole.update("~ .").params, whole.params)


def test_update_needs_a_formula():
    X = np.column_stack([np.ones(len(CRABS)), CRABS["width"]])
    with pytest.raises(ValueError, match="made from a formula"):
        nf.GLM(CRABS["sat"], X, family="poisson").fit().update("~ . + z")
    with pytest.raises(TypeError, match="unexpected argument 'famly'"):
        fit("sat ~ width").update(famly="gaussian")


# -- add1 and step -----------------------------------------------------------------------------------------------------


def test_added_terms_are_separate_fits():
    base = fit("sat ~ width")
    table = base.add1("~ . * C(spine) + weight")
    assert list(table.index) == ["<none>", "C(spine)", "weight"]  # width:C(spine) waits for C(spine)
    for name in ("C(spine)", "weight"):
        direct = fit(f"sat ~ width + {name}")
        np.testing.assert_allclose(table.loc[name, ["Deviance", "AIC"]], [direct.deviance, direct.aic], rtol=1e-9)


def test_rows_without_the_further_terms_are_left_out_of_all_models():
    data = CRABS.assign(holes=CRABS["weight"].where(CRABS.index > 2))
    with pytest.warns(UserWarning, match="3 row\\(s\\) lack a value"):
        table = fit("sat ~ width", data).add1(["holes"])
    assert table.loc["<none>", "Deviance"] == pytest.approx(fit("sat ~ width", data[3:]).deviance)


@pytest.mark.parametrize("criterion", ["aic", "bic"])
def test_steps_end_where_no_neighbour_is_better(criterion):
    start = fit("sat ~ weight * C(spine) + width")
    end = nf.step(start, "~ . + C(color)", criterion=criterion)
    record = end.selection[criterion.upper()]
    assert record.iloc[0] == pytest.approx(getattr(start, criterion))
    assert record.iloc[-1] == pytest.approx(getattr(end, criterion))
    assert record.is_monotonic_decreasing
    for change in ("- weight", "- C(color)", "+ width", "+ C(spine)", "+ C(color)"):
        assert getattr(end.update(f"~ . {change}"), criterion) >= getattr(end, criterion) - 1e-9


def test_steps_respect_the_lower_scope_and_direction():
    start = fit("sat ~ width + weight + C(spine)")
    kept = nf.step(start, {"lower": "~ C(spine)"}, direction="backward")
    assert "C(spine)" in kept.model.formula
    assert nf.step(fit("sat ~ 1"), "~ width + weight", "forward").model.formula == "sat ~ weight"
    X = np.column_stack([np.ones(len(CRABS)), CRABS["width"], CRABS["weight"]])
    chosen = nf.step(nf.GLM(CRABS["sat"], X, family="poisson").fit())
    assert list(chosen.model.exog_names) == ["const", "x2"]


def test_steps_rest_on_the_rows_of_the_whole_scope():
    data = CRABS.assign(holes=CRABS["weight"].where(CRABS.index > 2))
    end = nf.step(fit("sat ~ weight", data), "~ . + holes")
    assert end.model.formula == "sat ~ weight"
    assert end.model.data.n_rows == len(data) - 3


def test_a_gamma_is_chosen_at_the_current_dispersion():
    data = nf.datasets.load("clotting")
    start = fit("lot1 ~ log(u) + I(log(u)**2)", data, "gamma")
    table = start.drop1()
    expected = -2.0 * fit("lot1 ~ log(u)", data, "gamma").loglik(start.scale) + 4.0
    assert table.loc["I(log(u) ** 2)", "AIC"] == pytest.approx(expected, rel=1e-9)
    assert nf.step(start).model.formula == start.model.formula
    quasi = nf.step(fit("sat ~ width + C(color) + C(spine)", dispersion="pearson"))
    assert quasi.selection["AIC"].is_monotonic_decreasing
    assert len(quasi.selection) == 3


def test_polars_and_mappings_are_tables_too():
    polars = pytest.importorskip("polars")
    whole = fit("sat ~ width", polars.from_pandas(CRABS[["sat", "width", "weight"]]))
    mapping = fit("sat ~ width", {name: CRABS[name].to_numpy() for name in ("sat", "width", "weight")})
    for each in (whole, mapping):
        assert isinstance(each.add1(["weight"]), pd.DataFrame)


@pytest.mark.parametrize("cov", [{"cov_type": "HC3"}, {"cov_type": "cluster", "cov_kwds": {"groups": "spine"}}])
def test_a_robust_fit_is_tested_by_its_own_covariance(cov):
    """By default; likelihood ratios rest on the model that a robust covariance does not trust."""
    crabs = nf.datasets.load("crabs")
    cov = {**cov, **({"cov_kwds": {"groups": crabs["width"].round()}} if "cov_kwds" in cov else {})}
    fit = nf.GLM.from_formula("sat ~ width + C(color)", crabs, family="poisson").fit(**cov)
    small = nf.GLM.from_formula("sat ~ width", crabs, family="poisson").fit(**cov)
    at = [name for name in fit.params.index if "color" in name]
    own = fit.params[at] @ np.linalg.solve(fit.cov_params().loc[at, at], fit.params[at])
    np.testing.assert_allclose(nf.anova(fit, typ=2).loc["C(color)", "Wald Chisq"], own, rtol=1e-9)
    for table in (fit.drop1(), nf.anova(fit)):
        np.testing.assert_allclose(table.loc["C(color)", "Wald"], own, rtol=1e-9)
    np.testing.assert_allclose(nf.anova(small, fit)["Wald"].iloc[-1], own, rtol=1e-9)
    np.testing.assert_allclose(fit.drop1(test="LRT").loc["C(color)", "LRT"], 8.533787, rtol=1e-6)
