"""The gamma family: a GLM response, and an exponential family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from natfit.families._stable import log1p_minus, stirling_error
from natfit.families.gamma_form import GammaForm
from natfit.families.interval import POSITIVE, Array
from natfit.families.registry import register
from natfit.families.response import Response, refuse_outside
from natfit.families.support import POSITIVE as POSITIVE_SUPPORT
from natfit.parametrizations import Composed, Identity, Log, Parametrization, Power, Product
from natfit.parametrizations.base import Mask, refuse_off_image


class MeanShape(Parametrization):
    """Mean and shape of a gamma distribution as coordinates of shape and rate: rate = shape / mean."""

    def __init__(self) -> None:
        super().__init__(("mean", "shape"))

    def to_home(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        return np.stack([xi[..., 1], xi[..., 1] / xi[..., 0]], axis=-1)

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        refuse_off_image(repr(self), theta, (theta > 0).all(axis=-1), "a positive shape and rate")
        return np.stack([theta[..., 0] / theta[..., 1], theta[..., 0]], axis=-1)

    def jacobian(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        mean, shape = xi[..., 0], xi[..., 1]
        rows = [np.stack([0.0 * mean, 0.0 * mean + 1.0], axis=-1), np.stack([-shape / mean**2, 1.0 / mean], axis=-1)]
        return np.stack(rows, axis=-2)

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        return (np.isfinite(xi) & (xi > 0)).all(axis=-1)


class Gamma(Response, GammaForm):
    """Gamma response: mean mu, shape weight / phi; V(mu) = mu^2.

    As an exponential family: T = (log y, y), home parameters shape and rate (`GammaForm`).
    Source: McCullagh & Nelder (1989), chapter 8.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Gamma
    >>> print(Gamma().response_log_prob(np.array([2.0]), np.array([2.0]), dispersion=1.0))
    [-1.69314718]
    """

    name = "gamma"
    mean_domain = POSITIVE
    default_link = "inverse"

    @property
    def canonical_links_up_to_scale(self) -> tuple[str, ...]:
        return ("inverse",)

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "drop these rows; the tweedie family allows zeros"
        refuse_outside(y, 0.0, np.inf, False, "gamma responses", name, "must be above 0", "zero or negative", remedy)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        return mu * mu

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        return 2.0 * mu

    def anscombe(self, y: Array) -> Array:
        return 3.0 * np.cbrt(y)

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """log(y / mu) - y / mu."""
        ratio = y / mu
        out = np.log(ratio)
        out -= ratio
        return out

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """2 ((y - mu) / mu - log(y / mu))."""
        return -2.0 * log1p_minus(np.subtract(y, mu) / mu)

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """k log(k y / mu) - k y / mu - log Gamma(k) - log y with shape k = w / phi.

        Stirling's formula is taken out of log Gamma, so that a large shape cancels nothing.
        """
        shape = np.asarray(weight, dtype=float) / dispersion
        gap = log1p_minus(np.subtract(y, mu) / mu)
        return shape * gap + 0.5 * np.log(shape / (2.0 * np.pi)) - stirling_error(shape) - np.log(y)

    def dispersion_derivatives(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0
    ) -> tuple[Array, Array]:
        shape = np.asarray(weight, dtype=float) / dispersion
        excess = shape * (log1p_minus(np.subtract(y, mu) / mu) + np.log(shape) - special.digamma(shape))
        return -excess, excess + shape - shape**2 * special.polygamma(1, shape)

    def response_tails(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0, strict: bool = False
    ) -> tuple[Array, Array]:
        shape = np.asarray(weight, dtype=float) / dispersion
        return special.gammainc(shape, shape * y / mu), special.gammaincc(shape, shape * y / mu)

    def response_quantile(self, level: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        shape = np.asarray(weight, dtype=float) / dispersion
        return mu / shape * special.gammaincinv(shape, level)

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        shape = np.asarray(weight, dtype=float) / dispersion
        return rng.gamma(shape, mu / shape)

    # As an exponential family

    home = "shape_rate"
    parameter_names = ("shape", "rate")
    statistic_names = ("log y", "y")
    support = POSITIVE_SUPPORT

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.standard_gamma(theta[..., 0], shape) / theta[..., 1]

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        dispersion = Product(Identity(["mean"]), Power(["dispersion"], -1))
        return {
            "shape_scale": Product(Identity(["shape"]), Power(["scale"], -1)),
            "mean_shape": MeanShape(),
            "mean_dispersion": Composed(MeanShape(), dispersion),
            "log_shape_log_rate": Log(["log_shape", "log_rate"]),
        }


register(Gamma)
