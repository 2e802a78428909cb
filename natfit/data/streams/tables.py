"""Rows that come as a run of tables, the same in every pass: files, frames, iterators; what a streamed fit reads.

A pass applies a function to every table. Tables are read in order and worked on by threads, a few at a time, so memory
holds a few tables and never all rows; what the function returns is handed on, or merged, in the tables' order.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NoReturn, Self, TypeVar

import numpy as np

from natfit.data.threads import keep_freed_memory, n_threads, one_blas_thread, pool, processors

T = TypeVar("T")
Columns = Mapping[str, Any]

TABLE_ROWS = 131_072
"""Rows of a table: a few megabytes for ten columns, and enough to make a table's own cost small."""


class Tables:
    """A run of tables that can be gone over again and again.

    A subclass gives ``names`` and ``scan``, and ``n_rows`` where it is known without reading.

    Attributes
    ----------
    what : str
        What to call the data in messages.
    formula : str or None
        The formula that they are meant for; a model may name its own.
    threads : int or None
        Threads that work on tables; all processors by default.
    """

    what = "the data"
    formula: str | None = None
    n_rows: int | None = None
    threads: int | None = None

    def on_threads(self, n_jobs: int | None) -> Self:
        """Return the same tables, worked on by so many threads; all processors by default."""
        threads = n_threads(n_jobs)
        if threads == self.threads:
            return self
        made = copy.copy(self)
        made.threads = threads
        return made

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        raise NotImplementedError

    def scan(self, columns: Sequence[str]) -> Iterator[Columns]:
        """Yield the tables in order, each with these columns: arrays, Categoricals or Series by name."""
        raise NotImplementedError

    def each(self, function: Callable[[Columns, int], T], columns: Sequence[str]) -> Iterator[T]:
        """Yield ``function(table, number)`` of every table, in order."""
        keep_freed_memory()
        threads = self.threads or processors()
        numbered = enumerate(self.scan(columns))
        with one_blas_thread():
            waiting = deque(
                pool(threads).submit(function, table, number) for number, table in islice(numbered, threads + 1)
            )
            while waiting:
                done = waiting.popleft().result()
                for number, table in islice(numbered, 1):
                    waiting.append(pool(threads).submit(function, table, number))
                yield done

    def total(self, function: Callable[[Columns, int], Any], columns: Sequence[str]) -> Any:
        """Return what ``function`` returns of all tables, merged in order; None where there is no table."""
        total: Any = None
        for part in self.each(function, columns):
            total = part if total is None else total.merge(part)
        return total


def say_where(
    tables: Tables, columns: Sequence[str], function: Callable[[Mapping[str, Any], int], Any], error: ValueError
) -> NoReturn:
    """Raise what a function has to say against a table again, with the table's number and the row it begins at."""
    before = 0
    for number, table in enumerate(tables.scan(columns)):
        try:
            function(table, number)
        except ValueError as again:
            raise ValueError(f"{again} (in table {number} of {tables.what}, which begins at row {before})") from None
        before += len(next(iter(table.values())))
    raise error


class FrameTables(Tables):
    """Tables from a frame in memory, or from a callable that returns a fresh iterator of frames for every pass."""

    def __init__(self, frames: Callable[[], Iterable[Any]], what: str):
        self._frames, self.what = frames, what
        self._names: list[str] | None = None
        self._last: Any = None

    def _fresh(self) -> Iterable[Any]:
        """Return the frames of another pass; an iterator that was gone over before is refused."""
        made = self._frames()
        if made is self._last and hasattr(made, "__next__"):
            raise TypeError(
                "the callable returns the iterator that it returned before, which is used up, and a fit needs several "
                "passes; let it make a new one each time"
            )
        self._last = made
        return [made] if _is_frame(made) else made

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": None}

    @property
    def names(self) -> list[str]:
        if self._names is None:
            first = next(iter(self._fresh()), None)
            if first is None:
                raise ValueError(f"{self.what} is empty: its iterator yields no table; there are no rows to fit")
            self._names = column_names(first)
        return self._names

    def scan(self, columns: Sequence[str]) -> Iterator[Columns]:
        for number, frame in enumerate(self._fresh()):
            lacking = [name for name in columns if name not in column_names(frame)]
            if lacking:
                raise ValueError(
                    f"table {number} of {self.what} has no column {lacking[0]!r}; all tables need the same"
                )
            yield from _pieces(frame, columns)


def from_frame(data: Any, formula: str | None = None) -> FrameTables:
    """Make a streamed source of a table in memory, or of tables that come one after the other.

    Parameters
    ----------
    data : DataFrame, Arrow table, list of these, or callable
        A pandas, polars or Arrow table, or several; or a callable without arguments that returns a fresh iterator of such
        tables (Arrow record batches too), called once for every pass over the data.
    formula : str, optional
        Kept for `natfit.GLM.from_formula`, which may then be given None.

    Raises
    ------
    TypeError
        For an iterator: it could be gone over once only, and a fit needs several passes.

    Examples
    --------
    >>> import pandas as pd
    >>> import natfit as nf
    >>> parts = [pd.DataFrame({"y": [1, 2], "x": [0.0, 1.0]}), pd.DataFrame({"y": [4, 9], "x": [2.0, 3.0]})]
    >>> source = from_frame(lambda: iter(parts))
    >>> nf.GLM.from_formula("y ~ x", source, family="poisson").fit().params.round(4).tolist()
    [-0.0605, 0.7478]
    """
    if callable(data):
        made = FrameTables(data, "the stream of tables")
    elif hasattr(data, "__next__"):
        raise TypeError(
            "an iterator can be gone over once, and a fit needs several passes; give a callable that returns a new one"
        )
    elif isinstance(data, list | tuple):
        made = FrameTables(lambda: data, "the list of tables")
    else:
        made = FrameTables(lambda: [data], "the data")
    made.formula = formula
    return made


def column_names(frame: Any) -> list[str]:
    """Return the names of a table's columns."""
    if isinstance(frame, Mapping):
        return list(frame)
    schema = getattr(frame, "schema", None)
    if schema is not None and hasattr(schema, "names") and not callable(schema.names):
        return list(schema.names)
    return [str(name) for name in frame.columns]


def _pieces(frame: Any, columns: Sequence[str]) -> Iterator[Columns]:
    """Cut a table into tables of a size that threads can share."""
    if hasattr(frame, "schema") and hasattr(frame, "to_pandas"):
        if hasattr(frame, "to_batches"):  # an Arrow table
            for batch in frame.select(list(columns)).to_batches(max_chunksize=TABLE_ROWS):
                yield ArrowColumns(batch)
            return
        if hasattr(frame, "num_rows"):  # an Arrow record batch
            chosen = frame.select(list(columns))
            for start in range(0, frame.num_rows, TABLE_ROWS):
                yield ArrowColumns(chosen.slice(start, TABLE_ROWS))
            return
    n_rows = len(next(iter(frame.values()))) if isinstance(frame, Mapping) else len(frame)
    for start in range(0, n_rows, TABLE_ROWS):
        part = slice(start, start + TABLE_ROWS)
        if hasattr(frame, "iloc"):
            yield {name: frame[name].iloc[part].reset_index(drop=True) for name in columns}
        else:
            yield {name: _array(frame[name])[part] for name in columns}


def _is_frame(data: Any) -> bool:
    return isinstance(data, Mapping) or hasattr(data, "columns") or hasattr(data, "to_batches")


def _array(column: Any) -> Any:
    """Return a column that can be indexed by rows: a list of a mapping can't."""
    if not isinstance(column, list | tuple):
        return column
    import pandas as pd

    return pd.Series(list(column)).to_numpy()


class ArrowColumns(Mapping[str, Any]):
    """An Arrow record batch as columns that a design is built from; numbers without gaps are not copied.

    A column is converted when it is looked up: by the thread that works on the table, not by the one that reads.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
    """

    def __init__(self, batch: Any):
        self._batch = batch
        self._converted: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._converted:
            place = self._batch.schema.get_field_index(name)
            if place < 0:
                raise KeyError(name)
            self._converted[name] = _from_arrow_array(self._batch.column(place))
        return self._converted[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._batch.schema.names)

    def __len__(self) -> int:
        return self._batch.num_columns


def _from_arrow_array(array: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = array.to_numpy(zero_copy_only=False)
        return values if values.dtype.kind in "iuf" else values.astype(np.float64)
    if pa.types.is_boolean(kind) and array.null_count == 0:
        return array.to_numpy(zero_copy_only=False)
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if texts or pa.types.is_dictionary(kind):
        encoded = array.dictionary_encode() if texts else array
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        levels = encoded.dictionary.to_pylist()
        if not texts:
            return pd.Categorical.from_codes(codes, levels, ordered=kind.ordered)
        order = np.array(sorted(range(len(levels)), key=levels.__getitem__), dtype=np.int32)
        place = np.append(np.argsort(order).astype(np.int32), np.int32(-1))
        return pd.Categorical.from_codes(place[codes], [levels[i] for i in order])
    return array.to_pandas()
