"""What the components of a mixture are asked, and the components from exponential families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.families.base import ExponentialFamily

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

    def scores(self, params: Array, rows: Any) -> list[tuple[Array, Array]]:
        """Return for each component the places (c,) of the parameters it depends on, and the rows' scores (c, n)."""
        raise NotImplementedError

    def score(self, params: Array, rows: Any, share: Array, completed: Any) -> Array:
        """Return the score, (size,), from rows or from the complete data's sums."""
        total = np.zeros(self.size)
        for k, (columns, each) in enumerate(self.scores(params, rows)):
            total[columns] += each @ share[k]
        return total

    def hessian(self, params: Array, rows: Any, share: Array) -> Array:
        """Return the Hessian of sum over n, k of share_kn log f_k(y_n), (size, size)."""
        raise NotImplementedError


class ExponentialComponents(Components):
    """K members of one exponential family, each with natural parameters of its own.

    A pass over rows is two skinny products: eta T(y)' for the log-densities and shares T(y) for the sums. Parameters may
    have leading axes, several mixtures at once, everywhere but in ``scores`` and ``hessian``.

    Parameters
    ----------
    family : ExponentialFamily
    n_components : int
    column : str
        Of a block, in which the observations stand.
    constrain : callable, optional
        ``(completed (..., K, 1 + s), previous parameters) -> parameters``: the maximum under constraints.
    """

    def __init__(
        self,
        family: ExponentialFamily,
        n_components: int,
        column: str = "y",
        constrain: Callable[[Array, Array], Array] | None = None,
    ):
        self.family = family
        self.n_components = n_components
        self.column = column
        self.width = len(family.statistic_names)
        self.size = n_components * self.width
        self.names = tuple(f"{name}[{k}]" for k in range(n_components) for name in family.natural_names)
        self._constrain = constrain

    def natural(self, params: Array) -> Array:
        """Return natural parameters, (..., K, s)."""
        return params.reshape(*params.shape[:-1], self.n_components, self.width)

    def contains(self, params: Array) -> bool:
        return bool(np.isfinite(params).all() and np.all(self.family.contains_natural(self.natural(params))))

    def view(self, block: Block) -> tuple[Array, Array | float]:
        """Return a row of ones and the sufficient statistics, (1 + s, n), and log h(y), (n,), or 0 where it is."""
        y = block.columns[self.column]
        made = np.empty((1 + self.width, len(y)))
        made[0] = 1.0
        made[1:] = self.family.sufficient_statistics(y).T
        without = type(self.family).log_base_measure is ExponentialFamily.log_base_measure
        return made, 0.0 if without else self.family.log_base_measure(y)

    def coefficients(self, params: Array, log_weights: Array) -> Array:
        """Return (..., K, 1 + s): times the statistics they make log pi_k f_k, but for the base measure."""
        eta = self.natural(params)
        constant = log_weights[..., 0] - self.family.log_partition(eta)
        return np.concatenate([constant[..., None], eta], axis=-1)

    def joint(self, params: Array, log_weights: Array, rows: Any) -> Array:
        statistics, base = rows
        if log_weights.shape[-1] == 1:
            product = self.coefficients(params, log_weights) @ statistics
        else:
            product = self.coefficients(params, np.zeros((self.n_components, 1))) @ statistics + log_weights
        product += base
        return product

    def log_prob(self, params: Array, rows: Any) -> Array:
        return self.joint(params, np.zeros((self.n_components, 1)), rows)

    def completed(self, params: Array, rows: Any, share: Array) -> Array:
        return share @ rows[0].T

    def expected(self, params: Array, counts: Array) -> Array:
        mean = self.family.mean_from_natural(self.natural(params))
        return counts[..., None] * np.concatenate([np.ones((*mean.shape[:-1], 1)), mean], axis=-1)

    def maximize(self, completed: Array, params: Array) -> Array:
        if self._constrain is not None:
            return self._constrain(completed, params)
        with np.errstate(all="ignore"):
            mean = completed[..., 1:] / completed[..., :1]
            good = np.asarray(self.family.contains_mean(mean))
        eta = self.natural(params).copy()
        if good.any():  # a component without rows, or on the edge of its domain, stays where it was
            eta[good] = self.family.natural_from_mean(mean[good])
        return eta.reshape(params.shape)

    def score(self, params: Array, rows: Any, share: Array, completed: Array) -> Array:
        mean = self.family.mean_from_natural(self.natural(params))
        return (completed[:, 1:] - completed[:, :1] * mean).ravel()

    def scores(self, params: Array, rows: Any) -> list[tuple[Array, Array]]:
        statistics = rows[0][1:]
        mean = self.family.mean_from_natural(self.natural(params))
        places = np.arange(self.size).reshape(self.n_components, self.width)
        return [(places[k], statistics - mean[k][:, None]) for k in range(self.n_components)]

    def hessian(self, params: Array, rows: Any, share: Array) -> Array:
        each = self.family.fisher_natural(self.natural(params))
        counts = share.sum(axis=-1)
        full = np.zeros((self.size, self.size))
        for k in range(self.n_components):
            at = slice(k * self.width, (k + 1) * self.width)
            full[at, at] = -counts[k] * each[k]
        return full
