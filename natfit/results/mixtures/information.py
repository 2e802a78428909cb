"""The information that a fitted mixture's rows hold, summed in its free coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.families.curvature import nearby_bend
from natfit.likelihoods.sums import Sums
from natfit.metric import Gram, Metric
from natfit.need import LOGLIK, MEAT, OBSERVED, SCORE

Array = np.ndarray[Any, np.dtype[Any]]

FLAGS = {"observed": OBSERVED, "empirical": MEAT, "complete": 0}
NAMES = {"observed": "observed", "empirical": "meat", "complete": "complete"}


def information(fit: Any, kind: str) -> Metric:
    """Return an information in the free coordinates, with the coordinates' own bend where it is a Hessian.

    Parameters
    ----------
    fit : MixtureResults or MixtureRegressionResults
    kind : {"observed", "empirical", "complete"}

    Raises
    ------
    ValueError
        For another kind.
    """
    if kind not in FLAGS:
        raise ValueError(f"kind must be 'observed', 'empirical' or 'complete'; got {kind!r}")
    params, likelihood, chart = fit.base.params, fit.likelihood, fit._chart
    source = fit._rows.for_large_sums(8 * params.size**2)
    name = NAMES[kind]
    curved = chart is not None and kind != "empirical"
    need = FLAGS[kind] | (SCORE if curved else 0)
    xi: Any = None if chart is None else chart.from_home(params)
    jacobian: Any = None if chart is None else chart.jacobian(xi)

    def summed(block: Any) -> Sums:
        made = Sums()
        if kind == "complete" or curved:
            full = likelihood.complete_information(params, block)["complete"]
            if curved:
                made["spread"] = _diagonal(full, jacobian)
            if kind == "complete":
                made[name] = full if jacobian is None else full.pullback(jacobian)
            del full  # or two matrices would be held
        if need:
            sums = likelihood.evaluate(params, block, LOGLIK | need)
            if curved:
                made["score"] = sums["score"]
            if kind != "complete":
                made[name] = sums[name] if jacobian is None else sums[name].pullback(jacobian)
        return made

    sums = source.reduce(summed)
    if not curved:
        return sums[name]
    # Known labels tell at least as much as the rows do: the steps are shorter than a standard error, never longer.
    spread = sums["spread"] * fit.base.data.observations_per_weight
    scale = 1.0 / np.sqrt(np.maximum(spread, np.finfo(float).tiny))
    return Gram(sums[name].matrix - nearby_bend(chart, xi, sums["score"], scale))


def _diagonal(metric: Metric, jacobian: Array) -> Array:
    """Return the diagonal of the metric in coordinates."""
    return np.asarray((jacobian * (metric.matrix_form() @ jacobian)).sum(axis=0))
