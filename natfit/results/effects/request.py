"""The rows that effects are taken over: whose they are, how they are averaged, and their offsets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.results.effects.variables import Variables
from natfit.results.remembered import weighted_mean

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Request:
    """The rows that effects are taken over, and how they are to be averaged.

    Parameters
    ----------
    variables : Variables
    frame : DataFrame
    by : list of str or None
        Columns to average by; an empty list averages over all rows; None keeps the rows apart.
    weight : (n,) ndarray
        Of the averages: frequencies, for the fit's own rows.
    known : dict
        Offset and exposure of the rows.
    """

    variables: Variables
    frame: Any
    by: list[str] | None
    weight: Array
    known: dict[str, Any]
    own: bool

    @classmethod
    def of(cls, fit: Any, newdata: Any, by: Any, known: Mapping[str, Any]) -> Request:
        """Read what a user gave: a table, None for the fit's own rows, or "mean" or "median" for one typical row."""
        unknown = known.keys() - {"offset", "exposure"}
        if unknown:
            raise TypeError(
                f"effects take offset and exposure of the rows; got an unexpected argument {min(unknown)!r}"
            )
        variables = Variables(fit)
        groups = None if by is None or by is False else [] if by is True else [by] if isinstance(by, str) else list(by)
        shifts = {name: value for name, value in known.items() if value is not None}
        own = newdata is None
        if own:
            variables.require_rows()
            more = [name for name in groups or () if name not in variables.names]
            # Averages over the rows of a design need its columns only one at a time.
            frame = variables.frame(more) if variables.formula or groups is None else variables.some(groups)
            shifts = {**_own_shifts(fit), **shifts}
        elif isinstance(newdata, str):
            if newdata not in ("mean", "median"):
                raise ValueError(f"newdata must be a table, 'mean' or 'median', got {newdata!r}")
            frame = variables.grid({}, newdata)
            shifts = {**typical_shifts(fit), **shifts}
        else:
            frame = _as_frame(newdata, None if variables.formula else fit.model.data.names)
            if not len(frame):
                raise ValueError("effects are taken over rows, and the new data has none; give at least one")
        freq = fit.model.data.freq_weights if own else None
        weight = np.ones(len(frame)) if freq is None else freq
        for name in groups or ():
            if name not in frame:
                raise ValueError(f"the rows have no column {name!r} to average by")
        return cls(variables, frame, groups, weight, shifts, own)

    def design(self, **changed: Any) -> Any:
        """Return rows of the design, with some variables at other values."""
        if self.own and not self.variables.formula:
            return self.variables.own_rows(changed, self.known)
        return self.variables.design(self.frame.assign(**changed) if changed else self.frame, self.known)

    def column(self, name: str) -> Any:
        """Return a variable's values on the rows, a Series."""
        if not self.own and name not in self.frame:
            raise ValueError(f"the new data has no column {name!r}, whose effect is asked for; add it")
        return self.variables.column(name) if self.own else self.frame[name]

    def repeated(self, variables: Mapping[str, Any]) -> Request:
        """Return every row at all combinations of some variables' values."""
        import pandas as pd

        frame, weight, known = self.frame, self.weight, dict(self.known)
        if self.own and not self.variables.formula:
            frame = self.variables.frame()
        for name, values in variables.items():
            self.variables.require([name])
            listed = [values] if isinstance(values, str) or np.ndim(values) == 0 else list(values)
            self.variables._check_levels(name, listed)
            known = {key: v if np.ndim(v) == 0 else np.tile(np.asarray(v), len(listed)) for key, v in known.items()}
            frame = pd.concat([frame.assign(**{name: value}) for value in listed], ignore_index=True)
            weight = np.tile(weight, len(listed))
        return Request(self.variables, frame, self.by, weight, known, False)


def _own_shifts(fit: Any) -> dict[str, Any]:
    """Return the offset and exposure that the fit's rows were given as arrays."""
    data = fit.model.data
    given = {"offset": data.offset, "exposure": data.exposure}
    return {name: value for name, value in given.items() if value is not None and name not in data.expressions}


def typical_shifts(fit: Any) -> dict[str, Any]:
    """Return the average offset, and the exposure of the average log, where they were given as arrays."""
    data = fit.model.data
    if data.remembered is not None:
        return dict(data.remembered.shifts)
    shifts, freq = _own_shifts(fit), data.freq_weights
    if "offset" in shifts:
        shifts["offset"] = weighted_mean(shifts["offset"], freq)
    if "exposure" in shifts:
        shifts["exposure"] = float(np.exp(weighted_mean(np.log(shifts["exposure"]), freq)))
    return shifts


def _as_frame(newdata: Any, names: Any) -> Any:
    """Return new rows as a DataFrame; an array has the columns of a design that no formula made."""
    import pandas as pd

    if names is not None and isinstance(newdata, np.ndarray | list):
        rows = np.atleast_2d(np.asarray(newdata, dtype=float))
        if rows.shape[1:] != (len(names),):
            raise ValueError(
                f"the new rows have {rows.shape[-1]} columns and the model has {len(names)}; both must agree"
            )
        return pd.DataFrame(rows, columns=[str(name) for name in names])
    if isinstance(newdata, pd.DataFrame):
        return newdata
    from natfit.data.table import Table

    table = Table(newdata, "the new data")
    return pd.DataFrame({name: table[name].to_numpy() for name in table})
