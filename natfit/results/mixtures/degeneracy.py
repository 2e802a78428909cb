"""Maxima that are none inside the model: a weight gone to zero, components that merged, a variance at its floor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.likelihoods.mixtures.gaussian import GaussianComponents, smallest_eigenvalues

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]

NO_ROWS = 1e-2
"""Rows below which a component is as good as gone: its weight falls on for ever."""

AT_EDGE = 1e-8
"""Distance of a probability from 0 or 1, or of a rate from 0, below which it stands there."""

MERGED = 1e-4
"""Divergence, in nats, both ways together, below which two components are one."""


def degeneracies(fit: MixtureResults) -> list[str]:
    """Return what is degenerate about a fitted mixture, in words."""
    said = []
    total = fit.nobs
    for k in np.flatnonzero(fit._weights * total < NO_ROWS).tolist():
        fixed = fit.components.fixed.name if k >= fit.components.n_ordered else ""
        name, remedy = (f"{k} ({fixed})", "leave it out") if fixed else (f"{k}", "use one component fewer")
        said.append(f"the weight of component {name} has gone to zero; {remedy}")
    alive = [k for k in range(fit.components.n_ordered) if fit._weights[k] * total >= NO_ROWS]
    distance = sum((_divergence(part, home) for part, home in zip(fit._parts, fit._members, strict=True)), np.zeros(()))
    pairs = [(j, k) for j in alive for k in alive if j < k and distance[j, k] < MERGED]
    for j, k in pairs:
        said.append(f"components {j} and {k} have merged; use one component fewer")
    said += at_edges(fit, alive)
    for part, home in zip(fit._parts, fit._members, strict=True):
        components = part.components
        if isinstance(components, GaussianComponents) and components.floor > 0.0:
            least = smallest_eigenvalues(components.family.unpack(home)[1])
            for k in np.flatnonzero(least <= components.floor * (1.0 + 1e-6)).tolist():
                said.append(
                    f"the covariance of component {k} stands at its floor, {components.floor:.3g}: it collapsed"
                )
    return said


def at_edges(fit: MixtureResults, alive: list[int]) -> list[str]:
    """Return which probabilities and rates of counts stand at an edge of their domain, where standard errors say nothing."""
    said = []
    for part, home in zip(fit._parts, fit._members, strict=True):
        if not part.components.family.support.discrete:
            continue
        for j, name in enumerate(part.components.family.parameter_names):
            probability = name.startswith("probability")
            if not (probability or name in ("rate", "mean")):
                continue
            for k in (k for k in alive if k < len(home)):
                edge = 0.0 if home[k, j] < AT_EDGE else 1.0
                if home[k, j] < AT_EDGE or (probability and home[k, j] > 1.0 - AT_EDGE):
                    said.append(f"{part.prefix}{name} of component {k} stands at {edge:g}: it has no standard error")
    return said


def _divergence(part: Any, home: Array) -> Array:
    """Return the symmetrised divergences between members, (K, K)."""
    one_way = part.components.family.home_kl(home[:, None], home[None])
    return one_way + one_way.T
