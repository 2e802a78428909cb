"""Every generalized linear model of the reference fits, against the numbers that R printed.

Cases, their sources and how each number was made are in ``reference/public.json`` and ``reference/README.md``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import natfit as nf

CASES = [
    case
    for case in json.loads((Path(__file__).parent / "reference" / "public.json").read_text(encoding="utf-8"))
    if case["kind"] == "glm" and not case["id"].startswith("pneumo")
]
DIGITS = 8
JOINT_DIGITS = 6
"""R's negative binomials state no joint standard error; the cases' own differ from a second program's by 1.3e-7."""


def fit_case(case: dict[str, Any]) -> nf.GLMResults:
    family: Any = case["family"]
    options: dict[str, Any] = {"link": case["link"]}
    if family == "quasipoisson":
        family, options["dispersion"] = "poisson", "pearson"
    if family == "tweedie":
        family = nf.families.Tweedie(var_power=case["options"]["var_power"])
    if case.get("weights"):
        options["trials"] = case["weights"]
    if case.get("exposure"):
        options["exposure"] = case["exposure"]
    elif case.get("offset"):
        options["offset"] = case["offset"]
    data = nf.datasets.load(Path(case["data"]).stem)
    return nf.GLM.from_formula(case["formula"], data, family=family, **options).fit()


def agrees(ours: float, theirs: float, unit: float = 0.0, digits: int = DIGITS) -> bool:
    """Compare to so many significant digits of the larger of the number and its unit, a standard error."""
    return abs(ours - theirs) <= 0.5 * 10.0 ** (1 - digits) * max(abs(theirs), unit)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case["id"])
def case_and_fit(request: pytest.FixtureRequest) -> tuple[dict[str, Any], nf.GLMResults]:
    return request.param, fit_case(request.param)


def test_coefficients_and_standard_errors(case_and_fit: tuple[dict[str, Any], nf.GLMResults]) -> None:
    case, fit = case_and_fit
    expected = case["expected"]["coefficients"]
    assert sorted(expected) == sorted(fit.params.index)
    assert fit.converged
    for name, numbers in expected.items():
        assert agrees(fit.params[name], numbers["estimate"], numbers["se"]), name
        assert agrees(fit.bse[name], numbers["se"]), name


def test_observed_information(case_and_fit: tuple[dict[str, Any], nf.GLMResults]) -> None:
    case, fit = case_and_fit
    expected = case["expected"]["coefficients"]
    observed = np.sqrt(np.diag(fit.cov_params(information="observed")))
    for name, ours in zip(fit.params.index, observed, strict=True):
        # Cases under a canonical link state none: there both informations are one.
        assert agrees(ours, expected[name].get("se_observed", expected[name]["se"])), name


def test_deviance_and_dispersion(case_and_fit: tuple[dict[str, Any], nf.GLMResults]) -> None:
    case, fit = case_and_fit
    expected = case["expected"]
    assert agrees(fit.deviance, expected["deviance"])
    assert agrees(fit.null_deviance, expected["null_deviance"])
    assert agrees(fit.pearson_chi2, expected["pearson_chi2"])
    assert agrees(fit.scale, expected["dispersion"])
    assert fit.df_resid == expected["df_resid"]
    assert fit.nobs == expected["nobs"]
    for ours, theirs in zip(fit.fittedvalues, expected["fitted5"], strict=False):
        assert agrees(ours, theirs)


def test_log_likelihood_under_the_dispersion_stated(case_and_fit: tuple[dict[str, Any], nf.GLMResults]) -> None:
    case, fit = case_and_fit
    expected = case["expected"]
    if "loglik" in expected:
        # R plugs in deviance / n for these two families; for the Gaussian that is maximum likelihood.
        stated = "deviance" if case["family"] in ("gamma", "inverse_gaussian") else None
        assert agrees(fit.loglik(stated), expected["loglik"])
    if "loglik_ml" in expected:
        assert agrees(fit.loglik("ml"), expected["loglik_ml"])
    assert ("loglik" in expected) or ("loglik_ml" in expected) or case["family"] == "quasipoisson"


@pytest.mark.parametrize("case", [case for case in CASES if "theta" in case["expected"]], ids=lambda case: case["id"])
def test_negative_binomial_shape(case: dict[str, Any]) -> None:
    fit, expected = fit_case(case), case["expected"]
    shape = fit.shape
    assert agrees(1.0 / shape.alpha, expected["theta"])
    # R's theta_se holds the means fixed: the information of alpha alone, carried to theta = 1 / alpha.
    fixed = 1.0 / np.sqrt(np.linalg.inv(shape.cov)[-1, -1]) / shape.alpha**2
    assert agrees(fixed, expected["theta_se"])
    assert agrees(shape.se / shape.alpha, expected["log_theta_se_joint"], digits=JOINT_DIGITS)
    for row, name in enumerate(fit.params.index):
        joint = np.sqrt(shape.cov[row, row])
        assert agrees(joint, expected["coefficients"][name]["se_joint"], digits=JOINT_DIGITS), name
    assert fit.aic == pytest.approx(expected["aic"], rel=1e-9)


def test_a_changed_number_is_caught() -> None:
    fit = fit_case(CASES[0])
    assert agrees(fit.deviance, CASES[0]["expected"]["deviance"])
    assert not agrees(fit.deviance, CASES[0]["expected"]["deviance"] * (1 + 1e-7))
