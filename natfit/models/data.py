"""A GLM's data, bound and checked: response, design, offset, weights, names, labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.matrix import Columns

Array = np.ndarray[Any, np.dtype[Any]]


SPANNED = 1e-10
"""A constant lies in the span of the columns when projecting on them leaves less than this share of its square."""


@dataclass
class GLMData:
    """What a GLM is fitted to, one entry for each row that is kept.

    Parameters
    ----------
    y : (n,) ndarray
        The response; for a binomial with trials the proportion of successes.
    design : Columns
        (n, p).
    names : list of str
        Of the design's columns.
    offset, exposure : (n,) ndarray, optional
        As they were given; `linear_offset` puts them together.
    freq_weights, var_weights, trials : (n,) ndarray, optional
    labelled : bool
        Whether results carry pandas labels: the user's data did.
    index : optional
        Row labels.
    n_missing : int
        Rows dropped because of missing values.
    kept : (rows given,) bool, optional
        Which of the rows given are here, where some were dropped.
    labels : list, optional
        What the user's columns are labelled with, where it is not ``names``: numbers, say.
    levels : tuple, optional
        The two levels of a categorical response; the second is modelled.
    table : optional
        The formula's table, its own and not a copy: effects are taken over its rows.
    frozen : Design, optional
        The formula's frozen design, for predictions on new frames; ``chosen`` of its columns where some are left out.
    expressions : dict of str to str
        Offset, exposure and weights that were named by a column or an expression.
    terms : list of (str, slice)
        The formula's terms and their columns.
    frame : optional
        The table that the formula was given, by reference.
    extra_names : dict of str to str
        What offset, exposure and weights were called, where they were given as named columns.
    has_constant : bool, optional
        Whether the columns hold a constant, where the user has said so.
    remembered : natfit.results.remembered.Remembered, optional
        What is known of rows that were removed.
    """

    y: Array
    design: Columns
    names: list[str]
    y_name: str = "y"
    offset: Array | None = None
    exposure: Array | None = None
    freq_weights: Array | None = None
    var_weights: Array | None = None
    trials: Array | None = None
    labelled: bool = False
    index: Any = None
    n_missing: int = 0
    kept: Array | None = None
    labels: list[Any] | None = None
    levels: tuple[Any, ...] | None = None
    table: Any = None
    frozen: Any = None
    chosen: list[int] | None = None
    expressions: dict[str, str] = field(default_factory=dict)
    terms: list[Any] = field(default_factory=list)
    frame: Any = None
    extra_names: dict[str, str] = field(default_factory=dict)
    has_constant: bool | None = None
    remembered: Any = None

    def changed(self, **changes: Any) -> GLMData:
        """Return these data with something else for some of their parts."""
        return replace(self, **changes)

    @property
    def n_rows(self) -> int:
        return len(self.y)

    @property
    def row_labels(self) -> Any:
        """Labels of the rows, or None; this and the next two are statsmodels' names."""
        return self.index

    @property
    def xnames(self) -> list[str]:
        return self.names

    param_names = cov_names = xnames

    @property
    def ynames(self) -> str:
        return self.y_name

    @cached_property
    def k_constant(self) -> int:
        """1 where the columns hold a constant, or add up to one as dummies do; else 0."""
        if self.has_constant is not None:
            return int(self.has_constant)
        ones = np.ones(self.n_rows)
        gram, along = self.design.gram(ones), self.design.rmatvec(ones)
        length = np.sqrt(gram.diagonal())
        scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0.0)
        along = along * scale
        weights = np.linalg.lstsq(gram * np.outer(scale, scale), along, rcond=1e-12)[0]
        return int(1.0 - (along @ weights) / len(ones) < SPANNED)

    @property
    def const_idx(self) -> int | None:
        """Number of the first column that is constant and not zero, or None."""
        low, high = self.design.rmatvec(np.ones(self.n_rows)), self.design.gram(np.ones(self.n_rows)).diagonal()
        # Constant: its sum of squares is the square of its sum over the number of rows (Cauchy and Schwarz).
        spread = high - low**2 / self.n_rows
        found = np.flatnonzero((low != 0.0) & (np.abs(spread) <= SPANNED * high))
        return int(found[0]) if found.size and self.has_constant is not False else None

    def linear_offset(self) -> Array | None:
        """Return offset plus log exposure: what is added to the linear predictor."""
        if self.exposure is None:
            return self.offset
        logged = np.log(self.exposure)
        return logged if self.offset is None else self.offset + logged

    def weight(self) -> Array | None:
        """Return the product of all weights, which is what score and information need."""
        total: Array | None = None
        for part in (self.freq_weights, self.var_weights, self.trials):
            if part is not None:
                total = part if total is None else total * part
        return total

    def count(self) -> float:
        """Return the number of observations: the sum of the frequency weights."""
        return float(self.n_rows if self.freq_weights is None else self.freq_weights.sum())

    def mean(self) -> float:
        """Return the weighted mean of the response."""
        weight = self.weight()
        return float(self.y.mean() if weight is None else (weight @ self.y) / weight.sum())

    def block(self) -> Block:
        """Return all rows as one block; views, no copy."""
        columns = {"y": self.y}
        optional = {
            "offset": self.linear_offset(),
            "weight": self.weight(),
            "freq_weights": self.freq_weights,
            "var_weights": self.var_weights,
            "trials": self.trials,
        }
        columns.update({name: column for name, column in optional.items() if column is not None})
        return Block({"mean": self.design}, columns)

    def source(self, n_jobs: int | None = None) -> Source:
        """Return the rows as a source of blocks; views, no copy."""
        return ArraySource(self.block(), n_jobs)
