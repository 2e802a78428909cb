"""The point at which the theory is checked: a distribution, its coordinates, and a ruler made of its Fisher matrix."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from natfit.diagnostics.theory.rules import Rule, exact_rule, sample_rule
from natfit.families import Family, get
from natfit.families.family import Coordinates
from natfit.metric import Gram
from natfit.parametrizations import Parametrization
from natfit.parametrizations.base import Array, Mask

LARGEST = 20
"""Coordinates above which the checks are refused: second derivatives are taken in every pair of coordinates."""

WIDEST = 0.5
"""Radius, in standard errors of one observation, of the largest neighbourhood looked at."""


class Place:
    """One distribution in one parametrization, with its Fisher matrix F = LL'.

    Steps are measured in standard errors of one observation: xi + V a with V = L'^-1, so that a'a is the quadratic
    form d'Fd of the step d = V a. It is a unit of length only; nothing is assumed about F being right.

    Parameters
    ----------
    family : Family, class or str
        The family or its registered name.
    params : array_like, (q,)
        One point.
    parametrization : str or Parametrization, optional
        In which ``params`` are given; home parameters where omitted.

    Raises
    ------
    TypeError
        If the family has no density in parameters of its own.
    ValueError
        If the point has another number of parameters or lies outside the domain, if the parametrization is unknown, or
        if the Fisher matrix is singular at the point; the message says along which direction.
    """

    def __init__(self, family: Any, params: ArrayLike, parametrization: Coordinates = None) -> None:
        self.family = as_family(family)
        self.chart: Parametrization = self.family.parametrization(parametrization)
        self._given = parametrization
        self.chart_name = parametrization if isinstance(parametrization, str) else _name(self.family, parametrization)
        self.xi = self._one_point(params)
        self.theta = self.family.to_home(self.xi, self.chart)
        self.chart.require_regular(self.xi)
        self.fisher = np.asarray(self.family.fisher(self.xi, self.chart), dtype=float)
        self._require_positive_definite()
        scale = np.sqrt(self.fisher.diagonal())
        self.lower = scale[:, None] * np.linalg.cholesky(self.fisher / scale / scale[:, None])
        self.axes = np.linalg.inv(self.lower).T

    def _one_point(self, params: ArrayLike) -> Array:
        xi = np.atleast_1d(np.asarray(params, dtype=float))
        names = ", ".join(self.chart.names)
        if xi.shape != (self.chart.size,):
            raise ValueError(
                f"{self.family.name} needs one point of {self.chart.size} parameters ({names}), "
                f"but got shape {xi.shape}."
            )
        if self.chart.size > LARGEST:
            raise ValueError(
                f"The checks differentiate in every pair of coordinates and take {LARGEST} of them at most, but "
                f"{self.family.name} has {self.chart.size}: check it at a smaller dimension."
            )
        return xi

    def _require_positive_definite(self) -> None:
        if not np.isfinite(self.fisher).all():
            raise ValueError(f"The Fisher information is not finite at {self.text}: choose another point.")
        lost = Gram(self.fisher).nullspace()
        if lost.shape[1]:
            direction = lost[:, 0] / np.abs(lost[:, 0]).max()
            terms = [f"{c:+.3g} {n}" for c, n in zip(direction, self.chart.names, strict=True) if abs(c) > 1e-9]
            raise ValueError(
                f"The Fisher information is singular at {self.text} along the direction {' '.join(terms)}: an "
                "observation says nothing about moves that way, so F^-1 does not exist; choose another point, or "
                "coordinates without that direction."
            )

    @property
    def size(self) -> int:
        """Number q of coordinates."""
        return self.chart.size

    @property
    def text(self) -> str:
        """Family, point and parametrization in words."""
        point = ", ".join(f"{name} = {value:.6g}" for name, value in zip(self.chart.names, self.xi, strict=True))
        if self.size > 5:
            point = "(" + ", ".join(f"{value:.4g}" for value in self.xi) + ")"
        return f"{self.family.name}, {point} ({self.chart_name})"

    def at(self, a: ArrayLike) -> Array:
        """Return the coordinates (..., q) of steps ``a`` (..., q) in standard errors."""
        return self.xi + np.asarray(a, dtype=float) @ self.axes.T

    def moved(self, xi: ArrayLike) -> Place:
        """Return another point of the same family in the same coordinates."""
        return Place(self.family, xi, self._given)

    def home(self, xi: ArrayLike) -> Array:
        """Map coordinates to home parameters without checks; not a number outside the domain."""
        with np.errstate(all="ignore"):
            inside = np.asarray(self.contains(xi))[..., None]
            return self.chart.to_home(np.where(inside, xi, self.xi)) + np.where(inside, 0.0, np.nan)

    def contains(self, xi: ArrayLike) -> Mask:
        """Say which coordinates (..., q) lie inside both domains."""
        xi = np.asarray(xi, dtype=float)
        with np.errstate(all="ignore"):
            inside = np.asarray(self.chart.contains(xi))
            return inside & self.family.contains(self.chart.to_home(np.where(inside[..., None], xi, self.xi)))

    def kl(self, xi0: ArrayLike, xi1: ArrayLike) -> Array:
        """Return KL(xi0 || xi1) in nats; the family's own form, or a quadrature over the log-densities."""
        return divergence(self.family, self.home(xi0), self.home(xi1))

    def log_prob(self, y: Array, xi: Array) -> Array:
        """Return log-densities of observations (n, *event) at points (K, q), shape (n, K)."""
        event = len(self.family.support.event_shape)
        return self.family.home_log_prob(np.expand_dims(y, y.ndim - event), self.home(xi))

    def exact(self) -> Rule | None:
        """Return a rule for expectations here, exact but for rounding; None where there is none."""
        return exact_rule(self.family, self.theta)

    def sample(self, draws: int, seed: int | np.random.Generator) -> Rule:
        """Return a sample from here as a rule for expectations."""
        return sample_rule(self.family, self.theta, draws, seed)

    @cached_property
    def radius(self) -> float:
        """Radius in standard errors of a ball inside the domain, on which KL is about half the squared radius."""
        directions = np.random.default_rng(0).normal(size=(32, self.size))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        directions = np.concatenate([directions, np.eye(self.size), -np.eye(self.size)])
        radius = WIDEST
        for _ in range(40):
            points = self.at(radius * directions)
            if np.all(self.contains(points)):
                ratio = np.asarray(self.kl(self.xi, points)) / (0.5 * radius**2)
                if np.all((ratio > 1 / 3) & (ratio < 3)):
                    return radius
            radius *= 0.5
        raise ValueError(
            f"Around {self.text} no neighbourhood was found on which KL follows the Fisher matrix even roughly: the "
            "point is next to the boundary of the domain, or home_fisher or the Jacobian is far off."
        )

    def neighbour(self, seed: int = 0) -> Array:
        """Return the coordinates of a distribution nearby, in an arbitrary direction fixed by the seed."""
        direction = np.random.default_rng(seed + 1).normal(size=self.size)
        return self.at(0.9 * self.radius * direction / np.linalg.norm(direction))

    def other(self, params: ArrayLike | None) -> Place:
        """Return the second distribution of a check: the one given, or a neighbour."""
        return self.moved(self.neighbour() if params is None else params)


def as_family(family: Any) -> Family:
    """Return the family that a name, class or object stands for, if it has a density in parameters of its own."""
    found = get(family)
    if not isinstance(found, Family):
        raise TypeError(
            f"{getattr(found, 'name', found)!r} is a response for GLMs only; the checks need a family with log_prob, "
            "score and fisher in its own parameters (a subclass of Family)."
        )
    return found


def divergence(family: Family, theta0: Array, theta1: Array) -> Array:
    """Return KL between home parameters that broadcast, without checks."""
    own = getattr(family, "home_kl", None)
    if own is not None:
        with np.errstate(all="ignore"):
            return own(theta0, theta1)
    batch = np.broadcast_shapes(theta0.shape[:-1], theta1.shape[:-1])
    start = np.broadcast_to(theta0, (*batch, theta0.shape[-1])).reshape(-1, theta0.shape[-1])
    end = np.broadcast_to(theta1, (*batch, theta1.shape[-1])).reshape(-1, theta1.shape[-1])
    out = np.full(len(start), np.nan)
    for point in np.unique(start, axis=0):
        rows = (start == point).all(axis=1)
        rule = exact_rule(family, point)
        if rule is None:
            raise ValueError(
                f"{family.name} has no KL divergence of its own, and no quadrature covers its support: "
                "give the class a method home_kl(theta0, theta1)."
            )
        with np.errstate(all="ignore"):
            ratio = family.home_log_prob(rule.y[:, None], point) - family.home_log_prob(rule.y[:, None], end[rows])
            out[rows] = rule.mean(ratio)
    return out.reshape(batch)[()]


def _name(family: Family, parametrization: Parametrization | None) -> str:
    return family.home if parametrization is None else repr(parametrization)


def angle(a: Array, b: Array, fisher: Array | None = None) -> float:
    """Return the angle in degrees between two vectors, in the metric ``fisher`` or Euclid's.

    By Kahan's formula, which keeps its digits at small angles: 2 atan2(|a/|a| - b/|b||, |a/|a| + b/|b||).
    """
    if fisher is not None:
        factor = np.linalg.cholesky(fisher).T
        a, b = factor @ a, factor @ b
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    return float(np.degrees(2.0 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))))
