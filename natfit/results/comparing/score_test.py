"""Rao's score test: what a larger model's score says at a smaller model's fit, without fitting the larger one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.arrays import ArraySource
from natfit.data.block import Block
from natfit.data.matrix import Columns
from natfit.metric import ILL_CONDITIONED, Metric
from natfit.need import FACTOR, LOGLIK, METRIC, OBSERVED, SCORE

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


def score_sums(fit: GLMResults, design: Columns, observed: bool = False) -> tuple[Array, Metric]:
    """Return the score and the information of a model with another design, at a fit's own means and unit dispersion.

    Parameters
    ----------
    fit : GLMResults
        The smaller model; its linear predictor is held as it is.
    design : Columns
        (n, p): the larger model's design on the same rows.
    observed : bool
        The observed information instead of the expected one.

    Returns
    -------
    score : (p,) ndarray
    information : Metric
    """
    data = fit.model.data
    likelihood = type(fit.likelihood)(fit.family, fit.link, [f"x{j}" for j in range(design.shape[1])])
    known = {"y": data.y, "offset": fit._eta, "weight": data.weight(), "freq_weights": data.freq_weights}
    block = Block({"mean": design}, {name: column for name, column in known.items() if column is not None})
    source, still = ArraySource(block, fit.model.n_jobs), np.zeros(design.shape[1])
    flag, name = (OBSERVED, "observed") if observed else (METRIC, "metric")
    sums = source.reduce(lambda rows: likelihood.evaluate(still, rows, LOGLIK | SCORE | flag))
    if not observed and sums["metric"].rcond() < ILL_CONDITIONED:
        sums = source.reduce(lambda rows: likelihood.evaluate(still, rows, LOGLIK | SCORE | METRIC | FACTOR))
    return sums["score"], sums[name]


def rao_statistic(score: Array, information: Metric, dispersion: float) -> float:
    """Return U' I^-1 U / dispersion: chi-squared in the limit, with as many degrees of freedom as restrictions.

    Parameters
    ----------
    score : (p,) ndarray
        The larger model's score at the smaller model's fit, at unit dispersion.
    information : Metric
        (p, p), at unit dispersion.
    dispersion : float

    Notes
    -----
    Rao (1948), Proc. Camb. Phil. Soc. 44, 50-57. With the expected information it is what R's ``anova(test="Rao")``
    computes from a weighted regression of the working residuals.

    Examples
    --------
    >>> from natfit.metric import Gram
    >>> rao_statistic(np.array([0.0, 2.0]), Gram(np.array([[2.0, 0.0], [0.0, 4.0]])), 1.0)
    1.0
    """
    return float(score @ information.solve(score)) / dispersion
