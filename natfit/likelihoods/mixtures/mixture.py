"""The likelihood of a finite mixture: stateless row mathematics -> Sums."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from natfit.data.block import Block
from natfit.data.grouped import pieces
from natfit.likelihoods.layout import Layout
from natfit.likelihoods.mixtures.components import Components
from natfit.likelihoods.mixtures.second_order import SecondOrder, as_slice
from natfit.likelihoods.mixtures.weights import ConstantWeights
from natfit.likelihoods.sums import Sums, outside
from natfit.metric import Gram
from natfit.need import COMPLETE, MEAT, METRIC, OBSERVED, SCORE

Array = np.ndarray[Any, np.dtype[Any]]


PRODUCT_ROWS = 1024
"""Rows taken together where all their sufficient statistics are needed."""


class Shares(NamedTuple):
    """What the rows of a block say of their labels.

    Parameters
    ----------
    loglik : (n,) ndarray
        Log-density of each row.
    responsibility : (K, n) ndarray
        Probability of each component, given the row.
    weight : (n,) ndarray or None
        What each row counts.
    """

    loglik: Array
    responsibility: Array
    weight: Array | None

    @property
    def weighted(self) -> Array:
        """Responsibilities times what the rows count, (K, n)."""
        return self.responsibility if self.weight is None else self.responsibility * self.weight

    @property
    def total(self) -> float:
        """Log-likelihood of the block."""
        return float(self.loglik.sum() if self.weight is None else self.loglik @ self.weight)


class MixtureLikelihood:
    """Rows drawn from p(y) = sum over k of pi_k f_k(y), independently.

    The parameters are those of the weights, then those of the components. The complete data (the rows with their labels)
    have simple sums; what the labels leave open is integrated out, row by row. With s_nk the score of row n given label
    k, H_nk its Hessian and r_nk the responsibility,

        score_n = sum_k r_nk s_nk
        observed information = sum_n score_n score_n' - sum_nk r_nk (s_nk s_nk' + H_nk)

    of which the first term alone is the empirical information. The expected information has no closed form: under
    ``METRIC`` the empirical one stands in, which estimates it.

    Parameters
    ----------
    components : Components
        All K of them: log-densities, scores, sums of the complete data and the step that these allow.
    weights : optional
        How the weights depend on parameters; K - 1 log-odds, the same for all rows, by default.

    Notes
    -----
    Louis (1982), Finding the observed information matrix when using the EM algorithm, JRSS B 44.
    """

    observed_is_expected = False

    def __init__(self, components: Components, weights: Any = None):
        self.components = components
        self.weights = ConstantWeights(components.n_components) if weights is None else weights
        self.layout = Layout({"weights": self.weights.names, "components": components.names})
        self._cut = self.weights.size

    def split(self, params: Array) -> tuple[Array, Array]:
        """Return the parameters of the weights and those of the components; leading axes are kept."""
        return params[..., : self._cut], params[..., self._cut :]

    def joint(self, params: Array, block: Block, rows: Any = None) -> Array:
        """Return log pi_k + log f_k(y_n), (K, n)."""
        own, rest = self.split(params)
        rows = self.components.view(block) if rows is None else rows
        return self.components.joint(rest, self.weights.log_prob(own, block), rows)

    def shares(self, params: Array, block: Block, rows: Any = None) -> Shares:
        """Return log-density and responsibilities of the rows of a block."""
        loglik, responsibility = normalise(self.joint(params, block, rows))
        return Shares(loglik, responsibility, self.unit_weight(block))

    def unit_weight(self, block: Block) -> Array | None:
        """Return what each unit, that has a label of its own, counts: a row, if rows don't share labels."""
        return block.columns.get("weight")

    def evaluate(self, params: Array, block: Block, need: int) -> Sums:
        """Return the Sums of a block that ``need`` asks for; ``loglik`` is -inf outside the domain."""
        size = self.layout.size
        held = SecondOrder(size, need) if need & (METRIC | MEAT | OBSERVED) else None
        total: Sums | None = None
        with np.errstate(all="ignore"):
            if not self.components.contains(self.split(params)[1]):
                return self._outside(need)
            most = block.n_rows if held is None else held.rows_at_once(size, self.components.n_components)
            for piece in pieces(block, most):
                sums = self._piece(params, piece, need, held)
                if not np.isfinite(sums["loglik"]):
                    return self._outside(need)
                total = sums if total is None else total.merge(sums)
        assert total is not None
        if held is not None:
            total.update(held.finished())
        return total

    def _piece(self, params: Array, block: Block, need: int, held: SecondOrder | None) -> Sums:
        """Return the first-order Sums of rows that are looked at together, and add their second-order ones to ``held``."""
        rows = self.components.view(block)
        shares = self.shares(params, block, rows)
        sums = Sums(loglik=shares.total)
        if np.isfinite(sums["loglik"]):
            if need & (SCORE | COMPLETE):
                self._first(sums, params, block, rows, shares)
            if held is not None:
                self._second(held, params, block, rows, shares)
        return sums

    def _first(self, sums: Sums, params: Array, block: Block, rows: Any, shares: Shares) -> None:
        """Add the score, and the complete data's sums that it comes from."""
        own, rest = self.split(params)
        weighted = shares.weighted
        sums["complete"] = self.components.completed(rest, rows, weighted)
        sums["complete_weights"] = self.weights.completed(own, block, weighted)
        sums["score"] = np.concatenate(
            [
                self.weights.score(own, block, weighted, sums["complete_weights"]),
                self.components.score(rest, rows, weighted, sums["complete"]),
            ]
        )

    def _second(self, held: SecondOrder, params: Array, block: Block, rows: Any, shares: Shares) -> None:
        """Add the outer products of the rows' scores, and what the observed information has less."""
        own, rest = self.split(params)
        cut, observed = self._cut, held.observed
        labelled = self.weights.scores(own, block)
        n_units = shares.loglik.size
        total = held.zeros(n_units)
        for k, (columns, each) in enumerate(self.components.scores(rest, rows)):
            both = np.concatenate([np.broadcast_to(labelled[k], (cut, n_units)), each])
            shared = both * shares.responsibility[k]
            total[:cut] += shared[:cut]
            total[cut:][as_slice(columns)] += shared[cut:]
            if observed is not None:
                if shares.weight is not None:
                    shared *= shares.weight
                at = np.concatenate([np.arange(cut), cut + columns])
                observed[np.ix_(at, at)] -= np.dot(shared, both.T)
        if shares.weight is not None:
            total *= np.sqrt(shares.weight)
        held.add(total)
        if observed is not None:
            self._add_complete(observed, params, block, rows, shares.weighted)

    def _add_complete(self, into: Array, params: Array, block: Block, rows: Any, weighted: Array) -> None:
        """Add what rows would tell if their labels were known, given the rows: minus the complete data's Hessian."""
        own, rest = self.split(params)
        cut = self._cut
        into[:cut, :cut] -= self.weights.hessian(own, block, weighted)
        self.components.add_information(rest, rows, weighted, into[cut:, cut:])

    def empirical_product(self, params: Array, block: Block, vector: Array) -> Sums:
        """Return the empirical information times a vector, as ``product``: no matrix is formed."""
        sums: Sums | None = None
        for piece in pieces(block, PRODUCT_ROWS):
            made = self._product(params, piece, vector)
            sums = made if sums is None else sums.merge(made)
        assert sums is not None
        return sums

    def _product(self, params: Array, block: Block, vector: Array) -> Sums:
        own, rest = self.split(params)
        rows = self.components.view(block)
        shares = self.shares(params, block, rows)
        labelled = np.einsum("kqn,q->kn", self.weights.scores(own, block), vector[: self._cut])
        along = self.components.along(rest, rows, vector[self._cut :]) + labelled
        share = shares.weighted * (shares.responsibility * along).sum(axis=0)
        first = self.weights.score(own, block, share, self.weights.completed(own, block, share))
        return Sums(product=np.concatenate([first, self.components.signed_score(rest, rows, share)]))

    def complete_information(self, params: Array, block: Block) -> Sums:
        """Return the information that the rows would hold if their labels were known, given the rows, as ``complete``."""
        full = np.zeros((self.layout.size, self.layout.size))
        for piece in pieces(block, PRODUCT_ROWS):
            rows = self.components.view(piece)
            self._add_complete(full, params, piece, rows, self.shares(params, piece, rows).weighted)
        return Sums(complete=Gram(full))

    def reordered(self, params: Array, order: Array) -> Array:
        """Return the same mixture with its components in another order."""
        own, rest = self.split(params)
        logs = np.log(np.maximum(self.weights.probabilities(own)[order], np.finfo(float).tiny))
        return np.concatenate([logs[:-1] - logs[-1], self.components.reordered(rest, order)])

    def complete(self, params: Array, sums: Any, step: float = 1.0) -> Array:
        """Return the parameters at ``step`` along the m-geodesic towards the complete data's maximum.

        At 1 it is EM's step: the maximum of the complete-data log-likelihood, given its expected sums. Components whose
        maximum has no closed form may return parameters that only raise it (generalised EM).
        """
        own, rest = self.split(params)
        here, there = sums["complete_weights"], sums["complete"]
        if step != 1.0:
            there = step * there + (1.0 - step) * self.components.expected(rest, self.weights.expected(own, here))
            here = step * here + (1.0 - step) * self.weights.expected(own, here)
        return np.concatenate([self.weights.maximize(here, own), self.components.maximize(there, rest)], axis=-1)

    def _outside(self, need: int) -> Sums:
        sums = outside(self.layout.size, need | SCORE if need & COMPLETE else need)
        if need & (SCORE | COMPLETE):
            # Absent where the parameters lie outside: blocks merge only what they share.
            sums["complete"] = sums["complete_weights"] = np.nan
        return sums


def normalise(joint: Array) -> tuple[Array, Array]:
    """Return log-densities (..., n) and responsibilities (..., K, n) of log pi_k f_k, (..., K, n), which is used up."""
    top = joint.max(axis=-2, keepdims=True)
    joint -= np.where(np.isfinite(top), top, 0.0)
    np.exp(joint, out=joint)
    total = joint.sum(axis=-2, keepdims=True)
    joint /= total
    return (np.log(total) + top)[..., 0, :], joint
