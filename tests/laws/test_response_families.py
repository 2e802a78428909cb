"""Laws that every registered response family obeys, with every registered link that it accepts."""

import functools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.genmod.families as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from natfit import datasets, families
from natfit.families import (
    Binomial,
    Gamma,
    Gaussian,
    InverseGaussian,
    NegativeBinomial,
    Poisson,
    Response,
    Tweedie,
    _tweedie_series,
    links,
)
from natfit.families.interval import REAL, UNIT
from natfit.families.negative_binomial import alpha_terms

EVERY = [family for family in families.registry.REGISTRY.examples() if isinstance(family, Response)]
PAIRS = [(family, link) for family in EVERY for link in links.REGISTRY.examples() if family.accepts(link)]

every_family = pytest.mark.parametrize("family", EVERY, ids=repr)
every_pair = pytest.mark.parametrize(("family", "link"), PAIRS, ids=lambda item: repr(item))


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def usual_means(family, within=REAL):
    """Three means inside the domain of the family and an interval."""
    candidates = np.array([-2.0, 0.03, 0.3, 0.4, 0.9, 1.1, 4.5])
    inside = candidates[family.mean_domain.contains(candidates) & within.contains(candidates)]
    return inside[[0, len(inside) // 2, -1]]


def dispersions(family):
    return [0.6, 1.7] if family.dispersion is None else [family.dispersion]


def support(family, mu):
    """Points of the support and what each stands for in a sum: the trapezoidal rule where the response is continuous."""
    if family.discrete and family.mean_domain == UNIT:
        return np.array([0.0, 1.0]), np.ones(2)
    if family.discrete:
        y = np.arange(3000.0)
        return y, np.ones_like(y)
    if family.mean_domain == REAL:
        y = mu + np.linspace(-60, 60, 6001)
        return y, np.full_like(y, 0.02)
    step = 0.02
    y = np.exp(np.arange(-420.0, 12.0, step))  # a density may be nearly as steep as 1 / y towards 0
    return np.append(0.0, y), np.append(1.0, step * y)


@functools.cache
def probabilities(family, mu, dispersion):
    y, width = support(family, mu)
    if not (family.discrete or 0.0 in family.attainable_limits or family.mean_domain == REAL):
        y, width = y[1:], width[1:]
    return y, np.exp(family.response_log_prob(y, np.full_like(y, mu), dispersion)) * width


def some_responses(family):
    if family.mean_domain == REAL:
        return np.array([-3.0, -0.2, 0.0, 1.5])
    if family.mean_domain == UNIT:
        return np.array([0.0, 0.2, 0.75, 1.0])
    return np.array([0.0, 1.0, 2.0, 7.0, 2.6]) if 0.0 in family.attainable_limits else np.array([0.2, 1.0, 6.5])


# --- the density -----------------------------------------------------------------------------------------------------


@every_family
def test_probabilities_sum_to_one_with_the_mean_and_variance_they_should_have(family):
    for mu in usual_means(family):
        for dispersion in dispersions(family):
            y, probability = probabilities(family, mu, dispersion)
            assert probability.sum() == pytest.approx(1.0, rel=1e-9)
            assert (y * probability).sum() == pytest.approx(mu, rel=1e-8)
            variance = float(family.variance(np.array([mu]))[0])
            assert ((y - mu) ** 2 * probability).sum() == pytest.approx(dispersion * variance, rel=1e-7)


@every_family
def test_the_kernel_is_the_log_density_up_to_terms_free_of_the_mean(family):
    y, (one, _, other) = some_responses(family), usual_means(family)
    at = [np.full_like(y, mu) for mu in (one, other)]
    expected = family.response_log_prob(y, at[0]) - family.response_log_prob(y, at[1])
    np.testing.assert_allclose(family.kernel(y, at[0]) - family.kernel(y, at[1]), expected, rtol=1e-11, atol=1e-12)
    if family.canonical_link is not None:
        link = links.get(family.canonical_link)
        canonical = [family.canonical_kernel(y, link(mu), mu) for mu in at]
        np.testing.assert_allclose(canonical[0] - canonical[1], expected, rtol=1e-11, atol=1e-12)


@every_family
def test_the_unit_deviance_is_twice_the_log_likelihood_ratio(family):
    y = some_responses(family)
    interior = y[family.mean_domain.contains(y)]
    for mu in usual_means(family):
        at = np.full_like(interior, mu)
        ratio = 2.0 * (family.kernel(interior, interior) - family.kernel(interior, at))
        np.testing.assert_allclose(family.unit_deviance(interior, at), ratio, rtol=1e-10, atol=1e-12)
        for limit in family.attainable_limits:
            edge, at = np.array([limit]), np.array([mu])
            nearly = abs(limit - 1e-300), abs(1.0 - limit - 1e-300)  # the mean, and for a proportion its complement
            top = family.kernel(edge, np.array(nearly[:1]), np.array(nearly[1:]))
            deviance = family.unit_deviance(edge, at)
            np.testing.assert_allclose(deviance, 2.0 * (top - family.kernel(edge, at)), rtol=1e-10)
    np.testing.assert_array_equal(family.unit_deviance(interior, interior), 0.0)


@every_family
def test_the_unit_deviance_keeps_its_digits_near_the_mean(family):
    mu = usual_means(family)[1]
    variance = float(family.variance(np.array([mu]))[0])
    for gap in (1e-9, 1e-7, 1e-5):
        y = mu + gap
        deviance = float(family.unit_deviance(np.array([y]), np.array([mu]))[0])
        assert deviance == pytest.approx((y - mu) ** 2 / variance, rel=20 * gap / mu + 1e-13)


@every_family
def test_the_variance_derivative_is_its_derivative(family):
    for mu in usual_means(family):
        h = 1e-5 * abs(mu)
        ends = family.variance(np.array([mu - h, mu + h]))
        got = float(family.variance_derivative(np.array([mu]))[0])
        assert got == pytest.approx((ends[1] - ends[0]) / (2 * h), rel=1e-8, abs=1e-9)


@every_family
def test_weights_divide_the_dispersion(family):
    if family.dispersion is not None:
        return
    y = some_responses(family)
    mu = np.full_like(y, usual_means(family)[1])
    weighted = family.response_log_prob(y, mu, 0.9, np.full_like(y, 3.0))
    np.testing.assert_allclose(weighted, family.response_log_prob(y, mu, 0.3), rtol=1e-13)


@every_family
def test_draws_have_the_mean_and_the_variance(family):
    rng = np.random.default_rng(20)
    n = 40_000
    for mu in usual_means(family):
        for dispersion in dispersions(family):
            y = family.sample_response(np.full(n, mu), rng, dispersion)
            variance = dispersion * float(family.variance(np.array([mu]))[0])
            assert abs(y.mean() - mu) < 5 * np.sqrt(variance / n)
            spread = np.std((y - mu) ** 2) / np.sqrt(n)
            assert abs(np.mean((y - mu) ** 2) - variance) < 6 * spread + 1e-12
            family.check_response(y)


@every_family
def test_starting_means_are_inside_the_domain(family):
    for y in (some_responses(family), np.array([0.0]) if 0.0 in family.attainable_limits else np.array([0.5])):
        assert family.mean_domain.holds_all(family.starting_mean(y))
        assert family.inside(family.starting_mean(y))


# --- score and information, with every link --------------------------------------------------------------------------


def at_mean(link, mu, rows=1):
    eta = link(np.full(rows, mu))
    mean, complement, slope = link.mean(eta)
    return eta, mean, link.complement(eta, mean) if complement is None else complement, slope


@every_pair
def test_the_score_has_mean_zero_and_the_information_as_its_variance(family, link):
    for mu in usual_means(family, link.mean_range):
        _, mean, complement, slope = at_mean(link, mu)
        variance = family.variance(mean, complement)
        for dispersion in dispersions(family):
            y, probability = probabilities(family, mu, dispersion)
            score = family.residual(y, mean, complement) * slope / (dispersion * variance)
            information = (slope**2 / (dispersion * variance))[0]
            assert (score * probability).sum() == pytest.approx(0.0, abs=1e-7 * np.sqrt(information))
            assert (score**2 * probability).sum() == pytest.approx(information, rel=1e-7)


@every_pair
def test_score_and_observed_information_are_derivatives_of_the_log_likelihood(family, link):
    y = some_responses(family)
    for mu in usual_means(family, link.mean_range):
        eta, mean, complement, slope = at_mean(link, mu, len(y))
        variance = family.variance(mean, complement)
        residual = family.residual(y, mean, complement)
        bend = link.curvature(eta, mean, slope) - slope**2 * family.variance_derivative(mean, complement) / variance
        observed = (slope**2 - residual * bend) / variance
        room = (
            np.minimum(np.abs(mean), np.abs(complement))
            if UNIT in (family.mean_domain, link.mean_range)
            else np.abs(mean)
        )
        scale = room / np.abs(slope)
        gradient = _difference(lambda e: family.kernel(y, *link.mean(e)[:2]), eta, 1e-3 * scale)
        size = np.abs(slope / variance).max()
        np.testing.assert_allclose(gradient, residual * slope / variance, rtol=1e-8, atol=1e-9 * size)

        def score(e):
            m, c, s = link.mean(e)
            return family.residual(y, m, c) * s / family.variance(m, c)

        size = np.abs(observed).max()
        np.testing.assert_allclose(-_difference(score, eta, 1e-3 * scale), observed, rtol=1e-8, atol=1e-8 * size)
        if family.is_canonical(link):
            np.testing.assert_allclose(observed, (slope**2 / variance) * np.ones_like(y), rtol=1e-11)


def _difference(function, x, step):
    """Central difference of fourth order."""
    near, far = function(x + step) - function(x - step), function(x + 2 * step) - function(x - 2 * step)
    return (8.0 * near - far) / (12.0 * step)


@every_family
def test_links_that_are_accepted_by_name(family):
    names = family.links()
    assert family.default_link in names
    assert isinstance(family.resolve_link(), links.Link)
    for name in names:
        if name not in ("power", "negative_binomial"):
            assert family.resolve_link(name) == links.get(name)
    if family.mean_domain not in (REAL, UNIT):
        with pytest.raises(ValueError, match="logit link gives means in"):
            family.resolve_link("logit")
    canonical = (family.canonical_link, *family.canonical_links_up_to_scale)
    assert all(family.is_canonical(family.resolve_link(name)) for name in canonical if name is not None)


@every_family
def test_the_total_of_the_kernels_is_their_sum(family):
    if family.canonical_link is None:
        return
    rng = np.random.default_rng(3)
    y = rng.choice(some_responses(family), 1003)
    link = links.get(family.canonical_link)
    for mu in usual_means(family):
        mus = mu * rng.uniform(0.9, 1.0, y.size)
        eta = link(mus)
        kernels = family.canonical_kernel(y, eta, mus)
        total = family.canonical_total(y, eta, mus, 1.0 - mus)
        assert total == pytest.approx(math.fsum(kernels), rel=1e-12, abs=1e-12 * np.abs(y * eta).sum())


@pytest.mark.parametrize("size", [1, 15, 16, 1000, 1007])
@pytest.mark.parametrize("far", [0.1, 20.0, 60.0, 900.0], ids=["near", "far", "perfect", "past overflow"])
def test_the_total_of_binomial_kernels_keeps_its_digits(size, far):
    rng = np.random.default_rng(size)
    y = (rng.random(size) < 0.5).astype(float)
    eta = np.where(y == 1.0, far, -far) * rng.uniform(0.9, 1.0, size)  # every row on its own side: nothing but tails
    with np.errstate(over="ignore"):
        mu, complement, _ = links.Logit().mean(eta)
    exact = -math.fsum(np.log1p(np.exp(-np.abs(eta))))
    assert Binomial().canonical_total(y, eta, mu, complement) == pytest.approx(exact, rel=1e-9, abs=0.0)


@every_family
def test_nothing_is_written_into_what_is_given(family):
    y = some_responses(family)
    mu = np.full_like(y, usual_means(family)[1])
    eta, before = mu.copy(), (y.copy(), mu.copy())
    for array in (y, mu, eta):
        array.flags.writeable = False
    for outcome in (
        family.variance(mu, 1 - mu),
        family.variance_derivative(mu),
        family.residual(y, mu, 1 - mu),
        family.kernel(y, mu, 1 - mu),
        family.canonical_kernel(y, eta, mu),
        family.unit_deviance(y, mu),
        family.response_log_prob(y, mu),
        family.starting_mean(y),
    ):
        assert outcome.shape == y.shape
    np.testing.assert_array_equal((y, mu), before)


# --- agreement with scipy.stats and statsmodels ----------------------------------------------------------------------


def test_agreement_with_scipy():
    mu = np.array([0.7, 1.0, 2.5, 40.0])
    y = np.array([0.4, 1.0, 6.0, 31.0])
    count = np.array([0.0, 1.0, 6.0, 31.0])
    phi, w = 0.8, np.array([1.0, 2.0, 0.5, 3.0])
    k = w / phi
    cases = [
        (Gaussian().response_log_prob(y, mu, phi, w), stats.norm.logpdf(y, mu, np.sqrt(phi / w))),
        (Poisson().response_log_prob(count, mu), stats.poisson.logpmf(count, mu)),
        (Gamma().response_log_prob(y, mu, phi, w), stats.gamma.logpdf(y, k, scale=mu / k)),
        (InverseGaussian().response_log_prob(y, mu, phi, w), stats.invgauss.logpdf(y, mu / k, scale=k)),
        (
            NegativeBinomial(0.4).response_log_prob(count, mu),
            stats.nbinom.logpmf(count, 2.5, 1 / (1 + 0.4 * mu)),
        ),
        (
            Binomial().response_log_prob(count / 40, mu / 50, trials=40),
            stats.binom.logpmf(count, 40, mu / 50),
        ),
    ]
    for ours, theirs in cases:
        np.testing.assert_allclose(ours, theirs, rtol=1e-11)


THEIRS = [
    (Gaussian(), sm.Gaussian()),
    (Binomial(), sm.Binomial()),
    (Poisson(), sm.Poisson()),
    (Gamma(), sm.Gamma()),
    (InverseGaussian(), sm.InverseGaussian()),
    (NegativeBinomial(0.7), sm.NegativeBinomial(alpha=0.7)),
    (Tweedie(1.3), sm.Tweedie(var_power=1.3)),
]


@pytest.mark.parametrize(("ours", "theirs"), THEIRS, ids=lambda item: type(item).__name__)
def test_agreement_with_statsmodels(ours, theirs):
    y = some_responses(ours)
    mu = np.linspace(0.15, 0.8, len(y))
    w = np.linspace(0.5, 2.0, len(y))
    for phi in (1.0, 1.6):
        expected = theirs.loglike_obs(y, mu, var_weights=w, scale=phi)
        np.testing.assert_allclose(ours.response_log_prob(y, mu, phi, w), expected, rtol=1e-10)
    expected = theirs.deviance(y, mu, var_weights=w)
    assert (w * ours.unit_deviance(y, mu)).sum() == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(ours.variance(mu), theirs.variance(mu), rtol=1e-12)
    assert ours.resolve_link().name.replace("_", "") == type(theirs.link).__name__.lower().replace("power", "")


# --- binomial --------------------------------------------------------------------------------------------------------


def test_the_binomial_holds_in_the_tails():
    family, eta = Binomial(), np.array([-700.0, -40.0, 40.0, 700.0])
    mu, complement, _ = links.Logit().mean(eta)
    small = np.exp(-np.abs(eta))
    np.testing.assert_allclose(family.variance(mu, complement), small, rtol=1e-12)
    for y in (np.zeros(4), np.ones(4)):
        rare = (y == 1) == (eta < 0)
        expected = np.where(rare, -np.abs(eta), -small)
        np.testing.assert_allclose(family.canonical_kernel(y, eta, mu), expected, rtol=1e-12)
        np.testing.assert_allclose(family.kernel(y, mu, complement)[rare], expected[rare], rtol=1e-12)
        residual = np.where(rare, 1.0, small) * np.where(y == 1, 1, -1)
        np.testing.assert_allclose(family.residual(y, mu, complement), residual, rtol=1e-12)
        np.testing.assert_allclose(family.unit_deviance(y, mu, complement)[rare], 2 * np.abs(eta[rare]), rtol=1e-12)
        log_prob = family.response_log_prob(y, mu, complement=complement)
        np.testing.assert_allclose(log_prob[rare], -np.abs(eta[rare]), rtol=1e-12)


def test_a_mean_that_has_run_off_is_fine_where_the_response_agrees():
    family, ends = Binomial(), np.array([0.0, 1.0])
    np.testing.assert_array_equal(family.kernel(ends, ends, 1 - ends), 0.0)
    np.testing.assert_array_equal(family.kernel(ends, ends), 0.0)
    assert family.kernel(1 - ends, ends, 1 - ends).max() == -np.inf
    assert family.inside(ends, 1 - ends)
    assert not family.inside(np.array([1.2]), np.array([-0.2]))


def test_fractional_successes_carry_the_binomial_coefficient_by_the_gamma_function():
    got = Binomial().response_log_prob(np.array([0.25]), np.array([0.4]), trials=np.array([6.0]))
    log_choose = special.gammaln(7) - special.gammaln(2.5) - special.gammaln(5.5)
    assert got[0] == pytest.approx(log_choose + 1.5 * np.log(0.4) + 4.5 * np.log(0.6), rel=1e-14)
    draws = Binomial().sample_response(np.full(50, 0.4), np.random.default_rng(0), trials=4)
    assert set(draws) <= {0.0, 0.25, 0.5, 0.75, 1.0}


# --- negative binomial -----------------------------------------------------------------------------------------------

# alpha, y, mu; then the log-likelihood without log y!, its alpha-derivative, minus the second, and minus the mixed one
# with mu: from the digamma formulas with 80 digits by mpmath 1.4, rounded to double.
NEGATIVE_BINOMIAL = [
    (1e-14, 1, 1.5, -1.0945348918918394, -0.375, -8.437499999999696e-15, -0.499999999999985),
    (1e-14, 7.25, 10.875, 6.4268826830669505, 2.9453124999989804, 101.95312499996642, -3.6249999999992117),
    (1e-14, 400, 2.5, 364.0162927504501, 78803.12499978748, 21250910.416539308, 397.4999999999801),
    (1e-14, 100000000.0, 2.5, 91629120.68739584, 4999996366669220.0, 3.3333282833394274e23, 99999997.499995),
    (1e-14, 100000000.0, 150000000.0, 1732614597.7060359, 1249996616673435.5, 3.3333198458698084e23, -49999850.0003375),
    (1e-09, 0, 100000.0, -99995.00033330833, 4999333408.325335, 666516690663333.8, -99980.00299960005),
    (0.001, 400, 2.5, 433.9135318135054, 62390.47379774788, 12726543.252334137, 395.5199283586545),
    (0.125, 0, 2.5, -2.175469723869134, 2.1656625528578344, 5.625657535067755, -1.4512471655328798),
    (0.125, 0, 100000.0, -75.4685113607245, 539.7532104762288, 8124.133277790309, -0.0006398976122866894),
    (0.125, 7.25, 2.5, 4.756956008566382, 3.1053888552903626, 19.050296841418156, 2.7573696145124718),
    (0.125, 400, 600.0, 1994.0413975678614, 0.4727210381596591, 39.79412868646437, -0.03462603878116344),
    (
        0.125,
        100000000.0,
        150000000.0,
        1742068065.6371515,
        0.5332292583498667,
        41.86087576924012,
        -1.4222220705185308e-07,
    ),
    (0.1251, 1, 2.5, -1.531086627399739, 0.26070094723774007, 1.996477661526515, -0.8704166804331528),
    (0.1251, 100000000.0, 2.5, 1598620672.3468604, 608919549.2503098, 6027082448.354298, 58027777.24484905),
    (1, 400, 100000.0, 1988.9837625383211, 3.9470157336441227, 8.536488616233113, -9.95980080298796e-06),
    (50, 0, 2.5, -0.09672563813902955, 0.0015376873659551944, 5.3633974859926094e-05, -0.00015747039556563366),
]


@pytest.mark.parametrize("row", NEGATIVE_BINOMIAL, ids=str)
def test_alpha_terms_to_high_precision(row):
    alpha, y, mu, *expected = row
    for got, value in zip(alpha_terms(np.array([y]), np.array([mu]), alpha), expected, strict=True):
        assert got[0] == pytest.approx(value, rel=1e-11)


@given(
    alpha=st.one_of(st.floats(1e-12, 20.0), st.sampled_from([0.0, 0.1249, 0.125, 0.1251])),
    y=st.one_of(st.integers(0, 300).map(float), st.floats(0, 1e4)),
    mu=st.floats(0.01, 1e4),
)
@settings(max_examples=150, deadline=None)
def test_alpha_terms_are_derivatives(alpha, y, mu):
    y, mu = np.array([y]), np.array([mu])
    h = 1e-4 * (alpha + 1.0 / (1.0 + y + mu))
    if alpha < 2 * h:
        alpha = 2 * h[0]
    value, score, information, cross = alpha_terms(y, mu, alpha)

    def column(k, step):
        return alpha_terms(y, mu, float(alpha + step[0]))[k]

    size = (1 + np.abs(value)) / h
    np.testing.assert_allclose(_difference(lambda s: column(0, s), 0 * h, h), score, rtol=1e-7, atol=1e-13 * size.max())
    size = (1 + y + (y - mu) ** 2) / h
    np.testing.assert_allclose(
        -_difference(lambda s: column(1, s), 0 * h, h), information, rtol=1e-7, atol=1e-13 * size.max()
    )
    k = 1e-4 * mu
    mixed = -_difference(lambda s: alpha_terms(y, mu + s, alpha)[1], 0 * k, k)
    np.testing.assert_allclose(mixed, cross, rtol=1e-7, atol=1e-12 * (size / k).max())


def test_the_negative_binomial_is_the_poisson_at_zero_and_tends_to_it():
    y, mu = np.array([0.0, 1.0, 3.0, 250.0, 0.5]), np.array([0.3, 1.0, 5.0, 300.0, 2.0])
    for name in ("kernel", "unit_deviance", "response_log_prob"):
        poisson = getattr(Poisson(), name)(y, mu)
        np.testing.assert_array_equal(getattr(NegativeBinomial(0.0), name)(y, mu), poisson)
        for alpha in (1e-300, 1e-100, 1e-20, 1e-12):
            near = getattr(NegativeBinomial(alpha), name)(y, mu)
            np.testing.assert_allclose(near, poisson, rtol=1e-14 + 1e5 * alpha)
    np.testing.assert_array_equal(alpha_terms(y, mu, 0.0)[1], ((y - mu) ** 2 - y) / 2)
    np.testing.assert_array_equal(NegativeBinomial(0.0).variance(mu), mu)


def test_the_negative_binomial_asks_for_its_alpha():
    family, mu = NegativeBinomial(), np.array([1.0])
    assert family.alpha == "ml"
    with pytest.raises(ValueError, match="alpha is still to be estimated"):
        family.variance(mu)
    with pytest.raises(ValueError, match="alpha is still to be estimated"):
        family.kernel(mu, mu)
    assert family.with_alpha(0.5) == NegativeBinomial(0.5) == families.get("negative_binomial(0.5)")
    assert NegativeBinomial(0.5).resolve_link("negative_binomial").alpha == 0.5
    for alpha in (-0.1, np.nan, np.inf, "mle"):
        with pytest.raises(ValueError, match="alpha must be a finite number"):
            NegativeBinomial(alpha)
    with pytest.raises(ValueError, match="alpha must be a finite number"):
        alpha_terms(mu, mu, -1.0)


# --- Tweedie ---------------------------------------------------------------------------------------------------------

# p, y, dispersion, mu, log-density: the series summed with 60 digits by mpmath 1.4, rounded to double.
TWEEDIE = [
    (1.01, 1e-08, 0.05, 1e-08, -1404.270696610868),
    (1.01, 0.01, 0.05, 0.013000000000000001, -71.51261768899404),
    (1.01, 1.0, 0.001, 1.0, 2.5348553600412447),
    (1.01, 3.7, 0.001, 4.8100000000000005, -135.32516537342292),
    (1.01, 3.7, 30.0, 3.7, -122.81629170915508),
    (1.01, 100.0, 1.0, 100.0, -3.2454264549489036),
    (1.1, 1e-08, 0.001, 1e-08, -68.06457077565456),
    (1.1, 1e-08, 30.0, 1e-08, -171.1533963417501),
    (1.1, 0.01, 0.05, 0.013000000000000001, -0.19372034674779448),
    (1.1, 1.0, 0.05, 1.3, -0.1649696807525272),
    (1.1, 3.7, 0.05, 4.8100000000000005, -2.542706197333881),
    (1.1, 100.0, 0.05, 100.0, -1.953985010072163),
    (1.1, 100.0, 30.0, 130.0, -5.270765019595883),
    (1.5, 1e-08, 1.0, 1e-08, 1.3858943811198905),
    (1.5, 0.01, 0.05, 0.01, 3.982611885867115),
    (1.5, 1.0, 1.0, 1.3, -1.063082109154317),
    (1.5, 100.0, 0.05, 130.0, -9.768796841675323),
    (1.5, 1000000.0, 0.05, 1000000.0, -9.78271000243018),
    (1.5, 1000000.0, 30.0, 1300000.0, -14.132889553018677),
    (1.9, 1e-08, 0.05, 1.3e-08, 17.948877016327618),
    (1.9, 0.01, 0.05, 0.013000000000000001, 4.541245640110194),
    (1.9, 1.0, 0.05, 1.0, 0.5745638753586965),
    (1.9, 1.0, 30.0, 1.3, -3.7395905382690713),
    (1.9, 3.7, 1.0, 4.8100000000000005, -2.2763915838681257),
    (1.9, 100.0, 0.05, 130.0, -4.817729893260493),
    (1.9, 1000000.0, 0.001, 1300000.0, -138.569763967848),
    (1.9, 1000000.0, 1.0, 1300000.0, -14.193742889925815),
    (1.99, 1e-08, 0.05, 1.3e-08, 18.37596738930855),
    (1.99, 0.01, 0.05, 0.013000000000000001, 4.552180903994029),
    (1.99, 1.0, 0.001, 1.0, 2.5348553600412447),
    (1.99, 3.7, 0.05, 4.8100000000000005, -1.3683283256489525),
    (1.99, 100.0, 1.0, 100.0, -5.579396954244195),
]


@pytest.mark.parametrize("row", TWEEDIE, ids=str)
def test_the_tweedie_density_to_high_precision(row):
    p, y, dispersion, mu, expected = row
    got = Tweedie(p).response_log_prob(np.array([y]), np.array([mu]), dispersion)[0]
    assert got == pytest.approx(expected, rel=2e-13, abs=2e-13)


def test_the_tweedie_density_of_tobins_data():
    # Coefficients, dispersion and log-likelihood: mgcv 1.8.41 ldTweedie and statmod 1.5.0 in R 4.2.2, p = 1.5, log link.
    data = datasets.load("tobin")
    mu = np.exp(6.79790495334374 - 0.0237274328467969 * data["age"] - 0.0226165742811478 * data["quant"]).to_numpy()
    log_prob = Tweedie(1.5).response_log_prob(data["durable"].to_numpy(dtype=float), mu, 5.13563504766443)
    assert log_prob.sum() == pytest.approx(-28.99743614317, rel=1e-11)


def test_the_tweedie_sum_and_integral_agree(monkeypatch):
    rate = np.geomspace(40.0, 2000.0, 12)
    for power in (1.95, 1.5, 1.14):
        a = (2.0 - power) / (power - 1.0)
        usable = np.sqrt(rate / (1.0 + a)) > 6  # wide enough; the integral is used from 8 on
        y, dispersion = np.ones(usable.sum()), 1.0 / (rate[usable] * (2.0 - power))
        found = []
        for wide in (0.0, np.inf):  # all are integrated, all are summed
            monkeypatch.setattr(_tweedie_series, "_WIDE", wide)
            found.append(
                [
                    _tweedie_series.log_density_at_own_mean(y, power, dispersion),
                    *_tweedie_series.slopes_at_own_mean(y, power, dispersion)[:2],
                    *_tweedie_series.averages(rate[usable], np.full(y.shape, a), 2),
                ]
            )
        for integrated, summed in zip(*found, strict=True):
            np.testing.assert_allclose(integrated, summed, rtol=1e-11, atol=1e-10)


def test_the_tweedie_tends_to_the_normal_at_tiny_dispersion():
    mu, dispersion, p = 3.0, 1e-12, 1.5
    y = mu + np.array([-2.0, 0.0, 1.0]) * np.sqrt(dispersion * mu**p)
    expected = stats.norm.logpdf([-2.0, 0.0, 1.0]) - 0.5 * np.log(dispersion * mu**p)
    np.testing.assert_allclose(Tweedie(p).response_log_prob(y, np.full(3, mu), dispersion), expected, atol=1e-5)


@given(
    p=st.floats(1.02, 1.98),
    y=st.floats(1e-6, 1e6),
    ratio=st.floats(0.01, 100.0),
    dispersion=st.floats(1e-9, 1e3),
)
@settings(max_examples=100, deadline=None)
def test_the_tweedie_density_is_finite_and_scales(p, y, ratio, dispersion):
    family, mu = Tweedie(p), ratio * y
    value = family.response_log_prob(np.array([y]), np.array([mu]), dispersion)[0]
    scaled = family.response_log_prob(np.array([8 * y]), np.array([8 * mu]), dispersion * 8 ** (2 - p))[0]
    assert np.isfinite(value)
    assert scaled + np.log(8) == pytest.approx(value, rel=1e-9, abs=1e-8)  # 8 Y is Tweedie again


def test_a_tweedie_power_outside_its_range_is_refused():
    for p in (1.0, 2.0, 3.0, np.nan):
        with pytest.raises(ValueError, match="strictly between 1 and 2"):
            Tweedie(p)


# --- bad responses and names -----------------------------------------------------------------------------------------

COUNTS = np.array([3, 1, 0, 2, -1, 5, 4, 3, 2, -2, 1, 1, 0, 7, 8, 2, 3, -5], dtype=float)


def test_negative_counts_are_refused_in_one_sentence():
    with pytest.raises(ValueError, match="must be 0 or more") as caught:
        Poisson().check_response(COUNTS, "sat")
    assert str(caught.value) == (
        "Poisson counts must be 0 or more: column 'sat' has 3 negative values (at rows 4, 9, 17: -1, -2, -5); "
        "drop these rows, or use the gaussian family."
    )


@pytest.mark.parametrize(
    ("family", "y", "message"),
    [
        (Poisson(), [1, -1, -1, -1, -1], r"has 4 negative values \(first at rows 1, 2, 3: -1, -1, -1\)"),
        (Poisson(), [1, np.nan], r"must be finite: column 'y' has 1 NaN or infinite value \(at row 1: nan\)"),
        (NegativeBinomial(), [1, -1], "negative binomial counts must be 0 or more"),
        (Gamma(), [1, 0, -2], r"must be above 0: .*2 zero or negative values .*tweedie family allows zeros"),
        (InverseGaussian(), [1, 0], "must be above 0: .*tweedie"),
        (Tweedie(), [0, -1.5], "Tweedie responses must be 0 or more"),
        (Binomial(), [0.5, 3], r"between 0 and 1: .*1 outside value \(at row 1: 3\); .*trials=.*two columns"),
        (Binomial(), [0.5, -0.1], "must lie between 0 and 1"),
        (Gaussian(), [1, np.inf, -np.inf], "must be finite: column 'y' has 2 NaN or infinite values"),
        (Gamma(), [1, np.inf], "must be finite"),
    ],
    ids=str,
)
def test_bad_responses_are_refused(family, y, message):
    with pytest.raises(ValueError, match=message):
        family.check_response(np.array(y, dtype=float))


def test_fractional_counts_and_empty_responses_pass():
    for family in (Poisson(), NegativeBinomial(), Tweedie()):
        family.check_response(np.array([0.5, 0.0, 2.25]))
        family.check_response(np.array([]))
    Poisson().check_response(pd.Series([1, 2]).to_numpy())


def test_an_unknown_family_is_named_with_the_nearest():
    with pytest.raises(
        ValueError, match=r"unknown family 'poison'; did you mean 'poisson'\? The families are .*tweedie"
    ):
        families.get("poison")
    assert families.get("InverseGaussian") == families.get("inverse gaussian") == InverseGaussian()
    assert families.get(Poisson) == Poisson()
    assert {"gaussian", "binomial", "poisson", "gamma", "inverse_gaussian", "negative_binomial", "tweedie"} <= set(
        families.names()
    )


def test_a_registered_family_joins_the_laws():
    class Rounded(Gaussian):
        name = "rounded"

    families.register(Rounded, aliases=("r",))
    try:
        assert families.get("R") == Rounded()
        assert Rounded() in families.registry.REGISTRY.examples()
        with pytest.raises(ValueError, match="taken by 'rounded'"):
            families.register(type("Other", (Gaussian,), {"name": "rounded"}))
    finally:
        families.registry.REGISTRY.unregister("rounded")


def test_scalars_are_rows_too():
    for family in EVERY:
        y, mu = some_responses(family)[1], usual_means(family)[1]
        row = family.response_log_prob(np.array([y]), np.array([mu]))[0]
        assert float(family.response_log_prob(y, mu)) == pytest.approx(row, rel=1e-14)
