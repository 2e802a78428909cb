"""Maxima of the complete data's likelihood under the fourteen covariance models.

Each function takes counts (..., K), scatter matrices W (..., K, d, d), previous covariances or None and a number of inner
iterations, and returns covariances (..., K, d, d). Sources: Celeux & Govaert (1995); for a common orientation, plane
rotations as in Flury & Gautschi (1986), SIAM J. Sci. Stat. Comput. 7, each of which is an exact minimum, where Browne &
McNicholas (2014) majorise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Step = Callable[[Array, Array, "Array | None", int], Array]

TINY = np.finfo(float).tiny


def _full(values: Array) -> Array:
    """Return diagonal matrices."""
    return values[..., None] * np.eye(values.shape[-1])


def _diagonal(matrix: Array) -> Array:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _pooled(scatter: Array) -> Array:
    return scatter.sum(axis=-3)


def _total(counts: Array) -> Array:
    return counts.sum(axis=-1)


def _geometric(values: Array) -> Array:
    """Return the geometric mean over the last axis."""
    return np.exp(np.log(np.maximum(values, TINY)).mean(axis=-1))


def _volume(matrix: Array) -> Array:
    """Return det^(1/d)."""
    sign, log = np.linalg.slogdet(matrix)
    return np.where(sign > 0, np.exp(log / matrix.shape[-1]), TINY)


def _spread(shared: Array, scatter: Array) -> Array:
    """Repeat what all components share, (..., d, d), for each of them."""
    return np.broadcast_to(shared[..., None, :, :], scatter.shape).copy()


def eii(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    dim = scatter.shape[-1]
    volume = _diagonal(_pooled(scatter)).sum(axis=-1) / (dim * _total(counts))
    return _spread(volume[..., None, None] * np.eye(dim), scatter)


def vii(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    dim = scatter.shape[-1]
    return (_diagonal(scatter).sum(axis=-1) / (dim * counts))[..., None, None] * np.eye(dim)


def eei(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    return _spread(_full(_diagonal(_pooled(scatter)) / _total(counts)[..., None]), scatter)


def vvi(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    return _full(_diagonal(scatter) / counts[..., None])


def evi(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    each = _diagonal(scatter)
    size = _geometric(each)
    volume = size.sum(axis=-1) / _total(counts)
    return _full(each * (volume[..., None] / size)[..., None])


def vei(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    each = _diagonal(scatter)
    volume = _first_volume(counts, scatter, previous)
    for _ in range(inner):
        shape = (each / volume[..., None]).sum(axis=-2)
        shape /= _geometric(shape)[..., None]
        volume = (each / shape[..., None, :]).sum(axis=-1) / (each.shape[-1] * counts)
    return _full(volume[..., None] * shape[..., None, :])


def eee(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    return _spread(_pooled(scatter) / _total(counts)[..., None, None], scatter)


def vvv(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    return scatter / counts[..., None, None]


def vee(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    volume = _first_volume(counts, scatter, previous)
    for _ in range(inner):
        shared = (scatter / volume[..., None, None]).sum(axis=-3)
        shared /= _volume(shared)[..., None, None]
        inverse = _inverse(shared)[..., None, :, :]
        volume = (scatter * inverse).sum(axis=(-2, -1)) / (scatter.shape[-1] * counts)
    return volume[..., None, None] * shared[..., None, :, :]


def evv(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    size = _volume(scatter)
    volume = size.sum(axis=-1) / _total(counts)
    return scatter * (volume[..., None] / size)[..., None, None]


def eev(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    values, turn = np.linalg.eigh(scatter)
    shared = values.sum(axis=-2) / _total(counts)[..., None]
    return _turned(turn, np.broadcast_to(shared[..., None, :], values.shape))


def vev(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    values, turn = np.linalg.eigh(scatter)
    volume = _first_volume(counts, scatter, previous)
    for _ in range(inner):
        shape = (values / volume[..., None]).sum(axis=-2)
        shape /= _geometric(shape)[..., None]
        volume = (values / shape[..., None, :]).sum(axis=-1) / (values.shape[-1] * counts)
    return _turned(turn, volume[..., None] * shape[..., None, :])


def eve(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    def axes(turned: Array) -> Array:
        size = _geometric(turned)
        return turned * ((size.sum(axis=-1) / _total(counts))[..., None] / size)[..., None]

    return _common_orientation(scatter, previous, inner, axes)


def vve(counts: Array, scatter: Array, previous: Array | None, inner: int) -> Array:
    return _common_orientation(scatter, previous, inner, lambda turned: turned / counts[..., None])


STEPS: dict[str, Step] = {
    step.__name__.upper(): step for step in (eii, vii, eei, vei, evi, vvi, eee, vee, eve, vve, eev, vev, evv, vvv)
}


def _first_volume(counts: Array, scatter: Array, previous: Array | None) -> Array:
    """Return volumes (..., K) to begin with."""
    if previous is not None:
        return _volume(previous)
    return _diagonal(scatter).mean(axis=-1) / counts


def _inverse(matrix: Array) -> Array:
    """Return inverses, NaN where there is none: the likelihood is then not finite, and says so."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        bad = ~np.isfinite(matrix).all(axis=(-2, -1)) | (np.linalg.matrix_rank(matrix) < matrix.shape[-1])
        safe = np.where(bad[..., None, None], np.eye(matrix.shape[-1]), matrix)
        return np.where(bad[..., None, None], np.nan, np.linalg.inv(safe))


def _turned(turn: Array, values: Array) -> Array:
    """Return D diag(values) D'."""
    made = (turn * values[..., None, :]) @ np.swapaxes(turn, -1, -2)
    return 0.5 * (made + np.swapaxes(made, -1, -2))


def common_axes(covariance: Array) -> Array:
    """Return the eigenvectors (..., d, d) that covariances (..., K, d, d) have in common.

    They are those of a combination with coefficients without a common measure, in which no two eigenvalues coincide
    unless they do in all.
    """
    size = _diagonal(covariance).mean(axis=-1)
    coefficient = 1.0 / (np.sqrt(2.0 + np.arange(covariance.shape[-3])) * size)
    return np.linalg.eigh((coefficient[..., None, None] * covariance).sum(axis=-3))[1]


def _common_orientation(scatter: Array, previous: Array | None, inner: int, axes: Callable[[Array], Array]) -> Array:
    """Return D diag(axes_k) D' with one D: rotations in the planes of two columns, and the axes, in turn.

    With axes held, sum_k tr(W_k D diag(1 / axes_k) D') is a quadratic form in the sine and cosine of a plane rotation,
    so that its minimum is the smaller eigenvector of a 2 by 2 matrix.
    """
    turn = common_axes(scatter if previous is None else previous)
    dim = scatter.shape[-1]
    turned = np.swapaxes(turn, -1, -2)[..., None, :, :] @ scatter @ turn[..., None, :, :]
    for _ in range(inner):
        values = axes(np.maximum(_diagonal(turned), TINY))
        inverse = 1.0 / values
        for i in range(dim - 1):
            for j in range(i + 1, dim):
                gap = inverse[..., i] - inverse[..., j]
                a, b, c = ((gap * turned[..., p, q]).sum(axis=-1) for p, q in ((i, i), (i, j), (j, j)))
                angle = 0.5 * np.arctan2(-2.0 * b, c - a)  # of the smaller eigenvector of ((a, b), (b, c))
                _rotate(turn, turned, i, j, np.cos(angle), np.sin(angle))
    return _turned(turn[..., None, :, :], axes(np.maximum(_diagonal(turned), TINY)))


def _rotate(turn: Array, turned: Array, i: int, j: int, cos: Array, sin: Array) -> None:
    """Rotate columns i and j of D, (..., d, d), and with them D'WD, (..., K, d, d), in place."""
    c, s = cos[..., None], sin[..., None]
    first, second = turn[..., i].copy(), turn[..., j].copy()
    turn[..., i], turn[..., j] = c * first + s * second, c * second - s * first
    c, s = c[..., None], s[..., None]
    first, second = turned[..., i].copy(), turned[..., j].copy()
    turned[..., i], turned[..., j] = c * first + s * second, c * second - s * first
    first, second = turned[..., i, :].copy(), turned[..., j, :].copy()
    turned[..., i, :], turned[..., j, :] = c * first + s * second, c * second - s * first
