"""Fits of a model with something changed: what profiles, bootstraps, dropped terms and the null model stand on.

A result reaches this through its model, ``fit.model.refit(fit, ...)``, so that results never import models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.matrix import Chosen, Columns
from natfit.metric import SingularMetric
from natfit.models.bias_reduction import DIGITS, Reduction
from natfit.models.data import GLMData
from natfit.models.fitting import Settings
from natfit.models.starting import Start
from natfit.optimize.loop import OutsideDomain
from natfit.optimize.stopping import Decrement
from natfit.results.glm import GLMResults

if TYPE_CHECKING:
    from natfit.models.glm import GLM

Array = np.ndarray[Any, np.dtype[Any]]


def refit(
    model: GLM,
    fit: GLMResults,
    *,
    columns: Sequence[int] | Array | None = None,
    design: Columns | None = None,
    names: Sequence[str] | None = None,
    y: Array | None = None,
    freq_weights: Array | None = None,
    family: Any = None,
    start: Array | None = None,
    reduce_bias: bool = True,
    nearby: bool = False,
    n_jobs: int | None = None,
) -> GLMResults:
    """Fit a model again, with the data shared and something changed; nothing is warned of, the result says it.

    Parameters
    ----------
    model : GLM
    fit : GLMResults
        A fit of ``model``: its dispersion, as asked for, is the new fit's.
    columns : sequence of int, optional
        Keep only these columns of the design, in this order; a view, no copy.
    design, names : optional
        Another design for the same rows.
    y, freq_weights : (n,) ndarray, optional
        Another response, other frequencies.
    family : Response, optional
        Instead of the model's own: ``fit.family`` holds what the fit estimated, such as alpha.
    start : (p,) ndarray, optional
        Coefficients to start from.
    reduce_bias : bool
        Whether to reduce bias as ``fit`` did.
    nearby : bool
        Whether rows and response alone are changed, and little, as a bootstrap does: the fit then begins at the estimates of
        ``fit`` and takes its columns to be as independent as they were there, which spares the first pass. Where that leads
        to no maximum the fit is made anew, from its own start.
    n_jobs : int, optional
        Threads; as the model has them by default.
    """
    if fit.rows_removed:
        raise ValueError("a refit needs the rows of this fit, which remove_data() has removed; fit the model again")
    if getattr(fit, "constraints", None) is not None and design is None:
        raise NotImplementedError(
            "a refit would lose the constraints of this fit; ask fit.results_constrained, the fit of its free coefficients"
        )
    data = model.data
    if columns is not None:
        data = choose(data, np.asarray(columns, dtype=int))
    if design is not None:
        data = data.changed(design=design, names=list(names or ()), labels=None, frozen=None, chosen=None, terms=[])
    if y is not None:
        data = data.changed(y=y)
    if freq_weights is not None:
        data = data.changed(freq_weights=freq_weights)
    other = type(model).__new__(type(model))
    other._bind(
        data,
        model.family if family is None else family,
        model.link,
        fit.dispersion,
        model.n_jobs if n_jobs is None else n_jobs,
    )
    settings = Settings(start_params=start)
    if reduce_bias and fit.bias_reduction is not None:
        reduction = Reduction(fit.bias_reduction, fit.dispersion)
        settings = Settings(start_params=start, stop=Decrement(DIGITS), reduction=reduction)
    found = _run_nearby(other, fit, settings) if nearby and fit.fitted.kept.all() else None
    fitted, estimated, shape = found or other._run(settings, None)
    other._rank = int(fitted.kept.sum())
    return GLMResults(other, fitted, estimated, fit.dispersion, fit._cov_kind, fit.use_t, shape)


def _run_nearby(model: GLM, fit: GLMResults, settings: Settings) -> Any:
    """Return what is found from the estimates of another fit, or None where that is no maximum."""
    units = fit.fitted.metric.matrix_form().diagonal()
    first = Start(fit.fitted.params, units, ~fit.fitted.kept, None)
    try:
        found = model._run(replace(settings, start_params=fit.fitted.params, first=first), None)
    except (OutsideDomain, SingularMetric):
        return None
    return found if found[0].converged else None


def choose(data: GLMData, columns: Array) -> GLMData:
    """Return the data with some of the design's columns, by their numbers."""
    numbers = columns.tolist()
    return data.changed(
        design=Chosen(data.design, columns),
        names=[data.names[j] for j in numbers],
        labels=None if data.labels is None else [data.labels[j] for j in numbers],
        chosen=numbers if data.chosen is None else [data.chosen[j] for j in numbers],
    )
