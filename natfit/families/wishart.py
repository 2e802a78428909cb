"""The Wishart distribution of random covariance matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, multigammaln, polygamma

from natfit.families.base import ExponentialFamily
from natfit.families.registry import register
from natfit.families.solving import increasing_root, log_minus_digamma, log_minus_digamma_slope
from natfit.families.support import Support, positive_definite_matrices
from natfit.parametrizations import Identity, Inverse, Log, LogCholesky, Parametrization, Product
from natfit.parametrizations.base import Array, Mask
from natfit.parametrizations.packing import (
    is_positive_definite,
    off_diagonal_weight,
    pack,
    packed_names,
    symmetric_product,
    unpack_symmetric,
)


@register
class Wishart(ExponentialFamily):
    """Matrices Y with density |Y|^((n-d-1)/2) exp(-tr(V^-1 Y)/2) / (2^(nd/2) |V|^(n/2) Gamma_d(n/2)).

    Home parameters: degrees of freedom n > d - 1, and the lower triangle of the scale V, row by row.
    T = (log|Y|, lower triangle of Y), eta = ((n-d-1)/2, -V^-1/2 with entries off the diagonal doubled).

    Source: Nielsen & Garcia (2009), flash card of the Wishart distribution; Muirhead (1982), section 3.2.

    Parameters
    ----------
    dim : int
        Number d of rows, at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> family = Wishart(dim=2)
    >>> draws = family.sample(family.pack(8.0, np.eye(2)), np.random.default_rng(0), 4000)
    >>> family.mle(draws).round(1)
    array([8., 1., 0., 1.])
    """

    name = "wishart"
    home = "scale"
    estimable = "two distinct matrices"

    def __init__(self, dim: int) -> None:
        if dim != int(dim) or dim < 1:
            raise ValueError(f"wishart needs matrices of one or more rows, but got dim={dim}.")
        self.dim = int(dim)
        self.parameter_names = ("df", *packed_names("scale", self.dim))
        self.statistic_names = ("log det Y", *packed_names("Y", self.dim))

    @property
    def support(self) -> Support:  # type: ignore[override]
        return positive_definite_matrices(self.dim)

    def pack(self, df: ArrayLike, scale: ArrayLike) -> Array:
        """Make home parameters (..., p) of degrees of freedom (...) and scales (..., d, d)."""
        freedom, packed = np.asarray(df, dtype=float)[..., None], pack(scale)
        batch = np.broadcast_shapes(freedom.shape[:-1], packed.shape[:-1])
        parts = (np.broadcast_to(part, (*batch, part.shape[-1])) for part in (freedom, packed))
        return np.concatenate(list(parts), axis=-1)

    def unpack(self, theta: ArrayLike) -> tuple[Array, Array]:
        """Return degrees of freedom (...) and scales (..., d, d) of home parameters (..., p)."""
        theta = np.asarray(theta, dtype=float)
        return theta[..., 0], unpack_symmetric(theta[..., 1:])

    def _halves(self, df: Array) -> Array:
        """(n - i) / 2 for i = 0 .. d-1, shape (..., d): the arguments in the multivariate gamma function."""
        return 0.5 * (df[..., None] - np.arange(self.dim))

    def sufficient_statistics(self, y: Array) -> Array:
        return np.concatenate([np.linalg.slogdet(y)[1][..., None], pack(y)], axis=-1)

    def log_partition(self, eta: Array) -> Array:
        df, scale = self.unpack(self.home_from_natural(eta))
        log_det = np.linalg.slogdet(scale)[1]
        return 0.5 * df * (self.dim * np.log(2.0) + log_det) + multigammaln(0.5 * df, self.dim)

    def mean_from_natural(self, eta: Array) -> Array:
        df, scale = self.unpack(self.home_from_natural(eta))
        log_det = np.linalg.slogdet(scale)[1] + self.dim * np.log(2.0) + digamma(self._halves(df)).sum(axis=-1)
        return np.concatenate([log_det[..., None], df[..., None] * pack(scale)], axis=-1)

    def natural_from_mean(self, m: Array) -> Array:
        return self.natural_from_home(self.home_from_mean(m))

    def home_from_mean(self, m: Array) -> Array:
        # log|M| - E log|Y| = sum_i log(n/2) - digamma((n-i)/2), which falls with n; solved for its excess over d - 1
        gap = np.linalg.slogdet(unpack_symmetric(m[..., 1:]))[1] - m[..., 0]
        shift = np.arange(self.dim)

        def negative(excess: Array) -> tuple[Array, Array]:
            df = excess + self.dim - 1.0
            x = self._halves(df)
            value = (log_minus_digamma(x) - np.log1p(-shift / df[..., None])).sum(axis=-1)
            slope = 0.5 * (log_minus_digamma_slope(x) - 1.0 / x).sum(axis=-1) + 1.0 * self.dim / df
            return -value, -slope

        df = increasing_root(negative, -gap, 0.5 * self.dim * (self.dim + 1.0) / gap) + self.dim - 1.0
        return np.concatenate([df[..., None], m[..., 1:] / df[..., None]], axis=-1)

    def fisher_natural(self, eta: Array) -> Array:
        # Var(log|Y|) = sum trigamma((n-i)/2); Cov(log|Y|, Y) = 2 V; Cov(Y_ij, Y_kl) = n (V_ik V_jl + V_il V_jk)
        df, scale = self.unpack(self.home_from_natural(eta))
        corner = polygamma(1, self._halves(df)).sum(axis=-1)[..., None, None]
        cross = 2.0 * pack(scale)[..., None, :]
        second = df[..., None, None] * symmetric_product(scale, scale)
        top = np.concatenate([corner, cross], axis=-1)
        return np.concatenate([top, np.concatenate([np.swapaxes(cross, -1, -2), second], axis=-1)], axis=-2)

    def natural_from_home(self, theta: Array) -> Array:
        df, scale = self.unpack(theta)
        second = -0.5 * pack(np.linalg.inv(scale)) * off_diagonal_weight(self.dim)
        return np.concatenate([0.5 * (df[..., None] - self.dim - 1.0), second], axis=-1)

    def home_from_natural(self, eta: Array) -> Array:
        df = 2.0 * eta[..., :1] + self.dim + 1.0
        return np.concatenate([df, pack(np.linalg.inv(self._precision(eta)))], axis=-1)

    def _precision(self, eta: Array) -> Array:
        return unpack_symmetric(-2.0 * eta[..., 1:] / off_diagonal_weight(self.dim))

    def natural_jacobian(self, theta: Array) -> Array:
        precision = np.linalg.inv(self.unpack(theta)[1])
        twice = off_diagonal_weight(self.dim)
        out = np.zeros((*theta.shape, self.size))
        out[..., 0, 0] = 0.5
        out[..., 1:, 1:] = 0.25 * symmetric_product(precision, precision) * twice * twice[:, None]
        return out

    def contains(self, theta: Array) -> Mask:
        df, scale = self.unpack(theta)
        return np.isfinite(df) & (df > self.dim - 1) & is_positive_definite(scale)

    def contains_natural(self, eta: Array) -> Mask:
        return np.isfinite(eta).all(axis=-1) & (eta[..., 0] > -1.0) & is_positive_definite(self._precision(eta))

    def contains_mean(self, m: Array) -> Mask:
        matrix = unpack_symmetric(m[..., 1:])
        good = np.asarray(is_positive_definite(matrix))
        log_det = np.linalg.slogdet(np.where(good[..., None, None], matrix, np.eye(self.dim)))[1]
        room = 4 * self.dim * np.finfo(float).eps * (1.0 + np.abs(log_det) + np.abs(m[..., 0]))
        return good & np.isfinite(m[..., 0]) & (log_det - m[..., 0] > room)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        # Bartlett's decomposition: Y = (LA)(LA)', A lower triangular with chi and normal entries; V = LL'
        df, scale = self.unpack(theta)
        a = np.tril(rng.normal(size=(*shape, self.dim, self.dim)), -1)
        diagonal = np.arange(self.dim)
        a[..., diagonal, diagonal] = np.sqrt(2.0 * rng.standard_gamma(self._halves(df), (*shape, self.dim)))
        root = np.linalg.cholesky(scale) @ a
        product = root @ np.swapaxes(root, -1, -2)
        return 0.5 * (product + np.swapaxes(product, -1, -2))

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        df = Identity(["df"])
        return {
            "precision": Product(df, Inverse(self.dim)),
            "log_df_log_cholesky": Product(Log(["log_df"]), LogCholesky(self.dim)),
        }

    @classmethod
    def examples(cls) -> tuple[Wishart, ...]:
        return (cls(dim=1), cls(dim=2))

    def example_parameters(self) -> Array:
        ramp = np.arange(self.dim, dtype=float)
        toeplitz = 0.6 ** np.abs(ramp[:, None] - ramp)
        scale = 0.3 + ramp
        scales = np.stack([np.eye(self.dim), toeplitz, toeplitz * scale * scale[:, None]])
        return self.pack(self.dim + np.array([1.0, 4.5, 30.0]), scales)

    @property
    def domain_text(self) -> str:
        return f"df must exceed {self.dim - 1} and the scale must be positive definite"

    def __repr__(self) -> str:
        return f"Wishart(dim={self.dim})"
