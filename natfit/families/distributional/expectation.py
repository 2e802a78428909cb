"""Expectations over the response for each row: sums over counts, Gauss-Legendre quadrature over the line.

A continuous response is carried to the whole line (log of its distance from one end, logit between two), split at the mode,
and on both sides integrated in t, z = mode +- w (exp(t) - 1), w the distance over which the density falls to a third: to
where nothing is left, near for light tails and far for heavy ones. What it needs is a density that falls on both sides of
one mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.distributional.transform import Line, locate, to_line

if TYPE_CHECKING:
    from natfit.families.distributional.base import DistributionalFamily

Array = np.ndarray[Any, np.dtype[Any]]
Theta = Sequence[Array]
Function = Callable[[Array, Theta], list[Array]]
"""Of responses (n, m) and parameters, each (n, 1), to several arrays (n, m)."""

Density = Callable[[Array], Array]

CELLS = 1 << 20
"""Numbers held at once: rows are taken so many together that rows times nodes stay below it."""
FIRST = 64
"""Terms of the first run of a sum over counts; each further run is twice as long."""
LONGEST = 10_000_000
"""Terms after which a sum over counts is given up."""
SMALL = 1e-14
"""Share of the sums so far below which a whole run of terms must stay for them to be complete."""

DEPTH = 42.0
"""Nats below the mode's density times the width at which a tail is cut: exp(-42) is under a rounding unit."""

_NODES, _WEIGHTS = (
    0.5 * (each + shift) for each, shift in zip(np.polynomial.legendre.leggauss(96), (1.0, 0.0), strict=True)
)


def expected_information(family: DistributionalFamily, theta: Theta) -> dict[tuple[int, int], Array]:
    """Return E[score score'] of each row, (k, l) to (n,)."""
    pairs = [(k, l) for k in range(family.K) for l in range(k, family.K)]

    def products(values: Array, t: Theta) -> list[Array]:
        score = family.score(values, t)
        return [score[k] * score[l] for k, l in pairs]

    return dict(zip(pairs, expect(family, products, theta), strict=True))


def expect(family: DistributionalFamily, function: Function, theta: Theta) -> list[Array]:
    """Return the expectations of several functions of response and parameters, each (n,); equal rows are done once.

    Raises
    ------
    NotImplementedError
        For responses of several columns.
    """
    if family.support.event_shape:
        raise NotImplementedError(
            f"{family.name} has vector responses: give its moments and information in closed form"
        )
    stacked = np.column_stack(np.broadcast_arrays(*theta)).astype(float)
    distinct, back = np.unique(stacked, axis=0, return_inverse=True)
    rows = max(CELLS // (FIRST if family.support.discrete else 2 * _NODES.size), 1)
    take = _sum if family.support.discrete else _integral
    parts = []
    with np.errstate(all="ignore"):
        for start in range(0, len(distinct), rows):
            parts.append(take(family, function, [column[:, None] for column in distinct[start : start + rows].T]))
    return list(np.concatenate(parts, axis=1)[:, back.ravel()])


def _sum(family: DistributionalFamily, function: Function, theta: Theta) -> Array:
    """Sum over counts in runs of doubling length, dropping rows whose sums are complete."""
    support, n = family.support, len(theta[0])
    totals: Array | None = None
    mass, active = np.zeros(n), np.arange(n)
    start, length = support.low, FIRST
    while active.size and start <= support.high:
        stop = min(start + length, support.high + 1)
        gained, own = _run(family, function, [t[active] for t in theta], start, stop)
        totals = np.zeros((len(gained), n)) if totals is None else totals
        totals[:, active] += gained
        mass[active] += own
        size = np.abs(totals[:, active])
        done = (mass[active] > 1.0 - 1e-9) & (np.abs(gained) <= SMALL * (size + size.max(axis=0))).all(axis=0)
        active = active[~done]
        if stop - support.low > LONGEST:
            raise ArithmeticError(f"{family.name}: a sum over counts needs more than {LONGEST} terms")
        start, length = stop, 2 * length
    assert totals is not None
    return totals


def _run(
    family: DistributionalFamily, function: Function, theta: Theta, start: float, stop: float
) -> tuple[Array, Array]:
    """Return the terms from start to stop - 1 summed, and their mass; rows so many at a time as memory allows."""
    counts = np.arange(start, stop)[None, :]
    rows = max(CELLS // counts.size, 1)
    gained, mass = [], []
    for first in range(0, len(theta[0]), rows):
        own = [t[first : first + rows] for t in theta]
        grid = np.broadcast_to(counts, (len(own[0]), counts.size))
        prob = np.exp(family.log_prob(grid, own))
        gained.append(np.array([np.where(prob > 0.0, prob * f, 0.0).sum(axis=1) for f in function(grid, own)]))
        mass.append(prob.sum(axis=1))
    return np.concatenate(gained, axis=1), np.concatenate(mass)


def _density(family: DistributionalFamily, line: Line, theta: Theta) -> Density:
    def on_line(z: Array) -> Array:
        y = line.value(z)
        value = family.log_prob(y, theta) + line.log_slope(z)
        # far out y rounds to the end of the support, where a density may be infinite
        return np.where(family.support.contains(y) & (value < np.inf), value, -np.inf)

    return on_line


def _side(density: Density, start: Array, top: Array, width: Array) -> tuple[Array, Array]:
    """Return nodes (n, m) and weights, exp(log-density) included, that integrate from ``start`` to where nothing is left.

    The sign of ``width`` (n,) is the direction; ``top`` is the log-density at the mode.
    """
    reach = np.abs(width)
    sign = np.sign(width)
    for _ in range(140):
        value = density((start + sign * reach)[:, None])[:, 0]
        on = value + np.log(reach / np.abs(width)) > top - DEPTH
        if not on.any():
            break
        reach = np.where(on, 2.0 * reach, reach)
    length = np.log1p(reach / np.abs(width))[:, None]
    grown = np.exp(length * _NODES)
    z = start[:, None] + width[:, None] * (grown - 1.0)
    weight = np.exp(density(z)) * (length * _WEIGHTS * grown * np.abs(width)[:, None])
    return z, np.where(np.isfinite(weight), weight, 0.0)


def _integral(family: DistributionalFamily, function: Function, theta: Theta) -> Array:
    """Integrate over a continuous support, and add the atoms."""
    line = to_line(family.support)
    density = _density(family, line, theta)
    mode, left, right = locate(density, line, len(theta[0]))
    top = density(mode[:, None])[:, 0]
    total: Array | float = 0.0
    for width in (-left, right):
        z, weight = _side(density, mode, top, width)
        y = line.value(z)
        inside = (weight > 0.0) & family.support.contains(y)
        safe = np.where(inside, y, line.value(mode[:, None]))
        total = total + np.array([(np.where(inside, f * weight, 0.0)).sum(axis=1) for f in function(safe, theta)])
    for atom in family.atoms:
        y = np.full((len(theta[0]), 1), atom)
        total = total + np.array([(f * np.exp(family.log_prob(y, theta)))[:, 0] for f in function(y, theta)])
    return np.asarray(total)


def distribution_function(family: DistributionalFamily, y: Array, theta: Theta) -> Array:
    """Return P(Y <= y) of each row, (n,)."""
    columns = [np.broadcast_to(t, y.shape)[:, None].astype(float) for t in theta]
    with np.errstate(all="ignore"):
        if family.support.discrete:
            return _cumulated(family, np.floor(y), columns)
        rows, parts = max(CELLS // (2 * _NODES.size), 1), []
        for start in range(0, len(y), rows):
            chosen = slice(start, start + rows)
            parts.append(_below(family, y[chosen], [t[chosen] for t in columns]))
    return np.concatenate(parts) if parts else np.zeros(0)


def _cumulated(family: DistributionalFamily, last: Array, theta: Theta) -> Array:
    """Return the mass of the counts up to ``last`` (n,), rows of like length together."""
    low = family.support.low
    found = np.where(last < low, 0.0, 1.0)
    order = np.argsort(last, kind="stable")
    order = order[(last[order] >= low) & np.isfinite(last[order])]
    while order.size:
        # the longest of the rows taken decides how many there may be
        fits = np.arange(1, order.size + 1) * (last[order] - low + 1.0) <= CELLS
        chosen = order[: max(int(fits.sum()), 1)]
        grid = np.arange(low, last[chosen[-1]] + 1.0)[None, :]
        prob = np.exp(family.log_prob(np.broadcast_to(grid, (chosen.size, grid.size)), [t[chosen] for t in theta]))
        found[chosen] = np.where(grid <= last[chosen, None], prob, 0.0).sum(axis=1)
        order = order[chosen.size :]
    return np.minimum(found, 1.0)


class Placed:
    """A continuous family's densities on the line at each row's parameters, with their modes and widths found once.

    Parameters
    ----------
    family : DistributionalFamily
    theta : sequence of K (n, 1) ndarray
    """

    def __init__(self, family: DistributionalFamily, theta: Theta):
        self.family, self.theta, self.line = family, theta, to_line(family.support)
        self.density = _density(family, self.line, theta)
        self.mode, self.left, self.right = locate(self.density, self.line, len(theta[0]))

    def below(self, z: Array) -> Array:
        """Return the mass up to z, atoms left out: integrated from z to the end that is nearer, seen from the mode."""
        upper = z > self.mode
        start = np.where(np.isfinite(z), z, self.mode)
        top = self.density(start[:, None])[:, 0]
        _, weight = _side(self.density, start, top, np.where(upper, self.right, -self.left))
        mass = weight.sum(axis=1)
        whole = np.ones(len(z))
        for atom in self.family.atoms:
            whole = whole - np.exp(self.family.log_prob(np.full_like(self.theta[0], atom), self.theta))[:, 0]
        return np.where(np.isfinite(z), np.where(upper, whole - mass, mass), np.where(z > 0.0, whole, 0.0))


def _below(family: DistributionalFamily, y: Array, theta: Theta) -> Array:
    """Return P(Y <= y) of a continuous response, atoms included."""
    placed, support = Placed(family, theta), family.support
    mass = placed.below(placed.line.back(np.clip(y, support.low, support.high)))
    for atom in family.atoms:
        point = np.exp(family.log_prob(np.full((len(y), 1), atom), theta))[:, 0]
        mass = mass + np.where(y >= atom, point, 0.0)
    return np.clip(mass, 0.0, 1.0)
