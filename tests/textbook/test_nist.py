"""NIST's certified linear regressions: correct digits of the worst coefficient, in file order and in any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf

HERE = Path(__file__).parent / "nist"
CASES = {
    case["id"].removeprefix("nist_"): case for case in json.loads((HERE / "index.json").read_text(encoding="utf-8"))
}
DIGITS = {
    "filip": 6.5,
    "norris": 12.0,
    "pontius": 12.3,
    "noint1": 14.0,
    "noint2": 14.0,
    "longley": 10.8,
    "wampler1": 9.3,
    "wampler2": 12.3,
    "wampler3": 9.0,
    "wampler4": 7.3,
    "wampler5": 5.3,
}
"""Required of every fit: about what R's glm reaches in file order (filip 7.2, longley 13, pontius 12.7, wampler5 5.5)."""


def table(case: dict[str, Any]) -> pd.DataFrame:
    return pd.read_csv(HERE / case["data"])


def certified(case: dict[str, Any], names: list[str]) -> np.ndarray:
    numbers = {name.replace(" ", ""): value["estimate"] for name, value in case["expected"]["coefficients"].items()}
    return np.array([numbers[name.replace(" ", "")] for name in names])


def digits(fit: nf.GLMResults, case: dict[str, Any]) -> float:
    exact = certified(case, list(fit.params.index))
    error = np.max(np.abs(fit.params.to_numpy() - exact) / np.abs(exact))
    return float(-np.log10(max(error, 1e-17)))


def fit(case: dict[str, Any], rows: np.ndarray | None = None) -> nf.GLMResults:
    data = table(case)
    return nf.GLM.from_formula(case["formula"], data if rows is None else data.iloc[rows]).fit()


@pytest.mark.parametrize("name", sorted(DIGITS))
def test_certified_digits_in_file_order(name: str) -> None:
    result = fit(CASES[name])
    assert result.converged
    assert digits(result, CASES[name]) >= DIGITS[name]


@pytest.mark.parametrize("name", sorted(DIGITS))
def test_certified_digits_in_any_order(name: str) -> None:
    case, rng = CASES[name], np.random.default_rng(20)
    reached = [digits(fit(case, rng.permutation(len(table(case)))), case) for _ in range(20)]
    assert np.median(reached) >= DIGITS[name]
    assert min(reached) >= DIGITS[name] - 1.0


@pytest.mark.parametrize("name", ["norris", "filip", "longley", "pontius"])
def test_standard_errors(name: str) -> None:
    result = fit(CASES[name])
    stated = {key.replace(" ", ""): value["se"] for key, value in CASES[name]["expected"]["coefficients"].items()}
    for column, se in result.bse.items():
        assert se == pytest.approx(stated[str(column).replace(" ", "")], rel=1e-7)


def test_filip_has_no_aliased_column_and_a_copy_is_one() -> None:
    case = CASES["filip"]
    whole = fit(case)
    assert not whole.fitted.alias_notes
    data = table(case).assign(twin=lambda d: d["x"])
    doubled = nf.GLM.from_formula(case["formula"] + " + twin", data).fit()
    assert doubled.fitted.alias_notes == ["twin is a linear combination of x"]
    assert np.isnan(doubled.params["twin"])
    assert digits_of_shared(doubled, case) >= DIGITS["filip"] - 1.0


def digits_of_shared(result: nf.GLMResults, case: dict[str, Any]) -> float:
    names = [name for name in result.params.index if name != "twin"]
    exact = certified(case, names)
    return float(-np.log10(np.max(np.abs(result.params[names].to_numpy() - exact) / np.abs(exact))))
