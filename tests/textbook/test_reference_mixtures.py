"""Mixtures against reference fits by R (mclust, own EM), see reference/public.json for how each was made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import natfit as nf

CASES = {case["id"]: case for case in json.loads((Path(__file__).parent / "reference" / "public.json").read_text())}


def test_deaths_at_the_times() -> None:
    expected = CASES["london_times_poisson_mixture"]["expected"]
    data = nf.datasets.load("london_times")
    fit = nf.Mixture("poisson", n_components=2).fit(data["deaths"], freq_weights=data["freq"], random_state=0)
    assert fit.llf == pytest.approx(expected["loglik"], rel=1e-10)
    assert fit.bic == pytest.approx(expected["bic"], rel=1e-8)
    for k, component in enumerate(expected["components"]):
        assert fit.weights[k] == pytest.approx(component["weight"], rel=1e-6)
        rate = fit.component_params.loc[k, "rate"]
        assert rate == pytest.approx(component["mean"], rel=1e-6)
        assert fit.bse[f"rate[{k}]"] / rate == pytest.approx(
            component["log_mean_se"], rel=1e-5
        )  # of a numerical Hessian
    assert fit.n_best == 20


@pytest.mark.parametrize("covariance", ["E", "V"])
def test_galaxies(covariance: str) -> None:
    case = CASES["galaxies_gaussian_mixture"]["expected"]
    detail = next(each for each in case["details"] if each["model"] == covariance)
    velocity = nf.datasets.load("galaxies")["velocity"]
    fit = nf.Mixture("gaussian", n_components=3, covariance=covariance).fit(velocity, random_state=0)
    assert fit.llf == pytest.approx(detail["loglik"], rel=1e-8)
    for k, component in enumerate(detail["components"]):
        found = [fit.weights[k], *fit.component_params.loc[k]]
        assert found == pytest.approx([component["weight"], component["mean"], component["covariance"]], rel=1e-6)


MODELS = ["EII", "VII", "EEI", "VEI", "EVI", "VVI", "EEE", "VEE", "EVE", "VVE", "EEV", "VEV", "EVV", "VVV"]


@pytest.mark.parametrize("covariance", MODELS)
@pytest.mark.parametrize("name", ["faithful", "iris"])
def test_fourteen_models_with_two_components(name: str, covariance: str) -> None:
    case = CASES[f"{name}_gaussian_mixture"]
    row = next(r for r in case["expected"]["table"] if r["model"] == covariance and r["G"] == 2)
    data = nf.datasets.load(name)[case["options"]["columns"]]
    fit = nf.Mixture("gaussian", n_components=2, covariance=covariance).fit(data, random_state=0)
    assert fit.llf >= row["loglik"] - 1e-6 * abs(row["loglik"])
    assert fit.df == row["df"]
    if fit.llf < row["loglik"] + 1e-3:
        assert fit.bic == pytest.approx(row["bic"], rel=1e-6)
    assert np.isfinite(fit.bse).all()


@pytest.mark.parametrize("dispersion", ["shared", "free"])
def test_tone_perception(dispersion: str) -> None:
    case = CASES["tone_regression_mixture" + ("_equal" if dispersion == "shared" else "")]["expected"]
    tone = nf.datasets.load("tonedata")
    model = nf.MixtureRegression.from_formula("tuned ~ stretchratio", data=tone, dispersion=dispersion)
    fit = model.fit(random_state=0)
    assert fit.llf == pytest.approx(case["loglik"], abs=1e-8)
    assert fit.bic == pytest.approx(case["bic"], rel=1e-9)
    assert fit.df == case["loglik_df"]
    assert fit.n_best == 20
    for k, component in enumerate(case["components"]):
        assert fit.weights[k] == pytest.approx(component["weight"], rel=1e-7)
        assert fit.params[f"sigma[{k}]"] == pytest.approx(component["sigma"], rel=1e-7)
        for name, one in component["coefficients"].items():
            assert fit.params[f"{name}[{k}]"] == pytest.approx(one["estimate"], rel=1e-7)
            assert fit.bse[f"{name}[{k}]"] == pytest.approx(one["se"], rel=2e-6)  # of a numerical Hessian
