"""The weights of a mixture, as they depend on parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.data.block import Block

Array = np.ndarray[Any, np.dtype[Any]]


class ConstantWeights:
    """Weights that are the same for all rows: K - 1 log-odds against the last component.

    Leading axes of the parameters, several mixtures at once, are kept.

    Parameters
    ----------
    n_components : int
        K.
    """

    def __init__(self, n_components: int):
        self.n_components = n_components
        self.size = n_components - 1
        self.names = tuple(f"log_odds[{k}]" for k in range(self.size))

    def probabilities(self, params: Array) -> Array:
        """Return the weights (..., K)."""
        return np.exp(self._logs(params))

    def jacobian(self, params: Array) -> Array:
        """Return d weights / d log-odds, (K, K - 1)."""
        weights = self.probabilities(params)
        return weights[:, None] * (np.eye(self.n_components)[:, :-1] - weights[:-1])

    def _logs(self, params: Array) -> Array:
        odds = np.concatenate([params, np.zeros((*params.shape[:-1], 1))], axis=-1)
        odds = odds - odds.max(axis=-1, keepdims=True)
        return odds - np.log(np.exp(odds).sum(axis=-1, keepdims=True))

    def log_prob(self, params: Array, block: Block | None = None) -> Array:
        """Return log weights, (..., K, 1) or (..., K, n)."""
        return self._logs(params)[..., None]

    def scores(self, params: Array, block: Block) -> Array:
        """Return the score of a row given each label, (K, size, 1) or (K, size, n)."""
        here = np.eye(self.n_components)[:, :-1] - self.probabilities(params)[:-1]
        return here[..., None]

    def hessian(self, params: Array, block: Block, share: Array) -> Array:
        """Return the Hessian of the labels' log-likelihood, (size, size), summed over rows with weights ``share``."""
        first = self.probabilities(params)[:-1]
        return share.sum() * (np.outer(first, first) - np.diag(first))

    def completed(self, params: Array, block: Block, share: Array) -> Array:
        """Return the expected number of rows of each component, (..., K)."""
        return share.sum(axis=-1)

    def score(self, params: Array, block: Block, share: Array, completed: Array) -> Array:
        """Return the score, (size,)."""
        return (completed - completed.sum() * self.probabilities(params))[:-1]

    def expected(self, params: Array, completed: Array) -> Array:
        """Return the sums of as many rows as were completed, as the parameters would have them."""
        return completed.sum(axis=-1, keepdims=True) * self.probabilities(params)

    def maximize(self, completed: Array, params: Array) -> Array:
        """Return the parameters at which the completed sums are the expected ones."""
        logs = np.log(np.maximum(completed, np.finfo(float).tiny))  # a weight at zero is for the caller to name
        return logs[..., :-1] - logs[..., -1:]
