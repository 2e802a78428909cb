"""Laws of accelerated scoring: GMRES on a quadratic, the same optimum, no step downhill."""

import numpy as np
import pytest

import natfit as nf
from natfit.metric import Gram
from natfit.models.bias_reduction import AdjustedObjective
from natfit.optimize import Backtracking, Decrement, Optimizer, Point, natural_gradient
from natfit.optimize.anderson import Accelerated


class Quadratic:
    """-(x - c)'H(x - c) / 2, with a metric that is not H."""

    passes = 0

    def __init__(self, size):
        rng = np.random.default_rng(size)
        root = rng.normal(size=(size, size))
        self.hessian = root @ root.T + np.eye(size)
        self.metric = np.diag(self.hessian.diagonal()) * 3.0
        self.centre = rng.normal(size=size)

    def evaluate(self, params, need):
        self.passes += 1
        away = params - self.centre
        score = -self.hessian @ away
        return Point(params, {"loglik": 0.5 * float(away @ score), "score": score, "metric": Gram(self.metric)})


@pytest.mark.parametrize("size", [1, 3, 6])
def test_a_quadratic_takes_as_many_steps_as_coordinates(size):
    objective = Quadratic(size)
    optimizer = Optimizer(Accelerated(), Backtracking(), name="accelerated scoring")
    outcome = optimizer.run(objective, np.zeros(size), stop=Decrement(1e-16))
    assert outcome.converged
    assert len(outcome.record) <= size + 3
    np.testing.assert_allclose(outcome.params, objective.centre, atol=1e-7)


def test_it_saves_steps_and_never_falls():
    iris = nf.datasets.load("iris")
    model = nf.GLM.from_formula("I(Species == 'setosa') ~ Q('Sepal.Length')", iris, family="binomial", link="cloglog")
    objective = AdjustedObjective(model.likelihood(), model.source, np.ones(2, dtype=bool), "firth")
    steps = {}
    for name, optimizer in (
        ("plain", natural_gradient()),
        ("accelerated", Optimizer(Accelerated(), Backtracking())),
    ):
        outcome = optimizer.run(objective, np.zeros(2), stop=Decrement(1e-18))
        assert outcome.converged
        values = [row.loglik for row in outcome.record]
        assert np.all(np.diff(values) > -1e-9 * abs(values[-1]))
        steps[name] = (len(values), outcome.params)
    assert steps["accelerated"][0] < steps["plain"][0]
    np.testing.assert_allclose(steps["accelerated"][1], steps["plain"][1], rtol=1e-7)


def test_a_memory_of_nothing_is_refused():
    with pytest.raises(ValueError, match="memory must be a whole number"):
        Accelerated(memory=0)
