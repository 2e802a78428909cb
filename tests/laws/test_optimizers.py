"""Laws of directions, step rules and optimizers, over the registries: whatever is entered there is held to them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from optimizer_cases import CURVED, FAR, GAUSSIAN, HEIGHTS, PROBLEMS, counts, heights

import natfit as nf
from natfit import families
from natfit.data.block import Block
from natfit.data.matrix import Dense
from natfit.families import Gamma
from natfit.families.response import Response
from natfit.likelihoods.glm import GLMLikelihood
from natfit.metric import Gram
from natfit.need import LOGLIK, METRIC, OBSERVED, SCORE
from natfit.optimize import (
    DIRECTIONS,
    MOVES,
    OPTIMIZERS,
    STEP_RULES,
    Backtracking,
    Decrement,
    FixedStep,
    Gradient,
    KLBall,
    LikelihoodObjective,
    NaturalGradient,
    Optimizer,
    ParametrizedObjective,
    StepRule,
    gradient_descent,
    kl_ball,
    maximize,
    natural_gradient,
    run,
    scipy_method,
)
from natfit.optimize.ball import solve_for_kl
from natfit.parametrizations import Fixed

ALL_MOVES = [(name, problem) for name in MOVES.names() for problem in PROBLEMS]
FITTING = [
    (move, problem) for move, problem in ALL_MOVES if PROBLEMS[problem].family or move in MOVES.names(of_family=False)
]


def combined(direction: str, step: str, move: str, problem: str) -> Optimizer:
    return Optimizer(
        DIRECTIONS.make(direction), STEP_RULES.make(step), MOVES.make(move, PROBLEMS[problem].family), "combined"
    )


@pytest.mark.parametrize(("move", "problem"), FITTING)
@pytest.mark.parametrize("step", STEP_RULES.names())
@pytest.mark.parametrize("direction", DIRECTIONS.names())
def test_every_combination_reaches_the_same_maximum(direction: str, step: str, move: str, problem: str) -> None:
    objective, start, _ = PROBLEMS[problem]
    found = run(combined(direction, step, move, problem), objective, start, stop=Decrement(1e-12), max_iterations=200)
    assert found.converged, found.reason
    np.testing.assert_allclose(found.params, 0.0, atol=3e-6)  # in standard errors


@pytest.mark.parametrize("step", [Backtracking(), Backtracking(step=4.0, grow=2.0), KLBall(0.05), KLBall(20.0)])
@pytest.mark.parametrize("parametrization", CURVED)
@pytest.mark.parametrize("direction", DIRECTIONS.names(), ids=str)
def test_the_likelihood_never_falls(direction: str, parametrization: str, step: StepRule) -> None:
    start = GAUSSIAN.from_home(FAR, parametrization)
    found = maximize(heights(parametrization), start, DIRECTIONS.make(direction), step, max_iterations=60)
    loglik = np.array([row.loglik for row in found.record])
    assert loglik.size > 1 or "singular" in found.reason  # the observed information is indefinite far out
    assert np.all(np.diff(loglik) >= -1e-13 * np.abs(loglik[1:]))


# -- KL balls


def positions(objective: Any, start: np.ndarray, optimizer: Optimizer, n: int) -> list[np.ndarray]:
    """Return the parameters after 0, 1, ... n iterations."""
    never = Decrement(1e-300)
    return [start] + [run(optimizer, objective, start, stop=never, max_iterations=k + 1).params for k in range(n)]


@pytest.mark.parametrize("move", MOVES.names())
# Half the decrement is 14 nats here; the gradient turns so fast that its whole steps are far shorter.
@pytest.mark.parametrize(("direction", "radius"), [("gradient", 1e-3), ("natural_gradient", 0.3)])
@pytest.mark.parametrize("parametrization", CURVED)
def test_every_step_in_a_ball_moves_by_its_radius(
    parametrization: str, direction: str, radius: float, move: str
) -> None:
    chart = GAUSSIAN.parametrization(parametrization)
    optimizer = Optimizer(DIRECTIONS.make(direction), KLBall(radius), MOVES.make(move, GAUSSIAN))
    found = [chart.to_home(x) for x in positions(heights(parametrization), chart.from_home(FAR), optimizer, 3)]
    moved = [HEIGHTS.size * GAUSSIAN.kl(a, b) for a, b in pairwise(found)]
    np.testing.assert_allclose(moved, radius, rtol=1e-8)


def test_the_record_says_which_divergence_is_exact() -> None:
    exact = run(kl_ball(0.01), heights("log_sd"), GAUSSIAN.from_home(FAR, "log_sd"), max_iterations=3).record
    assert [row.kl_is_exact for row in exact] == [True] * 3
    np.testing.assert_allclose([row.kl for row in exact], 0.01, rtol=1e-10)
    plain = run(natural_gradient(), heights(), FAR, max_iterations=3).record
    assert not any(row.kl_is_exact for row in plain)
    assert plain[0].kl == pytest.approx(0.5 * plain[0].decrement, rel=1e-12)
    slow = run(gradient_descent(step=0.01), heights(), FAR, max_iterations=1).record[0]
    point = heights().evaluate(FAR, LOGLIK | SCORE | METRIC)
    assert slow.kl == pytest.approx(0.5e-4 * point.metric.quadratic(point.score), rel=1e-12)


class NoDivergence:
    """A likelihood that offers no KL divergence."""

    def __init__(self, likelihood: Any):
        self.evaluate = likelihood.evaluate


@pytest.mark.parametrize("parametrization", CURVED[:3])
def test_without_a_divergence_half_the_quadratic_form_stands_in(parametrization: str) -> None:
    inner = heights().objective
    chart = GAUSSIAN.parametrization(parametrization)
    home = LikelihoodObjective(NoDivergence(inner.likelihood), inner.source)
    objective = ParametrizedObjective(home, chart)
    assert not objective.kl_is_exact
    record = run(kl_ball(0.01), objective, chart.from_home(FAR), max_iterations=2).record
    assert [row.kl_is_exact for row in record] == [False] * 2
    np.testing.assert_allclose([row.kl for row in record], 0.01, rtol=1e-10)
    xi, other = chart.from_home(FAR), chart.from_home(FAR + 0.01)
    expected = 0.5 * objective.evaluate(xi, LOGLIK | METRIC).metric.quadratic(other - xi)
    assert objective.kl(xi, other) == pytest.approx(expected, rel=1e-12)
    assert heights(parametrization).kl(xi, other) == pytest.approx(expected, rel=0.02)


def test_near_the_optimum_a_ball_takes_whole_steps() -> None:
    free, ball = (run(each, counts(), np.array([1.0, 0.3, -0.3])) for each in (natural_gradient(), kl_ball(1e6)))
    assert [row.step for row in ball.record] == [row.step for row in free.record]
    np.testing.assert_array_equal(ball.params, free.params)


def test_a_free_dispersion_divides_the_divergence() -> None:
    rng = np.random.default_rng(8)
    X = np.column_stack([np.ones(50), rng.normal(size=50)])
    y = X @ [5.0, 2.0] + rng.normal(scale=30.0, size=50)
    model = nf.GLM(y, X, family="gaussian")
    objective = LikelihoodObjective(model.likelihood(), model.source, lambda sums: sums["pearson"] / 48)
    path = positions(objective, np.array([200.0, 90.0]), kl_ball(0.2), 2)
    for before, after in pairwise(path):
        variance = np.sum((y - X @ before) ** 2) / 48
        assert np.sum((X @ (after - before)) ** 2) / (2 * variance) == pytest.approx(0.2, rel=1e-8)


def test_where_the_domain_ends_inside_the_ball_the_step_stays_inside() -> None:
    t = solve_for_kl(lambda t: t * t if t < 0.3 else np.inf, 1.0, 1.4, 10.0)
    assert 0.29 < t < 0.3
    for radius in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="greater than 0"):
            KLBall(radius)


@pytest.mark.parametrize(
    "family", [f for f in families.registry.REGISTRY.examples() if isinstance(f, Response)], ids=repr
)
def test_the_divergence_of_a_glm_is_half_its_information_form_between_neighbours(family: Any) -> None:
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(30), rng.uniform(size=30)])
    likelihood = GLMLikelihood(family, family.resolve_link(), ["a", "b"])
    low, high = np.clip([family.mean_domain.low, family.mean_domain.high], -3.0, 3.0)
    ends = family.resolve_link()(np.array([low + 0.3 * (high - low), low + 0.6 * (high - low)]))
    params, move = np.array([ends[0], ends[1] - ends[0]]), np.array([0.3, -0.5]) * abs(ends[1] - ends[0])
    y = family.resolve_link().mean(X @ params)[0]
    block = Block({"mean": Dense(X)}, {"y": y, "weight": rng.uniform(0.5, 2.0, 30)})
    half = 0.5 * likelihood.evaluate(params, block, LOGLIK | METRIC)["metric"].quadratic(move)
    errors = [
        abs(likelihood.kl(params, params + h * move, block)["kl"] / (h * h * half) - 1.0) for h in (1e-1, 1e-2, 1e-4)
    ]
    assert errors[0] < 0.3
    assert errors[1] < max(0.13 * errors[0], 1e-9)
    assert errors[2] < max(2e-3 * errors[0], 1e-9)


# -- damping, divergence


def test_damping_shortens_and_turns_towards_the_scaled_gradient() -> None:
    point = heights("natural").evaluate(GAUSSIAN.from_home(FAR, "natural"), LOGLIK | SCORE | METRIC)
    fisher = point.metric.matrix_form()
    scaled = point.score / fisher.diagonal()

    def cosine(damping: float) -> float:
        vector = NaturalGradient(damping=damping)(heights("natural"), point, NaturalGradient().initial())[0].vector
        lengths.append(float(point.metric.quadratic(vector)))
        return float(vector @ fisher @ scaled / np.sqrt(lengths[-1] * point.metric.quadratic(scaled)))

    lengths: list[float] = []
    cosines = [cosine(damping) for damping in (0.0, 0.1, 1.0, 100.0)]
    assert lengths[0] == pytest.approx(point.decrement, rel=1e-12)
    assert np.all(np.diff(lengths) < 0.0)
    assert np.all(np.diff(cosines) > 0.0)
    assert cosines[-1] == pytest.approx(1.0, abs=1e-3)
    found = maximize(heights("log_sd"), GAUSSIAN.from_home(FAR, "log_sd"), NaturalGradient(damping=0.2))
    np.testing.assert_allclose(GAUSSIAN.to_home(found.params, "log_sd"), GAUSSIAN.mle(HEIGHTS), atol=1e-5)


@pytest.mark.parametrize("move", MOVES.names())
@pytest.mark.parametrize("parametrization", CURVED)
@pytest.mark.parametrize("step", [30.0, 1e3, 1e300])
def test_a_step_too_large_diverges_in_words(parametrization: str, move: str, step: float) -> None:
    start = GAUSSIAN.from_home(FAR, parametrization)
    found = run(gradient_descent(step, MOVES.make(move, GAUSSIAN)), heights(parametrization), start, max_iterations=30)
    assert not found.converged
    assert found.reason.startswith("diverged: a step of") or found.reason.startswith("no convergence")
    assert np.isfinite(found.point.loglik)
    assert found.record[-1].step == step


def test_a_gradient_step_too_large_for_a_glm_diverges_in_words() -> None:
    found = run(gradient_descent(step=100.0), counts(), np.zeros(3))
    assert (found.converged, found.reason) == (False, "diverged: a step of 100 led out of the domain")


# -- runs and registries


def test_runs_end_alike_and_ask_for_what_they_understand() -> None:
    objective, start, _ = PROBLEMS["poisson glm"]
    rows: list[Any] = []
    for name in OPTIMIZERS.names():
        short = run(name, objective, start, max_iterations=2, callback=rows.append)
        assert short.converged == (short.decrement < 1e-12)
        assert set(rows[-1]._fields) == set(short.record[0]._fields)
    assert run(NaturalGradient(), objective, start).converged
    assert run(Gradient(), objective, start).converged
    with pytest.raises(TypeError, match="an optimizer is"):
        run(3, objective, start)
    with pytest.raises(ValueError, match="unknown optimizer 'sgd'"):
        run("sgd", objective, start)
    with pytest.raises(ValueError, match="unknown method 'bogus'"):
        scipy_method("bogus")
    for optimizer in ("natural_gradient", "bfgs"):
        with pytest.raises(ValueError, match="outside the model's domain"):
            run(optimizer, heights(), np.array([0.0, -1.0]))


def test_optimizers_remember_nothing_from_one_run_to_the_next() -> None:
    optimizer = gradient_descent()
    first, second = (run(optimizer, heights("log_sd"), np.array([3.0, 2.0])).record for _ in range(2))
    assert [row[:6] for row in first] == [row[:6] for row in second]  # all but the time, passes included


def test_a_users_step_rule_is_entered_once_and_found_by_name() -> None:
    @STEP_RULES.register("shrinking")
    class Shrinking(StepRule):
        def propose(self, curve: Any) -> float:
            return 1.0 / (1.0 + np.sqrt(curve.decrement))

        def judge(self, curve: Any, trial: Any, step: float) -> float | None:
            return None if trial.inside else 0.5 * step

    try:
        assert "shrinking" in STEP_RULES.names()
        with pytest.raises(ValueError, match="already is a step rule"):
            STEP_RULES.register("shrinking", FixedStep)
        test_every_combination_reaches_the_same_maximum("natural_gradient", "shrinking", "straight", "gamma")
    finally:
        STEP_RULES.unregister("shrinking")


def test_a_submodel_has_its_own_divergence() -> None:
    held = ParametrizedObjective(heights("log_sd"), Fixed(["mean", "log_sd"], {"log_sd": 1.0}))
    found = run(kl_ball(0.05), held, np.array([9.0]), max_iterations=1)
    assert found.record[0].kl == pytest.approx(0.05, rel=1e-9)
    assert abs(found.params[0] - 9.0) == pytest.approx(np.exp(1.0) * np.sqrt(2 * 0.05 / HEIGHTS.size), rel=1e-9)


def test_gamma_is_fitted_from_far_in_small_balls() -> None:
    objective = PROBLEMS["gamma"].objective.objective
    found = run(kl_ball(2.0), objective, np.array([40.0, 0.1]), max_iterations=2000)
    assert found.converged
    y = next(objective.source.blocks()).columns["y"]
    np.testing.assert_allclose(found.params, Gamma().mle(y), rtol=1e-8)
    assert isinstance(found.point.metric, Gram)
    assert "observed" in objective.evaluate(found.params, LOGLIK | OBSERVED).sums
