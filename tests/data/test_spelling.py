"""Spellings that patsy and R know: translated to the same values as patsy's, or refused with what to write instead."""

import numpy as np
import pandas as pd
import patsy
import pytest

from natfit.data.formulas.design import build_design

RNG = np.random.default_rng(3)
DATA = pd.DataFrame(
    {
        "y": RNG.poisson(2, 24),
        "x": RNG.normal(size=24),
        "z": RNG.uniform(1, 2, 24),
        "a": RNG.permutation(list("abc") * 8),
        "b": RNG.permutation(list("uv") * 12),
        "k": RNG.permutation([1, 2, 3] * 8),
        "flag": RNG.permutation([True, False] * 12),
        "weird name": RNG.normal(size=24),
    }
)
SAME_NAMES = [
    "x", "Q('weird name')", "center(Q('weird name'))", "I(x ** 2)", "np.log(z)", "standardize(x)", "center(x)", "x:z",
    "C(a, Treatment)", "C(a, Treatment())", "C(a, Treatment('b'))", "C(a, Treatment(reference='b'))", "C(a, Treatment(1))",
    "C(a, Treatment(-1))", "C(k, Treatment(2))", "C(a, levels=['c', 'a', 'b'])", "C(a, Sum)", "C(a, Helmert)", "C(a)",
    "a * b", "a:b", "0 + a:b", "0 + a", "x:a", "(a + b)**2", "a / b", "(x + z)**2", "x * a - x", "-1 + x", "a + b + a:b:x",
    "flag", "0 + flag", "flag:x", "flag * a", "I(x > 0)", "I(x > 0):a", "C(flag)", "np.where(x > 0, 1, 0)", "x + a + z:b",
]  # fmt: skip
ORDERS = [
    "x*z + k", "x:z + k", "x:z + x", "k + x:z + x + z", "z*x + x:k", "(x + z + k)**2", "(x + z + k)**3", "x/z + k",
    "x:a + x", "x:a:b + x:b + x", "a:b + x + b", "x*a*b + z", "x:z:a + z:x", "x:z:a + z:x + k*b + a", "0 + x:z + a + x",
    "x + 1 + a", "x*z - x + k", "x + I(x**2) + x:I(x**2) + z", "a:x + b:z + x + z", "np.log(z):x + x + np.log(z)",
    "x:flag + x + flag", "(a + x)*(b + z)",
]  # fmt: skip
OTHER_NAMES = [
    'C(a, Treatment(reference="b"))', 'Q("weird name")', "C(a, Diff)", "C(a, Poly)", "bs(x, df=4)", "bs(x, df=5, degree=2)",
    "cr(x, df=4)", "cr(x, df=4, constraints='center')", "cc(x, df=4)", "0 + bs(x, df=5, include_intercept=True)",
]  # fmt: skip


@pytest.mark.parametrize("right", SAME_NAMES)
def test_values_and_names_are_patsys(right):
    expected = patsy.dmatrix(right, DATA, return_type="dataframe")
    made = build_design(f"y ~ {right}", DATA, order="patsy")
    assert made.column_names == list(expected.columns)
    np.testing.assert_allclose(made.matrix, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("right", ORDERS)
def test_order_of_terms_is_patsys(right):
    expected = patsy.dmatrix(right, DATA, return_type="dataframe")
    made = build_design(f"y ~ {right}", DATA, order="patsy")
    assert made.column_names == list(expected.columns)
    np.testing.assert_allclose(made.matrix, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("right", OTHER_NAMES)
def test_values_are_patsys(right):
    expected = patsy.dmatrix(right, DATA, return_type="dataframe")
    np.testing.assert_allclose(build_design(f"y ~ {right}", DATA).matrix, expected, rtol=1e-11, atol=1e-13)


def test_treatment_takes_the_reference_and_names_the_rest():
    made = build_design("y ~ C(a, Treatment('b'))", DATA)
    assert made.column_names == ["Intercept", "C(a, Treatment('b'))[T.a]", "C(a, Treatment('b'))[T.c]"]
    np.testing.assert_array_equal(made.matrix[:, 1:], np.column_stack([DATA["a"] == "a", DATA["a"] == "c"]))


def test_scale_divides_by_n_minus_one_as_r_does():
    made = build_design("y ~ scale(x)", DATA)
    np.testing.assert_allclose(made.matrix[:, 1].std(ddof=1), 1.0, rtol=1e-14)


def test_functions_imported_from_patsy_are_read_as_natfits():
    context = {
        "C": patsy.builtins.C,
        "bs": patsy.bs,
        "Treatment": patsy.Treatment,
        "Sum": patsy.Sum,
        "Q": patsy.builtins.Q,
    }
    for right in ("C(a, Treatment('b'))", "bs(x, df=4)", "Q('weird name')"):
        made = build_design(f"y ~ {right}", DATA, context=context)
        np.testing.assert_array_equal(made.matrix, build_design(f"y ~ {right}", DATA).matrix)


REFUSED = {
    "te(cr(x, df=3), cr(z, df=3))": "a formula can't call te(); tensor-product splines are not available; write the "
    "interaction, as in cr(x, df=4):cr(z, df=4)",
    "x + offset(log(z))": "a formula can't call offset(); give the offset as an argument, as in offset='log(service)'",
    "factor(k)": "a formula can't call factor(); write C(x)",
    "ns(x, df=3)": "a formula can't call ns(); write cr(x, df=4) for a natural cubic spline, or bs(x, df=4)",
    "hashed(a, levels=3)": "a formula can't call hashed(); hashing of levels is not available; write C(x)",
    "x > 0": "can't read the formula 'y ~ x > 0': Unknown operator '>'; write comparisons inside I(), as in I(x > 0)",
    "Q(x)": "'Q(x)' must name one column, as in Q('weird name')",
}


@pytest.mark.parametrize("right", REFUSED)
def test_refused_with_what_to_write(right):
    with pytest.raises(ValueError, match=r"^.*$") as caught:
        build_design(f"y ~ {right}", DATA)
    assert str(caught.value) == REFUSED[right]
