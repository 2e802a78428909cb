"""What a likelihood returns for a block: named entries, each of which knows how it merges with the next block's."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.metric import Gram, Triangular
from natfit.need import FACTOR, MEAT, METRIC, OBSERVED, SCORE


class Sums(dict[str, Any]):
    """The additive evaluation of a likelihood on rows.

    A mapping from a name to a number, an array or a `natfit.metric.Metric`; two of them merge entry by entry with ``+``
    (arrays and Gram matrices add, triangular factors are stacked and factored again).

    Examples
    --------
    >>> Sums(loglik=-1.0).merge(Sums(loglik=-2.0))
    {'loglik': -3.0}
    """

    __slots__ = ()

    def merge(self, other: Sums) -> Sums:
        """Add another block's sums to these, in place where the entry allows, and return these."""
        for name, value in other.items():
            self[name] += value
        return self

    def scaled(self, factor: float) -> Sums:
        """Return these sums as if every row counted ``factor`` times."""
        made = Sums()
        for name, value in self.items():
            made[name] = value.scaled(factor) if hasattr(value, "scaled") else value * factor
        return made


def outside(size: int, need: int, factored: bool = False, **more: float) -> Sums:
    """Return the sums of parameters (size,) outside the domain: no likelihood, and NaN for what else is needed.

    ``factored`` says whether the likelihood holds the information as a triangular factor where that is asked for.
    """
    sums = Sums(loglik=-np.inf, **more)
    if need & SCORE:
        sums["score"] = np.full(size, np.nan)
    for flag, name in ((METRIC, "metric"), (OBSERVED, "observed"), (MEAT, "meat")):
        if need & flag:
            hold = Triangular if factored and flag == METRIC and need & FACTOR else Gram
            sums[name] = hold(np.full((size, size), np.nan))
    return sums
