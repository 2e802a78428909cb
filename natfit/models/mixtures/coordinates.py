"""The free parameters of a mixture, as users know them, and the way to the likelihood's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from natfit.families.gaussian_covariances import CovarianceCoordinates
from natfit.likelihoods.mixtures.composed import ProductComponents, WithFixed
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.likelihoods.mixtures.gaussian import GaussianComponents
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.parametrizations.affine import Identity
from natfit.parametrizations.base import Array, Mask, Parametrization
from natfit.parametrizations.product import Product


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

    def pull_score(self, xi: ArrayLike, score: ArrayLike) -> Array:
        rest = self._cut(self._coordinates(xi))[1]
        score = np.asarray(score, dtype=float)
        each = score.reshape(*score.shape[:-1], self.n_components, -1)
        flat = [part.reshape(*score.shape[:-1], -1) for part in (each[..., : self.dim], each[..., self.dim :])]
        own = self.covariance.pull_score(rest, flat[1])
        return np.concatenate([np.broadcast_to(flat[0], (*own.shape[:-1], flat[0].shape[-1])), own], axis=-1)


class MemberCoordinates(Parametrization):
    """Coordinates of K members of a family, as natural parameters.

    Parameters
    ----------
    components : ExponentialComponents
    inner : Parametrization
        Of K times the family's home parameters, one component after another.
    """

    def __init__(self, components: ExponentialComponents, inner: Parametrization):
        self.components = components
        self.inner = inner
        super().__init__(inner.names, components.size)

    def _members(self, theta: Array) -> Array:
        """Return home parameters (..., K, p), means counted from the components' center."""
        each = theta.reshape(*theta.shape[:-1], self.components.n_components, -1)
        return self._shift(each, -1.0)

    def _shift(self, each: Array, sign: float) -> Array:
        center = self.components.center
        if center is None:
            return each
        moved = each.copy()
        moved[..., : len(center)] += sign * center
        return moved

    def to_home(self, xi: ArrayLike) -> Array:
        theta = self.inner.to_home(self._coordinates(xi))
        eta = self.components.family.natural_from_home(self._members(theta))
        return eta.reshape(*eta.shape[:-2], self.home_size)

    def from_home(self, theta: ArrayLike) -> Array:
        params = self._home(theta)
        members = self._shift(self.components.family.home_from_natural(self.components.natural(params)), 1.0)
        return self.inner.from_home(members.reshape(*params.shape[:-1], -1))

    def jacobian(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        natural = self.components.family.natural_jacobian(self._members(self.inner.to_home(xi)))  # (..., K, s, p)
        inner = self.inner.jacobian(xi)
        K = self.components.n_components
        product = natural @ inner.reshape(*inner.shape[:-2], K, -1, inner.shape[-1])
        return product.reshape(*inner.shape[:-2], self.home_size, self.size)

    def pull_score(self, xi: ArrayLike, score: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        members = self._members(self.inner.to_home(xi))
        score = np.asarray(score, dtype=float)
        each = score.reshape(*score.shape[:-1], self.components.n_components, -1)
        family = self.components.family
        own = [  # one component at a time: the Jacobians of all would be large
            np.einsum("...sp,...s->...p", family.natural_jacobian(members[..., k, :]), each[..., k, :])
            for k in range(self.components.n_components)
        ]
        return self.inner.pull_score(xi, np.stack(own, axis=-2).reshape(*members.shape[:-2], -1))

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        with np.errstate(all="ignore"):
            inside = np.isfinite(xi).all(axis=-1) & self.inner.contains(xi)
            return inside & np.all(self.components.family.contains(self._members(self.inner.to_home(xi))), axis=-1)


def part_coordinates(components: Any, params: Array) -> Parametrization | None:
    """Return the free coordinates of components near ``params``, or None where their own parameters are free."""
    if isinstance(components, WithFixed):
        return part_coordinates(components.main, params)
    if isinstance(components, ProductComponents):
        each = list(zip(components.parts, components.slices, strict=True))
        charts = [part_coordinates(part, params[at]) for part, at in each]
        if all(chart is None for chart in charts):
            return None
        return Product(*(chart or Identity(part.names) for chart, (part, _) in zip(charts, each, strict=True)))
    if isinstance(components, GaussianComponents):
        if components.is_free:
            return None
        chart = CovarianceCoordinates(components.model, components.n_components, components.unpack(params)[1])
        return MemberCoordinates(components, GaussianHome(chart))
    return getattr(components, "chart", None)


def free_coordinates(likelihood: MixtureLikelihood) -> Callable[[Array], Parametrization | None]:
    """Return what gives the free coordinates of a mixture near its parameters; None where its own are free."""

    def near(params: Array) -> Parametrization | None:
        chart = part_coordinates(likelihood.components, likelihood.split(params)[1])
        if chart is None or likelihood.weights.size == 0:
            return chart
        return Product(Identity(likelihood.weights.names), chart)

    return near
