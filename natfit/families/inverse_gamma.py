"""The inverse gamma distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import digamma

from natfit.families.gamma_form import GammaForm
from natfit.families.registry import register
from natfit.families.support import POSITIVE
from natfit.parametrizations import Log, Parametrization
from natfit.parametrizations.base import Array


@register
class InverseGamma(GammaForm):
    """1/y is gamma: p(y) = scale^shape / Gamma(shape) y^(-shape-1) exp(-scale/y), y > 0.

    T = (log 1/y, 1/y), eta = (shape - 1, -scale), h = 1/y^2.

    Examples
    --------
    >>> InverseGamma().mle([1.0, 2.0, 4.0]).round(3)
    array([3.401, 5.831])
    """

    name = "inverse_gamma"
    home = "shape_scale"
    parameter_names = ("shape", "scale")
    statistic_names = ("log(1/y)", "1/y")
    support = POSITIVE

    def transform(self, y: Array) -> Array:
        return 1.0 / y

    def log_base_measure(self, y: Array) -> Array:
        return -2.0 * np.log(y)

    def expected_log_base_measure(self, theta: Array) -> Array:
        return 2.0 * (digamma(theta[..., 0]) - np.log(theta[..., 1]))

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return theta[..., 1] / rng.standard_gamma(theta[..., 0], shape)

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"log_shape_log_scale": Log(["log_shape", "log_scale"])}

    def example_parameters(self) -> Array:
        return np.array([[2.0, 1.0], [0.9, 0.1], [30.0, 4.0], [5.0, 50.0]])
