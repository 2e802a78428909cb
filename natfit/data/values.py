"""What a factor of a formula comes to when it is evaluated."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Values:
    """What a factor comes to: numbers in one or more named columns, levels, or one constant.

    ``drop`` names the column left out where the factor must not span the constant.
    """

    kind: str
    names: tuple[str, ...] = ()
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    levels: pd.Series[Any] | None = None
    contrasts: Any = None
    given_levels: list[Any] | None = None
    constant: float = 1.0
    spans_intercept: bool = False
    drop: str | None = None

    @functools.cached_property
    def missing(self) -> np.ndarray | None:
        """The rows that have no value; None if all have."""
        if self.kind == "categorical":
            assert self.levels is not None
            mask = self.levels.isna().to_numpy()
            return mask if mask.any() else None
        found = None
        for column in self.columns.values():
            with np.errstate(all="ignore"):
                if not np.isnan(column.sum()):
                    continue
            mask = np.isnan(column)
            if mask.any():
                found = mask if found is None else found | mask
        return found
