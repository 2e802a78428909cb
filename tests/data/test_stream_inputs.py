"""Files and tables as they come: how they are written differs, what is fitted does not, and what is wrong is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import natfit as nf
from natfit.results import predictive

ROWS = 1_200

pytestmark = pytest.mark.usefixtures("small_tables")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(12)
    return pd.DataFrame(
        {
            "x": rng.standard_normal(ROWS).round(3),
            "g": rng.choice(["å", "b", "d"], ROWS),
            "y": rng.poisson(1.5, ROWS),
            "e": rng.random(ROWS) + 0.5,
            "f": rng.integers(1, 3, ROWS),
            "site": rng.integers(0, 30, ROWS),
        }
    )


@pytest.fixture(scope="module")
def params(frame):
    return nf.GLM.from_formula("y ~ x + g", frame, family="poisson").fit().params


def fitted(source, formula="y ~ x + g", **options):
    return nf.GLM.from_formula(formula, source, family="poisson", **options).fit()


WRITTEN = {
    "with a byte order mark": {"encoding": "utf-8-sig"},
    "with semicolons": {"sep": ";"},
    "with tabs": {"sep": "\t"},
    "with decimal commas": {"sep": ";", "decimal": ","},
    "packed": {"compression": "gzip"},
}


@pytest.mark.parametrize("how", WRITTEN)
def test_csv_files_are_read_however_they_are_written(how, frame, params, tmp_path):
    path = tmp_path / ("rows.csv.gz" if how == "packed" else "rows.csv")
    frame.to_csv(path, index=False, **WRITTEN[how])
    np.testing.assert_allclose(fitted(nf.data.from_csv(path)).params, params, rtol=1e-10)


def test_quoted_lines_that_straddle_blocks_of_a_csv_file_are_read(frame, params, tmp_path):
    noted = frame.assign(note='a "line",\n' * 150)  # 2 MB: two blocks, and hardly an end of a line that is one of a row
    noted.to_csv(tmp_path / "rows.csv", index=False)
    np.testing.assert_allclose(fitted(nf.data.from_csv(tmp_path / "rows.csv")).params, params, rtol=1e-10)


def test_types_of_csv_columns_are_guessed_and_may_be_said(frame, params, tmp_path):
    for name, part in {"a": frame[:600].assign(x=1), "b": frame[600:]}.items():
        part.to_csv(tmp_path / f"{name}.csv", index=False)
    both = pd.concat([frame[:600].assign(x=1), frame[600:]])
    np.testing.assert_allclose(fitted(nf.data.from_csv(tmp_path)).params, fitted(both).params, rtol=1e-10)
    many = pd.concat([frame.assign(n=1)] * 60, ignore_index=True).astype({"n": str})
    many.loc[len(many) - 9, "n"] = "1.5"
    many.to_csv(tmp_path / "late.csv", index=False)
    with pytest.raises(
        ValueError, match=r"'n' of .*late\.csv' looks like int64 .* holds invalid value '1\.5' in line 71993"
    ):
        fitted(nf.data.from_csv(tmp_path / "late.csv"), "y ~ n")
    fit = fitted(nf.data.from_csv(tmp_path / "late.csv", types={"n": "float64"}), "y ~ n")
    np.testing.assert_allclose(fit.params, fitted(many.astype({"n": float}), "y ~ n").params, rtol=1e-9)


FAULTS = {
    "": r"is empty; it needs a line of column names",
    "x,y\n": r"there are no rows to fit; .* is empty",
    "x,x,y\n1,2,3\n": r"has several columns called 'x'",
    "x,y\n1,2\n3\n": r"can't be read as CSV: CSV parse error: Row #3: Expected 2 columns, got 1: 3; write",
    "x,y\n\xe9,2\nb,3\n": r"the column 'x' of .* is not UTF-8 text",
}


@pytest.mark.parametrize("text", FAULTS)
def test_what_is_wrong_with_a_csv_file_is_said(text, tmp_path):
    (tmp_path / "rows.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=FAULTS[text]):
        fitted(nf.data.from_csv(tmp_path / "rows.csv"), "y ~ x")


def test_empty_cells_of_a_csv_file_are_missing_in_text_too(frame, tmp_path):
    path = tmp_path / "rows.csv"
    holes = frame.assign(g=frame.g.where(frame.index % 40 != 3), x=frame.x.where(frame.index % 50 != 7))
    holes["g"] = [each if isinstance(each, float) else f'a, "{each}"' for each in holes.g]
    holes.to_csv(path, index=False)
    streamed, whole = fitted(nf.data.from_csv(path)), fitted(holes.dropna(subset=["g", "x"]))
    np.testing.assert_allclose(streamed.params, whole.params, rtol=1e-9)
    assert list(streamed.params.index) == list(whole.params.index)
    with pytest.raises(ValueError, match=r"missing values in \d+ row"):
        fitted(nf.data.from_csv(path), missing="raise")


def test_types_that_are_none_are_refused(frame, tmp_path):
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(ValueError, match="types names 'q', which is no column"):
        nf.data.from_csv(tmp_path / "rows.csv", types={"q": "float64"})
    with pytest.raises(ValueError, match="the type 'number', which there is not"):
        nf.data.from_csv(tmp_path / "rows.csv", types={"x": "number"})


def test_lists_of_tables_and_callables_of_one_are_taken(frame, params):
    parts = [frame[:500], frame[500:]]
    columns = {name: frame[name].tolist() for name in frame}
    for source in (parts, lambda: parts, lambda: frame, lambda: [columns], columns):
        np.testing.assert_allclose(fitted(nf.data.from_frame(source)).params, params, rtol=1e-10)
    with pytest.raises(ValueError, match="the stream of tables is empty"):
        fitted(nf.data.from_frame(list))


def test_an_iterator_that_is_handed_out_twice_is_refused(frame):
    once = iter([frame])
    with pytest.raises(TypeError, match="returns the iterator that it returned before"):
        fitted(nf.data.from_frame(lambda: once))


def test_row_groups_and_files_without_rows_and_dictionaries_that_differ(frame, params, tmp_path):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with pq.ParquetWriter(tmp_path / "b.parquet", table.schema) as writer:
        for start, stop in ((0, 0), (0, 300), (300, 300), (300, ROWS)):
            writer.write_table(table.slice(start, stop - start))
    pq.write_table(table.slice(0, 0), tmp_path / "a.parquet")
    np.testing.assert_allclose(fitted(nf.data.from_parquet(tmp_path)).params, params, rtol=1e-10)
    levels = [["d", "b", "å"], ["b", "å", "d", "never"]]
    for at, (own, part) in enumerate(zip(levels, (frame[:700], frame[700:]), strict=True)):
        part.assign(g=pd.Categorical(part.g, categories=own)).to_parquet(tmp_path / f"{'ab'[at]}.parquet")
    fit, whole = fitted(nf.data.from_parquet(tmp_path)), fitted(frame)
    assert fit.params.index.tolist() == ["Intercept", "g[T.b]", "g[T.å]", "x"]  # the order in which they came
    np.testing.assert_allclose(np.sort(fit.fittedvalues), np.sort(whole.fittedvalues), rtol=1e-9)


def test_only_the_columns_that_are_read_must_agree(frame, params, tmp_path):
    frame[:600].to_parquet(tmp_path / "a.parquet")
    frame[600:].assign(site="none").drop(columns="f").to_parquet(tmp_path / "b.parquet")
    source = nf.data.from_parquet(tmp_path)
    np.testing.assert_allclose(fitted(source).params, params, rtol=1e-10)
    with pytest.raises(ValueError, match=r"'site' is .*string in .*b\.parquet' and int64 in .*a\.parquet'"):
        fitted(source, "y ~ site")
    with pytest.raises(ValueError, match=r"b\.parquet' has no column 'f', which .*a\.parquet' has"):
        fitted(source, "y ~ f")


def test_a_parquet_page_that_does_not_match_its_checksum_is_refused(frame, tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pandas(frame), path, write_page_checksum=True, compression="none")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(ValueError, match=r"rows\.parquet' can't be read to its end: .*CRC"):
        fitted(nf.data.from_parquet(path), "y ~ x + e")


def test_paths_that_are_none_are_refused(tmp_path):
    with pytest.raises(ValueError, match="the list of files is empty"):
        nf.data.from_parquet([])
    with pytest.raises(TypeError, match="a text or a Path, not NoneType"):
        nf.data.from_parquet(None)


def test_times_are_no_numbers_and_serve_as_levels(frame):
    days = pd.date_range("2020", periods=ROWS, tz="Europe/Oslo").floor("400D")
    timed = nf.data.from_frame(frame.assign(day=days))
    with pytest.raises(ValueError, match="'day' holds dates or times, which are not numbers"):
        fitted(timed, "y ~ day")
    whole = fitted(frame.assign(day=days), "y ~ C(day)").params
    np.testing.assert_allclose(fitted(timed, "y ~ C(day)").params, whole, rtol=1e-9)


# -- what is asked of the fit --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"exposure": "e"}, {"freq_weights": "f"}, {"var_weights": "e"}], ids=str)
def test_replicates_and_predictions_are_those_of_the_fit_in_memory(options, frame):
    source = nf.data.from_frame(frame)
    streamed, whole = fitted(source, **options), fitted(frame, **options)
    boot = [fit.bootstrap(3, random_state=1).replicates for fit in (streamed, whole)]
    np.testing.assert_allclose(*boot, rtol=1e-9)
    assert boot[0].std().min() > 0.0
    own = [fit.get_prediction().summary_frame() for fit in (streamed, whole)]
    np.testing.assert_allclose(*own, rtol=1e-9)
    new = [streamed.get_prediction(source).summary_frame(), whole.get_prediction(frame).summary_frame()]
    np.testing.assert_allclose(*new, rtol=1e-9)


def test_intervals_of_new_observations_take_trials_from_the_stream(frame):
    tossed = frame.assign(n=frame.f + 3.0, won=lambda t: (t.y % 4) / t.n, x=frame.x.where(frame.index % 50 != 7))
    source, options = nf.data.from_frame(tossed), {"family": "binomial", "trials": "n"}
    streamed = nf.GLM.from_formula("won ~ x", source, **options).fit()
    whole = nf.GLM.from_formula("won ~ x", tossed, **options).fit()
    levels = [0.1, 0.9]
    np.testing.assert_allclose(streamed.quantile(source, levels), whole.quantile(tossed, levels).dropna())
    own = streamed.prediction_interval(source, n=50, random_state=1)
    np.testing.assert_array_equal(own, whole.prediction_interval(tossed, n=50, random_state=1).dropna())


@pytest.mark.parametrize("options", [{}, {"exposure": "e"}, {"offset": "log(e)"}], ids=str)
def test_intervals_of_new_observations_stream(options, frame, monkeypatch):
    monkeypatch.setattr(predictive, "CELLS", 3_000)  # several runs of rows in a table
    missing = frame.assign(x=frame.x.where(frame.index % 50 != 7))
    source = nf.data.from_frame(missing)
    streamed, whole = fitted(source, **options), fitted(missing, **options)
    expected = whole.prediction_interval(missing, n=20, random_state=3).dropna()
    np.testing.assert_array_equal(streamed.prediction_interval(source, n=20, random_state=3), expected)
    np.testing.assert_array_equal(streamed.prediction_interval(n=20, random_state=3), expected)
    shown = streamed.get_prediction(source).summary_frame(obs=True, n=20, random_state=3)
    np.testing.assert_array_equal(shown[["obs_ci_lower", "obs_ci_upper"]], expected)
    drawn = streamed.simulate(source, n=3, random_state=3)
    np.testing.assert_array_equal(drawn, whole.simulate(missing, n=3, random_state=3).dropna())


def test_a_streamed_fit_is_updated(frame):
    fit = fitted(nf.data.from_frame(frame), "y ~ x").update(". ~ . + g")
    np.testing.assert_allclose(fit.params, fitted(frame).params[fit.params.index], rtol=1e-9)


def test_clusters_may_be_named_by_a_column_that_no_formula_has(frame):
    missing = frame.assign(x=frame.x.where(frame.index % 100 != 3))
    how = {"cov_type": "cluster", "cov_kwds": {"groups": "site"}}
    for model, formula, family in (
        (nf.GLM, "y ~ x", "poisson"),
        (nf.DistributionalRegression, "e ~ x | g", "gamma"),
    ):
        streamed = model.from_formula(formula, nf.data.from_frame(missing), family=family).fit(**how)
        np.testing.assert_allclose(streamed.bse, model.from_formula(formula, missing, family=family).fit(**how).bse)
    with pytest.raises(ValueError, match="has no column 'sit'"):
        nf.GLM.from_formula("y ~ x", nf.data.from_frame(frame), family="poisson").fit(
            cov_type="cluster", cov_kwds={"groups": "sit"}
        )


def test_a_new_level_is_refused_with_the_place_of_its_table(frame):
    fit = fitted(frame)
    new = frame.assign(g=frame.g.where(frame.index != 1100, "q"))
    with pytest.raises(
        ValueError, match=r"unknown level 'q' in 1 row \(100\).*\(in table 2 of the data, which begins at row 1000"
    ):
        fit.predict(nf.data.from_frame(new))


# -- what changes between passes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"g": "q"},
            r"unknown level 'q' in 1 row \(100\).*\(in table 2 of '.*rows.parquet', which begins at row 1000\)",
        ),
        ({"x": np.inf}, r"'x' has infinite values in 1 row \(100\).*\(in table 2 of '.*rows.parquet', which begins"),
        ({"x": np.nan}, f"{ROWS} rows were counted first, and now there are {ROWS - 1}"),
    ],
    ids=str,
)
def test_a_row_that_is_spoiled_after_the_count_is_refused_with_its_place(change, message, frame, tmp_path):
    path = tmp_path / "rows.parquet"
    frame.to_parquet(path)
    model = nf.GLM.from_formula("y ~ x + g", nf.data.from_parquet(path), family="poisson")
    ((name, value),) = change.items()
    frame.assign(**{name: frame[name].where(frame.index != 1100, value)}).to_parquet(path)
    with pytest.raises(ValueError, match=message):
        model.fit()


def test_a_file_that_goes_away_is_named(frame, tmp_path):
    path = tmp_path / "rows.parquet"
    frame.to_parquet(path)
    model = nf.GLM.from_formula("y ~ x", nf.data.from_parquet(path), family="poisson")
    path.unlink()
    with pytest.raises(ValueError, match=r"rows.parquet' is there no longer, .*; put it back"):
        model.fit()


def test_tables_that_are_used_up_by_a_pass_are_refused(frame):
    class Once:
        def __init__(self):
            self.parts = [frame[:400], frame[400:800], frame[800:]]

        def __iter__(self):
            while self.parts:
                yield self.parts.pop(0)

    once = Once()
    with pytest.raises(ValueError, match="had tables when it was gone over first, and has none now"):
        nf.GLM.from_formula("y ~ x + g", nf.data.from_frame(lambda: once), family="poisson")


REFUSED = {
    "link_test": (lambda fit: fit.link_test(), "is streamed and never held whole"),
    "augment": (lambda fit: fit.augment(), "are streamed and never held together; give a table as data="),
    "remove_data": (lambda fit: fit.remove_data(), "are streamed, so it holds none to remove"),
    "slopes": (lambda fit: fit.avg_slopes(), "give the rows as newdata="),
    "influence": (lambda fit: fit.get_influence(), "is streamed and never held whole"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_needs_rows_in_memory_says_so_of_a_streamed_fit(what, frame):
    fit = nf.GLM.from_formula("y ~ x + g", nf.data.from_frame(frame), family="poisson").fit()
    ask, words = REFUSED[what]
    with pytest.raises(ValueError, match=words):
        ask(fit)
    assert len(fit.augment(frame[:3])) == 3
