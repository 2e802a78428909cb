"""Figures of a fit: what they show, that they take axes, and that nothing on them is cut off."""

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from layout_of_figures import layout_faults

import natfit as nf

CRABS = pd.DataFrame(nf.datasets.load("crabs")).assign(any=lambda d: (d["sat"] > 0).astype(int))
COUNTS = nf.GLM.from_formula("sat ~ width + C(color)", CRABS, family="poisson").fit()
SHARES = nf.GLM.from_formula("any ~ width + C(color)", CRABS, family="binomial").fit()
FAITHFUL = nf.datasets.load("faithful")
ELLIPSES = nf.Mixture("gaussian", n_components=2, covariance="VVV").fit(FAITHFUL, random_state=0)
HUMPS = nf.Mixture("gaussian", n_components=2).fit(FAITHFUL["waiting"], random_state=0)
SIZES = nf.Mixture.select(
    "gaussian", FAITHFUL, n_components=range(1, 3), covariance=["EEE", "VVV"], n_init=3, random_state=0
)
GAMMA = nf.fit_distribution("gamma", FAITHFUL["waiting"])
ZEROS = nf.DistributionalRegression.from_formula(
    "art ~ ment | ment", nf.datasets.load("biochemists"), family="zero_inflated_poisson"
).fit()
TONES = nf.MixtureRegression.from_formula("tuned ~ stretchratio", nf.datasets.load("tonedata"), n_components=2).fit(
    random_state=0
)

GRADES = nf.DistributionalRegression.from_formula(
    "color ~ width + C(spine)", CRABS, family="cumulative", links="probit"
).fit()
SUCCESSES = nf.DistributionalRegression.from_formula(
    "killed + alive ~ dose", nf.datasets.load("beetles").assign(alive=lambda d: d["n"] - d["killed"]), "beta_binomial"
).fit()
LARGE = nf.DistributionalRegression.from_formula(
    "nearest ~ 1", CRABS.assign(nearest=(100.0 * CRABS["weight"]).round()), family="nb2"
).fit()
WEIGHTS = nf.DistributionalRegression.from_formula("weight ~ C(spine) + width | width", CRABS, family="gamma").fit()

FIGURES = {
    "quantiles": (ZEROS, "plot_quantiles", {"variable": "ment"}),
    "quantiles of levels": (WEIGHTS, "plot_quantiles", {"variable": "spine", "q": [0.1, 0.5, 0.9]}),
    "effect on classes": (GRADES, "plot_effect", {"variable": "width"}),
    "effect of levels on classes": (GRADES, "plot_effect", {"variable": "spine"}),
    "effect on a share": (SUCCESSES, "plot_effect", {"variable": "dose"}),
    "rootogram of large counts": (LARGE, "plot_rootogram", {}),
    "fitted": (COUNTS, "plot_residuals", {"kind": "fitted"}),
    "qq": (COUNTS, "plot_residuals", {"kind": "qq", "residuals": "pearson"}),
    "worm": (SHARES, "plot_residuals", {"kind": "worm"}),
    "scale": (COUNTS, "plot_residuals", {"kind": "scale", "residuals": "deviance"}),
    "coefficients": (COUNTS, "plot_coefficients", {"intercept": True}),
    "effect of a number": (COUNTS, "plot_effect", {"variable": "width"}),
    "effect of levels": (SHARES, "plot_effect", {"variable": "color", "which": "linear"}),
    "influence": (COUNTS, "plot_influence", {}),
    "calibration": (SHARES, "plot_calibration", {"groups": 8}),
    "ellipses": (ELLIPSES, "plot", {}),
    "humps": (HUMPS, "plot", {}),
    "em": (HUMPS, "plot_convergence", {}),
    "sizes": (SIZES, "plot", {}),
    "distribution": (GAMMA, "plot", {}),
    "worm of a distribution": (GAMMA, "plot_residuals", {"kind": "worm"}),
    "observed and fitted": (COUNTS, "plot_fitted", {}),
    "effect on the mean": (ZEROS, "plot_effect", {"variable": "ment"}),
    "effect on a parameter": (ZEROS, "plot_effect", {"variable": "ment", "what": "inflation"}),
    "rootogram": (ZEROS, "plot_rootogram", {}),
    "regressions": (TONES, "plot", {}),
    "regressions, fitted": (TONES, "plot_residuals", {"kind": "fitted"}),
}


def lines_of(ax):
    """Each line with a name: whether it is drawn, how, and with which marker."""
    named = [line for line in ax.lines if not line.get_label().startswith("_") and line.get_label() != "best"]
    return [(line.get_linestyle(), line.get_marker(), line.get_fillstyle(), line.get_linewidth()) for line in named]


@pytest.mark.parametrize("name", ["ellipses", "humps", "em", "sizes"])
def test_the_lines_of_a_mixture_differ_by_more_than_their_colour(name):
    fit, method, options = FIGURES[name]
    lines = lines_of(getattr(fit, method)(**options))
    assert len(lines) >= 2
    assert len(set(lines)) == len(lines)


def test_criteria_are_drawn_above_the_best():
    ax = SIZES.plot()
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    least = min(fit.bic for fit in SIZES.fits.values())
    for (name, size), fit in SIZES.fits.items():
        assert drawn[name][size - 1] == pytest.approx(fit.bic - least)
    assert ax.get_legend().get_texts()[0].get_text() == min(SIZES.fits, key=lambda key: SIZES.fits[key].bic)[0]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_names_its_axes_and_nothing_is_cut_off(name):
    fit, method, options = FIGURES[name]
    ax = getattr(fit, method)(**options)
    figure = ax.figure
    assert ax.get_title(loc="left")
    assert ax.get_xlabel()
    assert layout_faults(figure) == []


def test_faults_of_a_layout_are_found():
    figure, ax = plt.subplots(figsize=(2.0, 1.0))
    ax.set_xticks([0.50, 0.51], ["a long label", "another long label"])
    ax.set_ylabel("a label that is much longer than this figure is high")
    told = layout_faults(figure)
    assert any("overlap" in each for each in told)
    assert any("leaves the page" in each for each in told)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_on_axes_that_are_given(name):
    fit, method, options = FIGURES[name]
    _, ax = plt.subplots()
    assert getattr(fit, method)(**options, ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_the_four_residual_plots_stand_together():
    axes = COUNTS.plot_residuals()
    assert [ax.get_title(loc="left").split("\n")[0] for ax in axes.flat] == [
        "Residuals against fit",
        "Normal quantiles",
        "Worm",
        "Scale against location",
    ]
    x, y = axes[0, 0].lines[0].get_data()
    np.testing.assert_allclose(x, COUNTS.predict(which="linear"))
    np.testing.assert_allclose(y, COUNTS.quantile_residuals(0))


def test_an_effect_is_the_prediction_and_its_data_keep_their_working_residuals():
    ax = COUNTS.plot_effect("width", which="linear", at={"color": 3})
    curve = next(line for line in ax.lines if line.get_label() == "prediction").get_data()
    grid = pd.DataFrame({"width": curve[0], "color": 3})
    np.testing.assert_allclose(curve[1], COUNTS.predict(grid, which="linear"))
    points = next(line for line in ax.lines if line.get_label() == "partial data").get_data()
    np.testing.assert_allclose(points[0], CRABS["width"])
    base = COUNTS.predict(CRABS.assign(color=3), which="linear")
    np.testing.assert_allclose(points[1], base + COUNTS.resid_working, rtol=1e-9)


def test_coefficients_without_intervals_are_said_to_be_left_out():
    fit = nf.GLM.from_formula("sat ~ width + I(2 * width)", CRABS, family="poisson").fit()
    ax = fit.plot_coefficients()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["width"]
    assert "1 without an interval (aliased or separated) left out" in ax.get_title(loc="left").replace("\n", " ")


@pytest.mark.parametrize(
    ("fit", "panels"),
    [
        (GAMMA, ["shape", "rate"]),
        (HUMPS, ["weight", "mean", "variance"]),
        (TONES, ["weight", "Intercept", "stretchratio", "sigma"]),
        (ZEROS, ["rate", "inflation"]),
    ],
    ids=["distribution", "mixture", "regressions", "distributional"],
)
def test_estimates_stand_in_panels_of_what_can_be_compared(fit, panels):
    axes = list(fit.plot_coefficients().flat)
    assert [ax.get_title(loc="left") for ax in axes if ax.get_visible()] == panels
    drawn = np.concatenate([ax.lines[0].get_xdata() for ax in axes if ax.get_visible()])
    assert sorted(drawn) == pytest.approx(sorted(fit.params))


def test_an_effect_on_a_parameter_is_its_prediction():
    gasoline = nf.datasets.load("gasoline")
    formulas = {"mean": "yield ~ C(batch) + temp", "precision": "~ temp"}
    fit = nf.DistributionalRegression.from_formula(formulas, gasoline, family="beta").fit()
    for what in ("mean", "precision"):
        ax = fit.plot_effect("temp", what, at={"batch": 3})
        x, y = next(line for line in ax.lines if line.get_label() == "prediction").get_data()
        grid = pd.DataFrame({"temp": x, "batch": 3})
        np.testing.assert_allclose(y, fit.predict(grid, what))
    ax = fit.plot_effect("batch")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [str(k) for k in sorted(gasoline["batch"].unique())]
    with pytest.raises(ValueError, match="have no variable 'tmp'; there are batch, temp"):
        fit.plot_effect("tmp")
    arrays = nf.DistributionalRegression(
        gasoline["yield"], {"mean": gasoline[["temp"]].to_numpy()}, family="beta"
    ).fit()
    with pytest.raises(ValueError, match="a formula's table in memory"):
        arrays.plot_effect("temp")


def test_all_pairs_of_three_columns_are_drawn():
    three = nf.Mixture("gaussian", 2).fit(nf.datasets.load("iris").iloc[:, :3], random_state=0).plot()
    assert sum(ax.get_visible() for ax in three.flat) == 3


def test_the_effect_on_classes_is_each_class_probability():
    ax = GRADES.plot_effect("width", at={"spine": 3})
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines) == ["1", "2", "3", "4"] == [str(each) for each in GRADES.family.classes]
    grid = pd.DataFrame({"width": lines["2"].get_xdata(), "spine": 3})
    wanted = GRADES.predict(grid)
    for name, line in lines.items():
        np.testing.assert_allclose(line.get_ydata(), wanted[name])
    assert len(set(lines_of(ax))) == 4
    np.testing.assert_allclose(sum(line.get_ydata() for line in lines.values()), 1.0)


def test_quantiles_are_drawn_along_a_variable():
    ax = WEIGHTS.plot_quantiles("width", at={"spine": 2})
    lines = {line.get_label(): line for line in ax.lines}
    assert list(lines) == ["rows", "95 %", "75 %", "50 %", "25 %", "5 %"]
    grid = pd.DataFrame({"width": lines["5 %"].get_xdata(), "spine": 2})
    np.testing.assert_allclose(lines["5 %"].get_ydata(), WEIGHTS.quantile(grid, 0.05))
    inside = WEIGHTS.quantile(q=[0.05, 0.95])
    share = ((CRABS["weight"] > inside[0.05]) & (CRABS["weight"] < inside[0.95])).mean()
    assert 0.84 < share < 0.96
    with pytest.raises(ValueError, match="quantiles need a response of one number"):
        GRADES.plot_quantiles("width")
    with pytest.raises(ValueError, match="'spine' is held at one value"):
        WEIGHTS.plot_effect("width", at={"spine": [1, 2]})


def test_the_rows_of_an_effect_on_a_share_are_shares():
    ax = SUCCESSES.plot_effect("dose")
    rows = next(line for line in ax.lines if line.get_label() == "rows")
    y = SUCCESSES.model.data.y
    np.testing.assert_allclose(rows.get_ydata(), y[:, 0] / y.sum(axis=1))


def test_large_counts_stand_together_in_a_rootogram():
    whole, ours = LARGE.rootogram(width=1), LARGE.rootogram()
    assert len(whole) == whole.index[-1] + 1
    step = ours.index[1]
    assert step > 1
    assert ours.index.tolist() == list(range(0, int(whole.index[-1]) + 1, int(step)))
    np.testing.assert_allclose(ours.sum(), whole.sum())
    np.testing.assert_allclose(ours.iloc[30], whole.iloc[30 * step : 31 * step].sum())
    assert len(ZEROS.rootogram()) == ZEROS.rootogram().index[-1] + 1
    assert LARGE.plot_rootogram().get_xlim()[0] > 50.0
    with pytest.raises(ValueError, match="a rootogram needs highest >= 0 and width >= 1; got -1 and None"):
        LARGE.rootogram(highest=-1)


def test_bars_of_a_rootogram_end_inside_the_axes():
    ax = ZEROS.plot_rootogram()
    assert min(bar.get_y() for bar in ax.patches if bar.get_height()) > ax.get_ylim()[0]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: COUNTS.plot_residuals("histogram"), "kind must be 'all', 'fitted', 'qq', 'worm', 'scale'"),
        (lambda: COUNTS.plot_residuals("qq", "anscombe"), "residuals must be one of 'quantile'"),
        (lambda: COUNTS.plot_effect("weight"), "predictors have no variable 'weight'"),
        (lambda: COUNTS.plot_effect("width", at={"color": [1, 2]}), "'color' is held at one value"),
        (lambda: COUNTS.plot_calibration(), "is for the binomial family"),
    ],
    ids=["kind", "residuals", "variable", "two values", "family"],
)
def test_refusals(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()
