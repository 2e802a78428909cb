"""Reading a table from a file: CSV, TSV, Parquet and Feather; what is not such a table is refused in one sentence."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from natfit.data.checks import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

KINDS = {
    ".csv": "text",
    ".txt": "text",
    ".tsv": "text",
    ".tab": "text",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".feather": "Feather",
    ".arrow": "Feather",
}
"""What a file holds by the ending of its name; text may also be compressed (.gz)."""

BEGINNINGS = (
    (b"PAR1", "Parquet", ".parquet"),
    (b"ARROW1", "Feather", ".feather"),
    (b"\x1f\x8b", "gzip", ".gz"),
    (b"PK\x03\x04", "a zip archive (an Excel workbook is one)", ""),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", ""),
    (b"\x89HDF", "HDF5", ""),
    (b"SQLite format 3", "an SQLite database", ""),
    (b"\xff\xfe", "UTF-16 text", ""),
    (b"\xfe\xff", "UTF-16 text", ""),
)
"""First bytes of files that are no text, what they are, and the ending that their names should have."""

READABLE = "natfit reads .csv, .tsv, .txt (comma, semicolon or tab), .parquet and .feather"


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table by the name of its file.

    Text has one line of column names and then one line for each row; its separator is the one of comma, semicolon and
    tab that the first line has most of (always the tab in .tsv). Empty cells and ``NA`` are missing. Where semicolons
    separate, decimal commas are understood.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    FileNotFoundError
        There is no such file; the nearest names of its folder are suggested.
    ValueError
        It is a folder, empty, no table, or of another format than its name says.
    ImportError
        Parquet and Feather need pyarrow.

    Examples
    --------
    >>> from natfit import datasets
    >>> read_table(datasets.path("crabs")).shape
    (173, 7)
    """
    path = Path(path)
    name = str(path)
    _check_there(path, name)
    zipped = path.suffix.lower() == ".gz"
    ending = Path(path.stem).suffix.lower() if zipped else path.suffix.lower()
    kind = KINDS.get(ending)
    if kind is None or (zipped and kind != "text"):
        remedy = "save the sheet as CSV" if ending.startswith(".xl") else "save the table as CSV or Parquet"
        raise ValueError(f"{name!r} is not a kind of file that can be read: {READABLE}; {remedy}")
    beginning = _beginning(path, name)
    found, proper = _recognise(beginning)
    expected = "gzip" if zipped else kind
    if found != expected:
        remedy = f"rename it to end in {proper}" if proper else "save the table as CSV or Parquet"
        if found == "text":
            remedy = "rename it to end in .csv, if it is a table"
        raise ValueError(f"{name!r} holds {found}, not the {expected} that its name says; {remedy}")
    if kind == "text":
        return _read_text(path, name, ending, zipped)
    return _read_arrow(path, name, kind)


def _check_there(path: Path, name: str) -> None:
    if path.is_dir():
        raise ValueError(f"{name!r} is a folder; name a file in it")
    if path.exists():
        return
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no file {name!r}, and no folder {str(folder)!r} either")
    files = [each.name for each in folder.iterdir() if each.is_file()]
    raise FileNotFoundError(f"there is no file {name!r}{did_you_mean(path.name, files)}")


def _beginning(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            beginning = file.read(4096)
    except OSError as error:
        raise ValueError(f"{name!r} can't be opened: {error.strerror}") from None
    if not beginning.strip():
        raise ValueError(f"{name!r} is empty; it needs a line of column names and a line for each row")
    return beginning


def _recognise(beginning: bytes) -> tuple[str, str]:
    """Say what a file holds by its first bytes, and the ending that its name should have."""
    for magic, what, ending in BEGINNINGS:
        if beginning.startswith(magic):
            return what, ending
    if b"\0" in beginning:
        return "binary data", ""
    return "text", ".csv"


def _read_text(path: Path, name: str, ending: str, zipped: bool) -> pd.DataFrame:
    import pandas as pd

    try:
        raw = gzip.decompress(path.read_bytes()) if zipped else path.read_bytes()
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name!r} is not UTF-8 text (byte {raw[error.start]:#x} at position {error.start}); save it as UTF-8"
        ) from None
    except (OSError, EOFError) as error:
        raise ValueError(f"{name!r} can't be read as gzip: {_sentence(error)}") from None
    separator = _check_header(text, name, ending)

    def read(decimal: str) -> pd.DataFrame:
        return pd.read_csv(io.StringIO(text), sep=separator, decimal=decimal, skipinitialspace=True, index_col=False)

    frame = _refusing(lambda: read("."), name, "a table")
    if separator == ";" and any(_has_decimal_commas(frame[column]) for column in frame):
        frame = read(",")
    if frame.empty:
        raise ValueError(f"{name!r} has column names and no rows; it needs a line for each row")
    return frame


def _check_header(text: str, name: str, ending: str) -> str:
    """Find the separator, and refuse a first line that is no line of column names."""
    first = text.lstrip("\r\n").split("\n", 1)[0].strip("\r")
    start = first.lstrip()[:15].lower()
    for opening, what in (("<", "HTML or XML"), ("{", "JSON"), ("[", "JSON")):
        if start.startswith(opening):
            raise ValueError(f"{name!r} holds {what}, not a table; {READABLE}")
    separator = "\t" if ending in (".tsv", ".tab") else max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=separator, skipinitialspace=True))
    if all(_is_number(cell) for cell in header):
        raise ValueError(f"{name!r} has numbers in its first line; it must begin with a line of column names")
    twice = sorted({cell for cell in header if header.count(cell) > 1 and cell})
    if twice:
        raise ValueError(f"{name!r} has several columns called {twice[0]!r}; give each its own name")
    return separator


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _has_decimal_commas(column: Any) -> bool:
    if column.dtype.kind in "iufb":
        return False
    cells = column.dropna().astype(str)
    return len(cells) > 0 and bool(cells.str.fullmatch(r"\s*[-+]?\d*,?\d+([eE][-+]?\d+)?\s*").all())


def _read_arrow(path: Path, name: str, kind: str) -> pd.DataFrame:
    try:
        import pyarrow.feather
        import pyarrow.parquet
    except ImportError:
        raise ImportError(f'{kind} files need pyarrow; install it with: pip install "natfit[parquet]"') from None
    read = pyarrow.parquet.read_table if kind == "Parquet" else pyarrow.feather.read_table
    frame = _refusing(lambda: read(str(path)).to_pandas(), name, kind)
    if frame.empty:
        raise ValueError(f"{name!r} has no rows or no columns; there is nothing to fit")
    return frame


def _refusing(read: Callable[[], pd.DataFrame], name: str, kind: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header lose their ends
            return read()
    except (ValueError, OSError, pd.errors.ParserWarning) as error:  # pandas' and pyarrow's errors are among them
        raise ValueError(
            f"{name!r} can't be read as {kind}: {_sentence(error)}; mend the file or save it again"
        ) from None


def _sentence(error: BaseException) -> str:
    if isinstance(error, Warning):
        return "rows have more cells than there are column names"
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return text.removeprefix("Error tokenizing data. C error: ").rstrip(".")
