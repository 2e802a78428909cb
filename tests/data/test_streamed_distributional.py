"""Regressions for every parameter of a distribution on rows that stream by: the fit that they give in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.data.formulas.response import Levels
from natfit.data.streams.survey import united
from natfit.results.distributional import predicting

ROWS = 3_000

pytestmark = pytest.mark.usefixtures("small_tables")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(6)
    made = pd.DataFrame(
        {
            "x": rng.standard_normal(ROWS),
            "z": rng.random(ROWS),
            "g": rng.choice(["b", "a", "d"], ROWS),
            "years": rng.random(ROWS) + 0.5,
            "f": rng.integers(1, 4, ROWS).astype(float),
        }
    )
    made["size"] = made.x * 0.3 + rng.standard_normal(ROWS) * np.exp(0.2 * made.z)
    made["count"] = rng.negative_binomial(2, 0.4, ROWS) * (rng.random(ROWS) < 0.7)
    made["share"] = rng.beta(2 + made.z, 3, ROWS)
    made["grade"] = pd.Categorical(
        np.array(["low", "mid", "high"])[np.digitize(made.x + rng.logistic(size=ROWS), [-1, 1])],
        categories=["low", "mid", "high"],
        ordered=True,
    )
    made["kind"] = rng.integers(1, 4, ROWS)
    for name in ("red", "green", "blue"):
        made[name] = rng.integers(0, 4, ROWS)
    made["red"] += 1
    made.loc[[3, 2000], "x"] = np.nan
    made.loc[ROWS - 40 :, "g"] = "c"  # a level of the last table only
    return made


@pytest.fixture
def files(frame, tmp_path):
    frame[:1300].to_parquet(tmp_path / "a.parquet")
    frame[1300:].to_parquet(tmp_path / "b.parquet")
    return tmp_path


def root(values):
    return np.sqrt(values)


MODELS = [
    ("size ~ x + g | bs(z, df=4) + root(years)", "gaussian", {"offset": {"sd": "log(years)"}}),
    ("count ~ x + g | z", "zero_inflated_poisson", {"offset": "log(years)", "freq_weights": "f"}),
    ({"mean": "share ~ x", "precision": "~ x"}, "beta", {"constraints": "mean:x = precision:x"}),
    ("share ~ x", "beta", {"fixed": {"precision": 5.0}}),
    ("grade ~ x + z", "cumulative", {}),
    ("kind ~ x", "multinomial", {}),
    ("red + green + blue ~ x", "multinomial", {}),
    ("years ~ g | g", "gamma", {"parametrization": "shape_rate"}),
]


def table(fit):
    """The summary below its head, without how far from the maximum the fit stopped."""
    return [line for line in str(fit.summary()).splitlines()[10:] if not line.startswith("Stopped")]


@pytest.mark.parametrize(("formula", "family", "options"), MODELS, ids=[f"{m[1]}: {m[0]}" for m in MODELS])
def test_parquet_files_give_the_fit_of_the_frame(files, frame, formula, family, options):
    source = nf.data.from_parquet(files)
    streamed = nf.DistributionalRegression.from_formula(formula, source, family, **options).fit()
    whole = nf.DistributionalRegression.from_formula(formula, frame, family, **options).fit()
    assert list(streamed.params.index) == list(whole.params.index)
    np.testing.assert_allclose(streamed.params, whole.params, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(streamed.bse, whole.bse, rtol=1e-8)
    assert streamed.llf == pytest.approx(whole.llf, rel=1e-12)
    assert (streamed.nobs, streamed.df_resid, streamed.bic) == (whole.nobs, whole.df_resid, pytest.approx(whole.bic))
    assert table(streamed) == table(whole)
    kept = frame.x.notna() if "x" in str(formula) else slice(None)
    own, new = whole.predict(what="parameters"), whole.predict(frame, what="parameters")[kept]
    np.testing.assert_allclose(streamed.predict(what="parameters"), own, rtol=1e-8)
    np.testing.assert_allclose(streamed.predict(source, what="parameters"), new, rtol=1e-8)
    np.testing.assert_allclose(whole.predict(source, what="parameters"), new, rtol=1e-12)
    for name, design in streamed.model.data.designs.items():
        ones = np.ones(design.shape[1])
        np.testing.assert_allclose(design.matvec(ones), whole.model.data.designs[name].matvec(ones), rtol=1e-12)


def test_what_is_asked_of_a_streamed_fit_is_what_the_one_in_memory_answers(files, frame):
    formula, source = "count ~ x + g | z", nf.data.from_parquet(files)
    streamed = nf.DistributionalRegression.from_formula(formula, source, "negative_binomial").fit()
    whole = nf.DistributionalRegression.from_formula(formula, frame, "negative_binomial").fit()
    for kind in ("HC0", "HC1", "OIM"):
        bse = [fit.model.fit(cov_type=kind).bse for fit in (streamed, whole)]
        np.testing.assert_allclose(*bse, rtol=1e-7)
    groups = np.arange(ROWS - 2) // 50
    other = streamed.model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    clustered = whole.model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    np.testing.assert_allclose(other.bse, clustered.bse, rtol=1e-7)
    rows = frame.dropna()
    np.testing.assert_allclose(streamed.quantile(source, [0.1, 0.9]), whole.quantile(rows, [0.1, 0.9]))
    np.testing.assert_allclose(streamed.get_prediction(source).se, whole.get_prediction(rows).se, rtol=1e-6)
    limits = ["mean_ci_lower", "mean_ci_upper"]
    got, wanted = streamed.get_prediction().summary_frame(), whole.get_prediction().summary_frame()
    np.testing.assert_allclose(got[limits], wanted[limits], rtol=1e-7)
    np.testing.assert_allclose(streamed.quantile_residuals(0), whole.quantile_residuals(0), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(streamed.rootogram(), whole.rootogram(), rtol=1e-8)
    np.testing.assert_allclose(streamed.pit(), whole.pit(), rtol=1e-8)
    np.testing.assert_array_equal(streamed.simulate(n=2, random_state=3), whole.simulate(n=2, random_state=3))
    assert streamed.prediction_interval(frame[:5], n=50).shape == (5, 2)
    with pytest.raises(ValueError, match=r"those of .* are streamed; fit a table in memory"):
        streamed.model.refit(streamed, y=frame["count"])


@pytest.mark.parametrize(
    ("formula", "family", "options"),
    [("count ~ g | z", "negative_binomial", {}), ("share ~ z | z", "beta", {"offset": "z"})],
)
def test_intervals_of_new_observations_stream(formula, family, options, frame, monkeypatch):
    monkeypatch.setattr(predicting, "CELLS", 5_000)  # runs of 250 rows, two in a table: the draws are the same
    source, asked = nf.data.from_frame(frame), {"n": 20, "random_state": 3}
    streamed = nf.DistributionalRegression.from_formula(formula, source, family, **options).fit()
    whole = nf.DistributionalRegression.from_formula(formula, frame, family, **options).fit()
    expected = whole.prediction_interval(frame, **asked)
    np.testing.assert_allclose(whole.prediction_interval(source, **asked), expected, rtol=1e-12)
    np.testing.assert_allclose(streamed.prediction_interval(source, **asked), expected, rtol=1e-6)
    np.testing.assert_allclose(streamed.prediction_interval(**asked), expected, rtol=1e-6)
    medians = whole.quantile_interval(frame, 0.5, **asked)
    np.testing.assert_allclose(streamed.quantile_interval(source, 0.5, **asked), medians, rtol=1e-6)


def test_the_table_of_streamed_predictions_has_limits_of_observations_where_asked_for(files, frame, monkeypatch):
    monkeypatch.setattr(predicting, "DRAWS", 40)
    source, rows = nf.data.from_parquet(files), frame.dropna()
    fit = nf.DistributionalRegression.from_formula("count ~ x + g | z", source, "negative_binomial").fit()
    given = fit.get_prediction(source)
    assert list(given.summary_frame()) == ["mean", "mean_se", "mean_ci_lower", "mean_ci_upper"]
    shown = given.summary_frame(obs=True)
    assert len(shown) == len(rows)
    assert (shown["obs_ci_lower"] <= shown["mean"]).all()
    assert (shown["obs_ci_upper"] >= shown["mean"]).all()
    np.testing.assert_allclose(shown["mean"], fit.predict(rows), rtol=1e-9)
    with pytest.raises(ValueError, match="limits for a new observation stand beside the mean"):
        fit.get_prediction(source, "alpha").summary_frame(obs=True)


def test_limits_of_shares_stream(frame, monkeypatch):
    monkeypatch.setattr(predicting, "CELLS", 15_000)
    parts = frame.assign(a=frame.share, b=(1.0 - frame.share) / 3.0, c=lambda t: 1.0 - t.a - t.b)
    source, formula = nf.data.from_frame(parts), "a + b + c ~ z"
    fit = nf.DistributionalRegression.from_formula(formula, source, "dirichlet").fit()
    own = fit.prediction_interval(source, n=30, random_state=2)
    whole = nf.DistributionalRegression.from_formula(formula, parts, "dirichlet").fit()
    np.testing.assert_allclose(own, whole.prediction_interval(n=30, random_state=2), rtol=1e-6)


def test_a_saved_fit_of_streamed_rows_predicts(files, frame, tmp_path):
    model = nf.DistributionalRegression.from_formula("share ~ x | z", nf.data.from_parquet(files), "beta", offset="z")
    fit = model.fit()
    fit.save(tmp_path / "fit.natfit")
    loaded = nf.load(tmp_path / "fit.natfit")
    np.testing.assert_allclose(loaded.predict(nf.data.from_parquet(files)), fit.predict(), rtol=1e-12)


def test_what_is_wrong_with_streamed_rows_is_said_with_its_table(files, frame):
    bad = frame.assign(share=frame.share.where(frame.index != 1000, 1.0))
    with pytest.raises(ValueError, match=r"beta needs .* outside .*table 2 of the data, which begins at row 1000"):
        nf.DistributionalRegression.from_formula("share ~ x", nf.data.from_frame(bad), "beta")
    with pytest.raises(ValueError, match="no parameter of the beta family"):
        nf.DistributionalRegression.from_formula(
            {"mean": "share ~ x", "sd": "~ x"}, nf.data.from_parquet(files), "beta"
        )
    with pytest.raises(ValueError, match="needs numbers, but 'g' has the levels"):
        nf.DistributionalRegression.from_formula("g ~ x", nf.data.from_parquet(files), "gaussian")
    none = nf.data.from_frame(frame.assign(blue=0))
    with pytest.raises(ValueError, match="class blue of 'red \\+ green \\+ blue' has no rows"):
        nf.DistributionalRegression.from_formula("red + green + blue ~ x", none, "multinomial")
    with pytest.raises(ValueError, match="offset:mean must name a column"):
        nf.DistributionalRegression.from_formula(
            "size ~ x", nf.data.from_parquet(files), "gaussian", offset={"mean": np.ones(ROWS)}
        )


def test_predictors_that_are_saturated_alike_are_noticed_without_holding_all_rows(files):
    source = nf.data.from_parquet(files)
    for formula, said in (("years ~ g | g", "saturated alike"), ("years ~ g | z", "a different model")):
        model = nf.DistributionalRegression.from_formula(formula, source, "gamma", parametrization="shape_rate")
        assert said in model.fit().model_notes()[0]


def levels(*values, ordered=True):
    made = Levels(values)
    made.ordered = ordered
    return made


def test_ordered_categories_of_two_tables_must_agree():
    whole = levels("low", "mid", "high")
    assert united("g", levels("low", "high"), whole) == united("g", whole, levels("low", "high")) == whole
    assert united("g", whole, levels("mid")).ordered
    for other in (levels("high", "low"), levels("low", "top"), levels("low", "mid", "high", ordered=False)):
        with pytest.raises(ValueError, match=r"the ordered categories of 'g' are .* in one table and"):
            united("g", whole, other)
    texts = levels("a", "c", ordered=False)
    assert united("g", texts, levels("b", ordered=False)) == ["a", "b", "c"]
    assert united("g", levels("z", "c", ordered=False), levels("b", ordered=False)) == ["z", "c", "b"]


def test_likelihood_ratios_and_limits_are_those_of_the_frame(files, frame):
    source = nf.data.from_parquet(files)
    fits = {
        key: [
            nf.DistributionalRegression.from_formula(f, data, "gaussian").fit()
            for f in ("size ~ x + z | z", "size ~ x")
        ]
        for key, data in (("streamed", source), ("frame", frame))
    }
    assert fits["streamed"][0].lr_test(fits["streamed"][1]) == pytest.approx(fits["frame"][0].lr_test(fits["frame"][1]))
    assert fits["streamed"][0].lr_test(fits["frame"][1]) == pytest.approx(fits["frame"][0].lr_test(fits["frame"][1]))
    other = nf.DistributionalRegression.from_formula("size ~ x + root(years)", source, "gaussian").fit()
    with pytest.raises(ValueError, match="no combinations"):
        fits["streamed"][0].lr_test(other)
    with pytest.warns(nf.ConvergenceWarning, match="fits every response exactly"):
        nf.DistributionalRegression.from_formula("I(1 + years) ~ years", source, "gaussian").fit()
    with pytest.warns(nf.ConvergenceWarning, match="runs to infinity"):
        nf.DistributionalRegression.from_formula("kind ~ I(kind > 2)", source, "multinomial").fit()
