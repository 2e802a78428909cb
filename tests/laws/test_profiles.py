"""Laws of profile likelihoods: a limit is where the best fit with the quantity held has fallen by the quantile."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import chdtri, expit, ndtr, ndtri, stdtrit

import natfit as nf
from natfit.parametrizations import check
from natfit.parametrizations.level_set import LevelSet

RNG = np.random.default_rng(11)
N = 40
X = np.column_stack([np.ones(N), RNG.uniform(0.0, 1.0, (N, 2))])
QUANTILE = chdtri(1, 0.05)
CASES = [
    ("binomial", "probit"),
    ("binomial", "cloglog"),
    ("poisson", "log"),
    ("poisson", "sqrt"),
    ("gamma", "log"),
    ("inverse_gaussian", "inverse_squared"),
    ("gaussian", "log"),
    (nf.families.NegativeBinomial(alpha=0.4), "log"),
    (nf.families.NegativeBinomial(alpha="ml"), "log"),
]
every_case = pytest.mark.parametrize(("family", "link"), CASES, ids=[f"{f}-{k}" for f, k in CASES])


def response(family):
    rng = np.random.default_rng(7)
    mean = np.exp(0.4 + X[:, 1] - 0.5 * X[:, 2])
    if family == "binomial":
        return rng.binomial(1, expit(mean - 1.0)).astype(float)
    if isinstance(family, nf.families.NegativeBinomial):
        return rng.poisson(rng.gamma(1.5, mean * 2.0)).astype(float)
    if family == "poisson":
        return rng.poisson(mean).astype(float)
    return rng.gamma(6.0, mean / 6.0)


def model(family, link, design=X, **options):
    return nf.GLM(response(family), design, family=family, link=link, **options)


def held(fit, j, value, **options):
    """Fit with a coefficient held at a value, the ordinary way: as an offset."""
    others = [k for k in range(X.shape[1]) if k != j]
    made = nf.GLM(fit.model.endog, X[:, others], family=fit.model.family, link=fit.link, offset=value * X[:, j])
    return made.fit(scale=fit.scale, **options)


@every_case
def test_a_limit_is_where_the_fit_with_it_held_is_worse_by_the_quantile(family, link):
    fit = model(family, link).fit()
    limits = fit.conf_int(method="profile")
    for j, k in ((1, 0), (2, 1)):
        smaller = held(fit, j, limits[j, k])
        deviance = 2.0 * (fit.loglik(fit.scale) - smaller.loglik(fit.scale))
        assert deviance == pytest.approx(QUANTILE, rel=1e-8)


@every_case
def test_units_contrasts_and_row_order_change_nothing(family, link):
    fit = model(family, link).fit()
    A = np.array([[1.0, 2.0, 0.0], [0.0, 1e3, 0.0], [0.0, 4.0, 1e-3]])
    order = np.random.default_rng(0).permutation(N)
    moved = nf.GLM(fit.model.endog[order], (X @ A)[order], family=fit.model.family, link=link).fit()
    for c in ([0.0, 1.0, -1.0], [1.0, 0.5, 0.5]):
        there = moved.profile(np.array(c) @ A).conf_int()
        np.testing.assert_allclose(there, fit.profile(c).conf_int(), rtol=1e-7)
        as_function = fit.profile(lambda b, c=c: np.exp(b[:3] @ np.array(c)))
        np.testing.assert_allclose(np.log(as_function.conf_int()), there, rtol=1e-7, atol=1e-9)


def test_a_smooth_function_of_the_parameters():
    beetles = nf.datasets.load("beetles")
    fit = nf.GLM.from_formula("I(killed / n) ~ dose", beetles, family="binomial", trials="n").fit()
    dose50 = fit.profile(lambda b: -b["Intercept"] / b["dose"], name="LD50")
    for value in dose50.conf_int():  # held there, the model is that of one slope through the dose
        line = nf.GLM(
            fit.model.endog, (beetles["dose"] - value).to_numpy()[:, None], family="binomial", trials=beetles["n"]
        )
        assert line.fit().deviance - fit.deviance == pytest.approx(QUANTILE, rel=1e-9)
    assert list(dose50.table.columns) == ["value", "signed_root", "Intercept", "dose"]
    ratio = -dose50.table["Intercept"] / dose50.table["dose"]
    np.testing.assert_allclose(ratio, dose50.table["value"], rtol=1e-12)


def test_a_ratio_with_no_slope_to_speak_of_has_no_finite_limit():
    # as Fieller's: a vanishing denominator lies inside, so no ratio is far enough
    x = np.linspace(-1.0, 1.0, 12)
    y = np.array([0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1.0])
    fit = nf.GLM(y, np.column_stack([np.ones(12), x]), family="binomial").fit()
    assert fit.pvalues[1] > 0.05
    ratio = fit.profile(lambda b: -b[0] / b[1], name="ratio")
    assert ratio.conf_int()[0] == -np.inf
    assert "never falls as far" in ratio.notes[0]


def test_the_table_holds_the_best_fits():
    fit = model("gamma", "log").fit()
    profile = fit.profile(1)
    table = profile.table
    assert list(table.columns) == ["value", "signed_root", *(fit.model.exog_names[j] for j in (0, 2))]
    assert table["value"].is_monotonic_increasing
    assert table["signed_root"].is_monotonic_increasing
    assert table["signed_root"].iloc[0] < ndtri(0.01) < -ndtri(0.01) < table["signed_root"].iloc[-1]
    for row in (0, 5, 12):
        smaller = held(fit, 1, table["value"].iloc[row])
        np.testing.assert_allclose(table.iloc[row, 2:], smaller.params, rtol=1e-6)
        deviance = (smaller.deviance - fit.deviance) / fit.scale
        assert table["signed_root"].iloc[row] ** 2 == pytest.approx(deviance, rel=1e-8, abs=1e-10)


def test_a_linear_gaussian_profile_is_walds():
    fit = model("gaussian", "identity").fit()
    np.testing.assert_allclose(fit.conf_int(method="profile"), fit.conf_int(), rtol=1e-9)
    t = model("gaussian", "identity").fit(use_t=True)
    np.testing.assert_allclose(t.conf_int(method="profile"), t.conf_int(), rtol=1e-9)
    asked = fit.profile(1).conf_int(use_t=True)
    np.testing.assert_allclose(asked, t.conf_int()[1], rtol=1e-9)
    assert (asked[1] - fit.params[1]) / fit.bse[1] == pytest.approx(stdtrit(37, 0.975), rel=1e-9)


class TestAlpha:
    fit = model(nf.families.NegativeBinomial(alpha="ml"), "log").fit()

    def test_a_limit_is_where_the_fit_at_that_alpha_is_worse_by_the_quantile(self):
        limits = self.fit.profile("alpha").conf_int()
        assert limits[0] < self.fit.family.alpha < limits[1]
        for alpha in limits:
            at = model(nf.families.NegativeBinomial(alpha=alpha), "log").fit()
            assert 2.0 * (self.fit.llf - at.llf) == pytest.approx(QUANTILE, rel=1e-8)
        np.testing.assert_allclose(self.fit.profile("1/alpha").conf_int(), 1.0 / limits[::-1], rtol=1e-12)
        np.testing.assert_allclose(self.fit.profile("log(alpha)").conf_int(), np.log(limits), rtol=1e-12)
        by_hand = self.fit.profile(lambda b: np.sqrt(b[-1])).conf_int()
        np.testing.assert_allclose(by_hand**2, limits, rtol=1e-8)
        inverse = self.fit.profile("1/alpha")
        assert inverse.table["value"].is_monotonic_increasing
        assert inverse.table["signed_root"].is_monotonic_increasing
        assert inverse.se == pytest.approx(self.fit.shape.se / self.fit.shape.alpha**2, rel=1e-5)
        np.testing.assert_allclose(self.fit.profile(1).wald(), self.fit.conf_int()[1], rtol=1e-10)

    def test_alpha_is_profiled_with_the_coefficients(self):
        assert list(self.fit.profile()) == [*self.fit.model.exog_names, "alpha"]
        assert list(self.fit.profile(0).table.columns[-1:]) == ["alpha"]

    def test_the_boundary_is_the_limit_only_where_the_poisson_lies_inside(self):
        y = np.array([3, 1, 4, 2, 8, 3, 2, 1, 4, 3, 6, 2, 1, 3.0])
        fit = nf.GLM(y, np.ones((14, 1)), family=nf.families.NegativeBinomial(alpha="ml")).fit()
        poisson = nf.GLM(y, np.ones((14, 1)), family="poisson").fit()
        reach = np.sqrt(2.0 * (fit.llf - poisson.llf))
        assert reach < 1.0
        profile = fit.profile("alpha")
        assert profile.conf_int(2.0 * ndtr(-0.99 * reach))[0] > 0.0
        assert profile.conf_int(2.0 * ndtr(-1.01 * reach))[0] == 0.0

    def test_the_boundary(self):
        y = np.array([3, 1, 4, 2, 8, 3, 2, 1, 4, 3, 6, 2, 1, 3.0])
        fit = nf.GLM(y, np.ones((14, 1)), family=nf.families.NegativeBinomial(alpha="ml")).fit()
        assert fit.family.alpha > 0.0
        profile = fit.profile("alpha")
        assert profile.conf_int()[0] == 0.0
        assert "the boundary alpha = 0" in profile.notes[0]
        assert fit.profile("1/alpha").conf_int()[1] == np.inf
        equal = nf.GLM(np.ones(9), np.ones((9, 1)), family=nf.families.NegativeBinomial(alpha="ml")).fit()
        with pytest.raises(ValueError, match="alpha lies on its boundary 0"):
            equal.profile("alpha")
        with pytest.raises(ValueError, match="alpha was not estimated"):
            model("poisson", "log").fit().profile("alpha")


def penalised(y, design, b):
    mu = expit(design @ b)
    information = design.T @ ((mu * (1 - mu))[:, None] * design)
    return y @ np.log(mu) + (1 - y) @ np.log1p(-mu) + 0.5 * np.linalg.slogdet(information)[1]


def test_firths_limits_and_tests_take_the_penalty_of_all_coefficients():
    x = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1.0])
    y = np.array([0, 0, 1, 0, 0, 1, 1, 1, 1.0])
    design = np.column_stack([np.ones(9), x])
    fit = nf.GLM(y, design, family="binomial").fit(bias_reduction="firth")
    top = penalised(y, design, fit.params)
    assert fit.penalized_llf == pytest.approx(top, rel=1e-9)

    def best(value):
        found = minimize_scalar(lambda a: -penalised(y, design, np.array([a, value])), bracket=(-3.0, 0.0), tol=1e-12)
        return -found.fun

    for limit in fit.conf_int(method="profile")[1]:
        assert 2.0 * (top - best(limit)) == pytest.approx(QUANTILE, rel=1e-9)
    test = fit.lr_test("x1").iloc[0]
    assert test["chi2"] == pytest.approx(2.0 * (top - best(0.0)), rel=1e-9)
    both = fit.lr_test([0, "x1"])
    assert both["chi2"].iloc[0] == pytest.approx(2.0 * (top - penalised(y, design, np.zeros(2))), rel=1e-9)
    assert both["df"].iloc[0] == 2


@every_case
def test_a_likelihood_ratio_test_is_that_of_the_smaller_model(family, link):
    fit = model(family, link).fit()
    table = fit.lr_test()
    for j in (1, 2):
        value = 2.0 * (fit.loglik(fit.scale) - held(fit, j, 0.0).loglik(fit.scale))
        assert table["chi2"].iloc[j] == pytest.approx(value, rel=1e-8, abs=1e-10)
    together = fit.lr_test(["x1", "x2"])
    smaller = nf.GLM(fit.model.endog, X[:, :1], family=fit.model.family, link=link).fit(scale=fit.scale)
    value = 2.0 * (fit.loglik(fit.scale) - smaller.loglik(fit.scale))
    assert together["chi2"].iloc[0] == pytest.approx(value, rel=1e-8)
    assert together["df"].iloc[0] == 2


def test_a_test_by_student_is_walds_for_a_linear_gaussian():
    fit = model("gaussian", "identity").fit(use_t=True)
    table = fit.lr_test()
    np.testing.assert_allclose(table["F"], fit.tvalues**2, rtol=1e-8)
    np.testing.assert_allclose(table["pvalue"], fit.pvalues, rtol=1e-7)
    both = fit.lr_test(["x1", "x2"])
    assert both["F"].iloc[0] == pytest.approx(float(fit.f_test(np.eye(3)[1:]).fvalue), rel=1e-8)


@pytest.mark.filterwarnings("ignore::natfit.results.warnings.SeparationWarning")
class TestSeparation:
    y = np.array([0, 1, 0, 1, 1, 1, 1, 1.0])
    design = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4), np.tile([1.0, 2.0, 3.0, 4.0], 2)])

    def test_a_separated_coefficient_has_one_limit(self):
        fit = nf.GLM(self.y, self.design, family="binomial").fit()
        profile = fit.profile(1)
        low, high = profile.conf_int()
        assert high == np.inf
        assert profile.estimate == np.inf
        assert "separation" in profile.notes[0]
        smaller = nf.GLM(self.y, self.design[:, [0, 2]], family="binomial", offset=low * self.design[:, 1]).fit()
        assert 2.0 * (fit.llf - smaller.llf) == pytest.approx(QUANTILE, rel=1e-8)
        assert profile.table["signed_root"].is_monotonic_increasing
        other = fit.conf_int(method="profile")[2]  # only the first four rows tell of this one
        first = nf.GLM(self.y[:4], self.design[:4][:, [0, 2]], family="binomial").fit()
        np.testing.assert_allclose(other, first.conf_int(method="profile")[1], rtol=1e-6)

    @pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
    def test_tests_and_profiles_where_the_smaller_model_is_separated_too(self, link):
        design = np.column_stack([self.design, [0.3, -1.0, 0.2, 0.8, -0.1, 0.5, 0.9, -0.6]])
        fit = nf.GLM(self.y, design, family="binomial", link=link).fit()
        assert fit.fitted.separation is not None
        smaller = nf.GLM(self.y, design[:, :3], family="binomial", link=link).fit()
        assert smaller.fitted.separation is not None
        test = fit.lr_test("x3")["chi2"].iloc[0]
        assert test == pytest.approx(2.0 * (fit.llf - smaller.llf), abs=1e-6)
        limits = fit.profile().conf_int()
        assert not limits.isna().any(axis=None)

    def test_complete_separation_under_a_probit_whose_weights_vanish_at_once(self):
        for seed in (1, 24):  # the second stops with a metric that has vanished, and nothing left to gain
            rng = np.random.default_rng(seed)
            x = np.column_stack([np.ones(20), rng.normal(size=(20, 2)) > 0.0, rng.normal(size=20)])
            y = (x @ [0.1, -1.0, 1.0, 2.0] > 0.0).astype(float)
            fit = nf.GLM(y, x, family="binomial", link="probit").fit()
            limits = fit.profile().conf_int()
            assert not limits.isna().any(axis=None)
            j, side = np.argwhere(np.isfinite(limits.to_numpy()))[0]
            others = [k for k in range(4) if k != j]
            offset = limits.iloc[j, side] * x[:, j]
            smaller = nf.GLM(y, x[:, others], family="binomial", link="probit", offset=offset).fit()
            assert 2.0 * (fit.llf - smaller.llf) == pytest.approx(QUANTILE, rel=1e-6)

    def test_complete_separation(self):
        iris = nf.datasets.load("iris")
        formula = "I(Species == 'setosa') ~ Q('Sepal.Length') + Q('Sepal.Width')"
        fit = nf.GLM.from_formula(formula, iris, family="binomial").fit()
        limits = fit.conf_int(method="profile").to_numpy()
        np.testing.assert_array_equal(np.isinf(limits), [[False, True], [True, False], [False, True]])
        design = fit.model.exog
        smaller = nf.GLM(fit.model.endog, design[:, :2], family="binomial", offset=limits[2, 0] * design[:, 2]).fit()
        assert 2.0 * (fit.llf - smaller.llf) == pytest.approx(QUANTILE, rel=1e-8)


def test_where_the_best_means_reach_the_edge_of_the_domain():
    rng = np.random.default_rng(3)
    x = rng.uniform(0.0, 1.0, 25)
    y = rng.poisson(0.3 + 2.0 * x).astype(float)
    fit = nf.GLM(y, np.column_stack([np.ones(25), x]), family="poisson", link="identity").fit()
    profile = fit.profile(0)
    assert np.isnan(profile.conf_int()[0])
    assert "edge of the family's domain" in profile.notes[0]


def fitted(**options):
    return model("binomial", "probit").fit(**options)


@pytest.mark.parametrize(
    ("make", "which", "message"),
    [
        (lambda: fitted(bias_reduction="mean"), 1, "bias_reduction='mean' has none"),
        (lambda: fitted(cov_type="HC0"), 1, "cov_type='HC0' does not trust"),
        (fitted, "nothing", "there is no coefficient 'nothing'; there are"),
        (fitted, [1.0, 2.0], "a finite number for each of the 3"),
        (fitted, lambda b: b["x9"], "a function to profile takes the parameters"),
        (fitted, lambda b: np.nan, "must be finite at the estimates"),
        (fitted, lambda b: 1.0, "does not change along any direction"),
        (lambda: nf.GLM([1.0, 2.0], np.eye(2), family="gamma").fit(), 1, "a profile needs a dispersion"),
    ],
    ids=["mean", "robust", "unknown", "short", "fails", "nan", "constant", "saturated"],
)
def test_what_can_not_be_profiled(make, which, message):
    with pytest.raises(ValueError, match=message):
        make().profile(which)


def test_an_aliased_coefficient():
    fit = model("binomial", "probit", np.column_stack([X, X[:, 1] * 2.0])).fit()
    with pytest.raises(ValueError, match="x3 is aliased; take others"):
        fit.profile("x3")
    with pytest.raises(ValueError, match="x3 is aliased; test the others"):
        fit.lr_test("x3")
    limits = fit.conf_int(method="profile")
    assert np.isnan(limits[3]).all()
    np.testing.assert_allclose(limits[:3], fitted().conf_int(method="profile"), rtol=1e-8)
    assert list(fit.profile()) == fit.model.exog_names[:3]
    np.testing.assert_allclose(fit.conf_int(cols=[1], method="profile"), limits[[1]], rtol=1e-12)


def test_a_fit_that_is_no_maximum_is_not_profiled():
    with pytest.warns(nf.ConvergenceWarning):
        fit = model("gamma", "log").fit(maxiter=1)
    with pytest.raises(ValueError, match="did not reach"):
        fit.profile(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda fit: fit.conf_int(method="score"), "'wald' or 'profile'"),
        (lambda fit: fit.profile(1, alpha=2.0), "alpha must lie between 0 and 1"),
        (lambda fit: fit.profile(1).conf_int(0.0), "between 0 and 1"),
        (lambda fit: fit.profile(["x1", "x2"], name="both"), "leave it out"),
    ],
)
def test_arguments_are_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call(fitted())


def test_a_level_set_is_a_parametrization():
    def gradient(t):
        return np.array([1 / t[1], -t[0] / t[1] ** 2, 2.0 * t[2]])

    surface = LevelSet(["a", "b", "c"], lambda t: t[0] / t[1] + t[2] ** 2, gradient, 2.0, 0, [1.0, 1.0, 1.0])
    assert check(surface, np.array([3.0, 0.5])).ok
    np.testing.assert_allclose(surface.to_home([[3.0, 0.5], [1.0, 0.0]]), [[5.25, 3.0, 0.5], [2.0, 1.0, 0.0]])
    with pytest.raises(ValueError, match="to have the value 2"):
        surface.from_home([1.0, 1.0, 5.0])
    assert not surface.contains([0.0, 0.5])
