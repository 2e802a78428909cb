"""Parquet and CSV files as streams of tables: column-pruned, read ahead by pyarrow's own threads."""

from __future__ import annotations

import glob as globbing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from natfit.data.tables import TABLE_ROWS, Columns, Tables, from_arrow


class FileTables(Tables):
    """The rows of one file or several, in the order of their names, read anew in every pass.

    Parameters
    ----------
    paths : list of str
    kind : {"parquet", "csv"}
    formula : str, optional
    """

    def __init__(self, paths: Sequence[str], kind: str, formula: str | None = None):
        self.paths, self.kind, self.formula = list(paths), kind, formula
        self.what = repr(self.paths[0]) if len(self.paths) == 1 else f"{len(self.paths)} files from {self.paths[0]!r}"
        self._schema, self.n_rows = self._open()

    def _open(self) -> tuple[Any, int | None]:
        """Return the columns and the number of rows by the files' heads; refuse files that don't match the first."""
        schemas, rows = [], 0
        for path in self.paths:
            schema, count = _head(path, self.kind)
            schemas.append(schema)
            rows += count
        first = schemas[0]
        for path, schema in zip(self.paths[1:], schemas[1:], strict=True):
            for name in first.names:
                if name not in schema.names:
                    raise ValueError(
                        f"{path!r} has no column {name!r}, which {self.paths[0]!r} has; all files need the same"
                    )
                own, given = schema.field(name).type, first.field(name).type
                if own != given:
                    raise ValueError(
                        f"the column {name!r} is {own} in {path!r} and {given} in {self.paths[0]!r}; a column must have one "
                        "type in all files: convert one of them"
                    )
        return first, rows if self.kind == "parquet" else None

    @property
    def names(self) -> list[str]:
        return list(self._schema.names)

    def scan(self, columns: Sequence[str]) -> Iterator[Columns]:
        import pyarrow as pa
        import pyarrow.dataset as ds

        for path in self.paths:
            try:
                data = ds.dataset(path, format=_format(self.kind), schema=self._schema)
                # Nothing is read ahead: the threads that work on tables leave no processor free for it, and what is
                # read ahead of them is memory.
                batches = data.to_batches(
                    columns=list(columns), batch_size=TABLE_ROWS, batch_readahead=0, fragment_readahead=0
                )
                for batch in batches:
                    if batch.num_rows:
                        yield from_arrow(batch)
            except (pa.ArrowException, OSError) as error:
                raise ValueError(
                    f"{path!r} can't be read to its end: {_sentence(error)}; write the file again, or leave it out"
                ) from None

    def __getstate__(self) -> dict[str, Any]:
        return {"paths": self.paths, "kind": self.kind, "formula": self.formula}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def from_parquet(path: Any, formula: str | None = None) -> FileTables:
    """Make a streamed source of Parquet files: a fit reads the columns it needs, a few tables at a time.

    Parameters
    ----------
    path : str, Path, or list of them
        A file, a folder, or a pattern such as ``"claims/*.parquet"``; files are read in the order of their names.
    formula : str, optional
        Kept for `natfit.GLM.from_formula`, which may then be given None.

    Returns
    -------
    FileTables

    Raises
    ------
    FileNotFoundError
        Nothing is there.
    ValueError
        A file ends early or is no Parquet, or files disagree about a column's type: file and column are named.
    ImportError
        pyarrow is not installed.

    Notes
    -----
    The model's first pass counts rows and finds levels and knots; every later one must meet the same rows.

    Examples
    --------
    >>> import natfit as nf
    >>> source = nf.data.from_parquet("claims/*.parquet", "n ~ age + C(region)")  # doctest: +SKIP
    >>> nf.GLM.from_formula(None, source, family="poisson", offset="log(years)").fit()  # doctest: +SKIP
    """
    return FileTables(_find(path, ".parquet"), "parquet", formula)


def from_csv(path: Any, formula: str | None = None) -> FileTables:
    """Make a streamed source of CSV files with one line of column names; parameters and errors as of `from_parquet`.

    Column types are those of the first file's beginning.
    """
    return FileTables(_find(path, ".csv"), "csv", formula)


def _find(path: Any, ending: str) -> list[str]:
    if isinstance(path, list | tuple):
        return [each for one in path for each in _find(one, ending)]
    text = str(path)
    if Path(text).is_dir():
        found = sorted(str(each) for each in Path(text).iterdir() if each.name.endswith(ending))
    else:
        found = [text] if Path(text).exists() else sorted(globbing.glob(text))
    if not found:
        raise FileNotFoundError(
            f"there is no {ending} file at {text!r}; give a file, a folder or a pattern that matches some"
        )
    return found


def _head(path: str, kind: str) -> tuple[Any, int]:
    """Return a file's schema and, for Parquet, its number of rows."""
    try:
        import pyarrow as pa
        import pyarrow.dataset as ds
        import pyarrow.parquet as pq
    except ImportError:
        raise ImportError('streamed files need pyarrow; install it with: pip install "natfit[parquet]"') from None
    try:
        if kind == "parquet":
            with pq.ParquetFile(path) as file:
                return file.schema_arrow, file.metadata.num_rows
        return ds.dataset(path, format="csv").schema, 0
    except (pa.ArrowException, OSError) as error:
        what = (
            "Parquet (it may have been cut short: the end of the file holds its directory)"
            if kind == "parquet"
            else "CSV"
        )
        raise ValueError(f"{path!r} can't be read as {what}: {_sentence(error)}; write the file again") from None


def _format(kind: str) -> Any:
    """Return how files are read: Parquet by a buffered stream, since whole row groups are gigabytes in some files."""
    import pyarrow.dataset as ds

    if kind == "csv":
        return kind
    options = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True)
    return ds.ParquetFileFormat(default_fragment_scan_options=options)


def _sentence(error: BaseException) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return text.rstrip(".")
