"""Designs whose columns lie apart: the same numbers as when they are written side by side, and made block by block only."""

import gc
import pickle
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import natfit as nf
from natfit.data.apart import Apart
from natfit.data.formulas import design as designs
from natfit.data.formulas.design import build_design
from natfit.data.streams.freezing import freeze
from natfit.data.streams.tables import TABLE_ROWS
from natfit.data.threads import over_runs, pool, processors

ROWS = 3_000


@pytest.fixture
def table():
    rng = np.random.default_rng(3)
    return {
        "y": rng.poisson(2.0, ROWS),
        "x": rng.standard_normal(ROWS),
        "whole": rng.integers(0, 9, ROWS),
        "single": rng.standard_normal(ROWS).astype(np.float32),
        "g": rng.choice(["a", "b", "c"], ROWS),
    }


def made(formula, table, **options):
    frozen = freeze(nf.data.from_frame(table), {"mean": formula}, {}, {}, **options)
    return frozen.recipe(table)


@pytest.mark.parametrize(
    "formula",
    ["y ~ x", "y ~ 0 + x + whole + single", "y ~ C(g) + x", "y ~ C(g, Sum) + whole", "y ~ bs(x, df=4) + C(whole)"],
)
def test_rows_are_those_of_the_design_in_memory(formula, table):
    design = made(formula, table).designs["mean"]
    whole = build_design(formula, table, order="patsy", layout="dense").matrix
    assert isinstance(design, Apart)
    assert np.array_equal(design.rows(17, 900).array, whole[17:900])
    assert np.array_equal(design.take(np.array([5, 2, 2_999])).array, whole[[5, 2, 2_999]])
    assert design.shape == whole.shape
    assert np.array_equal(design.dense(), whole)
    assert np.array_equal(design.rows(17, 900).array, whole[17:900])


def test_products_of_factors_are_made_at_once_and_checked(table):
    assert not isinstance(made("y ~ x * C(g)", table).designs["mean"], Apart)
    table["x"] = table["x"] * 1e200
    with pytest.raises(ValueError, match="infinite values"):
        made("y ~ x : whole + I(x) : x", table)


def test_rows_with_a_missing_value_are_left_out(table):
    table["x"][[0, 7]] = np.nan
    found = made("y ~ x + C(g)", table)
    assert found.kept is not None
    assert found.designs["mean"].shape[0] == ROWS - 2
    kept = np.flatnonzero(found.kept)
    assert np.array_equal(found.designs["mean"].rows(0, 9).array[:, -1], table["x"][kept[:9]])


def test_columns_that_are_left_out(table):
    found = made("y ~ x + C(g)", table, drop_cols=["C(g)[T.b]"]).designs["mean"]
    assert isinstance(found, Apart)
    assert np.array_equal(found.dense()[:, 1], table["g"] == "c")


def test_the_design_of_a_table_is_never_whole(monkeypatch, table):
    def refuse(design):
        raise AssertionError("a whole design was made")

    long = {name: np.resize(column, 100_000) for name, column in table.items()}
    source = nf.data.from_frame(long)
    expected = nf.GLM.from_formula("y ~ x + C(g)", source, family="poisson").fit().params
    monkeypatch.setattr(Apart, "array", property(refuse))
    found = nf.GLM.from_formula("y ~ x + C(g)", source, family="poisson").fit().params
    assert found.tolist() == expected.tolist()


def test_large_record_batches_are_cut():
    y = np.arange(2.0 * TABLE_ROWS + 1.0)
    batch = pa.RecordBatch.from_pydict({"y": y, "x": y})
    parts = list(nf.data.from_frame(lambda: iter([batch])).scan(["y"]))
    assert [len(part["y"]) for part in parts] == [TABLE_ROWS, TABLE_ROWS, 1]
    assert np.array_equal(np.concatenate([part["y"] for part in parts]), y)


def test_threads_that_look_at_large_arrays_do_not_wait_for_each_other():
    threads = processors()
    ready = threading.Barrier(threads)

    def look(_):
        ready.wait(10)
        return over_runs(np.ones(2_000_000), lambda run: float(run.sum()))

    tasks = [pool(threads).submit(look, k) for k in range(threads)]
    assert [sum(task.result(timeout=20)) for task in tasks] == [2e6] * threads


def test_designs_travel_to_other_processes():
    design = Apart([1.0, np.array([3.0, 4.0])], 2)
    assert pickle.loads(pickle.dumps(design)).array.tolist() == [[1.0, 3.0], [1.0, 4.0]]


def test_products_are_those_of_the_whole(table):
    long = {name: np.resize(column, 100_000) for name, column in table.items()}
    design = made("y ~ x + C(g) + whole", long).designs["mean"]
    whole, along = pickle.loads(pickle.dumps(design)).array, np.linspace(-1.0, 1.0, 100_000)
    np.testing.assert_allclose(design.matvec(np.arange(5.0)), whole @ np.arange(5.0), rtol=1e-12)
    np.testing.assert_allclose(design.rmatvec(along), along @ whole, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(design.gram(along), (whole.T * along) @ whole, rtol=1e-9, atol=1e-9)


# -- large frames in memory ----------------------------------------------------------------------------------------------


@pytest.fixture
def frame(table):
    return pd.DataFrame(table).assign(e=lambda t: 1.0 + t.index % 3, x=lambda t: t.x.where(t.index % 100 != 7))


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr(designs, "WIDE_BYTES", 0)


FORMULAS = ["y ~ x + C(g)", "y ~ 0 + C(g) + log(e) + whole", "y ~ x * C(g)", "y ~ bs(x, df=4) + single"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_large_frames_are_fitted_from_their_own_columns(formula, frame, large, monkeypatch):
    def fit():
        return nf.GLM.from_formula(formula, frame, family="poisson", exposure="e", missing="drop").fit(cov_type="HC2")

    own = fit()
    monkeypatch.setattr(designs, "WIDE_BYTES", np.inf)
    whole = fit()
    assert isinstance(own.model.data.design, Apart) == ("*" not in formula)
    assert not isinstance(whole.model.data.design, Apart)
    for name in ("params", "bse", "fittedvalues", "resid_deviance", "llf", "df_model"):
        np.testing.assert_allclose(getattr(own, name), getattr(whole, name), rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(own.get_prediction().summary_frame(), whole.get_prediction().summary_frame(), rtol=1e-9)
    np.testing.assert_allclose(own.get_influence().hat_matrix_diag, whole.get_influence().hat_matrix_diag, rtol=1e-9)
    np.testing.assert_array_equal(own.model.exog, whole.model.exog)


def test_columns_of_large_frames_may_be_left_out(frame, large):
    fit = nf.GLM.from_formula("y ~ x + C(g)", frame, family="poisson", drop_cols=["C(g)[T.b]"]).fit()
    assert isinstance(fit.model.data.design, Apart)
    assert list(fit.params.index) == ["Intercept", "C(g)[T.c]", "x"]


def test_a_frame_that_is_written_to_later_leaves_the_design_as_it_was(frame, large):
    frame = frame.fillna({"x": 0.5}).copy()  # where rows are left out their columns are copied anyway
    expected = build_design("y ~ x + e", frame, layout="dense").matrix
    design = build_design("y ~ x + e", frame, layout="apart").matrix
    assert isinstance(design, Apart)
    gc.collect()  # of what made the design nothing is left
    frame.loc[:, "x"] = 7.0
    frame.loc[5:90, "e"] = -3.0
    assert np.array_equal(design.dense(), expected)


def test_mappings_of_arrays_are_copied_as_before(table, large):
    design = nf.GLM.from_formula("y ~ x", table, family="poisson").data.design
    assert not isinstance(design, Apart)
