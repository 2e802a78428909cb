"""Mixtures of regressions as users call them: formulas, tables, predictions, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf

TONE = nf.datasets.load("tonedata")


def model(formula: str = "tuned ~ stretchratio", data: Any = TONE, **options: Any) -> nf.MixtureRegression:
    return nf.MixtureRegression.from_formula(formula, data, **options)


@pytest.fixture(scope="module")
def fit() -> nf.MixtureRegressionResults:
    return model(family="gaussian", n_components=2).fit(random_state=0)


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 400
    frame = pd.DataFrame({"x": rng.normal(size=n), "age": rng.uniform(20, 70, size=n)})
    label = (rng.random(n) < 1.0 / (1.0 + np.exp(4.0 - 0.08 * frame["age"]))).astype(int)
    frame["y"] = rng.poisson(np.exp(np.where(label, 0.5 - 0.8 * frame["x"], 2.5 + 0.3 * frame["x"])))
    return frame


def test_the_table_shows_each_component(fit: nf.MixtureRegressionResults) -> None:
    text = fit.summary().as_text()
    for words in ("Component 0", "Component 1", "stretchratio", "sigma", "P>|z|", "20 of 20", "observed information"):
        assert words in text
    assert "84.483" in text  # z of the intercept
    assert "concomitant" not in text
    assert fit.summary().as_html()


def test_weights_that_depend_on_covariates(counts: pd.DataFrame) -> None:
    fit = model("y ~ x", counts, family="poisson", n_components=2, concomitant="~ age").fit(random_state=0)
    assert list(fit.params.index[:2]) == ["concomitant:Intercept[1]", "concomitant:age[1]"]
    assert "Weight of component 1" in fit.summary().as_text()
    prior = fit.predict(which="weights")
    assert prior.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert prior.mean().to_numpy() == pytest.approx(fit.weights.to_numpy())
    # At the maximum the weights' own score is 0: labels are expected as often as they are found.
    assert fit.predict_proba().sum().to_numpy() == pytest.approx(prior.sum().to_numpy(), rel=1e-7)
    means = fit.predict(which="components")
    assert fit.predict().to_numpy() == pytest.approx((prior * means).sum(axis=1).to_numpy())
    new = counts.iloc[[5, 17, 3]]
    for which in ("mean", "components", "weights"):
        pd.testing.assert_index_equal(fit.predict(new, which).index, new.index)
        assert np.asarray(fit.predict(new, which)) == pytest.approx(np.asarray(fit.predict(which=which).loc[new.index]))
    assert fit.predict_proba(new).to_numpy() == pytest.approx(fit.predict_proba().loc[new.index].to_numpy())
    assert fit.score_samples().sum() == pytest.approx(fit.llf)


def test_arrays_and_formulas_agree(fit: nf.MixtureRegressionResults, counts: pd.DataFrame) -> None:
    X = np.column_stack([np.ones(len(TONE)), TONE["stretchratio"]])
    plain = nf.MixtureRegression(TONE["tuned"].to_numpy(), X).fit(random_state=3)
    assert plain.params.to_numpy() == pytest.approx(fit.params.to_numpy(), rel=1e-8)
    assert plain.predict([[1.0, 2.0]])[0] == pytest.approx(fit.predict({"stretchratio": [2.0]})[0])
    found = plain.predict_proba([[1.0, 2.0]], [2.02]).to_numpy()
    assert found == pytest.approx(fit.predict_proba({"stretchratio": [2.0], "tuned": [2.02]}).to_numpy(), rel=1e-6)
    Z = np.column_stack([np.ones(len(counts)), counts["age"]])
    X = np.column_stack([np.ones(len(counts)), counts["x"]])
    one = nf.MixtureRegression(counts["y"].to_numpy(), X, "poisson", concomitant=Z).fit(random_state=0)
    two = model("y ~ x", counts, family="poisson", concomitant="~ age").fit(random_state=0)
    assert one.params.to_numpy() == pytest.approx(two.params.to_numpy(), rel=1e-6)


def test_rows_of_a_group_share_their_component(counts: pd.DataFrame) -> None:
    frame = counts.assign(site=[f"s{i % 80}" for i in range(len(counts))], size=np.arange(len(counts)) % 80)
    fit = model("y ~ x", frame, family="poisson", groups="site", concomitant="~ size").fit(random_state=0)
    assert fit.classify().groupby(frame["site"]).nunique().eq(1).all()
    assert "80 groups" in fit.summary().as_text()
    y, component = fit.sample(random_state=0)
    assert component.groupby(frame["site"]).nunique().eq(1).all()
    assert y.index.equals(frame.index)
    again = fit.predict_proba(frame, groups="site")
    pd.testing.assert_frame_equal(again, fit.predict_proba(), rtol=1e-9)


def test_draws_have_the_means_of_the_fit(counts: pd.DataFrame) -> None:
    fit = model("y ~ x", counts, family="poisson").fit(random_state=0)
    table = pd.DataFrame({"x": np.repeat([-1.0, 0.5], 20_000)})
    y, component = fit.sample(table, random_state=1)
    found = y.groupby(table["x"]).agg(["mean", "std"])
    expected = fit.predict(pd.DataFrame({"x": [-1.0, 0.5]})).to_numpy()
    assert np.abs((found["mean"] - expected) / found["std"]).max() < 5.0 / np.sqrt(20_000)
    assert component.mean() == pytest.approx(fit.weights[1], abs=0.02)


def test_shared_coefficients_are_one() -> None:
    fit = model(shared=["stretchratio"], dispersion="shared").fit(random_state=0)
    assert fit.df == 5  # a weight, two intercepts, a slope, a dispersion
    assert fit.params["stretchratio[0]"] == fit.params["stretchratio[1]"]
    assert fit.bse["sigma[0]"] == fit.bse["sigma[1]"]
    assert "The same in all components: stretchratio." in fit.summary().as_text()
    assert fit.llf < model(dispersion="shared").fit(random_state=0).llf


def test_missing_rows_are_left_out_of_mean_and_weights_alike(counts: pd.DataFrame) -> None:
    frame = counts.copy()
    frame.loc[3, "x"], frame.loc[8, "age"], frame["f"] = np.nan, np.nan, 1.0
    options: dict[str, Any] = {"family": "poisson", "concomitant": "~ age", "freq_weights": frame["f"].to_numpy()}
    fit = model("y ~ x", frame, **options).fit(random_state=0)
    assert fit.nobs == 398
    assert "2 rows with missing values" in fit.summary().as_text()
    options["freq_weights"] = None
    left = model("y ~ x", frame.dropna(), **options).fit(random_state=0)
    assert left.llf == pytest.approx(fit.llf, rel=1e-12)


def test_sizes_are_compared() -> None:
    found = nf.MixtureRegression.select("tuned ~ stretchratio", TONE, [1, 2], dispersion="shared", random_state=0)
    table = found.table()
    assert list(table["n_components"]) == [1, 2]
    assert found.best("bic").n_components == 2
    assert table["bic"][1] == pytest.approx(-184.449583514202, rel=1e-9)


def test_covariances_of_three_kinds(fit: nf.MixtureRegressionResults) -> None:
    bread = np.linalg.inv(fit.information("observed").matrix_form())
    meat = fit.information("empirical").matrix_form()
    own = [list(fit.likelihood.layout.names).index(name) for name in ("Intercept[0]", "stretchratio[1]")]
    for kind, cov in (("robust", bread @ meat @ bread), ("empirical", np.linalg.inv(meat)), ("observed", bread)):
        found = fit.with_covariance(kind).bse[["Intercept[0]", "stretchratio[1]"]].to_numpy()
        assert found == pytest.approx(np.sqrt(cov.diagonal()[own]), rel=1e-8)
    assert fit.cov_params().to_numpy().diagonal() == pytest.approx(fit.bse.to_numpy() ** 2)
    limits = fit.conf_int()
    assert (limits[1] - limits[0]).to_numpy() == pytest.approx(2 * 1.959963984540054 * fit.bse.to_numpy())


@pytest.mark.parametrize("kind", ["nonparametric", "parametric"])
def test_bootstraps_agree_with_the_information(kind: str, counts: pd.DataFrame) -> None:
    frame = counts.assign(site=np.arange(len(counts)) // 4, f=1.0 + np.arange(len(counts)) % 2)
    options: dict[str, Any] = {"freq_weights": "f"} if kind == "parametric" else {"groups": "site"}
    fit = model("y ~ x", frame, family="poisson", **options).fit(random_state=0)
    found = fit.bootstrap(40, kind, random_state=0)
    assert found.n_failed == 0
    assert (np.abs(found.estimates.mean() - fit.params) < found.bse).all()  # labels are matched
    ratio = found.bse / fit.with_covariance("robust" if kind == "nonparametric" else "observed").bse
    assert ((ratio > 0.6) & (ratio < 1.6)).all()
    with pytest.raises(ValueError, match="kind must be"):
        fit.bootstrap(2, "wild")


def test_one_component_more_is_tested_by_the_bootstrap(counts: pd.DataFrame) -> None:
    frame = counts.iloc[::2].assign(site=np.arange(200) % 50)
    one = model("y ~ x", frame, family="poisson", n_components=1, groups="site").fit()
    found = one.test_components(19, 3, random_state=0)
    assert found.pvalue == pytest.approx(0.05)
    assert found.larger.n_components == 2
    assert found.statistic == pytest.approx(2.0 * (found.larger.llf - one.llf))
    two = model("y ~ x", frame, family="poisson").fit(random_state=0)
    assert two.test_components(4, 3, random_state=0).pvalue > 0.2
    unlike = model("y ~ x", frame, family=["poisson", "negative_binomial(0.5)"]).fit(n_init=3, random_state=0)
    with pytest.raises(ValueError, match="fit components of one family and link"):
        unlike.test_components(1)


def test_drawn_responses_without_a_maximum_are_left_out_of_the_test() -> None:
    tone = nf.datasets.load("tonedata")
    fit = model("tuned ~ stretchratio", tone).fit(random_state=0)
    found = fit.test_components(3, 2, random_state=1)  # three regressions of one draw all close in on a few rows
    assert 0 < len(found.replicates) < 3


def test_missing_information_is_the_rate_of_em(fit: nf.MixtureRegressionResults) -> None:
    from natfit.models.mixtures.fitting import MixtureObjective
    from natfit.models.mixtures.regression_fitting import generalised_em
    from natfit.optimize.em import Slow

    objective = MixtureObjective(fit.likelihood, fit.source)
    path = [fit.base.params + 0.02]
    for _ in range(40):
        path.append(generalised_em().run(objective, path[-1], Slow(), 1).params)
    away = [np.linalg.norm(each - fit.base.params) for each in path[30:]]
    assert away[-1] / away[-2] == pytest.approx(fit.em_rate, rel=1e-3)
    assert fit.missing_information.between(0.0, 1.0).all()
    assert fit.missing_information.max() <= fit.em_rate + 1e-12


def test_a_saved_fit_is_the_same(counts: pd.DataFrame, tmp_path: Path) -> None:
    frame = counts.assign(site=np.arange(len(counts)) // 4, size=np.arange(len(counts)) // 4 / 50)
    options: dict[str, Any] = {"family": "poisson", "groups": "site", "concomitant": "~ size"}
    fit = model("y ~ np.exp(-x)", frame, **options).fit(random_state=0)
    fit.save(tmp_path / "fit")
    again = nf.load(tmp_path / "fit")
    pd.testing.assert_series_equal(again.params, fit.params)
    for kind in ("observed", "robust"):
        pd.testing.assert_series_equal(again.with_covariance(kind).bse, fit.with_covariance(kind).bse)
    new = frame.iloc[:9]
    for which in ("mean", "components", "weights"):
        pd.testing.assert_frame_equal(
            pd.DataFrame(again.predict(new, which)), pd.DataFrame(fit.predict(new, which)), check_exact=True
        )
    pd.testing.assert_frame_equal(again.predict_proba(new, groups="site"), fit.predict_proba(new, groups="site"))
    assert (again.llf, again.bic, again.icl) == (fit.llf, fit.bic, fit.icl)
    lines = [each.summary().as_text().splitlines() for each in (fit, again)]
    assert [line for line in lines[0] if "Time" not in line] == [line for line in lines[1] if "Time" not in line]
    for ask in (again.predict, again.predict_proba, again.sample, again.model.fit, again.bootstrap):
        with pytest.raises(ValueError, match="a saved fit holds no rows"):
            ask()


def test_tidy_tables_name_component_and_term(fit: nf.MixtureRegressionResults) -> None:
    table = fit.tidy(conf_int=True)
    assert table["term"].tolist() == ["weight"] * 2 + ["Intercept", "stretchratio", "sigma"] * 2
    assert table["component"].tolist() == [0, 1, 0, 0, 0, 1, 1, 1]
    assert table["p_value"].isna().sum() == 4
    raised = fit.tidy(exponentiate=True)
    assert raised["estimate"][3] == pytest.approx(np.exp(fit.params["stretchratio[0]"]))
    assert raised["estimate"][0] == fit.params["weight[0]"]
    assert fit.glance()["bic"][0] == fit.bic


def test_what_the_constraint_leaves_out_is_said() -> None:
    with pytest.warns(nf.LocalMaximumWarning):
        fit = model(n_components=3).fit(random_state=0)
    assert "left out under the constraint" in fit.summary().as_text()
    assert fit.reservations == ["only one start reached this maximum"]


def test_degenerate_fits_say_so() -> None:
    x = np.linspace(0.0, 1.0, 40)
    same = pd.DataFrame({"x": np.tile(x, 5), "y": np.random.default_rng(0).poisson(3, size=200)})
    with pytest.warns(nf.DegeneracyWarning, match="merged|gone to zero"):
        fit = model("y ~ x", same, family="poisson").fit(random_state=0)
    assert "DEGENERATE" in fit.summary().as_text()
    apart = pd.DataFrame({"x": x, "y": (x > 0.5).astype(float)})
    with pytest.warns(nf.DegeneracyWarning, match="separated"):
        model("y ~ x", apart, family="binomial").fit(random_state=0)


def test_the_figure_has_a_line_for_each_component(fit: nf.MixtureRegressionResults) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ax = fit.plot()
    assert len(ax.lines) == 2
    assert sum(len(each.get_offsets()) for each in ax.collections) == len(TONE)
    line = ax.lines[0]
    expected = fit.predict({"stretchratio": line.get_xdata()}, "components")[0]
    assert line.get_ydata() == pytest.approx(expected.to_numpy())
    with pytest.raises(ValueError, match="no column 'z'"):
        fit.plot(covariate="z")
    plt.close("all")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"n_components": 0}, "n_components must be a whole number, 1 or more; got 0"),
    ({"shared": ["strech"]}, "no column or term; there are Intercept, stretchratio; did you mean"),
    ({"dispersion": "equal"}, "dispersion must be 'free', 'shared' or a number greater than 0; got 'equal'"),
    ({"dispersion": -1.0}, "a known dispersion must be greater than 0; got -1"),
    ({"family": ["gaussian"] * 3}, "family names 3 components and n_components is 2"),
    ({"family": "poison"}, "unknown family 'poison'; did you mean 'poisson'"),
    ({"family": "negative_binomial"}, "alpha must be known"),
    ({"concomitant": "tuned ~ stretchratio"}, "the weights have no response"),
    ({"concomitant": "~ stretchratio + I(2 * stretchratio)"}, "must be linearly independent"),
    ({"groups": "nope"}, "no column 'nope'"),
    ({"groups": np.arange(150) // 2, "concomitant": "~ stretchratio"}, "'stretchratio' is not; use a value for each"),
    ({"groups": np.arange(149)}, "149"),
    ({"exposure": "stretchratio"}, "needs the log link"),
    ({"data": TONE.iloc[:6], "fit": {}}, "7 parameters need more distinct rows than that, but there are 6"),
    ({"fit": {"n_init": 0}}, "n_init must be a whole number, 1 or more"),
    ({"fit": {"start_params": [1.0]}}, r"start_params needs 7 numbers \(log_odds\[0\], Intercept\[0\]"),
    ({"constraint": nf.Constraint(min_size=70), "fit": {}}, "none of 20 starts led to a maximum inside the constraint"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=range(len(REFUSED)))
def test_bad_input_is_refused_in_a_sentence(options: dict[str, Any], words: str) -> None:
    options = dict(options)
    fitting = options.pop("fit", None)

    def attempt() -> None:
        made = model(**options)
        if fitting is not None:
            made.fit(**({"random_state": 0} | fitting))

    with pytest.raises(ValueError, match=words):
        attempt()


def test_other_refusals(fit: nf.MixtureRegressionResults) -> None:
    with pytest.raises(TypeError, match="unexpected argument 'weights'; did you mean"):
        model(weights="x")
    with pytest.raises(ValueError, match="which must be 'mean'"):
        fit.predict(which="labels")
    with pytest.raises(ValueError, match="cov_type must be"):
        fit.with_covariance("HC0")
    with pytest.raises(TypeError, match="unexpected argument 'freq'"):
        fit.predict_proba(TONE, freq=1)
    with pytest.raises(ValueError, match="which needs a table"):
        nf.MixtureRegression(TONE["tuned"], np.ones((150, 1)), concomitant="~ age")


def test_select_sees_the_callers_functions() -> None:
    tone = nf.datasets.load("tonedata")

    def halved(values: Any) -> Any:
        return values / 2.0

    sizes = nf.MixtureRegression.select("tuned ~ halved(stretchratio)", tone, [1], random_state=0)
    assert "halved(stretchratio)[0]" in sizes.best("bic").params.index
