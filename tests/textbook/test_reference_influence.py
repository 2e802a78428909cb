"""Influence, residuals, predictions and quantile residuals, against the numbers that R printed.

Cases and how they were made are in ``reference/inference.json`` and ``reference/README.md``.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import natfit as nf

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "reference" / "inference.json").read_text(encoding="utf-8"))
}
MODELS = {
    "influence_beetles_logit": ("I(killed / n) ~ dose", "beetles", {"family": "binomial", "trials": "n"}),
    "influence_budworm_logit": ("I(numdead / n) ~ C(sex) + ldose", "budworm", {"family": "binomial", "trials": "n"}),
    "influence_crabs_poisson": ("sat ~ width + C(color)", "crabs", {"family": "poisson"}),
    "influence_clotting_gamma": ("lot1 ~ log(u)", "clotting", {"family": "gamma"}),
    "quantile_residuals_clotting_gamma": ("lot1 ~ log(u)", "clotting", {"family": "gamma"}),
}
RTOL = 5e-9
"""Half a unit of the eighth digit."""


def test_every_case_has_its_model():
    kinds = ("influence", "quantile_residuals", "predictions")
    assert {name for name, case in CASES.items() if case["kind"] in kinds} == set(MODELS)


@pytest.fixture(scope="module", params=[name for name in MODELS if name.startswith("influence")])
def case_and_fit(request):
    return CASES[request.param], fit(request.param)


def fit(name):
    formula, data, options = MODELS[name]
    return nf.GLM.from_formula(formula, nf.datasets.load(data), **options).fit()


def check(ours, theirs, what):
    theirs = np.asarray(theirs)
    np.testing.assert_allclose(np.asarray(ours)[: len(theirs)], theirs, rtol=RTOL, err_msg=what)


def test_influence(case_and_fit):
    case, fitted = case_and_fit
    frame = fitted.influence(dfbetas=False)
    names = {
        "hat": "hat_diag",
        "cooks": "cooks_d",
        "rstandard_deviance": "standard_resid_deviance",
        "rstandard_pearson": "standard_resid",
    }
    for theirs, ours in names.items():
        check(frame[ours], case[theirs], theirs)


def test_residuals(case_and_fit):
    case, fitted = case_and_fit
    trials = fitted.model.data.trials
    # R's are of proportions; statsmodels' response and working residuals carry the trials, and so do natfit's.
    share = 1.0 if trials is None else trials
    for kind, theirs in case["residuals"].items():
        ours = np.asarray(getattr(fitted, f"resid_{kind}")) / {"response": share, "working": share**2}.get(kind, 1.0)
        check(ours, theirs, kind)


def test_predictions(case_and_fit):
    case, fitted = case_and_fit
    made = fitted.get_prediction()
    check(made.linear_predictor, case["predict_link"], "link")
    check(made.linear_predictor_se, case["predict_link_se"], "link, standard error")
    check(made.se_mean, case["predict_response_se"], "response, standard error")
    table = fitted.predictions()
    check(table["std_error"], case["predict_response_se"], "response, standard error of effects")


def test_quantile_residuals():
    name = "quantile_residuals_clotting_gamma"
    check(fit(name).quantile_residuals(), CASES[name]["values"], "quantile residuals")
