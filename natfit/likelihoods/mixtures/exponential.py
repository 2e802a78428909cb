"""Components that are members of one exponential family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.families.base import ExponentialFamily
from natfit.likelihoods.mixtures.components import Components
from natfit.likelihoods.mixtures.geometry import Embedding, embed
from natfit.likelihoods.mixtures.remembered import remembered

Array = np.ndarray[Any, np.dtype[Any]]


class ExponentialComponents(Components):
    """K members of one exponential family, each with natural parameters of its own.

    A pass over rows is two skinny products: eta T(y)' for the log-densities and shares T(y) for the sums. Parameters may
    have leading axes, several mixtures at once, everywhere but in ``scores`` and ``hessian``.

    Parameters
    ----------
    family : ExponentialFamily
    n_components : int
    place : int or array of int, optional
        Columns of a block's ``y`` that are the observations; all of it where left out.
    outside : bool
        Whether rows may lie at 0 and have no density there: with a point mass beside, whose all of them are.
    """

    center: Array | None = None
    """What is taken from the observations, (d,), where the family allows: squares of rows far from 0 would cancel."""

    constrain: Callable[[Array, Array], Array] | None = None
    """``(completed (..., K, 1 + s), previous parameters) -> parameters``: the maximum where parameters are held or tied."""

    def __init__(self, family: ExponentialFamily, n_components: int, place: Any = None, outside: bool = False):
        self.family = family
        self.n_components = n_components
        self.place = place
        self.outside = outside
        self.width = len(family.statistic_names)
        self.completed_width = 1 + self.width
        self.size = n_components * self.width
        self.names = tuple(f"{name}[{k}]" for k in range(n_components) for name in family.natural_names)
        self.bounded = family.support.discrete or self.width < 2

    def observations(self, block: Block) -> Array:
        """Return the observations of a block, (n, *event)."""
        y = block.columns["y"]
        return y if self.place is None else y[:, self.place]

    def natural(self, params: Array) -> Array:
        """Return natural parameters, (..., K, s)."""
        return params.reshape(*params.shape[:-1], self.n_components, self.width)

    @remembered
    def contains(self, params: Array) -> bool:
        return bool(np.isfinite(params).all() and np.all(self.family.contains_natural(self.natural(params))))

    @remembered
    def mean(self, params: Array) -> Array:
        """Return the mean parameters, (..., K, s)."""
        return self.family.mean_from_natural(self.natural(params))

    @remembered
    def log_partition(self, params: Array) -> Array:
        """Return the log-partitions, (..., K)."""
        return self.family.log_partition(self.natural(params))

    @remembered
    def fisher(self, params: Array) -> Array:
        """Return the Fisher information of one row of each component, (K, s, s)."""
        return self.family.fisher_natural(self.natural(params))

    @property
    def places(self) -> Array:
        """Where the parameters of each component stand, (K, s)."""
        return np.arange(self.size).reshape(self.n_components, self.width)

    def view(self, block: Block) -> tuple[Array, Array | float]:
        """Return a row of ones and the sufficient statistics, (1 + s, n), and log h(y), (n,), or 0 where it is."""
        y = self.observations(block)
        given, y = y, y if self.center is None else y - self.center
        made = np.empty((1 + self.width, len(y)))
        made[0] = 1.0
        without = type(self.family).log_base_measure is ExponentialFamily.log_base_measure
        if not self.outside:
            made[1:] = self.family.sufficient_statistics(y).T
            return made, 0.0 if without else self.family.log_base_measure(y)
        # A continuous density has no share in a point mass: beside a probability its value would hang on the units.
        inside = np.asarray(self.family.support.contains(given)) & (given != 0.0)
        made[0] = inside  # rows that the components can't have made are none of theirs
        safe = np.where(inside, y, y[inside][0] if inside.any() else 1.0)
        made[1:] = np.where(inside, self.family.sufficient_statistics(safe).T, 0.0)
        return made, np.where(inside, self.family.log_base_measure(safe), -np.inf)

    def coefficients(self, params: Array, log_weights: Array) -> Array:
        """Return (..., K, 1 + s): times the statistics they make log pi_k f_k, but for the base measure."""
        constant = log_weights[..., 0] - self.log_partition(params)
        return np.concatenate([constant[..., None], self.natural(params)], axis=-1)

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
        mean = self.mean(params)
        return counts[..., None] * np.concatenate([np.ones((*mean.shape[:-1], 1)), mean], axis=-1)

    def maximize(self, completed: Array, params: Array) -> Array:
        if self.constrain is not None:
            return self.constrain(completed, params)
        with np.errstate(all="ignore"):
            mean = completed[..., 1:] / completed[..., :1]
            good = np.asarray(self.family.contains_mean(mean))
        eta = self.natural(params).copy()
        if good.any():  # a component without rows, or on the edge of its domain, stays where it was
            eta[good] = self.family.natural_from_mean(mean[good])
        return eta.reshape(params.shape)

    def score(self, params: Array, rows: Any, share: Array, completed: Array) -> Array:
        mean = self.mean(params)
        return (completed[:, 1:] - completed[:, :1] * mean).ravel()

    def scores(self, params: Array, rows: Any) -> Iterator[tuple[Array, Array]]:
        statistics = rows[0][1:]
        for places, mean in zip(self.places, self.mean(params), strict=True):
            yield places, statistics - mean[:, None]

    def along(self, params: Array, rows: Any, vector: Array) -> Array:
        each = self.natural(vector)
        mean = self.mean(params)
        return each @ self.with_statistics(rows)[0][1:] - (each * mean).sum(axis=-1)[:, None]

    def signed_score(self, params: Array, rows: Any, share: Array) -> Array:
        sums = share @ self.with_statistics(rows)[0].T
        return self.score(params, rows, share, sums)

    def complete_diagonal(self, params: Array, counts: Array) -> Array:
        return (counts[:, None] * self.spread_of_statistics(params)).ravel()

    def spread_of_statistics(self, params: Array) -> Array:
        """Return the variances of the sufficient statistics under each component, (K, s)."""
        # One component at a time, and only the diagonal of its (s, s) matrix is kept.
        return np.stack([np.diagonal(self.family.fisher_natural(own)).copy() for own in self.natural(params)])

    def with_statistics(self, rows: Any) -> Any:
        """Return what `view` does, all sufficient statistics in it."""
        return rows

    def add_information(self, params: Array, rows: Any, share: Array, into: Array) -> None:
        for k, (count, each) in enumerate(zip(share.sum(axis=-1), self.fisher(params), strict=True)):
            at = slice(k * self.width, (k + 1) * self.width)
            into[at, at] += count * each

    def geometry(self, rows: Any, weight: Array) -> list[Embedding]:
        statistics = rows[0][1:].T
        if self.outside:  # rows without a density here stand at the average, where no start looks for a seed
            inside = np.isfinite(rows[1])
            average = (weight * inside) @ statistics / (weight * inside).sum()
            statistics = np.where(inside[:, None], statistics, average)
        return [embed(self.family, statistics, weight)]

    def begin(self, rows: Any, share: Array) -> Array:
        if self.outside:
            share = share * np.isfinite(rows[1])
        completed = self.completed(np.empty(0), rows, share)
        pooled = completed.sum(axis=-2) / completed[..., 0].sum(axis=-1)[..., None]
        natural = self.family.natural_from_mean(pooled[..., 1:])
        common = np.repeat(natural[..., None, :], self.n_components, axis=-2)
        return self.maximize(completed, common.reshape(*common.shape[:-2], self.size))

    def reordered(self, params: Array, order: Array) -> Array:
        return self.natural(params)[..., order, :].reshape(params.shape)

    def spreads(self, params: Array) -> Array:
        return self.spread_of_statistics(params)

    def total_spread(self, completed: Array) -> Array:
        natural = self.family.natural_from_mean(completed[1:] / completed[0])
        return np.diagonal(self.family.fisher_natural(natural))
