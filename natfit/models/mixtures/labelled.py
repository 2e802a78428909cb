"""Columns of labels (text, categories) as the codes that latent classes count in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from natfit.data.checks import where
from natfit.data.table import Table

Levels = dict[str, list[Any]]

OF_LABELS = ("bernoulli", "categorical")
"""Families whose rows are labels; a Bernoulli one has two, the first counting as 0."""


def coded(y: Any, data: Any, family: Any, known: Levels | None = None) -> tuple[Any, Any, Levels]:
    """Return rows, and the table that they are named in, with codes for labels; and the labels of each such column.

    Parameters
    ----------
    y, data
        As of `natfit.Mixture.fit`.
    family
        Of all columns, or a mapping of columns to families: labels are read where it is of labels, and nowhere else.
    known : mapping of str to list, optional
        Labels that a fit knows, for new rows: columns that are not there are left as they are.

    Raises
    ------
    ValueError
        If a Bernoulli column has other than two labels, or new rows have labels that the fit has not seen.
    """
    table = _table(y, data)
    if table is None:
        return y, data, {}
    levels: Levels = {}
    codes: dict[str, Any] = {}
    for name in table:
        own = _family_of(family, name)
        if own not in OF_LABELS or (known is not None and name not in known):
            continue
        column = table.column(name)
        if known is None and not _is_labels(column):
            continue
        levels[name] = _labels(column, own, name) if known is None else known[name]
        codes[name] = _codes(column, levels[name], name)
    if not codes:
        return y, data, {}
    import pandas as pd

    if data is not None:
        return y, {name: codes.get(name, data[name]) for name in _names(data)}, levels
    index = getattr(y, "index", None)
    index = index if isinstance(index, pd.Index) else None
    made = pd.DataFrame({name: codes.get(name, np.asarray(table.column(name))) for name in table}, index=index)
    return (made[next(iter(table))] if _is_column(y) else made), None, levels


def _table(y: Any, data: Any) -> Table | None:
    """Return the columns that may be labels; None where rows are numbers without a doubt, or stream by."""
    if data is not None:
        if not isinstance(data, Mapping) and not hasattr(data, "columns"):
            return None
        whole = Table(data)
        names = [y] if isinstance(y, str) else list(whole) if y is None else list(y)
        return Table({name: whole.column(name) for name in names})
    if isinstance(y, Mapping) or (hasattr(y, "columns") and hasattr(y, "dtypes")):
        return Table(y)
    if _is_column(y):
        return Table({str(y.name or "y"): y})
    if isinstance(y, np.ndarray) and y.dtype.kind in "OUS":
        columns = y[:, None] if y.ndim == 1 else y
        return Table({f"y{j}" if columns.shape[1] > 1 else "y": columns[:, j] for j in range(columns.shape[1])})
    return None


def _is_column(y: Any) -> bool:
    return hasattr(y, "name") and hasattr(y, "dtype") and not isinstance(y, np.ndarray)


def _names(data: Any) -> list[str]:
    return [str(name) for name in (data if isinstance(data, Mapping) else data.columns)]


def _family_of(family: Any, column: str) -> str | None:
    if isinstance(family, Mapping):
        family = next((own for key, own in family.items() if key == column or key == (column,)), None)
    return family if isinstance(family, str) else getattr(family, "name", None)


def _is_labels(column: Any) -> bool:
    return hasattr(column, "cat") or column.dtype.kind in "OUST"


def _labels(column: Any, family: str, name: str) -> list[Any]:
    """Return the labels that occur: categories in their own order, all else sorted."""
    seen = set(column.dropna().tolist())
    made = [label for label in column.cat.categories if label in seen] if hasattr(column, "cat") else sorted(seen)
    if family == "bernoulli" and len(made) != 2:
        raise ValueError(
            f"a Bernoulli column has two labels, and {name!r} has {len(made)} ({', '.join(map(repr, made[:5]))}); take "
            "family 'categorical' for it"
        )
    return [label.item() if isinstance(label, np.generic) else label for label in made]


def _codes(column: Any, levels: list[Any], name: str) -> np.ndarray:
    """Return codes from 0, NaN where a label is missing."""
    import pandas as pd

    missing = column.isna().to_numpy()
    place = pd.Index(levels, dtype=object).get_indexer(pd.Index(column.tolist(), dtype=object))
    strange = (place < 0) & ~missing
    if strange.any():
        first = column.tolist()[int(np.argmax(strange))]
        raise ValueError(
            f"{name!r} has the label {first!r} at {where(strange)}, which the fit has not seen; its labels are "
            f"{', '.join(map(repr, levels))}"
        )
    return np.where(missing, np.nan, place)
