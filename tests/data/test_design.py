"""Designs from formulas: the columns are formulaic's, rows and levels are kept together, new data get the same columns."""

import pickle

import formulaic
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import tabmat
from hypothesis import given, settings

from natfit import datasets
from natfit.data.formulas import evaluate, expand
from natfit.data.formulas.design import build_design

N = 40
RIGHT_SIDES = [
    "1", "x", "0 + x", "x - 1", "I(x**2)", "np.log(z)", "x:z", "x * z", "2:x", "{x + z}", "np.where(x > 0, 1, 0)",
    "center(x)", "scale(x)", "standardize(x)", "poly(x, 3)", "bs(x, df=4)", "bs(x, df=5, include_intercept=True)",
    "0 + bs(x, df=5, include_intercept=True)", "cr(x, df=4)", "cr(x, df=4, constraints='center')", "cc(x, df=4)",
    "a", "0 + a", "C(k)", "a * b", "a:b", "0 + a:b", "x:a", "x * a", "x * a - x", "a + a:b:x", "(a + b + x)**3", "a / b",
    "b %in% a", "bs(x, df=4):a", "a:poly(x, 2):b", "a + C(a, Sum):x", "C(a, Treatment('b'))", "C(k, Treatment(2))",
    "C(a, Sum)", "C(a, Helmert)", "C(a, Diff)", "C(a, Poly)", "C(a, contr.SAS)", "C(a, levels=['b', 'a', 'd', 'c'])",
    "C(a, [[1, 0], [0, 1], [-1, 0], [0, -1]])", "C(a, {'ends': [1, 0, 0, -1]})", "`two words` + log(`two words`)",
]  # fmt: skip


def example(n: int = N, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": rng.poisson(2, n),
            "x": rng.normal(size=n),
            "z": rng.uniform(1, 2, n),
            "a": rng.permutation(np.resize(list("abcd"), n)),
            "b": rng.permutation(np.resize(list("uv"), n)),
            "k": rng.permutation(np.resize([1, 2, 3, 4], n)),
            "two words": rng.uniform(1, 2, n),
        },
        index=[f"row {i}" for i in range(n)],
    )


@pytest.mark.parametrize("right", RIGHT_SIDES)
def test_columns_are_formulaics(right):
    data = example()
    expected = formulaic.model_matrix(right, data, context={})
    made = build_design(f"y ~ {right}", data)
    assert made.column_names == list(expected.columns)
    np.testing.assert_array_equal(made.matrix, expected.to_numpy(dtype=float))
    assert made.matrix.flags.f_contiguous
    np.testing.assert_array_equal(made.y, data["y"])
    assert made.index.equals(data.index)
    assert [name for name, _ in made.terms] == ["Intercept" if t == "1" else str(t) for t in expected.model_spec.terms]
    assert [made.column_names[where] for _, where in made.terms] == [
        [expected.columns[j] for j in places] for places in expected.model_spec.term_indices.values()
    ]


@pytest.mark.parametrize("right", RIGHT_SIDES)
def test_round_trip_and_single_rows(right):
    data = example()
    made = build_design(f"y ~ {right}", data)
    np.testing.assert_array_equal(made.design.matrix(data.drop(columns="y")).matrix, made.matrix)
    few = made.design.matrix(data.iloc[[7, 3]])
    np.testing.assert_allclose(few.matrix, made.matrix[[7, 3]], rtol=1e-13, atol=1e-13)
    assert list(few.index) == ["row 7", "row 3"]


@pytest.mark.parametrize("right", RIGHT_SIDES)
def test_tabmat_has_the_same_columns(right):
    data = example()
    dense = build_design(f"y ~ {right}", data)
    made = build_design(f"y ~ {right}", data, layout="tabmat")
    assert made.column_names == dense.column_names
    np.testing.assert_allclose(made.matrix.toarray(), dense.matrix, rtol=1e-15)
    np.testing.assert_allclose(made.matrix[5:9].toarray(), dense.matrix[5:9], rtol=1e-15)  # a block, without a copy
    np.testing.assert_allclose(made.design.matrix(data.iloc[:5]).matrix.toarray(), dense.matrix[:5], atol=1e-13)


def test_wide_factors_are_never_expanded(monkeypatch):
    data = example(400).assign(wide=np.resize(np.arange(100), 400))
    monkeypatch.setattr(expand, "WIDE_BYTES", 400 * 50 * 8)
    made = build_design("y ~ x + C(wide) + C(wide):z", data)
    assert isinstance(made.matrix, tabmat.SplitMatrix)
    kinds = {type(part) for part in made.matrix.matrices}
    assert kinds == {tabmat.DenseMatrix, tabmat.CategoricalMatrix, tabmat.SparseMatrix}
    dense = build_design("y ~ x + C(wide) + C(wide):z", data, layout="dense")
    np.testing.assert_array_equal(made.matrix.toarray(), dense.matrix)
    assert isinstance(build_design("y ~ x + C(k)", data).matrix, np.ndarray)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), right=st.sampled_from(["x * a", "bs(x, df=4) + C(k, Sum)", "poly(z, 2):b + center(x)"])
)
def test_rows_follow_their_permutation(seed, right):
    data = example()
    order = np.random.default_rng(seed).permutation(N)
    made, shuffled = (build_design(f"y ~ {right}", d, extras={"offset": "log(z)"}) for d in (data, data.iloc[order]))
    assert shuffled.column_names == made.column_names
    np.testing.assert_allclose(shuffled.matrix, made.matrix[order], rtol=1e-11, atol=1e-11)
    np.testing.assert_array_equal(shuffled.y, made.y[order])
    np.testing.assert_array_equal(shuffled.extras["offset"], made.extras["offset"][order])
    assert list(shuffled.index) == list(made.index[order])


@settings(max_examples=25, deadline=None)
@given(
    holes=st.dictionaries(
        st.sampled_from(["y", "x", "z", "a", "unused", "array"]), st.sets(st.integers(0, N - 1), max_size=4), max_size=4
    )
)
def test_rows_with_a_missing_value_are_dropped_together(holes):
    data = example().assign(unused=1.0, y=lambda d: d["y"].astype(float))
    array = np.arange(float(N))
    for name, rows in holes.items():
        if name == "array":
            array[list(rows)] = np.nan
        else:
            data.iloc[list(rows), data.columns.get_loc(name)] = None
    gone = sorted(set().union(*(rows for name, rows in holes.items() if name != "unused")))
    stay = np.setdiff1d(np.arange(N), gone)
    made = build_design("y ~ x + a", data, extras={"offset": "log(z)", "weights": array})
    assert made.n_missing == len(gone)
    assert (made.kept is None) == (not gone)
    assert list(made.index) == [f"row {i}" for i in stay]
    clean = build_design(
        "y ~ x + a", data.iloc[stay].drop(columns="unused"), extras={"offset": "log(z)", "weights": array[stay]}
    )
    np.testing.assert_array_equal(made.matrix, clean.matrix)
    np.testing.assert_array_equal(made.y, clean.y)
    for name in ("offset", "weights"):
        np.testing.assert_array_equal(made.extras[name], clean.extras[name])
    counted = {"offset" if name == "z" else "weights" if name == "array" else name: len(r) for name, r in holes.items()}
    assert made.missing_in == {name: n for name, n in counted.items() if n and name != "unused"}


def test_transforms_learn_from_rows_that_have_values():
    data = example()
    data.iloc[3, data.columns.get_loc("x")] = np.nan
    for term in ("center(x)", "bs(x, df=4)", "cr(x, df=4)", "poly(x, 2)", "scale(x)"):
        made = build_design(f"y ~ {term}", data)
        clean = build_design(f"y ~ {term}", data.drop(index="row 3"))
        np.testing.assert_allclose(made.matrix, clean.matrix, rtol=1e-13, atol=1e-14)
        again = made.design.matrix(data)
        assert again.kept.sum() == N - 1
        np.testing.assert_allclose(again.matrix, made.matrix, rtol=1e-13, atol=1e-14)


def test_knots_and_levels_are_frozen():
    made = build_design("y ~ bs(x, df=5) + center(z) + C(k)", example())
    design = made.design
    assert design.levels == {"C(k)": [1, 2, 3, 4]}
    new = pd.DataFrame({"x": [0.0, 0.1], "z": [5.0, 5.0], "k": [3, 3]})
    rows = design.matrix(new).matrix
    np.testing.assert_array_equal(rows[:, design.column_names.index("center(z)")], 5.0 - example()["z"].mean())
    np.testing.assert_array_equal(rows[:, -3:], [[0, 1, 0], [0, 1, 0]])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(design)).matrix(new).matrix, rows)


def test_two_names_that_look_alike_learn_apart():
    data = {"y": [1, 2, 3], "w w": [1.0, 2.0, 6.0], "w.w": [0.0, 0.0, 3.0], "w_w": [9.0, 9.0, 0.0]}
    made = build_design("y ~ center(`w w`) + center(`w.w`) + center(w_w)", data)
    np.testing.assert_array_equal(made.matrix[:, 1:], [[-2, -1, 3], [-1, -1, 3], [3, 2, -6]])
    np.testing.assert_array_equal(made.design.matrix({"w w": 3.0, "w.w": 1.0, "w_w": 6.0}).matrix, [[1, 0, 0, 0]])


def test_numbers_let_go_are_computed_again(monkeypatch):
    data = example()
    expected = build_design("y ~ log(z) + x:z + bs(x, df=4)", data).matrix
    monkeypatch.setattr(evaluate, "HELD_BYTES", 0)
    np.testing.assert_array_equal(build_design("y ~ log(z) + x:z + bs(x, df=4)", data).matrix, expected)


def test_unused_levels_are_left_out():
    data = example()
    data["a"] = pd.Categorical(data["a"], categories=["d", "e", "c", "b", "a"])
    made = build_design("y ~ a", data)
    assert made.column_names == ["Intercept", "a[T.c]", "a[T.b]", "a[T.a]"]
    with pytest.raises(ValueError, match="'a' has the unknown level 'e' in 1 row"):
        made.design.matrix({"a": ["e"]})
    assert build_design("y ~ a", data[data["a"] != "d"]).column_names == ["Intercept", "a[T.b]", "a[T.a]"]


FRAMES = {
    "polars": pl.from_pandas,
    "lazy polars": lambda d: pl.from_pandas(d).lazy(),
    "pyarrow": lambda d: pa.Table.from_pandas(d, preserve_index=False),
    "arrays": lambda d: {name: d[name].to_numpy() for name in d},
    "lists": lambda d: d.to_dict("list"),
    "records": lambda d: d.to_records(index=False),
    "nullable": lambda d: d.convert_dtypes(),
    "arrow types": lambda d: d.convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda d: d.astype(object),
}


@pytest.mark.parametrize("convert", FRAMES.values(), ids=FRAMES)
def test_every_kind_of_frame(convert):
    data = example()
    data.loc["row 5", "x"] = None
    data.loc["row 9", "a"] = None
    expected = build_design("y ~ x * a + C(k) + bs(z, df=4)", data, extras={"offset": "log(z)"})
    made = build_design("y ~ x * a + C(k) + bs(z, df=4)", convert(data), extras={"offset": "log(z)"})
    assert made.column_names == expected.column_names
    assert made.n_missing == 2
    np.testing.assert_array_equal(made.matrix, expected.matrix)
    np.testing.assert_array_equal(made.extras["offset"], expected.extras["offset"])
    new = made.design.matrix(convert(data))
    np.testing.assert_array_equal(new.matrix, expected.matrix)


def test_polars_levels():
    data = pl.DataFrame({"y": [1, 2, 3], "g": ["b", "a", "c"]})
    enum = data.with_columns(pl.col("g").cast(pl.Enum(["c", "b", "a"])))
    assert build_design("y ~ g", enum).column_names == ["Intercept", "g[T.b]", "g[T.a]"]
    assert build_design("y ~ g", data.cast({"g": pl.Categorical})).column_names == ["Intercept", "g[T.b]", "g[T.c]"]


def test_responses():
    x = [1.0, 2.0, 4.0]
    for values, levels in (
        ([True, False, True], [False, True]),
        (["yes", "no", "yes"], ["no", "yes"]),
        (pd.Categorical(["no", "yes", "no"], categories=["yes", "no"]), ["yes", "no"]),
    ):
        made = build_design("y ~ x", {"y": values, "x": x})
        assert (made.y.tolist(), made.y_levels) == ([1.0, 0.0, 1.0], levels)
    beetles = datasets.load("beetles")
    both = np.column_stack([beetles["killed"], beetles["n"] - beetles["killed"]])
    for left in ("killed + I(n - killed)", "cbind(killed, n - killed)"):
        np.testing.assert_array_equal(build_design(f"{left} ~ dose", beetles).y, both)
    made = build_design("I(killed / n) ~ dose", beetles)
    np.testing.assert_array_equal(made.y, beetles["killed"] / beetles["n"])
    assert made.y_name == "I(killed / n)"
    assert build_design("~ dose", beetles).y is None


def test_extras_and_their_evaluation_on_new_data():
    ships = datasets.load("ships")
    made = build_design(
        "incidents ~ C(type)",
        ships,
        extras={"offset": "log(service)", "w": "service", "a": pd.Series(1, index=ships.index), "none": None},
    )
    assert list(made.extras) == ["offset", "w", "a"]
    np.testing.assert_array_equal(made.extras["offset"], np.log(ships["service"]))
    np.testing.assert_array_equal(made.design.evaluate("log(service)", {"service": [1.0, np.e]}), [0.0, 1.0])
    centred = build_design("incidents ~ 1", ships, extras={"offset": "center(service)"})
    assert centred.design.evaluate("center(service)", {"service": [0.0]}) == -ships["service"].mean()


def test_names_of_the_caller():
    data = example()
    outside = np.arange(float(N))
    context = {"twice": lambda v: 2 * v, "places": [0.0], "outside": outside, "C": 3, "unused": object()}
    made = build_design(
        "y ~ twice(x) + bs(x, knots=places) + log1p(outside) + C(k)", data, context=context | {"log1p": np.log1p}
    )
    np.testing.assert_array_equal(made.matrix[:, 1], 2 * data["x"])
    assert {"twice", "places", "outside", "log1p"} == set(made.design.context)
    with pytest.raises(ValueError, match="the new data has no column 'outside'"):
        made.design.matrix(data)
    new = made.design.matrix(data.assign(outside=outside))
    np.testing.assert_array_equal(new.matrix, made.matrix)


def test_all_other_columns():
    assert build_design("y ~ . - z", {"y": [1, 2], "x": [1, 3], "z": [1, 2]}).column_names == ["Intercept", "x"]


def test_order_of_patsy():
    made = build_design("y ~ x + a + x:a + z", example(), order="patsy")
    assert [name for name, _ in made.terms] == ["Intercept", "a", "x", "x:a", "z"]


def test_formulas_own_order_is_by_degree_as_written():
    made = build_design("y ~ x*z + a + b:a + b", example())
    assert [name for name, _ in made.terms] == ["Intercept", "x", "z", "a", "b", "x:z", "b:a"]


def test_masked_values_are_missing():
    data = {
        "y": [1.0, 2.0, 3.0, 4.0, 5.0],
        "x": np.ma.masked_equal([1, 9, 3, 5, 4], 9),
        "g": np.ma.masked_array(["a", "b", "b", "a", "b"], [0, 0, 1, 0, 0]),
        "f": np.ma.masked_array([True, False, False, True, False], [0, 0, 0, 0, 0]),
    }
    made = build_design("y ~ x + g + f", data)
    assert made.kept.tolist() == [True, False, False, True, True]
    assert made.column_names == ["Intercept", "x", "g[T.b]", "f[T.True]"]
    np.testing.assert_array_equal(made.matrix[:, 1], [1.0, 5.0, 4.0])
    structured = np.ma.masked_array([(1.0, 2.0), (2.0, 9.0)], [(0, 0), (0, 1)], dtype=[("y", float), ("x", float)])
    assert build_design("y ~ 1 + x", structured).n_missing == 1
