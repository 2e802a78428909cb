"""Expectations under a univariate family: sums over a discrete support, quadrature over a continuous one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from natfit.parametrizations.base import Array

if TYPE_CHECKING:
    from natfit.families.family import Family

LONGEST_SUM = 10_000_000
"""Terms after which a sum over a discrete support is given up."""


def expectation(family: Family, function: Callable[[Array], Array], theta: Array) -> Array:
    """Return E[function(y)] for home parameters (..., p), shape (...).

    Parameters
    ----------
    function : callable
        Vectorised, one number for each observation.

    Raises
    ------
    NotImplementedError
        For families of vectors or matrices.
    """
    if family.support.event_shape:
        raise NotImplementedError(f"{family.name} has vector observations: estimate expectations from `sample`.")
    theta = np.asarray(theta, dtype=float)
    if family.support.discrete:
        return _sum(family, function, theta)
    return _quadrature(family, function, theta)


def _sum(family: Family, function: Callable[[Array], Array], theta: Array) -> Array:
    """Sum in runs of doubling length until mass and terms are exhausted."""
    shape = theta.shape[:-1]
    total, mass = np.zeros(shape), np.zeros(shape)
    start, length = family.support.low, 256
    while start <= family.support.high:
        stop = min(start + length, family.support.high + 1)
        y = np.arange(start, stop)
        prob = np.exp(family.home_log_prob(y, theta[..., None, :]))
        terms = prob * function(y)
        gained = terms.sum(axis=-1)
        total, mass = total + gained, mass + prob.sum(axis=-1)
        # the mass is known to about 1e-12 only after many terms; what decides is that a whole run added nothing
        if np.all((mass > 1 - 1e-6) & (np.abs(terms).sum(axis=-1) <= 1e-17 * (1.0 + np.abs(total)))):
            break
        if stop - family.support.low > LONGEST_SUM:
            raise ArithmeticError(f"{family.name}: an expectation needs more than {LONGEST_SUM} terms at {theta}.")
        start, length = stop, 2 * length
    return total


def _quadrature(family: Family, function: Callable[[Array], Array], theta: Array) -> Array:
    """Integrate by the tanh-sinh rule, on both sides of the median of a small sample (seed fixed)."""
    from scipy.integrate import tanhsinh

    shape = theta.shape[:-1]
    middle = np.median(family.home_sample(theta, np.random.default_rng(0), (63, *shape)), axis=0)
    columns = np.moveaxis(theta, -1, 0)

    def integrand(y: Array, *parameters: Array) -> Array:
        point = np.stack(np.broadcast_arrays(*parameters), axis=-1)
        with np.errstate(all="ignore"):
            value = np.exp(family.home_log_prob(y, point)) * function(y)
        return np.where(family.support.contains(y), value, 0.0)

    lower = tanhsinh(integrand, family.support.low, middle, args=tuple(columns), rtol=1e-12, atol=1e-300)
    upper = tanhsinh(integrand, middle, family.support.high, args=tuple(columns), rtol=1e-12, atol=1e-300)
    return np.asarray(lower.integral + upper.integral)
