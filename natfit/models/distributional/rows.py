"""The rows that a distributional regression's predictions are wanted for: the model's own, or new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.block import Block
from natfit.data.checks import check_lengths
from natfit.data.matrix import as_columns
from natfit.data.numbers import as_column
from natfit.data.streams.stream import StreamSource
from natfit.data.streams.tables import Tables
from natfit.models.distributional.data import by_parameter

if TYPE_CHECKING:
    from natfit.models.distributional.model import DistributionalRegression

Array = np.ndarray[Any, np.dtype[Any]]


class ParameterRows:
    """Designs and offsets for every parameter, with the labels of the rows.

    Parameters
    ----------
    block : Block
        The rows whose values are all there.
    index : optional
        Labels of all rows given.
    kept : (n,) bool, optional
        Which of the rows given the block holds; None for all.
    """

    streamed = False

    def __init__(self, block: Block, index: Any = None, kept: Array | None = None):
        self.block, self.index, self.kept = block, index, kept

    def map(self, function: Callable[[Block], Any]) -> Iterator[Any]:
        """Yield what a function returns of each run of rows, in their order."""
        yield function(self.block)

    def each(self, function: Callable[[Block], Array]) -> Array:
        """Return what a function returns of the rows, put together: its arrays have one entry for each row."""
        found = list(self.map(function))
        return found[0] if len(found) == 1 else np.concatenate(found)

    def label(self, values: Array, columns: Any = None) -> Any:
        """Put values of the block's rows in their places among the rows given, with labels where there are any."""
        if self.kept is not None:
            full = np.full((len(self.kept), *values.shape[1:]), np.nan)
            full[self.kept] = values
            values = full
        if self.index is None and columns is None:
            return values
        import pandas as pd

        if values.ndim == 1:
            return pd.Series(values, index=self.index)
        return pd.DataFrame(values, index=self.index, columns=columns)


class StreamedRows(ParameterRows):
    """Rows that stream by: what is computed of them is computed block by block, in one pass.

    Parameters
    ----------
    blocks : callable
        Applies a function to all blocks and yields what it returns, in order.
    """

    streamed = True

    def __init__(self, blocks: Callable[[Callable[[Block], Any]], Iterator[Any]]):
        self._blocks, self.index, self.kept = blocks, None, None

    def map(self, function: Callable[[Block], Any]) -> Iterator[Any]:
        return self._blocks(function)


def parameter_rows(model: DistributionalRegression, exog: Any, offset: Any) -> ParameterRows:
    """Return the model's own rows where ``exog`` is None, else those of a table or of designs."""
    data = model.data
    if exog is None:
        if offset is not None:
            raise ValueError("the offset of the model's own rows is known; give offset= for new rows only")
        if isinstance(model.source, StreamSource):
            return StreamedRows(model.source.map)
        return ParameterRows(data.block(), data.index if data.labelled else None)
    given = by_parameter(offset, model.family, "an offset")
    if isinstance(exog, Tables):
        from natfit.models.distributional.streaming import streamed_rows

        return streamed_rows(model, exog, given)
    return _from_table(model, exog, given) if data.frozen else _from_designs(model, exog, given)


def _from_table(model: DistributionalRegression, exog: Any, offset: Mapping[str, Any]) -> ParameterRows:
    data = model.data
    made = {name: design.matrix(exog) for name, design in data.frozen.items()}
    first = next(iter(made.values()))
    masks = [each.kept for each in made.values() if each.kept is not None]
    n_given = first.matrix.shape[0] if first.kept is None else len(first.kept)
    kept = np.logical_and.reduce(masks) if masks else np.ones(n_given, dtype=bool)
    index = first.index
    if index is None:
        import pandas as pd

        index = pd.RangeIndex(n_given)
    columns = {"row": np.flatnonzero(kept).astype(float)}
    for name in data.offsets:
        value = offset.get(name, data.expressions.get(name))
        if value is None:
            raise ValueError(f"the model has an offset for {name}; give offset={{{name!r}: ...}} for the new rows")
        whole = data.frozen[name].evaluate(value, exog) if isinstance(value, str) else as_column("offset", value, index)
        check_lengths({"exog": n_given, "offset": len(whole)})
        kept = kept & np.isfinite(whole)
        columns[f"offset:{name}"] = whole
    designs = {}
    for name, each in made.items():
        own = kept if each.kept is None else kept[each.kept]
        designs[name] = as_columns(each.matrix if own.all() else each.matrix[own])
    columns = {name: np.flatnonzero(kept).astype(float) if name == "row" else c[kept] for name, c in columns.items()}
    return ParameterRows(Block(designs, columns), index, None if kept.all() else kept)


def _from_designs(model: DistributionalRegression, exog: Any, offset: Mapping[str, Any]) -> ParameterRows:
    from natfit.data.frame import design_matrix

    data = model.data
    shared = model.family.shared_predictors and not isinstance(exog, Mapping)
    given = dict.fromkeys(data.designs, exog) if shared else by_parameter(exog, model.family, "a design")
    n_rows, index, designs = 0, None, {}
    for name, each in given.items():
        matrix, index = design_matrix(each, data.names[name])
        designs[name] = as_columns(matrix)
        n_rows = designs[name].shape[0]
    for name, own in data.names.items():
        if name not in designs:
            if own != ["const"] or not n_rows:
                raise ValueError(f"the new rows need a design for {name}, with columns {', '.join(own)}")
            designs[name] = as_columns(np.ones((n_rows, 1)))
    columns = {"row": np.arange(float(n_rows))}
    for name in data.offsets:
        if name not in offset:
            raise ValueError(f"the model has an offset for {name}; give offset={{{name!r}: ...}} for the new rows")
        columns[f"offset:{name}"] = as_column("offset", offset[name], index)
    check_lengths({**{name: d.shape[0] for name, d in designs.items()}, **{n: len(c) for n, c in columns.items()}})
    return ParameterRows(Block(designs, columns), index)
