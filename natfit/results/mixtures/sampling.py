"""Draws from a fitted mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.likelihoods.mixtures.composed import WithFixed

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


def sample(fit: MixtureResults, labels: Array, rng: np.random.Generator) -> Array:
    """Return rows (n, d) drawn from the components that labels (n,) name."""
    drawn = np.empty((len(labels), len(fit.columns)))
    for part, home in zip(fit._parts, fit._members, strict=True):
        own = np.minimum(labels, len(home) - 1)  # a component without parameters comes last, and is drawn below
        values = part.components.family.home_sample(home[own], rng, (len(labels),))
        drawn[:, [fit.columns.index(name) for name in part.columns]] = values.reshape(len(labels), -1)
    if isinstance(fit.components, WithFixed):
        last = labels == fit.n_components - 1
        drawn[last] = fit.components.fixed.sample(int(last.sum()), rng).reshape(-1, drawn.shape[1])
    return drawn
