"""Moments, distribution functions and quantiles of registry families in closed form, from home parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

Array = np.ndarray[Any, np.dtype[Any]]


class Closed(NamedTuple):
    """What is known in closed form of a family; None where nothing is. Home parameters are (n, p)."""

    cdf: Callable[[Array, Array], Array] | None = None
    quantile: Callable[[Array, Array], Array] | None = None
    mean: Callable[[Array], Array] | None = None
    variance: Callable[[Array], Array] | None = None


def _gaussian_cdf(y: Array, home: Array) -> Array:
    return special.ndtr((y - home[..., 0]) / np.sqrt(home[..., 1]))


def _gaussian_quantile(level: Array, home: Array) -> Array:
    return home[..., 0] + np.sqrt(home[..., 1]) * special.ndtri(level)


def _lognormal_cdf(y: Array, home: Array) -> Array:
    with np.errstate(divide="ignore"):
        return _gaussian_cdf(np.log(y), home)


def _lognormal_mean(home: Array) -> Array:
    return np.exp(home[..., 0] + 0.5 * home[..., 1])


def _inverse_gaussian_cdf(y: Array, home: Array) -> Array:
    """Shuster (1968), JASA 63, 1514-1516; the second term's exponential is put into the normal tail."""
    mean, shape = home[..., 0], home[..., 1]
    with np.errstate(all="ignore"):
        root = np.sqrt(shape / y)
        second = np.exp(2.0 * shape / mean + special.log_ndtr(-root * (y / mean + 1.0)))
        value = special.ndtr(root * (y / mean - 1.0)) + second
    return np.where(y > 0.0, value, 0.0)


CLOSED = {
    "gaussian": Closed(_gaussian_cdf, _gaussian_quantile),
    "lognormal": Closed(
        _lognormal_cdf,
        lambda level, home: np.exp(_gaussian_quantile(level, home)),
        _lognormal_mean,
        lambda home: np.expm1(home[..., 1]) * _lognormal_mean(home) ** 2,
    ),
    "gamma": Closed(
        lambda y, home: special.gammainc(home[..., 0], home[..., 1] * y),
        lambda level, home: special.gammaincinv(home[..., 0], level) / home[..., 1],
    ),
    "inverse_gaussian": Closed(_inverse_gaussian_cdf),
    "beta": Closed(
        lambda y, home: special.betainc(home[..., 0], home[..., 1], y),
        lambda level, home: special.betaincinv(home[..., 0], home[..., 1], level),
        lambda home: home[..., 0] / home.sum(axis=-1),
        lambda home: home[..., 0] * home[..., 1] / home.sum(axis=-1) ** 2 / (home.sum(axis=-1) + 1.0),
    ),
    # of a direction: the direction itself, and one less the length of the mean vector (Mardia & Jupp, 2000, section 2.3)
    "von_mises": Closed(
        mean=lambda home: home[..., 0],
        variance=lambda home: 1.0 - special.i1e(home[..., 1]) / special.i0e(home[..., 1]),
    ),
    "poisson": Closed(lambda y, home: np.where(y < 0.0, 0.0, special.pdtr(np.floor(np.maximum(y, 0.0)), home[..., 0]))),
}
