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


def gaussians():
    return nf.Mixture("gaussian", n_components=2).fit(nf.datasets.load("faithful")["waiting"], random_state=0)


def deaths():
    table = nf.datasets.load("london_times")
    return nf.Mixture("poisson", n_components=2).fit(table["deaths"], freq_weights=table["freq"], random_state=0)


def regressions():
    tone = nf.datasets.load("tonedata")
    return nf.MixtureRegression.from_formula("tuned ~ stretchratio", tone, n_components=2).fit(random_state=0)


def classes():
    pneumo = nf.datasets.load("pneumo")
    return nf.DistributionalRegression.from_formula("normal + mild + severe ~ logt", pneumo, family="cumulative").fit()


def vectors():
    return nf.fit_distribution("multivariate_normal", nf.datasets.load("faithful"))


ALWAYS = [
    "Summary",
    "Coefficients",
    "Residuals",
    "Observed against fitted",
    "Influence",
    "How the maximum was reached",
    "What depends on the parametrization",
]
ABSENT = {
    logistic: [],
    distribution: ["Observed against fitted", "Influence"],
    mixture: ["Residuals", "Observed against fitted", "Influence"],
    gaussians: ["Observed against fitted", "Influence"],
    deaths: ["Observed against fitted", "Influence"],
    regressions: ["Influence"],
    distributional: ["Influence"],
    classes: ["Residuals", "Observed against fitted", "Influence"],
    vectors: ["The fit over its rows", "Residuals", "Observed against fitted", "Influence"],
}
"""For each kind of fit the sections that it cannot have."""


@pytest.mark.parametrize("fit", ABSENT, ids=lambda make: make.__name__)
def test_any_fit_can_be_reported_and_what_is_absent_is_said(fit, tmp_path):
    text = fit().report(tmp_path / "fit.html", invariance=False).read_text(encoding="utf-8")
    parts = re.split(r"<h2>(.*?)</h2>", text)[1:]
    bodies = dict(zip(parts[::2], parts[1::2], strict=True))
    assert [heading for heading in bodies if heading in ALWAYS] == ALWAYS
    if fit in (distribution, vectors, gaussians, deaths, mixture, regressions):  # their starts end at the maximum
        assert "set out from the maximum, to rounding" in bodies.pop("How the maximum was reached")
    told = [heading for heading, body in bodies.items() if 'class="absent"' in body]
    assert told == [*ABSENT[fit], "What depends on the parametrization"]
    for heading, body in bodies.items():
        assert heading in (*told, "Summary") or "<img" in body, heading
    assert not re.search(r'(src|href)="(?!data:)', text), "the page must need nothing from elsewhere"
    assert ("Calibration" in bodies) == (fit is logistic)


@pytest.mark.parametrize("fit", [distribution, deaths], ids=lambda make: make.__name__)
def test_what_depends_on_the_parametrization_is_measured_for_distributions_and_mixtures(fit, tmp_path):
    text = fit().report(tmp_path / "fit.html").read_text(encoding="utf-8")
    assert 'class="absent"' not in text.split("What depends on the parametrization")[1]
    assert "Iterations until the decrement is below" in text


@pytest.mark.parametrize(
    "fit", [glm, distribution, gaussians, regressions, distributional], ids=lambda make: make.__name__
)
def test_a_saved_fit_can_be_reported_without_its_rows(fit, tmp_path):
    fit().save(tmp_path / "fit.natfit")
    text = nf.load(tmp_path / "fit.natfit").report(tmp_path / "fit.html").read_text(encoding="utf-8")
    assert re.findall(r"<h2>(.*?)</h2>", text)[:2] == ["Summary", "Coefficients"]
    assert text.count('class="absent"') >= 4


def test_the_page_of_a_glm_opens_with_every_figure(browser, tmp_path):
    written = glm().report(tmp_path / "fit.html")
    shown = browser.new_page(viewport={"width": 1200, "height": 900})
    shown.goto(written.as_uri())
    assert shown.locator("h2").all_inner_texts() == ALWAYS
    images = shown.evaluate("[...document.images].map(image => [image.complete, image.naturalWidth])")
    assert len(images) == 6
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
    assert "runs off to infinity, so that no row" in text
    assert "Most influential rows" not in text


def test_the_record_s_figure_can_be_drawn_on_given_axes():
    import matplotlib.pyplot as plt

    from natfit.diagnostics.fit_report import plot_record

    ax = plt.figure().subplots()
    assert plot_record(glm().record, ax) is ax
    plt.close("all")
