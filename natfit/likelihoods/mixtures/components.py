"""What the components of a mixture are asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.likelihoods.mixtures.geometry import Embedding

Array = np.ndarray[Any, np.dtype[Any]]


class Components:
    """All K components of a mixture at once, with one vector of parameters between them.

    What a component is, is known here and nowhere else: the rows' log-densities; the sums of the complete data that a
    step of EM needs, and that step; the rows' scores and the Hessian, for the observed-data metrics. Sums may be anything
    that adds with ``+``.

    Attributes
    ----------
    n_components, size : int
        K, and the number of parameters.
    names : tuple of str
        Of the parameters.
    """

    n_components: int
    size: int
    names: tuple[str, ...]
    bounded: bool = True
    """Whether the likelihood of a mixture of these is bounded; where not, maxima on a handful of rows are left out."""
    alike: bool = True
    """Whether components are of one kind, so that labels say nothing and may change places."""
    completed_width: int = 0
    """Length of the completed sums' last axis, where they are arrays."""

    def view(self, block: Block) -> Any:
        """Return what the components make of a block whatever the parameters: the ``rows`` of the other methods."""
        return block

    def log_prob(self, params: Array, rows: Any) -> Array:
        """Return log f_k(y_n), (K, n)."""
        raise NotImplementedError

    def joint(self, params: Array, log_weights: Array, rows: Any) -> Array:
        """Return log pi_k + log f_k(y_n), (K, n), in an array of its own; ``log_weights`` is (K, 1) or (K, n)."""
        return self.log_prob(params, rows) + log_weights

    def contains(self, params: Array) -> bool:
        """Say whether the parameters lie in the domain."""
        return bool(np.isfinite(params).all())

    def completed(self, params: Array, rows: Any, share: Array) -> Any:
        """Return the complete data's sums, ``share`` (K, n) telling how much of each row is each component's."""
        raise NotImplementedError

    def maximize(self, completed: Any, params: Array) -> Array:
        """Return parameters that raise the complete data's log-likelihood from ``params``, to its maximum if they can."""
        raise NotImplementedError

    def expected(self, params: Array, counts: Array) -> Any:
        """Return the sums that ``counts`` (K,) rows of the components would be expected to have."""
        raise NotImplementedError

    def scores(self, params: Array, rows: Any) -> Iterator[tuple[Array, Array]]:
        """Yield for each component the places (c,) of the parameters it depends on, and the rows' scores (c, n)."""
        raise NotImplementedError

    def score(self, params: Array, rows: Any, share: Array, completed: Any) -> Array:
        """Return the score, (size,), from rows or from the complete data's sums."""
        total = np.zeros(self.size)
        for k, (columns, each) in enumerate(self.scores(params, rows)):
            total[columns] += each @ share[k]
        return total

    def along(self, params: Array, rows: Any, vector: Array) -> Array:
        """Return the derivative of each row's log-density under each component along a vector, (K, n)."""
        return np.array([each.T @ vector[columns] for columns, each in self.scores(params, rows)])

    def signed_score(self, params: Array, rows: Any, share: Array) -> Array:
        """Return the score, (size,), with weights ``share`` (K, n) of either sign."""
        return Components.score(self, params, rows, share, None)

    def complete_diagonal(self, params: Array, counts: Array) -> Array:
        """Return roughly what ``counts`` (K,) labelled rows tell of each parameter: the scale that iterations need."""
        return np.ones(self.size)

    def add_information(self, params: Array, rows: Any, share: Array, into: Array) -> None:
        """Add minus the Hessian of sum over n, k of share_kn log f_k(y_n) to ``into``, (size, size)."""
        raise NotImplementedError

    # -- starts and tables ----------------------------------------------------------------------------------------

    def geometry(self, rows: Any, weight: Array) -> list[Embedding]:
        """Return the geometries in which starts look for seeds."""
        raise NotImplementedError

    def first_share(self, rows: Any, share: Array) -> Array:
        """Return what starts give each component of each row, from seeds' shares (..., K, n)."""
        return share

    def begin(self, rows: Any, share: Array) -> Array:
        """Return parameters (..., size) from shares (..., K, n) alone."""
        raise NotImplementedError

    @property
    def n_ordered(self) -> int:
        """How many components, the first ones, may change places."""
        return self.n_components

    def reordered(self, params: Array, order: Array) -> Array:
        """Return the parameters with components in another order."""
        raise NotImplementedError

    def spreads(self, params: Array) -> Array:
        """Return how wide each component is, (K, m): small where it closes in on few rows."""
        raise NotImplementedError

    def total_spread(self, completed: Array) -> Array:
        """Return how wide all rows are, (m,), from their completed sums as one component."""
        raise NotImplementedError
