"""Triangular products for all components at once, a few columns at a time: what Gaussian mixtures of wide rows cost.

A row is whitened by a triangle, and the products of its pairs of columns are a triangle. A product with a panel of columns
of *all* components is a large one, which BLAS likes, and needs only the columns up to its own, which spares nearly half of
the arithmetic. Measured at 32 columns and 8 components, one thread, for 200,000 rows: 66 ms in four panels against 87 ms in
one to whiten, 86 ms against 117 ms of a component's syrk at a time for the products.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

PANEL = 8
"""Columns of a panel: of 32 columns, as much time as with 4, and with 16 a tenth more."""

BUFFER_BYTES = 5 << 19
"""Bytes of one panel for several components: more would leave the cache before they are used."""

NEGLIGIBLE = 1e-40
"""Share of a row, against the component's largest, that adds nothing to its sums: a billion such rows, each ten thousand
standard deviations out, would change them by 1e-23 of themselves."""


def squared_lengths(triangles: Array, with_ones: Array) -> Array:
    """Return the squared lengths (K, n) of rows that each of K triangles has turned.

    Parameters
    ----------
    triangles : (K, d, 1 + d) ndarray
        An offset, and the rows of a lower triangle.
    with_ones : (1 + d, n) ndarray
        A row of ones, and the columns of the data.
    """
    K, d, _ = triangles.shape
    n = with_ones.shape[1]
    out = np.zeros((K, n))
    for own in _bunches(range(K), n):
        buffer = np.empty(len(own) * _widest(d) * n)
        for first, last in pairwise(_edges(d)):
            panel = triangles[own, first:last, : 1 + last].reshape(-1, 1 + last)
            turned = buffer[: len(panel) * n].reshape(-1, n)
            np.matmul(panel, with_ones[: 1 + last], out=turned)
            each = turned.reshape(-1, last - first, n)
            out[own] += np.einsum("kij,kij->kj", each, each)
    return out


def weighted_products(share: Array, with_ones: Array) -> Array:
    """Return sum over n of share_kn z_n z_n' for rows z, (K, 1 + d, 1 + d): only the lower triangles are to be used.

    Components far from most rows take only those rows of which they have a share.

    Parameters
    ----------
    share : (K, n) ndarray
        Not negative.
    with_ones : (1 + d, n) ndarray
    """
    K, (width, n) = len(share), with_ones.shape
    made = np.zeros((K, width, width))
    spread_out = []
    for k, each in enumerate(share):
        rows = np.flatnonzero(each > NEGLIGIBLE * each.max(initial=0.0))
        if 2 * rows.size > n:
            spread_out.append(k)
        else:
            own = with_ones.take(rows, axis=1)
            made[k] = (own * each[rows]) @ own.T
    for at in _bunches(spread_out, n):
        buffer = np.empty(len(at) * _widest(width) * n)
        for first, last in pairwise(_edges(width)):
            scaled = buffer[: len(at) * (last - first) * n].reshape(len(at), last - first, n)
            np.multiply(share[at, None, :], with_ones[first:last], out=scaled)
            product = scaled.reshape(-1, n) @ with_ones[:last].T
            made[at, first:last, :last] = product.reshape(len(at), last - first, last)
    return made


def _edges(width: int) -> list[int]:
    """Return the edges of panels, what is left over taken into the first of them.

    Examples
    --------
    >>> _edges(33)
    [0, 9, 17, 25, 33]
    """
    rest = width % PANEL if width > PANEL else 0
    return [0, *range(PANEL + rest, width, PANEL), width]


def _widest(width: int) -> int:
    return max(last - first for first, last in pairwise(_edges(width)))


def _bunches(components: Sequence[int], n: int) -> Iterator[list[int]]:
    """Yield runs of components whose panels fit the buffer."""
    size = max(BUFFER_BYTES // (8 * PANEL * max(n, 1)), 1)
    for start in range(0, len(components), size):
        yield list(components[start : start + size])
