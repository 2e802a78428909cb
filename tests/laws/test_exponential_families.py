"""Laws of exponential families, for every one in the registry: primitives and densities.

A new family is tested without touching these files.
"""

import numpy as np
import pytest
from exponential_cases import ALL, close, every_family, grid, law, parameters, scalar_family, vector_family
from hypothesis import given
from scipy import stats

from natfit import families
from natfit.families.base import ExponentialFamily
from natfit.parametrizations import unpack_symmetric
from natfit.parametrizations.numerical import numerical_jacobian

# -- the primitives agree with one another


@every_family
def test_shapes_names_and_domain(family):
    theta = family.example_parameters()
    eta = family.natural_from_home(theta)
    k = len(family.statistic_names)
    assert theta.shape[-1] == len(family.parameter_names) == len(set(family.parameter_names)) == k
    assert eta.shape == theta.shape
    assert family.contains(theta).all()
    assert family.contains_natural(eta).all()
    assert family.contains_mean(family.mean_from_natural(eta)).all()
    assert not family.contains(np.full(theta.shape, np.nan)).any()
    y = family.sample(theta, np.random.default_rng(0), 6)
    assert y.shape == (6, len(theta), *family.support.event_shape)
    assert family.sufficient_statistics(y).shape == (6, len(theta), k)
    assert family.fisher_natural(eta).shape == family.natural_jacobian(theta).shape == (len(theta), k, k)
    assert {"natural", "mean", family.home} <= set(family.parametrizations)
    assert isinstance(family.support.text, str)
    assert families.get(family) is family


@every_family
def test_mean_parameters_are_the_gradient_of_the_log_partition_and_fisher_their_jacobian(family):
    @law()
    @given(parameters(family))
    def check(theta):
        eta = family.natural_from_home(theta)
        mean, fisher = family.mean_from_natural(eta), family.fisher_natural(eta)
        sd = np.sqrt(np.diag(fisher))
        gradient = numerical_jacobian(lambda e: family.log_partition(e)[..., None], eta, family.contains_natural)[0]
        close(gradient, mean, 1e-6, sd)
        jacobian = numerical_jacobian(family.mean_from_natural, eta, family.contains_natural)
        np.testing.assert_array_less(np.abs(jacobian - fisher) / (sd * sd[:, None]), 1e-6)

    check()


@every_family
def test_natural_home_and_mean_parameters_convert_back_and_forth(family):
    @law()
    @given(parameters(family))
    def check(theta):
        eta = family.natural_from_home(theta)
        mean = family.mean_from_natural(eta)
        slack = 100 * np.finfo(float).eps * np.linalg.cond(family.mean_jacobian(theta))
        close(family.home_from_natural(eta), theta, max(1e-11, slack), np.abs(theta).max())
        close(family.home_from_mean(mean), theta, max(1e-11, slack), np.abs(theta).max())
        close(family.mean_from_natural(family.natural_from_mean(mean)), mean, 1e-12, np.abs(mean).max())
        jacobian = numerical_jacobian(family.natural_from_home, theta, family.contains)
        close(family.natural_jacobian(theta), jacobian, 1e-7, np.abs(jacobian).max())
        product = family.fisher_natural(eta) @ family.natural_jacobian(theta)
        close(family.mean_jacobian(theta), product, 1e-9, np.abs(product).max())

    check()


@every_family
def test_forms_of_its_own_agree_with_the_derived_ones(family):
    derived = ExponentialFamily
    theta = family.example_parameters()
    y = family.sample(theta, np.random.default_rng(1), 7)
    pairs = [
        (family.home_log_prob(y, theta), derived.home_log_prob(family, y, theta)),
        (family.home_score(y, theta), derived.home_score(family, y, theta)),
        (family.home_fisher(theta), derived.home_fisher(family, theta)),
        (family.home_kl(theta[:1], theta), derived.home_kl(family, theta[:1], theta)),
    ]
    for own, general in pairs:
        close(own, general, 1e-9, np.abs(general).max() * 1e-2)


# -- densities


@scalar_family
def test_density_is_normalised(family):
    for theta in family.example_parameters():
        assert grid(family, theta)[1].sum() == pytest.approx(1.0, abs=1e-9)


@vector_family
def test_density_ratios_average_to_one(family):
    """E0[p1/p0] = 1; the constant itself is checked against scipy.stats, or by enumeration."""
    theta0 = family.example_parameters()[1]
    eta = family.natural_from_home(family.example_parameters()[:2])
    theta1 = family.home_from_natural(0.9 * eta[1] + 0.1 * eta[0])
    y = family.sample(theta0, np.random.default_rng(2), 20_000)
    ratio = np.exp(family.log_prob(y, theta1) - family.log_prob(y, theta0))
    assert abs(ratio.mean() - 1) < 5 * ratio.std() / np.sqrt(ratio.size) + 1e-12


def test_multinomial_masses_sum_to_one():
    family = families.get("multinomial(classes=3, trials=5)")
    counts = np.array([[i, j, 5 - i - j] for i in range(6) for j in range(6 - i)])
    np.testing.assert_allclose(np.exp(family.log_prob(counts[:, None], family.example_parameters())).sum(axis=0), 1.0)


SCIPY = {
    "bernoulli": lambda f, t: stats.bernoulli(t[0]),
    "beta": lambda f, t: stats.beta(t[0], t[1]),
    "binomial": lambda f, t: stats.binom(f.trials, t[0]),
    "dirichlet": lambda f, t: stats.dirichlet(t),
    "exponential": lambda f, t: stats.expon(scale=1 / t[0]),
    "gamma": lambda f, t: stats.gamma(t[0], scale=1 / t[1]),
    "gaussian": lambda f, t: stats.norm(t[0], np.sqrt(t[1])),
    "geometric": lambda f, t: stats.geom(t[0], loc=-1),
    "inverse_gamma": lambda f, t: stats.invgamma(t[0], scale=t[1]),
    "inverse_gaussian": lambda f, t: stats.invgauss(t[0] / t[1], scale=t[1]),
    "laplace": lambda f, t: stats.laplace(f.location, t[0]),
    "logarithmic": lambda f, t: stats.logser(t[0]),
    "lognormal": lambda f, t: stats.lognorm(np.sqrt(t[1]), scale=np.exp(t[0])),
    "multinomial": lambda f, t: stats.multinomial(f.trials, f.all_probabilities(t)),
    "multivariate_normal": lambda f, t: stats.multivariate_normal(*f.unpack(t)),
    "negative_binomial": lambda f, t: (
        stats.nbinom(1 / f.alpha, 1 / (1 + f.alpha * t[0])) if f.alpha else stats.poisson(t[0])
    ),
    "pareto": lambda f, t: stats.pareto(t[0], scale=f.minimum),
    "poisson": lambda f, t: stats.poisson(t[0]),
    "rayleigh": lambda f, t: stats.rayleigh(scale=t[0]),
    "von_mises": lambda f, t: stats.vonmises(t[1], loc=t[0]),
    "weibull": lambda f, t: stats.weibull_min(f.shape, scale=t[0]),
    "wishart": lambda f, t: stats.wishart(t[0], unpack_symmetric(t[1:])),
}


@pytest.mark.parametrize("family", [f for f in ALL if f.name in SCIPY and getattr(f, "alpha", 0) != 1e-9], ids=repr)
def test_log_prob_and_entropy_agree_with_scipy(family):
    rng = np.random.default_rng(4)
    for theta in family.example_parameters():
        reference = SCIPY[family.name](family, theta)
        y = family.sample(theta, rng, 20)
        log_prob = getattr(reference, "logpmf", None) if family.support.discrete else reference.logpdf
        columns = np.moveaxis(y, 0, -1) if family.name in ("dirichlet", "wishart") else y
        np.testing.assert_allclose(
            family.log_prob(y, theta), np.reshape(log_prob(columns), y.shape[0]), rtol=1e-9, atol=1e-9
        )
        if family.name == "negative_binomial":
            continue  # scipy gives its sum up after a thousand terms; the law on integrals holds it
        # scipy sums entropies of discrete families to about 1e-8 only
        close(family.entropy(theta), reference.entropy(), 1e-6 if family.support.discrete else 1e-8)


@every_family
def test_outside_the_support_and_the_domain_the_density_is_zero(family):
    theta = family.example_parameters()[0]
    y = family.sample(theta, np.random.default_rng(0), 3)
    bad = np.full_like(y, np.nan)
    assert np.all(family.log_prob(bad, theta) == -np.inf)
    assert np.all(family.log_prob(y, np.full_like(theta, np.nan)) == -np.inf)
    with pytest.raises(ValueError, match=r"needs .*: \w+"):
        family.check(bad)
    with pytest.raises(ValueError, match="outside the domain"):
        family.fisher(np.full_like(theta, np.nan))
