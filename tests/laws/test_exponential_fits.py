"""Laws of exponential families: sampling, maximum likelihood, batches; and what single families promise."""

import pickle

import numpy as np
import pytest
from exponential_cases import close, every_family
from scipy.special import digamma, gammaln

from natfit import families
from natfit.families.base import ExponentialFamily
from natfit.families.solving import increasing_root, inverse_digamma, inverse_log_minus_digamma, log_minus_digamma
from natfit.families.support import POSITIVE

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


def test_solvers_reach_rounding_over_ten_decades_in_a_few_steps():
    x = np.geomspace(1e-3, 1e8, 400)
    np.testing.assert_allclose(inverse_log_minus_digamma(log_minus_digamma(x)), x, rtol=1e-13)
    np.testing.assert_allclose(inverse_digamma(digamma(x)), x, rtol=1e-13 + 1e-15 * np.abs(digamma(x)).max())
    sizes = []

    def log(y):
        sizes.append(y.size)
        return np.log(y) * (1 + y), np.log(y) + (1 + y) / y

    np.testing.assert_allclose(increasing_root(log, np.log(x) * (1 + x), 1.0), x, rtol=1e-12)
    assert len(sizes) < 25
    assert sizes[-1] < sizes[0] / 4  # what has converged is not evaluated again


class OwnGamma(ExponentialFamily):
    """A user's family: the primitives, and nothing else; base measure 1/y."""

    name, home, parameter_names = "own_gamma", "shape_rate", ("shape", "rate")
    statistic_names, support = ("log y", "y"), POSITIVE

    def sufficient_statistics(self, y):
        return np.stack([np.log(y), y], axis=-1)

    def log_base_measure(self, y):
        return -np.log(y)

    def log_partition(self, eta):
        return gammaln(eta[..., 0]) - eta[..., 0] * np.log(-eta[..., 1])

    def mean_from_natural(self, eta):
        return np.stack([digamma(eta[..., 0]) - np.log(-eta[..., 1]), -eta[..., 0] / eta[..., 1]], axis=-1)

    def natural_from_home(self, theta):
        return theta * [1, -1]

    home_from_natural = natural_from_home

    def contains(self, theta):
        return (theta > 0).all(axis=-1)

    def contains_mean(self, m):
        return np.log(m[..., 1]) > m[..., 0]

    def home_sample(self, theta, rng, shape):
        return rng.gamma(theta[..., 0], 1 / theta[..., 1], shape)

    def example_parameters(self):
        return np.array([[2.0, 1.0], [5.0, 0.3]])


def test_a_family_of_nothing_but_primitives_has_everything():
    own, gamma = OwnGamma(), families.get("gamma")
    theta = own.example_parameters()
    y = own.sample(theta[1], np.random.default_rng(18), 60)
    np.testing.assert_allclose(own.fisher(theta), gamma.fisher(theta), rtol=1e-8)
    np.testing.assert_allclose(own.entropy(theta), gamma.entropy(theta), rtol=1e-9)
    np.testing.assert_allclose(own.kl(theta, theta[::-1]), gamma.kl(theta, theta[::-1]), rtol=1e-9)
    np.testing.assert_allclose(own.mle(y), gamma.mle(y), rtol=1e-10)
    np.testing.assert_allclose(own.score(y, theta[0]), gamma.score(y, theta[0]), rtol=1e-7)
    np.testing.assert_allclose(own.expect(np.log, theta), digamma(theta[:, 0]) - np.log(theta[:, 1]), rtol=1e-9)
    xi = own.from_home(theta, "mean")
    np.testing.assert_allclose(own.fisher(xi, "mean"), gamma.fisher(xi, "mean"), rtol=1e-7)
    with pytest.raises(ValueError, match="no maximum-likelihood estimate"):
        own.mle_from_mean([1.0, 2.0])
    with pytest.raises(ArithmeticError, match=r"outside the mean domain|no natural parameters"):
        own.natural_from_mean(np.array([1.0, 2.0]))
