"""Which covariance the estimates of a distributional fit are asked for, and the rows' scores that sandwiches need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.cov_type import CovarianceType, read

if TYPE_CHECKING:
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]


def read_covariance(cov_type: Any, cov_kwds: Any = None, data: Any = None) -> CovarianceType:
    """Return the covariance that is asked for; those that need a row's leverage are for GLMs."""
    wanted = read(cov_type, cov_kwds, data)
    if wanted.kind in ("hc2", "hc3"):
        raise ValueError(
            f"cov_type={wanted.name!r} needs leverages, which are a GLM's; choose HC0, HC1 or 'cluster' for a regression "
            "with several predictors"
        )
    return wanted


class FreeScores:
    """The likelihood's row-wise scores in the free coefficients, for sandwiches."""

    def __init__(self, fit: DistributionalResults):
        self._fit = fit

    def score_rows(self, params: Array, block: Any) -> Array:
        fit = self._fit
        return fit.model.likelihood.score_rows(fit.coefficients, block) @ fit.model.constraints.tie.matrix
