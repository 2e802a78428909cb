"""What a fit is asked in a way that has no answer: each refused in a sentence, none answered with a number."""

import numpy as np
import pytest

import natfit as nf

CRABS = nf.datasets.load("crabs")
NEW = CRABS[:4]


@pytest.fixture(scope="module")
def fit():
    return nf.GLM.from_formula("sat ~ width + C(color)", CRABS, family="poisson").fit()


REFUSED = {
    "a level over 1": (lambda fit: fit.conf_int(alpha=2), "alpha must lie between 0 and 1 .* got 2"),
    "a level of 1": (lambda fit: fit.get_prediction(NEW).conf_int(alpha=0), "alpha must lie between 0 and 1"),
    "a level of a table": (lambda fit: fit.get_prediction(NEW).summary_frame(5), "alpha must lie between 0 and 1"),
    "a profile's level": (lambda fit: fit.profile("width", alpha=0.0).table, "alpha must lie between 0 and 1"),
    "a coefficient's limits": (lambda fit: fit.conf_int(cols=["widht"]), "no coefficient 'widht'; there are Intercept"),
    "a hypothesis of a name": (
        lambda fit: fit.t_test("widht = 0"),
        r"'widht = 0' can't be read .* coefficients Intercept",
    ),
    "several of them": (lambda fit: fit.wald_test("width = 0, wight = 0"), "can't be read"),
    "a hypothesis that is short": (lambda fit: fit.t_test([1, 2]), "weight for each of 5 coefficients, but these have"),
    "an F test that is short": (lambda fit: fit.f_test(np.eye(3)), "weight for each of 5 coefficients, but these have"),
    "a variable not there": (
        lambda fit: fit.comparisons("width", NEW.drop(columns="width")),
        "the new data has no column 'width'",
    ),
    "a slope of it": (lambda fit: fit.slopes("width", NEW.drop(columns="width")), "the new data has no column 'width'"),
    "no rows": (lambda fit: fit.slopes(newdata=NEW[:0]), "effects are taken over rows, and the new data has none"),
    "three values": (lambda fit: fit.comparisons({"width": (1, 2, 3)}), "compared at two values, low and high"),
    "weights that are short": (
        lambda fit: fit.predictions(by="color", hypothesis={"a": [1, 2]}),
        "about 4 estimates needs 4 weights in each row",
    ),
    "weights of two lengths": (
        lambda fit: fit.predictions(by="color", hypothesis={"a": [1, 2], "b": [1, 2, 3, 4]}),
        "about 4 estimates needs 4 weights in each row",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_answer_is_refused(fit, name):
    ask, told = REFUSED[name]
    with pytest.raises(ValueError, match=told):
        ask(fit)


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_limits_of_coefficients_by_name(fit, method):
    by_name, by_number = (fit.conf_int(cols=cols, method=method) for cols in (["width", "Intercept"], [4, 0]))
    assert by_name.index.tolist() == ["width", "Intercept"]
    np.testing.assert_array_equal(by_name, by_number)
