"""Rows that stream by give the fit that they give in memory, and what is wrong with them is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.data.streams import tables as tables_module

ROWS = 6_000

pytestmark = pytest.mark.usefixtures("small_tables")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    made = pd.DataFrame(
        {
            "x": rng.standard_normal(ROWS),
            "z": rng.random(ROWS),
            "g": rng.choice(["b", "a", "d"], ROWS),
            "size": pd.Categorical(rng.choice(["low", "mid", "high"], ROWS), categories=["low", "mid", "high"]),
            "years": rng.random(ROWS) + 0.5,
            "f": rng.integers(1, 4, ROWS).astype(float),
        }
    )
    eta = 0.2 + 0.4 * made.x - 0.3 * (made.g == "b") + 0.2 * (made["size"] == "high")
    made["y"] = rng.poisson(made.years * np.exp(eta)).astype(float)
    made["won"] = np.where(rng.random(ROWS) < 1 / (1 + np.exp(-eta)), "yes", "no")
    made["wins"] = rng.binomial(5, 0.4, ROWS).astype(float)
    made["losses"] = 5.0 - made.wins
    made.loc[[3, 4000], "x"] = np.nan
    made.loc[ROWS - 40 :, "g"] = "c"  # a level of the last table only
    return made


@pytest.fixture
def files(frame, tmp_path):
    frame[:2500].to_parquet(tmp_path / "a.parquet")
    frame[2500:].to_parquet(tmp_path / "b.parquet")
    return tmp_path


def same(streamed, whole, rtol=1e-8):
    assert list(streamed.params.index) == list(whole.params.index)
    np.testing.assert_allclose(streamed.params, whole.params, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(streamed.bse, whole.bse, rtol=rtol)
    assert streamed.llf == pytest.approx(whole.llf, rel=1e-12)
    assert (streamed.nobs, streamed.df_resid) == (whole.nobs, whole.df_resid)


MODELS = [
    ("y ~ x + z", {"family": "poisson", "offset": "log(years)"}),
    ("y ~ x + C(g) + size", {"family": "poisson", "exposure": "years", "freq_weights": "f"}),
    ("y ~ bs(z, df=4) + center(x):g", {"family": "poisson"}),
    ("won ~ x + g", {"family": "binomial"}),
    ("wins + losses ~ x + size", {"family": "binomial"}),
    ("years ~ x + np.log(z)", {"family": "gamma", "link": "log", "var_weights": "f"}),
]


@pytest.mark.parametrize(("formula", "options"), MODELS, ids=[formula for formula, _ in MODELS])
def test_parquet_files_give_the_fit_of_the_frame(files, frame, formula, options):
    source = nf.data.from_parquet(files / "*.parquet", formula)
    streamed = nf.GLM.from_formula(None, source, **options).fit()
    same(streamed, nf.GLM.from_formula(formula, frame, **options).fit())


def test_frames_arrow_tables_csv_and_iterators_of_tables_give_the_same_fit(frame, tmp_path):
    import polars
    import pyarrow as pa

    formula, options = "y ~ x + g", {"family": "poisson"}
    frame.to_csv(tmp_path / "all.csv", index=False)
    plain = frame.astype({"size": str})
    whole = nf.GLM.from_formula(formula, frame, **options).fit()
    for source in (
        nf.data.from_frame(frame),
        nf.data.from_frame(pa.Table.from_pandas(frame)),
        nf.data.from_frame(polars.from_pandas(plain)),
        nf.data.from_frame(lambda: (frame[at : at + 999] for at in range(0, ROWS, 999))),
        nf.data.from_frame(lambda: iter(pa.Table.from_pandas(frame).to_batches(max_chunksize=500))),
        nf.data.from_csv(tmp_path / "all.csv"),
    ):
        same(nf.GLM.from_formula(formula, source, **options).fit(), whole)


def test_a_streamed_fit_has_the_summary_predictions_and_measures_of_the_other(files, frame):
    formula = "y ~ x + g"
    whole = nf.GLM.from_formula(formula, frame, family="poisson").fit()
    model = nf.GLM.from_formula(formula, nf.data.from_parquet(files), family="poisson")
    fit = model.fit()
    assert "2 row(s) with missing values were dropped" in str(fit.summary())
    np.testing.assert_allclose(fit.fittedvalues, whole.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(fit.resid_deviance, whole.resid_deviance, rtol=1e-7, atol=1e-9)
    assert fit.null_deviance == pytest.approx(whole.null_deviance, rel=1e-10)
    for name in ("deviance", "pearson_chi2", "aic"):
        assert getattr(fit, name) == pytest.approx(getattr(whole, name), rel=1e-10)
    new = frame[:50]
    np.testing.assert_allclose(fit.predict(new), whole.predict(new), rtol=1e-9)
    np.testing.assert_allclose(fit.predict(nf.data.from_frame(new)), whole.predict(new).dropna(), rtol=1e-9)
    assert model.source.passes >= fit.record.passes.iloc[-1]


@pytest.mark.parametrize("cov_type", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_covariances_stream(files, frame, cov_type):
    streamed = nf.GLM.from_formula("y ~ x + g", nf.data.from_parquet(files), family="poisson").fit(cov_type=cov_type)
    whole = nf.GLM.from_formula("y ~ x + g", frame, family="poisson").fit(cov_type=cov_type)
    np.testing.assert_allclose(streamed.bse, whole.bse, rtol=1e-7)


def test_clustered_standard_errors_stream(files, frame):
    groups = (np.arange(ROWS - 2) // 50).astype(int)
    options = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    streamed = nf.GLM.from_formula("y ~ x", nf.data.from_parquet(files), family="poisson").fit(**options)
    whole = nf.GLM.from_formula("y ~ x", frame.dropna(subset=["x"]), family="poisson").fit(**options)
    np.testing.assert_allclose(streamed.bse, whole.bse, rtol=1e-7)


def test_large_streams_are_fitted_lazily(monkeypatch):
    monkeypatch.undo()
    rng = np.random.default_rng(2)
    x = rng.standard_normal(90_000)
    frame = pd.DataFrame({"x": x, "y": rng.poisson(np.exp(0.3 * x))})
    fit = nf.GLM.from_formula("y ~ x", nf.data.from_frame(frame), family="poisson").fit()
    last = fit.record.iloc[-1]
    assert (last.metric_passes, last.sample_passes > 0) == (1, True)
    same(fit, nf.GLM.from_formula("y ~ x", frame, family="poisson").fit(optimizer="natural_gradient"), rtol=1e-6)


def test_rows_that_change_between_passes_are_refused(frame):
    state = {"pass": 0, "fault": "order"}
    y = frame.dropna().y.to_numpy()
    swapped = np.arange(y.size)
    other = int(np.flatnonzero(y[:500] != y[0])[0])  # in the same table
    swapped[[0, other]] = [other, 0]

    def tables():
        state["pass"] += 1
        part = frame.dropna()
        if state["pass"] > 4:
            part = part[:-1] if state["fault"] == "rows" else part.iloc[swapped]
        return iter([part])

    for fault, message in (("rows", r"5998 rows were counted first, and now there are 5997"), ("order", "the order")):
        state.update({"pass": 0, "fault": fault})
        model = nf.GLM.from_formula("y ~ x", nf.data.from_frame(tables), family="poisson")
        with pytest.raises(ValueError, match=message):
            model.fit()


def test_a_level_that_the_first_pass_did_not_see_is_refused(frame):
    calls = []

    def tables():
        calls.append(1)
        return iter([frame.dropna() if len(calls) < 6 else frame.dropna().assign(g="q")])

    model = nf.GLM.from_formula("y ~ g", nf.data.from_frame(tables), family="poisson")
    with pytest.raises(ValueError, match=r"'g' has the unknown level 'q' in 500 rows"):
        model.fit()


def test_a_parquet_file_that_ends_early_is_named(files):
    path = files / "b.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"b\.parquet' can't be read as Parquet \(it may have been cut short"):
        nf.data.from_parquet(files)


def test_files_whose_columns_differ_are_refused_by_file_and_column(files, frame):
    frame[2500:].assign(x=frame.x[2500:].astype(str)).to_parquet(files / "b.parquet")
    with pytest.raises(
        ValueError, match=r"the column 'x' is (large_)?string in .*b\.parquet' and double in .*a\.parquet'"
    ):
        nf.GLM.from_formula("y ~ x", nf.data.from_parquet(files), family="poisson")
    frame[2500:].drop(columns="x").to_parquet(files / "b.parquet")
    with pytest.raises(ValueError, match=r"b\.parquet' has no column 'x'"):
        nf.GLM.from_formula("y ~ x", nf.data.from_parquet(files), family="poisson")


def test_what_cannot_be_streamed_is_refused_in_a_sentence(files, frame, tmp_path):
    source = nf.data.from_parquet(files)
    with pytest.raises(FileNotFoundError, match=r"there is no \.parquet file"):
        nf.data.from_parquet(tmp_path / "nothing" / "*.parquet")
    with pytest.raises(ValueError, match="offset must name a column"):
        nf.GLM.from_formula("y ~ x", source, family="poisson", offset=np.ones(ROWS))
    with pytest.raises(ValueError, match="subset picks rows of a table in memory"):
        nf.GLM.from_formula("y ~ x", source, family="poisson", subset=frame.x > 0)
    with pytest.raises(ValueError, match=r"missing values in 2 row\(s\)"):
        nf.GLM.from_formula("y ~ x", source, family="poisson", missing="raise")
    with pytest.raises(ValueError, match="has no column 'w'"):
        nf.GLM.from_formula("y ~ w", source, family="poisson")
    with pytest.raises(ValueError, match=r"must be 0 or more.*in table \d+ of"):
        nf.GLM.from_formula("x ~ z", source, family="poisson")
    with pytest.raises(TypeError, match="an iterator can be gone over once"):
        nf.data.from_frame(iter([frame]))
    with pytest.raises(ValueError, match="the likelihood has no maximum"):
        nf.GLM.from_formula("y ~ x", nf.data.from_frame(frame.assign(y=0.0)), family="poisson").fit()


def test_tables_are_read_a_few_at_a_time(frame):
    held, most = [0], [0]

    class Counted(tables_module.Tables):
        names = list(frame.columns)

        def scan(self, columns):
            for at in range(0, ROWS, 100):
                held[0] += 1
                most[0] = max(most[0], held[0])
                yield {name: frame[name].to_numpy()[at : at + 100] for name in columns}

    def work(table, number):
        held[0] -= 1
        return number

    assert list(Counted().each(work, ["x"])) == list(range(60))
    assert most[0] <= 5


def test_distributions_and_mixtures_take_streamed_columns(files, frame):
    source = nf.data.from_parquet(files)
    years = nf.data.column_source(source, "years", freq_weights="f")
    streamed, whole = (
        nf.fit_distribution("gamma", years),
        nf.fit_distribution("gamma", frame.years, freq_weights=frame.f),
    )
    np.testing.assert_allclose(streamed.params, whole.params, rtol=1e-9)
    np.testing.assert_allclose(streamed.bse, whole.bse, rtol=1e-8)
    pairs = nf.fit_distribution("multivariate_normal", nf.data.column_source(source, ["z", "years"]))
    np.testing.assert_allclose(
        pairs.params, nf.fit_distribution("multivariate_normal", frame[["z", "years"]].to_numpy()).params, rtol=1e-9
    )
    mixed = nf.Mixture("gaussian", 2).fit(nf.data.column_source(source, "z"), n_init=2, random_state=0)
    assert mixed.llf == pytest.approx(nf.Mixture("gaussian", 2).fit(frame.z, n_init=2, random_state=0).llf, rel=1e-9)
    with pytest.raises(ValueError, match=r"missing values in 1 row\(s\) of table 0"):
        nf.data.column_source(source, "x")
    assert nf.data.column_source(source, "x", missing="drop").n_rows == ROWS - 2
    with pytest.raises(ValueError, match="no column 'w' in"):
        nf.data.column_source(source, "w")
