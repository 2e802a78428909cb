"""The acceleration of BCa intervals: a sixth of the skewness of what rows put into an estimate.

Efron (1987), JASA 82; for a parametric bootstrap, of the score in the estimate's least favourable direction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.groups import Grouping
from natfit.likelihoods import robust as kernels
from natfit.results import covariance as model_based

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


def of_coefficients(fit: GLMResults, kind: str, units: Grouping | None) -> Array:
    """Return the acceleration of each coefficient, (p,).

    By one-step deletion of each row, or cluster: F^-1 s / (1 - h) for a row with score s and leverage h, and F^-1 S for a
    cluster, with F the expected information. None is fitted again.
    """
    inverse = model_based.known(model_based.spread(fit, model_based.inverse(fit, fit.fitted.metric)))
    likelihood, params = fit.likelihood, fit._params_filled
    if kind == "cluster":
        assert units is not None
        source = fit.model.source.with_columns({"group": units.codes})
        moved = source.reduce(partial(kernels.group_scores, likelihood, params))["grouped"].total() @ inverse
        return skewness_over_six((moved**2).sum(axis=0), (moved**3).sum(axis=0))
    if kind == "parametric":
        sums = fit.model.source.reduce(partial(kernels.score_cumulants, likelihood, params, inverse))
        return skewness_over_six(sums["squares"], sums["cubes"]) * np.sqrt(fit.scale)
    sums = fit.model.source.reduce(partial(kernels.deletions, likelihood, params, inverse))
    return skewness_over_six(sums["squares"], sums["cubes"])


def of_jackknife(
    evaluate: Callable[[dict[str, Array]], Array], fit: GLMResults, units: Grouping | None, most: int
) -> Array:
    """Return the acceleration of any statistic, from fits without a part of the rows, or of the clusters, at a time.

    Parameters
    ----------
    evaluate : callable
        From what a refit is to change to the statistic.
    fit : GLMResults
    units : Grouping, optional
        Clusters that leave together.
    most : int
        Parts; with fewer rows or clusters than that each leaves alone.
    """
    data = fit.model.data
    codes = np.arange(data.n_rows) if units is None else units.codes
    parts = min(most, int(codes.max()) + 1)
    freq = np.ones(data.n_rows) if data.freq_weights is None else data.freq_weights
    values = np.array([evaluate({"freq_weights": np.where(codes % parts == part, 0.0, freq)}) for part in range(parts)])
    away = np.nanmean(values, axis=0) - values
    return skewness_over_six(np.nansum(away**2, axis=0), np.nansum(away**3, axis=0))


def skewness_over_six(squares: Array, cubes: Array) -> Array:
    """Return sum u^3 / (6 (sum u^2)^(3/2)); 0 where nothing varies.

    Examples
    --------
    >>> skewness_over_six(np.array([4.0, 0.0]), np.array([8.0, 0.0])).round(4)
    array([0.1667, 0.    ])
    """
    return np.divide(cubes, 6.0 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0.0)
