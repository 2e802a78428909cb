"""What a pass at the estimates tells of how well Wald's straight line describes the likelihood of each coefficient."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.likelihoods.bias import weight_slope
from natfit.likelihoods.glm import GLMLikelihood
from natfit.likelihoods.sums import Sums

Array = np.ndarray[Any, np.dtype[Any]]


def wald_sums(likelihood: GLMLikelihood, params: Array, block: Block, inverse: Array, width: Array) -> Sums:
    """Return, for each of p coefficients, how its variance bends and the log-likelihood at its Wald limits.

    Parameters
    ----------
    likelihood : GLMLikelihood
    params : (p,) ndarray
    block : Block
    inverse : (p, p) ndarray
        F^-1 at unit dispersion, 0 in the rows and columns of aliased coefficients.
    width : (p,) ndarray
        From the estimate to the Wald limit; of size 0 where no log-likelihood at the limits is wanted.

    Returns
    -------
    Sums
        ``bend``: d (F^-1)_jj / d beta_j = - sum_i W_i' x_ij (x_i'F^-1 e_j)^2. ``lower`` and ``upper``: the log-likelihood
        (kernel, at unit dispersion) at the Wald limits of coefficient j, the others moved along the natural gradient:
        params -+ width_j F^-1 e_j / (F^-1)_jj. That is the profile's tangent, and no fit.
    """
    with np.errstate(all="ignore"):
        rows = likelihood.rows(params, block)
        size = inverse.shape[0]
        if rows is None:
            lost = np.full(size, np.nan)
            return Sums(bend=lost, lower=lost.copy(), upper=lost.copy())
        y, weight = block.columns["y"], block.columns.get("weight")
        X = block.designs["mean"].dense()
        moves = X @ inverse
        bend = -(weight_slope(likelihood, rows, weight) @ (X * moves**2))
        ends = np.full((2, size), np.nan)
        for j in range(size if width.size else 0):
            step = moves[:, j] * (width[j] / inverse[j, j])
            ends[0, j] = loglik_at(likelihood, rows.eta - step, y, weight)
            ends[1, j] = loglik_at(likelihood, rows.eta + step, y, weight)
    return Sums(bend=bend, lower=ends[0], upper=ends[1])


def loglik_at(likelihood: GLMLikelihood, eta: Array, y: Array, weight: Array | None) -> float:
    """Return the log-likelihood (kernel, at unit dispersion) of rows at linear predictors; -inf outside the domain."""
    mu, complement, _ = likelihood.link.mean(eta)
    family = likelihood.family
    if not family.mean_domain.holds_all(mu) and not family.inside(mu, complement):
        return -np.inf
    if likelihood.canonical:
        kernel = family.canonical_kernel(y, eta, mu)
    else:
        kernel = family.kernel(y, mu, likelihood.link.complement(eta, mu) if complement is None else complement)
    total = float(kernel.sum() if weight is None else kernel @ weight)
    return total if np.isfinite(total) else -np.inf
