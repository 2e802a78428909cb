"""The information of Tweedie responses with the power free, against sums and differences taken here."""

import numpy as np
import pytest

from natfit.families.distributional import tweedie_information
from natfit.families.distributional.derivatives import minus_jacobian
from natfit.families.distributional.tweedie import Tweedie
from natfit.families.distributional.tweedie_information import information, information_of_rows


@pytest.mark.parametrize(("power", "dispersion"), [(1.02, 1.0), (1.1, 0.3), (1.1, 50.0), (1.5, 5.0), (1.8, 5.0)])
def test_the_information_is_the_mean_square_of_the_score(power, dispersion):
    # trapezoidal sum over log y: the density's features are at least 0.02 wide there, and 1e-3 of them is left outside
    rate, a = 1.0 / (dispersion * (2.0 - power)), (2.0 - power) / (power - 1.0)
    z = np.linspace(
        -60.0 / a - 20.0 * dispersion - 10.0, np.log(1.0 + 12.0 * dispersion**0.5 + 60.0 * dispersion), 60_001
    )
    theta = [np.ones(z.size), np.full(z.size, dispersion), np.full(z.size, power)]
    family, y = Tweedie(), np.exp(z)
    weight = np.exp(family.log_prob(y, theta) + z) * (z[1] - z[0])
    _, in_dispersion, in_power = family.score(y, theta)
    score = np.array([dispersion * in_dispersion, in_power])
    at_zero = np.array([rate, -rate / (2.0 - power)])
    expected = (score * weight) @ score.T + np.exp(-rate) * np.outer(at_zero, at_zero)
    found = information(np.log([dispersion]), power)[:, 0]
    np.testing.assert_allclose(found, [expected[0, 0], expected[0, 1], expected[1, 1]], rtol=1e-9)


@pytest.mark.parametrize("power", [1.001, 1.02, 1.2, 1.5, 1.95, 1.99])
def test_the_sum_has_converged(power, monkeypatch):
    log_dispersion = np.log([0.02, 0.3, 1.0, 20.0])
    found = information(log_dispersion, power)
    own = tweedie_information._step
    monkeypatch.setattr(tweedie_information, "_step", lambda *given: 0.3 * own(*given))
    monkeypatch.setattr(tweedie_information, "MOST", 1 << 20)
    monkeypatch.setattr(tweedie_information, "DEPTH", 80.0)
    np.testing.assert_allclose(found, information(log_dispersion, power), rtol=1e-8)


def test_powers_that_vary_by_row_are_interpolated():
    rng = np.random.default_rng(5)
    log_dispersion, power = rng.uniform(-2.0, 1.0, 200), rng.uniform(1.3, 1.7, 200)
    found = information_of_rows(log_dispersion, power)
    each = np.hstack([information(z[None], p) for z, p in zip(log_dispersion, power, strict=True)])
    size = np.array([each[0], np.sqrt(each[0] * each[2]), each[2]])
    assert np.max(np.abs(found - each) / size) < 1e-9


def test_second_derivatives_are_those_of_the_score():
    rng = np.random.default_rng(6)
    family = Tweedie()
    theta = [np.exp(rng.normal(size=300)), np.exp(rng.normal(size=300)), rng.uniform(1.2, 1.9, size=300)]
    y = family.sample(theta, rng)
    found = family.observed(y, theta)
    known = minus_jacobian(lambda t: family.score(y, t), lambda t: family.log_prob(y, t), theta, family.domains)
    for pair, value in known.items():
        np.testing.assert_allclose(found[pair], value, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("power", [1.0 + 1e-9, 1.0 + 1e-4, 1.999, 2.0 - 1e-9])
def test_powers_at_their_limits_take_a_bounded_number_of_nodes(power):
    for dispersion in (1e-8, 1.0, 1e8):
        nodes, _ = tweedie_information._nodes(-np.log([dispersion]) - np.log(2.0 - power), power)
        assert nodes.size <= tweedie_information.MOST + 2
