"""Coordinates of covariance matrices: the inverse, the Cholesky factor, and its logarithm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask, Parametrization, refuse_off_image
from natfit.parametrizations.packing import (
    is_positive_definite,
    lower_indices,
    off_diagonal_weight,
    pack,
    packed_names,
    symmetric_product,
    unpack_lower,
    unpack_symmetric,
)


class _MatrixCoordinates(Parametrization):
    """Packed coordinates of a packed (d, d) covariance matrix."""

    def __init__(self, dim: int, prefix: str) -> None:
        super().__init__(packed_names(prefix, dim))
        self.dim = dim

    def _matrix(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        matrix = unpack_symmetric(theta)
        refuse_off_image(repr(self), theta, is_positive_definite(matrix), "a positive definite matrix")
        return matrix


class Inverse(_MatrixCoordinates):
    """The inverse matrix (precision) as coordinates of a covariance: Sigma = P^-1, dSigma = -Sigma dP Sigma.

    Examples
    --------
    >>> Inverse(1).to_home([4.0])
    array([0.25])
    """

    def __init__(self, dim: int, prefix: str = "precision") -> None:
        super().__init__(dim, prefix)

    def to_home(self, xi: ArrayLike) -> Array:
        return pack(np.linalg.inv(unpack_symmetric(self._coordinates(xi))))

    def from_home(self, theta: ArrayLike) -> Array:
        return pack(np.linalg.inv(self._matrix(theta)))

    def jacobian(self, xi: ArrayLike) -> Array:
        sigma = np.linalg.inv(unpack_symmetric(self._coordinates(xi)))
        return -0.5 * symmetric_product(sigma, sigma) * off_diagonal_weight(self.dim)

    def contains(self, xi: ArrayLike) -> Mask:
        return is_positive_definite(unpack_symmetric(self._coordinates(xi)))


class Cholesky(_MatrixCoordinates):
    """The lower Cholesky factor as coordinates of a covariance: Sigma = L L', diagonal of L positive.

    Examples
    --------
    >>> Cholesky(2).from_home([4.0, 2.0, 5.0])
    array([2., 1., 2.])
    """

    def __init__(self, dim: int, prefix: str = "cholesky") -> None:
        super().__init__(dim, prefix)

    def to_home(self, xi: ArrayLike) -> Array:
        lower = unpack_lower(self._coordinates(xi))
        return pack(lower @ np.swapaxes(lower, -1, -2))

    def from_home(self, theta: ArrayLike) -> Array:
        return pack(np.linalg.cholesky(self._matrix(theta)))

    def jacobian(self, xi: ArrayLike) -> Array:
        # dSigma_ij / dL_kl = [i = k] L_jl + [j = k] L_il
        lower = unpack_lower(self._coordinates(xi))
        i, j = lower_indices(self.dim)
        eye = np.eye(self.dim)
        a, b, k, m = i[:, None], j[:, None], i[None, :], j[None, :]
        return eye[a, k] * lower[..., b, m] + eye[b, k] * lower[..., a, m]

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        i, j = lower_indices(self.dim)
        return np.isfinite(xi).all(axis=-1) & (xi[..., i == j] > 0).all(axis=-1)


class LogCholesky(_MatrixCoordinates):
    """The Cholesky factor with logarithms on its diagonal: every real vector is a covariance.

    Source: Pinheiro & Bates (1996), Unconstrained parametrizations for variance-covariance matrices, section 2.

    Examples
    --------
    >>> LogCholesky(2).to_home([0.0, 0.0, 0.0])
    array([1., 0., 1.])
    """

    def __init__(self, dim: int, prefix: str = "log_cholesky") -> None:
        super().__init__(dim, prefix)
        self._cholesky = Cholesky(dim)
        rows, columns = lower_indices(dim)
        self._diagonal = rows == columns

    def _factor(self, xi: Array) -> Array:
        out = xi.copy()
        out[..., self._diagonal] = np.exp(xi[..., self._diagonal])
        return out

    def to_home(self, xi: ArrayLike) -> Array:
        return self._cholesky.to_home(self._factor(self._coordinates(xi)))

    def from_home(self, theta: ArrayLike) -> Array:
        xi = self._cholesky.from_home(theta)
        xi[..., self._diagonal] = np.log(xi[..., self._diagonal])
        return xi

    def jacobian(self, xi: ArrayLike) -> Array:
        factor = self._factor(self._coordinates(xi))
        return self._cholesky.jacobian(factor) * np.where(self._diagonal, factor, 1.0)[..., None, :]
