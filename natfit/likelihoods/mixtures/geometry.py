"""Rows as members of an exponential family: where starts look for seeds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SMOOTHING = 0.3
"""Share of all rows' average that a single row's statistics are mixed with, so that a member of the family has them."""


class Embedding(NamedTuple):
    """Rows as members of an exponential family: mean parameters (n, s), natural ones (n, s), log-partitions (n,)."""

    mean: Array
    natural: Array
    partition: Array

    def divergence(self, seeds: Array) -> Array:
        """Return KL(row || seed) for seeds (m,) that are rows themselves, (m, n)."""
        own = (self.mean * self.natural).sum(axis=1) - self.partition
        far = own + self.partition[seeds][:, None] - self.natural[seeds] @ self.mean.T
        return np.maximum(far, 0.0)


def embed(family: Any, statistics: Array, weight: Array) -> Embedding:
    """Return the members of a family whose mean parameters are rows' statistics, drawn towards the average of all."""
    mean = (1.0 - SMOOTHING) * statistics + SMOOTHING * (weight @ statistics / weight.sum())
    natural = family.natural_from_mean(mean)
    return Embedding(mean, natural, family.log_partition(natural))


def scaled_embeddings(x: Array, weight: Array) -> list[Embedding]:
    """Return two Gaussian geometries of rows (n, d): of rows whitened, and of columns scaled."""
    total = weight.sum()
    x = x - weight @ x / total
    covariance = (x.T * weight) @ x / total
    made = []
    for scale in (np.linalg.inv(np.linalg.cholesky(covariance)).T, np.diag(1.0 / np.sqrt(covariance.diagonal()))):
        z = x @ scale
        made.append(Embedding(z, z, 0.5 * (z * z).sum(axis=1)))
    return made


def joined(spaces: list[list[Embedding]]) -> list[Embedding]:
    """Return the geometries of independent parts taken together; the parts' first ones, then their second ones."""
    made = []
    for i in range(max(len(each) for each in spaces)):
        chosen = [each[min(i, len(each) - 1)] for each in spaces]
        mean, natural = (
            np.concatenate([getattr(each, name) for each in chosen], axis=1) for name in ("mean", "natural")
        )
        made.append(Embedding(mean, natural, np.sum([each.partition for each in chosen], axis=0)))
    return made
