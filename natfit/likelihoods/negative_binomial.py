"""The negative binomial with its alpha as a parameter beside the coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.matrix import Constant
from natfit.families.links import Link
from natfit.families.negative_binomial import NegativeBinomial
from natfit.likelihoods import assemble
from natfit.likelihoods.glm import GLMLikelihood
from natfit.likelihoods.layout import Layout
from natfit.likelihoods.sums import Sums, outside
from natfit.need import LOGLIK, MEAT, METRIC, OBSERVED, SCORE

Array = np.ndarray[Any, np.dtype[Any]]


class NegativeBinomialLikelihood:
    """Negative binomial counts with parameters (beta, alpha): Var[y] = mu + alpha mu^2, alpha greater than 0.

    Mean and alpha are orthogonal, so the expected information is block diagonal. Its alpha block has no closed form; the
    sum of squared scores, which has the same expectation, stands in for it.

    Parameters
    ----------
    link : Link
    names : sequence of str
        Of the coefficients; ``alpha`` follows them.

    Notes
    -----
    Lawless (1987), Canadian Journal of Statistics 15.
    """

    def __init__(self, link: Link, names: Sequence[str]):
        self.link = link
        self.layout = Layout({"mean": names, "alpha": ["alpha"]})
        self._names = names

    def at(self, alpha: float) -> GLMLikelihood:
        """Return the likelihood of the coefficients alone, alpha held."""
        return GLMLikelihood(NegativeBinomial(alpha), self.link, self._names)

    def evaluate(self, params: Array, block: Block, need: int) -> Sums:
        """Return the Sums of a block that ``need`` asks for; ``loglik`` is -inf outside the domain."""
        alpha = float(params[-1])
        if not 0.0 < alpha < np.inf:
            return outside(self.layout.size, need & ~MEAT)
        mean = self.at(alpha)
        with np.errstate(all="ignore"):
            rows = mean.rows(params[:-1], block)
            if rows is None:
                return outside(self.layout.size, need & ~MEAT)
            terms = mean.family.alpha_terms(block.columns["y"], rows.mu, alpha)  # type: ignore[attr-defined]
            weight = block.columns.get("weight")
            loglik, slope, bend, mixed = terms if weight is None else (term * weight for term in terms)
            sums = Sums()
            if need & LOGLIK:
                total = float(loglik.sum())
                sums["loglik"] = total if np.isfinite(total) else -np.inf
            designs = (block.designs["mean"], Constant(block.n_rows))
            first, expected = mean.derivatives(rows, weight)
            if need & SCORE:
                sums["score"] = assemble.score(designs, (first, slope))
            if need & METRIC:
                squared = slope * terms[1]
                sums["metric"] = assemble.information(designs, {(0, 0): expected, (1, 1): squared})
            if need & OBSERVED:
                observed = mean.observed(rows, expected, weight)
                weights = {(0, 0): observed, (0, 1): mixed * rows.slope, (1, 1): bend}
                sums["observed"] = assemble.information(designs, weights)
        return sums

    def alpha_score_at_zero(self, params: Array, block: Block) -> Sums:
        """Return d loglik / d alpha at alpha = 0, the Poisson: half the sum of (y - mu)^2 - y."""
        poisson = self.at(0.0)
        rows = poisson.rows(params, block)
        if rows is None:
            return Sums(slope=np.nan, spread=np.nan)
        each = rows.residual**2 - block.columns["y"]
        weight = block.columns.get("weight")
        squared = rows.mu**2
        if weight is not None:
            each, squared = each * weight, squared * weight
        return Sums(slope=0.5 * float(each.sum()), spread=float(squared.sum()))
