"""The information of Tweedie responses with the power free, against sums and differences taken here."""

import numpy as np
import pytest

from natfit.families import _tweedie_expansion, _tweedie_series
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


# y, mean, dispersion, power; log-density, its slopes in log dispersion and in power. The series with 60 digits, by mpmath
# 1.4.1 (terms added one by one, or where there are more than 40,000 at an eighth of their bump's width), slopes by
# differences of a billionth of a billionth.
SMALL = [
    (2.001, 2.0, 1e-06, 1.9, 5.195922687884764, -0.36607080742394915, -0.2539685392896814),
    (1.9999, 2.0, 1e-08, 1.1, 7.676935865286754, -0.26673747606906834, -0.1848672168335196),
    (0.50001, 0.5, 1e-10, 1.5, 9.699632896920882, 0.9141994203881153, -0.6336753227097026),
    (3.0002, 3.0, 1e-08, 1.00001, 7.075412340224223, 0.16664452804066762, 0.18305920789496335),
    (1.01, 1.0, 0.0009, 1.7, 2.5238360969875484, -0.44483979341338364, -0.004777848923326805),
]


@pytest.mark.parametrize("row", SMALL, ids=str)
def test_small_dispersions_keep_their_digits(row):
    y, *theta = (np.array([value]) for value in row[:4])
    family, dispersion = Tweedie(), row[2]
    assert _tweedie_expansion.is_small(*_tweedie_series._ratio_and_rate(y, row[3], theta[1])[::-1]).all()
    _, in_dispersion, in_power = family.score(y, theta)
    found = [family.log_prob(y, theta)[0], dispersion * in_dispersion[0], in_power[0]]
    np.testing.assert_allclose(found, row[4:], rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("power", [1.2, 1.5, 1.9])
def test_the_expansion_meets_the_series(power):
    rho, more = np.array([3e-4, 1e-3]), 2.0 - power
    a, rate = np.full(2, more / (power - 1.0)), 1.0 / (rho * more)
    assert _tweedie_expansion.is_small(rate, a).all()
    summed = _tweedie_series._summed(rate, a, 2)
    for found, known in zip(_tweedie_expansion.expanded(rate, a, 2), summed, strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("power", [1.0 + 1e-5, 1.001, 1.2, 1.5, 1.9])
def test_the_information_at_small_dispersions(power):
    # a normal law's of log dispersion, 1/2; that of power is phi / 6 and with both it is -p phi / 6, to order phi
    for dispersion in (1e-8, 1e-10):
        found = information(np.log([dispersion]), power)[:, 0]
        np.testing.assert_allclose(found, [0.5, -power * dispersion / 6.0, dispersion / 6.0], rtol=1e-4)
