"""Where mixtures start: seeds in the family's own geometry, all starts at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from natfit.data.arrays import Source
from natfit.data.block import Block
from natfit.likelihoods.mixtures.geometry import Embedding
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood, normalise

Array = np.ndarray[Any, np.dtype[Any]]

MOST_JOINED = 1_000
"""Rows that are joined into clusters: their distances are held, 4 MB."""

AT_ONCE = 150_000
"""Responsibilities held at once, over all starts: 1.2 MB."""


class Starts(NamedTuple):
    """Several mixtures after short runs of EM on the sample.

    Parameters
    ----------
    params, first : (S, q) ndarray
        Where the runs ended and began.
    loglik : (S,) ndarray
    settled : (S,) bool
        Whether the last step gained next to nothing.
    """

    params: Array
    loglik: Array
    settled: Array
    first: Array


def sample_rows(source: Source, n_rows: int, most: int, rng: np.random.Generator) -> Block:
    """Return a random sample of the rows as one block, in their order; all of them where they are no more than ``most``."""
    chosen = None if n_rows <= most else np.sort(rng.choice(n_rows, most, replace=False))
    parts: dict[str, list[Array]] = {}
    seen = 0
    for block in source.blocks():
        at: Any = slice(None)
        if chosen is not None:
            low, high = np.searchsorted(chosen, [seen, seen + block.n_rows])
            at = chosen[low:high] - seen
        seen += block.n_rows
        for name, column in block.columns.items():
            parts.setdefault(name, []).append(column[at])
    return Block({}, {name: each[0] if len(each) == 1 else np.concatenate(each) for name, each in parts.items()})


def labels(space: Embedding, K: int, n_starts: int, spread: bool, weight: Array, rng: np.random.Generator) -> Array:
    """Return hard labels (S, n): each row goes to the nearest of K seeds in KL divergence.

    Seeds are rows drawn at random, or with ``spread`` as by k-means++: each with chances proportional to its divergence
    from the nearest seed so far.

    Notes
    -----
    Arthur & Vassilvitskii (2007), k-means++; Ackermann & Blomer (2009), for Bregman divergences.
    """
    n = len(weight)
    first = rng.choice(n, n_starts, p=weight / weight.sum())
    nearest = space.divergence(first)
    found = np.zeros((n_starts, n), dtype=np.int16)
    for k in range(1, K):
        chance = weight * nearest if spread else np.broadcast_to(weight, nearest.shape) * (nearest > 0.0)
        chance = np.where(chance.sum(axis=1, keepdims=True) > 0.0, chance, weight)
        edges = np.cumsum(chance, axis=1)
        drawn = rng.random((n_starts, 1)) * edges[:, -1:]
        seed = np.minimum((edges < drawn).sum(axis=1), n - 1)
        distance = space.divergence(seed)
        closer = distance < nearest
        found[closer] = k
        np.minimum(nearest, distance, out=nearest)
    return found


def hierarchical(z: Array, K: int, rng: np.random.Generator) -> Array:
    """Return the labels (n,) of K clusters of rows (n, d) that Ward's method joins; of many rows, a sample makes them.

    Notes
    -----
    Ward (1963), JASA 58; as a start of Gaussian mixtures, Fraley & Raftery (1998), The Computer Journal 41.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    if K == 1 or len(z) <= K:
        return np.zeros(len(z), dtype=np.int16)
    chosen = np.arange(len(z)) if len(z) <= MOST_JOINED else rng.choice(len(z), MOST_JOINED, replace=False)
    label = fcluster(linkage(z[chosen], "ward"), K, "maxclust") - 1
    if len(chosen) == len(z):
        return label
    center = np.array([z[chosen[label == k]].mean(axis=0) for k in np.unique(label)])
    return ((z * z).sum(axis=1) - 2.0 * center @ z.T + (center * center).sum(axis=1)[:, None]).argmin(axis=0)


def draw_labels(
    likelihood: MixtureLikelihood, rows: Any, weight: Array, n_starts: int, rng: np.random.Generator
) -> Array:
    """Return hard labels (S, n) of all starts: by turns k-means++ and random seeds, every fourth partly
    shuffled; for Gaussians the first is hierarchical."""
    K = likelihood.components.n_ordered
    spaces = likelihood.components.geometry(rows, weight)
    made = np.empty((n_starts, len(weight)), dtype=np.int16)
    kinds = [(space, spread) for spread in (True, False) for space in spaces]
    for i, (space, spread) in enumerate(kinds):
        at = np.arange(i, n_starts, len(kinds))
        if at.size:
            made[at] = labels(space, K, at.size, spread, weight, rng)
    if spaces[0].mean is spaces[0].natural:  # the Gaussian geometry
        made[0] = hierarchical(spaces[0].mean, K, rng)
    for s in range(3, n_starts, 4):
        moved = rng.random(len(weight)) < 0.2
        made[s, moved] = rng.integers(K, size=int(moved.sum()))
    return made


def first_parameters(likelihood: MixtureLikelihood, rows: Any, weight: Array, found: Array) -> Array:
    """Return the parameters (S, q) that hard labels (S, n) give."""
    components = likelihood.components
    K = components.n_ordered
    share = (found[:, None, :] == np.arange(K)[:, None]) * weight
    # A component with a single row has no spread of its own: every row lends it a little.
    share = components.first_share(rows, share + 1e-3 * weight / K)
    weights = likelihood.weights.maximize(share.sum(axis=-1), np.zeros((len(found), likelihood.weights.size)))
    return np.concatenate([weights, components.begin(rows, share)], axis=-1)


def run(likelihood: MixtureLikelihood, rows: Any, weight: Array, params: Array, passes: int, tol: float) -> Starts:
    """Run EM from all starts at once, each until a step gains less than ``tol`` or it breaks down."""
    loglik = np.full(len(params), -np.inf)
    settled = np.zeros(len(params), dtype=bool)
    first = params.copy()
    alive = np.asarray(np.isfinite(params).all(axis=1))
    log_weights = likelihood.weights.log_prob
    with np.errstate(all="ignore"):
        for _ in range(passes):
            at = np.flatnonzero(alive & ~settled)
            if not at.size:
                break
            own, rest = likelihood.split(params[at])
            each, share = normalise(likelihood.components.joint(rest, log_weights(own), rows))
            now = each @ weight
            share *= weight
            settled[at] = now - loglik[at] < tol
            good = np.isfinite(now) & (share.sum(axis=-1).min(axis=-1) > 1e-3)
            loglik[at] = np.where(good, now, -np.inf)
            alive[at] = good
            at, share = at[good], share[good]
            if at.size:
                completed = likelihood.components.completed(rest[good], rows, share)
                sums = {"complete": completed, "complete_weights": share.sum(axis=-1)}
                params[at] = likelihood.complete(params[at], sums)
                alive[at] = np.isfinite(params[at]).all(axis=1)
    loglik[~alive] = -np.inf
    return Starts(params, loglik, settled, first)


def short_runs(
    likelihood: MixtureLikelihood, block: Block, n_starts: int, rng: np.random.Generator, passes: int, tol: float
) -> Starts:
    """Return all starts after short runs on a block of rows, best first."""
    rows = likelihood.components.view(block)
    weight = block.columns.get("weight")
    weight = np.ones(block.n_rows) if weight is None else weight
    found = draw_labels(likelihood, rows, weight, n_starts, rng)
    chunk = max(1, AT_ONCE // (block.n_rows * likelihood.components.n_components))
    made = []
    for start in range(0, n_starts, chunk):
        params = first_parameters(likelihood, rows, weight, found[start : start + chunk])
        made.append(run(likelihood, rows, weight, params, passes, tol))
    joined = Starts(*(np.concatenate(parts) for parts in zip(*made, strict=True)))
    order = np.argsort(-joined.loglik, kind="stable")
    return Starts(*(part[order] for part in joined))
