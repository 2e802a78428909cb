"""Bad input to a GLM is refused before any work, in one sentence: the rule, the column and rows, the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf

CRABS = nf.datasets.load("crabs")
Y = CRABS["sat"].to_numpy(float)
X = np.column_stack([np.ones(len(Y)), CRABS["width"], CRABS["weight"]])


def formula(text: str, data: pd.DataFrame = CRABS, **options: Any) -> Callable[[], Any]:
    return lambda: nf.GLM.from_formula(text, data, **{"family": "poisson", **options})


def arrays(y: Any = Y, x: Any = X, **options: Any) -> Callable[[], Any]:
    return lambda: nf.GLM(y, x, **{"family": "poisson", **options})


def changed(column: str, row: int, value: float) -> pd.DataFrame:
    data = CRABS.assign(sat=CRABS["sat"].astype(float))
    data.loc[row, column] = value
    return data


REFUSED: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "negative counts": (formula("sat ~ width", changed("sat", 3, -1.0)), ["'sat'", "1 negative", "row 3", "0 or more"]),
    "zeros for gamma": (formula("sat ~ width", family="gamma"), ["above 0", "62", "rows 1, 3, 5", "tweedie"]),
    "proportions above 1": (formula("sat ~ width", family="binomial"), ["between 0 and 1", "95", "trials="]),
    "NaN": (arrays(x=np.where(X > 30, np.nan, X)), ["missing values", "'x1'", "6 rows (49, 114,", "missing='drop'"]),
    "NaN with raise": (formula("sat ~ width", changed("width", 7, np.nan), missing="raise"), ["'width'", "1 row (7)"]),
    "infinity": (formula("sat ~ width", changed("width", 5, np.inf)), ["infinite", "'width'", "1 row (5)"]),
    "no rows": (formula("sat ~ width", CRABS.iloc[:0]), ["no rows"]),
    "all zeros": (lambda: formula("I(sat * 0) ~ width")().fit(), ["no maximum", "all 173 values", "log link"]),
    "all ones": (lambda: formula("I(sat * 0 + 1) ~ width", family="binomial")().fit(), ["no maximum", "logit link"]),
    "all zeros under an identity": (
        lambda: formula("I(sat * 0) ~ width", link="identity")().fit(),
        ["no maximum", "very edge"],
    ),
    "all zeros under a Gaussian's log": (
        lambda: formula("I(sat * 0) ~ width", family="gaussian", link="log")().fit(),
        ["no maximum", "log link"],
    ),
    "columns that overflow": (lambda: arrays(x=X * [1.0, 1e200, 1.0])().fit(), ["squares", "'x1'", "units"]),
    "columns that vanish": (lambda: arrays(x=X * [1.0, 1e-200, 1.0])().fit(), ["squares", "'x1'", "units"]),
    "a response that overflows": (lambda: arrays(Y * 1e300)().fit(), ["overflows", "units"]),
    "a dispersion that is not there": (arrays(dispersion="ml"), ["poisson", "'pearson'"]),
    "a log-likelihood of no kind": (lambda: arrays()().fit().loglik("mean"), ["'ml'", "'mean'"]),
    "a log-likelihood at no dispersion": (lambda: arrays()().fit().loglik(-1), ["greater than 0", "-1"]),
    "a negative tolerance": (lambda: arrays()().fit(tol=-1), ["0 or more", "-1"]),
    "a column that is not there": (formula("sat ~ widht"), ["no column 'widht'", "did you mean 'width'"]),
    "an offset that is not there": (formula("sat ~ width", offset="wdth"), ["no column 'wdth'", "'width'"]),
    "an unknown family": (formula("sat ~ width", family="poison"), ["'poison'", "did you mean 'poisson'", "tweedie"]),
    "a family that is no response": (formula("sat ~ width", family="beta"), ["beta", "poisson"]),
    "an unknown link": (formula("sat ~ width", link="lgo"), ["'lgo'", "did you mean 'log'", "softplus"]),
    "a link that does not fit": (formula("sat ~ width", link="logit"), ["logit", "poisson", "log"]),
    "negative weights": (arrays(freq_weights=-np.ones(173)), ["freq_weights", "negative", "173 rows"]),
    "weights all zero": (arrays(var_weights=np.zeros(173)), ["var_weights", "zero in all 173"]),
    "lengths that differ": (arrays(Y[:-1]), ["173", "172"]),
    "an offset of another length": (arrays(offset=np.ones(5)), ["'offset' has 5 rows", "173"]),
    "exposure not positive": (arrays(exposure=Y), ["exposure", "above zero", "62 rows"]),
    "exposure without log": (arrays(exposure=Y + 1, link="sqrt"), ["exposure", "log link", "offset="]),
    "three levels": (
        formula("kind ~ width", CRABS.assign(kind=CRABS["color"].astype(str)), family="binomial"),
        ["two levels", "has 4"],
    ),
    "text for a count": (
        formula("kind ~ width", CRABS.assign(kind=np.where(Y > 0, "a", "b"))),
        ["poisson", "'a'", "'b'"],
    ),
    "text in a design": (arrays(x=CRABS.assign(kind="a")[["width", "kind"]]), ["'kind'", "not numbers"]),
    "two columns for a count": (arrays(np.column_stack([Y, Y])), ["2 columns", "binomial"]),
    "trials for a count": (arrays(trials=np.ones(173)), ["trials", "binomial"]),
    "no design": (arrays(x=None), ["design", "np.ones"]),
    "no response": (formula("~ width"), ["names no response"]),
    "an alpha below 0": (lambda: nf.families.NegativeBinomial(-1.0), ["alpha", "0 or more", "-1"]),
    "a power out of range": (lambda: nf.families.Tweedie(2.5), ["between 1 and 2", "2.5"]),
    "a dispersion that is none": (arrays(dispersion="median"), ["'median'", "'pearson'"]),
    "a start of another length": (lambda: arrays()().fit(start_params=[1.0]), ["start_params", "3"]),
    "a start outside the domain": (
        lambda: arrays(link="identity")().fit(start_params=[-100.0, 0.0, 0.0]),
        ["start_params", "domain"],
    ),
    "an unknown covariance": (lambda: arrays()().fit(cov_type="HC9"), ["'HC9'", "HC0"]),
    "aliased columns refused": (
        lambda: arrays(x=np.column_stack([X, 2 * X[:, 1]]))().fit(rank="raise"),
        ["x3 is a linear combination of x1", "rank='drop'"],
    ),
    "an unknown rank": (lambda: arrays()().fit(rank="guess"), ["'guess'"]),
    "an unknown stopping rule": (lambda: arrays()().fit(tol_criterion="norm"), ["'norm'", "decrement"]),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda name: name.replace(" ", "_"))
def test_bad_input_is_refused_in_one_sentence(case: str) -> None:
    call, parts = REFUSED[case]
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the parts below are the match
        call()
    message = str(refusal.value)
    for part in parts:
        assert part in message
    assert "\n" not in message
    assert message.rstrip(".").count(". ") == 0 or "did you mean" in message


def test_an_optimizer_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match=r"an optimizer is a natfit\.optimize\.Optimizer"):
        arrays()().fit(optimizer=3.0)
    with pytest.raises(ValueError, match="unknown optimizer 'sgd': choose one of gradient_descent"):
        arrays()().fit(optimizer="sgd")


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="weigths"):
        arrays(weigths=Y)()


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ({"width": [20.0, 30.0], "color": [1, 9]}, ["level 9", "1 row (1)", "known levels are 1, 2, 3, 4"]),
        ({"width": [20.0, 30.0]}, ["no column 'color'"]),
    ],
)
def test_prediction_refuses_rows_it_can_not_use(rows: dict[str, Any], parts: list[str]) -> None:
    fit = formula("sat ~ width + C(color)")().fit()
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        fit.predict(pd.DataFrame(rows))
    for part in parts:
        assert part in str(refusal.value)


def test_prediction_refuses_a_design_of_another_width() -> None:
    with pytest.raises(ValueError, match="2 columns and the model has 3"):
        arrays()().fit().predict(np.ones((4, 2)))


def test_testing_an_aliased_coefficient_is_refused() -> None:
    fit = arrays(x=np.column_stack([X, 2 * X[:, 1]]))().fit()
    with pytest.raises(ValueError, match="x3 is aliased"):
        fit.t_test([0.0, 0.0, 0.0, 1.0])
    assert fit.t_test([0.0, 1.0, 0.0, 0.0]).pvalue == pytest.approx(arrays()().fit().pvalues[1])


def test_one_response_in_many_that_is_no_limit_is_enough() -> None:
    y, X = np.zeros(20_000), np.ones((20_000, 1))
    with pytest.raises(ValueError, match="all 20000 values of 'y' lie at 0"):
        nf.GLM(y, X, family="poisson").fit()
    y[-1] = 1.0
    assert nf.GLM(y, X, family="poisson").fit().params[0] == pytest.approx(np.log(1 / 20_000), rel=1e-12)
