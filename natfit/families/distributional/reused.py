"""A family of the registry as a distributional one: each coordinate of a parametrization is a parameter."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from natfit.families.base import ExponentialFamily
from natfit.families.distributional import derivatives
from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta
from natfit.families.distributional.closed import CLOSED, Closed
from natfit.families.distributional.registry import register
from natfit.families.family import Family
from natfit.families.interval import POSITIVE, REAL, UNIT, Interval
from natfit.families.von_mises import around_zero
from natfit.parametrizations import Parametrization

PREFERRED = {
    "gaussian": "sd",
    "lognormal": "sd",
    "gamma": "mean_shape",
    "beta": "mean_precision",
}
"""The parametrization whose coordinates carry the formulas where none is asked for; others take their home parameters."""


class Reused(DistributionalFamily):
    """A `Family` in one of its parametrizations, with the coordinates as the regression's parameters.

    Log-density, score and Fisher information are the family's own, carried to the coordinates by the Jacobian.

    Parameters
    ----------
    family : Family
    parametrization : str or Parametrization, optional
        One of ``family.parametrizations``, or another; the usual one for a regression where left out.

    Examples
    --------
    >>> from natfit.families import Gamma
    >>> Reused.of(Gamma()).parameter_names
    ('mean', 'shape')
    """

    information = "closed form"

    def __init__(self, family: Family, parametrization: Any, chart: Parametrization, domains: tuple[Interval, ...]):
        self.family, self.parametrization, self.chart = family, parametrization, chart
        self.name = family.name
        self.parameter_names = tuple(chart.names)
        self.support = family.support
        self.circular = family.name == "von_mises"
        self.domains = domains
        self.closed: Closed | None = CLOSED.get(family.name)

    @classmethod
    def of(cls, family: Family, parametrization: Any = None) -> Reused:
        """Return a family in a parametrization, by name or object, with the domains of its coordinates found."""
        name = parametrization or PREFERRED.get(family.name) or family.home
        chart = family.parametrization(name)
        return cls(family, name, chart, _domains(family, chart))

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        return ()

    def in_parametrization(self, parametrization: Any) -> Reused:
        """Return the same family with other coordinates as parameters."""
        return Reused.of(self.family, parametrization)

    def contains(self, theta: Theta) -> Array:
        xi = _stack(theta)
        with np.errstate(all="ignore"):
            return np.asarray(self.chart.contains(xi) & self.family.contains(self.chart.to_home(xi)))

    def _home(self, theta: Theta) -> Array:
        return self.chart.to_home(_stack(theta))

    def log_prob(self, y: Array, theta: Theta) -> Array:
        return self.family.home_log_prob(y, self._home(theta))

    def score(self, y: Array, theta: Theta) -> list[Array]:
        xi = _stack(theta)
        home = self.family.home_score(y, self.chart.to_home(xi))
        J = self.chart.jacobian(xi)
        return [_total(J[..., i, k] * home[..., i] for i in range(J.shape[-2])) for k in range(self.K)]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        xi = _stack(theta)
        return self._pulled(self.family.home_fisher(self.chart.to_home(xi)), self.chart.jacobian(xi))

    def _pulled(self, home: Array, J: Array) -> Matrix:
        """Return J'FJ of each row."""
        size = range(J.shape[-2])
        turned = [[_total(home[..., i, j] * J[..., j, l] for j in size) for l in range(self.K)] for i in size]
        return {
            (k, l): _total(J[..., i, k] * turned[i][l] for i in size) for k in range(self.K) for l in range(k, self.K)
        }

    def observed(self, y: Array, theta: Theta) -> Matrix:
        """Return minus the second derivatives: of an exponential family its information less the bend of eta(theta)."""
        family = self.family
        if not isinstance(family, ExponentialFamily):
            return super().observed(y, theta)
        xi = _stack(theta)
        home, J = self.chart.to_home(xi), self.chart.jacobian(xi)
        eta = family.natural_from_home(home)
        left = family.sufficient_statistics(y) - family.mean_from_natural(eta)

        def pulled(moved: Theta) -> list[Array]:
            """Return (d eta / d xi)' left, the response held."""
            place = _stack(moved)
            natural = np.einsum("...kp,...k->...p", family.natural_jacobian(self.chart.to_home(place)), left)
            chart = self.chart.jacobian(place)
            return [_total(chart[..., i, k] * natural[..., i] for i in range(chart.shape[-2])) for k in range(self.K)]

        bend = derivatives.smooth_jacobian(pulled, theta, self.domains)
        fisher = self._pulled(family.home_fisher(home), J)
        return {pair: fisher[pair] - bend[pair] for pair in fisher}

    def start(self, y: Array, weight: Array | None) -> list[float]:
        if not isinstance(self.family, ExponentialFamily):
            return super().start(y, weight)
        return [float(value) for value in self.chart.from_home(self.family.mle(y, weight))]

    def example_parameters(self) -> Array:
        return self.chart.from_home(self.family.example_parameters())

    def _moments(self, theta: Theta) -> tuple[Array, Array] | None:
        """Return mean and variance where they can be read off the sufficient statistics."""
        family = self.family
        if not isinstance(family, ExponentialFamily) or "y" not in family.statistic_names:
            return None
        place, eta = family.statistic_names.index("y"), family.natural_from_home(self._home(theta))
        return family.mean_from_natural(eta)[..., place], family.fisher_natural(eta)[..., place, place]

    def mean(self, theta: Theta) -> Array:
        known = self._moments(theta)
        if known is not None:
            return known[0]
        return self.closed.mean(self._home(theta)) if self.closed and self.closed.mean else super().mean(theta)

    def variance(self, theta: Theta) -> Array:
        known = self._moments(theta)
        if known is not None:
            return known[1]
        return (
            self.closed.variance(self._home(theta)) if self.closed and self.closed.variance else super().variance(theta)
        )

    def _turned(self, theta: Theta) -> tuple[Array, list[Array]]:
        """Return the direction of each row, in (-pi, pi], and the parameters of the same law around 0."""
        home = self._home(theta)
        middle = around_zero(home[..., 0])
        still = self.chart.from_home(np.stack([np.zeros_like(middle), home[..., 1]], axis=-1))
        return middle, [still[..., k] for k in range(self.K)]

    def cdf(self, y: Array, theta: Theta) -> Array:
        if self.circular:  # the circle is cut opposite the direction, where there is least to cut
            middle, still = self._turned(theta)
            return super().cdf(around_zero(y - middle), still)
        return self.closed.cdf(y, self._home(theta)) if self.closed and self.closed.cdf else super().cdf(y, theta)

    def quantile(self, level: Array, theta: Theta) -> Array:
        if self.circular:
            middle, still = self._turned(theta)
            return middle + super().quantile(level, still)
        if self.closed and self.closed.quantile:
            return self.closed.quantile(level, self._home(theta))
        return super().quantile(level, theta)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        home = self._home(theta)
        return self.family.home_sample(home, rng, home.shape[:-1])

    def __repr__(self) -> str:
        return f"{self.family!r} in {self.parametrization}"


def _total(terms: Iterable[Array]) -> Array:
    return functools.reduce(np.add, terms)


def _stack(theta: Theta) -> Array:
    return np.stack(np.broadcast_arrays(*theta), axis=-1)


_PROBES = np.array([-1e3, -1.0, 0.5, 2.0, 1e3])


def _domains(family: Family, chart: Parametrization) -> tuple[Interval, ...]:
    """Find where each coordinate may lie: the whole line, positive numbers or the unit interval, by probing."""
    found = []
    with np.errstate(all="ignore"):
        points = chart.from_home(family.example_parameters())
        for k in range(chart.size):
            xi = np.repeat(points[:, None, :], _PROBES.size, axis=1)
            xi[..., k] = _PROBES
            inside: Any = np.asarray(chart.contains(xi) & family.contains(chart.to_home(xi)))
            allowed = inside.reshape(-1, _PROBES.size).any(axis=0)
            found.append(REAL if allowed[:2].any() else POSITIVE if allowed[3:].any() else UNIT)
    return tuple(found)


for _name in ("gaussian", "lognormal", "gamma", "inverse_gaussian", "von_mises"):
    from natfit.families import registry as _families

    register(Reused.of(_families.get(_name)))
