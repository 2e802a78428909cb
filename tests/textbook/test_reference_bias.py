"""Firth's penalised likelihood against R's brglm 0.7.2 (br.epsilon 1e-12); the iris case is completely separated."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import natfit as nf

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "reference" / "inference.json").read_text(encoding="utf-8"))
    if case["kind"] == "firth"
}
FORMULAS = {
    "firth_beetles": ("I(killed / n) ~ dose", "n"),
    "firth_budworm": ("I(numdead / n) ~ C(sex) * ldose", "n"),
    "firth_iris_setosa": ("I(Species == 'setosa') ~ Q('Sepal.Length') + Q('Sepal.Width')", None),
}


def test_no_case_is_left_out() -> None:
    assert set(CASES) == set(FORMULAS)


@pytest.mark.parametrize("kind", ["firth", "mean"])
@pytest.mark.parametrize("name", FORMULAS)
def test_bias_reduced_estimates_and_standard_errors(name: str, kind: str) -> None:
    case: dict[str, Any] = CASES[name]
    formula, trials = FORMULAS[name]
    data = nf.datasets.load(Path(case["data"]).stem)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no warning of separation: the estimates are finite
        fit = nf.GLM.from_formula(formula, data, family="binomial", trials=trials).fit(bias_reduction=kind)
    assert fit.converged
    digits = 0.5e-7
    errors = np.array(list(case["se"].values()))
    # an estimate's digits count from the larger of itself and its standard error
    size = np.maximum(np.abs(list(case["estimate"].values())), errors)
    assert np.all(np.abs(fit.params - list(case["estimate"].values())) <= digits * size)
    np.testing.assert_allclose(fit.bse, errors, rtol=digits)
    np.testing.assert_allclose(fit.fittedvalues[:5], case["fitted5"], rtol=digits)
    said = "Firth's (Jeffreys prior)" if kind == "firth" else "the same as Firth's"
    assert said in fit.summary().as_text()
