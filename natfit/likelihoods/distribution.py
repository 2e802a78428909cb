"""The likelihood of one distribution for all rows: stateless row mathematics -> Sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.families.base import ExponentialFamily
from natfit.families.curvature import home_observed, total_score
from natfit.families.expectation import expectation
from natfit.families.family import Family
from natfit.likelihoods.layout import Layout
from natfit.likelihoods.sums import Sums, outside
from natfit.metric import Gram, Metric, Triangular
from natfit.need import FACTOR, LOGLIK, MEAT, METRIC, OBSERVED, SCORE

Array = np.ndarray[Any, np.dtype[Any]]


class DistributionLikelihood:
    """Independent observations of one distribution, with the family's home parameters as parameters.

    The log-likelihood is the full, normalised one; the expected information is n times that of one observation.
    A block carries the observations in column ``y``, (n, *event), and may carry ``freq_weights``: a row of frequency f
    stands for f rows.

    Parameters
    ----------
    family : Family
        Exponential or not: what it needs of it are log-density, score and Fisher information. The observations must lie
        in its support; that is checked before a fit, not here.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Poisson
    >>> from natfit.need import ALL
    >>> block = Block({}, {"y": np.array([1.0, 3.0])})
    >>> sums = DistributionLikelihood(Poisson()).evaluate(np.array([1.0]), block, ALL)
    >>> sums["score"], sums["metric"].matrix
    (array([2.]), array([[2.]]))
    """

    def __init__(self, family: Family):
        self.family = family
        self.layout = Layout({"distribution": family.parameter_names})
        self.observed_is_expected = isinstance(family, ExponentialFamily)
        """Whether both informations are one matrix at the maximum of the likelihood."""
        if hasattr(family, "home_kl") or not family.support.event_shape:
            self.kl = self._divergence  # absent where a family of vectors offers none
        own = type(family).home_log_prob
        self._by_statistics = isinstance(family, ExponentialFamily) and own is ExponentialFamily.home_log_prob

    def evaluate(self, params: Array, block: Block, need: int) -> Sums:
        """Return the Sums of a block that ``need`` asks for; ``loglik`` is -inf outside the domain.

        Where the information under- or overflows the parameters count as outside: no step could be made from there.
        """
        family, y, freq = self.family, block.columns["y"], block.columns.get("freq_weights")
        with np.errstate(all="ignore"):
            if not np.all(family.contains(params)):
                return outside(self.layout.size, need, True)
            sums = Sums()
            if need & LOGLIK:
                sums["loglik"] = self._loglik(params, block)
                if not np.isfinite(sums["loglik"]):
                    return outside(self.layout.size, need, True)
            if need & SCORE:
                sums["score"] = total_score(family, y, freq, params)
            if need & METRIC:
                fisher = family.home_fisher(params)
                if not (np.isfinite(fisher).all() and (fisher.diagonal() > 0.0).all()):
                    return outside(self.layout.size, need, True)
                sums["metric"] = _held(fisher, self.count(block), need)
            if need & OBSERVED:
                sums["observed"] = Gram(home_observed(family, y, freq, params))
            if need & MEAT:
                each = family.home_score(y, params)
                sums["meat"] = Gram(each.T @ each if freq is None else (each.T * freq) @ each)
        return sums

    @staticmethod
    def count(block: Block) -> float:
        """Return the number of observations that a block stands for."""
        freq = block.columns.get("freq_weights")
        return float(block.n_rows if freq is None else freq.sum())

    def statistics(self, block: Block) -> Sums:
        """Return the sum ``statistics`` of an exponential family's sufficient statistics, (k,), and their ``count``."""
        assert isinstance(self.family, ExponentialFamily)
        return Sums(statistics=self._total(block), count=self.count(block))

    def _total(self, block: Block) -> Array:
        rows = self.family.sufficient_statistics(block.columns["y"])  # type: ignore[attr-defined]
        freq = block.columns.get("freq_weights")
        return rows.sum(axis=0) if freq is None else freq @ rows

    def _loglik(self, params: Array, block: Block) -> float:
        y, freq = block.columns["y"], block.columns.get("freq_weights")
        if not self._by_statistics:
            each = self.family.home_log_prob(y, params)
            return float(each.sum() if freq is None else freq @ each)
        family: Any = self.family
        eta = family.natural_from_home(params)
        base = family.log_base_measure(y)
        free = float(base.sum() if freq is None else freq @ base)
        return free + float(self._total(block) @ eta - self.count(block) * family.log_partition(eta))

    def _divergence(self, params0: Array, params1: Array, block: Block) -> Sums:
        """Return ``kl``, the divergence of the block's law at params1 from that at params0, in nats.

        Closed for exponential families, a sum or a quadrature for others; infinite outside the domain.
        """
        family: Any = self.family
        if not np.all(family.contains(params1)):
            return Sums(kl=np.inf)
        if hasattr(family, "home_kl"):
            each = family.home_kl(params0, params1)
        else:
            each = expectation(
                family, lambda y: family.home_log_prob(y, params0) - family.home_log_prob(y, params1), params0
            )
        return Sums(kl=self.count(block) * float(each))


def _held(fisher: Array, count: float, need: int) -> Metric:
    """Return ``count`` times the information of one observation, as a matrix or as a triangular factor."""
    if not need & FACTOR:
        return Gram(count * fisher)
    scale = np.sqrt(fisher.diagonal())
    values, vectors = np.linalg.eigh(fisher / scale / scale[:, None])
    root = np.sqrt(np.maximum(count * values, 0.0))
    return Triangular.from_rows(root[:, None] * vectors.T * scale)
