"""The best step on a sphere of constant KL, found without knowing where it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from natfit.diagnostics.theory.place import Place
from natfit.parametrizations.base import Array

Function = Callable[[Array], Array]

STEP = 0.02
"""Step of the central differences, as a share of the radius: on a small sphere loss and KL are nearly quadratic, so that
truncation (fourth power of the step, times the radius) and rounding both stay near 1e-10."""


@dataclass(frozen=True, eq=False)
class BestStep:
    """A constrained minimiser: the step (q,), its Lagrange multiplier, and how far Lagrange's condition is from met.

    ``residual`` is |grad L + lambda grad KL| relative to |grad L|: about the error of the step's angle in radians.
    """

    step: Array
    multiplier: float
    residual: float


def best_step(place: Place, loss: Callable[[Array], Array], radius: float) -> BestStep:
    """Minimise the loss over steps d with KL(xi || xi + d) = radius^2 / 2.

    By SLSQP with numerical gradients from an arbitrary direction, and then Newton's method (MINPACK's hybrd) on Lagrange's
    condition, which is where the last digits come from. From the opposite direction once more if that ends with a negative
    multiplier (the maximum is stationary too) or does not settle. Unknowns are d in units of radius / sqrt(F_ii).
    """
    unit = radius / np.sqrt(place.fisher.diagonal())
    half = 0.5 * radius**2

    def objective(u: Array) -> Array:
        return np.asarray(loss(place.xi + unit * u)) / radius

    def constraint(u: Array) -> Array:
        return np.asarray(place.kl(place.xi, place.xi + unit * u)) / half - 1.0

    start = np.random.default_rng(4).normal(size=place.size)
    found: list[BestStep] = []
    for sign in (1.0, -1.0):
        u = _minimise(objective, constraint, _onto_sphere(constraint, sign * start))
        down, across = _slopes(objective, u) * radius, _slopes(constraint, u) * half
        multiplier = -float(down @ across) / float(across @ across)
        residual = float(np.linalg.norm(down + multiplier * across) / np.linalg.norm(down))
        found.append(BestStep(unit * u, multiplier, max(residual, abs(float(constraint(u))))))
        if multiplier > 0 and found[-1].residual < 1e-6:
            break
    return min(found, key=lambda best: (best.multiplier <= 0, best.residual))


def _minimise(objective: Function, constraint: Function, start: Array) -> Array:
    """Minimise a function where another one is zero."""
    from scipy.optimize import minimize, root

    scale = float(np.linalg.norm(_slopes(objective, start)))
    rough = minimize(
        lambda u: objective(u) / scale,
        start,
        jac=lambda u: _slopes(objective, u) / scale,
        constraints={"type": "eq", "fun": constraint, "jac": lambda u: _slopes(constraint, u)},
        method="SLSQP",
        options={"ftol": 1e-6, "maxiter": 200},
    ).x

    def lagrange(unknowns: Array) -> Array:
        u = unknowns[:-1]
        gradient = _slopes(objective, u) / scale + unknowns[-1] * _slopes(constraint, u)
        return np.append(gradient, constraint(u))

    down, across = _slopes(objective, rough) / scale, _slopes(constraint, rough)
    guess = np.append(rough, -(down @ across) / (across @ across))
    polished = root(lagrange, guess, method="hybr", options={"xtol": 1e-12, "eps": 1e-6}).x
    better = np.linalg.norm(lagrange(polished)) < np.linalg.norm(lagrange(guess))
    near = np.linalg.norm(polished[:-1] - rough) < 0.1 * np.linalg.norm(rough)
    return polished[:-1] if better and near else rough


def _onto_sphere(constraint: Function, direction: Array) -> Array:
    """Shorten or lengthen a direction until it is near the sphere, taking KL as quadratic in length."""
    for _ in range(8):
        value = float(constraint(direction)) + 1.0
        direction = direction / np.sqrt(value) if np.isfinite(value) and value > 0 else 0.25 * direction
    return direction


def _slopes(function: Function, at: Array) -> Array:
    """Differentiate by central differences of fourth order, all points in one call."""
    shift = STEP * np.eye(at.size)
    value = function(at + np.concatenate([shift, -shift, 2.0 * shift, -2.0 * shift])).reshape(4, -1)
    return (8.0 * (value[0] - value[1]) - (value[2] - value[3])) / (12.0 * STEP)
