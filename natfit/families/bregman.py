"""Kullback-Leibler divergence as a Bregman divergence of the log-partition function, without cancellation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from natfit.parametrizations.base import Array

NEAR = 0.1
"""Divergence in nats above which the difference is returned at once: it has lost nothing that matters."""

_RULES = [tuple(0.5 * v for v in (x + 1.0, w)) for x, w in map(np.polynomial.legendre.leggauss, (10, 16))]
"""Gauss-Legendre nodes and weights on (0, 1), of two lengths: their difference bounds the error of the longer."""


def bregman_divergence(
    log_partition: Callable[[Array], Array],
    mean: Callable[[Array], Array],
    fisher: Callable[[Array], Array],
    eta0: Array,
    eta1: Array,
) -> Array:
    """Return KL(eta0 || eta1) = A(eta1) - A(eta0) - (eta1 - eta0)' m(eta0), shape (...).

    Between neighbours that difference of large numbers cancels, so there it is written as a sum of positive terms, the
    remainder of Taylor's theorem: the integral over t in (0, 1) of (1 - t) d'F(eta0 + t d)d, with d = eta1 - eta0 and F
    the Hessian of A. Of the two, the one with the smaller error estimate is returned: rounding of the terms for the
    difference, two quadrature rules compared for the integral.

    Source: Banerjee et al. (2005), Clustering with Bregman divergences, JMLR 6, theorem 4.
    """
    eta0, eta1 = np.broadcast_arrays(eta0, eta1)
    d = eta1 - eta0
    a0, a1, moved = log_partition(eta0), log_partition(eta1), d * mean(eta0)
    plain = a1 - a0 - moved.sum(axis=-1)
    size = np.abs(a1) + np.abs(a0) + np.abs(moved).sum(axis=-1)
    near = plain < NEAR
    if not np.any(near):
        return plain
    short, long = (_remainder(fisher, eta0[near], d[near], *rule) for rule in _RULES)
    better = np.abs(long - short) <= np.finfo(float).eps * size[near]
    out = np.array(plain)
    out[near] = np.where(better, long, plain[near])
    return out[()]


def _remainder(fisher: Callable[[Array], Array], start: Array, step: Array, nodes: Array, weights: Array) -> Array:
    """Integrate (1 - t) d'F(start + t d)d over t in (0, 1) by the rule given."""
    total = np.zeros(start.shape[:-1])
    for t, weight in zip(nodes, weights, strict=True):
        total += weight * (1.0 - t) * np.einsum("...i,...ij,...j->...", step, fisher(start + t * step), step)
    return total


def x_minus_log1p(x: Array) -> Array:
    """Return x - log(1 + x) >= 0 for x > -1, to nearly full precision also near zero.

    Near zero by the series of 2 artanh: with s = x / (2 + x), log(1 + x) = 2 (s + s^3/3 + s^5/5 + ...), and
    x - 2 s = x s.

    Examples
    --------
    >>> round(float(x_minus_log1p(1e-8)) * 2e16, 14)
    0.99999999333333
    """
    x = np.asarray(x, dtype=float)
    small = np.abs(x) < 0.1
    near = np.where(small, x, 0.0)
    s = near / (2.0 + near)
    # |s| < 0.053: the first term left out is below 1e-17 of the sum
    tail = sum(s ** (2 * k + 1) / (2 * k + 1) for k in range(1, 8))
    with np.errstate(divide="ignore"):  # at -1, an edge of the domain, it is infinite
        return np.where(small, near * s - 2.0 * tail, x - np.log1p(np.where(small, 0.0, x)))
