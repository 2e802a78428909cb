"""What stands for the Fisher information F, and the only place that solves with it.

``Gram`` holds the matrix itself; ``Triangular`` holds R with ``R'R = F``, which keeps the digits that squaring loses.
Both add up over blocks of rows: Gram matrices are summed, triangular factors are stacked and factored again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import lapack

from natfit import scratch

Array = np.ndarray[Any, np.dtype[Any]]

ILL_CONDITIONED = 1e-12
"""Reciprocal condition of a scaled Gram matrix under which its solutions lose digits that a triangular factor keeps:
the design's own condition is then above 1e6, where Gram plus refinement stops matching QR (measured on NIST's sets)."""

ALIASED = 1e-11
"""A column is aliased when what is left of it, after projecting on the columns before it, is under this share of its
length: the tolerance that R's glm uses. NIST's Filip, the worst certified regression, leaves 1e-9."""


class SingularMetric(ArithmeticError):
    """The metric has a direction along which the data say nothing, so F^-1 does not exist.

    Parameters
    ----------
    directions : (p, k) ndarray
        Basis of the null space, in parameter coordinates.
    """

    def __init__(self, directions: Array):
        self.directions = directions
        super().__init__(f"the Fisher information is singular along {directions.shape[1]} direction(s)")


class Metric:
    """A symmetric positive semi-definite form on parameter space, in unit dispersion."""

    size: int

    def solve(self, g: Array) -> Array:
        """Return F^-1 g, for one vector or the columns of a matrix; raise `SingularMetric` where F has no inverse."""
        raise NotImplementedError

    def quadratic(self, d: Array) -> float:
        """Return d'Fd."""
        raise NotImplementedError

    def inverse_quadratic(self, rows: Array) -> Array:
        """Return x' F^-1 x of each row x of a (k, p) array, by a triangular solve: leverages and variances."""
        raise NotImplementedError

    def pullback(self, J: Array) -> Metric:
        """Return the same form in coordinates with Jacobian ``J``: J'FJ."""
        raise NotImplementedError

    def logdet(self) -> float:
        """Return the log determinant: twice the log volume of the metric."""
        raise NotImplementedError

    def nullspace(self, tolerance: float = ALIASED) -> Array:
        """Return a (p, k) basis of the directions that the data can't see (k = 0 where there are none).

        A metric that is not finite tells nothing along any direction.
        """
        raise NotImplementedError

    def matrix_form(self) -> Array:
        """Return F as a (p, p) matrix."""
        raise NotImplementedError

    def rcond(self) -> float:
        """Return an estimate of the reciprocal condition of F with its columns scaled to unit length."""
        raise NotImplementedError

    def inverse(self) -> Array:
        """Return F^-1 as a (p, p) matrix."""
        inverse = self.solve(np.eye(self.size))
        return 0.5 * (inverse + inverse.T)

    def scaled(self, factor: float) -> Metric:
        """Return the form multiplied by a factor greater than 0."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Give up what can be computed again, where memory is wanted for another metric."""

    def __add__(self, other: Metric) -> Metric:
        raise NotImplementedError


class Gram(Metric):
    """F held as a matrix. Solved by Cholesky after scaling to unit diagonal, so units of columns don't matter.

    Parameters
    ----------
    matrix : (p, p) ndarray
        Symmetric; taken, not copied.

    Examples
    --------
    >>> import numpy as np
    >>> Gram(np.array([[4.0, 0.0], [0.0, 9.0]])).solve(np.array([4.0, 9.0]))
    array([1., 1.])
    """

    __slots__ = ("_factor", "_inverse", "_rcond", "_scale", "matrix")

    def __init__(self, matrix: Array):
        self.matrix = matrix
        self._factor: Array | None = None
        self._scale: Array | None = None
        self._inverse: Array | None = None
        self._rcond = -1.0

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.matrix.shape[0]

    def _cholesky(self) -> tuple[Array, Array]:
        if self._factor is None:
            diagonal = self.matrix.diagonal()
            if not diagonal.min(initial=np.inf) > 0.0 or not np.isfinite(diagonal.max(initial=0.0)):
                raise SingularMetric(self.nullspace())
            scale = 1.0 / np.sqrt(diagonal)
            scaled = np.multiply(self.matrix, scale, out=scratch.array(*self.matrix.shape))
            scaled *= scale[:, None]
            norm = lapack.dlange("1", scaled.T)
            factor, info = lapack.dpotrf(scaled.T, clean=0, overwrite_a=1)  # the transpose is Fortran's order: no copy
            if info != 0:
                raise SingularMetric(self.nullspace())
            self._rcond = lapack.dpocon(factor, norm)[0]
            self._factor, self._scale = factor, scale
        return self._factor, self._scale  # type: ignore[return-value]

    def rcond(self) -> float:
        if self._rcond < 0.0:
            try:
                self._cholesky()
            except SingularMetric:
                self._rcond = 0.0
        return self._rcond

    def solve(self, g: Array) -> Array:
        factor, scale = self._cholesky()
        if g.ndim == 1:
            return lapack.dpotrs(factor, g * scale)[0] * scale
        return lapack.dpotrs(factor, g * scale[:, None])[0] * scale[:, None]

    def inverse(self) -> Array:
        """Return F^-1 as a (p, p) matrix, not to be written to: it is kept."""
        if self._inverse is None:
            factor, scale = self._cholesky()
            whole = lapack.dpotri(factor)[0]  # its upper half alone
            for j in range(1, len(whole)):
                whole[j, :j] = whole[:j, j]
            whole *= scale
            whole *= scale[:, None]
            whole.flags.writeable = False
            self._inverse = whole
        return self._inverse

    def quadratic(self, d: Array) -> float:
        return float(d @ self.matrix @ d)

    def inverse_quadratic(self, rows: Array) -> Array:
        factor, scale = self._cholesky()
        return _squared_columns(factor, (rows * scale).T)

    def pullback(self, J: Array) -> Gram:
        return Gram(J.T @ self.matrix @ J)

    def logdet(self) -> float:
        factor, scale = self._cholesky()
        return float(2.0 * (np.log(factor.diagonal()).sum() - np.log(scale).sum()))

    def nullspace(self, tolerance: float = ALIASED) -> Array:
        if not np.isfinite(self.matrix).all():
            return np.eye(self.size)
        diagonal = self.matrix.diagonal()
        scale = np.where(diagonal > 0.0, 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0)), 1.0)
        values, vectors = np.linalg.eigh(self.matrix * scale * scale[:, None])
        # On the squared matrix nothing under its own rounding error can be told from zero.
        smallest = max(tolerance**2, self.size * np.finfo(float).eps)
        return scale[:, None] * vectors[:, values <= smallest * max(values.max(initial=0.0), 1e-300)]

    def matrix_form(self) -> Array:
        return self.matrix

    def scaled(self, factor: float) -> Gram:
        return Gram(np.multiply(self.matrix, factor, out=scratch.array(*self.matrix.shape)))

    def let_go(self) -> None:
        self._factor, self._inverse = None, None

    def __add__(self, other: Metric) -> Gram:
        return Gram(self.matrix + other.matrix_form())

    def __iadd__(self, other: Metric) -> Gram:
        self.matrix += other.matrix_form()
        self.let_go()
        self._rcond = -1.0
        return self


class Triangular(Metric):
    """F held as an upper triangular factor R with R'R = F.

    Parameters
    ----------
    factor : (p, p) ndarray
        Upper triangular (fewer rows are allowed: F then has less than full rank).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    >>> F = Triangular.from_rows(X)
    >>> bool(np.allclose(F.matrix_form(), X.T @ X))
    True
    """

    __slots__ = ("_rcond", "factor")

    def __init__(self, factor: Array):
        self.factor = factor
        self._rcond = -1.0

    @classmethod
    def from_rows(cls, rows: Array) -> Triangular:
        """Factor the rows of sqrt(W) X, an (n, p) array."""
        return cls(_upper(rows))

    @property
    def size(self) -> int:  # type: ignore[override]
        return self.factor.shape[1]

    def rcond(self) -> float:
        if self._rcond < 0.0:
            length = np.sqrt((self.factor**2).sum(axis=0))
            if self.factor.shape[0] < self.size or not length.all() or not np.isfinite(length).all():
                self._rcond = 0.0
            else:
                self._rcond = float(lapack.dtrcon(self.factor / length, norm="1", uplo="U", diag="N")[0]) ** 2
        return self._rcond

    def _require_rank(self) -> None:
        # rcond is that of R'R; R itself is sound while its own stays above rounding.
        if self.rcond() <= (self.size * np.finfo(float).eps) ** 2:
            raise SingularMetric(self.nullspace())

    def solve(self, g: Array) -> Array:
        self._require_rank()
        half, _ = lapack.dtrtrs(self.factor, g, trans=1)
        return lapack.dtrtrs(self.factor, half)[0]

    def quadratic(self, d: Array) -> float:
        half = self.factor @ d
        return float(half @ half)

    def inverse_quadratic(self, rows: Array) -> Array:
        self._require_rank()
        return _squared_columns(self.factor, rows.T)

    def pullback(self, J: Array) -> Triangular:
        return Triangular.from_rows(self.factor @ J)

    def logdet(self) -> float:
        self._require_rank()
        return float(2.0 * np.log(np.abs(self.factor.diagonal())).sum())

    def nullspace(self, tolerance: float = ALIASED) -> Array:
        if not np.isfinite(self.factor).all():
            return np.eye(self.size)
        length = np.sqrt((self.factor**2).sum(axis=0))
        scale = np.where(length > 0.0, 1.0 / np.where(length > 0.0, length, 1.0), 1.0)
        _, values, vectors = np.linalg.svd(self.factor * scale, full_matrices=True)
        full = np.zeros(self.size)
        full[: values.size] = values
        return scale[:, None] * vectors[full <= tolerance * max(full.max(initial=0.0), 1e-300)].T

    def aliased(self, tolerance: float = ALIASED) -> Array:
        """Return a boolean (p,) mask of the columns that depend linearly on the columns before them.

        Rank is decided by pivoting on unit-length columns; which columns then leave is decided in their own order, so
        that the later one of two equal columns goes, as in R.
        """
        from scipy.linalg import qr

        length = np.sqrt((self.factor**2).sum(axis=0))
        gone = length == 0.0
        scaled = self.factor / np.where(gone, 1.0, length)
        pivots = np.abs(qr(scaled, mode="r", pivoting=True)[0].diagonal())
        if pivots.size == self.size and pivots.min(initial=1.0) > tolerance * pivots.max(initial=0.0):
            return gone
        kept: list[int] = []
        for j in range(self.size):
            if gone[j]:
                continue
            left = np.abs(_upper(scaled[:, [*kept, j]]).diagonal())
            if left.size <= len(kept) or left[-1] <= tolerance:
                gone[j] = True
            else:
                kept.append(j)
        return gone

    def matrix_form(self) -> Array:
        return self.factor.T @ self.factor

    def scaled(self, factor: float) -> Triangular:
        return Triangular(self.factor * np.sqrt(factor))

    def __add__(self, other: Metric) -> Triangular:
        if not isinstance(other, Triangular):
            raise TypeError("a triangular metric adds to another triangular metric only")
        return Triangular.from_rows(np.vstack([self.factor, other.factor]))


def _squared_columns(factor: Array, columns: Array) -> Array:
    """Return the squared lengths of R^-T v for each column v, R upper triangular."""
    half, _ = lapack.dtrtrs(factor, columns, trans=1)
    return np.asarray(np.einsum("ij,ij->j", half, half))


def _upper(rows: Array) -> Array:
    """Return the R of a QR factorization."""
    return np.asarray(np.linalg.qr(rows, mode="r"))
