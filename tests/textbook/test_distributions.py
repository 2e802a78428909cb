"""Single distributions against published and certified numbers.

Cases, their sources and how each number was made are in ``reference/public.json`` and ``reference/README.md``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import natfit as nf

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "reference" / "public.json").read_text(encoding="utf-8"))
    if case["kind"] == "distribution"
}
COORDINATES = {
    "repair_times_inverse_gaussian": {
        "mu": ("mean_shape", "mean"),
        "lambda": ("mean_shape", "shape"),
        "phi": ("mean_dispersion", "dispersion"),
    },
    "horsekicks_poisson": {"mu": ("rate", "rate")},
}
"""Where the parameters of the references are found: our parametrization, and our name in it."""
DIGITS = 8


def fit_case(case: dict[str, Any], parametrization: str | None = None) -> nf.DistributionResults:
    data = nf.datasets.load(Path(case["data"]).stem)
    y = case["formula"].partition("~")[0].strip()
    weights = case.get("weights")
    return nf.fit_distribution(case["family"], y, data=data, freq_weights=weights, parametrization=parametrization)


def agrees(ours: float, theirs: float, digits: int = DIGITS) -> bool:
    """Compare to so many significant digits."""
    return abs(ours - theirs) <= 0.5 * 10.0 ** (1 - digits) * abs(theirs)


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_estimates_and_standard_errors(case: dict[str, Any]) -> None:
    expected = case["expected"]
    fit = fit_case(case)
    assert fit.converged
    for name, (parametrization, ours) in COORDINATES[case["id"]].items():
        for shown in (fit.to(parametrization), fit_case(case, parametrization)):
            assert agrees(shown.params[ours], expected["parameters"][name]), name
            if name in expected["parameter_se"]:
                assert agrees(shown.bse[ours], expected["parameter_se"][name]), name


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_likelihood_and_criteria(case: dict[str, Any]) -> None:
    expected = case["expected"]
    for parametrization in (None, "natural", "mean"):
        fit = fit_case(case, parametrization)
        assert agrees(fit.llf, expected["loglik"])
        assert agrees(fit.aic, expected["aic"])
        assert agrees(fit.bic, expected["bic"])
        assert fit.df == expected["loglik_df"]
        assert fit.nobs == expected["nobs"]


def test_expected_counts_of_deaths_by_horse_kick() -> None:
    case = CASES["horsekicks_poisson"]
    fit = fit_case(case)
    ours = fit.nobs * np.exp(fit.distribution.log_prob(np.arange(5.0)))
    assert all(agrees(a, b) for a, b in zip(ours, case["expected"]["expected_counts"], strict=True))


@pytest.mark.parametrize("parametrization", ["variance", "precision", "sd", "log_sd"])
def test_numbers_that_hardly_differ(parametrization: str) -> None:
    # NIST StRD univariate, NumAcc4: certified mean 10000000.2 and standard deviation 0.1 (over n - 1), n = 1001. The
    # numbers themselves are known to 1e-9 as they are stored, a hundred-millionth of their spread.
    y = np.concatenate([[10_000_000.2], np.tile([10_000_000.1, 10_000_000.3], 500)])
    fit = nf.fit_distribution("gaussian", y, parametrization=parametrization)
    assert fit.params["mean"] == pytest.approx(10_000_000.2, abs=1e-8)
    assert fit.home_params["variance"] == pytest.approx(0.01 * 1000 / 1001, rel=1e-7)


def test_a_changed_number_is_caught() -> None:
    case = CASES["repair_times_inverse_gaussian"]
    fit = fit_case(case)
    assert agrees(fit.llf, case["expected"]["loglik"])
    assert not agrees(fit.llf, case["expected"]["loglik"] * (1 + 1e-7))
