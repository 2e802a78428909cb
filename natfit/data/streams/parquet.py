"""Parquet and CSV files as streams of tables: column-pruned, read ahead by pyarrow's own threads."""

from __future__ import annotations

import glob as globbing
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from natfit.data.streams.delimited import common_type, conversion_refusal, csv_format, with_types
from natfit.data.streams.tables import TABLE_ROWS, ArrowColumns, Columns, Tables


class FileTables(Tables):
    """The rows of one file or several, in the order of their names, read anew in every pass.

    Parameters
    ----------
    paths : list of str
    kind : {"parquet", "csv"}
    formula : str, optional
    types : mapping of str to str, optional
        Of a CSV file's columns, where the guess from its beginning is wrong.
    """

    def __init__(
        self, paths: Sequence[str], kind: str, formula: str | None = None, types: Mapping[str, str] | None = None
    ):
        self.paths, self.kind, self.formula, self.types = list(paths), kind, formula, dict(types or {})
        self.what = repr(self.paths[0]) if len(self.paths) == 1 else f"{len(self.paths)} files from {self.paths[0]!r}"
        self._clashes: dict[str, str] = {}
        self._format, self._schema, self.n_rows = self._open()

    def _open(self) -> tuple[Any, Any, int | None]:
        """Return how the files are read, their columns and the number of rows by their heads; note where they differ."""
        import pyarrow as pa

        form = _format(self.kind, self.paths[0])
        first, rows = _head(self.paths[0], self.kind, form)
        common = {field.name: field.type for field in with_types(first, self.types, self.paths[0])}
        for path in self.paths[1:]:
            schema, count = _head(path, self.kind, form)
            rows += count
            own = {field.name: field.type for field in with_types(schema, self.types, path)}
            for name, kind in common.items():
                if name not in own:
                    clash = f"{path!r} has no column {name!r}, which {self.paths[0]!r} has; all files need the same"
                    self._clashes.setdefault(name, clash)
                    continue
                both = common_type(kind, own[name]) if self.kind == "csv" else kind if kind == own[name] else None
                if both is None:
                    self._clashes.setdefault(
                        name,
                        f"the column {name!r} is {own[name]} in {path!r} and {kind} in {self.paths[0]!r}; a column must "
                        "have one type in all files: convert one of them",
                    )
                common[name] = kind if both is None else both
        return form, pa.schema(list(common.items())), rows if self.kind == "parquet" else None

    @property
    def names(self) -> list[str]:
        return list(self._schema.names)

    def scan(self, columns: Sequence[str]) -> Iterator[Columns]:
        import pyarrow as pa
        import pyarrow.dataset as ds

        for name in columns:
            if name in self._clashes:
                raise ValueError(self._clashes[name])
        for path in self.paths:
            try:
                data = ds.dataset(path, format=self._format, schema=self._schema)
                # Nothing is read ahead: the threads that work on tables leave no processor free for it, and what is
                # read ahead of them is memory.
                batches = data.to_batches(
                    columns=list(columns), batch_size=TABLE_ROWS, batch_readahead=0, fragment_readahead=0
                )
                for batch in batches:
                    if batch.num_rows:
                        yield ArrowColumns(batch)
            except (pa.ArrowException, OSError) as error:
                refusal = conversion_refusal(error, path, self.names) if self.kind == "csv" else None
                if not Path(path).exists():
                    refusal = f"{path!r} is there no longer, and a fit goes over it several times; put it back"
                raise ValueError(
                    refusal
                    or f"{path!r} can't be read to its end: {_sentence(error)}; write the file again, or leave it out"
                ) from None

    def __getstate__(self) -> dict[str, Any]:
        return {"paths": self.paths, "kind": self.kind, "formula": self.formula, "types": self.types}

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
        A file ends early or is no Parquet, or files disagree about the type of a column that is read: file and column are
        named.
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


def from_csv(path: Any, formula: str | None = None, types: Mapping[str, str] | None = None) -> FileTables:
    """Make a streamed source of CSV files with one line of column names; parameters and errors as of `from_parquet`.

    The separator is a comma, a semicolon or a tab, whichever the first line has most of. Empty cells are missing, of text
    too, and so are those that hold ``NA``, ``NaN``, ``NULL`` or ``N/A`` in one of the usual spellings.

    Parameters
    ----------
    path, formula
        As of `from_parquet`.
    types : mapping of str to str, optional
        Types of columns by name, such as ``{"income": "float64", "area": "string"}``, where the guess from a file's
        beginning is wrong: whole numbers at first and others later, say. A column that is whole numbers in one file and
        has decimals in another is read as numbers with decimals.
    """
    return FileTables(_find(path, ".csv"), "csv", formula, types)


def _find(path: Any, ending: str) -> list[str]:
    if isinstance(path, list | tuple):
        if not path:
            raise ValueError("the list of files is empty; name one at least")
        return [each for one in path for each in _find(one, ending)]
    if not isinstance(path, str | PathLike):
        raise TypeError(f"a file, a folder or a pattern is a text or a Path, not {type(path).__name__}")
    text = str(path)
    if Path(text).is_dir():
        found = sorted(str(each) for each in Path(text).iterdir() if each.name.endswith(ending))
    else:
        found = [text] if Path(text).exists() else sorted(globbing.glob(text, recursive=True))
    if not found:
        raise FileNotFoundError(
            f"there is no {ending} file at {text!r}; give a file, a folder or a pattern that matches some "
            "(** goes down into folders)"
        )
    return found


def _head(path: str, kind: str, form: Any) -> tuple[Any, int]:
    """Return a file's schema and, for Parquet, its number of rows."""
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    try:
        if kind == "parquet":
            with pq.ParquetFile(path) as file:
                return file.schema_arrow, file.metadata.num_rows
        return ds.dataset(path, format=form).schema, 0
    except (pa.ArrowException, OSError) as error:
        what = (
            "Parquet (it may have been cut short: the end of the file holds its directory)"
            if kind == "parquet"
            else "CSV"
        )
        raise ValueError(f"{path!r} can't be read as {what}: {_sentence(error)}; write the file again") from None


def _format(kind: str, path: str) -> Any:
    """Return how files are read: Parquet by a buffered stream, since whole row groups are gigabytes in some files."""
    try:
        import pyarrow.dataset as ds
    except ImportError:
        raise ImportError('streamed files need pyarrow; install it with: pip install "natfit[parquet]"') from None
    if kind == "csv":
        return csv_format(path)
    options = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True, page_checksum_verification=True)
    return ds.ParquetFileFormat(default_fragment_scan_options=options)


def _sentence(error: BaseException) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return text.rpartition("Invalid: ")[2].rstrip(".")
