"""What bias reduction needs of the rows of a GLM: how the working weights change along the predictor, and leverages.

The expected information is F = X'WX with working weights W = w mu'^2 / V, one for each row; q = x'F^-1 x is the variance
of a row's predictor at unit dispersion, and W q its leverage.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.matrix import Columns
from natfit.likelihoods import assemble
from natfit.likelihoods.glm import GLMLikelihood, Rows
from natfit.likelihoods.sums import Sums

Array = np.ndarray[Any, np.dtype[Any]]


def weight_slope(likelihood: GLMLikelihood, rows: Rows, weight: Array | None) -> Array:
    """Return dW / d eta of each row, w (2 mu' mu'' / V - mu'^3 V' / V^2)."""
    ratio = rows.slope / rows.variance
    each = 2.0 * likelihood.link.curvature(rows.eta, rows.mu, rows.slope)
    each = ratio * (each - rows.slope * ratio * likelihood.family.variance_derivative(rows.mu, rows.complement))
    return _counted(each, rows, weight)


def mean_bend(likelihood: GLMLikelihood, rows: Rows, weight: Array | None) -> Array:
    """Return W mu'' / mu' of each row, w mu' mu'' / V."""
    bend = likelihood.link.curvature(rows.eta, rows.mu, rows.slope)
    return _counted(rows.slope / rows.variance * bend, rows, weight)


def _counted(each: Array, rows: Rows, weight: Array | None) -> Array:
    if not np.isfinite(each.sum()):
        # Where mean and variance have both underflowed, so has the row's information, with all its derivatives.
        each = np.where(rows.variance > 0.0, each, 0.0)
    return each if weight is None else each * weight


ADJUSTMENTS = {"firth": weight_slope, "mean": mean_bend}
"""What a row's predictor variance is multiplied by, twice over, in its adjustment of the score."""


def adjustment(likelihood: GLMLikelihood, params: Array, block: Block, inverse: Array, kind: str) -> Sums:
    """Return ``adjustment``, what bias reduction adds to the score of the coefficients at unit dispersion.

    Parameters
    ----------
    likelihood : GLMLikelihood
    params : (p,) ndarray
    block : Block
    inverse : (p, p) ndarray
        F^-1 over all rows, 0 in the rows and columns of aliased coefficients.
    kind : {"firth", "mean"}
        "firth": X' q dW/deta / 2, the gradient of log det F / 2 (Jeffreys' prior). "mean": X' q W mu'' / (2 mu'), which
        takes the first-order bias off the estimates. Under a canonical link the two are one.

    Notes
    -----
    Firth (1993), Biometrika 80; Kosmidis & Firth (2009), Biometrika 96, section 4.
    """
    with np.errstate(all="ignore"):
        rows = likelihood.rows(params, block)
        if rows is None:
            return Sums(adjustment=np.full(likelihood.layout.size, np.nan))
        design = block.designs["mean"]
        each = 0.5 * predictor_variance(design, inverse)
        each *= ADJUSTMENTS[kind](likelihood, rows, block.columns.get("weight"))
        return Sums(adjustment=assemble.score((design,), (each,)))


def predictor_variance(design: Columns, inverse: Array) -> Array:
    """Return q = x'F^-1 x of each row, (n,)."""
    rows = design.dense()
    return np.einsum("ij,ij->i", rows @ inverse, rows)
