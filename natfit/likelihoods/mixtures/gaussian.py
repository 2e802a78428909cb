"""Gaussian components: all fourteen covariance models, skinny products for few columns and whitening for many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.families.gaussian_covariances import MODELS, CovarianceModel, lower_indices, pack, unpack_symmetric
from natfit.families.multivariate_normal import MultivariateNormal
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.likelihoods.mixtures.geometry import Embedding, scaled_embeddings
from natfit.likelihoods.mixtures.panels import squared_lengths, weighted_products
from natfit.likelihoods.mixtures.remembered import remembered

Array = np.ndarray[Any, np.dtype[Any]]

WIDE = 16
"""Columns from which on whitening by each component's Cholesky factor beats products of all pairs of columns."""

LOG_2PI = float(np.log(2.0 * np.pi))


class GaussianComponents(ExponentialComponents):
    """K normal distributions of d columns, with natural parameters of rows from which ``center`` is taken.

    Parameters
    ----------
    dim, n_components : int
    center : (d,) ndarray, optional
        Near the rows' mean: without it, squares of columns far from 0 would cancel.
    model : CovarianceModel, optional
        ``VVV`` by default.
    place : array of int, optional
        Columns of a block's ``y``; all of them where left out.
    floor : float
        Smallest eigenvalue that a covariance may have, in squared units of the data; 0 is none.
    """

    def __init__(
        self,
        dim: int,
        n_components: int,
        center: Array | None = None,
        model: CovarianceModel = MODELS["VVV"],
        place: Any = None,
        floor: float = 0.0,
    ):
        super().__init__(MultivariateNormal(dim), n_components, place)
        self.family: MultivariateNormal
        self.dim = dim
        self.center: Array = np.zeros(dim) if center is None else center
        self.model = model
        self.floor = floor
        self.bounded = model.bounded

    @property
    def is_free(self) -> bool:
        """Whether every covariance is free, so that all natural parameters are."""
        return self.model.name == "VVV" or (self.dim == 1 and self.model.name == "VII")

    def view(self, block: Block) -> tuple[Array, Array | float]:
        y = self.observations(block)
        d, wide = self.dim, self.dim >= WIDE
        made = np.empty((1 + d if wide else 1 + self.width, len(y)))
        made[0] = 1.0
        x = made[1 : 1 + d]
        np.subtract(y.T, self.center[:, None], out=x)
        return (made, 0.0) if wide else (products(made, d), 0.0)

    def joint(self, params: Array, log_weights: Array, rows: Any) -> Array:
        if self.dim < WIDE:
            return super().joint(params, log_weights, rows)
        triangles, constant = self.whitening(params)
        flat = triangles.reshape(-1, *triangles.shape[-2:])  # leading axes are so many more components
        out = squared_lengths(flat, rows[0]).reshape(*constant.shape[:-1], -1)
        out *= -0.5
        out += constant + log_weights
        return out

    @remembered
    def whitening(self, params: Array) -> tuple[Array, Array]:
        """Return what whitens rows about components' means, (..., K, d, 1 + d), and log-densities there, (..., K, 1)."""
        first, precision = self.family._split_natural(self.natural(params))
        # precision = U U' with U' a lower triangle: the Cholesky factor of the columns in reverse.
        upper = lower_factors(precision[..., ::-1, ::-1])[..., ::-1, ::-1]
        # The row of ones lets one product whiten and center.
        offset = -np.linalg.solve(upper, first[..., None])
        diagonal = np.diagonal(upper, axis1=-2, axis2=-1)
        constant = np.log(diagonal).sum(axis=-1, keepdims=True) - 0.5 * self.dim * LOG_2PI
        return np.concatenate([offset, np.swapaxes(upper, -1, -2)], axis=-1), constant

    def completed(self, params: Array, rows: Any, share: Array) -> Array:
        if rows[0].shape[0] == 1 + self.width:
            return super().completed(params, rows, share)
        square = weighted_products(share.reshape(-1, share.shape[-1]), rows[0])
        made = np.concatenate([square[:, : 1 + self.dim, 0], pack(square[:, 1:, 1:])], axis=1)
        return made.reshape(*share.shape[:-1], -1)

    def with_statistics(self, rows: Any) -> Any:
        made = rows[0]
        if made.shape[0] == 1 + self.width:
            return rows
        full = np.empty((1 + self.width, made.shape[1]))
        full[: made.shape[0]] = made
        return products(full, self.dim), 0.0

    def scores(self, params: Array, rows: Any) -> Iterator[tuple[Array, Array]]:
        return super().scores(params, self.with_statistics(rows))

    def moments(self, completed: Array) -> tuple[Array, Array, Array]:
        """Return counts (..., K), means (..., K, d) about the center and scatter matrices (..., K, d, d)."""
        d = self.dim
        counts = completed[..., 0]
        mean = completed[..., 1 : 1 + d] / counts[..., None]
        scatter = unpack_symmetric(completed[..., 1 + d :])
        scatter = scatter - counts[..., None, None] * mean[..., :, None] * mean[..., None, :]
        return counts, mean, scatter

    def maximize(self, completed: Array, params: Array) -> Array:
        counts, mean, scatter = self.moments(completed)
        previous = self.unpack(params)[1]
        with np.errstate(all="ignore"):
            covariance = self.model.maximize(counts, scatter, previous)
            covariance = floored(covariance, self.floor)
        return self.pack(mean, covariance)

    def begin(self, rows: Any, share: Array) -> Array:
        completed = self.completed(np.empty(0), rows, share)
        counts, mean, scatter = self.moments(completed)
        with np.errstate(all="ignore"):
            return self.pack(mean, floored(self.model.maximize(counts, scatter, None), self.floor))

    def geometry(self, rows: Any, weight: Array) -> list[Embedding]:
        return scaled_embeddings(rows[0][1 : 1 + self.dim].T, weight)

    def spread_of_statistics(self, params: Array) -> Array:
        # Isserlis' theorem, for the diagonal alone: the whole of a wide component's (s, s) matrix takes megabytes.
        mean, sigma = self.unpack(params)
        i, j = lower_indices(self.dim)
        own = np.diagonal(sigma, axis1=-2, axis2=-1)
        cross = sigma[..., i, j]
        pairs = own[..., i] * own[..., j] + cross**2
        pairs += mean[..., i] ** 2 * own[..., j] + mean[..., j] ** 2 * own[..., i]
        pairs += 2.0 * mean[..., i] * mean[..., j] * cross
        return np.concatenate([own, pairs], axis=-1)

    def spreads(self, params: Array) -> Array:
        return smallest_eigenvalues(self.unpack(params)[1])[..., None]

    def total_spread(self, completed: Array) -> Array:
        counts, _, scatter = self.moments(completed[None])
        return smallest_eigenvalues(scatter / max(counts[0] - 1.0, 1.0))

    def unpack(self, params: Array) -> tuple[Array, Array]:
        """Return means (..., K, d) about the center and covariances (..., K, d, d)."""
        return self.family.unpack(self.family.home_from_natural(self.natural(params)))

    def pack(self, mean: Array, covariance: Array) -> Array:
        """Return parameters of means about the center and covariances; NaN for a covariance without an inverse."""
        good = np.asarray(np.isfinite(covariance).all(axis=(-1, -2)))
        good &= (covariance.diagonal(axis1=-2, axis2=-1) > 0.0).all(axis=-1)
        safe = np.where(good[..., None, None], covariance, np.eye(self.dim))
        values = np.linalg.eigvalsh(correlations(safe)[0])  # units of the columns are not what makes it singular
        good &= values[..., 0] > 4 * self.dim * np.finfo(float).eps * values[..., -1]
        safe = np.where(good[..., None, None], safe, np.eye(self.dim))
        natural = self.family.natural_from_home(self.family.pack(mean, safe))
        natural = np.where(good[..., None], natural, np.nan)
        return natural.reshape(*natural.shape[:-2], self.size)


def lower_factors(matrices: Array) -> Array:
    """Return the lower Cholesky factors of matrices (..., d, d); NaN for one that has none."""
    try:
        return np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        if matrices.ndim == 2:
            return np.full(matrices.shape, np.nan)
        return np.array([lower_factors(each) for each in matrices])


def products(made: Array, dim: int) -> Array:
    """Fill the products of all pairs of columns, lower triangle row by row, below the columns themselves; return it."""
    at = 1 + dim
    for i, j in zip(*lower_indices(dim), strict=True):
        np.multiply(made[1 + i], made[1 + j], out=made[at])
        at += 1
    return made


def floored(covariance: Array, floor: float) -> Array:
    """Raise the eigenvalues of covariances (..., d, d) to a floor: for free ones that is the constrained maximum."""
    if floor <= 0.0:
        return covariance
    good = np.asarray(np.isfinite(covariance).all(axis=(-1, -2), keepdims=True))
    safe = np.where(good, covariance, np.eye(covariance.shape[-1]))
    low = np.asarray(smallest_eigenvalues(safe)[..., None, None] < floor)
    if not (low & good).any():
        return covariance
    values, turn = np.linalg.eigh(safe)
    raised = (turn * np.maximum(values, floor)[..., None, :]) @ np.swapaxes(turn, -1, -2)
    return np.where(low & good, 0.5 * (raised + np.swapaxes(raised, -1, -2)), covariance)


def correlations(covariance: Array) -> tuple[Array, Array]:
    """Return correlations (..., d, d) and what the rows were divided by, (..., d); diagonals must be positive."""
    scale = np.sqrt(covariance.diagonal(axis1=-2, axis2=-1))
    return covariance / scale[..., :, None] / scale[..., None, :], scale


def smallest_eigenvalues(covariance: Array) -> Array:
    """Return the smallest eigenvalue of each covariance (..., d, d), to digits of its own.

    An eigenvalue found beside the others has errors that are a share of the largest: with columns in units of unlike size
    nothing would be left of the smallest. It is one over the largest of the inverse, and the inverse is had from the
    correlations, which know no units. 0 where a covariance is singular.
    """
    flat = np.asarray((covariance.diagonal(axis1=-2, axis2=-1) <= 0.0).any(axis=-1))
    safe = np.where(flat[..., None, None], np.eye(covariance.shape[-1]), covariance)
    correlation, scale = correlations(safe)
    values, turn = np.linalg.eigh(correlation)
    flat = np.asarray(flat | (values[..., 0] <= 4 * scale.shape[-1] * np.finfo(float).eps))
    inverse = (turn / np.where(flat[..., None], 1.0, values)[..., None, :]) @ np.swapaxes(turn, -1, -2)
    largest = np.linalg.eigvalsh(inverse / scale[..., :, None] / scale[..., None, :])[..., -1]
    return np.where(flat, 0.0, 1.0 / largest)
