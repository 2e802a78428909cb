"""The four exchanges of the design: optimizer, parametrization, source, likelihood, each without the others noticing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import natfit as nf
from natfit.data.arrays import ArraySource, BlockSource
from natfit.data.block import Block
from natfit.data.matrix import Dense
from natfit.likelihoods.sums import Sums
from natfit.metric import Gram
from natfit.need import LOGLIK, METRIC, OBSERVED, SCORE
from natfit.optimize import (
    Decrement,
    Gradient,
    LikelihoodObjective,
    NaturalGradient,
    ParametrizedObjective,
    gradient_descent,
    maximize,
)
from natfit.optimize.steps import Backtracking
from natfit.parametrizations import Affine, from_function


@pytest.fixture(scope="module")
def model() -> nf.GLM:
    return nf.GLM.from_formula("sat ~ scale(width) + scale(weight)", nf.datasets.load("crabs"), family="poisson")


@pytest.fixture(scope="module")
def objective(model: nf.GLM) -> LikelihoodObjective:
    return LikelihoodObjective(model.likelihood(), model.source)


START = np.array([1.0, 0.0, 0.0])


def test_plain_gradient_descent_and_natural_gradient_reach_one_maximum(model: nf.GLM) -> None:
    natural = model.fit()
    plain = model.fit(optimizer=gradient_descent(), maxiter=2000)
    assert plain.converged
    assert len(plain.record) > 5 * len(natural.record)
    np.testing.assert_allclose(plain.params, natural.params, atol=2e-6 * natural.bse.max())
    np.testing.assert_allclose(plain.bse, natural.bse, rtol=1e-5)
    assert plain.llf == pytest.approx(natural.llf, abs=1e-9)


def test_direction_and_step_are_exchanged_apart(objective: LikelihoodObjective) -> None:
    best = maximize(objective, START)
    for direction in (NaturalGradient("observed"), NaturalGradient("expected", damping=0.1)):
        other = maximize(objective, START, direction, Backtracking(step=0.9), stop=Decrement(1e-18), max_iterations=400)
        np.testing.assert_allclose(other.params, best.params, atol=1e-8)


def test_affine_and_curved_parametrizations_reach_one_maximum(objective: LikelihoodObjective) -> None:
    home = maximize(objective, START)
    matrix = np.array([[2.0, 1.0, 0.0], [0.0, 0.5, -1.0], [0.3, 0.0, 4.0]])
    affine = Affine(matrix, np.array([0.1, -0.2, 0.3]))
    curved = from_function(
        lambda xi: np.stack([xi[..., 0], np.sinh(xi[..., 1]), xi[..., 2] + 0.1 * xi[..., 1] ** 2], axis=-1),
        lambda theta: np.stack(
            [theta[..., 0], np.arcsinh(theta[..., 1]), theta[..., 2] - 0.1 * np.arcsinh(theta[..., 1]) ** 2], axis=-1
        ),
        names=["a", "b", "c"],
        at=[0.5, 0.2, -0.1],
    )
    for coordinates in (affine, curved):
        wrapped = ParametrizedObjective(objective, coordinates)
        there = maximize(wrapped, coordinates.from_home(START))
        assert there.converged
        np.testing.assert_allclose(coordinates.to_home(there.params), home.params, atol=1e-8)
        assert there.point.loglik == pytest.approx(home.point.loglik, abs=1e-9)


def test_affine_coordinates_take_the_very_same_path(objective: LikelihoodObjective) -> None:
    matrix = np.array([[2.0, 1.0, 0.0], [0.0, 0.5, -1.0], [0.3, 0.0, 4.0]])
    affine = Affine(matrix)
    home = maximize(objective, START).record
    there = maximize(ParametrizedObjective(objective, affine), affine.from_home(START)).record
    for ours, theirs in zip(home[:4], there[:4], strict=True):
        assert theirs.decrement == pytest.approx(ours.decrement, rel=1e-9)
        assert theirs.loglik == pytest.approx(ours.loglik, rel=1e-12)


def test_arrays_and_a_generator_of_blocks_give_one_answer(model: nf.GLM) -> None:
    whole = model.source.whole  # type: ignore[attr-defined]

    def blocks() -> Iterator[Block]:
        for start in range(0, whole.n_rows, 31):
            yield whole.rows(start, min(start + 31, whole.n_rows))

    likelihood = model.likelihood()
    in_memory = maximize(LikelihoodObjective(likelihood, model.source), START)
    streamed = maximize(LikelihoodObjective(likelihood, BlockSource(blocks)), START)
    np.testing.assert_allclose(streamed.params, in_memory.params, rtol=1e-12)


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_number_of_threads_changes_no_digit(order: str) -> None:
    rng = np.random.default_rng(7)
    X = np.asarray(rng.normal(size=(5_000, 4)), order=order)  # type: ignore[call-overload]
    y = rng.poisson(np.exp(0.3 * X[:, 0])).astype(float)
    whole = Block({"mean": Dense(X)}, {"y": y})
    likelihood = nf.GLM(y, X, family="poisson").likelihood()
    answers = []
    for jobs in (1, 2, 3):
        source = ArraySource(whole, n_jobs=jobs, block_rows=97)
        answers.append(maximize(LikelihoodObjective(likelihood, source), np.zeros(4)).params)
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[0], answers[2])


class CensoredExponential:
    """Lifetimes with rate exp(x'b), some of them only known to exceed the time that they were watched."""

    def evaluate(self, params: np.ndarray, block: Block, need: int) -> Sums:
        X, time, died = block.designs["rate"], block.columns["time"], block.columns["died"]
        eta = X.matvec(params)
        hazard = np.exp(eta) * time
        sums = Sums()
        if need & LOGLIK:
            sums["loglik"] = float((died * eta - hazard).sum())
        if need & SCORE:
            sums["score"] = X.rmatvec(died - hazard)
        if need & METRIC:
            sums["metric"] = Gram(X.gram(died))  # E[hazard] = P(died), of which died itself is an estimate
        if need & OBSERVED:
            sums["observed"] = Gram(X.gram(hazard))
        return sums


def test_a_second_likelihood_needs_nothing_of_the_optimizer_or_the_source() -> None:
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(400), rng.normal(size=400)])
    life = rng.exponential(np.exp(-X @ [0.5, -0.8]))
    watched = rng.uniform(0.2, 3.0, 400)
    columns = {"time": np.minimum(life, watched), "died": (life <= watched).astype(float)}
    source = ArraySource(Block({"rate": Dense(X)}, columns), block_rows=64)
    found = maximize(
        LikelihoodObjective(CensoredExponential(), source), np.zeros(2), NaturalGradient(finish="observed")
    )
    assert found.converged
    # The same likelihood is a Poisson regression of the deaths with the log time as offset.
    poisson = nf.GLM(columns["died"], X, family="poisson", exposure=columns["time"]).fit()
    np.testing.assert_allclose(found.params, poisson.params, atol=1e-9)


def test_a_gradient_needs_no_metric_of_the_likelihood() -> None:
    assert Gradient().need(None) == SCORE


@pytest.mark.parametrize("optimizer", ["natural_gradient", "kl_ball", nf.optimize.scipy_method("BFGS")], ids=str)
def test_a_model_takes_an_optimizer_by_name_or_from_scipy(model: nf.GLM, optimizer: object) -> None:
    fit = model.fit(optimizer=optimizer)
    assert fit.converged
    np.testing.assert_allclose(fit.params, model.fit().params, atol=2e-6 * fit.bse.max())


def test_a_metric_may_serve_several_steps() -> None:
    """A held metric changes the path and the cost of a pass, not the optimum, and is not what standard errors use."""
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(500), rng.normal(size=(500, 3))])
    model = nf.GLM(rng.poisson(np.exp(X @ [1.0, 0.5, -0.5, 0.3])).astype(float), X, family="poisson")
    plain = model.fit()
    needs: list[int] = []
    held = LikelihoodObjective(model.likelihood(), model.source)
    whole = held.evaluate

    def counted(params: np.ndarray, need: int) -> object:
        needs.append(need)
        return whole(params, need)

    held.evaluate = counted  # type: ignore[method-assign, assignment]
    found = maximize(held, np.zeros(4), NaturalGradient(refresh=5))
    assert found.converged
    np.testing.assert_allclose(found.params, plain.params, atol=1e-9)
    np.testing.assert_allclose(found.point.metric.inverse(), plain.cov_params(), rtol=1e-8)
    assert any(not need & METRIC for need in needs)
    stopped = maximize(held, np.zeros(4), NaturalGradient(refresh=5), max_iterations=2)
    np.testing.assert_allclose(
        stopped.point.metric.matrix_form(), whole(stopped.params, METRIC | LOGLIK).metric.matrix_form()
    )
