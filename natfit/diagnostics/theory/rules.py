"""Expectations as weighted sums over points: a quadrature or a sum where the support allows, a sample always."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from natfit.families import Family
from natfit.parametrizations.base import Array

SETTLED = 1e-9
"""Largest change of the total mass between two resolutions, or share of it at an end, with which a rule is called exact."""

LONGEST = 200_000
"""Most terms of a sum over a discrete support."""

NEGLIGIBLE = 1e-25
"""Weight, relative to the largest, under which a point is left out."""


@dataclass(frozen=True, eq=False)
class Rule:
    """Points y (n, *event) and weights (n,) with E[f(y)] = sum of weight f(y).

    Attributes
    ----------
    exact : bool
        False for a sample, whose averages have a standard error.
    kind : str
        "sum", "quadrature" or "Monte Carlo".
    """

    y: Array
    weight: Array
    kind: str

    @property
    def exact(self) -> bool:
        return self.kind != "Monte Carlo"

    def mean(self, values: Array) -> Array:
        """Return the expectation of values (n, ...), shape (...)."""
        return np.tensordot(self.weight, values, axes=1)

    def standard_error(self, values: Array) -> Array:
        """Return the standard error of that expectation; zero where the rule is exact."""
        if self.exact:
            return np.zeros(values.shape[1:])
        return values.std(axis=0, ddof=1) / math.sqrt(len(values))


def sample_rule(family: Family, theta: Array, draws: int, seed: int | np.random.Generator) -> Rule:
    """Return a sample of home parameters (p,) as a rule.

    Raises
    ------
    ValueError
        If there are fewer than 100 draws: their standard error would mean nothing.
    """
    if draws < 100:
        raise ValueError(f"Monte Carlo needs at least 100 draws for a standard error, but got draws={draws}.")
    y = np.asarray(family.home_sample(theta, np.random.default_rng(seed), (int(draws),)), dtype=float)
    return Rule(y, np.full(len(y), 1.0 / len(y)), "Monte Carlo")


def exact_rule(family: Family, theta: Array) -> Rule | None:
    """Return a rule under home parameters (p,) that is exact but for rounding; None if the support does not allow.

    A sum over a discrete support; over an interval the double exponential rule (Takahasi & Mori, 1974) at two
    resolutions that agree. That the mass is 1 is not asked for: where it is not, the density is at fault and the checks
    are to find it.
    """
    if family.support.event_shape:
        return None
    if family.support.discrete:
        return _sum(family, theta)
    coarse, fine = (_quadrature(family, theta, steps) for steps in (64, 128))
    if not _agree(coarse, fine):
        coarse, fine = fine, _quadrature(family, theta, 512)
    return coarse if _agree(coarse, fine) else None


def _quadrature(family: Family, theta: Array, steps: int) -> Rule:
    """Return the double exponential rule with ``steps`` points to a unit of its variable."""
    y, width = _double_exponential(family, theta, steps)
    with np.errstate(all="ignore"):
        weight = width * np.exp(family.home_log_prob(y, theta))
    return _trimmed(y, weight, "quadrature")


def _agree(coarse: Rule, fine: Rule) -> bool:
    """Whether two resolutions give one mass, of which nothing is left at the ends."""
    if min(coarse.weight.size, fine.weight.size) < 2:
        return False
    ends = max(coarse.weight[0], coarse.weight[-1]) / coarse.weight.sum()
    return bool(abs(coarse.weight.sum() - fine.weight.sum()) < SETTLED and ends < SETTLED)


def _sum(family: Family, theta: Array) -> Rule | None:
    low, high = family.support.low, family.support.high
    length = 256
    while True:
        stop = min(low + length, high + 1)
        y = np.arange(low, stop, dtype=float)
        with np.errstate(all="ignore"):
            weight = np.exp(family.home_log_prob(y, theta))
        if stop > high or (np.nansum(weight) > 0.5 and weight[-1] <= NEGLIGIBLE * np.nanmax(weight)):
            return _trimmed(y, weight, "sum")
        if length >= LONGEST:
            return None
        length *= 2


def _trimmed(y: Array, weight: Array, kind: str) -> Rule:
    """Leave out points without weight."""
    good = np.isfinite(weight) & (weight > 0)
    good &= weight > NEGLIGIBLE * weight[good].max(initial=0.0)
    return Rule(y[good], weight[good], kind)


def _double_exponential(family: Family, theta: Array, steps: int) -> tuple[Array, Array]:
    """Return points inside the support and the widths that they stand for, ``steps`` to a unit of the rule's variable."""
    low, high = family.support.low, family.support.high
    t = np.arange(-6 * steps, 6 * steps + 1) / steps
    with np.errstate(all="ignore"):
        u = np.exp(0.5 * math.pi * np.sinh(t))
        slope = 0.5 * math.pi * np.cosh(t) * u / steps
        if np.isfinite(low) and np.isfinite(high):
            y, width = low + (high - low) * (u / (1.0 + u)), (high - low) * slope / (1.0 + u) ** 2
        else:
            y, width = _half_lines(family, theta, u, slope)
    good = np.isfinite(width) & (width > 0) & np.asarray(family.support.contains(y))
    return y[good], width[good]


def _half_lines(family: Family, theta: Array, u: Array, slope: Array) -> tuple[Array, Array]:
    """Points from an end of the support outwards, or to both sides of a centre; a known location is a kink to cut at."""
    low, high = family.support.low, family.support.high
    draws = family.home_sample(theta, np.random.default_rng(0), (99,))
    if np.isfinite(low):
        scale = float(np.median(draws)) - low
        return low + scale * u, scale * slope
    if np.isfinite(high):
        scale = high - float(np.median(draws))
        return high - scale * u, scale * slope
    centre = float(getattr(family, "location", np.median(draws)))
    scale = float(np.median(np.abs(draws - centre)))
    y = np.concatenate([centre - scale * u[::-1], centre + scale * u])
    return y, np.concatenate([scale * slope[::-1], scale * slope])
