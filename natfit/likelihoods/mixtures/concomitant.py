"""Weights of a mixture that depend on covariates: a multinomial logit for the labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.data.grouped import first_rows
from natfit.metric import Gram

Array = np.ndarray[Any, np.dtype[Any]]


class ConcomitantWeights:
    """Weights pi_k(z) = exp(z'b_k) / sum over j of exp(z'b_j), with b_0 = 0.

    The parameters are b_1, ..., b_(K-1), one after another. Rows that share a label have one z, that of the first.

    Parameters
    ----------
    n_components : int
        K.
    columns : sequence of str
        Names of the columns of z, the blocks' design ``"weights"``.

    Notes
    -----
    Dayton & Macready (1988), Concomitant-variable latent-class models, JASA 83.
    """

    def __init__(self, n_components: int, columns: Sequence[str]):
        self.n_components = n_components
        self.columns = tuple(columns)
        self.size = (n_components - 1) * len(columns)
        self.names = tuple(f"concomitant:{name}[{k}]" for k in range(1, n_components) for name in columns)

    def design(self, block: Block) -> Array:
        """Return z of each unit, (u, q)."""
        rows = block.designs["weights"].dense()
        starts = first_rows(block)
        return rows if starts is None else rows[starts]

    def coefficients(self, params: Array) -> Array:
        """Return b_0, ..., b_(K-1), (K, q)."""
        own = params.reshape(self.n_components - 1, len(self.columns))
        return np.concatenate([np.zeros((1, len(self.columns))), own])

    def log_weights(self, params: Array, z: Array) -> Array:
        """Return log weights (K, u) of rows z (u, q)."""
        odds = self.coefficients(params) @ z.T
        odds -= odds.max(axis=0)
        return odds - np.log(np.exp(odds).sum(axis=0))

    def log_prob(self, params: Array, block: Block) -> Array:
        """Return log weights, (K, u)."""
        return self.log_weights(params, self.design(block))

    def scores(self, params: Array, block: Block) -> Array:
        """Return the score of a unit given each label, (K, size, u)."""
        z = self.design(block)
        here = np.eye(self.n_components)[:, 1:, None] - np.exp(self.log_weights(params, z))[1:]  # (K, K - 1, u)
        return (here[:, :, None, :] * z.T).reshape(self.n_components, self.size, len(z))

    def hessian(self, params: Array, block: Block, share: Array) -> Array:
        """Return the Hessian of the labels' log-likelihood, (size, size), summed over units with weights ``share``."""
        z = self.design(block)
        weights, total = np.exp(self.log_weights(params, z))[1:], share.sum(axis=0)
        full = np.empty((self.n_components - 1, len(self.columns), self.n_components - 1, len(self.columns)))
        for j, first in enumerate(weights):
            for k, second in enumerate(weights):
                each = total * first * (second - (j == k))
                full[j, :, k] = (z.T * each) @ z
        return full.reshape(self.size, self.size)

    def completed(self, params: Array, block: Block, share: Array) -> Array:
        """Return the complete data's score, Hessian and number of units of each component, in one vector."""
        z = self.design(block)
        left = share - share.sum(axis=0) * np.exp(self.log_weights(params, z))
        return np.concatenate(
            [(left[1:] @ z).ravel(), self.hessian(params, block, share).ravel(), share.sum(axis=1)], axis=0
        )

    def score(self, params: Array, block: Block, share: Array, completed: Array) -> Array:
        """Return the score, (size,)."""
        return completed[: self.size]

    def counts(self, completed: Array) -> Array:
        """Return the expected number of units of each component, (K,)."""
        return completed[-self.n_components :]

    def maximize(self, completed: Array, params: Array) -> Array:
        """Return the parameters after one scoring step of the multinomial logit."""
        if self.size == 0:
            return params
        hessian = completed[self.size : self.size + self.size**2].reshape(self.size, self.size)
        return params + Gram(-hessian).solve(completed[: self.size])

    def reordered(self, params: Array, order: Array) -> Array:
        """Return the parameters with components in another order."""
        each = self.coefficients(params)[order]
        return (each - each[0])[1:].ravel()
