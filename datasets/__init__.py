"""Textbook data sets, each a CSV file with its source: ``load``, ``describe``, ``names`` and ``path``.

Facts about the files (titles, sources, units, order of factor levels) stand once, in ``index.json``;
``SOURCES.md`` is the same in prose.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from natfit.data.checks import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe", "load", "names", "path"]

_FOLDER = Path(__file__).parent


@functools.cache
def _index() -> dict[str, dict[str, Any]]:
    return json.loads((_FOLDER / "index.json").read_text(encoding="utf-8"))


def _entry(name: str) -> dict[str, Any]:
    if name not in _index():
        raise ValueError(
            f"no data set is called {name!r}{did_you_mean(name, _index()).rstrip('?')}; datasets.names() lists them all"
        )
    return _index()[name]


def names() -> list[str]:
    """List the data sets.

    Examples
    --------
    >>> from natfit import datasets
    >>> datasets.names()[:3]
    ['anorexia', 'beetles', 'biochemists']
    """
    return sorted(_index())


def path(name: str) -> Path:
    """Give the CSV file of a data set.

    Raises
    ------
    ValueError
        No data set has that name.

    Examples
    --------
    >>> from natfit import datasets
    >>> datasets.path("crabs").name
    'crabs.csv'
    """
    _entry(name)
    return _FOLDER / f"{name}.csv"


def load(name: str) -> pd.DataFrame:
    """Read a data set into a DataFrame of its own.

    Factors whose customary order of levels is not the sorted one come as pandas Categoricals, so that the first
    level is the baseline of a formula; factors written as sorted numbers stay numbers, and want ``C()``.

    Parameters
    ----------
    name : str
        One of ``datasets.names()``.

    Returns
    -------
    pandas.DataFrame
        A fresh copy at every call, rows in the order of the file.

    Raises
    ------
    ValueError
        No data set has that name; the nearest one is suggested.

    Examples
    --------
    >>> from natfit import datasets
    >>> datasets.load("crabs").shape
    (173, 7)
    >>> list(datasets.load("warpbreaks")["tension"].cat.categories)
    ['L', 'M', 'H']
    """
    import pandas as pd

    entry = _entry(name)
    frame = pd.read_csv(path(name), keep_default_na=False)
    for column, levels in entry.get("levels", {}).items():
        if not all(isinstance(level, int | float) for level in levels) or levels != sorted(levels):
            frame[column] = pd.Categorical(frame[column], categories=levels)
    return frame


def describe(name: str | None = None) -> pd.DataFrame | str:
    """Say what the data sets are.

    Parameters
    ----------
    name : str, optional
        One of ``datasets.names()``; all of them if left out.

    Returns
    -------
    pandas.DataFrame or str
        A row for every data set (title, rows, columns, source), or for one of them its title, what it is,
        its source, and its columns with their units.

    Raises
    ------
    ValueError
        No data set has that name.

    Examples
    --------
    >>> from natfit import datasets
    >>> int(datasets.describe().loc["ships", "rows"])
    34
    >>> print(datasets.describe("horsekicks").splitlines()[0])
    Deaths by horse kick in the Prussian army
    """
    if name is not None:
        return _prose(name)
    import pandas as pd

    rows = [
        {
            "name": each,
            "title": entry["title"],
            "rows": entry["rows"],
            "columns": len(entry["columns"]),
            "source": entry["source"],
        }
        for each, entry in sorted(_index().items())
    ]
    return pd.DataFrame(rows).set_index("name")


def _prose(name: str) -> str:
    entry = _entry(name)
    lines = [
        entry["title"],
        "",
        f"{entry['text']} {entry['rows']} rows.",
        "",
        f"Source: {entry['source'].rstrip('.')}.",
        "",
    ]
    lines += [f"- {column}: {meaning}" for column, meaning in entry["columns"].items()]
    return "\n".join(lines)
