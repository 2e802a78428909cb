"""The free parameters of a mixture, as users know them, and the way to the likelihood's own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from natfit.families.base import ExponentialFamily
from natfit.families.gaussian_covariances import CovarianceCoordinates
from natfit.likelihoods.mixture_components import ExponentialComponents
from natfit.likelihoods.mixture_gaussian import GaussianComponents
from natfit.parametrizations.base import Array, Mask, Parametrization


class GaussianHome(Parametrization):
    """Means and a covariance model's coordinates, as means and packed covariances of each component in turn.

    Parameters
    ----------
    covariance : CovarianceCoordinates
    """

    def __init__(self, covariance: CovarianceCoordinates):
        self.covariance = covariance
        self.n_components, self.dim = covariance.n_components, covariance.dim
        K, d = self.n_components, self.dim
        names = [f"mean[{k},{j}]" for k in range(K) for j in range(d)] + list(covariance.names)
        super().__init__(names, K * d + covariance.home_size)

    def _cut(self, xi: Array) -> tuple[Array, Array]:
        at = self.n_components * self.dim
        return xi[..., :at], xi[..., at:]

    def to_home(self, xi: ArrayLike) -> Array:
        mean, rest = self._cut(self._coordinates(xi))
        K = self.n_components
        covariance = self.covariance.to_home(rest)
        both = [part.reshape(*part.shape[:-1], K, -1) for part in (mean, covariance)]
        made = np.concatenate(both, axis=-1)
        return made.reshape(*made.shape[:-2], self.home_size)

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        each = theta.reshape(*theta.shape[:-1], self.n_components, -1)
        mean, covariance = each[..., : self.dim], each[..., self.dim :]
        flat = [part.reshape(*theta.shape[:-1], -1) for part in (mean, covariance)]
        return np.concatenate([flat[0], self.covariance.from_home(flat[1])], axis=-1)

    def jacobian(self, xi: ArrayLike) -> Array:
        rest = self._cut(self._coordinates(xi))[1]
        K, d = self.n_components, self.dim
        own = self.covariance.jacobian(rest)
        lead = own.shape[:-2]
        full = np.zeros((*lead, K, self.home_size // K, self.size))
        for k in range(K):
            full[..., k, np.arange(d), k * d + np.arange(d)] = 1.0
        full[..., :, d:, K * d :] = own.reshape(*lead, K, -1, own.shape[-1])
        return full.reshape(*lead, self.home_size, self.size)


class MixtureCoordinates(Parametrization):
    """Log-odds and coordinates of K members of a family, as log-odds and natural parameters.

    Parameters
    ----------
    components : ExponentialComponents
    inner : Parametrization
        Of K times the family's home parameters, one component after another.
    """

    def __init__(self, components: ExponentialComponents, inner: Parametrization):
        self.components = components
        self.inner = inner
        self.n_odds = components.n_components - 1
        names = [f"log_odds[{k}]" for k in range(self.n_odds)] + list(inner.names)
        super().__init__(names, self.n_odds + components.size)

    @property
    def family(self) -> ExponentialFamily:
        return self.components.family

    def _shift(self, theta: Array, sign: float) -> Array:
        """Carry means to or from the center that the components count from."""
        if not isinstance(self.components, GaussianComponents):
            return theta
        moved = theta.copy()
        moved[..., : self.components.dim] += sign * self.components.center
        return moved

    def _members(self, theta: Array) -> Array:
        return theta.reshape(*theta.shape[:-1], self.components.n_components, -1)

    def to_home(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        theta = self._shift(self._members(self.inner.to_home(xi[..., self.n_odds :])), -1.0)
        eta = self.family.natural_from_home(theta)
        return np.concatenate([xi[..., : self.n_odds], eta.reshape(*xi.shape[:-1], -1)], axis=-1)

    def home_members(self, params: Array) -> Array:
        """Return the family's home parameters (..., K, p) of the likelihood's parameters."""
        eta = self.components.natural(params[..., self.n_odds :])
        return self._shift(self.family.home_from_natural(eta), 1.0)

    def from_home(self, theta: ArrayLike) -> Array:
        params = self._home(theta)
        members = self.home_members(params)
        inner = self.inner.from_home(members.reshape(*params.shape[:-1], -1))
        return np.concatenate([params[..., : self.n_odds], inner], axis=-1)

    def jacobian(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        own = xi[..., self.n_odds :]
        theta = self._shift(self._members(self.inner.to_home(own)), -1.0)
        natural = self.family.natural_jacobian(theta)  # (..., K, s, p)
        inner = self.inner.jacobian(own)
        lead, K = xi.shape[:-1], self.components.n_components
        product = natural @ inner.reshape(*lead, K, -1, inner.shape[-1])
        full = np.zeros((*lead, self.home_size, self.size))
        full[..., np.arange(self.n_odds), np.arange(self.n_odds)] = 1.0
        full[..., self.n_odds :, self.n_odds :] = product.reshape(*lead, self.components.size, -1)
        return full

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        own = xi[..., self.n_odds :]
        with np.errstate(all="ignore"):
            inside = np.isfinite(xi).all(axis=-1) & self.inner.contains(own)
            return inside & np.all(self.family.contains(self._members(self.inner.to_home(own))), axis=-1)


def gaussian_coordinates(components: GaussianComponents, params: Array) -> MixtureCoordinates:
    """Return coordinates of a Gaussian mixture's model, the orientations' reference being that of ``params``."""
    _, covariance = components.unpack(params[components.n_components - 1 :])
    chart = CovarianceCoordinates(components.model, components.n_components, covariance)
    return MixtureCoordinates(components, GaussianHome(chart))
