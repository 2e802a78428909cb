"""Distributional regressions of the reference fits, against R's numbers.

Cases, their sources and how each number was made are in ``reference/public.json`` and ``reference/README.md``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf

REFERENCE = json.loads((Path(__file__).parent / "reference" / "public.json").read_text(encoding="utf-8"))
CASES = [case for case in REFERENCE if case["kind"] == "distributional"]


def load(case: dict[str, Any]) -> pd.DataFrame:
    data = nf.datasets.load(Path(case["data"]).stem)
    for name, levels in case.get("levels", {}).items():
        data[name] = pd.Categorical(data[name], categories=levels)
    return data


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_two_formulas(case: dict[str, Any]) -> None:
    second = {"beta": "precision", "zero_inflated_poisson": "inflation"}[case["family"]]
    first = {"beta": "mean", "zero_inflated_poisson": "rate"}[case["family"]]
    left, right = case["formula"].values()
    formula = {first: left, second: f"~ {right}"}
    fit = nf.DistributionalRegression.from_formula(formula, load(case), family=case["family"]).fit()
    expected = case["expected"]
    assert fit.converged
    assert fit.llf == pytest.approx(expected["loglik"], rel=1e-10)
    assert fit.aic == pytest.approx(expected["aic"], rel=1e-9)
    assert fit.bic == pytest.approx(expected["bic"], rel=1e-9)
    kinds = {"se": "observed" if expected["se_type"].startswith("observed") else "expected", "se_observed": "observed"}
    for theirs, own in zip(expected["coefficients"], (first, second), strict=True):
        assert list(fit.part(own).index) == list(expected["coefficients"][theirs])
        for name, numbers in expected["coefficients"][theirs].items():
            place = fit.model.exog_names.index(f"{own}:{name}")
            assert fit.params.iloc[place] == pytest.approx(numbers["estimate"], rel=1e-6, abs=1e-6 * numbers["se"])
            for key, kind in kinds.items():
                if key in numbers:
                    se = np.sqrt(fit.cov_params(information=kind).iloc[place, place])
                    assert se == pytest.approx(numbers[key], rel=1e-6)
    np.testing.assert_allclose(fit.fittedvalues.iloc[:5], expected["fitted5"], rtol=1e-6)


def reference(name: str) -> dict[str, Any]:
    return next(case for case in REFERENCE if case["id"] == name)


@pytest.mark.parametrize("name", ["pneumo_multinomial", "pneumo_cumulative_logit"])
def test_classes(name: str) -> None:
    case = reference(name)
    expected, family = case["expected"], case["family"]
    data = nf.datasets.load("pneumo")
    model = nf.DistributionalRegression.from_formula(
        "normal + mild + severe ~ logt", data=data, family=family, links="logit"
    )
    fit = model.fit()
    assert fit.llf == pytest.approx(expected["loglik"], rel=1e-10)
    assert len(fit.params) == len(expected["coefficients"])
    for label, numbers in expected["coefficients"].items():
        ours = f"{label}:Intercept" if label.startswith("Y>=") else label
        assert fit.params[ours] == pytest.approx(numbers["estimate"], rel=1e-6)
        assert fit.bse[ours] == pytest.approx(numbers["se"], rel=1e-6)
    np.testing.assert_allclose(fit.predict().iloc[:5], expected["fitted5"], rtol=1e-6)
    assert list(fit.predict().columns) == ["normal", "mild", "severe"]


@pytest.mark.parametrize("case", [c for c in REFERENCE if c["family"] == "negative_binomial"], ids=lambda c: c["id"])
def test_negative_binomials(case: dict[str, Any]) -> None:
    expected = case["expected"]
    data = nf.datasets.load(Path(case["data"]).stem)
    model = nf.DistributionalRegression.from_formula(case["formula"], data, family="negative_binomial")
    fit = model.fit(cov_type="OIM")
    assert fit.llf == pytest.approx(expected["loglik"], rel=1e-9)
    for label, numbers in expected["coefficients"].items():
        assert fit.params[f"mean:{label}"] == pytest.approx(numbers["estimate"], rel=1e-6)
        assert fit.bse[f"mean:{label}"] == pytest.approx(numbers["se_joint"], rel=1e-6)
    assert np.exp(fit.params["alpha:Intercept"]) == pytest.approx(1.0 / expected["theta"], rel=1e-6)
    if "log_theta_se_joint" in expected:
        assert fit.bse["alpha:Intercept"] == pytest.approx(expected["log_theta_se_joint"], rel=1e-6)
    # mean and alpha are orthogonal: the expected information gives the mean the errors of a known alpha
    known = np.sqrt(np.diag(fit.cov_params(information="expected")))[: len(expected["coefficients"])]
    np.testing.assert_allclose(known, [each["se"] for each in expected["coefficients"].values()], rtol=1e-6)
