"""A table of named columns, whatever it came from; columns are converted one by one, when they are looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import check_lengths, did_you_mean
from natfit.data.numbers import unmasked

if TYPE_CHECKING:
    import pandas as pd


NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
"""What pandas calls the contents of a column of objects that are all numbers, or missing."""


class Table(Mapping[str, Any]):
    """Named columns as pandas Series of NumPy's own types, text or categories.

    Parameters
    ----------
    data : pandas, polars (eager or lazy), pyarrow or any frame that narwhals reads, a structured array, or a mapping
        A mapping holds arrays, lists or Series; scalars are repeated. A pandas Series is one row.
    what : str
        What to call the data in messages.

    Attributes
    ----------
    n_rows : int
    index : pandas.Index or None
        The row labels, where the data have any.

    Examples
    --------
    >>> table = Table({"x": [1.0, 2.0], "g": ["a", "b"]})
    >>> table.n_rows, list(table), table.index is None
    (2, ['x', 'g'], True)
    """

    def __init__(self, data: Any, what: str = "the data"):
        import pandas as pd

        self.what = what
        self.index: pd.Index[Any] | None = None
        self._series: dict[str, pd.Series[Any]] = {}
        if isinstance(data, Table):
            data = data._columns
        named = None
        if isinstance(data, pd.Series):
            named = data.name
            data = data.to_dict()
        if isinstance(data, np.ndarray) and data.dtype.names:
            data = {name: data[name] for name in data.dtype.names}
        self._columns: Any
        if isinstance(data, pd.DataFrame):
            self._columns, self.n_rows, self.index = data, len(data), data.index
            self._names = list(data.columns)
        elif isinstance(data, Mapping):
            self._from_mapping(data)
        else:
            self._from_narwhals(data)
        if named is not None:
            self.index = pd.Index([named])
        self._position = pd.RangeIndex(self.n_rows) if self.index is None else self.index

    def _from_mapping(self, data: Mapping[str, Any]) -> None:
        import pandas as pd

        arrays = {name: value if hasattr(value, "__len__") else np.asarray(value) for name, value in data.items()}
        scalar = {name for name, value in arrays.items() if np.ndim(value) == 0 or isinstance(value, str)}
        lengths = {name: len(value) for name, value in arrays.items() if name not in scalar}
        check_lengths(lengths)
        self.n_rows = next(iter(lengths.values()), 1)
        labels = {name: value.index for name, value in arrays.items() if isinstance(value, pd.Series)}
        for name, index in labels.items():
            first = next(iter(labels))
            if not index.equals(labels[first]):
                raise ValueError(
                    f"{name!r} and {first!r} have different row labels; put them into one DataFrame, or pass arrays"
                )
        self.index = next(iter(labels.values()), None)
        self._columns = {
            name: np.full(self.n_rows, np.asarray(value)[()]) if name in scalar else value
            for name, value in arrays.items()
        }
        self._names = list(arrays)

    def _from_narwhals(self, data: Any) -> None:
        import narwhals as nw

        if type(data).__module__.startswith(("dask.", "dask_expr.")):
            raise TypeError(
                f"{self.what} lie in a Dask frame, which is not read into memory; give nf.data.from_dask(it)"
            )
        try:
            frame = nw.from_native(data)
        except TypeError:
            raise TypeError(
                f"{self.what} must be a DataFrame (pandas, polars, pyarrow ...) or a mapping of columns; "
                f"got {type(data).__name__}"
            ) from None
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        self._columns, self.n_rows, self._names = frame, len(frame), list(frame.columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> pd.Series[Any]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._series:
            self._series[name] = self._convert(name)
        return self._series[name]

    def column(self, name: str) -> pd.Series[Any]:
        """Look a column up; a name that is not there is refused with the nearest ones."""
        if name not in self._names:
            raise ValueError(f"{self.what} has no column {name!r}{did_you_mean(name, self._names)}")
        return self[name]

    def numbers(self, name: str) -> np.ndarray | None:
        """Return a column as it lies, where it is a NumPy array of numbers; None where it has to be converted."""
        if name in self._series or name not in self._names:
            return None
        column = self._columns[name]
        if isinstance(getattr(column, "dtype", None), np.dtype) and hasattr(column, "to_numpy"):  # a pandas Series
            column = column.to_numpy()
        plain = type(column) is np.ndarray and column.ndim == 1 and column.dtype.kind in "iuf"
        return column if plain else None

    def add(self, name: str, values: Any) -> None:
        """Add a column from elsewhere, by position."""
        import pandas as pd

        self._names.append(name)
        self._series[name] = plain(pd.Series(unmasked(values), index=self._position, name=name))

    def _convert(self, name: str) -> pd.Series[Any]:
        import pandas as pd

        column = self._columns[name]
        if isinstance(column, pd.DataFrame):
            raise ValueError(
                f"{column.shape[1]} columns of {self.what} are called {name!r}; a name must belong to one column"
            )
        if isinstance(column, pd.Series):
            return plain(column)
        if isinstance(column, pd.Categorical):
            return pd.Series(column, index=self._position, name=name)
        if _is_narwhals(column):
            return pd.Series(from_narwhals_series(column), index=self._position, name=name)
        if isinstance(column, list | tuple):  # NumPy would turn a missing value among texts into a text
            return plain(pd.Series(list(column), index=self._position, name=name))
        array = unmasked(column)
        if array.ndim != 1:
            raise ValueError(f"column {name!r} must be one-dimensional; it has shape {array.shape}")
        return plain(pd.Series(array, index=self._position, name=name, copy=False))


def plain(series: pd.Series[Any]) -> pd.Series[Any]:
    """Turn pandas' nullable and Arrow numbers into NumPy's, missing ones into NaN; leave everything else as it is."""
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        contents = pd.api.types.infer_dtype(series, skipna=True)
        if contents in NUMBERS:
            return series.astype(np.int64 if contents == "integer" and not series.hasnans else np.float64)
    if isinstance(dtype, np.dtype | pd.CategoricalDtype | pd.StringDtype):
        return series
    if pd.api.types.is_bool_dtype(dtype):
        return series.astype(object if series.hasnans else bool)
    if pd.api.types.is_numeric_dtype(dtype):
        values = series.to_numpy(dtype=float, na_value=np.nan) if series.hasnans else series.to_numpy()
        return pd.Series(values, index=series.index, name=series.name)
    if pd.api.types.is_string_dtype(dtype):
        return series.astype(object).where(series.notna(), None)
    return series


def _is_narwhals(column: Any) -> bool:
    import narwhals as nw

    return isinstance(column, nw.Series)


def from_narwhals_series(column: Any) -> Any:
    """Convert a narwhals Series to an array or Categorical without pyarrow, which is an optional package."""
    import narwhals as nw
    import pandas as pd

    has_null = column.null_count() > 0
    if isinstance(column.dtype, nw.Enum):
        return pd.Categorical(column.cast(nw.String).to_list(), categories=list(column.dtype.categories))
    if column.dtype == nw.Categorical:  # its own order is that of appearance, an accident of the rows
        texts = column.cast(nw.String).to_list()
        return pd.Categorical(texts, categories=sorted({text for text in texts if text is not None}))
    if column.dtype.is_numeric():
        return column.cast(nw.Float64).to_numpy() if has_null else column.to_numpy()
    if column.dtype == nw.Boolean and not has_null:
        return column.to_numpy()
    if column.dtype.is_temporal():
        return column.to_numpy()
    return np.array(column.to_list(), dtype=object)
