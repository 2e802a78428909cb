"""From what users pass to a checked GLMData, and from new tables to rows that predictions are wanted for."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.apart import Apart
from natfit.data.checks import check_lengths, where
from natfit.data.matrix import as_columns
from natfit.data.numbers import as_column, unmasked
from natfit.data.streams.tables import Tables
from natfit.models.data import GLMData
from natfit.models.rows import NewRows

if TYPE_CHECKING:
    from natfit.models.glm import GLM

Array = np.ndarray[Any, np.dtype[Any]]


def from_arrays(endog: Any, exog: Any, extras: Mapping[str, Any], missing: str) -> GLMData:
    """Bind a response and a design given as arrays or frames."""
    from natfit.data.frame import bind

    bound = bind(endog, exog, extras, missing)
    data = GLMData(
        y=bound.y,
        design=as_columns(bound.matrix),
        names=list(bound.column_names),
        y_name=bound.y_name,
        labelled=bound.index is not None or hasattr(exog, "columns"),
        index=bound.index,
        n_missing=bound.n_missing,
        kept=bound.kept,
        labels=bound.labels,
        extra_names={name: str(v.name) for name, v in extras.items() if getattr(v, "name", None) is not None},
    )
    return _with_extras(data, bound.extras)


def from_formula(
    formula: str,
    table: Any,
    extras: Mapping[str, Any],
    missing: str,
    subset: Any,
    drop_cols: Sequence[str] | None,
    context: Mapping[str, Any],
) -> GLMData:
    """Bind a formula's response and design; the terms stand in the order that statsmodels gives them."""
    if isinstance(table, Tables):
        from natfit.models.streaming import bind_stream

        if subset is not None:
            raise ValueError(
                "subset picks rows of a table in memory; of streamed rows leave out those that are not wanted"
            )
        return bind_stream(formula, table, extras, missing, drop_cols, context)  # type: ignore[return-value]
    from natfit.data.formulas.design import build_design

    if subset is not None:
        table, extras = subset_rows(table, extras, subset)
    made = build_design(formula, table, extras=extras, missing=missing, context=context, order="patsy", layout="apart")
    if made.y is None:
        raise ValueError(f"the formula {formula!r} names no response; write one to the left of ~, as in 'y ~ x'")
    matrix, names, frozen = made.matrix, made.column_names, made.design
    chosen = None
    if drop_cols is not None:
        chosen = [j for j, name in enumerate(names) if name not in set(drop_cols)]
        matrix = matrix.choose(chosen) if isinstance(matrix, Apart) else matrix[:, chosen]
        names = [names[j] for j in chosen]
    data = GLMData(
        y=made.y,
        design=as_columns(matrix),
        names=list(names),
        y_name=made.y_name,
        table=table,
        labelled=True,
        index=made.index,
        n_missing=made.n_missing,
        kept=made.kept,
        levels=None if made.y_levels is None else tuple(made.y_levels),
        frozen=frozen,
        chosen=chosen,
        expressions={name: value for name, value in extras.items() if isinstance(value, str)},
        terms=list(made.terms),
    )
    return _with_extras(data, made.extras)


def _with_extras(data: GLMData, extras: Mapping[str, Array]) -> GLMData:
    """Put the columns that go with the rows in their places; counts of two columns become proportions and trials."""
    data.exposure = extras.get("exposure")
    data.offset = extras.get("offset")
    data.freq_weights = extras.get("freq_weights")
    data.var_weights = extras.get("var_weights")
    data.trials = extras.get("trials")
    return data


def subset_rows(table: Any, extras: Mapping[str, Any], subset: Any) -> tuple[Any, Mapping[str, Any]]:
    """Return the rows of a table that a mask or labels choose, and the same rows of arrays that go with them."""
    rows = np.asarray(subset)
    if hasattr(table, "loc"):
        chosen = table.loc[subset]
    elif rows.dtype != bool:
        raise ValueError("subset must be a boolean mask where the data are not a pandas DataFrame")
    elif isinstance(table, Mapping):
        chosen = _of_mapping(table, rows)
    else:
        import narwhals as nw

        chosen = nw.from_native(table).filter(rows.tolist()).to_native()
    if rows.dtype != bool:
        return chosen, extras
    cut = {
        name: unmasked(value)[rows] if value is not None and not isinstance(value, str) else value
        for name, value in extras.items()
    }
    return chosen, cut


def _of_mapping(table: Mapping[str, Any], rows: Array) -> dict[str, Any]:
    """Return the masked rows of a mapping's columns; a scalar stands for all rows and stays as it is."""
    chosen = {}
    for name, column in table.items():
        if isinstance(column, str) or np.ndim(column) == 0:
            chosen[name] = column
            continue
        check_lengths({"subset": len(rows), name: len(column)})
        listed = isinstance(column, list | tuple)  # an array would turn a missing value among texts into a text
        chosen[name] = list(compress(column, rows)) if listed else column[rows]
    return chosen


def caller_namespace(depth: int) -> Mapping[str, Any]:
    """Return the names that the code ``depth`` calls above this function can see: formulas may use them.

    Where that is a model's own code, such as ``select``, which makes several models of one formula, its caller is meant.
    """
    frame = sys._getframe(depth)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("natfit.models."):
        frame = frame.f_back
    return ChainMap(dict(frame.f_locals), frame.f_globals)


def new_rows(model: GLM, exog: Any, transform: bool, exposure: Any = None, offset: Any = None) -> NewRows:
    """Return the rows to predict for: the model's own where ``exog`` is None, else new ones.

    A table goes through the frozen formula; offset and exposure that the model names by column or expression are taken
    from it unless given. Of its own rows the model knows both; each is replaced only where it is given.
    """
    data = model.data
    if exog is None:
        if data.remembered is not None:
            raise ValueError("the rows of this fit were removed by remove_data(); give the rows to predict for")
        known = {"offset": data.offset if offset is None else offset}
        known["exposure"] = data.exposure if exposure is None else exposure
        index = data.index if data.labelled else None
        return NewRows(data.design, _offset(known, "endog", data.n_rows, index), index)
    if isinstance(exog, Tables):
        from natfit.models.streaming import streamed_rows

        return streamed_rows(model, exog, offset, exposure)
    known, kept = {"offset": offset, "exposure": exposure}, None
    if transform and data.frozen is not None:
        import pandas as pd

        made = data.frozen.matrix(exog)
        matrix, kept = made.matrix if data.chosen is None else made.matrix[:, data.chosen], made.kept
        index = made.index
        if index is None:  # as the fitted values have it
            index = pd.RangeIndex(matrix.shape[0] if kept is None else len(kept))
        for name, given in known.items():
            expression = data.expressions.get(name) if given is None else given
            if isinstance(expression, str):
                known[name] = data.frozen.evaluate(expression, exog)
    else:
        from natfit.data.frame import design_matrix

        matrix, index = design_matrix(exog, data.names)
    design, width = as_columns(matrix), len(data.names)
    if design.shape[1] != width:
        raise ValueError(f"the new rows have {design.shape[1]} columns and the model has {width}; both must agree")
    n_rows = design.shape[0] if kept is None else len(kept)
    return NewRows(design, _offset(known, "exog", n_rows, index), index, kept)


def _offset(known: Mapping[str, Any], rows: str, n_rows: int, index: Any) -> Array | None:
    """Return offset plus log exposure of each row, or None where there is neither; a number stands for every row."""
    total: Array | None = None
    for name, given in known.items():
        if given is None:
            continue
        single = isinstance(given, int | float | np.number) or (isinstance(given, np.ndarray) and given.ndim == 0)
        column = np.full(n_rows, float(given)) if single else as_column(name, given, index)
        check_lengths({rows: n_rows, name: len(column)})
        if name == "exposure":
            if (column < 0.0).any():
                raise ValueError(f"'exposure' must not be negative, and is in {where(column < 0.0)}; mend the values")
            with np.errstate(divide="ignore"):
                column = np.log(column)
        total = column if total is None else total + column
    return total


@contextmanager
def progress_bar(show: bool, n_rows: int | None = None) -> Iterator[Any]:
    """Show a bar with the passes over the data, the decrement and the rows per second, or nothing."""
    if not show:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(desc="fit", unit=" passes") as bar:

        def update(row: Any) -> None:
            speed = "" if n_rows is None else f", {row.passes * n_rows / max(row.seconds, 1e-9):.3g} rows/s"
            bar.set_postfix_str(f"decrement {row.decrement:.2g}{speed}", refresh=False)
            bar.update(row.passes - bar.n)

        yield update
