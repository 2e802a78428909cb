"""What a factor of a formula comes to when it is evaluated."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import all_finite, rows_text
from natfit.data.formulas.expand import FactorPlan

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
    def finite(self) -> bool:
        """Whether all numbers are finite; one pass over them tells."""
        return all(all_finite(column) for column in self.columns.values())

    @functools.cached_property
    def missing(self) -> np.ndarray | None:
        """The rows that have no value; None if all have."""
        if self.kind == "categorical":
            assert self.levels is not None
            mask = self.levels.isna().to_numpy()
            return mask if mask.any() else None
        if self.finite:
            return None
        found = None
        for column in self.columns.values():
            mask = np.isnan(column)
            if mask.any():
                found = mask if found is None else found | mask
        return found


def level_codes(plan: FactorPlan, values: Values, kept: np.ndarray | None, what: str) -> np.ndarray:
    """Number the level of each kept row; refuse a level that the design does not know."""
    import pandas as pd

    assert values.levels is not None
    own = values.levels.cat.codes.to_numpy()
    categories = values.levels.cat.categories
    place = pd.Index(list(plan.levels), dtype=object).get_indexer(pd.Index(categories.tolist(), dtype=object))
    codes = np.where(own < 0, -1, np.append(place, -1)[own])
    unseen = (codes < 0) & (own >= 0)
    if kept is not None:
        unseen &= kept
    if unseen.any():
        strange = [repr(each) for each in categories[np.unique(own[unseen])].tolist()]
        known = ", ".join(map(repr, plan.levels[:20])) + (", ..." if len(plan.levels) > 20 else "")
        raise ValueError(
            f"{plan.expression!r} has the unknown level{'' if len(strange) == 1 else 's'} {', '.join(strange[:5])} in "
            f"{rows_text(np.flatnonzero(unseen))} of {what}; the known levels are {known}"
        )
    return codes if kept is None else codes[kept]
