"""What the laws of optimizers share: problems in coordinates of one standard error, and runs of a few steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import natfit as nf
from natfit.data.arrays import ArraySource
from natfit.data.block import Block
from natfit.families import Gamma, Gaussian
from natfit.likelihoods.distribution import DistributionLikelihood
from natfit.optimize import (
    Decrement,
    Direction,
    FixedStep,
    LikelihoodObjective,
    NaturalGradient,
    Optimizer,
    ParametrizedObjective,
    maximize,
    run,
)
from natfit.parametrizations import Affine

GAUSSIAN = Gaussian()
CURVED = ("variance", "precision", "log_sd", "natural", "mean")
"""Parametrizations of the Gaussian, the first of them its home."""
HEIGHTS = np.random.default_rng(3).normal(1.0, 2.0, 60)
FAR = np.array([3.0, 9.0])
"""Mean and variance five standard errors from the maximum."""


class Problem(NamedTuple):
    """An objective whose maximum lies at 0 with the unit matrix as information, so that a unit gradient step suits it."""

    objective: Any
    start: np.ndarray
    family: Any


def distribution(family: Any, y: np.ndarray) -> LikelihoodObjective:
    return LikelihoodObjective(DistributionLikelihood(family), ArraySource(Block({}, {"y": y})))


def heights(parametrization: str = "variance") -> ParametrizedObjective:
    return ParametrizedObjective(distribution(GAUSSIAN, HEIGHTS), GAUSSIAN.parametrization(parametrization))


def whitened(objective: Any, start: np.ndarray, family: Any) -> Problem:
    best = maximize(objective, start, stop=Decrement(1e-20))
    root = np.linalg.cholesky(best.point.metric.inverse())
    size = best.params.size
    there = ParametrizedObjective(objective, Affine(root, best.params))
    return Problem(there, np.array([1.0, -0.7, 0.4])[:size], family)


def counts() -> LikelihoodObjective:
    rng = np.random.default_rng(11)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 2))])
    y = rng.poisson(np.exp(X @ [1.0, 0.4, -0.3])).astype(float)
    model = nf.GLM(y, X, family="poisson")
    return LikelihoodObjective(model.likelihood(), model.source)


PROBLEMS = {
    "gaussian": whitened(distribution(GAUSSIAN, HEIGHTS), FAR, GAUSSIAN),
    "gamma": whitened(distribution(Gamma(), np.random.default_rng(5).gamma(2.0, 0.7, 80)), np.ones(2), Gamma()),
    "poisson glm": whitened(counts(), np.zeros(3), None),
}


def steps(move: Any, n: int, horizon: float, parametrization: str, direction: Direction | None = None) -> np.ndarray:
    """Return home parameters after n fixed steps of horizon / n from ``FAR``."""
    chart = GAUSSIAN.parametrization(parametrization)
    optimizer = Optimizer(direction or NaturalGradient(), FixedStep(horizon / n), move)
    found = run(optimizer, heights(parametrization), chart.from_home(FAR), stop=Decrement(1e-300), max_iterations=n)
    assert len(found.record) == n, found.reason
    return chart.to_home(found.params)


def spread(ends: list[np.ndarray]) -> float:
    """Return the largest distance between distributions, in standard errors at the maximum."""
    points = np.array(ends)
    fisher = HEIGHTS.size * GAUSSIAN.fisher(GAUSSIAN.mle(HEIGHTS))
    apart = points[:, None] - points[None]
    return float(np.sqrt(np.einsum("abi,ij,abj->ab", apart, fisher, apart).max()))
