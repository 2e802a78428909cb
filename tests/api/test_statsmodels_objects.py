"""What statsmodels' families and links become, and a user's own links: right numbers, or a refusal in one sentence."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.genmod import families as sm_families
from statsmodels.genmod.families import links as sm_links
from statsmodels.genmod.families import varfuncs as sm_varfuncs

import natfit as nf
from natfit import families
from natfit.families import links
from natfit.families.interval import Interval
from natfit.models.families import resolve_family

# --- a link from a user's functions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("functions", "ranges", "message"),
    [
        (
            (np.log, lambda eta: np.exp(2 * eta), lambda eta: 2 * np.exp(2 * eta)),
            {},
            r"link\(inverse\(eta\)\) is -4\.6 at",
        ),
        ((np.log, np.exp, lambda eta: 2 * np.exp(eta)), {}, r"derivative\(eta\) is .* at eta = -2\.3 .*off by"),
        ((np.sqrt, np.square, lambda eta: 2 * eta), {}, "predictor_range on which they hold"),
        ((np.log, np.exp, np.exp), {"mean_range": (0, 1)}, r"gives the mean 1\.\d* at the predictor 0\.11, outside"),
        ((np.log, np.exp, np.exp), {"second_derivative": np.negative}, r"second_derivative\(eta\) is 2\.3 at"),
        ((np.log, np.exp, np.exp), {"name": "log"}, "choose another name"),
    ],
)
def test_functions_that_do_not_belong_together_are_refused(functions, ranges, message):
    with pytest.raises(ValueError, match=message) as refusal:
        links.from_functions(*functions, **ranges)
    assert str(refusal.value).count("\n") == 0


def _steep(eta):
    return 1 / (1 + np.exp(-40 * eta))


@pytest.mark.parametrize(
    ("functions", "ranges"),
    [
        ((np.sqrt, np.square, lambda eta: 2 * eta), {"mean_range": (0, np.inf), "predictor_range": (0, np.inf)}),
        ((np.log, np.exp, np.exp), {"mean_range": (0, 1), "predictor_range": (-np.inf, 0)}),
        ((lambda mu: 1e6 * mu, lambda eta: 1e-6 * eta, lambda eta: 1e-6), {}),
        (
            (lambda mu: np.log(mu / (1 - mu)) / 40, _steep, lambda eta: 40 * _steep(eta) * _steep(-eta)),
            {"mean_range": (0, 1)},
        ),
    ],
)
def test_functions_that_belong_together_are_taken(functions, ranges):
    links.from_functions(*functions, **ranges)


def test_a_limit_is_that_of_the_ranges_where_the_functions_clip():
    def clipped(mu):
        mu = np.clip(mu, 1e-16, 1 - 1e-16)
        return np.log(mu / (1 - mu))

    def inverse(eta):
        return 1 / (1 + np.exp(-eta))

    link = links.from_functions(clipped, inverse, lambda eta: inverse(eta) * inverse(-eta), mean_range=(0, 1))
    assert (link.limit(0.0), link.limit(1.0)) == (-np.inf, np.inf)


# --- statsmodels' links ----------------------------------------------------------------------------------------------


class TwiceLog(sm_links.Log):
    """eta = 2 log mu, with the second derivatives of its parent, which are wrong."""

    def __call__(self, p, **extra):
        return 2.0 * np.log(p)

    def inverse(self, z):
        return np.exp(z / 2.0)

    def deriv(self, p):
        return 2.0 / p

    def inverse_deriv(self, z):
        return np.exp(z / 2.0) / 2.0


class WithParentsSlope(TwiceLog):
    """The same, but with the inverse's derivative of its parent too."""

    def inverse_deriv(self, z):
        return np.exp(z)


class CubeRoot(sm_links.Link):
    """A link of a user's own, with nothing but what the base class asks for."""

    def __call__(self, p):
        return np.cbrt(p)

    def inverse(self, z):
        return z**3

    def deriv(self, p):
        return np.abs(p) ** (-2.0 / 3.0) / 3.0

    def deriv2(self, p):
        return -2.0 / 9.0 * np.abs(p) ** (-8.0 / 3.0) * p


def _unlike_parent(link):
    link.inverse = lambda z: 7.0
    return link


def _data(kind, n=200):
    rng = np.random.default_rng(7)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    eta = X @ [0.6, 0.4, -0.3]
    draw = {
        "binary": lambda: (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
        "count": lambda: rng.poisson(np.exp(eta)).astype(float),
        "positive": lambda: rng.gamma(3.0, np.exp(eta) / 3.0),
    }
    return draw[kind](), X


CUSTOM = {
    "CDFLink t": ("binary", lambda: sm_families.Binomial(link=sm_links.CDFLink(stats.t(5)))),
    "CDFLink logistic": ("binary", lambda: sm_families.Binomial(link=sm_links.CDFLink(stats.logistic(0.5, 2)))),
    "Probit with another law": ("binary", lambda: sm_families.Binomial(link=sm_links.Probit(stats.t(4)))),
    "twice log": ("count", lambda: sm_families.Poisson(link=TwiceLog())),
    "parent's slope": ("positive", lambda: sm_families.Gamma(link=WithParentsSlope())),
    "cube root": ("positive", lambda: sm_families.Gamma(link=CubeRoot(), check_link=False)),
    "cube root of a count": ("count", lambda: sm_families.Poisson(link=CubeRoot(), check_link=False)),
}


def _same(ours, theirs, names=("params", "bse", "llf", "deviance", "scale")):
    for name in names:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-6, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("case", list(CUSTOM))
@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels")
@pytest.mark.filterwarnings("ignore:The .* link function:UserWarning")
@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")
def test_a_statsmodels_link_that_is_not_a_named_one_is_taken_by_its_own_functions(case):
    kind, make = CUSTOM[case]
    y, X = _data(kind)
    ours = nf.GLM(y, X, family=make()).fit()
    theirs = sm.GLM(y, X, family=make()).fit(tol=1e-13, maxiter=300)
    _same(ours, theirs)


@pytest.mark.parametrize(
    ("link", "name"),
    [
        (sm_links.Logit(), "logit"),
        (sm_links.Probit(), "probit"),
        (sm_links.Cauchy(), "cauchit"),
        (sm_links.CLogLog(), "cloglog"),
        (sm_links.LogLog(), "loglog"),
        (sm_links.LogC(), "log_complement"),
        (sm_links.Log(), "log"),
        (sm_links.Log, "log"),
        (sm_links.Identity(), "identity"),
        (sm_links.Power(2.0), "power(2.0)"),
        (sm_links.CDFLink(), "CDFLink"),
        (sm_links.CDFLink(stats.t(3)), "CDFLink"),
        (type("Log", (TwiceLog,), {})(), "custom Log"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_a_named_link_stays_itself(link, name):
    family = "binomial" if name not in ("power(2.0)", "custom Log") else "poisson"
    assert resolve_family(family, link)[1].name == name


def test_a_link_takes_the_ranges_that_its_functions_allow():
    link = resolve_family("binomial", sm_links.CDFLink(stats.t(3)))[1]
    assert link.mean_range == Interval(0.0, 1.0)
    assert (link.limit(0.0), link.limit(1.0)) == (-np.inf, np.inf)
    assert resolve_family("gamma", CubeRoot())[1].predictor_range == Interval(0.0, np.inf)


def test_a_link_whose_functions_do_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="statsmodels link Log can't be used: the custom Log link's functions do not"):
        resolve_family("poisson", _unlike_parent(sm_links.Log()))


# --- statsmodels' families -------------------------------------------------------------------------------------------


class Quasi(sm_families.Binomial):
    """A family of a user's own."""

    def loglike_obs(self, *args, **kwargs):
        return 0.0


def _changed(family, **attributes):
    for name, value in attributes.items():
        setattr(family, name, value)
    return family


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: _changed(sm_families.Binomial(), variance=lambda mu: (mu * (1 - mu)) ** 2),
            "variance function of its own",
        ),
        (lambda: _changed(sm_families.Poisson(), variance=sm_varfuncs.mu_squared), "variance function of its own"),
        (lambda: _changed(sm_families.Gaussian(), variance=sm_varfuncs.Power(1.0)), "variance function of its own"),
        (
            lambda: _changed(sm_families.NegativeBinomial(alpha=1.0), variance=sm_varfuncs.NegativeBinomial(2.0)),
            "variance function of its own",
        ),
        (lambda: _changed(sm_families.Poisson(), weights=lambda mu: mu), "has a weights of its own"),
        (Quasi, "Quasi is not one of statsmodels' own"),
        (lambda: Quasi, "Quasi is not one of statsmodels' own"),
        (lambda: sm_families.Tweedie(var_power=1.5, eql=True), "leave eql out"),
        (lambda: sm_families.Tweedie(var_power=2.5), "strictly between 1 and 2"),
    ],
)
def test_a_changed_statsmodels_family_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        resolve_family(make(), None)


@pytest.mark.parametrize(
    "family",
    [
        sm_families.Gaussian(),
        sm_families.Binomial(),
        sm_families.Poisson(),
        sm_families.Gamma(),
        sm_families.InverseGaussian(link=sm_links.Log()),
        sm_families.NegativeBinomial(alpha=0.7),
        sm_families.Tweedie(var_power=1.6),
    ],
    ids=lambda family: type(family).__name__,
)
def test_an_unchanged_family_is_itself_also_after_statsmodels_fitted_it(family):
    y, X = _data("positive")
    y = (y > 1.0).astype(float) if isinstance(family, sm_families.Binomial) else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sm.GLM(y, X, family=family).fit(maxiter=3)
    assert type(resolve_family(family, None)[0]).__name__ == type(family).__name__


@pytest.mark.parametrize(("power", "kind"), [(1, "count"), (1.0, "positive"), (2, "positive"), (3, "positive")])
@pytest.mark.filterwarnings("ignore::RuntimeWarning:statsmodels")
def test_a_tweedie_at_the_powers_of_other_families_has_statsmodels_numbers(power, kind):
    y, X = _data(kind)
    ours = nf.GLM(y, X, family=sm_families.Tweedie(var_power=power)).fit()
    theirs = sm.GLM(y, X, family=sm_families.Tweedie(var_power=power)).fit(tol=1e-13)
    names = ("params", "bse", "deviance", "scale", "pearson_chi2")
    _same(ours, theirs, names if power == 3 else (*names, "llf"))  # statsmodels has no log-likelihood at 3
    assert np.isfinite(ours.llf)
    assert ours.null_deviance == pytest.approx(theirs.null_deviance)
    ours.summary()


# --- what is not a family --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "error", "message"),
    [
        (3, TypeError, r"^a GLM's family is given by name \(binomial, [^()]*\), .*; got int 3$"),
        (dict, TypeError, "got dict$"),
        ("weibull", ValueError, "^the weibull family is not a GLM's response; a GLM takes one of"),
        ("weibull(2)", ValueError, "^the weibull family is not a GLM's response"),
        (families.Weibull, ValueError, "^the weibull family is not a GLM's response"),
        ("posson", ValueError, "did you mean 'poisson'"),
        ("tweedie(3)", ValueError, "strictly between 1 and 2"),
    ],
)
def test_what_is_not_a_response_is_refused_with_what_is(family, error, message):
    with pytest.raises(error, match=message) as refusal:
        resolve_family(family, None)
    assert "wishart" not in str(refusal.value)
