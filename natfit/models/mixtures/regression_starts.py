"""Where mixtures of regressions start: random labels, and regressions on a few rows each."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.likelihoods.mixtures.regression import MixtureRegressionLikelihood
from natfit.likelihoods.mixtures.regression_components import RegressionRows
from natfit.metric import SingularMetric

Array = np.ndarray[Any, np.dtype[Any]]

LENT = 0.02
"""Share of each unit that is lent to all components alike: none is left without rows of its own."""

FEW = 0.05
"""What all other rows count together, against the few that a regression is first fitted to."""


def draw_starts(
    likelihood: MixtureRegressionLikelihood, block: Block, n_starts: int, rng: np.random.Generator
) -> list[Array]:
    """Return the parameters of all starts.

    In turns: labels at random; regressions on as few rows as determine them, rows then going to the nearest in deviance;
    and the same with the rows of each regression drawn with chances proportional to their deviance from the nearest one
    so far, which is k-means++ in the family's own geometry.

    Parameters
    ----------
    likelihood : MixtureRegressionLikelihood
    block : Block
        The rows that starts run on.
    n_starts : int
    rng : Generator

    Notes
    -----
    Hawkins, Bradu & Kass (1984), Technometrics 26, for elemental sets; Arthur & Vassilvitskii (2007), k-means++.
    """
    made: list[Array] = []
    with np.errstate(all="ignore"):
        rows = likelihood.components.view(block)
        weight = likelihood.unit_weight(block)
        weight = np.ones(rows.n_units) if weight is None else weight
        while len(made) < n_starts:
            kind = len(made) % 3
            share = _random(likelihood, rows, rng) if kind == 0 else _seeded(likelihood, rows, weight, kind == 2, rng)
            made.append(from_shares(likelihood, rows, share * weight))
    return made


def from_shares(likelihood: MixtureRegressionLikelihood, rows: RegressionRows, share: Array) -> Array:
    """Return the parameters that shares (K, u) give; NaN where they give none."""
    counts = share.sum(axis=1)
    weights = np.zeros(likelihood.weights.size)
    if hasattr(likelihood.weights, "columns"):
        constant = [j for j, name in enumerate(likelihood.weights.columns) if name in ("Intercept", "const")]
        if constant:
            odds = np.log(counts[1:] / counts[0])
            weights.reshape(len(odds), -1)[:, constant[0]] = odds
    else:
        weights = likelihood.weights.maximize(counts, weights)
    try:
        return np.concatenate([weights, likelihood.components.begin(rows, share)])
    except SingularMetric:
        return np.full(likelihood.layout.size, np.nan)


def _random(likelihood: MixtureRegressionLikelihood, rows: RegressionRows, rng: np.random.Generator) -> Array:
    K = likelihood.components.n_components
    return _lent(rng.integers(K, size=rows.n_units), K)


def _lent(labels: Array, K: int) -> Array:
    return (1.0 - LENT) * (labels == np.arange(K)[:, None]) + LENT / K


def _seeded(
    likelihood: MixtureRegressionLikelihood,
    rows: RegressionRows,
    weight: Array,
    spread: bool,
    rng: np.random.Generator,
) -> Array:
    """Return shares (K, u) of rows by the nearest of K regressions, each fitted to a few of them."""
    components = likelihood.components
    K = components.n_components
    size = min(components.dim + 1, rows.n_units)
    chance = weight / weight.sum()
    nearest = np.full(rows.n_units, np.inf)
    distances = []
    for k in range(K):
        chosen = rng.choice(rows.n_units, size, p=chance, replace=int(np.count_nonzero(chance)) < size)
        few = np.full(rows.n_units, FEW * size / rows.n_units)
        few[chosen] = 1.0
        try:
            params = components.begin(rows, np.broadcast_to(few, (K, rows.n_units)))
        except SingularMetric:
            return _random(likelihood, rows, rng)
        distances.append(rows.gathered(components.deviance(params, rows)[k]))
        nearest = np.minimum(nearest, distances[-1])
        if spread and np.isfinite(nearest).all() and (weight @ nearest) > 0.0:
            chance = weight * nearest / (weight @ nearest)
    return _lent(np.argmin(distances, axis=0), K)
