"""From formulas or arrays for several parameters to one bound data set: the same rows for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from natfit.data.checks import check_finite, check_weights
from natfit.data.frame import Bound, bind, rows_of
from natfit.data.matrix import Columns, Constant, as_columns
from natfit.models.binding import subset_rows
from natfit.models.distributional.data import DistributionalData


def from_formulas(
    left: str,
    right: Mapping[str, str],
    table: Any,
    offsets: Mapping[str, Any],
    freq_weights: Any,
    missing: str,
    context: Mapping[str, Any],
) -> tuple[DistributionalData, Any]:
    """Bind a table by one formula for each parameter; return the data, and what was made of the first formula.

    Rows that lack a value in anything that any of the parameters uses are left out for all of them.
    """
    whole, made = table, _build(left, right, table, offsets, freq_weights, missing, context)
    masks = [each.kept for each in made.values() if each.kept is not None]
    n_missing, kept = 0, None
    if masks:
        kept = np.logical_and.reduce(masks)
        n_missing = int((~kept).sum())
        extras = {**{f"offset:{name}": value for name, value in offsets.items()}, "freq_weights": freq_weights}
        table, cut = subset_rows(table, extras, kept)
        offsets = {name: cut[f"offset:{name}"] for name in offsets}
        made = _build(left, right, table, offsets, cut["freq_weights"], missing, context)
    first = next(iter(made.values()))
    data = DistributionalData(
        y=first.y,
        y_name=first.y_name,
        designs=_columns_of(made),
        names={name: list(each.column_names) for name, each in made.items()},
        offsets={name: each.extras["offset"] for name, each in made.items() if "offset" in each.extras},
        freq_weights=first.extras.get("freq_weights"),
        labelled=True,
        index=first.index,
        n_missing=n_missing,
        formulas={name: f"{left} ~ {text}" for name, text in right.items()},
        frozen={name: each.design for name, each in made.items()},
        terms={name: list(each.terms) for name, each in made.items()},
        expressions={name: value for name, value in offsets.items() if isinstance(value, str)},
        kept=kept,
        table=whole,
    )
    check_columns(data)
    return data, first


def _build(
    left: str,
    right: Mapping[str, str],
    table: Any,
    offsets: Mapping[str, Any],
    freq_weights: Any,
    missing: str,
    context: Mapping[str, Any],
) -> dict[str, Any]:
    from natfit.data.formulas.design import build_design

    made: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    for name, text in right.items():
        if offsets.get(name) is None and text in plain:
            made[name] = plain[text]
            continue
        extras = {"offset": offsets.get(name), "freq_weights": None if made else freq_weights}
        made[name] = build_design(
            f"{left} ~ {text}", table, extras=extras, missing=missing, context=context, order="patsy", many_levels=True
        )
        if offsets.get(name) is None:
            plain[text] = made[name]
    return made


def from_arrays(
    endog: Any,
    designs: Mapping[str, Any],
    offsets: Mapping[str, Any],
    freq_weights: Any,
    missing: str,
    parameters: tuple[str, ...],
) -> DistributionalData:
    """Bind a response and one design for each parameter, given as arrays or frames; None is a constant."""
    n_rows = len(endog)
    given = {name: np.ones((n_rows, 1)) if designs.get(name) is None else designs[name] for name in parameters}
    extras = {**{f"offset:{name}": value for name, value in offsets.items()}, "freq_weights": freq_weights}
    bound = _bind_each(endog, given, extras, missing)
    masks = [each.kept for each in bound.values() if each.kept is not None]
    if masks:
        kept = np.logical_and.reduce(masks)
        cut = {name: None if value is None else np.asarray(value)[kept] for name, value in extras.items()}
        picked = {id(each): rows_of(each, kept) for each in {id(each): each for each in given.values()}.values()}
        designs_kept = {name: picked[id(each)] for name, each in given.items()}
        bound = _bind_each(rows_of(endog, kept), designs_kept, cut, "raise")
    first = bound[parameters[0]]
    columns = _columns_of(bound)
    data = DistributionalData(
        y=first.y,
        y_name=first.y_name,
        designs={name: Constant(len(first.y)) if designs.get(name) is None else columns[name] for name in bound},
        names={name: each.column_names for name, each in bound.items()},
        offsets={name: first.extras[f"offset:{name}"] for name in offsets},
        freq_weights=first.extras.get("freq_weights"),
        labelled=first.index is not None,
        index=first.index,
        n_missing=n_rows - len(first.y),
    )
    check_columns(data)
    return data


def _bind_each(endog: Any, designs: Mapping[str, Any], extras: Mapping[str, Any], missing: str) -> dict[str, Bound]:
    """Bind the design of each parameter; one that several have in common once."""
    made: dict[int, Bound] = {}
    for name, each in designs.items():
        if id(each) in made:
            continue
        try:
            made[id(each)] = bind(endog, each, extras, missing)
        except ValueError as error:
            if not made:  # it may be the response
                raise
            raise ValueError(f"the design of {name} can't be taken: {error}") from None
    return {name: made[id(each)] for name, each in designs.items()}


def _columns_of(bound: Mapping[str, Any]) -> dict[str, Columns]:
    """Return the designs as a block holds them: one object where parameters have one in common."""
    made = {id(each): as_columns(each.matrix) for each in bound.values()}
    return {name: made[id(each)] for name, each in bound.items()}


def check_columns(data: DistributionalData) -> None:
    """Refuse weights that are no frequencies, and offsets that are not finite."""
    if data.freq_weights is not None:
        check_weights(data.freq_weights, "freq_weights")
    for name, offset in data.offsets.items():
        check_finite(offset, f"offset of {name}")
