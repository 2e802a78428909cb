"""Tweedie responses with all three parameters free: mean, dispersion and power between 1 and 2."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from scipy import special

from natfit.families._tweedie_deviance import half_deviance
from natfit.families._tweedie_series import log_density_at_own_mean, slopes_at_own_mean
from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta
from natfit.families.distributional.location_scale import weighted_moments
from natfit.families.distributional.registry import register
from natfit.families.distributional.tweedie_information import information_of_rows
from natfit.families.interval import POSITIVE, Interval
from natfit.families.links import from_functions
from natfit.families.support import NONNEGATIVE
from natfit.families.tails import tweedie_tails
from natfit.families.tweedie import Tweedie as KnownPower


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
    terms, at small dispersions those of the saddlepoint expansion; the mean is orthogonal to both. With y = mu u the law of
    u depends on phi mu^(p-2) and p alone, which leaves the information a function of two numbers. With a power within 1e-5
    of 1 responses pile up near multiples of one number, too narrowly for the quadrature: standard errors then lose digits,
    and a fit whose powers all lie within 1e-4 of 1 names the Poisson. Sources: Jorgensen (1987), JRSS B 49, 127-162; Dunn &
    Smyth (2005), Statistics and Computing 15, 267-280.
    """

    name = "tweedie"
    parameter_names = ("mean", "dispersion", "power")
    domains = (POSITIVE, POSITIVE, Interval(1.0, 2.0))
    default_links = ("log", "log", BETWEEN)  # type: ignore[assignment]
    support = NONNEGATIVE
    atoms = (0.0,)
    information = "quadrature over the response"
    simpler = (("power", "low", 1.0 + 1e-4, "poisson"), ("power", "high", 2.0 - 1e-4, "gamma"))

    def log_prob(self, y: Array, theta: Theta) -> Array:
        y, mean, dispersion, power = np.broadcast_arrays(y, *theta)
        found = -half_deviance(y, mean, power)[0] / dispersion
        some = y > 0.0
        found[some] += log_density_at_own_mean(y[some], power[some], dispersion[some])
        return found

    def score(self, y: Array, theta: Theta) -> list[Array]:
        y, mean, dispersion, power = np.broadcast_arrays(y, *theta)
        half, slope = half_deviance(y, mean, power, 1)
        in_scale, in_power = half / dispersion**2, -slope / dispersion
        some = y > 0.0
        own = slopes_at_own_mean(y[some], power[some], dispersion[some], twice=False)
        in_scale[some] += own.dispersion
        in_power[some] += own.power
        return [(y - mean) / (dispersion * mean**power), in_scale, in_power]

    def observed(self, y: Array, theta: Theta) -> Matrix:
        y, mean, dispersion, power = np.broadcast_arrays(y, *theta)
        half, slope, bend = half_deviance(y, mean, power, 2)
        variance = dispersion * mean**power
        gap = (y - mean) / variance
        found = {
            (0, 0): 1.0 / variance + power * gap / mean,
            (0, 1): gap / dispersion,
            (0, 2): np.log(mean) * gap,
            (1, 1): 2.0 * half / dispersion**3,
            (1, 2): -slope / dispersion**2,
            (2, 2): bend / dispersion,
        }
        some = y > 0.0
        own = slopes_at_own_mean(y[some], power[some], dispersion[some])
        found[1, 1][some] -= own.dispersion_twice
        found[1, 2][some] -= own.both
        found[2, 2][some] -= own.power_twice
        return found

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        mean, dispersion, power = np.broadcast_arrays(*theta)
        log_mean = np.log(mean)
        at_one = np.log(dispersion) + (power - 2.0) * log_mean
        own, mixed, last = information_of_rows(at_one.ravel(), power.ravel()).reshape(3, *mean.shape)
        return {
            (0, 0): 1.0 / (dispersion * mean**power),
            (1, 1): own / dispersion**2,
            (1, 2): (mixed + log_mean * own) / dispersion,
            (2, 2): last + 2.0 * log_mean * mixed + log_mean**2 * own,
        }

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
