"""Names and places of a likelihood's parameters: what tables, ties and constraints need to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Layout:
    """The parameter vector of a likelihood, cut into named parts.

    Parameters
    ----------
    parts : mapping of str to sequence of str
        The names of each part's parameters, in their order: ``{"mean": ["Intercept", "x"], "alpha": ["alpha"]}``.

    Examples
    --------
    >>> layout = Layout({"mean": ["Intercept", "x"], "alpha": ["alpha"]})
    >>> layout.size, layout.slices["alpha"]
    (3, slice(2, 3, None))
    """

    __slots__ = ("names", "size", "slices")

    def __init__(self, parts: Mapping[str, Sequence[str]]):
        self.slices: dict[str, slice] = {}
        names: list[str] = []
        for part, own in parts.items():
            self.slices[part] = slice(len(names), len(names) + len(own))
            names.extend(own)
        self.names = tuple(names)
        self.size = len(names)
