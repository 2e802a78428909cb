"""Regressions for every parameter of a distribution, as users meet them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.families import distributional

FIT = nf.DistributionalRegression.from_formula


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 300
    x, z = rng.normal(size=n), rng.uniform(size=n)
    mean = 1.0 / (1.0 + np.exp(-(0.3 + 0.8 * x)))
    precision = np.exp(2.0 + z)
    return pd.DataFrame(
        {
            "x": x,
            "z": z,
            "g": rng.choice(["a", "b", "c"], n),
            "share": rng.beta(mean * precision, (1.0 - mean) * precision),
            "count": rng.poisson(np.exp(0.4 + 0.3 * x) * rng.gamma(2.0, 0.5, n)).astype(float),
            "number": 1.0 + x + np.exp(0.2 + z) * rng.normal(size=n),
        },
        index=[f"r{i}" for i in range(n)],
    )


@pytest.fixture(scope="module")
def beta(table: pd.DataFrame) -> nf.DistributionalResults:
    return FIT("share ~ x + C(g) | z", table, family="beta").fit()


def test_one_predictor_is_a_glm(table: pd.DataFrame) -> None:
    whole = FIT({"mean": "number ~ x + C(g)"}, table, family="gaussian").fit()
    glm = nf.GLM.from_formula("number ~ x + C(g)", table).fit()
    np.testing.assert_allclose(whole.part("mean"), glm.params, rtol=1e-8)
    assert whole.llf == pytest.approx(glm.llf, rel=1e-12)
    sd = float(np.exp(whole.params["sd:Intercept"]))
    np.testing.assert_allclose(whole.bse.iloc[:4], glm.bse * sd / np.sqrt(glm.scale), rtol=1e-8)


def test_poisson_family_of_the_registry(table: pd.DataFrame) -> None:
    whole = FIT("count ~ x", table, family="poisson", offset="log(1 + z)").fit()
    glm = nf.GLM.from_formula("count ~ x", table, family="poisson", offset="log(1 + z)").fit()
    np.testing.assert_allclose(whole.params, glm.params, rtol=1e-8)
    np.testing.assert_allclose(whole.bse, glm.bse, rtol=1e-8)
    np.testing.assert_allclose(whole.predict(table), glm.predict(table), rtol=1e-8)
    np.testing.assert_allclose(whole.predict(), glm.fittedvalues, rtol=1e-8)


def test_both_spellings_and_arrays_are_one_model(table: pd.DataFrame, beta: nf.DistributionalResults) -> None:
    spelled = FIT({"mean": "share ~ x + C(g)", "precision": "~ z"}, table, family="beta").fit()
    pd.testing.assert_series_equal(spelled.params, beta.params)
    matrix = beta.model.data.designs["mean"].dense()
    ones = np.column_stack([np.ones(len(table)), table["z"]])
    arrays = nf.DistributionalRegression(
        table["share"].to_numpy(), {"mean": matrix, "precision": ones}, family="beta"
    ).fit()
    np.testing.assert_allclose(np.asarray(arrays.params), beta.params, rtol=1e-10)
    assert isinstance(arrays.params, np.ndarray)


def test_a_missing_value_drops_the_row_for_all_parameters(table: pd.DataFrame) -> None:
    holes = table.copy()
    holes.loc["r3", "z"] = np.nan
    holes.loc["r7", "x"] = np.nan
    fit = FIT("share ~ x | z", holes, family="beta").fit()
    assert fit.model.nobs == len(table) - 2
    again = FIT("share ~ x | z", table.drop(index=["r3", "r7"]), family="beta").fit()
    np.testing.assert_allclose(fit.params, again.params, rtol=1e-10)
    assert "2 row(s) with missing values were dropped" in str(fit.summary())
    predicted = fit.predict(holes)
    assert list(predicted.index[predicted.isna()]) == ["r3", "r7"]


def test_frequencies_are_repetitions(table: pd.DataFrame) -> None:
    twice = pd.concat([table, table.iloc[:50]])
    weighted = FIT("count ~ x | z", table.assign(w=1.0 + (np.arange(len(table)) < 50)), "nb2", freq_weights="w").fit()
    repeated = FIT("count ~ x | z", twice, "nb2").fit()
    np.testing.assert_allclose(weighted.params, repeated.params, rtol=1e-8)
    for kind in ("expected", "observed", "HC0"):
        ours, theirs = weighted.cov_params(information=kind), repeated.cov_params(information=kind)
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert weighted.llf == pytest.approx(repeated.llf, rel=1e-12)
    assert weighted.bic == pytest.approx(repeated.bic, rel=1e-12)


def test_order_of_rows_and_units_do_not_matter(table: pd.DataFrame) -> None:
    fit = FIT("number ~ x | z", table, family="student_t", fixed={"df": 5.0}).fit()
    shuffled = FIT("number ~ x | z", table.sample(frac=1.0, random_state=1), "student_t", fixed={"df": 5.0}).fit()
    np.testing.assert_allclose(shuffled.params, fit.params, rtol=1e-7)
    scaled = FIT("I(1000 * number) ~ x | z", table, "student_t", fixed={"df": 5.0}).fit()
    np.testing.assert_allclose(scaled.params.iloc[:2], 1000.0 * fit.params.iloc[:2], rtol=1e-6)
    assert scaled.params["scale:Intercept"] == pytest.approx(fit.params["scale:Intercept"] + np.log(1000.0), rel=1e-7)
    assert scaled.params["scale:z"] == pytest.approx(fit.params["scale:z"], rel=1e-6)
    assert scaled.llf == pytest.approx(fit.llf - len(table) * np.log(1000.0), rel=1e-10)


def test_ties_and_values_held(table: pd.DataFrame) -> None:
    model = FIT("number ~ x | x", table, "gaussian", constraints=["mean:x = 1", "sd:x = 0"])
    fit = model.fit()
    assert list(fit.params.index) == ["mean:Intercept", "sd:Intercept"]
    residual = table["number"] - table["x"]
    assert fit.params["mean:Intercept"] == pytest.approx(residual.mean(), rel=1e-8)
    assert np.exp(fit.params["sd:Intercept"]) == pytest.approx(residual.std(ddof=0), rel=1e-8)
    tied = FIT("share ~ x | x", table, "beta", constraints="mean:x = precision:x").fit()
    matrix = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]])
    by_matrix = FIT("share ~ x | x", table, "beta", constraints=matrix).fit()
    np.testing.assert_allclose(tied.coefficients, by_matrix.coefficients, rtol=1e-8)
    assert tied.part("mean")["x"] == tied.part("precision")["x"]
    turned = FIT("share ~ x | x", table, "beta", constraints="mean:x = -2 * precision:x, mean:Intercept = 2.5e-1").fit()
    assert turned.part("mean")["x"] == pytest.approx(-2.0 * turned.part("precision")["x"], rel=1e-12)
    assert turned.part("mean")["Intercept"] == 0.25
    held = FIT("share ~ x", table, "beta", fixed={"precision": 10.0}).fit()
    assert (held.predict(what="precision") == 10.0).all()
    free = FIT("share ~ x", table, "beta").fit()
    assert free.llf > held.llf
    statistic, p, df = free.lr_test(held)
    assert df == 1.0
    assert statistic == pytest.approx(2.0 * (free.llf - held.llf))
    assert 0.0 < p < 1.0


def test_another_parametrization(table: pd.DataFrame) -> None:
    flat = FIT("share ~ 1", table, "beta").fit()
    other = FIT("share ~ 1", table, "beta", parametrization="a_b").fit()
    assert other.llf == pytest.approx(flat.llf, rel=1e-12)
    assert any("saturated" in note for note in other.model_notes())
    sloped = FIT("share ~ x | x", table, "beta", parametrization="a_b").fit()
    assert list(sloped.family.parameter_names) == ["a", "b"]
    assert any("different model" in note for note in sloped.model_notes())
    assert "different model" in str(sloped.summary())


def test_predictions(table: pd.DataFrame, beta: nf.DistributionalResults) -> None:
    new = table.iloc[:4]
    mean, precision = beta.predict(new), beta.predict(new, what="precision")
    np.testing.assert_allclose(beta.predict(new, what="variance"), mean * (1 - mean) / (1 + precision), rtol=1e-12)
    frame = beta.get_prediction(new).summary_frame()
    assert list(frame.columns) == ["mean", "mean_se", "mean_ci_lower", "mean_ci_upper", "obs_ci_lower", "obs_ci_upper"]
    assert (frame["mean_ci_lower"] < frame["mean"]).all()
    assert (frame["obs_ci_upper"] > frame["mean_ci_upper"]).all()
    quantiles = beta.quantile(new, [0.05, 0.5, 0.95])
    assert list(quantiles.index) == list(new.index)
    wide = beta.prediction_interval(new, alpha=0.1, n=4000)
    # with 300 rows the estimates add little to the spread of one observation
    np.testing.assert_allclose(wide.to_numpy(), quantiles[[0.05, 0.95]].to_numpy(), atol=0.05)
    link = beta.get_prediction(new, what="precision")
    rows = np.column_stack([np.ones(4), new["z"]])
    cov = beta.cov_params().loc["precision:Intercept":, "precision:Intercept":].to_numpy()
    expected = precision.to_numpy() * np.sqrt(np.einsum("ij,jk,ik->i", rows, cov, rows))
    np.testing.assert_allclose(link.se, expected, rtol=1e-6)


def test_quantile_residuals_and_calibration(table: pd.DataFrame, beta: nf.DistributionalResults) -> None:
    residuals = beta.quantile_residuals()
    assert abs(residuals.mean()) < 0.2
    assert 0.85 < residuals.std() < 1.15
    assert beta.pit(8).sum() == pytest.approx(1.0)
    counts = FIT("count ~ x", table, "negative_binomial").fit()
    rootogram = counts.rootogram()
    assert rootogram["observed"].sum() <= len(table)
    assert rootogram["expected"].sum() == pytest.approx(rootogram["observed"].sum(), rel=0.03)
    assert counts.pit().sum() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="rootogram is for counts"):
        beta.rootogram()


def test_figures(table: pd.DataFrame) -> None:
    import matplotlib.pyplot as plt

    fit = FIT("count ~ x", table, "zero_inflated_poisson").fit()
    assert fit.plot_residuals().size == 4
    assert fit.plot_rootogram().get_title(loc="left").startswith("Hanging rootogram")
    assert "integral transform" in fit.plot_pit().get_title(loc="left")
    plt.close("all")


def test_orthogonality(table: pd.DataFrame) -> None:
    gaussian = FIT("number ~ x | z", table, "gaussian").fit().orthogonality()
    assert gaussian.table.loc["mean", "sd"] == pytest.approx(0.0, abs=1e-12)
    skewed = FIT("share ~ 1", table, "gamma", parametrization="shape_rate").fit().orthogonality()
    assert skewed.table.loc["shape", "rate"] > 0.5
    assert "mean_shape" in skewed.orthogonal
    assert "shape_rate" not in skewed.orthogonal


def test_tests_of_terms(beta: nf.DistributionalResults) -> None:
    table = beta.wald_test_terms().table
    assert list(table.index) == ["mean:Intercept", "mean:C(g)", "mean:x", "precision:Intercept", "precision:z"]
    assert int(table.loc["mean:C(g)", "df_constraint"]) == 2
    assert beta.t_test("precision:z = 0").pvalue == pytest.approx(beta.pvalues["precision:z"])


def test_summary_has_a_section_for_each_parameter(beta: nf.DistributionalResults) -> None:
    text = str(beta.summary())
    assert "logit(mean)" in text
    assert "log(precision)" in text
    assert "closed form" in text
    assert "standard errors from the maximum" in text


def test_an_aliased_column(table: pd.DataFrame) -> None:
    fit = FIT("number ~ x + I(2 * x) | z", table, "gaussian").fit()
    clean = FIT("number ~ x | z", table, "gaussian").fit()
    assert np.isnan(fit.params["mean:I(2 * x)"])
    assert fit.llf == pytest.approx(clean.llf, rel=1e-12)
    assert "Aliased: mean:I(2 * x) is a linear combination of mean:x" in str(fit.summary())
    np.testing.assert_allclose(fit.predict(table), clean.predict(table), rtol=1e-8)
    with pytest.raises(ValueError, match="linearly independent"):
        FIT("number ~ x + I(2 * x) | z", table, "gaussian").fit(rank="raise")


@pytest.fixture(scope="module")
def grades(table: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    latent = 0.8 * table["x"] + rng.logistic(size=len(table))
    codes = np.digitize(latent, [-0.7, 0.9])
    ordered = pd.Categorical.from_codes(codes, ["low", "mid", "high"], ordered=True)
    return table.assign(grade=ordered, plain=np.asarray(ordered).astype(str))


def test_cumulative_in_both_directions(grades: pd.DataFrame) -> None:
    up = FIT("grade ~ x", grades, "cumulative").fit()
    down = FIT("grade ~ x", grades, distributional.categorical.Cumulative(direction="<=")).fit()
    assert list(up.params.index) == ["Y>=mid:Intercept", "Y>=high:Intercept", "x"]
    assert down.params["x"] == pytest.approx(-up.params["x"], rel=1e-7)
    assert down.params["Y<=low:Intercept"] == pytest.approx(-up.params["Y>=mid:Intercept"], rel=1e-7)
    assert "logit P(Y>=mid)" in str(up.summary())
    loose = FIT("grade ~ x + z", grades, distributional.categorical.Cumulative(parallel={"x": False})).fit()
    assert list(loose.params.index)[-1] == "z"
    assert "Y>=high:x" in loose.params
    wider = FIT("grade ~ x + z", grades, distributional.categorical.Cumulative(parallel=False)).fit()
    assert wider.llf > loose.llf > FIT("grade ~ x + z", grades, "cumulative").fit().llf


def test_any_baseline(grades: pd.DataFrame) -> None:
    first = FIT("plain ~ x", grades, "multinomial").fit()
    other = FIT("plain ~ x", grades, distributional.categorical.Multinomial(baseline="mid")).fit()
    assert other.llf == pytest.approx(first.llf, rel=1e-12)
    assert other.params["low:x"] == pytest.approx(first.params["low:x"] - first.params["mid:x"], rel=1e-6)
    np.testing.assert_allclose(other.predict(grades), first.predict(grades), rtol=1e-7)
    np.testing.assert_allclose(other.predict(grades).sum(axis=1), 1.0, rtol=1e-12)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"formula": "bad_share ~ x", "family": "beta"}, "2 of 300 observations of bad_share are outside"),
    (
        {"formula": {"mean": "share ~ x", "shape": "~ z"}, "family": "beta"},
        "'shape', which is no parameter of the beta",
    ),
    ({"formula": "share ~ x | z | x", "family": "beta"}, "3 parts, and the beta family has 2 parameters"),
    ({"formula": "g ~ x", "family": "beta"}, "needs numbers, but 'g' has the levels"),
    ({"formula": "plain ~ x", "family": "cumulative"}, "needs ordered classes"),
    ({"formula": "share ~ x", "family": "beta", "constraints": np.eye(2)}, "one row for each of the 3 coefficients"),
    ({"formula": "share ~ x", "family": "beta", "constraints": np.full((3, 2), np.nan)}, "must be of finite numbers"),
    ({"formula": "share ~ x", "family": "beta", "constraints": np.ones((3, 2))}, "of its 2 only 1 are"),
    (
        {"formula": "share ~ x", "family": "beta", "constraints": "mean:x = mean:w"},
        "from 'mean:w' on (unrecognized token in constraint); did you mean 'mean:x'",
    ),
    ({"formula": "share ~ x", "family": "beta", "constraints": "mean:x == 1"}, "from '= 1' on"),
    (
        {"formula": "share ~ x", "family": "beta", "constraints": ["mean:x = 1", "mean:x = 2"]},
        "contradict each other",
    ),
    ({"formula": "share ~ x", "family": "beta", "fixed": {"precision": -1.0}}, "must be held at a number in"),
    ({"formula": "share ~ x | z", "family": "beta", "fixed": {"precision": 1.0}}, "held at 1 and has a formula"),
    ({"formula": "share ~ x", "family": "beta", "links": {"sd": "log"}}, "no parameter of the beta family"),
    ({"formula": "share ~ x", "family": "betta"}, "betta"),
    ({"formula": {"mean": "~ x"}, "family": "beta"}, "must name one response"),
    ({"formula": "share ~ x", "family": "multinomial"}, "300 distinct numbers"),
    ({"formula": "share ~ x", "family": "beta_binomial"}, "needs two columns"),
    ({"formula": "zeros ~ x", "family": "nb2"}, "one count above zero"),
    ({"formula": "grade ~ x - 1", "family": "cumulative"}, "needs a constant for each class"),
]


@pytest.mark.parametrize(("given", "message"), BAD, ids=[f"{j:02d}" for j in range(len(BAD))])
def test_bad_input_is_refused_in_one_sentence(grades: pd.DataFrame, given: dict[str, Any], message: str) -> None:
    bad = grades.assign(bad_share=grades["share"].mask(np.arange(len(grades)) < 2, 1.0), zeros=0.0)
    asked = dict(given)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        FIT(asked.pop("formula"), bad, **asked).fit()
    assert "\n" not in str(caught.value)


def test_a_class_without_rows(grades: pd.DataFrame) -> None:
    empty = grades.assign(grade=grades["grade"].cat.add_categories(["top"]))
    with pytest.raises(ValueError, match="class top of 'grade' has no rows"):
        FIT("grade ~ x", empty, "cumulative")


@pytest.mark.parametrize(
    ("family", "simpler"), [("zero_inflated_poisson", "poisson"), ("nb2", "poisson"), ("student_t", "gaussian")]
)
def test_parameters_at_a_limit_are_named(family: str, simpler: str) -> None:
    rng = np.random.default_rng(1)
    y = rng.binomial(8, 0.5, 400).astype(float) if family != "student_t" else rng.uniform(size=400)
    with pytest.warns(nf.ConvergenceWarning, match=f"fit family='{simpler}' instead"):
        fit = nf.DistributionalRegression(y, np.ones((400, 1)), family).fit()
    assert not fit.converged
    assert f"family='{simpler}'" in str(fit.summary())


def test_the_command_line(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from natfit.cli import main

    args = ["fit", "yield ~ C(batch) + temp | temp", "--data", "gasoline", "--family", "beta"]
    assert main([*args, "--output", str(tmp_path / "t.csv")]) == 0
    assert "log(precision)" in capsys.readouterr().out
    fit = FIT("yield ~ C(batch) + temp | temp", nf.datasets.load("gasoline"), "beta").fit()
    written = pd.read_csv(tmp_path / "t.csv", index_col=0)
    np.testing.assert_allclose(written.iloc[:, 0], fit.params, rtol=1e-9)
    assert main([*args, "--trials", "temp"]) == 2
    assert "--trials is for generalized linear models" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("share ~ x + C(g) | log(z)", "beta"),
        ("count ~ x | z", "zip"),
        ("grade ~ x", "cumulative"),
        ("plain ~ x", distributional.categorical.Multinomial(baseline="mid")),
        ("share ~ x | z", nf.families.distributional.get("beta", "a_b")),
    ],
    ids=["beta", "zip", "cumulative", "multinomial", "a_b"],
)
def test_saved_and_loaded(grades: pd.DataFrame, tmp_path: Any, formula: str, family: Any) -> None:
    fit = FIT(formula, grades, family).fit()
    fit.save(tmp_path / "fit.natfit")
    again = nf.load(tmp_path / "fit.natfit")
    pd.testing.assert_series_equal(again.params, fit.params)
    pd.testing.assert_series_equal(again.bse, fit.bse)
    new = grades.iloc[:7]
    np.testing.assert_array_equal(again.predict(new), fit.predict(new))
    assert again.llf == fit.llf
    ours, theirs = str(again.summary()).splitlines(), str(fit.summary()).splitlines()
    assert [line for line in ours if "Time:" not in line] == [line for line in theirs if "Time:" not in line]
    with pytest.raises(ValueError, match="a saved fit holds no rows"):
        again.predict()


def test_refit(table: pd.DataFrame, beta: nf.DistributionalResults) -> None:
    other = np.clip(beta.simulate(random_state=1).iloc[:, 0].to_numpy(), 1e-9, 1 - 1e-9)
    again = beta.model.refit(beta, y=other)
    fresh = FIT("share ~ x + C(g) | z", table.assign(share=other), family="beta").fit()
    np.testing.assert_allclose(again.params, fresh.params, rtol=1e-6, atol=1e-7)


def test_a_file_is_a_table(table: pd.DataFrame, beta: nf.DistributionalResults, tmp_path: Any) -> None:
    table.reset_index(drop=True).to_parquet(tmp_path / "t.parquet", row_group_size=70)
    fit = FIT("share ~ x + C(g) | z", nf.data.from_parquet(tmp_path / "t.parquet"), family="beta").fit()
    np.testing.assert_allclose(fit.params, beta.params, rtol=1e-10)


def test_sandwiches_are_those_of_the_glm(table: pd.DataFrame) -> None:
    whole = FIT("count ~ x", table, family="poisson")
    glm = nf.GLM.from_formula("count ~ x", table, family="poisson")
    for kind, settings in (("HC0", None), ("HC1", None), ("cluster", {"groups": table["g"]}), ("HAC", {"maxlags": 2})):
        ours, theirs = whole.fit(cov_type=kind, cov_kwds=settings), glm.fit(cov_type=kind, cov_kwds=settings)
        np.testing.assert_allclose(ours.cov_params(), theirs.cov_params(), rtol=1e-6, err_msg=kind)
    with pytest.raises(ValueError, match=r"HC3.* needs leverages"):
        whole.fit(cov_type="HC3")


ORDER = ("low", "mid", "high")


def test_the_order_of_classes_that_is_asked_for(grades: pd.DataFrame) -> None:
    ordered = FIT("grade ~ x", grades, "cumulative").fit()
    asked = FIT("plain ~ x", grades, distributional.categorical.Cumulative(classes=ORDER)).fit()
    pd.testing.assert_series_equal(asked.params, ordered.params)
    numbered = grades.assign(number=grades["grade"].cat.codes)
    turned = FIT("number ~ x", numbered, distributional.categorical.Cumulative(classes=(2, 1, 0))).fit()
    assert turned.params["x"] == pytest.approx(-ordered.params["x"], rel=1e-7)
    assert list(turned.params.index)[:2] == ["Y>=1:Intercept", "Y>=0:Intercept"]
    for response, classes in (("plain", ("low", "mid", "hi")), ("number", (1, 2))):
        with pytest.raises(ValueError, match="which is none of classes="):
            FIT(f"{response} ~ x", numbered, distributional.categorical.Cumulative(classes=classes))
    with pytest.raises(ValueError, match=r"class top of 'plain' has no rows"):
        FIT("plain ~ x", grades, distributional.categorical.Cumulative(classes=(*ORDER, "top")))
    counts = pd.get_dummies(grades["plain"], dtype=float).assign(x=grades["x"])
    with pytest.raises(ValueError, match="not the response's columns of counts"):
        FIT("high + low + mid ~ x", counts, distributional.categorical.Cumulative(classes=ORDER))


def test_zeros_and_ones_are_counted_and_a_family_that_allows_them_is_named(table: pd.DataFrame) -> None:
    place = np.arange(len(table))
    ends = table.assign(share=table["share"].mask(place < 2, 0.0).mask(place > 296, 1.0), number=place // 3)
    with pytest.raises(ValueError, match=r"they are 2 zero\(s\) and 3 one\(s\), which family='beta_binomial' allows"):
        FIT("share ~ x", ends, "beta")
    for family in ("gamma", "weibull", "lognormal", "inverse_gaussian"):
        with pytest.raises(ValueError, match=r"3 of 300 .* all of them are zeros, which family='tweedie' allows"):
            FIT("number ~ x", ends, family)


def test_a_parameter_at_the_limit_of_a_simpler_family_in_some_rows_is_named():
    rng = np.random.default_rng(11)
    X = np.column_stack([np.ones(400), rng.normal(size=400)])
    y = rng.standard_t(np.exp(X @ [6.0, 4.0]))
    model = nf.DistributionalRegression(y, {"location": X, "scale": X, "df": X}, "student_t")
    with pytest.warns(nf.ConvergenceWarning, match=r"df .* limit that leaves the gaussian in 77 row"):
        fit = model.fit(start_params=[0.0, 0.0, 0.0, 0.0, 6.0, 4.0], maxiter=0)
    assert not fit.converged
