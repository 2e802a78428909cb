"""Responses and designs given as arrays or frames: no copy, names, labels, missing rows, refusals."""

import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import statsmodels.api as sm
import tabmat
from hypothesis import given, settings
from scipy import sparse

from natfit.data.checks import check_finite, check_positive, check_weights
from natfit.data.frame import bind, default_names, design_matrix

N = 30
RNG = np.random.default_rng(5)
X = np.column_stack([np.ones(N), RNG.normal(size=(N, 2))])
Y = RNG.poisson(2, N)
FRAME = pd.DataFrame(X, columns=list("abc"), index=[f"row {i}" for i in range(N)])


def test_nothing_is_copied():
    for order in ("C", "F"):
        for dtype in (np.float64, np.float32):
            array = np.asarray(X, dtype=dtype, order=order)
            assert bind(Y, array).matrix is array
    assert np.shares_memory(bind(Y, FRAME).matrix, FRAME.to_numpy())
    single = FRAME.astype(np.float32)
    assert np.shares_memory(bind(Y, single).matrix, single.to_numpy())
    for matrix in (sparse.csr_matrix(X), sparse.csc_array(X), tabmat.DenseMatrix(X)):
        assert bind(Y, matrix).matrix is matrix
    response = Y.astype(float)
    assert bind(response, X).y is response


def test_plain_arrays_do_not_import_pandas():
    code = (
        "import sys, numpy as np; from natfit.data.frame import bind; bind([1.0, 2.0], np.ones((2, 1)));"
        "assert not {'pandas', 'narwhals', 'formulaic', 'tabmat'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


TABLES = {
    "polars": pl.DataFrame(X, schema=list("abc")),
    "lazy polars": pl.DataFrame(X, schema=list("abc")).lazy(),
    "pyarrow": pa.table({name: X[:, j] for j, name in enumerate("abc")}),
    "mapping": {name: X[:, j] for j, name in enumerate("abc")},
    "nullable": FRAME.convert_dtypes(),
    "objects": FRAME.astype(object),
    "structured": np.rec.fromarrays(X.T, names="a,b,c"),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_tables(table):
    bound = bind(Y, table)
    assert bound.column_names == ["a", "b", "c"]
    np.testing.assert_array_equal(bound.matrix, X)


def test_columns_of_other_types_become_floats():
    frame = pd.DataFrame({"i": [1, 2, 3], "b": [True, False, True], "f": np.float32([1, 2, 3])})
    bound = bind([True, False, True], frame)
    np.testing.assert_array_equal(bound.matrix, [[1, 1, 1], [2, 0, 2], [3, 1, 3]])
    assert bound.matrix.dtype == bound.y.dtype == np.float64
    assert bind([1, 2, 3], [1, 2, 4]).matrix.shape == (3, 1)


@pytest.mark.parametrize(
    "array",
    [X, X[:, 1:], X[:, [1, 0, 2]], X[:, [1, 2, 0]], X[:, [0, 0]], X[:, :1], 3 * X],
    ids=["first", "none", "middle", "last", "twice", "only", "threes"],
)
def test_names_are_statsmodels(array):
    names = sm.GLM(Y, array).exog_names
    assert default_names(array) == names
    assert bind(Y, array).column_names == names


@pytest.mark.parametrize("row", [1, 150_000, 299_998])
def test_a_column_of_many_rows_is_constant_only_if_every_row_is(row):
    array = np.ones((300_000, 2))
    array[:, 1] = np.arange(300_000)
    assert default_names(array) == ["const", "x1"]
    array[row, 0] = 2.0
    assert default_names(array) == ["x1", "x2"]


def test_names_and_labels_of_frames():
    response = pd.Series(Y, index=FRAME.index, name="count")
    bound = bind(response, FRAME, {"w": pd.Series(2.0, index=FRAME.index)})
    assert (bound.y_name, bound.column_names) == ("count", ["a", "b", "c"])
    assert bound.index.equals(FRAME.index)
    assert bind(response, X).index.equals(FRAME.index)
    assert bind(Y, X).index is None
    assert bind(pl.Series("p", Y), X).y_name == "p"
    assert bind(pd.DataFrame({"s": Y, "f": Y}), X).y_name == "s + f"
    assert bind(Y[:, None], X).y.shape == (N,)
    levels = FRAME.set_axis(pd.MultiIndex.from_tuples([("a", "x"), ("a", ""), ("b", "y")]), axis=1)
    assert bind(Y, levels).column_names == sm.GLM(response, levels).exog_names == ["a_x", "a", "b_y"]


MATRICES = [
    np.array,
    lambda x: pd.DataFrame(x, index=FRAME.index),
    sparse.csr_matrix,
    sparse.csc_array,
    tabmat.DenseMatrix,
]


@settings(max_examples=30, deadline=None)
@given(
    convert=st.sampled_from(MATRICES),
    holes=st.sets(st.tuples(st.integers(0, N - 1), st.integers(0, 4)), max_size=6),
)
def test_missing_rows_are_dropped_together(convert, holes):
    table = np.column_stack([X, Y, np.arange(float(N))])
    for row, column in holes:
        table[row, column] = np.nan
    kept = ~np.isnan(table).any(axis=1)
    bound = bind(table[:, 3], convert(table[:, :3].copy()), {"offset": table[:, 4]}, "drop")
    dense = bound.matrix if isinstance(bound.matrix, np.ndarray) else bound.matrix.toarray()
    np.testing.assert_array_equal(dense, X[kept])
    np.testing.assert_array_equal(bound.y, Y[kept])
    np.testing.assert_array_equal(bound.extras["offset"], np.flatnonzero(kept))
    assert bound.n_missing == N - kept.sum()
    assert (bound.kept is None) == kept.all()
    assert bound.index is None or list(bound.index) == list(FRAME.index[kept])


def refused(function, *args, **options):
    with pytest.raises((ValueError, TypeError), match=r"^.*$") as caught:
        function(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize("convert", MATRICES)
def test_missing_and_infinite_values_are_named(convert):
    bad = X[:, 1:].copy()
    bad[[3, 7], 1] = np.nan
    name = "1" if convert is MATRICES[1] else "x2"
    for missing in ("none", "raise"):
        assert refused(bind, Y, convert(bad), {}, missing) == (
            f"missing values in '{name}': 2 rows (3, 7); leave those rows out with missing='drop'"
        )
    bad[[3, 5], [1, 0]] = np.inf
    assert refused(bind, Y, convert(bad), {}, "drop").endswith("drop those rows or mend the values")
    assert "infinite values in 1 row (5)" in refused(bind, Y, convert(bad), {}, "drop")
    assert refused(bind, np.where(Y[4] == Y, np.nan, 1.0), X).startswith("missing values in 'y': ")
    assert refused(bind, Y, X, {"offset": np.where(np.arange(N) == 9, np.inf, 1)}).startswith(
        "'offset' has infinite values in 1 row (9);"
    )


NOT_NUMBERS = "not numbers; give numbers, use from_formula, or make indicator columns with pandas.get_dummies"
TEXT = pd.Series(["u", "v"] * (N // 2), name="g", index=FRAME.index)


def test_what_is_not_numbers():
    assert refused(bind, TEXT, FRAME) == f"'g' holds text or other objects, {NOT_NUMBERS}"
    assert refused(bind, TEXT.tolist(), X) == f"'endog' holds text, {NOT_NUMBERS}"
    assert refused(bind, TEXT.astype("category"), FRAME) == f"'g' holds levels of a factor, {NOT_NUMBERS}"
    assert refused(bind, Y, FRAME.assign(g=TEXT)) == f"'g' holds text or other objects, {NOT_NUMBERS}"
    assert refused(bind, Y, pl.DataFrame({"g": TEXT.tolist()})) == f"'g' holds text or other objects, {NOT_NUMBERS}"
    assert refused(bind, Y, X + 1j) == f"'exog' holds complex values, {NOT_NUMBERS}"
    assert refused(bind, Y, pd.date_range("2020", periods=N)) == f"'exog' holds dates, {NOT_NUMBERS}"
    assert refused(bind, Y, X, {"w": "column"}) == (
        "w='column' names a column, and arrays have no columns to name; give the numbers"
    )


def test_shapes_lengths_and_labels():
    assert refused(bind, Y[:5], X) == "'exog' has 30 rows and 'endog' has 5; both must have one entry for each row"
    assert refused(bind, Y, X, {"w": np.ones(3)}).startswith("'w' has 3 rows and 'endog' has 30;")
    assert refused(bind, Y, X, {"w": 2.0}) == "'w' must have one number for each row; it has shape ()"
    assert refused(bind, Y, None) == "a design is needed; for a mean alone give exog=np.ones(n)"
    assert refused(bind, [], np.empty((0, 2))) == "there are no rows to fit; the data are empty"
    assert refused(bind, Y, np.empty((N, 0))) == "the design has no columns; give it at least a constant"
    assert refused(bind, Y * np.nan, X, {}, "drop") == "there are no rows to fit; all 30 have a missing value"
    assert refused(bind, Y, np.ones((N, 2, 2))) == "exog must have rows and columns; it has shape (30, 2, 2)"
    assert refused(bind, np.ones((N, 2, 2)), X).startswith(
        "endog must be one column, or two of successes and failures;"
    )
    assert refused(bind, pd.Series(Y), FRAME) == (
        "the row labels of endog and exog differ; put both into the same order with the same index"
    )
    assert refused(bind, Y, FRAME, {"w": pd.Series(1.0, index=FRAME.index[::-1])}) == (
        "the row labels of 'w' are those of the data in another order; sort it to match them"
    )
    assert refused(bind, Y, X, {}, "x") == "missing must be 'drop', 'raise' or 'none'; got 'x'"


def test_new_rows():
    names = ["a", "b"]
    for rows in (
        [1.0, 2.0],
        pd.Series({"b": 2.0, "a": 1.0}),
        pd.DataFrame({"b": [2.0], "a": [1.0], "c": [0.0]}),
        {"b": 2, "a": 1},
    ):
        np.testing.assert_array_equal(design_matrix(rows, names)[0], [[1, 2]])
    np.testing.assert_array_equal(design_matrix(pd.DataFrame({"p": [1.0], "q": [2.0]}), names)[0], [[1, 2]])
    assert design_matrix([1.0, 2.0], ["a"])[0].shape == (2, 1)
    assert list(design_matrix(FRAME, list("abc"))[1]) == list(FRAME.index)
    assert np.isnan(design_matrix([np.nan, 1.0], names)[0]).sum() == 1
    assert refused(design_matrix, pd.DataFrame({"a": [1]}), names) == (
        "the new rows have no column 'b'; give them all, or an array"
    )
    assert refused(design_matrix, [1.0, np.inf], names).startswith("'b' has infinite values in 1 row (0);")


def test_weights_and_exposures():
    weights = np.ones(N)
    check_weights(weights, "w")
    check_weights(np.where(np.arange(N) == 3, 0.0, 1.0), "w")
    check_positive(weights, "exposure")
    assert refused(check_weights, weights - 2, "w").startswith(
        "'w' must not be negative, and is in 30 rows (0, 1, 2, 3, 4, ...);"
    )
    assert (
        refused(check_weights, 0 * weights, "w")
        == "'w' is zero in all 30 rows; at least one row needs a weight above zero"
    )
    assert refused(check_positive, np.where(np.arange(N) == 3, 0.0, 1.0), "exposure") == (
        "'exposure' must be above zero, and is not in 1 row (3); leave those rows out or mend the values"
    )
    assert refused(check_weights, weights * np.nan, "w").startswith("'w' has missing values (NaN) in 30 rows")
    check_finite(np.full(3, 1e308), "large")  # whose sum is infinite


def test_labels_that_are_not_texts_are_kept():
    y = [1.0, 2.0, 4.0]
    frame = pd.DataFrame(np.column_stack([np.ones(3), [0.0, 1.0, 3.0]]))
    bound = bind(y, frame)
    assert (bound.column_names, bound.labels) == (["0", "1"], [0, 1])
    assert bind(y, frame.rename(columns=str)).labels is None
    assert bind(y, frame.to_numpy()).labels is None
    assert bind(y, frame.set_axis([("a", "b"), "c"], axis=1)).labels is None
    assert bind(y, frame[1]).labels == [1]
    assert bind(y, frame[1].rename(None)).labels is None


def test_masked_values_are_missing():
    y, x = np.array([1.0, 2.0, 4.0, 3.0]), np.column_stack([np.ones(4), [0.0, 99.0, 3.0, 1.0]])
    mask = np.zeros((4, 2), dtype=bool)
    mask[1, 1] = True
    masked = np.ma.masked_array(x, mask)
    with pytest.raises(ValueError, match=r"missing values in 'x1': 1 row \(1\)"):
        bind(y, masked)
    assert bind(y, masked, missing="drop").kept.tolist() == [True, False, True, True]
    assert bind(np.ma.masked_equal([7, 2, 4, 3], 7), x, missing="drop").y.tolist() == [2.0, 4.0, 3.0]
    offset = np.ma.masked_array([0.0, 1.0, 2.0, 3.0], [0, 0, 0, 1])
    assert bind(y, x, {"offset": offset}, missing="drop").extras["offset"].tolist() == [0.0, 1.0, 2.0]
    unmasked = np.ma.masked_array(x)
    assert np.shares_memory(bind(y, unmasked).matrix, x)
