"""Laws of the tail probabilities and quantiles of response families, and scipy's numbers where it has them."""

import numpy as np
import pytest
from scipy import integrate, stats

from natfit import families
from natfit.families import Binomial, Gamma, Gaussian, InverseGaussian, NegativeBinomial, Poisson, Tweedie
from natfit.models.families import responses

FAMILIES = [
    family
    for name in responses()
    for family in type(families.get(name)).examples()
    if getattr(family, "alpha", 0) != "ml" and getattr(family, "trials", 1) == 1
]
MU = np.array([0.05, 0.4, 0.95])
LEVELS = np.array([1e-9, 0.025, 0.3, 0.5, 0.9, 0.975, 1.0 - 1e-9])


def ids(family):
    return repr(family)


@pytest.mark.parametrize("family", FAMILIES, ids=ids)
def test_both_tails_add_up_to_one_and_rise(family):
    y = np.linspace(0.0 if family.discrete or family.name == "tweedie" else 0.01, 6.0, 40)[:, None]
    known = {"trials": 7.0} if family.name == "binomial" else {}
    y = y / 6.0 if known else y
    for strict in (False, True):
        below, above = family.response_tails(y, MU, 0.7, 1.0, strict=strict, **known)
        np.testing.assert_allclose(below + above, 1.0, rtol=1e-12)
        assert (np.diff(below, axis=0) >= -1e-15).all()
        assert (np.diff(above, axis=0) <= 1e-15).all()


@pytest.mark.parametrize("family", FAMILIES, ids=ids)
def test_a_quantile_is_the_least_value_whose_tail_reaches_the_level(family):
    known = {"trials": 9.0} if family.name == "binomial" else {}
    level, mu = np.meshgrid(LEVELS, MU)
    y = family.response_quantile(level, mu, 0.6, 2.0, **known)
    below, above = family.response_tails(y, mu, 0.6, 2.0, **known)
    low, high = family.response_tails(y, mu, 0.6, 2.0, strict=True, **known)
    # Reached at y and not before, each judged in the tail that keeps its digits.
    np.testing.assert_array_less(level, below * (1 + 1e-9) + 1e-15)
    np.testing.assert_array_less(above, (1 - level) * (1 + 1e-6) + 1e-14)
    np.testing.assert_array_less(low, level * (1 + 1e-9) + 1e-15)
    assert high.shape == y.shape
    assert (np.diff(y, axis=1) >= 0).all()


@pytest.mark.parametrize(
    "family", [Gaussian(), Gamma(), InverseGaussian(), Tweedie(1.1), Tweedie(1.5), Tweedie(1.9)], ids=ids
)
def test_a_tail_is_the_integral_of_the_density(family):
    mu, phi, start = 1.3, 0.4, 1e-12 if family.name != "gaussian" else -8.0
    mass = family.response_tails(np.array([0.0]), np.array([mu]), phi)[0][0] if family.name == "tweedie" else 0.0
    for y in (0.3, 1.0, 2.5):
        density = lambda at: np.exp(family.response_log_prob(np.array([at]), np.array([mu]), phi))[0]  # noqa: E731
        area = integrate.quad(density, start, y, epsabs=1e-11, limit=200)[0]
        below, _ = family.response_tails(np.array([y]), np.array([mu]), phi)
        np.testing.assert_allclose(below[0], area + mass, atol=1e-8)


@pytest.mark.parametrize(
    ("family", "law", "known"),
    [
        (Gaussian(), lambda mu: stats.norm(mu, np.sqrt(0.3)), {"dispersion": 0.6, "weight": 2.0}),
        (Gamma(), lambda mu: stats.gamma(1 / 0.3, scale=0.3 * mu), {"dispersion": 0.3}),
        (InverseGaussian(), lambda mu: stats.invgauss(0.3 * mu, scale=1 / 0.3), {"dispersion": 0.3}),
        (Poisson(), stats.poisson, {}),
        (NegativeBinomial(0.4), lambda mu: stats.nbinom(2.5, 1 / (1 + 0.4 * mu)), {}),
    ],
    ids=["gaussian", "gamma", "inverse_gaussian", "poisson", "negative_binomial"],
)
@pytest.mark.parametrize("mu", [0.2, 3.0, 40.0])
def test_scipy_agrees(family, law, known, mu):
    theirs = law(mu)
    y = theirs.ppf([1e-10, 0.01, 0.4, 0.99, 1 - 1e-10])
    below, above = family.response_tails(y, np.full(5, mu), **known)
    np.testing.assert_allclose(below, theirs.cdf(y), rtol=1e-7)
    np.testing.assert_allclose(above, theirs.sf(y), rtol=1e-7)
    level = np.array([0.025, 0.5, 0.975])
    np.testing.assert_allclose(family.response_quantile(level, np.full(3, mu), **known), theirs.ppf(level), rtol=1e-9)


def test_counts_out_of_trials():
    n, k = np.array([1.0, 8.0, 49.0]), np.array([1.0, 3.0, 48.0])
    mu = np.array([0.3, 0.5, 0.999])
    theirs = stats.binom(n, mu)
    below, above = Binomial().response_tails(k / n, mu, trials=n)
    np.testing.assert_allclose(below, theirs.cdf(k), rtol=1e-11)
    np.testing.assert_allclose(above, theirs.sf(k), rtol=1e-11)
    low, _ = Binomial().response_tails(k / n, mu, trials=n, strict=True)
    np.testing.assert_allclose(low, theirs.cdf(k - 1), rtol=1e-11)
    np.testing.assert_array_equal(Binomial().response_quantile(0.3, mu, trials=n) * n, theirs.ppf(0.3))


def test_a_far_tail_keeps_its_digits():
    _, above = Poisson().response_tails(np.array([60.0]), np.array([5.0]))
    np.testing.assert_allclose(above, stats.poisson.sf(60, 5.0), rtol=1e-10)
    _, above = InverseGaussian().response_tails(np.array([60.0]), np.array([1.0]), 1.0)
    density = lambda at: np.exp(InverseGaussian().response_log_prob(at, 1.0))  # noqa: E731
    np.testing.assert_allclose(above[0], integrate.quad(density, 60.0, 200.0, epsabs=0.0)[0], rtol=1e-9)


@pytest.mark.parametrize("power", [1.02, 1.5, 1.98])
def test_many_jumps_are_summed_as_an_integral(power):
    mu, phi = np.array([2.0]), 1e-3
    sd = np.sqrt(phi * mu**power)
    for z in (-2.0, 0.0, 3.0):
        below, above = Tweedie(power).response_tails(mu + z * sd, mu, phi)
        # nearly normal; the skewness term of Edgeworth's expansion takes up most of the rest
        skew = power * np.sqrt(phi) * mu ** (power / 2 - 1)
        normal = stats.norm.cdf(z) - skew / 6 * (z**2 - 1) * stats.norm.pdf(z)
        np.testing.assert_allclose(below, normal, atol=2e-4)
        np.testing.assert_allclose(below + above, 1.0, rtol=1e-11)


def test_missing_means_give_missing_quantiles():
    mu = np.array([np.nan, 1.0])
    for family in (Poisson(), InverseGaussian(), Tweedie(1.5), Gamma(), Binomial()):
        found = family.response_quantile(np.array([0.5, 0.5]), mu * 0.5, 1.0)
        assert np.isnan(found).tolist() == [True, False]
