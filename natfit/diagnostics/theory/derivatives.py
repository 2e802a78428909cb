"""Numerical derivatives at a place, in steps of standard errors, with their error estimates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from natfit.diagnostics.theory.place import Place
from natfit.parametrizations.base import Array

Scalar = Callable[[Array], Array]
"""A function of coordinates, (..., q) to (...)."""

Map = Callable[[Array], Array]
"""A function of coordinates, (..., q) to (..., p)."""

TOLERANCES = {"rtol": 1e-13, "atol": 1e-13}
"""So small that scipy halves its step until its error estimate stops falling."""


def gradient(function: Scalar, place: Place) -> tuple[Array, float]:
    """Return V' grad f at the place, (q,), and the size of its error, by `scipy.differentiate.jacobian`.

    Components are slopes along the place's axes: change of f for one standard error. The gradient in coordinates is L
    times that.
    """
    from scipy.differentiate import jacobian

    def along_axes(a: Array) -> Array:
        return np.asarray(function(place.at(np.moveaxis(a, 0, -1))))[None]

    result = jacobian(
        along_axes, np.zeros(place.size), initial_step=0.5 * place.radius, maxiter=12, tolerances=TOLERANCES
    )
    return np.reshape(result.df, place.size), float(np.max(np.abs(result.error)))


def along(function: Map, place: Place, step: Array) -> Array:
    """Return the derivative of a map at the place along a step in its axes, (p,), by `scipy.differentiate.jacobian`."""
    from scipy.differentiate import jacobian

    length = np.linalg.norm(step)

    def reached(t: Array) -> Array:
        return np.moveaxis(function(place.at(t[0, ..., None] * (step / length))), -1, 0)

    result = jacobian(reached, np.zeros(1), initial_step=0.5 * place.radius, maxiter=12, tolerances=TOLERANCES)
    return length * np.asarray(result.df)[:, 0]


def hessian(function: Scalar, place: Place) -> tuple[Array, float]:
    """Return V' (Hessian of f) V at the place, (q, q), and the size of its error, by `scipy.differentiate.hessian`."""
    from scipy.differentiate import hessian as differentiate

    def along_axes(a: Array) -> Array:
        return np.asarray(function(place.at(np.moveaxis(a, 0, -1))))

    result = differentiate(
        along_axes, np.zeros(place.size), initial_step=0.25 * place.radius, maxiter=8, tolerances=TOLERANCES
    )
    return np.asarray(result.ddf), float(np.max(np.abs(result.error)))


def hessian_stencil(place: Place) -> tuple[Array, Array]:
    """Return points (K, q) and weights (K, q, q) with Hessian = sum of weight f(point), in coordinates.

    Central differences at two step lengths, extrapolated (Richardson): one linear rule, so that the Hessians of
    100,000 log-densities are one matrix product. The shorter step is at most 0.005 standard errors: truncation is about
    1e-9 and rounding about 1e-10 of the second derivative.
    """
    q, short = place.size, 0.01 * place.radius
    points: list[Array] = [np.zeros(q)]
    weights: list[Array] = [np.zeros((q, q))]
    eye = np.eye(q)
    for step, share in ((short, 4.0 / 3.0), (2.0 * short, -1.0 / 3.0)):
        for i in range(q):
            pair = share / step**2 * np.outer(eye[i], eye[i])
            weights[0] = weights[0] - 2.0 * pair
            points += [step * eye[i], -step * eye[i]]
            weights += [pair, pair]
            for j in range(i):
                both = share / (4.0 * step**2) * (np.outer(eye[i], eye[j]) + np.outer(eye[j], eye[i]))
                for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                    points.append(step * (s * eye[i] + t * eye[j]))
                    weights.append(s * t * both)
    # from axes to coordinates: the Hessian in xi is L (Hessian along axes) L'
    return place.at(np.stack(points)), place.lower @ np.stack(weights) @ place.lower.T
