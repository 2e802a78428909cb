"""Laws that every registered link obeys: run over the registry, so that a new link is tested without an edit here."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.genmod.families import links as sm_links

from natfit.families import links
from natfit.families.interval import NEGATIVE, POSITIVE, REAL, UNIT, Interval

EVERY = links.REGISTRY.examples()
EPS = np.finfo(float).eps
MAGNITUDES = np.array([1e-8, 1e-3, 0.1, 0.5, 1.0, 2.0, 3.5, 6.0, 8.5, 20.0, 36.0, 100.0, 700.0])

every_link = pytest.mark.parametrize("link", EVERY, ids=lambda link: link.name)


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):  # as the likelihood runs them
        yield


def predictors(link):
    """A grid over the range of the predictor, far into its tails."""
    wide = np.geomspace(1e-8, 1e8, 33)
    low, high = link.predictor_range.low, link.predictor_range.high
    if np.isinf(low) and np.isinf(high):
        return np.concatenate([-MAGNITUDES[::-1], MAGNITUDES])
    if np.isinf(high):
        return low + wide
    if np.isinf(low):
        return high - wide[::-1][7:]
    return np.linspace(low, high, 35)[1:-1]


def means(link):
    """A grid over the range of the mean, close to its ends."""
    low, high = link.mean_range.low, link.mean_range.high
    if np.isinf(low) and np.isinf(high):
        return np.concatenate([-np.geomspace(1e-8, 1e8, 17)[::-1], np.geomspace(1e-8, 1e8, 17)])
    if np.isinf(high):
        return low + np.geomspace(1e-12, 1e8, 30)
    if np.isinf(low):
        return high - np.geomspace(1e-8, 1e8, 30)[::-1]
    inner = np.geomspace(1e-14, 0.5, 20)
    return np.concatenate([low + (high - low) * inner, high - (high - low) * inner[-2::-1]])


def derivative(function, x, step):
    """Central difference of fourth order."""
    near = function(x + step) - function(x - step)
    return (8.0 * near - (function(x + 2 * step) - function(x - 2 * step))) / (12.0 * step)


@every_link
def test_inverse_undoes_the_link(link):
    mu = means(link)
    eta = link(mu)
    _, _, slope = link.mean(eta)
    rounding = 8 * EPS * (np.abs(mu) + np.abs(slope * eta) + np.abs(slope))
    assert np.all(np.abs(link.inverse(eta) - mu) <= rounding)


@every_link
def test_the_link_undoes_its_inverse_in_the_far_tails(link):
    eta = predictors(link)
    mu, _, slope = link.mean(eta)
    usable = link.mean_range.contains(mu) & (np.abs(slope) > 0)
    assert usable.sum() > len(eta) / 3
    eta, mu, slope = eta[usable], mu[usable], slope[usable]
    rounding = 16 * EPS * (np.abs(eta) + 1 + np.abs(mu / slope))  # a mean next to its end leaves the predictor vague
    assert np.all(np.abs(link(mu) - eta) <= rounding)


@every_link
def test_inverse_is_the_mean(link):
    eta = predictors(link)
    np.testing.assert_array_equal(link.inverse(eta), link.mean(eta)[0])


@every_link
def test_the_slope_is_the_derivative_of_the_mean_and_of_minus_the_complement(link):
    eta = predictors(link)
    mu, complement, slope = link.mean(eta)
    parts = [(mu, lambda e: link.mean(e)[0], 1.0)]
    if complement is not None:
        parts.append((complement, lambda e: link.mean(e)[1], -1.0))
    checked = np.zeros(eta.shape, dtype=bool)
    for value, function, sign in parts:
        step = 1e-3 * np.minimum(1.0, np.abs(value / slope))  # relative to the scale on which the mean varies
        step = np.where(np.isfinite(step) & (step > 1e-13 * np.abs(eta)), step, np.nan)
        ok = np.isfinite(step) & (np.abs(value) < 0.9 if complement is not None else True) & (np.abs(slope) > 1e-300)
        tolerance = 1e-9 + 4 * EPS * np.abs(eta) / step
        error = np.abs(sign * derivative(function, eta, step) / slope - 1.0)
        assert np.all(error[ok] <= tolerance[ok])
        checked |= ok
    assert checked.mean() > 0.6


@every_link
def test_the_curvature_is_the_derivative_of_the_slope(link):
    eta = predictors(link)
    mu, _, slope = link.mean(eta)
    curvature = link.curvature(eta, mu, slope)
    assert curvature.shape == eta.shape
    step = 1e-3 * np.minimum(1.0, np.abs(slope / np.where(curvature == 0.0, slope, curvature)))
    ok = (np.abs(slope) > 1e-290) & (step > 1e-13 * np.abs(eta))
    error = np.abs(derivative(lambda e: link.mean(e)[2], eta, step) - curvature)
    scale = np.abs(curvature) + np.abs(slope)
    tolerance = (1e-9 + 4 * EPS * np.abs(eta) / step) * scale
    assert np.all(error[ok] <= tolerance[ok])
    assert ok.mean() > 0.6


@every_link
def test_mean_and_complement_sum_to_one(link):
    eta = predictors(link)
    mu, complement, _ = link.mean(eta)
    assert (complement is not None) or link.mean_range not in UNIT
    other = link.complement(eta, mu) if complement is None else complement
    ordinary = np.abs(mu) < 1e8
    np.testing.assert_allclose((mu + other)[ordinary], 1.0, atol=4 * EPS * (1 + np.abs(mu[ordinary]).max()), rtol=0)


@every_link
def test_the_mean_is_monotone_and_inside_its_range(link):
    eta = predictors(link)
    mu, complement, slope = link.mean(eta)
    sign = np.sign(slope[len(slope) // 2])
    assert sign != 0
    assert np.all(sign * slope >= 0)
    assert np.all(sign * np.diff(mu) >= 0)
    assert np.all((mu >= link.mean_range.low) & (mu <= link.mean_range.high))
    if complement is not None:
        assert np.all(sign * np.diff(complement) <= 0)
        assert np.all(np.diff(mu - complement)[np.abs(eta[1:]) < 3] != 0)


@every_link
def test_nothing_is_written_into_the_predictor(link):
    eta = predictors(link)
    before = eta.copy()
    eta.flags.writeable = False
    mu, _, slope = link.mean(eta)
    mu.flags.writeable = slope.flags.writeable = False
    link.curvature(eta, mu, slope)
    link(mu)
    np.testing.assert_array_equal(eta, before)


@every_link
def test_a_link_is_a_value(link):
    assert pickle.loads(pickle.dumps(link)) == link
    assert hash(pickle.loads(pickle.dumps(link))) == hash(link)
    assert links.get(link.name) == link
    assert links.get(link) is link


@every_link
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_round_trip_of_any_mean(link, data):
    low, high = max(link.mean_range.low, -1e10), min(link.mean_range.high, 1e10)
    mu = np.array([data.draw(st.floats(low, high, exclude_min=True, exclude_max=True, allow_subnormal=False))])
    if not abs(mu[0]) > 1e-100 or abs(mu[0]) > 1e10:
        return
    with np.errstate(all="ignore"):
        eta = link(mu)
        _, _, slope = link.mean(eta)
        back = link.inverse(eta)
    rounding = 16 * EPS * (np.abs(mu) + np.abs(slope * eta) + np.abs(slope))
    assert not np.all(np.isfinite(slope)) or np.all(np.abs(back - mu) <= rounding)


# --- tails, to full relative precision -------------------------------------------------------------------------------

LONG = np.array([-700.0, -300.0, -36.0, -5.0, -1.0, 0.25, 1.5, 6.0, 36.0, 300.0, 700.0], dtype=np.longdouble)


def exact(name, x):
    """Mean, complement and slope in extended precision (a 64-bit mantissa), each from a form that does not cancel."""
    one = np.longdouble(1)
    pi = np.longdouble("3.14159265358979323846")
    if name == "logit":
        mu, complement = one / (one + np.exp(-x)), one / (one + np.exp(x))
        return mu, complement, mu * complement
    if name == "cloglog":
        return -np.expm1(-np.exp(x)), np.exp(-np.exp(x)), np.exp(x - np.exp(x))
    if name == "loglog":
        return np.exp(-np.exp(-x)), -np.expm1(-np.exp(-x)), np.exp(-x - np.exp(-x))
    if name == "cauchit":
        lower = np.where(x < 0, np.arctan(-one / np.where(x < 0, x, -one)) / pi, one / 2 + np.arctan(x) / pi)
        upper = np.where(x > 0, np.arctan(one / np.where(x > 0, x, one)) / pi, one / 2 - np.arctan(x) / pi)
        return lower, upper, one / (pi * (one + x * x))
    assert name == "log_complement"
    return -np.expm1(x), np.exp(x), -np.exp(x)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="no extended precision on this machine")
@pytest.mark.parametrize("name", ["logit", "cloglog", "loglog", "cauchit", "log_complement"])
def test_tails_keep_their_digits(name):
    eta = LONG.astype(float)
    conditioning = np.exp(np.minimum(np.abs(eta), 7.0)) if "loglog" in name else 1.0  # exp(exp(eta)) amplifies rounding
    for got, expected in zip(links.get(name).mean(eta), exact(name, LONG), strict=True):
        representable = (np.abs(expected) > 1e-307) & (np.abs(expected) < 1e307)
        error = np.abs(got[representable] / expected[representable] - 1)
        assert np.all(error <= (16 * EPS * (conditioning * np.ones_like(eta)))[representable])
        assert np.all(np.isfinite(got))


# Normal distribution function, complement and density to 50 digits by mpmath 1.4 (ncdf, npdf), rounded to double.
NORMAL = [
    (-37.0, 5.725571222524577e-300, 1.0, 2.1200065515246056e-298),
    (-20.0, 2.7536241186062337e-89, 1.0, 5.520948362159764e-88),
    (-5.0, 2.866515718791939e-07, 0.9999997133484281, 1.4867195147342977e-06),
    (0.5, 0.6914624612740131, 0.3085375387259869, 0.35206532676429947),
    (6.0, 0.9999999990134123, 9.86587645037698e-10, 6.075882849823285e-09),
]


@pytest.mark.parametrize(("eta", "mu", "complement", "slope"), NORMAL)
def test_probit_tails(eta, mu, complement, slope):
    got = links.Probit().mean(np.array([eta]))
    rounding = 4 * EPS * (1 + eta * eta)  # half a unit in the last place of eta moves the tail by this much
    for value, expected in zip(got, (mu, complement, slope), strict=True):
        assert abs(value[0] / expected - 1) <= rounding


# --- agreement with statsmodels --------------------------------------------------------------------------------------

PAIRS = [
    ("identity", sm_links.Identity()),
    ("log", sm_links.Log()),
    ("logit", sm_links.Logit()),
    ("probit", sm_links.Probit()),
    ("cloglog", sm_links.CLogLog()),
    ("loglog", sm_links.LogLog()),
    ("cauchy", sm_links.Cauchy()),
    ("LogC", sm_links.LogC()),
    ("InversePower", sm_links.InversePower()),
    ("InverseSquared", sm_links.InverseSquared()),
    ("Sqrt", sm_links.Sqrt()),
    ("power(1.7)", sm_links.Power(1.7)),
    ("nbinom(0.4)", sm_links.NegativeBinomial(0.4)),
]


@pytest.mark.parametrize(("name", "theirs"), PAIRS, ids=[name for name, _ in PAIRS])
def test_agreement_with_statsmodels(name, theirs):
    ours = links.get(name)
    mu = np.array([0.02, 0.3, 0.5, 0.77, 0.99])
    eta = ours(mu)
    np.testing.assert_allclose(eta, theirs(mu), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(ours.inverse(eta), theirs.inverse(eta), rtol=1e-12)
    mu, _, slope = ours.mean(eta)
    np.testing.assert_allclose(slope, theirs.inverse_deriv(eta), rtol=1e-10)
    np.testing.assert_allclose(ours.curvature(eta, mu, slope), theirs.inverse_deriv2(eta), rtol=2e-6, atol=1e-6)


# --- a user's own, names, intervals ----------------------------------------------------------------------------------


def _aranda(name="aranda", **options):
    """Aranda-Ordaz's asymmetric link with parameter 1/2, from its three functions."""
    return links.from_functions(
        lambda mu: np.log(((1 - mu) ** -0.5 - 1) / 0.5),
        lambda eta: 1 - (1 + 0.5 * np.exp(eta)) ** -2.0,
        lambda eta: np.exp(eta) * (1 + 0.5 * np.exp(eta)) ** -3.0,
        name=name,
        mean_range=(0, 1),
        **options,
    )


def test_a_link_from_three_functions_obeys_the_same_laws_and_can_be_registered():
    link = _aranda()
    eta = np.linspace(-4, 4, 9)
    mu, complement, slope = link.mean(eta)
    np.testing.assert_allclose(link(mu), eta, atol=1e-12)
    np.testing.assert_allclose(mu + complement, 1.0)
    np.testing.assert_allclose(derivative(link.inverse, eta, 1e-3), slope, rtol=1e-9)
    np.testing.assert_allclose(
        derivative(link._derivative, eta, 1e-3), link.curvature(eta, mu, slope), rtol=1e-8, atol=1e-10
    )

    def second(eta):
        return np.exp(eta) * (1 - np.exp(eta)) * (1 + 0.5 * np.exp(eta)) ** -4.0

    given_second = _aranda(second_derivative=second)
    np.testing.assert_array_equal(given_second.curvature(eta, mu, slope), second(eta))
    links.register(link, aliases=("ao",))
    try:
        assert links.get("AO") is link
        assert link in links.REGISTRY.examples()
        with pytest.raises(ValueError, match="taken by 'aranda'"):
            links.register(_aranda())
        links.register(_aranda(), replace=True)
    finally:
        links.REGISTRY.unregister("aranda")
    assert "aranda" not in links.names()


def test_a_link_needs_functions():
    with pytest.raises(TypeError, match="its inverse cannot be called"):
        links.from_functions(np.log, 3.0, np.exp)
    with pytest.raises(TypeError, match="lacks"):
        links.register(3.0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lgo", "unknown link 'lgo'; did you mean 'log'"),
        ("zzz", r"unknown link 'zzz'; The links are .*cauchit.*sqrt"),
        ("power", "not complete or has a wrong parameter"),
        ("power(a)", "not complete or has a wrong parameter"),
        ("log(2)", "not complete or has a wrong parameter"),
        ("power(0)", "other than 0"),
        ("negative_binomial(0)", "needs a finite alpha above 0"),
    ],
)
def test_wrong_names_are_refused_in_one_sentence(name, message):
    with pytest.raises(ValueError, match=message):
        links.get(name)


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="given by name"):
        links.get(3.0)


def test_spellings():
    assert links.get("inverse_power") == links.get(links.Inverse) == links.Inverse()
    assert links.get(" Power( exponent = 0.5 )") == links.Power(0.5)
    assert links.Power(0.5) != links.Power(0.25)
    assert links.Log() != links.Logit()
    assert repr(links.Power(0.5)) == "Power(0.5)"


def test_the_negative_binomial_link_says_when_its_alpha_is_missing():
    link = links.get("negative_binomial")
    with pytest.raises(ValueError, match="needs its alpha"):
        link(np.array([1.0]))
    assert link.with_alpha(0.5) == links.get("negative_binomial(0.5)")


def test_intervals():
    assert UNIT in POSITIVE
    assert POSITIVE in REAL
    assert POSITIVE not in UNIT
    assert NEGATIVE not in POSITIVE
    assert 0.5 in UNIT
    assert 0.0 not in UNIT
    np.testing.assert_array_equal(POSITIVE.contains([0.0, 1.0, np.inf, np.nan]), [False, True, False, False])
    assert UNIT.holds_all(np.array([0.1, 0.9]))
    assert UNIT.holds_all(np.array([]))
    assert not REAL.holds_all(np.array([0.1, np.nan]))
    assert not REAL.holds_all(np.array([0.1, np.inf]))
    assert not POSITIVE.holds_all(np.array([0.1, 0.0]))
    with pytest.raises(ValueError, match="low < high"):
        Interval(1.0, 1.0)
