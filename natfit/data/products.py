"""Weighted products of dense rows: scaled run by run into a buffer that stays in cache, then multiplied by BLAS."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from natfit import scratch

Array = np.ndarray[Any, np.dtype[Any]]

PRODUCT_BYTES = 3 << 19
"""Bytes of a design that are multiplied together: they and their scaled copy then stay near a core. Measured at 20, 50 and
200 columns; larger and smaller ones took up to a fifth longer."""
TALL = 1
"""Rows of a product for each column, at least. With 2 a pass over 800 columns takes a tenth less time, and each thread twice
the memory."""
FEWEST_ROWS = 512
"""Rows under which Python's own time shows."""
MOST_BYTES = 16 << 20
"""Bytes of design in one product, at most, however many its columns: each thread holds as much again."""


def product_rows(width: int) -> int:
    """Return how many rows of so many columns are scaled and multiplied together.

    Examples
    --------
    >>> product_rows(20), product_rows(200), product_rows(800)
    (9830, 983, 800)
    """
    rows = max(PRODUCT_BYTES // (8 * max(width, 1)), TALL * width)
    return max(min(rows, MOST_BYTES // (8 * max(width, 1))), FEWEST_ROWS)


def scaled_rows(array: Array, scale: Array) -> Array:
    """Return diag(scale) X on memory that serves again: no temporary for each block."""
    order: Literal["C", "F"] = "F" if array.strides[0] < array.strides[1] else "C"
    out = scratch.array(array.size).reshape(array.shape, order=order)
    return np.multiply(array, scale[:, None], out=out)


def weighted_gram(array: Array, weight: Array) -> Array:
    """Return X' diag(weight) X of a dense (n, p) array; weights of either sign."""
    with np.errstate(invalid="ignore"):
        root = np.sqrt(weight)
    first, *others = _runs(*array.shape)
    product = _square(array[first], root[first])
    for run in others:
        product += _square(array[run], root[run])
    if not np.isnan(product[:1, :1]).any():
        return product
    # The root of a weight below 0, or a missing number: the product that takes either sign says which.
    return np.dot(scaled_rows(array, weight).T, array)


def weighted_cross(left: Array, weight: Array, right: Array) -> Array:
    """Return left' diag(weight) right of dense (n, p) and (n, q) arrays."""
    first, *others = _runs(len(left), max(left.shape[1], right.shape[1]))
    product = np.dot(scaled_rows(left[first], weight[first]).T, right[first])
    for run in others:
        product += np.dot(scaled_rows(left[run], weight[run]).T, right[run])
    return product


def _runs(n_rows: int, width: int) -> list[slice]:
    """Return the runs of rows that are multiplied together, all of about one length: a short one takes as long to add up."""
    if n_rows <= FEWEST_ROWS:
        return [slice(0, n_rows)]
    length = -(-n_rows // -(-n_rows // product_rows(width)))
    return [slice(start, start + length) for start in range(0, n_rows, length)]


def _square(array: Array, root: Array) -> Array:
    """Return the Gram matrix of rows, each times its root of a weight."""
    scaled = scaled_rows(array, root)
    width = array.shape[1]
    return np.dot(scaled.T, scaled, out=scratch.array(width, width))  # NumPy hands this very product to syrk
