"""From many starts to the best maximum that the constraint allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, one_blas_thread
from natfit.data.block import Block
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.fitting import MixtureObjective, climb
from natfit.models.mixtures.starts import Starts, short_runs
from natfit.optimize.loop import OutsideDomain
from natfit.results.mixtures.fitted import Search

Array = np.ndarray[Any, np.dtype[Any]]

SAME = 0.05
"""Nats within which two maxima count as one: starts that are that near have not yet settled on it."""

APART = 0.01
"""Nats by which short runs must differ to be carried on separately."""

FINALISTS = 12
"""Short runs that are carried to their maxima."""

BEHIND = 2.0
"""Nats behind the best maximum so far from which on a settled short run is not carried further."""

PASSES, GAIN = 300, 1e-4
"""How long short runs are: passes over the sample, or until one gains less than this many nats."""


def search(
    likelihood: MixtureLikelihood,
    block: Block,
    n_starts: int,
    rng: np.random.Generator,
    constraint: Constraint,
    spread: Array,
    coordinates: Callable[[Array], Any],
) -> Search:
    """Return the best maximum on a block of rows.

    Raises
    ------
    ValueError
        If no start led to a maximum that the constraint allows.
    """
    with one_blas_thread():
        starts = short_runs(likelihood, block, n_starts, rng, PASSES, GAIN)
    objective = MixtureObjective(likelihood, ArraySource(block))
    weight = block.columns.get("weight")
    total = float(block.n_rows if weight is None else weight.sum())
    ends = starts.loglik.copy()
    allowed = np.isfinite(ends)
    found: list[tuple[float, Array, Array]] = []
    excluded: list[tuple[float, str]] = []
    for group in _groups(starts):
        params, loglik = starts.params[group[0]], ends[group[0]]
        lead = max((each for each, *_ in found), default=-np.inf)
        behind = BEHIND if starts.settled[group[0]] else 10.0 * BEHIND
        if len(found) + len(excluded) < FINALISTS and loglik > lead - behind:
            try:
                outcome = climb(objective, params, coordinates, 1e-8, 300)
                params, loglik = outcome.params, outcome.point.loglik
            except (OutsideDomain, ValueError):
                allowed[group] = False
                continue
        ends[group] = np.maximum(ends[group], loglik)
        own, rest = likelihood.split(params)
        sizes = total * likelihood.weights.probabilities(own)
        breach = constraint.breach(likelihood.components, rest, sizes, spread)
        if breach is None:
            found.append((loglik, params, starts.first[group[0]]))
        else:
            excluded.append((loglik, breach))
            allowed[group] = False
    if not found:
        raise NoMaximum(excluded, n_starts, getattr(likelihood.components, "fixed", None))
    best, params, start = max(found, key=lambda each: each[0])
    reached = int((allowed & (ends > best - SAME)).sum())
    broken = int((~np.isfinite(starts.loglik)).sum())
    others = sorted({round(each, 2) for each, *_ in found if each < best - SAME}, reverse=True)
    return Search(params, start, best, n_starts, reached, block.n_rows, excluded, broken, others)


class NoMaximum(ValueError):
    """No start led to a maximum that the constraint allows."""

    def __init__(self, excluded: list[tuple[float, str]], n_starts: int, fixed: Any = None):
        why = excluded[0][1] if excluded else "in each a component lost its rows or its spread"
        without = "" if fixed is None else f"no {fixed.name} component, which may have no rows, "
        super().__init__(
            f"none of {n_starts} starts led to a maximum inside the constraint ({why}); use {without}fewer components, more "
            "starts (n_init), a simpler covariance, or a looser constraint"
        )


def _groups(starts: Starts) -> list[Array]:
    """Return the places of starts, best first, with neighbours in log-likelihood taken together."""
    alive = np.flatnonzero(np.isfinite(starts.loglik))
    if not alive.size:
        return []
    edges = np.flatnonzero(-np.diff(starts.loglik[alive]) > APART) + 1
    return np.split(alive, edges)
