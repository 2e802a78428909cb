"""Laws of moves: how far paths depend on coordinates, and that geodesics are geodesics."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from optimizer_cases import CURVED, FAR, GAUSSIAN, HEIGHTS, PROBLEMS, distribution, heights, spread, steps

from natfit.families import Beta, Categorical, Exponential, Gamma, Poisson
from natfit.families.registry import REGISTRY
from natfit.need import LOGLIK, METRIC, SCORE
from natfit.optimize import (
    MOVES,
    Backtracking,
    Decrement,
    Geodesic,
    Gradient,
    Move,
    NaturalGradient,
    Optimizer,
    ParametrizedObjective,
    Point,
    e_geodesic,
    fisher_rao,
    geodesic_corrected,
    gradient_descent,
    kl_ball,
    m_geodesic,
    midpoint,
    natural_gradient,
    run,
    straight,
    straight_in,
)
from natfit.optimize.geodesics import acceleration
from natfit.parametrizations import Affine, Fixed, Log

COORDINATE_FREE = MOVES.names(of_family=True)
CLOSED = [f for f in REGISTRY.examples() if hasattr(f, "fisher_rao_geodesic")]
NUMERIC = [f for f in (Gamma(), Beta(), Categorical(3), GAUSSIAN) if not f.support.event_shape]


def metric_of(family: Any) -> Any:
    return lambda theta: family.fisher(theta) if np.all(family.contains(theta)) else None


def unit_velocity(family: Any, theta: np.ndarray, seed: int) -> np.ndarray:
    velocity = np.random.default_rng(seed).normal(size=theta.size)
    return velocity / np.sqrt(velocity @ family.fisher(theta) @ velocity)


# -- paths in several coordinates


@pytest.mark.parametrize("n", [1, 3, 8])
@pytest.mark.parametrize("name", COORDINATE_FREE)
def test_moves_without_coordinates_take_one_path_in_all(name: str, n: int) -> None:
    move = MOVES.make(name, GAUSSIAN)
    assert spread([steps(move, n, 1.0 if n > 1 else 0.3, p) for p in CURVED]) < 1e-10


@pytest.mark.parametrize(
    "optimizer", [natural_gradient(), kl_ball(0.3), natural_gradient(step=0.2)], ids=lambda o: o.name
)
@pytest.mark.parametrize("name", COORDINATE_FREE)
def test_whole_records_agree_along_moves_without_coordinates(name: str, optimizer: Optimizer) -> None:
    records = []
    for p in CURVED:
        rule = Optimizer(optimizer.direction, optimizer.step, MOVES.make(name, GAUSSIAN))
        found = run(rule, heights(p), GAUSSIAN.from_home(FAR, p), stop=Decrement(1e-6), max_iterations=12)
        records.append(np.array([[row.loglik, row.decrement, row.step] for row in found.record]))
    for other in records[1:]:
        np.testing.assert_allclose(other, records[0], rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("move", "order"),
    [(straight, 1.0), (midpoint, 2.0), (geodesic_corrected, 2.0)],
    ids=["straight", "mid", "corrected"],
)
def test_paths_agree_to_the_order_of_the_move(move: Any, order: float) -> None:
    apart = [spread([steps(move, n, 1.0, p) for p in CURVED]) for n in (16, 32, 64)]
    assert apart[-1] > 1e-6  # they do differ
    np.testing.assert_allclose(np.log2(np.divide(apart[:-1], apart[1:])), order, atol=0.15)


def test_gradient_descent_does_not_agree_at_any_step() -> None:
    apart = [spread([steps(straight, n, 2e-3, p, Gradient()) for p in CURVED]) for n in (16, 32, 64)]
    assert apart[-1] > 0.1
    np.testing.assert_allclose(np.log2(np.divide(apart[:-1], apart[1:])), 0.0, atol=0.2)


@pytest.mark.parametrize("name", MOVES.names())
@pytest.mark.parametrize("parametrization", CURVED)
def test_affine_changes_of_coordinates_change_no_path(parametrization: str, name: str) -> None:
    start, move = GAUSSIAN.from_home(FAR, parametrization), MOVES.make(name, GAUSSIAN)
    affine = Affine([[2.0, 1.0], [-0.5, 3.0]], [0.3, -0.2])
    for n in (1, 2, 6):
        stop, rule = Decrement(1e-300), natural_gradient(step=0.2, move=move)
        plain = run(rule, heights(parametrization), start, stop=stop, max_iterations=n)
        turned = ParametrizedObjective(heights(parametrization), affine)
        there = run(rule, turned, affine.from_home(start), stop=stop, max_iterations=n)
        # the corrected move differentiates the metric numerically
        tolerance = 1e-8 if name == "geodesic_corrected" else 1e-10
        np.testing.assert_allclose(affine.to_home(there.params), plain.params, rtol=tolerance)


def test_a_gradients_path_depends_on_affine_coordinates() -> None:
    affine = Affine([[2.0, 1.0], [-0.5, 3.0]])
    rule = gradient_descent(step=0.01)
    plain = run(rule, heights(), FAR, max_iterations=1)
    there = run(rule, ParametrizedObjective(heights(), affine), affine.from_home(FAR), max_iterations=1)
    assert np.abs(affine.to_home(there.params) - plain.params).max() > 1e-3


# -- geodesics


@pytest.mark.parametrize("family", CLOSED, ids=repr)
def test_closed_geodesics_solve_the_geodesic_equation(family: Any) -> None:
    for seed, theta in enumerate(family.example_parameters()):
        velocity = unit_velocity(family, theta, seed)
        numeric = Geodesic(metric_of(family), theta, velocity)
        tried = [t for t in (0.05, 0.2, 0.8) if np.isfinite(family.fisher_rao_geodesic(theta, velocity, 1.3 * t)).all()]
        for t in reversed(tried):
            closed = family.fisher_rao_geodesic(theta, velocity, t)
            scale = np.abs(theta).max() + np.abs(closed)
            assert np.all(np.abs(numeric(t) - closed) < 1e-7 * scale)
        assert np.array_equal(family.fisher_rao_geodesic(theta, 0.0 * velocity, 1.0).round(12), theta.round(12))


@pytest.mark.parametrize("family", CLOSED, ids=repr)
def test_closed_geodesics_have_constant_speed(family: Any) -> None:
    for seed, theta in enumerate(family.example_parameters()):
        velocity = unit_velocity(family, theta, seed)
        for t in (0.0, 0.1, 0.3):
            h = 1e-4
            a, b = (family.fisher_rao_geodesic(theta, velocity, t + s) for s in (-h, h))
            if np.isfinite(a + b).all() and np.all(
                family.contains(family.fisher_rao_geodesic(theta, velocity, t + 0.1))
            ):
                here = family.fisher_rao_geodesic(theta, velocity, t)
                rate = (b - a) / (2 * h)
                assert rate @ family.fisher(here) @ rate == pytest.approx(1.0, abs=2e-5)


@pytest.mark.parametrize("family", NUMERIC, ids=repr)
def test_solved_geodesics_have_constant_speed_and_turn_back(family: Any) -> None:
    for seed, theta in enumerate(family.example_parameters()[:2]):
        velocity = unit_velocity(family, theta, seed)
        curve = Geodesic(metric_of(family), theta, velocity)
        for t in (0.5, 0.1):
            there, rate = curve.state(t)
            assert rate @ family.fisher(there) @ rate == pytest.approx(1.0, abs=1e-7)
            np.testing.assert_allclose(Geodesic(metric_of(family), there, -rate)(t), theta, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("parametrization", CURVED)
def test_geodesics_by_the_objectives_own_metric_are_the_same_curves(parametrization: str) -> None:
    chart = GAUSSIAN.parametrization(parametrization)
    objective = heights(parametrization)
    point = objective.evaluate(chart.from_home(FAR), LOGLIK | SCORE | METRIC)
    vector = point.natural_gradient
    solved = chart.to_home(fisher_rao()(objective, point, vector, 0.3))
    closed = chart.to_home(fisher_rao(GAUSSIAN)(objective, point, vector, 0.3))
    np.testing.assert_allclose(solved, closed, rtol=1e-7)


@pytest.mark.parametrize("parametrization", CURVED)
def test_the_correction_is_the_geodesics_second_derivative(parametrization: str) -> None:
    chart, objective = GAUSSIAN.parametrization(parametrization), heights(parametrization)
    point = objective.evaluate(chart.from_home(FAR), LOGLIK | SCORE | METRIC)
    geodesic = fisher_rao(GAUSSIAN).curve(objective, point, point.natural_gradient)
    corrected = geodesic_corrected.curve(objective, point, point.natural_gradient)
    errors = [np.abs(corrected(t) - geodesic(t)).max() for t in (0.04, 0.02)]
    assert errors[0] / errors[1] == pytest.approx(8.0, abs=1.0)  # third order in t


def test_christoffel_symbols_do_not_depend_on_the_number_of_observations() -> None:
    theta, velocity = np.array([0.4, 1.7]), np.array([0.3, -0.2])
    one = acceleration(metric_of(GAUSSIAN), theta, velocity)
    many = acceleration(lambda t: 1e6 * GAUSSIAN.fisher(t), theta, velocity)
    # in the half-plane of mean m and variance v: m'' = m'v'/v, v'' = v'^2/v - m'^2
    exact = [velocity[0] * velocity[1] / theta[1], velocity[1] ** 2 / theta[1] - velocity[0] ** 2]
    np.testing.assert_allclose(one, exact, rtol=1e-9)
    np.testing.assert_allclose(many, exact, rtol=1e-6)


# -- e- and m-geodesics


def test_a_unit_step_along_the_m_geodesic_is_the_estimate() -> None:
    for p in CURVED:
        assert spread([steps(m_geodesic(GAUSSIAN), 1, 1.0, p), GAUSSIAN.mle(HEIGHTS)]) < 1e-10


def test_straight_in_own_coordinates_is_straight() -> None:
    for p in CURVED:
        ends = [steps(move, 3, 0.3, p) for move in (straight, straight_in(GAUSSIAN.parametrization(p)))]
        assert spread(ends) < 1e-11


def test_wrapping_twice_changes_no_geodesic() -> None:
    chart, affine = GAUSSIAN.parametrization("log_sd"), Affine([[2.0, 1.0], [-0.5, 3.0]])
    twice = ParametrizedObjective(heights("log_sd"), affine)
    for name in COORDINATE_FREE:
        rule = natural_gradient(step=0.2, move=MOVES.make(name, GAUSSIAN))
        found = run(rule, twice, affine.from_home(chart.from_home(FAR)), stop=Decrement(1e-300), max_iterations=3)
        bare = run(rule, distribution(GAUSSIAN, HEIGHTS), FAR, stop=Decrement(1e-300), max_iterations=3)
        assert spread([chart.to_home(affine.to_home(found.params)), bare.params]) < 1e-10


# -- edges, misuse, a user's own


@pytest.mark.parametrize(("first", "second"), list(combinations(MOVES.names(), 2))[:5])
def test_moves_begin_at_the_point_with_the_velocity_given(first: str, second: str) -> None:
    objective = heights("log_sd")
    point = objective.evaluate(GAUSSIAN.from_home(FAR, "log_sd"), LOGLIK | SCORE | METRIC)
    vector = point.natural_gradient

    def turn(params: np.ndarray) -> np.ndarray:
        return objective.evaluate(params, LOGLIK | SCORE | METRIC).natural_gradient

    for name in (first, second):
        move, h = MOVES.make(name, GAUSSIAN), 1e-6
        arguments = (turn,) if isinstance(move, Move) else ()
        moved = [move(objective, point, vector, t, *arguments) for t in (h, 1e-15)]
        np.testing.assert_allclose((moved[0] - point.params) / h, vector, rtol=1e-4)
        np.testing.assert_allclose(moved[1], point.params, rtol=1e-12)


@pytest.mark.parametrize("name", MOVES.names())
def test_a_move_that_leaves_the_domain_is_shortened(name: str) -> None:
    move, objective = MOVES.make(name, Poisson()), distribution(Poisson(), np.array([0.0, 1.0, 0.0, 2.0]))
    found = run(natural_gradient(Backtracking(step=64.0), move=move), objective, np.array([9.0]), max_iterations=1)
    assert found.record[0].step < 64.0
    assert found.point.loglik > found.record[0].loglik
    found = run(natural_gradient(move=move), objective, found.params)
    assert found.converged, found.reason
    assert found.params[0] == pytest.approx(0.75, abs=1e-6)


def test_a_geodesic_ends_with_its_domain() -> None:
    for family, start, down in ((Poisson(), [0.3], [-1.0]), (Categorical(3), [0.2, 0.3], [-1.0, 0.2])):
        closed = family.fisher_rao_geodesic(np.array(start), np.array(down), 50.0)
        assert np.isnan(closed).all()
        assert np.isnan(Geodesic(metric_of(family), np.array(start), np.array(down))(50.0)).all()


def test_misuse_is_explained() -> None:
    point = Point(np.array([2.0]), {"loglik": 0.0})
    held = ParametrizedObjective(heights(), Fixed(["mean", "variance"], {"variance": 2.0}))
    with pytest.raises(ValueError, match="as many of them as the model has parameters"):
        run(natural_gradient(move=e_geodesic(GAUSSIAN)), held, np.array([1.0]))
    with pytest.raises(ValueError, match="use fisher_rao\\(\\) without a family"):
        run(natural_gradient(move=fisher_rao(Poisson())), PROBLEMS["poisson glm"].objective, np.zeros(3))
    for geodesic in (e_geodesic, m_geodesic):
        with pytest.raises(ValueError, match="of an exponential family"):
            geodesic(object())
    with pytest.raises(ValueError, match="pass turn="):
        midpoint(None, point, np.ones(1), 0.5)
    with pytest.raises(ValueError, match="pass family="):
        MOVES.make("e_geodesic")
    with pytest.raises(ValueError, match="rtol must lie between"):
        fisher_rao(rtol=0.0)


def test_a_users_move_is_entered_once_and_found_by_name() -> None:
    @MOVES.register("through_logs")
    def through_logs() -> Any:
        return lambda objective, point, vector, t: point.params * np.exp(t * vector / point.params)

    try:
        there = straight_in(Log(["log_rate"]))
        point = Point(np.array([2.0]), {"loglik": 0.0})
        own = MOVES.make("through_logs")
        assert own(None, point, np.ones(1), 0.3) == pytest.approx(there(None, point, np.ones(1), 0.3), rel=1e-14)
        y = np.array([1.0, 4.0, 2.0])
        found = run(Optimizer(NaturalGradient(), kl_ball(0.1).step, own), distribution(Exponential(), y), np.ones(1))
        assert found.params == pytest.approx(3.0 / 7.0, rel=1e-9)
    finally:
        MOVES.unregister("through_logs")
