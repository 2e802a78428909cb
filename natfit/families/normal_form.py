"""What the normal and the lognormal distribution share: z and z^2 as sufficient statistics."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from natfit.families.base import ExponentialFamily
from natfit.families.bregman import x_minus_log1p
from natfit.parametrizations import Composed, Identity, Log, Parametrization, Power, Product
from natfit.parametrizations.base import Array, Mask

_LOG_2PI = float(np.log(2.0 * np.pi))


class NormalForm(ExponentialFamily):
    """A family in which z(y) is normal with mean mu and variance v, its home parameters.

    T = (z, z^2), eta = (mu/v, -1/(2v)), A = mu^2/(2v) + log(2 pi v)/2. Forms that subtract mu first are used where the
    derived ones would cancel for means of many standard deviations.
    """

    home = "variance"
    parameter_names = ("mean", "variance")
    coordinate_suffix: str = ""
    estimable = "two distinct observations"

    def transform(self, y: Array) -> Array:
        """Return z(y), shape (...)."""
        return y

    def sufficient_statistics(self, y: Array) -> Array:
        z = self.transform(y)
        return np.stack([z, z * z], axis=-1)

    def log_partition(self, eta: Array) -> Array:
        first, second = eta[..., 0], eta[..., 1]
        return -0.25 * first**2 / second + 0.5 * np.log(-np.pi / second)

    def mean_from_natural(self, eta: Array) -> Array:
        theta = self.home_from_natural(eta)
        return np.stack([theta[..., 0], theta[..., 0] ** 2 + theta[..., 1]], axis=-1)

    def natural_from_mean(self, m: Array) -> Array:
        return self.natural_from_home(self.home_from_mean(m))

    def home_from_mean(self, m: Array) -> Array:
        return np.stack([m[..., 0], m[..., 1] - m[..., 0] ** 2], axis=-1)

    def fisher_natural(self, eta: Array) -> Array:
        theta = self.home_from_natural(eta)
        mean, variance = theta[..., 0], theta[..., 1]
        cross = 2.0 * mean * variance
        return _matrix(variance, cross, cross, 2.0 * variance * (variance + 2.0 * mean**2))

    def natural_from_home(self, theta: Array) -> Array:
        return np.stack([theta[..., 0] / theta[..., 1], -0.5 / theta[..., 1]], axis=-1)

    def home_from_natural(self, eta: Array) -> Array:
        return np.stack([-0.5 * eta[..., 0] / eta[..., 1], -0.5 / eta[..., 1]], axis=-1)

    def natural_jacobian(self, theta: Array) -> Array:
        mean, variance = theta[..., 0], theta[..., 1]
        return _matrix(1.0 / variance, -mean / variance**2, np.zeros_like(mean), 0.5 / variance**2)

    def mean_jacobian(self, theta: Array) -> Array:
        mean = theta[..., 0]
        return _matrix(np.ones_like(mean), np.zeros_like(mean), 2.0 * mean, np.ones_like(mean))

    def contains(self, theta: Array) -> Mask:
        return np.isfinite(theta).all(axis=-1) & (theta[..., 1] > 0)

    def contains_mean(self, m: Array) -> Mask:
        # E[z^2] - E[z]^2 is known to a few rounding units of E[z^2]: within that, it is not distinguished from zero
        return m[..., 1] - m[..., 0] ** 2 > 4 * np.finfo(float).eps * m[..., 1]

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        variance = theta[..., 1]
        residual = self.transform(y) - theta[..., 0]
        return -0.5 * (residual**2 / variance + np.log(variance) + _LOG_2PI) + self.log_base_measure(y)

    def home_score(self, y: Array, theta: Array) -> Array:
        variance = theta[..., 1]
        residual = self.transform(y) - theta[..., 0]
        return np.stack([residual / variance, 0.5 * (residual**2 - variance) / variance**2], axis=-1)

    def home_fisher(self, theta: Array) -> Array:
        variance = theta[..., 1]
        zero = np.zeros_like(variance)
        return _matrix(1.0 / variance, zero, zero, 0.5 / variance**2)

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        v0, v1 = theta0[..., 1], theta1[..., 1]
        shift = theta0[..., 0] - theta1[..., 0]
        return 0.5 * (x_minus_log1p((v0 - v1) / v1) + shift**2 / v1)

    def fisher_rao_geodesic(self, theta: Array, velocity: Array, t: float) -> Array:
        """Home parameters at t along the Fisher-Rao geodesic from theta (..., 2) with a velocity (..., 2).

        With x = mean / sqrt(2) and y = sd the metric is 2 (dx^2 + dy^2) / y^2, the hyperbolic half-plane, whose
        geodesics are circles about the line y = 0: with a unit initial direction (a, b) and arc length s in units of y,
        y(s) = y / (cosh s - b sinh s), x(s) = x + a y(s) sinh s.

        Source: Atkinson & Mitchell (1981), Rao's distance measure, Sankhya A 43.
        """
        sd = np.sqrt(theta[..., 1])
        along, up = velocity[..., 0] / np.sqrt(2.0), 0.5 * velocity[..., 1] / sd
        speed = np.hypot(along, up)
        safe = np.where(speed > 0.0, speed, 1.0)
        a, b = along / safe, np.where(speed > 0.0, up / safe, 1.0)
        s = t * speed / sd
        # cosh s - b sinh s without cancellation as b tends to 1 or -1
        small = a**2 / (1.0 + np.abs(b))
        plus, minus = np.where(b > 0.0, small, 1.0 - b), np.where(b > 0.0, 1.0 + b, small)
        with np.errstate(all="ignore"):
            below = plus + minus * np.exp(-2.0 * s)
            end = 2.0 * sd * np.exp(-s) / below
            shift = -np.sqrt(2.0) * a * sd * np.expm1(-2.0 * s) / below
        return np.stack([theta[..., 0] + shift, end**2], axis=-1)

    def _home_mle(self, y: Array, weights: ArrayLike | None, name: str) -> Array:
        # subtracting the mean before squaring keeps the digits that E[z^2] - E[z]^2 would lose
        z = self.transform(y)
        average = self.mean_statistics(y, weights)[..., 0]
        residual = z.reshape(-1, *([1] * average.ndim)) - average
        w = np.ones_like(residual) if weights is None else np.asarray(weights, dtype=float)
        total = w.sum(axis=0)
        correction = (w * residual).sum(axis=0) / total
        variance = (w * residual**2).sum(axis=0) / total - correction**2
        scale = np.abs(z).max()
        self._refuse_boundary(variance > (4 * np.finfo(float).eps * scale) ** 2, name)
        return np.stack([average + correction, variance], axis=-1)

    def home_normal_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw z."""
        return rng.normal(theta[..., 0], np.sqrt(theta[..., 1]), shape)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        mean = Identity(self.parameter_names[:1])
        end = self.coordinate_suffix
        sd = Power([f"sd{end}"], 2)
        return {
            "precision": Product(mean, Power([f"precision{end}"], -1)),
            "sd": Product(mean, sd),
            "log_sd": Product(mean, Composed(sd, Log([f"log_sd{end}"]))),
            "log_variance": Product(mean, Log([f"log_variance{end}"])),
        }

    def example_parameters(self) -> Array:
        return np.array([[0.0, 1.0], [1.5, 0.04], [-3.0, 2.0], [2.0, 9.0]])

    @property
    def domain_text(self) -> str:
        return f"{self.parameter_names[0]} must be finite and {self.parameter_names[1]} positive"


def _matrix(a: Array, b: Array, c: Array, d: Array) -> Array:
    """Return matrices ((a, b), (c, d)), shape (..., 2, 2)."""
    return np.stack([np.stack([a, b], axis=-1), np.stack([c, d], axis=-1)], axis=-2)
