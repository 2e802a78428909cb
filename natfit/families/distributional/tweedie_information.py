"""The Fisher information of Tweedie responses of mean 1 in log dispersion and power, by the trapezoidal rule.

In s, the root of the Poisson rate lambda(u) = u^(2-p) / (phi (2-p)) at a response's own mean, the density's features
have one width everywhere: sqrt(2 - p) / 2 as a whole, and sqrt((2-p) (p-1)) / 2 where the numbers of summands can be told
apart. Towards 0 it falls as s^(2 / (p-1)), so s = log(1 + exp(t)) and t is equally spaced: an analytic function that falls
on both sides, whose sum converges geometrically (Trefethen & Weideman 2014, SIAM Review 56, 385-458). The series, in
rate and power alone, is summed once for all dispersions.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import special

from natfit.families._tweedie_deviance import integrals
from natfit.families._tweedie_series import log_bump
from natfit.families.distributional.base import Array

DEPTH = 45.0
"""Nats below the density's largest value at which it is left out: under 1e-19 of it."""
TAIL = 0.25
"""Steps in log u over which exp(-u / phi) is summed. The error is a gamma function at 2 pi / 0.25 times the imaginary unit
more than 1 / phi: under 1e-9 of the sum."""
MOST = 8192
"""Nodes of one rate. Where more are wanted, with a power within 1e-4 of 1 at dispersions above a quarter of its distance, or
near 2 at dispersions above a hundred, digits are lost: at 1 + 1e-5 the sixth, at 1 + 1e-6 the first."""
NARROWEST = 0.15
"""Share of a bump's width that nodes are apart at least. Between bumps the score changes over (p - 1) pi / 2 sqrt(j), which
is shorter where p is near 1; but then next to nothing lies between them."""


NODES = 16
"""Chebyshev points in the logarithm of the dispersion, and in the power, between which many rows are interpolated."""
FEW = 64
"""Rows, or different powers, from which interpolation is cheaper than a sum for each."""
AGREED = 1e-9
"""Share of the information by which an interpolation in both may miss it."""


def information_of_rows(log_dispersion: Array, power: Array) -> Array:
    """Return the information of log dispersion, of it and power, and of power at mean 1, (3, n), for rows of any power."""
    distinct, codes = np.unique(power, return_inverse=True)
    if distinct.size > FEW:
        smooth = _interpolated(log_dispersion, power)
        if smooth is not None:
            return smooth
    found = np.empty((3, power.size))
    order = np.argsort(codes, kind="stable")
    edges = np.append(np.flatnonzero(np.diff(codes[order], prepend=-1)), codes.size)
    for value, (start, stop) in zip(distinct.tolist(), itertools.pairwise(edges), strict=True):
        rows = order[start:stop]
        found[:, rows] = _of_one_power(log_dispersion[rows], value)
    return found


def _of_one_power(z: Array, power: float) -> Array:
    if z.size <= FEW or float(np.ptp(z)) < 1e-10:
        distinct, back = np.unique(z, return_inverse=True)
        return information(distinct, power)[:, back]
    points, place = _chebyshev(z)
    return information(points, power) @ place.T


def _interpolated(z: Array, power: Array) -> Array | None:
    """Interpolate in log dispersion and the logit of the power; None where that misses one of a few rows."""
    logit = np.log(power - 1.0) - np.log(2.0 - power)
    points, place = _chebyshev(z)
    powers, own = _chebyshev(logit)
    table = np.array([_in_logit(information(points, 1.0 + special.expit(q)), q) for q in powers])
    found = np.einsum("njk,nj->kn", np.einsum("jki,ni->njk", table, place), own)
    for row in np.linspace(0, z.size - 1, 5).astype(int):
        known = _in_logit(information(z[row : row + 1], float(power[row])), logit[row])[:, 0]
        size = np.array([known[0], np.sqrt(known[0] * known[2]), known[2]])
        if np.any(np.abs(found[:, row] - known) > AGREED * size):
            return None
    return _in_logit(found, logit, -1.0)


def _in_logit(each: Array, logit: Any, sign: float = 1.0) -> Array:
    """Carry the information from the power to its logit, or with sign -1 back."""
    slope = (special.expit(logit) * special.expit(-logit)) ** sign
    return np.stack([each[0], each[1] * slope, each[2] * slope**2])


def _chebyshev(values: Array) -> tuple[Array, Array]:
    """Return points over the range of the values, and the (n, points) weights that interpolate at the values."""
    unit = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    middle, half = 0.5 * (values.max() + values.min()), 0.5 * float(np.ptp(values))
    vander = np.polynomial.chebyshev.chebvander
    weights = np.linalg.solve(vander(unit, NODES - 1).T, vander((values - middle) / (half or 1.0), NODES - 1).T).T
    return middle + half * unit, weights


def information(log_dispersion: Array, power: float) -> Array:
    """Return the information of log dispersion, of it and power, and of power, (3, m), at mean 1.

    Parameters
    ----------
    log_dispersion : (m,) ndarray
    power : float
    """
    less, more = power - 1.0, 2.0 - power
    a, log_rate = np.array([more / less]), -log_dispersion - np.log(more)
    t, step = _nodes(log_rate, power)
    root = np.logaddexp(0.0, t)
    log_height, in_rate, in_a = log_bump(root * root, np.broadcast_to(a, t.shape), 1)
    log_density = log_height + np.log(step * 2.0 / more * special.expit(t) / root)
    log_u = (2.0 * np.log(root) - log_rate[:, None]) / more
    beyond = log_u > np.log(_largest(log_rate, power))[:, None] + 1.0  # nodes that other rates need
    log_u = np.where(beyond, 0.0, log_u)
    half, minus_slope = (each * np.exp(-log_dispersion)[:, None] for each in integrals(log_u, power, 1))
    in_log = half - in_rate
    in_power = minus_slope + in_rate * (1.0 / more - log_u) - in_a / less**2
    weight = np.where(beyond, 0.0, np.exp(log_density - half))
    rate = np.exp(log_rate)
    none = np.exp(-rate) * rate * rate  # at 0 the log-probability is -rate, its slopes rate and -rate / (2 - p)
    sums = [
        (weight * one * two).sum(axis=1) for one, two in ((in_log, in_log), (in_log, in_power), (in_power, in_power))
    ]
    return np.array([sums[0] + none, sums[1] - none / more, sums[2] + none / more**2])


def _nodes(log_rate: Array, power: float) -> tuple[Array, float]:
    """Return the nodes in t that any of the rates needs, and how far they are apart.

    Half the deviance over phi is at least (s - s0)^2 and s0^2 - s^2 - 1 / phi below the mean's s0, 2 (s - s0)^2 / (2 - p)
    above, and 0.6 u / phi from u = 8 on. Below the gamma law of one summand, whose mode has the rate lambda^(p-1), what is
    left falls as exp(a log u + a).
    """
    less, more = power - 1.0, 2.0 - power
    middle, depth = np.exp(0.5 * log_rate), _depth(log_rate)
    most = _largest(log_rate, power)
    high = _from_root(np.minimum(middle + np.sqrt(0.5 * more * depth), middle * most ** (0.5 * more)))
    dispersion = np.exp(-log_rate) / more
    least = np.maximum(middle - np.sqrt(DEPTH), np.sqrt(np.maximum(np.exp(log_rate) - DEPTH - 1.0 / dispersion, 0.0)))
    low = _from_root(np.maximum(least, np.exp(-0.5 * (less * depth + more))))
    step = max(_step(middle, dispersion, power), float((high - low).max()) / MOST)
    runs = [np.arange(np.floor(one / step), np.ceil(two / step) + 1.0) for one, two in zip(low, high, strict=True)]
    return step * np.unique(np.concatenate(runs)), step


def _depth(log_rate: Array) -> Array:
    """Return how many nats below 1 to go: more where there are few summands."""
    return DEPTH - np.minimum(log_rate, 0.0)


def _largest(log_rate: Array, power: float) -> Array:
    """Return the response beyond which nothing is left."""
    return np.maximum(8.0, _depth(log_rate) * np.exp(-log_rate) / (2.0 - power) / 0.6)


def _step(middle: Array, dispersion: Array, power: float) -> float:
    """Return how far nodes may be apart: for the bumps, what lies between them, and the upper tail, exp(-u / phi)."""
    less, more = power - 1.0, 2.0 - power
    width = 0.5 * np.sqrt(less * more)
    bumps = max(min(0.75 * width, 0.45 * less), NARROWEST * width)
    end = middle * (dispersion * less) ** (0.5 * more)
    return min(bumps, float((0.5 * more * TAIL * end / -np.expm1(-end)).min()))


def _from_root(s: Array) -> Array:
    """Return t with log(1 + exp(t)) = s."""
    return s + np.log(-np.expm1(-s))
