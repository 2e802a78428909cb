"""Laws of families whose every parameter may have a predictor; a family registered tomorrow is tested unchanged.

Expectations are plain sums over counts, or composite Gauss-Legendre quadrature between quantiles, written here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from natfit.families.distributional import counts
from natfit.families.distributional.base import DistributionalFamily
from natfit.families.distributional.expectation import distribution_function, expected_information
from natfit.families.distributional.quantiles import by_bisection
from natfit.families.distributional.registry import REGISTRY
from natfit.families.distributional.reused import Reused
from natfit.families.registry import REGISTRY as FAMILIES

LEVELS = np.array([1e-13, 1e-9, 1e-6, 1e-4, 1e-2, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999, 1 - 1e-6, 1 - 1e-9, 1 - 1e-13])

ALL: list[Any] = REGISTRY.examples()
OTHERS = [Reused.of(FAMILIES.get(name)) for name in ("poisson", "geometric")]
OTHERS += [Reused.of(FAMILIES.get("beta"), "a_b"), Reused.of(FAMILIES.get("gamma"), "shape_scale")]
"""Families of the registry that are distributional without being registered as such, and other parametrizations."""

every_family = pytest.mark.parametrize("family", ALL + OTHERS, ids=lambda family: f"{family!r}")
SCALAR = [family for family in ALL + OTHERS if not family.support.event_shape and family.every_response() is None]
scalar_family = pytest.mark.parametrize("family", SCALAR, ids=lambda family: f"{family!r}")


def grid(family: DistributionalFamily, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return responses (m, *event) and probabilities of them at one value of the parameters."""
    all_there_are = family.every_response()
    if all_there_are is not None:
        y, weight = all_there_are, np.ones(len(all_there_are))
    elif family.support.discrete:
        y = np.arange(family.support.low, min(family.support.high, 3000.0) + 1.0)
        weight = np.ones(y.size)
    else:
        y, weight = _between_quantiles(family, point)
    theta = [np.full(len(y), value) for value in point]
    return y, weight * np.exp(family.log_prob(y, theta))


def _between_quantiles(family: DistributionalFamily, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(64)
    support = family.support
    if np.isfinite(support.low) and np.isfinite(support.high) and family.name == "von_mises":
        edges = np.linspace(support.low, support.high, 30)
    else:
        edges = np.unique(family.quantile(LEVELS, [np.full(LEVELS.size, value) for value in point]))
        edges = edges[(edges > support.low) & (edges < support.high)]
    if family.atoms:  # between the atom and the least quantile above it
        edges = np.append(np.geomspace(1e-14, 1.0, 10)[:-1] * edges[0], edges)
    # on the scale of the logarithm where the support ends: densities may be infinite there
    if np.isfinite(support.low) and not np.isfinite(support.high):
        ends = np.log(edges - support.low)
        z = (0.5 * (ends[1:] + ends[:-1]))[:, None] + (0.5 * np.diff(ends))[:, None] * nodes
        y, slope = support.low + np.exp(z), np.exp(z)
    else:
        y = (0.5 * (edges[1:] + edges[:-1]))[:, None] + (0.5 * np.diff(edges))[:, None] * nodes
        slope, ends = np.ones_like(y), edges
    weight = slope * (0.5 * np.diff(ends))[:, None] * weights
    values, masses = y.ravel(), weight.ravel()
    for atom in family.atoms:
        values, masses = np.append(values, atom), np.append(masses, 1.0)
    return values, masses


def at(family: DistributionalFamily, function: Callable[[np.ndarray, list[np.ndarray]], Any]) -> list[Any]:
    """Return E[function(y, theta)] at each of the family's example parameters; the function gives (m, ...)."""
    found = []
    for point in family.example_parameters():
        y, prob = grid(family, point)
        value = np.asarray(function(y, [np.full(len(y), each) for each in point]))
        found.append(np.tensordot(prob, np.where(np.isfinite(value), value, 0.0), axes=(0, 0)))
    return found


def units(family: DistributionalFamily, fisher: dict[tuple[int, int], np.ndarray]) -> np.ndarray:
    """Return the standard error of one row in each parameter, (K, m): what differences are measured in."""
    return np.array([1.0 / np.sqrt(fisher[k, k]) for k in range(family.K)])


def fisher_at_examples(family: DistributionalFamily) -> dict[tuple[int, int], np.ndarray]:
    points = family.example_parameters()
    y = family.sample(list(points.T), np.random.default_rng(3))
    zero = np.zeros(len(points))
    found = family.fisher(y, list(points.T))
    return {(k, l): np.asarray(found.get((k, l), zero)) + zero for k in range(family.K) for l in range(k, family.K)}


def tolerance(family: DistributionalFamily) -> float:
    # quantiles near 1 of a response between two ends lose the digits of their distance to the end
    if family.atoms:  # next to an atom a density may have any power of the distance
        return 5e-7
    return 1e-6 if np.isfinite(family.support.high) and not family.support.discrete else 1e-8


@every_family
def test_mass_is_one(family: DistributionalFamily) -> None:
    if family.support.event_shape and family.every_response() is None:
        pytest.skip("a density over vectors is not summed")
    for total in at(family, lambda y, theta: np.ones(len(y))):
        assert total == pytest.approx(1.0, abs=tolerance(family))


@every_family
def test_score_is_the_gradient(family: DistributionalFamily) -> None:
    fisher = fisher_at_examples(family)
    unit = units(family, fisher)
    rng = np.random.default_rng(5)
    for m, point in enumerate(family.example_parameters()):
        theta = [np.full(40, value) for value in point]
        y = family.sample(theta, rng)
        score = family.score(y, theta)
        for k in range(family.K):
            step = min(1e-3 * unit[k, m], 0.01 * abs(point[k]) if point[k] else np.inf)
            values = []
            for count in (-2, -1, 1, 2):
                moved = list(theta)
                moved[k] = theta[k] + count * step
                values.append(family.log_prob(y, moved))
            slope = (values[0] - 8.0 * values[1] + 8.0 * values[2] - values[3]) / (12.0 * step)
            size = np.abs(score[k]) * unit[k, m] + 1.0
            np.testing.assert_allclose(score[k] * unit[k, m] / size, slope * unit[k, m] / size, rtol=0, atol=2e-7)


@every_family
def test_score_has_mean_zero_and_the_fisher_information_is_its_covariance(family: DistributionalFamily) -> None:
    fisher = fisher_at_examples(family)
    unit = units(family, fisher)
    if family.support.event_shape and family.every_response() is None:
        _by_sampling(family, fisher, unit)
        return
    means = at(family, lambda y, theta: np.stack(family.score(y, theta), axis=-1))
    squares = at(family, lambda y, theta: _outer(np.stack(family.score(y, theta), axis=-1)))
    for m in range(len(means)):
        np.testing.assert_allclose(means[m] * unit[:, m], 0.0, atol=20 * tolerance(family))
        for (k, l), value in fisher.items():
            scale = unit[k, m] * unit[l, m]
            assert squares[m][k, l] * scale == pytest.approx(value[m] * scale, abs=20 * tolerance(family))


def _outer(rows: np.ndarray) -> np.ndarray:
    return rows[:, :, None] * rows[:, None, :]


def _by_sampling(family: DistributionalFamily, fisher: dict[tuple[int, int], np.ndarray], unit: np.ndarray) -> None:
    n = 40_000
    for m, point in enumerate(family.example_parameters()):
        theta = [np.full(n, value) for value in point]
        rows = np.stack(family.score(family.sample(theta, np.random.default_rng(m)), theta), axis=-1) * unit[:, m]
        assert np.all(np.abs(rows.mean(axis=0)) < 5.0 / np.sqrt(n))
        products = _outer(rows)
        error = products.std(axis=0) / np.sqrt(n)
        for (k, l), value in fisher.items():
            assert abs(products.mean(axis=0)[k, l] - value[m] * unit[k, m] * unit[l, m]) < 5.0 * error[k, l] + 1e-9


@every_family
def test_the_fisher_information_is_minus_the_mean_hessian(family: DistributionalFamily) -> None:
    fisher = fisher_at_examples(family)
    unit = units(family, fisher)
    if family.support.event_shape and family.every_response() is None:
        return  # by sampling it would be the score's test again
    pairs = list(fisher)

    def minus_hessian(y: np.ndarray, theta: list[np.ndarray]) -> np.ndarray:
        found = family.observed(y, theta)
        return np.stack([np.broadcast_to(found.get(pair, 0.0), (len(y),)) for pair in pairs], axis=-1)

    for m, mean in enumerate(at(family, minus_hessian)):
        for (k, l), value in zip(pairs, mean, strict=True):
            scale = unit[k, m] * unit[l, m]
            assert value * scale == pytest.approx(fisher[k, l][m] * scale, abs=max(20 * tolerance(family), 1e-6))


@every_family
def test_the_observed_information_is_minus_the_slope_of_the_score(family: DistributionalFamily) -> None:
    unit = units(family, fisher_at_examples(family))
    rng = np.random.default_rng(9)
    for m, point in enumerate(family.example_parameters()):
        theta = [np.full(25, value) for value in point]
        y = family.sample(theta, rng)
        observed = family.observed(y, theta)
        for k in range(family.K):
            step = min(1e-3 * unit[k, m], 0.01 * abs(point[k]) if point[k] else np.inf)
            ends = []
            for count in (-2, -1, 1, 2):
                moved = list(theta)
                moved[k] = theta[k] + count * step
                ends.append(np.array(family.score(y, moved)))
            slope = -(ends[0] - 8.0 * ends[1] + 8.0 * ends[2] - ends[3]) / (12.0 * step)
            for l in range(k, family.K):
                scale = unit[k, m] * unit[l, m]
                given = np.broadcast_to(observed.get((k, l), 0.0), (25,)) * scale
                np.testing.assert_allclose(given, slope[l] * scale, rtol=1e-5, atol=3e-6)


@scalar_family
def test_moments(family: DistributionalFamily) -> None:
    if family.name == "von_mises":
        pytest.skip("the moments of a direction depend on where the circle is cut")
    theta = list(family.example_parameters().T)
    first = np.array(at(family, lambda y, _: y))
    second = np.array(at(family, lambda y, _: y * y))
    mean, variance = family.mean(theta), family.variance(theta)
    sd = np.sqrt(np.where(np.isfinite(variance), variance, np.nan))
    light = family.name != "student_t"  # whose tails hold much of the second moment
    # what lies beyond the last quantile counts for nothing only where the spread is no many times the mean
    known = np.isfinite(sd) & (light | (theta[-1] > 4.0)) & ((family.name != "lognormal") | (sd < 10.0 * np.abs(mean)))
    np.testing.assert_allclose((mean / sd)[known], (first / sd)[known], atol=1e-5)
    np.testing.assert_allclose(variance[known], (second - first**2)[known], rtol=1e-4)


@scalar_family
def test_samples_follow_the_distribution_function(family: DistributionalFamily) -> None:
    n = 4000
    rng = np.random.default_rng(11)
    for point in family.example_parameters():
        theta = [np.full(n, value) for value in point]
        y = family.sample(theta, rng)
        assert family.support.contains(y).all()
        upper = family.cdf(y, theta)
        mass = np.exp(family.log_prob(y, theta)) if family.support.discrete else np.zeros(n)
        for atom in family.atoms:
            mass = np.where(y == atom, np.exp(family.log_prob(y, theta)), mass)
        uniform = np.sort(upper - rng.uniform(size=n) * mass)  # the randomized probability integral transform
        distance = np.abs(uniform - (np.arange(n) + 0.5) / n).max()
        assert distance < 2.2 / np.sqrt(n)  # Kolmogorov's statistic, exceeded by chance once in 8,000


@scalar_family
def test_distribution_function_and_quantile_belong_together(family: DistributionalFamily) -> None:
    for point in family.example_parameters():
        for level in (0.02, 0.5, 0.97):
            theta = [np.array([value]) for value in point]
            y = family.quantile(np.array([level]), theta)
            reached = family.cdf(y, theta)[0]
            if family.circular:  # cut opposite its direction: the same law around 0 is cut where angles begin
                y, theta = y - theta[0], [0.0 * theta[0], theta[1]]
            assert distribution_function(family, y, theta)[0] == pytest.approx(reached, abs=1e-8)
            atom = any(y[0] == each for each in family.atoms)
            if family.support.discrete or atom:
                assert reached >= level
                assert family.support.discrete is False or family.cdf(y - 1.0, theta)[0] < level
            else:
                assert reached == pytest.approx(level, abs=1e-9)
                assert by_bisection(family, np.array([level]), theta)[0] == pytest.approx(y[0], rel=1e-6, abs=1e-9)


@scalar_family
def test_quadrature_gives_the_closed_information(family: DistributionalFamily) -> None:
    fisher = fisher_at_examples(family)
    unit = units(family, fisher)
    found = expected_information(family, list(family.example_parameters().T))
    for (k, l), value in found.items():
        np.testing.assert_allclose(value * unit[k] * unit[l], fisher[k, l] * unit[k] * unit[l], atol=1e-7)


@every_family
def test_start_lies_inside(family: DistributionalFamily) -> None:
    point = family.example_parameters()[0]
    y = family.sample([np.full(60, value) for value in point], np.random.default_rng(2))
    for weight in (None, np.full(60, 2.0)):
        start = family.start(y, weight)
        theta = [np.full(60, value) for value in start]
        assert family.contains(theta).all()
        assert np.isfinite(family.log_prob(y, theta)).all()


@pytest.mark.parametrize("alpha", [1e-7, 1e-12, 1e-40, 1e-200, 1e-300])
def test_negative_binomials_that_are_all_but_poissons_keep_their_derivatives(alpha):
    # of sum_j<y log(1 + alpha j) - (y + 1 / alpha) log(1 + alpha mean): at alpha = 0 the slope is ((y - mean)^2 - y) / 2
    family, y, mean = REGISTRY.get("negative_binomial"), np.array([0.0, 1.0, 3.0, 7.0]), np.array([2.5, 0.3, 4.0, 5.0])
    theta = [mean, np.full(4, alpha)]
    bend = y * (y - 1.0) * (2.0 * y - 1.0) / 6.0 - y * mean**2 + 2.0 / 3.0 * mean**3
    with np.errstate(all="ignore"):  # as in a likelihood
        score, observed, expected = family.score(y, theta), family.observed(y, theta), family.fisher(y, theta)
    np.testing.assert_allclose(score[1], 0.5 * ((y - mean) ** 2 - y) - alpha * bend, rtol=1e-8)
    np.testing.assert_allclose(observed[1, 1], bend, rtol=1e-4)
    np.testing.assert_allclose(expected[1, 1], 0.5 * mean**2, rtol=1e-4)


def test_both_forms_of_a_negative_binomials_derivatives_meet():
    y, mean, alpha = np.array([6.0, 8.0, 13.0]), np.array([7.0, 9.0, 12.0]), np.full(3, 1.2e-5)
    family, theta = REGISTRY.get("negative_binomial"), [mean, alpha]
    assert (alpha * (y + mean) > counts.FADED_BEND).all()  # none of them by its series
    np.testing.assert_allclose(counts.faded_slope(y, mean, alpha), family.score(y, theta)[1], rtol=1e-6)
    np.testing.assert_allclose(counts.faded_bend(y, mean, alpha), family.observed(y, theta)[1, 1], rtol=1e-4)
    np.testing.assert_allclose(counts.faded_information(mean, mean, alpha), family.fisher(y, theta)[1, 1], rtol=1e-6)


def test_degrees_of_freedom_without_bound_keep_their_derivatives():
    # t's log-density is the normal's and (z^4 - 2 z^2 - 1) / (4 df) to the second order in 1 / df; information 7 / (2 df^4)
    family, z = REGISTRY.get("student_t"), np.array([0.0, 0.5, 2.0, 6.0])
    for df in (1e7, 1e15, 1e60):
        theta = [np.zeros(4), np.ones(4), np.full(4, df)]
        np.testing.assert_allclose(family.score(z, theta)[2] * df**2, -0.25 * (z**4 - 2.0 * z**2 - 1.0), rtol=1e-4)
        np.testing.assert_allclose(family.fisher(z, theta)[2, 2] * df**4, 3.5, rtol=1e-4)


# df; the slope in df at z = 0.7, and the information: 80 digits by mpmath 1.4.1
MEETING = [
    (1998.0, 1.0895142407544091e-07, 2.192195244934996e-13),
    (2002.0, 1.0851650887484412e-07, 2.1747357087858678e-13),
]


@pytest.mark.parametrize(("df", "slope", "information"), MEETING)
def test_both_forms_of_a_ts_derivatives_meet(df, slope, information):
    family, theta = REGISTRY.get("student_t"), [np.zeros(1), np.ones(1), np.array([df])]
    assert family.score(np.array([0.7]), theta)[2][0] == pytest.approx(slope, rel=1e-7)
    assert family.fisher(np.array([0.7]), theta)[2, 2][0] == pytest.approx(information, rel=1e-5)
