"""A fit's page: its sections, its figures in a browser, and names that can't break it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import natfit as nf

CRABS = nf.datasets.load("crabs")


def glm():
    return nf.GLM.from_formula("sat ~ width", CRABS, family="poisson").fit()


def logistic():
    beetles = nf.datasets.load("beetles")
    return nf.GLM.from_formula("I(killed / n) ~ dose", beetles, family="binomial", trials="n").fit()


def distribution():
    return nf.fit_distribution("gamma", CRABS["width"])


def mixture():
    return nf.Mixture("gaussian", n_components=2, covariance="VVV").fit(nf.datasets.load("faithful"), random_state=0)


def distributional():
    formulas = {"mean": "yield ~ temp", "precision": "~ 1"}
    return nf.DistributionalRegression.from_formula(formulas, nf.datasets.load("gasoline"), family="beta").fit()


@pytest.mark.parametrize("fit", [logistic, distribution, mixture, distributional], ids=lambda make: make.__name__)
def test_any_fit_can_be_reported(fit, tmp_path):
    text = fit().report(tmp_path / "fit.html", invariance=False).read_text(encoding="utf-8")
    assert "<h2>Summary</h2>" in text
    assert "<h2>How the maximum was reached</h2>" in text
    assert not re.search(r'(src|href)="(?!data:)', text), "the page must need nothing from elsewhere"
    if fit is logistic:
        assert "<h2>Calibration</h2>" in text


def test_the_page_of_a_glm_opens_with_every_figure(browser, tmp_path):
    written = glm().report(tmp_path / "fit.html")
    shown = browser.new_page(viewport={"width": 1200, "height": 900})
    shown.goto(written.as_uri())
    headings = shown.locator("h2").all_inner_texts()
    assert headings == [
        "Summary",
        "Coefficients",
        "Residuals",
        "Influence",
        "Most influential rows",
        "How the maximum was reached",
        "What depends on the parametrization",
    ]
    images = shown.evaluate("[...document.images].map(image => [image.complete, image.naturalWidth])")
    assert len(images) == 5
    assert all(complete and width > 400 for complete, width in images)
    assert shown.evaluate("document.body.scrollWidth <= window.innerWidth"), "the page is cut off at the right"
    shown.close()


def test_names_are_shown_as_they_are(tmp_path):
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"y": rng.poisson(2.0, 40), "g": rng.choice(["<b>a", "<script>alert(1)</script>"], 40)})
    fit = nf.GLM.from_formula("y ~ g", data, family="poisson").fit()
    text = fit.report(tmp_path / "fit.html", title="<i>", invariance=False).read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "<b>" not in text
    assert "<i>" not in text


def test_a_separated_fit_is_reported_without_influence(tmp_path):
    x = np.arange(20.0)
    with pytest.warns(nf.SeparationWarning):
        fit = nf.GLM((x > 9.5).astype(float), np.column_stack([np.ones(20), x]), family="binomial").fit()
    text = fit.report(tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "SEPARATION" in text
    assert "<h2>Influence</h2>" not in text


def test_the_record_s_figure_can_be_drawn_on_given_axes():
    import matplotlib.pyplot as plt

    from natfit.diagnostics.fit_report import plot_record

    ax = plt.figure().subplots()
    assert plot_record(glm().record, ax) is ax
    plt.close("all")
