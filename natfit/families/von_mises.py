"""The von Mises distribution on the circle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import i0e

from natfit.families.base import ExponentialFamily
from natfit.families.bessel import bessel_ratio, bessel_ratio_by_k, bessel_ratio_slope, inverse_bessel_ratio
from natfit.families.registry import register
from natfit.families.support import Support
from natfit.parametrizations import Identity, Log, Parametrization, Product
from natfit.parametrizations.base import Array, Mask

_CIRCLE = Support(
    "angles in radians, between -2 pi and 2 pi",
    lambda y: np.abs(y) <= 2.0 * np.pi,
    -np.pi,
    np.pi,
    remedy="convert degrees to radians",
)


def around_zero(angles: Array) -> Array:
    """Return angles as they are in (-pi, pi].

    Examples
    --------
    >>> around_zero(np.array([3.5, -np.pi, 0.5])).round(4)
    array([-2.7832,  3.1416,  0.5   ])
    """
    return np.pi - np.mod(np.pi - angles, 2.0 * np.pi)


@register
class VonMises(ExponentialFamily):
    """p(y) = exp(k cos(y - direction)) / (2 pi I0(k)), k the concentration, for angles y in radians.

    T = (cos y, sin y), eta = k (cos direction, sin direction), A = log(2 pi I0(k)). The density is periodic: it
    integrates to 1 over any full turn. At k = 0 the direction is lost: that point is inside the natural and the mean
    parameters' domain, and outside that of home parameters.

    Source: Mardia & Jupp (2000), Directional Statistics, sections 3.5.4 and 5.3.1.

    Examples
    --------
    >>> VonMises().mle([0.1, 0.5, -0.3, 0.9]).round(3)
    array([0.3  , 5.441])
    """

    name = "von_mises"
    home = "direction_concentration"
    parameter_names = ("direction", "concentration")
    statistic_names = ("cos y", "sin y")
    support = _CIRCLE
    estimable = "two distinct directions that do not balance"

    def sufficient_statistics(self, y: Array) -> Array:
        return np.stack([np.cos(y), np.sin(y)], axis=-1)

    def log_partition(self, eta: Array) -> Array:
        k = np.hypot(eta[..., 0], eta[..., 1])
        return np.log(2.0 * np.pi * i0e(k)) + k

    def mean_from_natural(self, eta: Array) -> Array:
        k = np.hypot(eta[..., 0], eta[..., 1])
        return eta * bessel_ratio_by_k(k)[..., None]

    def natural_from_mean(self, m: Array) -> Array:
        length = np.hypot(m[..., 0], m[..., 1])
        tiny = length < 1e-8  # k = 2 R + R^3 + ...
        k = inverse_bessel_ratio(np.where(tiny, 0.5, length))
        return m * np.where(tiny, 2.0, k / np.where(tiny, 1.0, length))[..., None]

    def fisher_natural(self, eta: Array) -> Array:
        k = np.hypot(eta[..., 0], eta[..., 1])
        across, along = bessel_ratio_by_k(k), bessel_ratio_slope(k)
        unit = eta / np.where(k > 0, k, 1.0)[..., None]
        return (
            across[..., None, None] * np.eye(2)
            + (along - across)[..., None, None] * unit[..., None] * unit[..., None, :]
        )

    def natural_from_home(self, theta: Array) -> Array:
        direction, k = theta[..., 0], theta[..., 1]
        return np.stack([k * np.cos(direction), k * np.sin(direction)], axis=-1)

    def home_from_natural(self, eta: Array) -> Array:
        direction = np.arctan2(eta[..., 1], eta[..., 0])
        return np.stack([direction, np.hypot(eta[..., 0], eta[..., 1])], axis=-1)

    def natural_jacobian(self, theta: Array) -> Array:
        c, s, k = np.cos(theta[..., 0]), np.sin(theta[..., 0]), theta[..., 1]
        return np.stack([np.stack([-k * s, c], axis=-1), np.stack([k * c, s], axis=-1)], axis=-2)

    def contains(self, theta: Array) -> Mask:
        return np.isfinite(theta).all(axis=-1) & (theta[..., 1] > 0)

    def contains_natural(self, eta: Array) -> Mask:
        return np.isfinite(eta).all(axis=-1)

    def contains_mean(self, m: Array) -> Mask:
        return np.hypot(m[..., 0], m[..., 1]) < 1 - 4 * np.finfo(float).eps

    def mle_from_mean(self, m: object, name: str = "y") -> Array:
        m = np.asarray(m, dtype=float)
        length = np.hypot(m[..., 0], m[..., 1])
        # cosines and sines are averaged to a rounding unit: below that, their direction is noise
        self._refuse_boundary(self.contains_mean(m) & (length > 4 * np.finfo(float).eps), name)
        return self.home_from_mean(m)

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        # cos(u) - 1 = -2 sin^2(u/2), and the scaled Bessel function: nothing cancels at large concentration
        k = theta[..., 1]
        return -2.0 * k * np.sin(0.5 * (y - theta[..., 0])) ** 2 - np.log(2.0 * np.pi * i0e(k))

    def home_score(self, y: Array, theta: Array) -> Array:
        turn, k = y - theta[..., 0], theta[..., 1]
        return np.stack([k * np.sin(turn), np.cos(turn) - bessel_ratio(k)], axis=-1)

    def home_fisher(self, theta: Array) -> Array:
        k = theta[..., 1]
        diagonal = np.stack([k * bessel_ratio(k), bessel_ratio_slope(k)], axis=-1)
        return diagonal[..., None] * np.eye(2)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.vonmises(theta[..., 0], theta[..., 1], shape)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_concentration": Product(Identity(["direction"]), Log(["log_concentration"]))}

    def example_parameters(self) -> Array:
        return np.array([[0.0, 1.0], [1.2, 0.3], [-2.5, 8.0], [0.7, 90.0]])

    @property
    def domain_text(self) -> str:
        return "direction must be finite and concentration positive"
