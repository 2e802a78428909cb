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
