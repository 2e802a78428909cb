"""Laws of exponential families: score, Fisher information, divergence, entropy."""

import numpy as np
import pytest
from exponential_cases import close, every_family, grid, law, parameters, scalar_family, vector_family
from hypothesis import given

from natfit.parametrizations.numerical import numerical_jacobian

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
        assert family.kl(theta, theta + delta) == pytest.approx(0.5 * delta @ fisher @ delta, rel=2e-5, abs=0)
