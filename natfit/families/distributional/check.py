"""The laws that a family must obey, checked in one call: what a user's own family is held to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.families.distributional.base import Array, DistributionalFamily
from natfit.families.distributional.derivatives import gradient
from natfit.families.distributional.expectation import distribution_function, expect
from natfit.families.distributional.quantiles import by_bisection

DRAWS = 400
"""Responses drawn at each of the example parameters."""


@dataclass(frozen=True)
class Law:
    """One law: what was checked, the worst miss in its own units, how much may be missed, and where that was."""

    name: str
    miss: float
    allowed: float
    where: str = ""

    @property
    def holds(self) -> bool:
        """Whether the miss is no more than is allowed; a miss that is not a number is one."""
        return bool(self.miss <= self.allowed)


@dataclass(frozen=True)
class FamilyReport:
    """What came of `check`: ``laws``, and whether all of them hold, ``ok``."""

    family: str
    laws: tuple[Law, ...]

    @property
    def ok(self) -> bool:
        """Whether every law holds."""
        return all(law.holds for law in self.laws)

    def raise_if_wrong(self) -> None:
        """Raise a ValueError that names the laws that are broken."""
        broken = [law for law in self.laws if not law.holds]
        if broken:
            told = "; ".join(f"{law.name} misses by {law.miss:.2g} at {law.where}" for law in broken)
            raise ValueError(f"the family {self.family} breaks {len(broken)} law(s): {told}")

    def __str__(self) -> str:
        lines = [f"{self.family}: {'all laws hold' if self.ok else 'BROKEN'}"]
        for law in self.laws:
            verdict = "ok    " if law.holds else "BROKEN"
            lines.append(f"  {verdict} {law.name}: {law.miss:.1e} (allowed {law.allowed:.0e}) {law.where}".rstrip())
        return "\n".join(lines)

    __repr__ = __str__


def check(family: DistributionalFamily) -> FamilyReport:
    """Check a distributional family's own laws at its example parameters, and return a report.

    ``log_prob`` works row by row and its probabilities add up to 1; the score is their gradient and has mean zero; the
    Fisher information is the score's covariance and minus the mean second derivative; moments, distribution function,
    quantiles and draws belong to them. Where a log-density has a kink, as Laplace's, its second derivative tells less than
    the information, and that law is broken.

    Parameters
    ----------
    family : DistributionalFamily
        Of one-dimensional responses; a class or a registered name will do.

    Raises
    ------
    ValueError
        For a family that lacks an attribute, or whose ``log_prob`` takes no arrays.

    Examples
    --------
    >>> from natfit.families import distributional
    >>> check(distributional.get("gumbel")).ok
    True
    """
    family = _whole(family)
    theta = list(family.example_parameters().T)
    with np.errstate(all="ignore"):
        laws = [_rows(family, theta)]
        if laws[0].holds:
            laws.append(_mass(family, theta))
        if laws[-1].holds or (
            laws[0].holds and not family.support.discrete
        ):  # counts whose masses don't add up have no end to sum to
            laws += [*_scores(family, theta), *_informations(family, theta), *_moments(family, theta)]
            laws += [_distribution(family, theta), _quantiles(family, theta), _draws(family, theta)]
    return FamilyReport(family.name, tuple(laws))


def _whole(family: Any) -> DistributionalFamily:
    """Return a family, from its name or class as well, or refuse what lacks an attribute."""
    from natfit.families.distributional.registry import get

    if not isinstance(family, type):
        family = family if isinstance(family, DistributionalFamily) else get(family)
    elif issubclass(family, DistributionalFamily):
        family = family()
    else:
        family = get(family)
    lacking = [name for name in ("name", "parameter_names", "domains", "support") if not hasattr(family, name)]
    if lacking:
        raise ValueError(
            f"the family {type(family).__name__} needs the attribute(s) {', '.join(lacking)}; give them all"
        )
    if len(family.domains) != len(family.parameter_names):
        raise ValueError(
            f"the family {family.name} has {len(family.parameter_names)} parameter name(s) and {len(family.domains)} "
            "domain(s); give one domain for each parameter"
        )
    if family.support.event_shape:
        raise ValueError(f"check is for responses of one number, and the {family.name} family's has several columns")
    return family


def _rows(family: DistributionalFamily, theta: list[Array]) -> Law:
    """Compare the log-probabilities of many responses at once, (n,) and (n, m), with those of one row after the other.

    Raises
    ------
    ValueError
        Where ``log_prob`` does not take arrays.
    """
    some = np.array([2.0, 3.0, 5.0]) if family.support.discrete else np.array([0.2, 0.45, 0.7])
    y = np.resize(some, len(theta[0]))
    try:
        whole = np.asarray(family.log_prob(y, theta), dtype=float)
        wide = np.asarray(family.log_prob(y[:, None] + np.zeros(2), [t[:, None] for t in theta]), dtype=float)
        each = [np.ravel(family.log_prob(y[i : i + 1], [t[i : i + 1] for t in theta]))[0] for i in range(len(y))]
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(
            f"log_prob of the family {family.name} must take arrays, responses (n,) or (n, m) with one parameter for each "
            f"row, and fails on them ({error}); write it in NumPy's functions, with np.where in place of if"
        ) from error
    name = "log_prob is row by row"
    if whole.shape != y.shape or wide.shape != (len(y), 2):
        return Law(name, np.inf, 0.0, f"(log_prob of {len(y)} rows has shape {whole.shape}; nothing else was checked)")
    differ = np.abs(np.column_stack([whole - each, wide - whole[:, None]]))
    differ = np.where(np.isfinite(whole)[:, None], differ, 0.0) / (1.0 + np.abs(whole))[:, None]
    return _worst(name, np.where(np.isnan(differ) & ~np.isfinite(whole)[:, None], 0.0, differ), 1e-10, family)


def _worst(name: str, misses: Array, allowed: float, family: DistributionalFamily) -> Law:
    """Return the law with the largest miss of some at the example parameters, (m,) or (m, ...)."""
    flat = np.asarray(misses, dtype=float).reshape(len(family.example_parameters()), -1)
    each = np.where(np.isnan(flat), np.inf, np.abs(flat)).max(axis=1)
    worst = int(each.argmax())
    point = family.example_parameters()[worst]
    where = ", ".join(f"{n}={v:g}" for n, v in zip(family.parameter_names, point, strict=True))
    return Law(name, float(each[worst]), allowed, where)


def _mass(family: DistributionalFamily, theta: list[Array]) -> Law:
    name = "probabilities add up to 1"
    try:
        total = expect(family, lambda y, t: [np.ones_like(y)], theta)[0]
    except ArithmeticError as error:
        return Law(name, np.inf, 1e-6, f"({error}; nothing else was checked)")
    return _worst(name, total - 1.0, 1e-6, family)


def _unit(family: DistributionalFamily, theta: list[Array]) -> Array:
    """Return the standard error of one row in each parameter, (K, m)."""
    squares = expect(family, lambda y, t: [s * s for s in family.score(y, t)], theta)
    return 1.0 / np.sqrt(np.array(squares))


def _scores(family: DistributionalFamily, theta: list[Array]) -> list[Law]:
    unit, rng = _unit(family, theta), np.random.default_rng(0)
    wide = [np.repeat(t, 50) for t in theta]
    y = family.sample(wide, rng)
    numeric = np.array(gradient(lambda t: family.log_prob(y, t), wide, family.domains))
    given = np.array(family.score(y, wide))
    scale = np.repeat(unit, 50, axis=1)
    miss = ((given - numeric) * scale / (1.0 + np.abs(given * scale))).T
    mean = np.array(expect(family, lambda y, t: list(family.score(y, t)), theta)) * unit
    return [
        _worst("the score is the gradient", miss.reshape(len(theta[0]), -1), 1e-6, family),
        _worst("the score has mean zero", mean.T, 1e-6, family),
    ]


def _informations(family: DistributionalFamily, theta: list[Array]) -> list[Law]:
    unit = _unit(family, theta)
    pairs = [(k, l) for k in range(family.K) for l in range(k, family.K)]
    zero = np.zeros(len(theta[0]))
    y = family.sample(theta, np.random.default_rng(1))
    given = family.fisher(y, theta)

    def products(y: Array, t: Any) -> list[Array]:
        score = family.score(y, t)
        return [score[k] * score[l] for k, l in pairs]

    def bends(y: Array, t: Any) -> list[Array]:
        found = family.observed(y, t)
        return [found.get(pair, 0.0) + np.zeros_like(y) for pair in pairs]

    def misses(function: Callable[[Array, Any], list[Array]]) -> Array:
        found = expect(family, function, theta)
        return np.array(
            [(value - given.get((k, l), zero)) * unit[k] * unit[l] for (k, l), value in zip(pairs, found, strict=True)]
        ).T

    return [
        _worst("the Fisher information is the score's covariance", misses(products), 1e-5, family),
        _worst("it is minus the mean second derivative", misses(bends), 1e-5, family),
    ]


def _moments(family: DistributionalFamily, theta: list[Array]) -> list[Law]:
    """Return nothing for directions: their mean and variance are not those of numbers."""
    if family.circular:
        return []
    first, second = expect(family, lambda y, t: [y, y * y], theta)
    mean, variance = family.mean(theta), family.variance(theta)
    known = np.isfinite(mean) & np.isfinite(variance)
    miss = np.where(known, (mean - first) / np.sqrt(np.where(known, variance, 1.0)), 0.0)
    spread = np.where(known, variance / (second - first**2) - 1.0, 0.0)
    return [_worst("mean and variance", np.maximum(np.abs(miss), np.abs(spread)), 1e-3, family)]


def _distribution(family: DistributionalFamily, theta: list[Array]) -> Law:
    """Compare the distribution function with the sum or integral of the density at three quantiles."""
    misses = []
    for level in (0.1, 0.5, 0.9):
        y = by_bisection(family, np.full(len(theta[0]), level), theta)
        misses.append(family.cdf(y, theta) - distribution_function(family, y, theta))
    apart = np.array(misses)
    if family.circular:  # which may begin to add up anywhere
        apart = apart - apart[0]
        apart -= np.round(apart)
    return _worst("the distribution function adds up the density", apart.T, 1e-6, family)


def _quantiles(family: DistributionalFamily, theta: list[Array]) -> Law:
    level = np.full(len(theta[0]), 0.3)
    y = family.quantile(level, theta)
    reached = family.cdf(y, theta)
    if family.support.discrete:
        below = family.cdf(y - 1.0, theta)
        return _worst("quantiles", np.maximum(level - reached, np.maximum(below - level, 0.0)), 1e-9, family)
    jump = np.isin(y, family.atoms)
    return _worst("quantiles", np.where(jump, 0.0, reached - level), 1e-6, family)


def _draws(family: DistributionalFamily, theta: list[Array]) -> Law:
    """Compare draws with the distribution function by Kolmogorov's statistic."""
    wide, rng = [np.repeat(t, DRAWS) for t in theta], np.random.default_rng(2)
    y = family.sample(wide, rng)
    mass = np.exp(family.log_prob(y, wide)) if family.support.discrete else np.zeros(y.shape)
    for atom in family.atoms:
        mass = np.where(y == atom, np.exp(family.log_prob(y, wide)), mass)
    uniform = np.sort((family.cdf(y, wide) - rng.uniform(size=y.shape) * mass).reshape(len(theta[0]), DRAWS), axis=1)
    distance = np.abs(uniform - (np.arange(DRAWS) + 0.5) / DRAWS).max(axis=1) * np.sqrt(DRAWS)
    return _worst("draws follow the distribution function", distance, 2.2, family)
