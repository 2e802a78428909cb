"""Tweedie responses with all three parameters free: mean, dispersion and power between 1 and 2."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy import special

from natfit.families._tweedie_series import slopes_at_own_mean
from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta
from natfit.families.distributional.expectation import expect
from natfit.families.distributional.location_scale import weighted_moments
from natfit.families.distributional.registry import register
from natfit.families.interval import POSITIVE, Interval
from natfit.families.links import from_functions
from natfit.families.support import NONNEGATIVE
from natfit.families.tails import tweedie_tails
from natfit.families.tweedie import Tweedie as KnownPower

NODES = 16
"""Chebyshev points in the logarithm of the dispersion at mean 1 between which the information is interpolated."""
_NODES, _WEIGHTS = (
    0.5 * (each + shift) for each, shift in zip(np.polynomial.legendre.leggauss(12), (1.0, 0.0), strict=True)
)
FEW = 64
"""Rows from which interpolation is cheaper than a quadrature for each."""


def _inverse(eta: Array) -> Array:
    return 1.0 + special.expit(eta)


def _slope(eta: Array) -> Array:
    return special.expit(eta) * special.expit(-eta)


BETWEEN = from_functions(
    lambda power: np.log((power - 1.0) / (2.0 - power)),
    _inverse,
    _slope,
    name="logit between 1 and 2",
    mean_range=(1.0, 2.0),
    second_derivative=lambda eta: -_slope(eta) * np.tanh(0.5 * eta),
)


class Tweedie(DistributionalFamily):
    """Compound Poisson-gamma responses of mean mu and variance phi mu^p, with a mass at zero; 1 < p < 2.

    The density is the series of `natfit.families.Tweedie`, its derivatives in dispersion and power are averages over the
    terms; the mean is orthogonal to both. With y = mu u the law of u depends on phi mu^(p-2) and p alone, which leaves the
    information a function of two numbers. Sources: Jorgensen (1987), JRSS B 49, 127-162; Dunn & Smyth (2005), Statistics
    and Computing 15, 267-280.
    """

    name = "tweedie"
    parameter_names = ("mean", "dispersion", "power")
    domains = (POSITIVE, POSITIVE, Interval(1.0, 2.0))
    default_links = ("log", "log", BETWEEN)  # type: ignore[assignment]
    support = NONNEGATIVE
    atoms = (0.0,)
    information = "quadrature over the response"
    simpler = (("power", "low", 1.0 + 1e-4, "poisson"), ("power", "high", 2.0 - 1e-4, "gamma"))

    @property
    def costly(self) -> bool:
        return True

    def log_prob(self, y: Array, theta: Theta) -> Array:
        return _by_power(lambda law, y, mean, scale: law.response_log_prob(y, mean, scale), y, theta)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        mean, dispersion, power = (np.asarray(t, dtype=float) for t in theta)
        in_scale, in_power = _by_power(_slopes, y, theta)
        return [(y - mean) / (dispersion * mean**power), in_scale, in_power]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        mean, dispersion, power = np.broadcast_arrays(*theta)
        log_mean = np.log(mean)
        at_one = np.log(dispersion) + (power - 2.0) * log_mean
        own, mixed, last = self._at_mean_one(at_one, power)
        return {
            (0, 0): 1.0 / (dispersion * mean**power),
            (1, 1): own / dispersion**2,
            (1, 2): (mixed + log_mean * own) / dispersion,
            (2, 2): last + 2.0 * log_mean * mixed + log_mean**2 * own,
        }

    def _at_mean_one(self, log_dispersion: Array, power: Array) -> list[Array]:
        """Return the information of log dispersion, of it and power, and of power at mean 1, three arrays (n,)."""
        shape = log_dispersion.shape
        z, p = log_dispersion.ravel(), power.ravel()
        if z.size <= FEW or float(np.ptp(p)) > 0.0 or float(np.ptp(z)) < 1e-10:
            return [each.reshape(shape) for each in self._integrated(z, p)]
        unit = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
        middle, half = 0.5 * (z.max() + z.min()), 0.5 * float(np.ptp(z))
        table = np.array(self._integrated(middle + half * unit, np.full(NODES, p[0])))
        vander = np.polynomial.chebyshev.chebvander
        weights = np.linalg.solve(vander(unit, NODES - 1), table.T)
        return [each.reshape(shape) for each in (vander((z - middle) / half, NODES - 1) @ weights).T]

    def _integrated(self, log_dispersion: Array, power: Array) -> list[Array]:
        def products(y: Array, t: Theta) -> list[Array]:
            _, in_scale, in_power = self.score(y, t)
            in_log = in_scale * t[1]
            return [in_log * in_log, in_log * in_power, in_power * in_power]

        return expect(self, products, [np.ones_like(power), np.exp(log_dispersion), power])

    def start(self, y: Array, weight: Array | None) -> list[float]:
        mean, sd = weighted_moments(y, weight)
        if mean <= 0.0:
            raise ValueError(f"the tweedie family needs one response above zero, but all {len(y)} are zero")
        return [mean, sd * sd / mean**1.5, 1.5]

    def mean(self, theta: Theta) -> Array:
        return np.broadcast_arrays(*theta)[0].astype(float)

    def variance(self, theta: Theta) -> Array:
        return theta[1] * theta[0] ** theta[2]

    def cdf(self, y: Array, theta: Theta) -> Array:
        below = _by_power(
            lambda law, y, mean, scale: tweedie_tails(np.maximum(y, 0.0), mean, law.var_power, scale)[0], y, theta
        )
        return np.where(y < 0.0, 0.0, below)

    def quantile(self, level: Array, theta: Theta) -> Array:
        level = np.broadcast_to(np.asarray(level, dtype=float), np.shape(theta[0]))
        return _by_power(lambda law, level, mean, scale: law.response_quantile(level, mean, scale), level, theta)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        mean, dispersion, power = (np.asarray(t, dtype=float) for t in theta)
        number = rng.poisson(mean ** (2.0 - power) / (dispersion * (2.0 - power)))
        shape = (2.0 - power) / (power - 1.0)
        drawn = rng.standard_gamma(np.maximum(number, 1) * shape) * dispersion * (power - 1.0) * mean ** (power - 1.0)
        return np.where(number > 0, drawn, 0.0)

    def example_parameters(self) -> Array:
        return np.array([[2.0, 0.8, 1.5], [6.0, 1.2, 1.7]])


def _slopes(law: KnownPower, y: Array, mean: Array, scale: Array) -> Array:
    """Return the derivatives of the log-density in dispersion and power, (2, ...): the series' and the deviance's."""
    half = 0.5 * law.unit_deviance(y, mean)
    found = np.stack([half / scale**2, -_half_deviance_slope(law.var_power, y, mean, half) / scale])
    positive = y > 0.0
    found[:, positive] += slopes_at_own_mean(y[positive], law.var_power, scale[positive])
    return found


def _half_deviance_slope(p: float, y: Array, mean: Array, half: Array) -> Array:
    """Return the derivative in the power of half the unit deviance, the integral of (y - t) t^-p from the mean to y.

    Near the mean it is integrated as that, in log t by Gauss-Legendre; elsewhere it is written out.
    """
    span = np.log(np.where(y > 0.0, y, mean) / mean)
    near = np.abs(span) < 0.5
    short, far = np.where(near, span, 0.0), np.where(near, 0.0, span)
    integral = np.zeros_like(span)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        integral += weight * node * np.expm1((1.0 - node) * short) * np.exp((2.0 - p) * node * short)
    less, more = np.expm1((1.0 - p) * far), np.expm1((2.0 - p) * far)
    first = np.exp(far) * (less / (1.0 - p) - far * (less + 1.0)) / (1.0 - p)
    direct = first - (more / (2.0 - p) - far * (more + 1.0)) / (2.0 - p)
    bend = np.where(y > 0.0, np.where(near, -short * short * integral, direct), (2.0 - p) ** -2.0)
    return mean ** (2.0 - p) * bend - np.log(mean) * half


def _by_power(function: Callable[..., Array], y: Array, theta: Theta) -> Array:
    """Apply a function of the law with a known power, (..., n) or another shape of the rows', to the rows of each power."""
    y, mean, dispersion, power = np.broadcast_arrays(y, *theta)
    distinct, codes = np.unique(power, return_inverse=True)
    if distinct.size == 1:
        return function(KnownPower(float(distinct[0])), y, mean, dispersion)
    order = np.argsort(codes.ravel(), kind="stable")
    edges = np.append(np.flatnonzero(np.diff(codes.ravel()[order], prepend=-1)), codes.size)
    flat = [each.ravel() for each in (y, mean, dispersion)]
    chosen = [order[start:stop] for start, stop in itertools.pairwise(edges)]
    parts = [
        function(KnownPower(value), *(each[rows] for each in flat))
        for value, rows in zip(distinct.tolist(), chosen, strict=True)
    ]
    found = np.empty((*parts[0].shape[:-1], y.size))
    for rows, part in zip(chosen, parts, strict=True):
        found[..., rows] = part
    return found.reshape(*parts[0].shape[:-1], *y.shape)


register(Tweedie)
