"""Exponential families: a handful of primitives each, and everything else derived from them once.

The density is p(y) = exp(T(y)'eta + log h(y) - A(eta)): sufficient statistics T, natural parameters eta, base measure
h, log-partition A. Its gradient m = E[T] are the mean parameters, its Hessian is the Fisher information in eta.

Sources: Barndorff-Nielsen (1978), Information and Exponential Families, chapters 8 and 9; Nielsen & Garcia (2009),
Statistical exponential families: a digest with flash cards, for the decompositions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from natfit.families.bregman import bregman_divergence
from natfit.families.dual import MeanCoordinates, NaturalCoordinates, solve_natural
from natfit.families.expectation import expectation
from natfit.families.family import Coordinates, Family
from natfit.parametrizations import Parametrization
from natfit.parametrizations.base import Array, Mask
from natfit.parametrizations.numerical import numerical_jacobian

__all__ = ["ExponentialFamily", "Family"]


class ExponentialFamily(Family):
    """An exponential family of full rank: as many natural parameters as home parameters.

    A subclass gives the abstract methods, and closed forms for whichever of the others it has one:
    ``natural_from_mean``, ``natural_jacobian``, ``fisher_natural``, ``expected_log_base_measure`` and the ``home_...``
    methods. All are vectorised over leading axes and check nothing.

    Attributes
    ----------
    statistic_names : tuple of str
        Names of the k sufficient statistics.
    estimable : str
        What data must offer for a maximum-likelihood estimate to exist, as it follows "needs".
    """

    statistic_names: tuple[str, ...]
    estimable: str = "an average statistic inside the mean domain"

    # -- primitives -----------------------------------------------------------------------------------------------

    @abstractmethod
    def sufficient_statistics(self, y: Array) -> Array:
        """Return T(y), shape (..., k)."""

    def log_base_measure(self, y: Array) -> Array:
        """Return log h(y), shape (...); zero unless a subclass says otherwise."""
        return np.zeros(y.shape[: y.ndim - len(self.support.event_shape)])

    @abstractmethod
    def log_partition(self, eta: Array) -> Array:
        """Return A(eta), shape (...)."""

    @abstractmethod
    def mean_from_natural(self, eta: Array) -> Array:
        """Return m = E[T], the gradient of A, shape (..., k)."""

    @abstractmethod
    def natural_from_home(self, theta: Array) -> Array:
        """Return natural parameters (..., k) of home parameters (..., p)."""

    @abstractmethod
    def home_from_natural(self, eta: Array) -> Array:
        """Return home parameters (..., p) of natural parameters (..., k)."""

    @abstractmethod
    def contains_mean(self, m: Array) -> Mask:
        """Say which averages of T lie inside the mean domain by more than rounding; shape (...)."""

    # -- primitives with a default --------------------------------------------------------------------------------

    def natural_from_mean(self, m: Array) -> Array:
        """Return eta with mean parameters m, the inverse of ``mean_from_natural``; here by a damped Newton method."""
        return solve_natural(self, m)

    def home_from_mean(self, m: Array) -> Array:
        """Return home parameters (..., p) with mean parameters m: the likelihood's maximum for averages m of T."""
        return self.home_from_natural(self.natural_from_mean(m))

    def fisher_natural(self, eta: Array) -> Array:
        """Return the Hessian of A, the covariance of T, shape (..., k, k); here by differentiating the gradient."""
        return numerical_jacobian(self.mean_from_natural, eta, self.contains_natural)

    def natural_jacobian(self, theta: Array) -> Array:
        """Return d eta / d theta, shape (..., k, p); here by numerical differentiation."""
        return numerical_jacobian(self.natural_from_home, theta, self.contains)

    def contains_natural(self, eta: Array) -> Mask:
        """Say which natural parameters (..., k) lie in the domain; shape (...)."""
        with np.errstate(all="ignore"):
            return np.isfinite(eta).all(axis=-1) & self.contains(self.home_from_natural(eta))

    def expected_log_base_measure(self, theta: Array) -> Array:
        """Return E[log h(y)], shape (...); here zero where h is 1, and otherwise by a sum or by quadrature."""
        if type(self).log_base_measure is ExponentialFamily.log_base_measure:
            return np.zeros(theta.shape[:-1])
        return expectation(self, self.log_base_measure, theta)

    # -- in home parameters ---------------------------------------------------------------------------------------

    def home_log_prob(self, y: Array, theta: Array) -> Array:
        eta = self.natural_from_home(theta)
        product = (self.sufficient_statistics(y) * eta).sum(axis=-1)
        return product + self.log_base_measure(y) - self.log_partition(eta)

    def home_score(self, y: Array, theta: Array) -> Array:
        residual = self.sufficient_statistics(y) - self.mean_from_natural(self.natural_from_home(theta))
        return np.einsum("...ij,...i->...j", self.natural_jacobian(theta), residual)

    def home_fisher(self, theta: Array) -> Array:
        jacobian = self.natural_jacobian(theta)
        return np.swapaxes(jacobian, -1, -2) @ self.fisher_natural(self.natural_from_home(theta)) @ jacobian

    def home_kl(self, theta0: Array, theta1: Array) -> Array:
        """KL divergence between home parameters, without checks; the Bregman form."""
        eta0, eta1 = self.natural_from_home(theta0), self.natural_from_home(theta1)
        return bregman_divergence(self.log_partition, self.mean_from_natural, self.fisher_natural, eta0, eta1)

    def mean_jacobian(self, theta: Array) -> Array:
        """Return d m / d theta, shape (..., k, p)."""
        return self.fisher_natural(self.natural_from_home(theta)) @ self.natural_jacobian(theta)

    # -- what is derived ------------------------------------------------------------------------------------------

    @property
    def natural_names(self) -> tuple[str, ...]:
        """Names of natural parameters: eta[T]."""
        return tuple(f"eta[{name}]" for name in self.statistic_names)

    @property
    def mean_names(self) -> tuple[str, ...]:
        """Names of mean parameters: E[T]."""
        return tuple(f"E[{name}]" for name in self.statistic_names)

    def derived_parametrizations(self) -> Mapping[str, Parametrization]:
        return {"natural": NaturalCoordinates(self), "mean": MeanCoordinates(self)}

    def kl(self, params0: ArrayLike, params1: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Kullback-Leibler divergence E0[log p0 - log p1] >= 0, in nats, shape (...).

        It is the Bregman divergence of A, computed so that neighbours lose no digits (see `bregman_divergence`).
        """
        return self.home_kl(self.to_home(params0, parametrization), self.to_home(params1, parametrization))

    def cross_entropy(self, params0: ArrayLike, params1: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Return -E0[log p1] = A(eta1) - eta1'm0 - E0[log h], in nats, shape (...)."""
        theta0, theta1 = self.to_home(params0, parametrization), self.to_home(params1, parametrization)
        eta1 = self.natural_from_home(theta1)
        mean0 = self.mean_from_natural(self.natural_from_home(theta0))
        return self.log_partition(eta1) - (eta1 * mean0).sum(axis=-1) - self.expected_log_base_measure(theta0)

    def entropy(self, params: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Return -E[log p], in nats, shape (...): differential entropy, or Shannon's for discrete families."""
        return self.cross_entropy(params, params, parametrization)

    def expect(
        self, function: Callable[[Array], Array], params: ArrayLike, parametrization: Coordinates = None
    ) -> Array:
        """Return E[function(y)] for a vectorised function, by a sum or by quadrature, shape (...)."""
        return expectation(self, function, self.to_home(params, parametrization))

    def mean_statistics(self, y: Array, weights: ArrayLike | None = None) -> Array:
        """Average T over n rows: (k,), or (K, k) for weights (n, K).

        Raises
        ------
        ValueError
            If there are no rows, or weights are negative, not finite, of another length, or sum to zero.
        """
        if y.shape[0] == 0:
            raise ValueError(f"{self.name} needs at least one observation, but there is none.")
        statistics = self.sufficient_statistics(y)
        if weights is None:
            return statistics.mean(axis=0)
        w = np.asarray(weights, dtype=float)
        if w.shape[:1] != y.shape[:1]:
            raise ValueError(f"Weights need one entry a row, {y.shape[0]} in all, but have shape {w.shape}.")
        total = w.sum(axis=0)
        if not (np.isfinite(w).all() and (w >= 0).all() and (total > 0).all()):
            raise ValueError("Weights must be finite, not negative, and not all zero; remove or correct them.")
        return (w.T @ statistics) / total[..., None]

    def mle(
        self, y: ArrayLike, weights: ArrayLike | None = None, parametrization: Coordinates = None, name: str = "y"
    ) -> Array:
        """Maximum-likelihood estimate from observations (n, *event): the parameters whose E[T] is the average of T.

        Parameters
        ----------
        weights : array_like, (n,) or (n, K), optional
            Frequencies; with (n, K), K estimates at once, (K, p).
        parametrization : optional
            Coordinates in which to return the estimate; home parameters where omitted.

        Raises
        ------
        ValueError
            If observations lie outside the support, or the average statistic is on the boundary of the mean domain,
            where no estimate exists.
        """
        theta = self._home_mle(self.check(y, name), weights, name)
        return theta if parametrization is None else self.from_home(theta, parametrization)

    def _home_mle(self, y: Array, weights: ArrayLike | None, name: str) -> Array:
        return self.mle_from_mean(self.mean_statistics(y, weights), name)

    def mle_from_mean(self, m: ArrayLike, name: str = "y") -> Array:
        """Maximum-likelihood estimate in home parameters (..., p) from averages of the sufficient statistics (..., k).

        Raises
        ------
        ValueError
            If an average is on the boundary of the mean domain.
        """
        m = np.asarray(m, dtype=float)
        self._refuse_boundary(self.contains_mean(m), name)
        return self.home_from_mean(m)

    def _refuse_boundary(self, good: Mask, name: str) -> None:
        if not np.all(good):
            raise ValueError(
                f"{self.name} has no maximum-likelihood estimate for {name}: its likelihood has no maximum inside the "
                f"domain, as an estimate needs {self.estimable}; collect more data, or use a simpler family."
            )
