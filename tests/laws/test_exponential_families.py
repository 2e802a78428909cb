"""Laws of exponential families, for every one in the registry: a new family is tested without touching this file.

Expectations over one-dimensional supports are exact sums, or quadrature by the double exponential rule (Takahasi & Mori
1974) written here; over vectors and matrices they are averages over a large sample, with their standard errors.
"""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from natfit import families
from natfit.families.base import ExponentialFamily
from natfit.families.registry import REGISTRY
from natfit.parametrizations import unpack_symmetric
from natfit.parametrizations.numerical import numerical_jacobian

ALL = [family for family in REGISTRY.examples() if isinstance(family, ExponentialFamily)]
SCALAR = [family for family in ALL if not family.support.event_shape]
VECTOR = [family for family in ALL if family.support.event_shape]
every_family = pytest.mark.parametrize("family", ALL, ids=repr)
scalar_family = pytest.mark.parametrize("family", SCALAR, ids=repr)
vector_family = pytest.mark.parametrize("family", VECTOR, ids=repr)


def grid(family, theta):
    """Observations (n,) and weights w (n,) with sum w f(y) = E[f] under home parameters theta (p,)."""
    support = family.support
    if support.discrete:
        y = np.arange(support.low, min(support.high, support.low + 4000) + 1)
        w = np.ones_like(y)
    else:
        y, w = _continuous_grid(family, theta)
    return y, w * np.exp(family.log_prob(y, theta))


def _continuous_grid(family, theta):
    low, high = family.support.low, family.support.high
    if family.name == "von_mises":
        y = np.linspace(low, high, 4001)[:-1]  # the trapezoidal rule on a period
        return y, np.full(y.size, (high - low) / y.size)
    t = np.arange(-4.0, 4.0, 1 / 128)
    step = 0.5 * math.pi * np.cosh(t) / 128
    with np.errstate(over="ignore", under="ignore"):
        u = np.exp(0.5 * math.pi * np.sinh(t))
    if np.isfinite(high):
        y = low + (high - low) * u / (1 + u)
        w = (high - low) * step * u / (1 + u) ** 2
    elif np.isfinite(low):
        scale = np.median(family.sample(theta, np.random.default_rng(0), 99)) - low
        y, w = low + scale * u, scale * step * u
    else:
        draws = family.sample(theta, np.random.default_rng(0), 99)
        center = getattr(family, "location", np.median(draws))
        scale = np.median(np.abs(draws - center))
        y = np.concatenate([center - scale * u[::-1], center + scale * u])
        w = np.concatenate([scale * (step * u)[::-1], scale * step * u])
    good = family.support.contains(y) & np.isfinite(family.log_prob(y, theta)) & np.isfinite(w)
    good &= family.log_prob(y, theta) > -700
    return y[good], w[good]


@st.composite
def parameters(draw, family):
    """Home parameters between the family's examples: the natural domain is convex."""
    eta = family.natural_from_home(family.example_parameters())
    weights = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=len(eta), max_size=len(eta)))) + 1e-3
    return family.home_from_natural(weights @ eta / weights.sum())


def law(max_examples=12):
    return settings(max_examples=max_examples, deadline=None, derandomize=True)


def close(actual, expected, tolerance, scale=1.0):
    np.testing.assert_array_less(np.abs(np.asarray(actual) - expected), tolerance * (np.abs(expected) + scale) + 1e-300)


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


# -- score and Fisher information


@scalar_family
def test_fisher_information_three_ways(family):
    """Covariance of the score, minus the expected Hessian, Hessian of KL: one matrix; and the score has mean zero."""
    for theta in family.example_parameters():
        y, w = grid(family, theta)
        fisher = family.fisher(theta)
        sd = np.sqrt(np.diag(fisher))
        score = family.score(y, theta)
        np.testing.assert_array_less(np.abs(w @ score) / sd, 1e-8)
        unit = sd * sd[:, None]
        np.testing.assert_array_less(np.abs((score.T * w) @ score - fisher) / unit, 1e-7)
        expected = numerical_jacobian(lambda t: w @ family.score(y, t[..., None, :]), theta, family.contains)  # noqa: B023
        np.testing.assert_array_less(np.abs(expected + fisher) / unit, 1e-6)
        gradient = numerical_jacobian(lambda t: _kl_gradient(family, theta, t), theta, family.contains)  # noqa: B023
        np.testing.assert_array_less(np.abs(gradient - fisher) / unit, 1e-5)


def _kl_gradient(family, theta0, theta1):
    """Gradient of KL in its second argument at theta1 (..., p), by differences of KL itself."""

    def kl(t):
        return family.home_kl(np.broadcast_to(theta0, t.shape), t)[..., None]

    return numerical_jacobian(kl, theta1, family.contains)[..., 0, :]


@vector_family
def test_fisher_information_of_vectors_three_ways(family):
    for theta in family.example_parameters():
        fisher = family.fisher(theta)
        sd = np.sqrt(np.diag(fisher))
        unit = sd * sd[:, None]
        score = family.score(family.sample(theta, np.random.default_rng(6), 20_000), theta) / sd
        assert np.all(np.abs(score.mean(axis=0)) < 5 / np.sqrt(len(score)))
        products = score[:, :, None] * score[:, None, :]
        error = products.std(axis=0) / np.sqrt(len(score))
        assert np.all(np.abs(products.mean(axis=0) - fisher / unit) < 5 * error + 1e-9)
        gradient = numerical_jacobian(lambda t: _kl_gradient(family, theta, t), theta, family.contains)  # noqa: B023
        np.testing.assert_array_less(np.abs(gradient - fisher) / unit, 1e-5)


@every_family
def test_score_is_the_gradient_of_the_log_density(family):
    for theta in family.example_parameters():
        y = family.sample(theta, np.random.default_rng(8), 5)
        gradient = numerical_jacobian(lambda t: family.log_prob(y, t[..., None, :]), theta, family.contains)  # noqa: B023
        close(family.score(y, theta), gradient, 1e-6, np.sqrt(np.diag(family.fisher(theta))))


# -- divergence and entropy


@scalar_family
def test_kl_and_entropy_agree_with_integrals(family):
    thetas = family.example_parameters()
    for theta0 in thetas:
        y, w = grid(family, theta0)
        log_prob = family.log_prob(y, theta0)
        close(family.entropy(theta0), -w @ log_prob, 1e-8)
        for theta1 in thetas:
            close(family.kl(theta0, theta1), w @ (log_prob - family.log_prob(y, theta1)), 1e-8)


@vector_family
def test_kl_and_entropy_agree_with_averages(family):
    thetas = family.example_parameters()
    rng = np.random.default_rng(9)
    for theta0 in thetas:
        y = family.sample(theta0, rng, 4000)
        log_prob = family.log_prob(y, theta0)
        for theta1 in thetas:
            ratio = log_prob - family.log_prob(y, theta1)
            assert abs(ratio.mean() - family.kl(theta0, theta1)) <= 5 * ratio.std() / np.sqrt(ratio.size)
        assert abs(-log_prob.mean() - family.entropy(theta0)) <= 5 * log_prob.std() / np.sqrt(ratio.size) + 1e-12


@every_family
def test_kl_is_cross_entropy_minus_entropy_and_not_negative(family):
    @law()
    @given(parameters(family), parameters(family))
    def check(theta0, theta1):
        kl = family.kl(theta0, theta1)
        assert kl >= 0
        assert family.kl(theta0, theta0) == pytest.approx(0.0, abs=1e-15)
        cross, entropy = family.cross_entropy(theta0, theta1), family.entropy(theta0)
        assert cross - entropy == pytest.approx(kl, rel=1e-9, abs=1e-11 * (1 + abs(cross) + abs(entropy)))

    check()


@every_family
def test_kl_between_neighbours_is_half_the_quadratic_form(family):
    """At a distance of 1e-6 standard units KL is 5e-13: what a difference of log-partitions could not show."""
    rng = np.random.default_rng(10)
    for theta in family.example_parameters():
        fisher = family.fisher(theta)
        direction = rng.normal(size=theta.size) / np.sqrt(np.diag(fisher))
        delta = 1e-6 * direction / np.sqrt(direction @ fisher @ direction)
        delta = (theta + delta) - theta  # what was really added, after rounding
        assert family.kl(theta, theta + delta) == pytest.approx(0.5 * delta @ fisher @ delta, rel=2e-5)


# -- sampling and fitting


@every_family
def test_sample_averages_agree_with_mean_parameters(family):
    theta = family.example_parameters()
    eta = family.natural_from_home(theta)
    statistics = family.sufficient_statistics(family.sample(theta, np.random.default_rng(12), 20_000))
    error = np.sqrt(np.diagonal(family.fisher_natural(eta), axis1=-2, axis2=-1) / 20_000)
    assert np.all(np.abs(statistics.mean(axis=0) - family.mean_from_natural(eta)) < 5 * error)


@every_family
def test_mle_is_where_the_score_vanishes_whatever_the_order_and_the_weights(family):
    theta = family.example_parameters()[1]
    rng = np.random.default_rng(13)
    y = family.sample(theta, rng, 200)
    fit = family.mle(y)
    score, fisher = family.score(y, fit).sum(axis=0), family.fisher(fit)
    assert score @ np.linalg.solve(fisher, score) / 200 < 1e-16  # a hundred-millionth of a standard error
    close(family.mle(rng.permutation(y)), fit, 1e-10, np.abs(fit).max())
    counts = rng.integers(0, 4, 200)
    repeated = family.mle(np.repeat(y, counts, axis=0))
    close(family.mle(y, weights=counts), repeated, 1e-10, np.abs(fit).max())
    both = family.mle(y, weights=np.stack([np.ones(200), counts], axis=1))
    close(both, np.stack([fit, repeated]), 1e-10, np.abs(fit).max())
    close(family.to_home(family.mle(y, parametrization="natural"), "natural"), fit, 1e-10, np.abs(fit).max())


@every_family
def test_data_of_one_value_are_fitted_inside_the_domain_or_refused(family):
    y = np.repeat(family.sample(family.example_parameters()[1], np.random.default_rng(14), 1), 5, axis=0)
    try:
        fit = family.mle(y)
    except ValueError as error:
        assert "no maximum-likelihood estimate" in str(error)  # noqa: PT017
    else:
        score = family.score(y, fit).mean(axis=0)
        assert score @ np.linalg.solve(family.fisher(fit), score) < 1e-16


@every_family
def test_bad_weights_and_no_rows_are_refused(family):
    y = family.sample(family.example_parameters()[1], np.random.default_rng(15), 5)
    for weights in (np.ones(4), -np.ones(5), np.zeros(5), np.full(5, np.nan)):
        with pytest.raises(ValueError, match=r"[Ww]eights"):
            family.mle(y, weights=weights)
    with pytest.raises(ValueError, match="at least one observation"):
        family.mle(y[:0])


@every_family
def test_a_batch_is_a_loop(family):
    theta = family.example_parameters()
    y = family.sample(theta[0], np.random.default_rng(16), 6)
    grid_of = family.log_prob(y[:, None], theta), family.score(y[:, None], theta)
    batch = family.fisher(theta), family.entropy(theta), family.kl(theta[:, None], theta)
    mean = family.mean_from_natural(family.natural_from_home(theta))
    together = family.mle_from_mean(np.stack([mean, mean[::-1]]))
    for j, t in enumerate(theta):
        close(grid_of[0][:, j], family.log_prob(y, t), 1e-12)
        close(grid_of[1][:, j], family.score(y, t), 1e-12)
        close(batch[0][j], family.fisher(t), 1e-12)
        close(batch[1][j], family.entropy(t), 1e-12)
        close(batch[2][j], family.kl(t, theta), 1e-11)
        close(together[0, j], family.mle_from_mean(mean[j]), 1e-11)
        close(together[1, len(theta) - 1 - j], together[0, j], 1e-13)


@every_family
def test_pickling_and_calling_by_name(family):
    theta = family.example_parameters()
    assert family.parametrizations
    copy = pickle.loads(pickle.dumps(family))
    np.testing.assert_array_equal(copy.entropy(theta), family.entropy(theta))
    assert repr(copy) == repr(family)


# -- what single families promise


@pytest.mark.parametrize(
    ("name", "y"),
    [
        ("bernoulli", [1, 1, 1]),
        ("geometric", [0, 0]),
        ("logarithmic", [1, 1, 1]),
        ("lognormal", [3.3, 3.3]),
        ("inverse_gamma", [0.1, 0.1, 0.1]),
        ("beta", [0.3, 0.3]),
        ("pareto(2)", [2.0, 2.0]),
        ("laplace(1)", [1.0]),
        ("exponential", [0.0, 0.0]),
        ("categorical(3)", [0, 1, 0]),
        ("multivariate_normal(2)", [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]),
        ("multivariate_normal(2)", [[1.0, 2.0], [2.0, 4.0]]),
        ("von_mises", [0.0, np.pi / 2, np.pi, -np.pi / 2]),
    ],
)
def test_estimates_on_the_boundary_are_refused(name, y):
    with pytest.raises(ValueError, match="no maximum-likelihood estimate"):
        families.get(name).mle(y)


def test_location_far_from_zero_costs_no_digits():
    """Shifting by 2^40 changes nothing but the mean: 1e12 standard deviations, where E[y^2] - E[y]^2 has no digits."""
    rng = np.random.default_rng(17)
    y = np.round(rng.normal(size=(50, 2)) * 1024) / 1024
    shift = 2.0**40
    normal = families.get("multivariate_normal(2)")
    near, far = normal.mle(y), normal.mle(y + shift)
    np.testing.assert_allclose(far[2:], near[2:], rtol=1e-4)
    np.testing.assert_allclose(
        normal.log_prob(y + shift, near + np.array([shift, shift, 0, 0, 0])), normal.log_prob(y, near), rtol=1e-3
    )


def test_von_mises_estimates_at_both_ends_of_concentration():
    family = families.get("von_mises")
    k = np.array([1e-6, 1e-3, 0.5, 59.9, 60.1, 1e4])
    theta = np.stack([np.full(6, 0.4), k], axis=-1)
    m = family.mean_from_natural(family.natural_from_home(theta))
    # the resultant length is known to a rounding unit only: its complement 1/(2k) decides the digits of a large k
    np.testing.assert_allclose(family.home_from_mean(m)[:, 1], k, rtol=1e-11)
    np.testing.assert_allclose(family.fisher_natural(np.zeros(2)), np.eye(2) / 2)
    np.testing.assert_allclose(family.natural_from_mean(np.zeros(2)), 0.0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("weibull(-1)", "positive, finite shape"),
        ("pareto(0)", "positive, finite minimum"),
        ("dirichlet(1)", "two or more"),
        ("categorical(1)", "two or more classes"),
        ("multinomial(3, 0)", "at least 1"),
        ("multivariate_normal(1.5)", "one or more components"),
        ("wishart(0)", "one or more rows"),
        ("laplace(nan)", "finite location"),
    ],
)
def test_wrong_constants_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        families.get(name)


def test_support_errors_count_the_rows_and_name_the_remedy():
    with pytest.raises(
        ValueError, match=r"share are outside \(rows 1, 3; the first is 1\).*family with mass at the ends"
    ):
        families.get("beta").check([0.5, 1.0, 0.2, 0.0], "share")
    with pytest.raises(ValueError, match="shape"):
        families.get("dirichlet(3)").check([[0.5, 0.5]])
    with pytest.raises(ValueError, match="not numeric"):
        families.get("exponential").check(["a"])
