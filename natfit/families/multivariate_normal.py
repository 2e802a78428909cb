"""The multivariate normal distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.families.registry import register
from natfit.families.support import Support, vectors
from natfit.parametrizations import Cholesky, Identity, Inverse, LogCholesky, Parametrization, Product
from natfit.parametrizations.base import Array, Mask
from natfit.parametrizations.packing import (
    is_positive_definite,
    lower_indices,
    off_diagonal_weight,
    pack,
    packed_names,
    symmetric_product,
    unpack_symmetric,
)

_LOG_2PI = float(np.log(2.0 * np.pi))


@register
class MultivariateNormal(ExponentialFamily):
    """Normal vectors of d components: home parameters are the mean (d) and the covariance's lower triangle, row by row.

    T = (y, lower triangle of yy'), eta = (P mu, -P/2 with entries off the diagonal doubled), P the inverse covariance;
    A = mu'P mu / 2 + log det(2 pi Sigma) / 2.

    Source: Nielsen & Garcia (2009), flash card of the multivariate Gaussian; Fisher information by Isserlis' theorem.

    Parameters
    ----------
    dim : int
        Number d of components, at least 1.

    Examples
    --------
    >>> family = MultivariateNormal(dim=2)
    >>> theta = family.mle([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> mean, covariance = family.unpack(theta)
    >>> mean
    array([1., 1.])
    >>> covariance
    array([[1., 0.],
           [0., 1.]])
    """

    name = "multivariate_normal"
    home = "covariance"

    def __init__(self, dim: int) -> None:
        if dim != int(dim) or dim < 1:
            raise ValueError(f"multivariate_normal needs one or more components, but got dim={dim}.")
        self.dim = int(dim)
        self.mean_vector_names = tuple(f"mean[{i}]" for i in range(self.dim))
        self.parameter_names = self.mean_vector_names + packed_names("covariance", self.dim)
        self.statistic_names = tuple(f"y[{i}]" for i in range(self.dim)) + packed_names("yy'", self.dim)
        self.estimable = f"{self.dim + 1} observations in general position (none a linear combination of the rest)"

    @property
    def support(self) -> Support:  # type: ignore[override]
        return vectors(self.dim)

    def pack(self, mean: ArrayLike, covariance: ArrayLike) -> Array:
        """Make home parameters (..., p) of means (..., d) and covariances (..., d, d)."""
        mean, packed = np.asarray(mean, dtype=float), pack(covariance)
        batch = np.broadcast_shapes(mean.shape[:-1], packed.shape[:-1])
        parts = (np.broadcast_to(part, (*batch, part.shape[-1])) for part in (mean, packed))
        return np.concatenate(list(parts), axis=-1)

    def unpack(self, theta: ArrayLike) -> tuple[Array, Array]:
        """Return means (..., d) and covariances (..., d, d) of home parameters (..., p)."""
        theta = np.asarray(theta, dtype=float)
        return theta[..., : self.dim], unpack_symmetric(theta[..., self.dim :])

    def sufficient_statistics(self, y: Array) -> Array:
        i, j = lower_indices(self.dim)
        return np.concatenate([y, y[..., i] * y[..., j]], axis=-1)

    def _split_natural(self, eta: Array) -> tuple[Array, Array]:
        """Return P mu (..., d) and P (..., d, d)."""
        packed = -2.0 * eta[..., self.dim :] / off_diagonal_weight(self.dim)
        return eta[..., : self.dim], unpack_symmetric(packed)

    def log_partition(self, eta: Array) -> Array:
        first, precision = self._split_natural(eta)
        mean = np.linalg.solve(precision, first[..., None])[..., 0]
        return 0.5 * ((first * mean).sum(axis=-1) + self.dim * _LOG_2PI - np.linalg.slogdet(precision)[1])

    def mean_from_natural(self, eta: Array) -> Array:
        mean, covariance = self.unpack(self.home_from_natural(eta))
        return self.pack(mean, covariance + mean[..., :, None] * mean[..., None, :])

    def natural_from_mean(self, m: Array) -> Array:
        return self.natural_from_home(self.home_from_mean(m))

    def home_from_mean(self, m: Array) -> Array:
        mean, second = self.unpack(m)
        return self.pack(mean, second - mean[..., :, None] * mean[..., None, :])

    def fisher_natural(self, eta: Array) -> Array:
        # Cov(y, y_k y_l) = mu_l S_.k + mu_k S_.l; Cov(y_i y_j, y_k y_l) by Isserlis, with M = mu mu'
        mean, sigma = self.unpack(self.home_from_natural(eta))
        outer = mean[..., :, None] * mean[..., None, :]
        k, l = lower_indices(self.dim)
        cross = mean[..., None, l] * sigma[..., :, k] + mean[..., None, k] * sigma[..., :, l]
        second = symmetric_product(sigma, sigma) + symmetric_product(outer, sigma) + symmetric_product(sigma, outer)
        return _blocks(sigma, cross, np.swapaxes(cross, -1, -2), second)

    def natural_from_home(self, theta: Array) -> Array:
        mean, covariance = self.unpack(theta)
        precision = np.linalg.inv(covariance)
        first = np.linalg.solve(covariance, mean[..., None])[..., 0]
        return np.concatenate([first, -0.5 * pack(precision) * off_diagonal_weight(self.dim)], axis=-1)

    def home_from_natural(self, eta: Array) -> Array:
        first, precision = self._split_natural(eta)
        return self.pack(np.linalg.solve(precision, first[..., None])[..., 0], np.linalg.inv(precision))

    def natural_jacobian(self, theta: Array) -> Array:
        # d(P mu) = P dmu - P dS P mu; d(-P/2) = P dS P / 2
        mean, covariance = self.unpack(theta)
        precision = np.linalg.inv(covariance)
        first = (precision @ mean[..., None])[..., 0]
        k, l = lower_indices(self.dim)
        twice = off_diagonal_weight(self.dim)
        upper = -0.5 * twice * (precision[..., :, k] * first[..., None, l] + precision[..., :, l] * first[..., None, k])
        lower = 0.25 * symmetric_product(precision, precision) * twice * twice[:, None]
        return _blocks(precision, upper, np.zeros_like(np.swapaxes(upper, -1, -2)), lower)

    def contains(self, theta: Array) -> Mask:
        return np.isfinite(theta).all(axis=-1) & is_positive_definite(self.unpack(theta)[1])

    def contains_natural(self, eta: Array) -> Mask:
        return np.isfinite(eta).all(axis=-1) & is_positive_definite(self._split_natural(eta)[1])

    def contains_mean(self, m: Array) -> Mask:
        covariance = self.unpack(self.home_from_mean(m))[1]
        second = np.diagonal(self.unpack(m)[1], axis1=-2, axis2=-1)
        return _not_singular(covariance, second, 4 * self.dim * np.finfo(float).eps)

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        mean, covariance = self.unpack(theta)
        factor = np.linalg.inv(np.linalg.cholesky(covariance))  # d by d: the rows are many, the distributions few
        z = np.einsum("...ij,...j->...i", factor, y - mean)
        log_det = np.log(np.diagonal(factor, axis1=-2, axis2=-1)).sum(axis=-1)
        return log_det - 0.5 * ((z * z).sum(axis=-1) + self.dim * _LOG_2PI)

    def home_score(self, y: Array, theta: Array) -> Array:
        mean, covariance = self.unpack(theta)
        precision = np.linalg.inv(covariance)
        z = np.einsum("...ij,...j->...i", precision, y - mean)
        i, j = lower_indices(self.dim)
        second = 0.5 * off_diagonal_weight(self.dim) * (z[..., i] * z[..., j] - precision[..., i, j])
        return np.concatenate([z, second], axis=-1)

    def home_fisher(self, theta: Array) -> Array:
        precision = np.linalg.inv(self.unpack(theta)[1])
        twice = off_diagonal_weight(self.dim)
        second = 0.25 * symmetric_product(precision, precision) * twice * twice[:, None]
        zero = np.zeros((*second.shape[:-2], self.dim, twice.size))
        return _blocks(precision, zero, np.swapaxes(zero, -1, -2), second)

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        # by eigenvalues 1 + r of the whitened covariance: sum of r - log(1+r), without cancellation for neighbours
        (mean0, sigma0), (mean1, sigma1) = self.unpack(theta0), self.unpack(theta1)
        factor = np.linalg.inv(np.linalg.cholesky(sigma1))
        change = np.linalg.eigvalsh(factor @ (sigma0 - sigma1) @ np.swapaxes(factor, -1, -2))
        shift = np.einsum("...ij,...j->...i", factor, mean0 - mean1)
        return 0.5 * (x_minus_log1p(change).sum(axis=-1) + (shift * shift).sum(axis=-1))

    def _home_mle(self, y: Array, weights: ArrayLike | None, name: str) -> Array:
        # averages of y minus its mean: the digits that E[yy'] - mu mu' would lose are kept
        center = y.mean(axis=0) if y.shape[0] else 0.0
        mean, covariance = self.unpack(self.home_from_mean(self.mean_statistics(y - center, weights)))
        second = np.diagonal(covariance, axis1=-2, axis2=-1)
        good = _not_singular(covariance, second, 4 * self.dim * np.finfo(float).eps)
        size = 4 * np.finfo(float).eps * np.abs(y).max(axis=0)
        self._refuse_boundary(good & (second > size**2).all(axis=-1), name)
        return self.pack(mean + center, covariance)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        mean, covariance = self.unpack(theta)
        return mean + np.einsum("...ij,...j->...i", np.linalg.cholesky(covariance), rng.normal(size=(*shape, self.dim)))

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        mean = Identity(self.mean_vector_names)
        return {
            "precision": Product(mean, Inverse(self.dim)),
            "cholesky": Product(mean, Cholesky(self.dim)),
            "log_cholesky": Product(mean, LogCholesky(self.dim)),
        }

    @classmethod
    def examples(cls) -> tuple[MultivariateNormal, ...]:
        return (cls(dim=1), cls(dim=3))

    def example_parameters(self) -> Array:
        ramp = np.arange(self.dim, dtype=float)
        toeplitz = 0.6 ** np.abs(ramp[:, None] - ramp)
        scale = 0.3 + ramp
        means = np.stack([np.zeros(self.dim), ramp - 1.0, 2.0 - ramp])
        return self.pack(means, np.stack([np.eye(self.dim), toeplitz, toeplitz * scale * scale[:, None]]))

    @property
    def domain_text(self) -> str:
        return "the mean must be finite and the covariance positive definite"

    def __repr__(self) -> str:
        return f"MultivariateNormal(dim={self.dim})"


def _blocks(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Return matrices ((a, b), (c, d)) of blocks."""
    return np.concatenate([np.concatenate([a, b], axis=-1), np.concatenate([c, d], axis=-1)], axis=-2)


def _not_singular(covariance: Array, second: Array, tolerance: float) -> Mask:
    """Say which covariances, scaled by second moments (..., d), have no eigenvalue within rounding of zero."""
    with np.errstate(all="ignore"):
        scale = np.sqrt(second)
        scaled = covariance / (scale[..., :, None] * scale[..., None, :])
    finite: Mask = np.isfinite(scaled).all(axis=(-1, -2))
    eye = np.eye(covariance.shape[-1])
    return finite & is_positive_definite(np.where(finite[..., None, None], scaled, eye) - tolerance * eye)
