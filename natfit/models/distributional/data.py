"""What a distributional regression is fitted to, and how formulas, responses and arguments by parameter are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.matrix import Columns
from natfit.families.distributional.base import DistributionalFamily

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class DistributionalData:
    """What a distributional regression is fitted to, one entry for each row that is kept.

    Parameters
    ----------
    y : (n,) or (n, d) ndarray
    designs, names : dict by parameter
        The columns of each free parameter's predictor, and what they are called.
    offsets : dict of str to (n,) ndarray
    freq_weights : (n,) ndarray, optional
    formulas : dict of str to str
        As they were given; empty for arrays.
    frozen : dict of str to Design
        The formulas' frozen designs, for predictions on new tables.
    terms : dict of str to list of (str, slice)
    expressions : dict of str to str
        Offsets that were named by a column or an expression, by parameter.
    kept : (rows given,) ndarray of bool, optional
        Which of the rows given are in the data; None for all.
    table : optional
        What the formulas were read on: groups may be named by its columns.
    """

    y: Array
    y_name: str
    designs: dict[str, Columns]
    names: dict[str, list[str]]
    offsets: dict[str, Array] = field(default_factory=dict)
    freq_weights: Array | None = None
    labelled: bool = False
    index: Any = None
    n_missing: int = 0
    formulas: dict[str, str] = field(default_factory=dict)
    frozen: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, list[Any]] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)
    kept: Array | None = None
    table: Any = None

    @property
    def n_rows(self) -> int:
        return len(self.y)

    def count(self) -> float:
        """Return the number of observations: the sum of the frequency weights."""
        return float(self.n_rows if self.freq_weights is None else self.freq_weights.sum())

    def weight(self) -> Array | None:
        """Return the weights of the rows: their frequencies."""
        return self.freq_weights

    def columns(self) -> dict[str, Array]:
        """Return the known columns as a block has them."""
        found = {"y": self.y, **{f"offset:{name}": offset for name, offset in self.offsets.items()}}
        if self.freq_weights is not None:
            found["freq_weights"] = self.freq_weights
        return found

    def block(self) -> Block:
        """Return all rows as one block; views, no copy."""
        return Block(self.designs, self.columns())

    def source(self, n_jobs: int | None = None) -> Source:
        """Return the rows as a source of blocks; views, no copy."""
        return ArraySource(self.block(), n_jobs)

    def in_memory(self) -> DistributionalData:
        """Return the rows that are held: these all; where rows stream by, a sample of them."""
        return self


def split_formula(formula: str) -> list[str]:
    """Cut a multi-part formula at the bars that stand outside brackets and quotes.

    Examples
    --------
    >>> split_formula("y ~ x + I(a | b) | z")
    ['y ~ x + I(a | b)', 'z']
    """
    parts, depth, quote, start = [], 0, "", 0
    for place, sign in enumerate(formula):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"`":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "|" and depth == 0:
            parts.append(formula[start:place].strip())
            start = place + 1
    return [*parts, formula[start:].strip()]


def class_numbers(endog: Any) -> tuple[Any, Any]:
    """Return a response of labels as numbers of levels from 0, and the levels; numbers stay as they are."""
    kind = getattr(getattr(endog, "dtype", None), "kind", None)
    if kind in "biuf" if kind else np.asarray(endog).dtype.kind in "biuf":
        return endog, None
    import pandas as pd

    from natfit.data.formulas.response import Levels

    series = pd.Series(endog).astype("category")
    levels = Levels(series.cat.categories.tolist())
    levels.ordered = bool(series.cat.ordered)
    codes = series.cat.codes.astype(float).mask(series.isna())
    return (codes if hasattr(endog, "index") and not callable(endog.index) else codes.to_numpy()), levels


def by_parameter(given: Any, family: DistributionalFamily, what: str) -> dict[str, Any]:
    """Return a mapping by parameter of what is given for some.

    Anything but a mapping is for the first parameter, or for every predictor of a family of classes.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        names = family.parameter_names
        return dict.fromkeys(names if family.shared_predictors else names[:1], given)
    for name in given:
        family.place(name, what)
    return {name: value for name, value in given.items() if value is not None}


def formulas_of(formula: Any) -> tuple[str, dict[str | int, str]]:
    """Return the left side and the right side of each parameter: by name, or by place for the multi-part form.

    Examples
    --------
    >>> formulas_of({"mean": "y ~ x", "precision": "~ z"})
    ('y', {'mean': 'x', 'precision': 'z'})
    >>> formulas_of("y ~ x | z")
    ('y', {0: 'x', 1: 'z'})
    """
    if isinstance(formula, Mapping):
        pairs: list[tuple[str | int, str]] = list(formula.items())
    elif isinstance(formula, str):
        pairs = list(enumerate(split_formula(formula)))
    else:
        raise TypeError(
            f"give a formula as text, as in 'y ~ x | z', or one for each parameter in a dict; got {type(formula).__name__}"
        )
    left, right = set(), {}
    for key, text in pairs:
        before, tilde, after = text.partition("~")
        if not tilde and key != 0:
            before, after = "", text
        if before.strip():
            left.add(before.strip())
        right[key] = after.strip() or "1"
    if len(left) != 1:
        found = " and ".join(repr(each) for each in sorted(left)) or "none"
        raise ValueError(f"the formulas must name one response to the left of a ~, and name {found}; write it once")
    return left.pop(), right
