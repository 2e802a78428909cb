"""Which maxima of a mixture's likelihood count: a component on a handful of rows has a likelihood without bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.likelihoods.mixture_gaussian import GaussianComponents

Array = np.ndarray[Any, np.dtype[Any]]

NO_BOUND = 2
"""Natural parameters of a continuous family from which on a component may close in on a single row."""


@dataclass(frozen=True)
class Constraint:
    """The rule by which maxima are left out when starts are ranked.

    The likelihood of most mixtures of continuous distributions is unbounded: a component on d rows or fewer can become
    ever narrower. Maxima that a handful of rows make are left out, and reported. Mixtures with a bounded likelihood
    (Gaussian ones whose components share one covariance; discrete families) are under no constraint.

    Parameters
    ----------
    min_size : float, optional
        Smallest sum of responsibilities that a component may have; max(2.5, d + 0.5) for d columns by default.
    min_spread : float
        Smallest eigenvalue of a component's covariance, as a share of the smallest of the covariance of all rows; for
        other families the smallest variance of a sufficient statistic, as a share of its variance over all rows.

    Examples
    --------
    >>> Constraint(min_spread=0.0)
    Constraint(min_size=None, min_spread=0.0)
    """

    min_size: float | None = None
    min_spread: float = 1e-3

    def __post_init__(self) -> None:
        if not (self.min_size is None or self.min_size >= 0.0) or not 0.0 <= self.min_spread < 1.0:
            raise ValueError(
                "a constraint needs min_size of 0 or more and min_spread from 0 to below 1; got "
                f"min_size={self.min_size}, min_spread={self.min_spread}"
            )

    def breach(self, components: Any, params: Array, sizes: Array, spread: Array) -> str | None:
        """Return which component breaks the rule and how, in words, or None.

        Parameters
        ----------
        components : Components
        params : (size,) ndarray
            Of the components.
        sizes : (K,) ndarray
            Sums of responsibilities.
        spread : ndarray
            What `total_spread` returned for all rows.
        """
        if is_bounded(components):
            return None
        least = max(2.5, getattr(components, "dim", 1) + 0.5) if self.min_size is None else self.min_size
        small = int(np.argmin(sizes))
        if sizes[small] < least:
            return f"component {small} holds {sizes[small]:.3g} rows, fewer than {least:g}"
        own = _spreads(components, params)
        share = (own / spread).min(axis=-1)
        narrow = int(np.argmin(share))
        if share[narrow] < self.min_spread:
            return f"component {narrow} is {share[narrow]:.2g} as wide as all rows (variance), less than {self.min_spread:g}"
        return None


def is_bounded(components: Any) -> bool:
    """Say whether the likelihood of a mixture of these is bounded."""
    if isinstance(components, GaussianComponents):
        return components.model.bounded
    family = getattr(components, "family", None)
    return family is None or family.support.discrete or len(family.statistic_names) < NO_BOUND


def total_spread(components: Any, completed: Array) -> Array:
    """Return the spread of all rows, from their completed sums (1 + s,) as one component."""
    if isinstance(components, GaussianComponents):
        counts, _, scatter = components.moments(completed[None])
        return np.linalg.eigvalsh(scatter[0] / max(counts[0] - 1.0, 1.0))[:1]
    return _statistics_spread(components.family, completed[1:] / completed[0])


def _spreads(components: Any, params: Array) -> Array:
    if isinstance(components, GaussianComponents):
        return np.linalg.eigvalsh(components.unpack(params)[1])[..., :1]
    return np.diagonal(components.family.fisher_natural(components.natural(params)), axis1=-2, axis2=-1)


def _statistics_spread(family: Any, mean: Array) -> Array:
    return np.diagonal(family.fisher_natural(family.natural_from_mean(mean)))
