"""The tables that commands read, and the files that they may write."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd

    from natfit.data.streams.tables import Tables


def read_data(name: str) -> pd.DataFrame:
    """Read a table from a file, or a shipped data set where there is no such file.

    Raises
    ------
    FileNotFoundError
        There is neither; the nearest is suggested.
    ValueError, ImportError
        As `natfit.data.files.read_table` does.

    Examples
    --------
    >>> read_data("crabs").shape
    (173, 7)
    """
    from natfit import datasets
    from natfit.data.checks import did_you_mean
    from natfit.data.files import read_table

    path = Path(name)
    if path.exists():
        return read_table(path)
    shipped = datasets.names()
    if name in shipped:
        return datasets.load(name)
    if not path.suffix and path.name == name:
        raise FileNotFoundError(
            f"there is no file {name!r}, and no shipped data set of that name{did_you_mean(name, shipped)}"
        )
    try:
        return read_table(path)
    except FileNotFoundError as error:
        if path.stem in shipped:
            raise FileNotFoundError(f"{error}; natfit ships a data set of that name: --data {path.stem}") from None
        raise


def streamed(name: str) -> Tables:
    """Return the rows of files that are read anew in every pass.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As `natfit.data.from_parquet` and `natfit.data.from_csv` do, and for a file of another kind.
    """
    from natfit import data

    path = Path(name)
    endings = {each.suffix.lower() for each in path.iterdir()} if path.is_dir() else {path.suffix.lower()}
    if ".parquet" in endings:
        return data.from_parquet(name)
    if ".csv" in endings:
        return data.from_csv(name)
    raise ValueError(f"--stream reads .parquet and .csv files, and {name!r} is none and holds none")


class WritablePath(click.ParamType):
    """A file to be written: its ending is one of some, and its folder is there. Checked before any work is done."""

    name = "path"

    def __init__(self, suffixes: Iterable[str]):
        self.suffixes = list(suffixes)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path, or refuse it."""
        path = Path(value)
        if path.suffix.lower() not in self.suffixes:
            self.fail(f"{value!r} must end in {_either(self.suffixes)}", param, ctx)
        folder = path.parent
        if not folder.is_dir():
            self.fail(f"there is no folder {str(folder)!r} to write {path.name!r} in; make it first", param, ctx)
        if path.is_dir():
            self.fail(f"{value!r} is a folder; name a file", param, ctx)
        if not os.access(path if path.exists() else folder, os.W_OK):
            self.fail(f"{value!r} can't be written: permission denied", param, ctx)
        return path


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def check_distinct(read: Iterable[str], written: Iterable[Path]) -> None:
    """Refuse to write over a table that is read, or twice to one file.

    Raises
    ------
    ValueError
        Names the file.

    Examples
    --------
    >>> check_distinct(["a.csv"], [Path("./a.csv")])
    Traceback (most recent call last):
    ...
    ValueError: 'a.csv' would be written over, and it is read or written already; choose another name
    """
    taken = {Path(name).resolve() for name in read}
    for path in written:
        if path.resolve() in taken:
            raise ValueError(
                f"{str(path)!r} would be written over, and it is read or written already; choose another name"
            )
        taken.add(path.resolve())
