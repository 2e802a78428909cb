"""The beta distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from natfit.families.dirichlet_form import DirichletForm
from natfit.families.registry import register
from natfit.families.support import interval
from natfit.parametrizations import Log, Parametrization
from natfit.parametrizations.base import Array, Mask, refuse_off_image


class MeanPrecision(Parametrization):
    """Mean mu = a / (a+b) and precision phi = a + b: a = mu phi, b = (1-mu) phi.

    Source: Ferrari & Cribari-Neto (2004), Beta regression for modelling rates and proportions.
    """

    def __init__(self) -> None:
        super().__init__(("mean", "precision"))

    def to_home(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        return np.stack([xi[..., 0] * xi[..., 1], (1.0 - xi[..., 0]) * xi[..., 1]], axis=-1)

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        refuse_off_image(repr(self), theta, (theta > 0).all(axis=-1), "positive a and b")
        total = theta.sum(axis=-1)
        return np.stack([theta[..., 0] / total, total], axis=-1)

    def jacobian(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        mean, precision = xi[..., 0], xi[..., 1]
        rows = [np.stack([precision, mean], axis=-1), np.stack([-precision, 1.0 - mean], axis=-1)]
        return np.stack(rows, axis=-2)

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        return (xi[..., 0] > 0) & (xi[..., 0] < 1) & (xi[..., 1] > 0) & np.isfinite(xi[..., 1])


@register
class Beta(DirichletForm):
    """p(y) = y^(a-1) (1-y)^(b-1) / B(a, b), 0 < y < 1; T = (log y, log(1-y)), eta = (a-1, b-1), A = log B(a, b).

    Examples
    --------
    >>> Beta().mle([0.2, 0.5, 0.6], parametrization="mean_precision").round(3)
    array([0.429, 7.822])
    """

    name = "beta"
    home = "a_b"
    parameter_names = ("a", "b")
    statistic_names = ("log y", "log(1-y)")
    support = interval(
        0.0, 1.0, "numbers strictly between 0 and 1", "use a family with mass at the ends, or remove these rows"
    )

    def sufficient_statistics(self, y: Array) -> Array:
        return np.stack([np.log(y), np.log1p(-y)], axis=-1)

    def log_partition(self, eta: Array) -> Array:
        return betaln(eta[..., 0] + 1.0, eta[..., 1] + 1.0)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.beta(theta[..., 0], theta[..., 1], shape)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"mean_precision": MeanPrecision(), "log_a_log_b": Log(["log_a", "log_b"])}

    def example_parameters(self) -> Array:
        return np.array([[2.0, 3.0], [0.7, 0.8], [1.0, 1.0], [40.0, 8.0]])
