"""Figures of profiles: axes come back, with names, curves and limits."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import natfit as nf


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fit():
    beetles = nf.datasets.load("beetles")
    return nf.GLM.from_formula("I(killed / n) ~ dose", beetles, family="binomial", trials="n").fit()


def labels(ax):
    return [line.get_label() for line in ax.get_lines() if not line.get_label().startswith("_")]


def test_one_profile_with_walds_line_and_both_limits(fit):
    ax = fit.profile("dose").plot(alpha=0.1)
    assert ax.get_xlabel() == "dose"
    assert ax.get_ylabel() == "signed root deviance"
    assert labels(ax) == ["signed root deviance", "Wald", "Wald limits", "limits"]
    marks = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_allclose(marks["limits"].get_xdata(), fit.profile("dose").conf_int(0.1), rtol=1e-10)
    np.testing.assert_allclose(marks["limits"].get_ydata(), [-1.6448536, 1.6448536], rtol=1e-6)
    given = plt.subplots()[1]
    assert fit.profile("dose").plot(ax=given) is given


def test_all_of_them_and_what_moves_along(fit):
    axes = fit.profile().plot()
    assert [ax.get_xlabel() for ax in axes.flat] == ["Intercept", "dose"]
    traces = fit.profile("dose").plot_others()
    assert traces.flat[0].get_ylabel() == "Intercept"


@pytest.mark.filterwarnings("ignore::natfit.results.warnings.SeparationWarning")
def test_an_infinite_limit_is_told_in_words():
    x = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
    ax = nf.GLM([0.0, 0.0, 1.0, 1.0], x, family="binomial").fit().profile("x1").plot()
    assert "separation" in ax.get_title(loc="left")
    assert "Wald" not in labels(ax)
