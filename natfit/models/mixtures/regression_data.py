"""The rows of a mixture of regressions, bound and checked: response, design, weights' covariates, groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.checks import check_finite
from natfit.data.grouped import GroupedSource, first_rows
from natfit.data.groups import labels_of, read_grouping
from natfit.data.matrix import Chosen, Columns, as_columns
from natfit.data.streams.tables import Tables
from natfit.models import binding
from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[Any]]

BLOCK_ROWS = 8192
"""Rows of a block: each has scores of all parameters and components, which are to stay in cache."""


@dataclass(frozen=True)
class Concomitant:
    """The covariates that weights depend on: a row for each row of the data.

    Parameters
    ----------
    design : Columns
    names : list of str
    frozen : Design, optional
        The formula's frozen design.
    """

    design: Columns
    names: list[str]
    frozen: Any = None


@dataclass(frozen=True)
class RegressionData:
    """What a mixture of regressions is fitted to.

    Parameters
    ----------
    glm : GLMData
        In the rows' own order.
    concomitant : Concomitant, optional
    groups : (n,) ndarray, optional
        Codes of the groups that share a label.
    n_jobs : int, optional
    """

    glm: GLMData
    concomitant: Concomitant | None = None
    groups: Array | None = None
    n_jobs: int | None = None

    streamed = False
    """Whether the rows are never held together."""

    @property
    def order(self) -> Array | None:
        """Rows in the order of the blocks, where groups do not stand together already."""
        if self.groups is None or not (np.diff(self.groups) < 0).any():
            return None
        return np.argsort(self.groups, kind="stable")

    @property
    def n_units(self) -> float:
        """How many have a label of their own: groups, or observations."""
        return self.glm.count() if self.groups is None else float(self.groups.max() + 1)

    @property
    def n_rows(self) -> int:
        return self.glm.n_rows

    @property
    def y(self) -> Array:
        return self.glm.y

    def block(self, kept: Array | None = None) -> Block:
        """Return all rows as one block; views, no copy."""
        own = self.glm.block()
        designs = own.designs if kept is None else {"mean": Chosen(own.designs["mean"], np.flatnonzero(kept))}
        if self.concomitant is not None:
            designs = {**designs, "weights": self.concomitant.design}
        return Block(designs, own.columns if self.groups is None else {**own.columns, "group": self.groups})

    def source(self, kept: Array | None = None) -> Source:
        """Return the rows as blocks; a copy of them where groups don't stand together.

        Parameters
        ----------
        kept : (p,) bool, optional
            The columns of the mean that are used.
        """
        whole = self.block(kept)
        if self.groups is None:
            return ArraySource(whole, self.n_jobs, BLOCK_ROWS)
        order = self.order
        return GroupedSource(whole if order is None else whole.take(order), self.n_jobs, BLOCK_ROWS)


def from_arrays(
    endog: Any, exog: Any, extras: Mapping[str, Any], concomitant: Any, groups: Any, missing: str, n_jobs: int | None
) -> RegressionData:
    """Bind arrays or frames.

    Raises
    ------
    ValueError
        Names what is wrong with the rows, which they are, and the remedy.
    """
    glm = binding.from_arrays(endog, exog, extras, missing)
    found = None
    if concomitant is not None:
        if isinstance(concomitant, str):
            raise ValueError(
                f"concomitant={concomitant!r} is a formula, which needs a table; give columns, or use from_formula"
            )
        from natfit.data.frame import design_matrix

        given = getattr(concomitant, "columns", None)
        width = np.asarray(concomitant).reshape(len(concomitant), -1).shape[1]
        names = [f"z{j}" for j in range(width)] if given is None else [str(name) for name in given]
        if np.ndim(concomitant) == 1:
            concomitant = np.asarray(concomitant, dtype=float)[:, None]
        matrix, _ = design_matrix(concomitant, names)
        design = as_columns(matrix)
        if glm.kept is not None and design.shape[0] == len(glm.kept):
            design = design.take(np.flatnonzero(glm.kept))
        if design.shape[0] != glm.n_rows:
            raise ValueError(f"concomitant has {design.shape[0]} rows and endog has {glm.n_rows}; both must agree")
        found = Concomitant(design, names)
    return _grouped(RegressionData(glm, found, None, n_jobs), groups)


def from_formula(
    formula: str,
    table: Any,
    extras: Mapping[str, Any],
    concomitant: str | None,
    groups: Any,
    missing: str,
    subset: Any,
    context: Mapping[str, Any],
    n_jobs: int | None,
) -> Any:
    """Bind a table by a formula for the mean and one for the weights; rows that lack a value in either are left out."""
    if isinstance(table, Tables):
        from natfit.models.mixtures.regression_stream import bind_stream

        for name, given in (("subset", subset), ("groups", groups)):
            if given is not None:
                raise ValueError(f"{name} needs rows in memory; leave it out, or give a table instead of streamed ones")
        return bind_stream(formula, table.on_threads(n_jobs), extras, concomitant, missing, context)
    if subset is not None:
        table, cut = binding.subset_rows(table, {**extras, "groups": groups}, subset)
        groups = cut["groups"]
        extras = {name: cut[name] for name in extras}
    made = None
    dropped = 0
    if concomitant is not None:
        made = _weights_design(concomitant, table, missing, context)
        if made.kept is not None:
            dropped = int((~made.kept).sum())
            table, cut = binding.subset_rows(table, {**extras, "groups": groups}, made.kept)
            groups = cut["groups"]
            extras = {name: cut[name] for name in extras}
    glm = binding.from_formula(formula, table, extras, missing, None, None, context)
    glm.n_missing += dropped
    found = None
    if made is not None:
        if glm.kept is not None:  # again, so that no level is left that no row has
            rest, _ = binding.subset_rows(table, {}, glm.kept)
            made = _weights_design(str(concomitant), rest, missing, context)
        elif dropped:
            made = _weights_design(str(concomitant), table, missing, context)
        found = Concomitant(as_columns(made.matrix), list(made.column_names), made.design)
    return _grouped(RegressionData(glm, found, None, n_jobs), groups)


def weights_formula(formula: str) -> str:
    """Return the formula of what weights depend on with its ~; refuse one that has a response."""
    left, tilde, _right = formula.partition("~")
    if tilde and left.strip():
        raise ValueError(
            f"the weights have no response: write concomitant='~ z', without what stands left of ~ in {formula!r}"
        )
    return formula if tilde else f"~ {formula}"


def _weights_design(formula: str, table: Any, missing: str, context: Mapping[str, Any]) -> Any:
    from natfit.data.formulas.design import build_design

    return build_design(weights_formula(formula), table, missing=missing, context=context)


def _grouped(data: RegressionData, groups: Any) -> RegressionData:
    """Return the data with the codes of groups."""
    if groups is None:
        return data
    glm = data.glm
    labels = labels_of(groups, "groups", glm.table)
    found = read_grouping(labels, "groups", glm.n_rows, glm.kept, glm.index)
    made = RegressionData(glm, data.concomitant, found.codes, data.n_jobs)
    _check_constant(made)
    return made


def _check_constant(data: RegressionData) -> None:
    """Refuse covariates of the weights that differ within a group."""
    if data.concomitant is None:
        return
    source: Any = data.source()
    starts = first_rows(source.whole)
    assert starts is not None
    rows = source.whole.designs["weights"].dense()
    lengths = np.diff(np.append(starts, len(rows)))
    differs = (rows != np.repeat(rows[starts], lengths, axis=0)).any(axis=0)
    if differs.any():
        names = ", ".join(repr(n) for n, bad in zip(data.concomitant.names, differs, strict=True) if bad)
        raise ValueError(
            f"rows of a group share one label, so what its weights depend on must be the same in all of them, and {names} "
            "is not; use a value for each group"
        )


def check_columns(data: RegressionData, columns: Sequence[str]) -> None:
    """Refuse covariates of the weights that are not finite."""
    if data.concomitant is not None and not isinstance(columns, str):
        check_finite(data.concomitant.design.dense(), ", ".join(columns))


def repeated(data: RegressionData) -> RegressionData:
    """Return rows repeated as often as their frequencies say, which must be whole numbers."""
    freq = data.glm.freq_weights
    if freq is None:
        return data
    rows = np.repeat(np.arange(data.glm.n_rows), freq.astype(np.int64))
    columns = {name: getattr(data.glm, name) for name in ("y", "offset", "exposure", "var_weights", "trials")}
    taken = {name: column[rows] for name, column in columns.items() if column is not None}
    glm = data.glm.changed(design=data.glm.design.take(rows), freq_weights=None, index=None, kept=None, **taken)
    concomitant, groups = data.concomitant, data.groups
    if concomitant is not None:
        concomitant = replace(concomitant, design=concomitant.design.take(rows))
    return replace(data, glm=glm, concomitant=concomitant, groups=None if groups is None else groups[rows])
