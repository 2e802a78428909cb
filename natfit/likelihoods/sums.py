"""What a likelihood returns for a block: named entries, each of which knows how it merges with the next block's."""

from __future__ import annotations

from typing import Any


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
