"""Predictions, comparisons, slopes and adjusted means, against refitted Jacobians by differences and printed numbers.

Numbers named PRINTED are those of marginaleffects for Python 0.4 (polars 1) on statsmodels 0.15's fit of the same formula;
its standard errors of slopes come from difference quotients, and are good to three digits.
"""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import natfit as nf
from natfit.results.effects import delta
from natfit.results.effects.tables import COMPARISONS, _stencil

CRABS = pd.DataFrame(nf.datasets.load("crabs")).assign(
    shade=lambda d: d["color"].map({1: "a", 2: "b", 3: "c", 4: "d"}), any=lambda d: (d["sat"] > 0).astype(int)
)
FIT = nf.GLM.from_formula("sat ~ width * shade + weight", CRABS, family="poisson").fit()
LOGIT = nf.GLM.from_formula("any ~ poly(width, 2) + shade", CRABS, family="binomial").fit(cov_type="HC0")


def by_differences(fit, estimate):
    """Standard errors of functions of the coefficients by the delta method, the Jacobian by central differences."""
    start = fit._params_filled.copy()
    jacobian = []
    for j, error in enumerate(fit._bse):
        ends = []
        for sign in (1.0, -1.0):
            moved = start.copy()
            moved[j] += sign * 1e-4 * error
            fit.__dict__["_params_filled"] = moved
            ends.append(np.asarray(estimate(), dtype=float))
        jacobian.append((ends[0] - ends[1]) / (2e-4 * error))
    fit.__dict__["_params_filled"] = start
    J = np.array(jacobian).T
    return np.sqrt(np.einsum("ij,jk,ik->i", J, fit._cov, J))


@pytest.mark.parametrize("fit", [FIT, LOGIT], ids=["poisson", "robust logit"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda fit: fit.predictions(CRABS.head(5)),
        lambda fit: fit.predictions(by="shade"),
        lambda fit: fit.predictions(by=["shade", "spine"], which="linear"),
        lambda fit: fit.predictions(by="shade", variables={"shade": ["a", "d"]}),
        lambda fit: fit.comparisons("shade", CRABS.head(3)),
        lambda fit: fit.avg_comparisons({"width": "sd", "shade": "pairwise"}),
        lambda fit: fit.avg_comparisons("shade", comparison="ratio"),
        lambda fit: fit.comparisons("width", by="shade", comparison="lnratio"),
        lambda fit: fit.slopes("width", CRABS.head(4)),
        lambda fit: fit.avg_slopes(by="shade"),
        lambda fit: fit.avg_slopes("width", slope="eyex"),
        lambda fit: fit.avg_slopes("width", slope="eydx"),
        lambda fit: fit.slopes("width", CRABS.head(3), slope="dyex"),
        lambda fit: fit.marginal_effects(at="mean"),
        lambda fit: fit.predictions(by="shade", hypothesis="pairwise"),
        lambda fit: fit.adjusted_means("shade").frame,
        lambda fit: fit.adjusted_means("shade", which="mean", weights="proportional").frame,
        lambda fit: fit.adjusted_means("shade", which="back").frame,
        lambda fit: fit.adjusted_means("shade").contrasts("eff", adjust="none"),
    ],
)
def test_standard_errors_are_those_of_the_delta_method(fit, ask):
    table = ask(fit)
    assert np.isfinite(table["estimate"]).all()
    np.testing.assert_allclose(
        table["std_error"], by_differences(fit, lambda: ask(fit)["estimate"]), rtol=2e-6, atol=1e-9
    )


def test_printed_numbers():
    frame = CRABS.assign(shade=CRABS["color"].astype(str))
    fit = nf.GLM.from_formula("sat ~ width * shade", frame, family="poisson").fit()
    pairs = fit.predictions(by="shade", hypothesis="pairwise")
    printed = [-0.788596, -1.856061, -2.037879, -1.067464, -1.249282, -0.181818]
    np.testing.assert_allclose(pairs["estimate"], printed, atol=6e-7)
    errors = [0.612339, 0.625218, 0.658220, 0.292064, 0.357291, 0.378939]
    np.testing.assert_allclose(pairs["std_error"], errors, atol=6e-7)
    row = fit.avg_comparisons("width").iloc[0]
    np.testing.assert_allclose(
        row[["estimate", "std_error", "statistic"]].astype(float), [0.431103, 0.067738, 6.364286], rtol=1e-5
    )
    np.testing.assert_allclose(fit.avg_comparisons({"width": "sd"})["estimate"], 0.914574, atol=6e-7)
    np.testing.assert_allclose(fit.avg_comparisons("width", comparison="lnratio")["estimate"], 0.147401, atol=6e-7)


@pytest.mark.parametrize(
    ("formula", "slope"),
    [
        ("sat ~ log(width)", lambda b, x: b["log(width)"] / x),
        ("sat ~ width + I(width**2)", lambda b, x: b["width"] + 2 * b["I(width ** 2)"] * x),
        ("sat ~ width * weight", lambda b, x: b["width"] + b["width:weight"] * CRABS["weight"]),
    ],
)
def test_a_slope_is_the_derivative_of_the_formula(formula, slope):
    fit = nf.GLM.from_formula(formula, CRABS, family="poisson").fit()
    b = dict(zip((str(name) for name in fit.params.index), fit.params, strict=True))
    table = fit.slopes("width")
    np.testing.assert_allclose(table["estimate"], slope(b, CRABS["width"]) * fit.fittedvalues, rtol=1e-7, atol=1e-9)


def test_slopes_of_a_spline_reach_the_ends_of_the_data():
    fit = nf.GLM.from_formula("sat ~ bs(width, df=5)", CRABS, family="poisson").fit()
    ends = CRABS.sort_values("width").iloc[[0, 1, -2, -1]]
    slope = fit.slopes("width", ends, which="linear")["estimate"].to_numpy()
    inward = ends["width"].to_numpy() + np.array([1e-5, 1e-5, -1e-5, -1e-5])
    rise = fit.predict(ends.assign(width=inward), which="linear") - fit.predict(ends, which="linear")
    np.testing.assert_allclose(slope, rise / (inward - ends["width"]), rtol=1e-3)


def test_a_stencil_differentiates_quadratics_exactly():
    x = np.array([0.0, 0.3, 1.0, 5.0])
    nodes, weights, step = _stencil(x, 0.0, 1.0)
    slope = sum(w / step * (x + n * step) ** 2 for n, w in zip(nodes, weights, strict=True))
    np.testing.assert_allclose(slope, 2 * x, atol=1e-9)


def test_intervals_of_single_means_are_those_of_get_prediction():
    table, frame = FIT.predictions(CRABS.head(6)), FIT.get_prediction(CRABS.head(6)).summary_frame()
    theirs = frame[["mean", "mean_se", "mean_ci_lower", "mean_ci_upper"]]
    np.testing.assert_allclose(table[["estimate", "std_error", "conf_low", "conf_high"]], theirs, rtol=1e-10)
    assert table.index.tolist() == CRABS.head(6).index.tolist()


def test_students_t_is_used_where_the_fit_uses_it():
    fit = nf.GLM.from_formula("sat ~ width", CRABS).fit(use_t=True)
    row = fit.avg_slopes("width").iloc[0]
    np.testing.assert_allclose(row["estimate"], fit.params["width"], rtol=1e-9)
    np.testing.assert_allclose(row["p_value"], fit.pvalues["width"], rtol=1e-6)
    np.testing.assert_allclose(row[["conf_low", "conf_high"]].astype(float), fit.conf_int().loc["width"], rtol=1e-8)


def test_averages_count_frequencies_and_take_chunks(monkeypatch):
    freq = np.random.default_rng(1).integers(0, 4, len(CRABS))
    weighted = nf.GLM.from_formula("sat ~ width + shade", CRABS, family="poisson", freq_weights=freq).fit()
    repeated = nf.GLM.from_formula("sat ~ width + shade", CRABS.loc[CRABS.index.repeat(freq)], family="poisson").fit()
    ask = [
        lambda fit: fit.avg_slopes(by="shade"),
        lambda fit: fit.avg_predictions(),
        lambda fit: fit.avg_comparisons("shade"),
    ]
    for each in ask:
        pd.testing.assert_frame_equal(each(weighted), each(repeated), rtol=1e-7)
    whole = [each(FIT) for each in ask] + [FIT.slopes("width")]
    monkeypatch.setattr(delta, "CHUNK", 17)
    for table, other in zip(whole, [each(FIT) for each in ask] + [FIT.slopes("width")], strict=True):
        pd.testing.assert_frame_equal(table, other, rtol=1e-9)


def test_a_change_of_unit_scales_slopes_and_leaves_elasticities():
    other = nf.GLM.from_formula(
        "sat ~ width * shade + weight", CRABS.assign(width=CRABS["width"] * 1000), family="poisson"
    ).fit()
    one, thousand = FIT.avg_slopes("width").iloc[0], other.avg_slopes("width").iloc[0]
    for name in ("estimate", "std_error"):
        np.testing.assert_allclose(thousand[name], one[name] / 1000, rtol=1e-6)
    a, b = (fit.avg_slopes("width", slope="eyex") for fit in (FIT, other))
    pd.testing.assert_frame_equal(a, b, rtol=1e-6)


def test_offset_and_exposure_of_effects():
    data = CRABS.assign(days=np.linspace(1, 3, len(CRABS)))
    by_name = nf.GLM.from_formula("sat ~ width + shade", data, family="poisson", exposure="days").fit()
    by_array = nf.GLM.from_formula(
        "sat ~ width + shade", data, family="poisson", exposure=data["days"].to_numpy()
    ).fit()
    for ask in (
        lambda fit: fit.avg_slopes("width"),
        lambda fit: fit.avg_comparisons("shade"),
        lambda fit: fit.predictions(by="shade", variables={"shade": ["a", "b"]}),
    ):
        pd.testing.assert_frame_equal(ask(by_name), ask(by_array), rtol=1e-10)
    np.testing.assert_allclose(by_name.avg_predictions()["estimate"], data["sat"].mean(), rtol=1e-9)
    one = by_array.predictions(by_array.datagrid(width=25), exposure=1.0)["estimate"]
    two = by_array.predictions(by_array.datagrid(width=25), exposure=2.0)["estimate"]
    np.testing.assert_allclose(two, 2 * one)
    mean = by_array.adjusted_means("shade", at={"width": 25}).frame["estimate"]
    rest = by_array.adjusted_means("shade", at={"width": 25}, exposure=1.0).frame["estimate"]
    np.testing.assert_allclose(mean - rest, np.log(data["days"]).mean())


def test_models_of_arrays_have_effects_of_their_columns():
    X = np.column_stack([np.ones(len(CRABS)), CRABS["width"], CRABS["weight"]])
    arrays = nf.GLM(CRABS["sat"].to_numpy(), X, family="poisson").fit()
    formula = nf.GLM.from_formula("sat ~ width + weight", CRABS, family="poisson").fit()
    one, other = arrays.avg_slopes(), formula.avg_slopes()
    assert one["term"].tolist() == ["x1", "x2"]
    for ask in (
        lambda fit, x: fit.avg_comparisons({x: "sd"}, comparison="ratio"),
        lambda fit, x: fit.predictions(by=True, variables={x: [24, 27]}),
        lambda fit, x: fit.slopes(x),
        lambda fit, x: fit.predictions(by=x).head(4),
    ):
        numbers = [ask(*pair)[["estimate", "std_error"]] for pair in ((arrays, "x1"), (formula, "width"))]
        np.testing.assert_allclose(*numbers, rtol=1e-6)
    np.testing.assert_allclose(one.iloc[:, 2:].astype(float), other.iloc[:, 2:].astype(float), rtol=1e-6)


def test_numbers_that_the_formula_makes_levels_are_levels():
    fit = nf.GLM.from_formula("sat ~ width + C(color)", CRABS, family="poisson").fit()
    assert fit.avg_slopes("color")["contrast"].tolist() == ["2 - 1", "3 - 1", "4 - 1"]
    assert fit.datagrid()["color"].tolist() == [2]
    assert fit.datagrid(color=[1, 4], width=[20, 30])[["color", "width"]].to_numpy().tolist() == [
        [1, 20],
        [1, 30],
        [4, 20],
        [4, 30],
    ]


def test_ratio_tests_one_and_others_test_nothing():
    ratio = FIT.avg_comparisons("shade", comparison="ratio").iloc[0]
    np.testing.assert_allclose(ratio["statistic"], (ratio["estimate"] - 1) / ratio["std_error"])
    hi, lo = np.array([0.6]), np.array([0.2])
    for name, expected in [("lift", 2.0), ("ratio", 3.0), ("lnratio", np.log(3)), ("lnoddsratio", np.log(6))]:
        value, by_hi, by_lo = COMPARISONS[name](hi, lo)
        np.testing.assert_allclose(value, expected)
        h = 1e-6
        np.testing.assert_allclose(
            by_hi, (COMPARISONS[name](hi + h, lo)[0] - COMPARISONS[name](hi - h, lo)[0]) / (2 * h), rtol=1e-8
        )
        np.testing.assert_allclose(
            by_lo, (COMPARISONS[name](hi, lo + h)[0] - COMPARISONS[name](hi, lo - h)[0]) / (2 * h), rtol=1e-8
        )


BREAKS = nf.datasets.load("warpbreaks")


def test_adjusted_means_of_a_balanced_design_are_the_cells():
    fit = nf.GLM.from_formula("breaks ~ wool * tension", BREAKS).fit(use_t=True)
    cells = pd.DataFrame(BREAKS).groupby("tension")["breaks"].mean()
    table = fit.adjusted_means("tension").frame
    np.testing.assert_allclose(table["estimate"], cells[table["tension"]], rtol=1e-10)
    np.testing.assert_allclose(table["std_error"], np.sqrt(fit.scale / 18), rtol=1e-9)
    pairs = fit.adjusted_means("tension").contrasts()
    # Tukey's honest significant differences by scipy, from the same pooled variance
    q = np.abs(pairs["statistic"]) * np.sqrt(2)
    np.testing.assert_allclose(pairs["p_value"], stats.studentized_range.sf(q, 3, 48), rtol=1e-8)
    assert pairs["contrast"].tolist() == ["L - M", "L - H", "M - H"]


def test_adjustments_order_as_they_must():
    means = nf.GLM.from_formula("breaks ~ wool + tension", BREAKS, family="poisson").fit().adjusted_means("tension")
    p = {
        name: means.contrasts(adjust=name)["p_value"].to_numpy()
        for name in ("tukey", "sidak", "bonferroni", "holm", "fdr_bh", "none")
    }
    np.testing.assert_allclose(p["bonferroni"], np.minimum(3 * p["none"], 1.0))
    np.testing.assert_allclose(p["sidak"], 1 - (1 - p["none"]) ** 3, atol=1e-12)
    for less, more in [
        ("none", "fdr_bh"),
        ("fdr_bh", "holm"),
        ("holm", "bonferroni"),
        ("none", "tukey"),
        ("tukey", "sidak"),
    ]:
        assert (p[less] <= p[more] * (1 + 1e-9)).all()
    wide, narrow = means.contrasts(adjust="bonferroni"), means.contrasts(adjust="none")
    assert (wide["conf_low"] < narrow["conf_low"]).all()


def test_ratios_and_back_transformed_means():
    means = nf.GLM.from_formula("breaks ~ wool + tension", BREAKS, family="poisson").fit()
    linear, back = means.adjusted_means("wool"), means.adjusted_means("wool", which="back").frame
    np.testing.assert_allclose(back[["estimate", "conf_low"]], np.exp(linear.frame[["estimate", "conf_low"]]))
    np.testing.assert_allclose(linear.contrasts(ratios=True)["estimate"], np.exp(-means.params["wool[T.B]"]), rtol=1e-9)


def test_means_of_empty_cells_are_missing():
    data = pd.DataFrame(BREAKS)
    hole = data[~((data["wool"] == "A") & (data["tension"] == "H"))]
    fit = nf.GLM.from_formula("breaks ~ wool * tension", hole, family="poisson").fit()
    table = fit.adjusted_means(["wool", "tension"]).frame.set_index(["wool", "tension"])["estimate"]
    assert table.isna().sum() == 1
    assert np.isnan(table["A", "H"])
    cells = hole.groupby(["wool", "tension"])["breaks"].mean()
    np.testing.assert_allclose(np.exp(table.dropna()), [cells[key] for key in table.dropna().index], rtol=1e-8)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda f: f.slopes("widht"), "predictors have no variable 'widht'; did you mean 'width'"),
        (lambda f: f.comparisons("sat"), "predictors have no variable 'sat'"),
        (lambda f: f.predictions(by="tint"), "the data has no column 'tint'"),
        (lambda f: f.predictions(CRABS[["width"]]), "the new data has no column"),
        (lambda f: f.predictions(CRABS.head(2).assign(shade="z")), "'shade'"),
        (lambda f: f.predictions(CRABS.head(2).assign(width="wide")), "'width' was numbers when the model was fitted"),
        (
            lambda f: f.predictions(CRABS.head(2).assign(width=[1.0, np.nan])),
            "may not have missing values; drop or complete",
        ),
        (lambda f: f.predictions(which="odds"), "which must be 'mean' or 'linear', got 'odds'"),
        (lambda f: f.comparisons("width", comparison="quotient"), "comparison must be one of difference, ratio"),
        (lambda f: f.comparisons({"shade": ("a", "q")}), "'shade' has no level 'q'; its levels are 'a', 'b', 'c', 'd'"),
        (lambda f: f.comparisons({"width": "often"}), "a number's comparison is a step, two values"),
        (lambda f: f.slopes("width", slope="dxdy"), "slope must be one of dydx, eyex, eydx, dyex"),
        (lambda f: f.datagrid(shade="q"), "'shade' has no level 'q'"),
        (lambda f: f.predictions("mode"), "newdata must be a table, 'mean' or 'median', got 'mode'"),
        (lambda f: f.predictions(by=True, hypothesis="b1 = b7"), "hypothesis 'b1 = b7' can't be read"),
        (lambda f: f.predictions(by="shade", hypothesis=[1, -1]), "needs 4 weights in each row"),
        (lambda f: f.predictions(alpha=95), "alpha must lie between 0 and 1 (0.05 for 95% limits), got 95"),
        (lambda f: f.predictions(weights=1), "got an unexpected argument 'weights'"),
        (lambda f: f.adjusted_means("width"), "'width' is a number; say at which values"),
        (lambda f: f.adjusted_means("shade", which="odds"), "which must be 'linear', 'back' or 'mean'"),
        (lambda f: f.adjusted_means("shade").contrasts("all"), "method must be one of pairwise"),
        (lambda f: f.adjusted_means("shade").contrasts("eff", adjust="tukey"), "Tukey's adjustment is for all pairs"),
        (lambda f: f.adjusted_means("shade").contrasts(adjust="scheffe"), "adjust must be one of tukey"),
    ],
)
def test_refusals(ask, message):
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        ask(FIT)


def test_effects_of_a_separated_coefficient_are_missing():
    data = pd.DataFrame({"y": [0, 1, 0, 1, 1, 1, 1], "g": list("aaaabbb")})
    with pytest.warns(nf.SeparationWarning):
        fit = nf.GLM.from_formula("y ~ g", data, family="binomial").fit()
    table = fit.predictions(by="g")
    assert table["estimate"].isna().tolist() == [False, True]


def test_effects_of_a_name_that_is_no_identifier():
    fits = [
        nf.GLM.from_formula(formula, CRABS.rename(columns={"width": name}), family="poisson").fit()
        for formula, name in (("sat ~ center(width)", "width"), ("sat ~ center(`carapace width`)", "carapace width"))
    ]
    plain, quoted = (fit.avg_slopes() for fit in fits)
    assert quoted.loc[0, "term"] == "carapace width"
    pd.testing.assert_frame_equal(quoted.drop(columns="term"), plain.drop(columns="term"))


def test_a_model_of_a_constant_alone_has_predictions():
    fit = nf.GLM.from_formula("sat ~ 1", CRABS, family="poisson").fit()
    table = fit.predictions(by=True)
    np.testing.assert_allclose(table["estimate"], CRABS["sat"].mean())
    assert len(fit.predictions()) == len(CRABS)
