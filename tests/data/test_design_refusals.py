"""What a formula or its data can't have, each refused in one sentence that names it."""

import numpy as np
import pandas as pd
import pytest

from natfit import datasets
from natfit.data.formulas.design import build_design

CRABS = datasets.load("crabs")

FORMULAS = {
    "sat ~ widht": "the data has no column 'widht'; did you mean 'width' or 'weight'?",
    "satt ~ width": "the data has no column 'satt'; did you mean 'sat'?",
    "sat ~ log(widht)": "the data has no column 'widht'; did you mean 'width' or 'weight'?",
    "sat ~ Q('widht')": "the data has no column 'widht'; did you mean 'width' or 'weight'?",
    "sat ~ lgo(width)": "the formula calls lgo(), which is neither a transform nor a function in the caller's reach; "
    "did you mean 'log' or 'lag'?",
    "sat ~ (width": "can't read the formula 'sat ~ (width': Could not find matching context marker",
    "sat ~ width +": "can't read the formula 'sat ~ width +': Operator `+` has insufficient arguments and/or is misplaced",
    "sat ~ log(width": "can't read the formula 'sat ~ log(width'",
    "sat ~ width > 25": "can't read the formula 'sat ~ width > 25': Unknown operator '>'; write comparisons inside I(), as "
    "in I(x > 0)",
    "sat ~ width | color": "the formula 'sat ~ width | color' has several parts (|), and here one predictor is wanted",
    "sat ~ 0": "the design has no columns; give it at least a constant",
    "1 ~ width": "the left side of the formula, 1, is not a response; name a column there",
    "C(color) ~ width": "the response 'C(color)' must have two levels, and has 4 in the rows used (1, 2, 3, 4); the second "
    "of two is modelled",
    "C(y) + sat ~ width": "the response C(y) + sat mixes levels and numbers; name one column of levels, or counts",
    "sat ~ log(y)": "'log(y)' has infinite values in 62 rows (1, 3, 5, 6, 7, ...); drop those rows or mend the values",
    "log(sat) ~ y": "'log(sat)' has infinite values in 62 rows (1, 3, 5, 6, 7, ...); drop those rows or mend the values",
    "sat ~ C(color, Treatment(9))": "the levels of 'C(color, Treatment(9))' can't be coded: Value `9` for "
    "`TreatmentContrasts.base` is not among the provided levels; its levels are 1, 2, 3, 4",
    "sat ~ C(color, levels=[1, 2])": "'C(color, levels=[1, 2])' leaves out the levels 3, 4 that 66 rows "
    "(1, 3, 4, 7, 9, ...) have; name all levels, or leave those rows out",
    "sat ~ C(color, [[1], [2]])": "the levels of 'C(color, [[1], [2]])' can't be coded: ",
    "sat ~ C(color, log)": "'C(color, log)' can't be computed from the data: TypeError: log is not a way to code a factor",
    "sat ~ width.foo(3)": "'width.foo(3)' can't be computed from the data: AttributeError: ",
    "sat ~ bs(width, df=2)": "'bs(width, df=2)' can't be computed from the data: ValueError: ",
    "sat ~ I(width + crab[:3].to_numpy())": "can't be computed from the data: ValueError: ",
    "sat ~ np.unique(color)": "'np.unique(color)' has shape (4,), and the data has 173 rows",
    "sat ~ I(1e300 * width):I(1e300 * width**2)": "has infinite values in 173 rows (0, 1, 2, 3, 4, ...)",
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula):
    with pytest.raises(ValueError, match=r"^.*$") as caught:
        build_design(formula, CRABS)
    assert FORMULAS[formula] in str(caught.value)


def refused(data, formula="sat ~ width", **options):
    with pytest.raises((ValueError, TypeError)) as caught:
        build_design(formula, data, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_missing_values():
    data = CRABS.assign(
        width=CRABS["width"].mask(CRABS.index % 50 == 3), color=CRABS["color"].mask(CRABS.index == 7), never=np.nan
    )
    for option in ("raise", "none"):
        assert refused(data, "sat ~ width + C(color)", missing=option) == (
            "missing values in 'width': 4 rows (3, 53, 103, 153), 'C(color)': 1 row (7); drop those rows with "
            "missing='drop', or fill them in"
        )
    assert refused(CRABS, missing="raise", extras={"offset": np.where(CRABS.index == 2, np.nan, 1)}).startswith(
        "missing values in 'offset': 1 row (2);"
    )
    assert refused(data, "sat ~ never") == "there are no rows to fit; all 173 have a missing value"
    assert refused(CRABS, missing="x") == "missing must be 'drop', 'raise' or 'none'; got 'x'"


def test_infinite_values_are_named_by_their_place_in_the_data():
    data = CRABS.assign(
        width=CRABS["width"].mask(CRABS.index == 0), weight=CRABS["weight"].mask(CRABS.index % 70 == 1, np.inf)
    )
    for option in ("drop", "raise", "none"):
        assert refused(data, "sat ~ weight", missing=option).startswith(
            "'weight' has infinite values in 3 rows (1, 71, 141)"
        )
    assert refused(data, "sat ~ width + weight").startswith("'weight' has infinite values in 3 rows (1, 71, 141)")
    assert refused(data, "sat ~ width", extras={"offset": "weight"}).startswith(
        "'offset' has infinite values in 3 rows (1,"
    )
    both = data.assign(width=data["width"].mask(data.index % 70 == 1))
    assert build_design("sat ~ width + weight", both).n_missing == 4  # the infinite ones go with the missing ones


def test_extras():
    assert refused(CRABS, extras={"offset": np.ones(5)}) == (
        "'offset' has 5 rows and 'data' has 173; both must have one entry for each row"
    )
    assert refused(CRABS, extras={"offset": "log(wdth)"}) == "the data has no column 'wdth'; did you mean 'width'?"
    assert refused(CRABS, extras={"w": "C(color)"}) == "'w' must be one column of numbers, and 'C(color)' is not"
    assert refused(CRABS, extras={"w": 3.0}) == "'w' must have one number for each row; it has shape ()"
    assert refused(CRABS, extras={"w": ["a"] * 173}).startswith("'w' holds text, not numbers;")
    assert refused(CRABS, extras={"w": pd.Series(1, index=CRABS.index[::-1])}) == (
        "the row labels of 'w' are those of the data in another order; sort it to match them"
    )


def test_data():
    assert refused(CRABS.iloc[:0]) == "there are no rows to fit; the data are empty"
    assert refused(5).startswith(
        "the data must be a DataFrame (pandas, polars, pyarrow ...) or a mapping of columns; got int"
    )
    assert refused(pd.concat([CRABS, CRABS], axis=1)) == (
        "2 columns of the data are called 'sat'; a name must belong to one column"
    )
    assert refused(CRABS.assign(one="k"), "sat ~ one") == (
        "'one' has one level ('k') in the rows used, so there is no effect to estimate; leave it out of the formula"
    )
    assert refused(CRABS.assign(day=pd.Timestamp("2020-01-01")), "sat ~ day") == (
        "'day' holds dates or times, which are not numbers; turn it into numbers, or write C() for levels"
    )
    assert refused({"sat": [1, 2], "width": [1]}).startswith("'width' has 1 row and 'sat' has 2;")
    assert (
        refused({"sat": [1, 2], "width": np.ones((2, 2))})
        == "column 'width' must be one-dimensional; it has shape (2, 2)"
    )
    assert refused({"sat": pd.Series([1, 2]), "width": pd.Series([1, 2], index=[1, 0])}) == (
        "'width' and 'sat' have different row labels; put them into one DataFrame, or pass arrays"
    )
    iris = datasets.load("iris").rename(columns={"Sepal.Length": "y"})
    assert refused(iris, "y ~ log(Sepal.Width)") == (
        "the column 'Sepal.Width' has a dot in its name; write `Sepal.Width` in backquotes"
    )


def test_options():
    assert refused(CRABS, layout="x") == "layout must be one of 'auto', 'apart', 'dense', 'tabmat'; got 'x'"
    assert refused(CRABS, order="x") == "order must be one of 'formula', 'patsy'; got 'x'"
    assert refused(CRABS, 5) == "a formula is text, as in 'y ~ x'; got int"


NEW_ROWS = {
    "'C(color)' has the unknown levels 8, 9 in 2 rows (1, 2) of the new data; the known levels are 1, 2, 3, 4": {
        "width": [1.0, 2.0, 3.0],
        "color": [1, 9, 8],
    },
    "the new data has no column 'color'": {"width": [1.0]},
    "'width' was numbers when the model was fitted, and is levels or text in the new data": {
        "width": ["a"],
        "color": [1],
    },
    "'C(color)' has the unknown level '1' in 1 row (0) of the new data; the known levels are 1, 2, 3, 4": {
        "width": [1.0],
        "color": ["1"],
    },
    "'width' has infinite values in 1 row (0); drop those rows or mend the values": {"width": [np.inf], "color": [1]},
    "missing values in 'width': 1 row (0); drop those rows with missing='drop', or fill them in": {
        "width": [np.nan, 3.0],
        "color": [1, 2],
    },
}


@pytest.mark.parametrize("message", NEW_ROWS)
def test_new_rows(message):
    design = build_design("sat ~ width + C(color)", CRABS).design
    with pytest.raises(ValueError, match=r"^.*$") as caught:
        design.matrix(NEW_ROWS[message], missing="raise")
    assert str(caught.value) == message


def test_new_rows_beyond_the_knots():
    design = build_design("sat ~ bs(width, df=4)", CRABS).design
    with pytest.raises(ValueError, match=r"'bs\(width, df=4\)' can't be computed from the new data: .*extend beyond"):
        design.matrix({"width": [99.0]})


def test_other_kinds_of_new_rows():
    design = build_design("sat ~ a", {"sat": [1, 2, 3], "a": ["x", "y", "x"]}).design
    with pytest.raises(ValueError, match=r"'a' has the unknown level 3.0 in 1 row \(0\) of the new data"):
        design.matrix({"a": [3.0]})
    np.testing.assert_array_equal(design.matrix(pd.Series({"a": "y"})).matrix, [[1, 1]])
    np.testing.assert_array_equal(design.matrix({"a": [None, "x"]}).matrix, [[1, 0]])
