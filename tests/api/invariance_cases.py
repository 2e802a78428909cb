"""Data and models on which the invariance report is tested."""

from __future__ import annotations

from typing import Any

import numpy as np

import natfit as nf
from natfit.families import Family
from natfit.families.support import REALS
from natfit.parametrizations import Identity, Log, Power, Product

HEIGHTS = np.random.default_rng(20).normal(170.0, 7.0, 150)
RAIN = np.random.default_rng(21).gamma(2.0, 3.0, 60)


def poisson_glm() -> nf.GLM:
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(80), rng.normal(size=80), 10.0 * rng.random(80)])
    return nf.GLM(rng.poisson(np.exp(0.3 + 0.4 * X[:, 1] + 0.05 * X[:, 2])), X, family="poisson")


class Logistic(Family):
    """Not exponential: log-density, score and Fisher information are all there is."""

    name, home, parameter_names, support = "logistic_of_tests", "scale", ("location", "scale"), REALS
    singular = False

    def contains(self, theta: Any) -> Any:
        return np.isfinite(theta).all(axis=-1) & (theta[..., 1] > 0)

    def home_log_prob(self, y: Any, theta: Any) -> Any:
        z = (y - theta[..., 0]) / theta[..., 1]
        return -z - 2.0 * np.logaddexp(0.0, -z) - np.log(theta[..., 1])

    def home_score(self, y: Any, theta: Any) -> Any:
        z = (y - theta[..., 0]) / theta[..., 1]
        slope = np.tanh(0.5 * z)
        return np.stack([slope, z * slope - 1.0], axis=-1) / theta[..., 1:]

    def home_fisher(self, theta: Any) -> Any:
        unit = np.diag([1.0 / 3.0, (3.0 + np.pi**2) / 9.0])  # Johnson, Kotz & Balakrishnan (1995), section 23.9
        return (np.ones((2, 2)) if self.singular else unit) / theta[..., 1, None, None] ** 2

    def home_sample(self, theta: Any, rng: Any, shape: Any) -> Any:
        return rng.logistic(theta[..., 0], theta[..., 1], shape)

    def example_parameters(self) -> Any:
        return np.array([[0.0, 1.0], [2.0, 0.5]])

    def conventional_parametrizations(self) -> Any:
        place = Identity(["location"])
        return {"log_scale": Product(place, Log(["log_scale"])), "rate": Product(place, Power(["rate"], -1))}
