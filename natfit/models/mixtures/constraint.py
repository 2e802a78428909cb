"""Which maxima of a mixture's likelihood count: a component on a handful of rows has a likelihood without bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


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
            What the components' ``total_spread`` is for all rows.
        """
        if components.bounded:
            return None
        sizes = sizes[: components.n_ordered]
        least = max(2.5, getattr(components, "dim", 1) + 0.5) if self.min_size is None else self.min_size
        small = int(np.argmin(sizes))
        if sizes[small] < least:
            return f"component {small} holds {sizes[small]:.3g} rows, fewer than {least:g}"
        share = (components.spreads(params) / spread).min(axis=-1)
        narrow = int(np.argmin(share))
        if share[narrow] < self.min_spread:
            return f"component {narrow} is {share[narrow]:.2g} as wide as all rows (variance), less than {self.min_spread:g}"
        return None
