"""What is remembered of the rows of a fit once they are gone, so that it can be asked about new ones.

A typical row, levels and ranges of each variable, and which columns stood beside the design: no row of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

QUARTILES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
BESIDE = ("freq_weights", "var_weights", "trials", "offset", "exposure")


@dataclass(frozen=True)
class Variable:
    """What a variable was like on the rows of the fit, each counted by its frequency.

    Parameters
    ----------
    levels : list, optional
        None for numbers, which have all else but ``mode``.
    mode : optional
        The most frequent level, the first of these.
    mean, sd : float, optional
    quartiles : tuple of float, optional
        Least, first quartile, median, third quartile, largest.
    """

    levels: list[Any] | None = None
    mode: Any = None
    mean: float | None = None
    sd: float | None = None
    quartiles: tuple[float, ...] | None = None

    def typical(self, centre: str) -> Any:
        """Return the mean or the median of a number, the most frequent of levels."""
        if self.levels is not None:
            return self.mode
        return self.mean if centre == "mean" or self.quartiles is None else self.quartiles[2]

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest value of a number."""
        assert self.quartiles is not None
        return self.quartiles[0], self.quartiles[-1]


@dataclass(frozen=True)
class Remembered:
    """What a fit without rows knows of them.

    Parameters
    ----------
    variables : mapping of str to Variable
    shifts : mapping of str to float
        The typical offset and exposure, where they were given as arrays.
    given : tuple of str
        Which of `BESIDE` the rows had.
    """

    variables: Mapping[str, Variable]
    shifts: Mapping[str, float]
    given: tuple[str, ...]


def had(data: Any, name: str) -> bool:
    """Say whether the rows of a fit have one of `BESIDE`, or had it before they went."""
    return getattr(data, name) is not None if data.remembered is None else name in data.remembered.given


def described(column: Any, levels: Sequence[Any] | None, freq: Array | None) -> Variable:
    """Return what a column is like, rows counting by their frequencies: what the rows written out would give."""
    if levels is not None:
        import pandas as pd

        each = pd.Series(np.ones(len(column)) if freq is None else freq)
        counts = each.groupby(np.asarray(column, dtype=object)).sum()
        return Variable(list(levels), next(level for level in levels if counts.get(level, 0.0) == counts.max()))
    values = np.asarray(column, dtype=float)
    if freq is not None:
        values, freq = values[freq > 0.0], freq[freq > 0.0]
    count = float(values.size if freq is None else freq.sum())
    mean = weighted_mean(values, freq)
    away = (values - mean) ** 2
    total = away.sum() if freq is None else freq @ away
    sd = float(np.sqrt(total / (count - 1.0))) if count > 1.0 else float("nan")
    return Variable(mean=mean, sd=sd, quartiles=tuple(quantiles(values, freq, QUARTILES).tolist()))


def weighted_mean(values: Array, freq: Array | None) -> float:
    """Return the mean, rows counting by their frequencies."""
    return float(values.mean() if freq is None else (freq @ values) / freq.sum())


def quantiles(values: Array, freq: Array | None, levels: Array) -> Array:
    """Return interpolated quantiles (R's type 7), rows counting by their frequencies."""
    if freq is None:
        return np.quantile(values, levels)
    order = np.argsort(values, kind="stable")
    ends, ordered = np.cumsum(freq[order]), values[order]
    place = np.clip((ends[-1] - 1.0) * levels, 0.0, None)
    low, high = (
        ordered[np.minimum(np.searchsorted(ends, at, side="right"), ordered.size - 1)]
        for at in (np.floor(place), np.ceil(place))
    )
    return np.asarray(low + (place - np.floor(place)) * (high - low))


def remember(fit: Any) -> Remembered:
    """Return what is to be remembered of a fit's rows before they go."""
    from natfit.results.effects.request import typical_shifts
    from natfit.results.effects.variables import Variables

    data = fit.model.data
    if data.remembered is not None:
        return data.remembered
    own = Variables(fit)
    variables = {name: own.about(name) for name in own.all_names()} if own.has_rows else own.from_design()
    given = tuple(name for name in BESIDE if name in data.expressions or getattr(data, name) is not None)
    return Remembered(variables, typical_shifts(fit), given)
