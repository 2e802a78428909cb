"""Second derivatives where no closed form was given: the observed information, and the bend of coordinates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from natfit.families.base import ExponentialFamily
from natfit.families.family import Family
from natfit.parametrizations.base import Array, Mask, Parametrization
from natfit.parametrizations.numerical import numerical_jacobian

STENCIL = np.array([1.0, -1.0, 2.0, -2.0])
"""Steps of a difference of fourth order."""

BENT_BYTES = 2 << 20
"""Bytes of the Jacobians that are made at once; what they are made of takes several times as much."""


def home_observed(family: Family, y: Array, weights: Array | None, theta: Array) -> Array:
    """Return minus the Hessian of a sample's log-likelihood in home parameters, (p, p).

    In an exponential family it is n J'FJ less the second derivatives of eta(theta), weighted by what is left of the
    statistics; J = d eta / d theta is closed, and differentiated once. Any other family's score is differentiated.

    Parameters
    ----------
    family : Family
    y : (n, *event) ndarray
    weights : (n,) ndarray, optional
        How many observations a row stands for.
    theta : (p,) ndarray
        Inside the domain.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Poisson
    >>> home_observed(Poisson(), np.array([2.0, 4.0]), None, np.array([2.0])).round(8)
    array([[1.5]])
    """
    fisher = family.home_fisher(theta)
    scale = 1.0 / np.sqrt(fisher.diagonal())
    if not isinstance(family, ExponentialFamily):
        return -_derivative(lambda points: _scores(family, y, weights, points), theta, scale, family.contains)
    count = float(len(y) if weights is None else weights.sum())
    left = np.linalg.solve(family.natural_jacobian(theta).T, total_score(family, y, weights, theta))

    def pulled(points: Array) -> Array:
        return np.einsum("...kp,k->...p", family.natural_jacobian(points), left)

    return count * fisher - _derivative(pulled, theta, scale, family.contains)


def total_score(family: Family, y: Array, weights: Array | None, theta: Array) -> Array:
    """Return the gradient of a sample's log-likelihood in home parameters, (p,).

    Where the family has no row-wise score of its own it comes from the sum of the sufficient statistics.
    """
    if isinstance(family, ExponentialFamily) and type(family).home_score is ExponentialFamily.home_score:
        mean = family.mean_from_natural(family.natural_from_home(theta))
        count = len(y) if weights is None else weights.sum()
        return family.natural_jacobian(theta).T @ (_sum(family.sufficient_statistics(y), weights) - count * mean)
    return _sum(family.home_score(y, theta), weights)


def bend(coordinates: Parametrization, xi: Array, score: Array, scale: Array) -> Array:
    """Return the sum of the second derivatives d2 theta / d xi2, weighted by a score in home parameters, (q, q).

    The observed information in coordinates is J'HJ less this. It vanishes where the whole score does, so it matters
    where coordinates are fewer than home parameters, or away from the maximum.

    Parameters
    ----------
    coordinates : Parametrization
    xi : (q,) ndarray
        Inside the domain.
    score : (p,) ndarray
    scale : (q,) ndarray
        For each coordinate a distance over which the distribution changes.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.parametrizations import Log
    >>> bend(Log(["log_rate"]), np.array([0.0]), np.array([3.0]), np.array([1.0])).round(8)
    array([[3.]])
    """
    with np.errstate(all="ignore"):
        return _derivative(lambda x: coordinates.pull_score(x, score), xi, scale, coordinates.contains)


def nearby_bend(coordinates: Parametrization, xi: Array, score: Array, scale: Array) -> Array:
    """Return what `bend` does, by differences of fourth order over a hundredth of ``scale``: Jacobians in batches.

    Good to nine digits where ``scale`` is a standard error, at a hundredth of the time; for use inside a loop.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.parametrizations import Log
    >>> nearby_bend(Log(["log_rate"]), np.array([0.0]), np.array([3.0]), np.array([1.0])).round(8)
    array([[3.]])
    """
    size = len(xi)
    together = max(BENT_BYTES // (8 * STENCIL.size * max(coordinates.home_size * size, 1)), 1)
    matrix = np.empty((size, size))
    with np.errstate(all="ignore"):
        for start in range(0, size, together):
            own = np.arange(start, min(start + together, size))
            step = 1e-2 * np.eye(size)[own] * scale
            slopes = coordinates.pull_score(xi + STENCIL[:, None, None] * step, score)
            near, back, far, behind = slopes
            matrix[own] = (8.0 * (near - back) - (far - behind)) / (12.0e-2 * scale[own, None])
    return 0.5 * (matrix + matrix.T)


def _derivative(
    gradient: Callable[[Array], Array], at: Array, scale: Array, contains: Callable[[Array], Mask]
) -> Array:
    """Differentiate a gradient, (..., q) -> (..., q), to a symmetric matrix; steps are small shares of ``scale``.

    A parameter's own size is no measure for them: a location may be a million scales away from 0.
    """

    def place(u: Array) -> Array:
        return at + scale * (u - 1.0)  # numerical_jacobian takes its first steps as a share of the coordinates

    matrix = numerical_jacobian(lambda u: gradient(place(u)), np.ones_like(at), lambda u: contains(place(u))) / scale
    return 0.5 * (matrix + matrix.T)


def _scores(family: Family, y: Array, weights: Array | None, points: Array) -> Array:
    """Return the total score at each of several parameters, (..., p): one after another, as the rows are many."""
    flat = [total_score(family, y, weights, point) for point in points.reshape(-1, points.shape[-1])]
    return np.array(flat).reshape(points.shape)


def _sum(rows: Array, weights: Array | None) -> Array:
    return rows.sum(axis=0) if weights is None else weights @ rows
