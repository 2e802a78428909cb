"""The theory's checks: they pass where the library is right, and each fails on the fault that it is there to find."""

from __future__ import annotations

import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

import natfit as nf
from natfit.diagnostics.order import measure_order
from natfit.diagnostics.theory import (
    check_cross_entropy,
    check_direction,
    check_expansion,
    check_fisher,
    check_score,
    check_steepest_descent,
    check_theory,
)
from natfit.families import Categorical, Family, Gamma, Gaussian
from natfit.families.support import REALS
from natfit.parametrizations import Identity, Log, Product, from_function

DRAWS = 20_000

POINTS = [
    ("gaussian", [1.5, 0.4], None),
    ("gaussian", [1.5, -0.7], "log_sd"),
    ("gaussian", [3.0, -1.25], "natural"),
    ("gamma", [2.0, 0.5], None),
    ("gamma", [4.0, 2.0], "mean_shape"),
    ("beta", [2.0, 3.0], None),
    ("poisson", [3.0], None),
    ("poisson", [1.1], "log_rate"),
    ("bernoulli", [0.2], None),
    ("von_mises", [0.7, 2.0], None),
    ("multivariate_normal(dim=2)", [0.0, 1.0, 1.0, 0.5, 2.0], None),
    ("multivariate_normal(dim=2)", [0.0, 1.0, 0.1, 0.4, -0.3], "log_cholesky"),
    ("dirichlet(dim=3)", [0.8, 1.9, 3.0], None),
    ("categorical(classes=4)", [0.1, 0.2, 0.3], None),
    ("categorical(classes=3)", [0.5, -0.4], "log_odds"),
]


@pytest.mark.parametrize(("family", "params", "parametrization"), POINTS, ids=str)
def test_all_six_statements_hold(family: str, params: list[float], parametrization: str | None) -> None:
    reports = check_theory(family, params, parametrization=parametrization, draws=DRAWS)
    assert reports.passed, reports.summary()
    void = [report.name for report in reports if not report.applicable]
    assert void == (["steepest descent"] if len(params) == 1 else [])
    assert reports["expansion"].value == pytest.approx(3.0, abs=0.1)
    table = reports.table()
    assert list(table["statement"]) == [report.name for report in reports]
    assert all(str(report) and len(report.details) for report in reports if report.applicable)


def test_data_make_the_loss() -> None:
    data = np.random.default_rng(1).gamma(3.0, 2.0, 500)
    reports = check_theory("gamma", [2.0, 0.5], data, draws=DRAWS)
    assert reports.passed
    assert "500 observations" in reports["steepest descent"].where
    score = nf.families.get("gamma").score(data, [2.0, 0.5]).mean(axis=0)
    decrement = score @ np.linalg.solve(nf.families.get("gamma").fisher([2.0, 0.5]), score)
    np.testing.assert_allclose(reports["direction"].details["decrement"], decrement, rtol=1e-9)


def test_numbers_are_those_of_closed_forms() -> None:
    # KL between exponential distributions of rates 1 and 2: log(1/2) + 2 - 1 (Kullback 1959)
    assert check_cross_entropy("exponential", [1.0], [2.0], draws=1000).value == pytest.approx(1.0 - np.log(2.0))
    # Lagrange to leading order: lambda = sqrt(g'F^-1 g) / r; toward a target in mean coordinates g = F (xi - target)
    report = check_steepest_descent("gaussian", [0.0, 1.0], target=[0.3, 1.2])
    gradient = np.array([-0.3, 0.5 - 0.5 * (1.2 + 0.09)])
    expected = np.sqrt(gradient @ np.diag([1.0, 2.0]) @ gradient)
    np.testing.assert_allclose(report.details["predicted_multiplier"] * report.details["radius"], expected, rtol=1e-9)
    assert report.details["multiplier_ratio"].iloc[-1] == pytest.approx(1.0, abs=0.02)


def test_special_points_are_owned_to() -> None:
    half = check_expansion("bernoulli", [0.5])
    assert half.passed
    assert half.value == pytest.approx(4.0, abs=0.05)
    assert "cubic term vanishes" in half.verdict
    mean_alone = check_expansion("gaussian", [1.0, 4.0], direction=[1.0, 0.0])
    assert mean_alone.passed
    assert np.isnan(mean_alone.value)
    assert "to rounding" in mean_alone.verdict
    mean_parameters = check_steepest_descent("gaussian", [1.0, 3.0], parametrization="mean")
    assert mean_parameters.passed
    assert "itself, to rounding" in mean_parameters.verdict
    assert "stretches all directions alike" in check_direction("gamma", [2.0, 0.5]).verdict
    assert "same direction" in check_direction("poisson", [3.0]).verdict


# -- planted faults


class WrongFisher(Gaussian):
    def home_fisher(self, theta):
        return super().home_fisher(theta) * np.array([[1.0, 1.0], [1.0, 1.01]])


class SkewFisher(Gaussian):
    def home_fisher(self, theta):
        return super().home_fisher(theta) + np.array([[0.0, 0.1], [0.1, 0.0]])


class WrongEntropy(Gamma):
    def entropy(self, params, parametrization=None):
        return super().entropy(params, parametrization) + 1e-4


class WrongKl(Gamma):
    def home_kl(self, theta0, theta1):
        return 1.001 * super().home_kl(theta0, theta1)


class WrongDensity(Categorical):
    def home_log_prob(self, y, theta):
        return super().home_log_prob(y, theta) + 0.2 * theta[..., 0]


class WrongScore(Gaussian):
    def home_score(self, y, theta):
        return super().home_score(y, theta) * np.array([1.0, 1.001])


class WrongSupplies(Gamma):
    """A sampler for another rate: only Monte Carlo sees it."""

    def home_sample(self, theta, rng, shape):
        return 1.05 * super().home_sample(theta, rng, shape)


class WrongLog(Log):
    def jacobian(self, xi):
        return 1.001 * super().jacobian(xi)


def wrong_chart() -> Product:
    return Product(Identity(["mean"]), WrongLog(["log_variance"]))


def test_a_wrong_fisher_matrix_is_found() -> None:
    report = check_fisher(WrongFisher(), [0.5, 2.0], draws=DRAWS)
    assert report.passed is False
    assert report.value == pytest.approx(0.01 / 1.01, rel=1e-3)
    order = check_expansion(WrongFisher(), [0.5, 2.0])
    assert order.passed is False
    assert order.value == pytest.approx(2.0, abs=0.1)
    steepest = check_steepest_descent(SkewFisher(), [0.5, 2.0])
    assert steepest.passed is False
    assert "not confirmed" in steepest.verdict


def test_a_wrong_entropy_divergence_density_or_sampler_is_found() -> None:
    assert check_cross_entropy(WrongEntropy(), [2.0, 0.5], draws=DRAWS).passed is False
    assert check_cross_entropy(WrongKl(), [2.0, 0.5], draws=DRAWS).passed is False
    assert check_cross_entropy(WrongDensity(3), [0.2, 0.5], draws=DRAWS).passed is False
    assert check_score(WrongSupplies(), [2.0, 0.5], draws=DRAWS).passed is False
    assert "do not belong" in check_cross_entropy(WrongEntropy(), [2.0, 0.5], draws=DRAWS).verdict


def test_a_wrong_score_is_found() -> None:
    report = check_score(WrongScore(), [0.5, 2.0], draws=DRAWS)
    assert report.passed is False
    assert "not minus the expected score" in report.verdict
    assert check_fisher(WrongScore(), [0.5, 2.0], draws=DRAWS).passed is False


def test_a_wrong_jacobian_is_found() -> None:
    point = [0.5, 0.3]
    assert check_direction("gaussian", [0.5, 1.5], others=[wrong_chart()]).passed is False
    assert check_direction("gaussian", point, parametrization=wrong_chart()).passed is False
    assert check_fisher("gaussian", point, wrong_chart(), draws=DRAWS).passed is False
    assert check_score("gaussian", point, parametrization=wrong_chart(), draws=DRAWS).passed is False
    reports = check_theory("gaussian", point, parametrization=wrong_chart(), draws=DRAWS)
    assert not reports.passed
    assert "FAILED" in reports.summary()


# -- a user's own family, which is not exponential


class StudentT(Family):
    """Student's t with 5 degrees of freedom; Fisher information from Lange, Little & Taylor (1989), appendix B."""

    name = "student_t"
    home = "scale"
    parameter_names = ("location", "scale")
    support = REALS
    df = 5.0

    def contains(self, theta):
        return np.isfinite(theta).all(axis=-1) & (theta[..., 1] > 0)

    def home_log_prob(self, y, theta):
        z = (y - theta[..., 0]) / theta[..., 1]
        # log Gamma(3) - log Gamma(5/2) - log(5 pi) / 2
        return -0.968619589054724 - np.log(theta[..., 1]) - 3.0 * np.log1p(z * z / self.df)

    def home_score(self, y, theta):
        scale = theta[..., 1]
        z = (y - theta[..., 0]) / scale
        pull = 6.0 * z / (self.df + z * z)
        return np.stack([pull / scale, (pull * z - 1.0) / scale], axis=-1)

    def home_fisher(self, theta):
        scale = theta[..., 1, None, None]
        return np.diag([6.0 / 8.0, 10.0 / 8.0]) / scale**2

    def home_sample(self, theta, rng, shape):
        return theta[..., 0] + theta[..., 1] * rng.standard_t(self.df, shape)

    def example_parameters(self):
        return np.array([[0.0, 1.0], [3.0, 0.5]])

    def conventional_parametrizations(self):
        return {"log_scale": Product(Identity(["location"]), Log(["log_scale"]))}


def test_a_family_with_density_score_and_fisher_alone_is_checked() -> None:
    reports = check_theory(StudentT(), [3.0, 0.5], draws=DRAWS)
    assert reports.passed, reports.summary()
    assert all(report.applicable for report in reports)


def test_a_constrained_parametrization_is_checked() -> None:
    tied = from_function(
        lambda xi: np.concatenate([xi, xi**2], axis=-1),
        lambda theta: theta[..., :1],
        names=["mean"],
        at=[2.0],
        contains=lambda xi: xi[..., 0] > 0,
        vectorized=True,
    )
    reports = check_theory("gaussian", [2.0], parametrization=tied, draws=DRAWS)
    assert reports.passed, reports.summary()
    assert "smaller model" in reports["direction"].reason


# -- where a statement is void


def test_what_does_not_apply_says_why() -> None:
    one = check_steepest_descent("poisson", [3.0])
    assert (one.passed, one.applicable) == (None, False)
    assert "one coordinate" in one.reason
    multiple = check_steepest_descent("gaussian", [1.0, 0.5])  # F = diag(2, 2)
    assert "multiple of the identity" in multiple.reason
    assert not bool(multiple.passed)
    data = np.array([1.0, 2.0, 4.0])
    for check in (check_steepest_descent, check_direction):
        assert "at its minimum" in check("gaussian", nf.families.get("gaussian").mle(data), data).reason
    eigenvector = check_steepest_descent("gaussian", [0.0, 4.0], target=[1e-4, 4.0])
    assert "eigenvector" in eigenvector.reason
    assert "not applicable" in one.summary()
    assert "one parametrization" in check_direction(StudentT(), [0.0, 1.0], others=["scale"]).reason
    far = check_expansion("gaussian", [1e7, 1e14 + 1.0], "mean")
    assert far.applicable is False
    assert "rounding" in far.reason


# -- bad input


@pytest.mark.parametrize(
    ("family", "params", "options", "message"),
    [
        ("gaussian", [0.0, -1.0], {}, "outside the domain"),
        ("gaussian", [0.0, 1.0, 2.0], {}, r"2 parameters \(mean, variance\)"),
        ("gaussian", [[0.0, 1.0]], {}, "one point"),
        ("gaussian", [0.0, 1.0], {"parametrization": "sigma"}, "there are variance, precision"),
        ("gaussian", [0.0, 1.0], {"other": [0.0, 0.0]}, "outside the domain"),
        ("gaussian", [0.0, 1.0], {"draws": 5}, "at least 100 draws"),
        ("gaussian", [0.0, 1.0], {"data": []}, "one or more observations"),
        ("gamma", [1.0, 1.0], {"data": [1.0, -2.0]}, "positive numbers"),
        ("multivariate_normal(dim=6)", [0.0] * 6 + [1.0] * 21, {}, "outside the domain|20 of them at most"),
        ("cauchy", [0.0], {}, "unknown family"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(family, params, options, message) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        check_theory(family, params, **options)
    assert "\n" not in str(caught.value)


class Overparametrized(Gaussian):
    """A Fisher matrix that sees only the difference of the parameters."""

    def home_fisher(self, theta):
        return np.array([[1.0, -1.0], [-1.0, 1.0]]) + 0.0 * theta[..., None]


def test_more_bad_input() -> None:
    with pytest.raises(ValueError, match=r"singular at .* along the direction [+-]1 mean [+-]1 variance"):
        check_fisher(Overparametrized(), [0.0, 1.0])
    with pytest.raises(TypeError, match="GLMs only"):
        check_fisher("tweedie(1.5)", [1.0])
    with pytest.raises(ValueError, match="one of the two"):
        check_steepest_descent("gaussian", [0.0, 1.0], [1.0, 2.0], target=[0.0, 2.0])
    with pytest.raises(ValueError, match="not all zero"):
        check_expansion("gaussian", [0.0, 1.0], direction=[0.0, 0.0])
    with pytest.raises(KeyError, match="'expansion'"):
        check_theory("poisson", [3.0], draws=200)["taylor"]


# -- orders


def test_the_order_is_measured_above_rounding() -> None:
    h = 0.5 ** np.arange(30)
    order = measure_order(h, h**3 + 5 * h**4 + 1e-16, 1e-14)
    assert order.value == pytest.approx(3.0, abs=0.1)
    assert abs(order.value - 3.0) < 3 * order.error
    assert not order.used[np.flatnonzero(h**3 < 1e-15)].any()
    assert not measure_order(h, 0 * h).known


# -- figures


@pytest.mark.parametrize(
    ("family", "params"), [("gamma", [2.0, 0.5]), ("poisson", [3.0]), ("dirichlet(dim=3)", [1.0, 2.0, 3.0])]
)
def test_figures_name_their_axes_and_series(family: str, params: list[float]) -> None:
    reports = check_theory(family, params, draws=1000)
    for report in reports:
        ax = report.plot()
        if report.applicable:
            assert ax.get_xlabel()
            assert ax.get_ylabel()
            assert family.split("(")[0] in ax.get_title(loc="left")
            assert ax.get_legend().get_texts()
            ax.figure.draw_without_rendering()
            box, legend = ax.get_window_extent(), ax.get_legend().get_window_extent()
            assert legend.x0 >= box.x1  # outside the data
            assert legend.x1 <= ax.figure.bbox.x1 + 1  # and nothing cut off
            assert ax.get_tightbbox().x0 >= -1
        else:
            assert report.reason[:20] in ax.texts[0].get_text().replace("\n", " ")
    axes = reports.plot()
    assert axes.size == 6
    own = plt.figure().subplots()
    assert reports["expansion"].plot(own) is own
    plt.close("all")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    report = check_expansion("poisson", [3.0])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"natfit\[plot\]"):
        report.plot()


def test_names_load_on_first_use() -> None:
    assert nf.diagnostics.check_theory is check_theory
    assert {"check_theory", "Report"} <= set(dir(nf.diagnostics))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = nf.diagnostics.nothing
