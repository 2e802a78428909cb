"""Gaussian components of rows some of whose values are missing: the observed-data likelihood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from natfit.data.block import Block
from natfit.families.gaussian_covariances import lower_indices, pack, symmetric_product
from natfit.likelihoods.mixtures.gaussian import LOG_2PI, GaussianComponents, products

Array = np.ndarray[Any, np.dtype[Any]]


class Pattern(NamedTuple):
    """Rows that miss the same columns: their places, the columns seen and missed, and the values seen, (n, seen)."""

    rows: Array
    seen: Array
    missed: Array
    values: Array


class Given(NamedTuple):
    """A component given what is seen of rows: log-densities (n,), means (n, d), and the covariance left, (d, d)."""

    log_prob: Array
    mean: Array
    left: Array


class PartlySeenGaussians(GaussianComponents):
    """Normal distributions of rows with missing values, at random: what is seen of a row is normal too.

    EM fills in the expected statistics of the complete row given what is seen of it; scores are those less their
    expectation, and the information loses the variance that the missing values leave.

    Parameters
    ----------
    like : GaussianComponents
        The same for complete rows.

    Notes
    -----
    Ghahramani & Jordan (1994), Supervised learning from incomplete data via an EM approach, NIPS 6; Little & Rubin (2002),
    Statistical Analysis with Missing Data, section 11.2.
    """

    def __init__(self, like: GaussianComponents):
        super().__init__(like.dim, like.n_components, like.center, like.model, like.place, like.floor)

    def view(self, block: Block) -> Any:
        x = self.observations(block) - self.center
        holes = np.isnan(x)
        patterns = []
        for pattern in np.unique(holes, axis=0):
            rows = np.flatnonzero((holes == pattern).all(axis=1))
            seen, missed = np.flatnonzero(~pattern), np.flatnonzero(pattern)
            patterns.append(Pattern(rows, seen, missed, x[np.ix_(rows, seen)]))
        return len(x), patterns

    def _given(self, params: Array, pattern: Pattern, k: int, moments: Any) -> Given:
        mean, covariance = moments[0][k], moments[1][k]
        seen, missed = pattern.seen, pattern.missed
        residual = pattern.values - mean[seen]
        factor = np.linalg.cholesky(covariance[np.ix_(seen, seen)])
        white = np.linalg.solve(factor, residual.T)
        log_prob = -0.5 * ((white * white).sum(axis=0) + len(seen) * LOG_2PI) - np.log(factor.diagonal()).sum()
        filled = np.empty((len(pattern.rows), self.dim))
        filled[:, seen] = pattern.values
        left = np.zeros((self.dim, self.dim))
        half = np.linalg.solve(factor, covariance[np.ix_(seen, missed)])
        filled[:, missed] = mean[missed] + white.T @ half
        left[np.ix_(missed, missed)] = covariance[np.ix_(missed, missed)] - half.T @ half
        return Given(log_prob, filled, left)

    def joint(self, params: Array, log_weights: Array, rows: Any) -> Array:
        n, patterns = rows
        out = np.empty((self.n_components, n))
        moments = self.unpack(params)
        for pattern in patterns:
            for k in range(self.n_components):
                out[k, pattern.rows] = self._given(params, pattern, k, moments).log_prob
        out += log_weights
        return out

    def _expected_statistics(self, params: Array, rows: Any, k: int) -> Array:
        """Return ones and the expected statistics of the rows under component k, (1 + s, n)."""
        n, patterns = rows
        made = np.empty((1 + self.width, n))
        moments = self.unpack(params)
        for pattern in patterns:
            given = self._given(params, pattern, k, moments)
            each = np.empty((1 + self.width, len(pattern.rows)))
            each[0] = 1.0
            each[1 : 1 + self.dim] = given.mean.T
            products(each, self.dim)
            each[1 + self.dim :] += pack(given.left)[:, None]
            made[:, pattern.rows] = each
        return made

    def completed(self, params: Array, rows: Any, share: Array) -> Array:
        return np.array([self._expected_statistics(params, rows, k) @ share[k] for k in range(self.n_components)])

    def scores(self, params: Array, rows: Any) -> Iterator[tuple[Array, Array]]:
        for k, (places, mean) in enumerate(zip(self.places, self.mean(params), strict=True)):
            yield places, self._expected_statistics(params, rows, k)[1:] - mean[:, None]

    def along(self, params: Array, rows: Any, vector: Array) -> Array:
        return np.array([each.T @ vector[places] for places, each in self.scores(params, rows)])

    def signed_score(self, params: Array, rows: Any, share: Array) -> Array:
        return np.concatenate([each @ share[k] for k, (_, each) in enumerate(self.scores(params, rows))])

    def add_information(self, params: Array, rows: Any, share: Array, into: Array) -> None:
        super().add_information(params, rows, share, into)
        moments = self.unpack(params)
        for pattern in rows[1]:
            if not pattern.missed.size:
                continue
            for k in range(self.n_components):
                given = self._given(params, pattern, k, moments)
                own = share[k, pattern.rows]
                at = slice(k * self.width, (k + 1) * self.width)
                into[at, at] -= _statistics_covariance(
                    given.left, own.sum(), own @ given.mean, (given.mean.T * own) @ given.mean
                )


def _statistics_covariance(sigma: Array, count: float, mean: Array, outer: Array) -> Array:
    """Return the sum over rows of the covariance of (y, yy') for normal y of one covariance, by Isserlis' theorem.

    Parameters
    ----------
    sigma : (d, d) ndarray
    count, mean, outer
        Sums over rows of 1, of the means (d,), and of their outer products (d, d).
    """
    k, l = lower_indices(len(sigma))
    cross = mean[l] * sigma[:, k] + mean[k] * sigma[:, l]
    second = count * symmetric_product(sigma, sigma) + symmetric_product(outer, sigma) + symmetric_product(sigma, outer)
    return np.block([[count * sigma, cross], [cross.T, second]])
