"""Laws of scipy's methods as optimizers: the same maximum, the same record, and no claim that is not earned."""

from __future__ import annotations

import numpy as np
import pytest
from optimizer_cases import CURVED, FAR, GAUSSIAN, PROBLEMS, heights

from natfit.need import LOGLIK, METRIC, SCORE
from natfit.optimize import Decrement, run, scipy_method
from natfit.optimize.scipy_methods import METHODS


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("method", METHODS)
def test_methods_of_scipy_reach_the_same_maximum(method: str, problem: str) -> None:
    objective, start, _ = PROBLEMS[problem]
    found = run(scipy_method(method), objective, start, stop=Decrement(1e-8), max_iterations=300)
    assert found.converged, found.reason
    assert found.reason == "the decrement fell below 1e-08"
    np.testing.assert_allclose(found.params, 0.0, atol=2e-4)
    passes = [row.passes for row in found.record]
    assert passes == sorted(passes)
    assert len(found.record) - 1 <= passes[-1]
    assert [row.decrement < 1e-8 for row in found.record] == [False] * (len(found.record) - 1) + [True]
    assert found.record[-1].loglik == found.point.loglik


def test_watching_a_method_costs_it_no_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    objective, needs = heights("log_sd"), []
    evaluate = objective.evaluate
    monkeypatch.setattr(objective, "evaluate", lambda params, need: (needs.append(need), evaluate(params, need))[1])
    found = run(scipy_method("BFGS"), objective, np.array([3.0, 1.0]))
    assert found.record[-1].passes == needs.count(LOGLIK | SCORE)
    assert len(found.record) == needs.count(LOGLIK | SCORE | METRIC)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("parametrization", CURVED)
def test_methods_of_scipy_never_raise_nor_claim_too_much(method: str, parametrization: str) -> None:
    chart = GAUSSIAN.parametrization(parametrization)
    found = run(scipy_method(method), heights(parametrization), chart.from_home(FAR), max_iterations=40)
    assert len(found.record) <= 41
    assert found.converged == (found.decrement < 1e-12), found.reason
    assert np.isfinite(found.point.loglik)
