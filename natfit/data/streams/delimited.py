"""How a CSV file is read as a stream: its separator, its decimal sign, and what type each column has."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Mapping, Sequence
from typing import Any

SEPARATORS = ",;\t"
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*|\s*[-+]?\d+\s*")
HEAD = 1 << 20
"""Bytes of the beginning from which the separator is told; types are pyarrow's guess from about as much."""


def csv_format(path: str) -> Any:
    """Return how pyarrow is to read a CSV file: the separator of its first line, and a decimal comma where that is meant.

    Raises
    ------
    ValueError
        The file is empty, is not UTF-8 text, or a column is named twice.
    """
    import pyarrow.csv as pc
    import pyarrow.dataset as ds

    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rb") as file:
        head = file.read(HEAD).removeprefix(b"\xef\xbb\xbf")
    if not head.strip():
        raise ValueError(f"{path!r} is empty; it needs a line of column names and a line for each row")
    lines = head.decode("utf-8", errors="replace").splitlines()
    separator = max(SEPARATORS, key=lines[0].count)
    header = next(csv.reader([lines[0]], delimiter=separator))
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise ValueError(f"{path!r} has several columns called {twice[0]!r}; give each its own name")
    point = "," if separator == ";" and _has_decimal_commas(lines[1:1000], separator) else "."
    return ds.CsvFileFormat(
        parse_options=pc.ParseOptions(delimiter=separator, newlines_in_values=True),
        convert_options=pc.ConvertOptions(decimal_point=point, strings_can_be_null=True),
    )


def _has_decimal_commas(lines: Sequence[str], separator: str) -> bool:
    """Say whether some column of the lines holds numbers alone, and commas in them."""
    columns = zip(*csv.reader(lines[:-1] or lines, delimiter=separator), strict=False)
    filled = [[cell for cell in column if cell.strip()] for column in columns]
    return any(
        any("," in cell for cell in cells) and all(DECIMAL_COMMA.fullmatch(cell) for cell in cells) for cells in filled
    )


def with_types(schema: Any, types: Mapping[str, str], path: str) -> Any:
    """Return a guessed schema with the types that a user gives.

    Raises
    ------
    ValueError
        There is no such column or type, or a column's text is not UTF-8.
    """
    import pyarrow as pa

    for name, alias in types.items():
        if name not in schema.names:
            raise ValueError(f"types names {name!r}, which is no column of {path!r}; leave it out")
        try:
            kind = pa.type_for_alias(alias)
        except ValueError:
            raise ValueError(
                f"types gives {name!r} the type {alias!r}, which there is not; write 'float64', 'int64' or 'string'"
            ) from None
        schema = schema.set(schema.names.index(name), pa.field(name, kind))
    for field in schema:
        if pa.types.is_binary(field.type):
            raise ValueError(f"the column {field.name!r} of {path!r} is not UTF-8 text; save the file as UTF-8")
    return schema


def common_type(one: Any, other: Any) -> Any:
    """Return the type that a column has in two CSV files, whose types are only guessed from their rows; None if there is
    none."""
    import pyarrow as pa

    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other))
    return pa.float64() if numbers else None


def conversion_refusal(error: BaseException, path: str, names: Sequence[str]) -> str | None:
    """Say in one sentence which cell is not of its column's type, where that is what pyarrow's error is about."""
    text = str(error)
    found = re.search(r"column #(\d+).*?: (?:Row #(\d+): )?CSV conversion error to ([^:]+): (.*)", text)
    if found is None:
        return None
    place, row, kind, what = found.groups()
    name = names[int(place)] if int(place) < len(names) else f"number {place}"
    where = "" if row is None else f" in line {row}"
    return (
        f"the column {name!r} of {path!r} looks like {kind} at the file's beginning and holds {what.strip()}{where}; say "
        f"what it is: from_csv(..., types={{{name!r}: 'float64'}}), or 'string'"
    )
