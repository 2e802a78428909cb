"""Labels of groups that rows belong to, as integers: clusters of a covariance, units that a bootstrap draws whole."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from natfit.data.checks import check_lengths, where
from natfit.data.numbers import is_pandas, reordered

Array = np.ndarray[Any, np.dtype[Any]]

MOST_KEYS = 2**62
"""Number of pairs of labels that a 64-bit integer can still tell apart."""


class Grouping(NamedTuple):
    """Which group each row belongs to: ``codes`` (n,) of integers from 0 to ``n_groups - 1``."""

    codes: Array
    n_groups: int

    def crossed(self, other: Grouping) -> Grouping:
        """Return the groups of rows that share both labels.

        Examples
        --------
        >>> a, b = Grouping(np.array([0, 0, 1]), 2), Grouping(np.array([0, 1, 1]), 2)
        >>> a.crossed(b).codes
        array([0, 1, 2])
        """
        if self.n_groups * other.n_groups > MOST_KEYS:
            raise ValueError("two groupings with so many groups can't be crossed")
        found, codes = np.unique(self.codes * other.n_groups + other.codes, return_inverse=True)
        return Grouping(codes, found.size)

    def sizes(self, weight: Array | None = None) -> Array:
        """Return the number of rows in each group, or the sum of their weights."""
        return np.bincount(self.codes, weight, self.n_groups)

    def among(self, rows: Array) -> int:
        """Return how many groups have any of the rows that a mask marks."""
        return int(np.count_nonzero(np.bincount(self.codes[rows], minlength=self.n_groups)))


def table_of(data: Any) -> Any:
    """Return where a model's data have columns that its formula does not name: its table, or the rows that stream by."""
    streamed = getattr(data, "rows", None)
    return data.table if streamed is None else streamed


def labels_of(labels: Any, what: str, table: Any) -> Any:
    """Return labels, looked up in the formula's table, or in rows that stream by, where a text names one of its columns.

    Raises
    ------
    ValueError
        For a name without a table, or one that the table has no column of.

    Examples
    --------
    >>> labels_of("site", "groups", {"site": [3, 3, 4]}).tolist()
    [3, 3, 4]
    """
    if not isinstance(labels, str):
        return labels
    if hasattr(table, "kept_column"):
        return table.kept_column(labels)
    if table is None:
        raise ValueError(
            f"{what}={labels!r} names a column, and arrays have no columns to name; give the labels themselves"
        )
    from natfit.data.table import Table

    return Table(table).column(labels)


def read_grouping(labels: Any, what: str, n_rows: int, kept: Array | None = None, index: Any = None) -> Grouping:
    """Number the labels of one grouping.

    Parameters
    ----------
    labels : (n,) array_like
        Numbers, texts or anything that can be told apart; one for each row that is fitted, or for each row that was given,
        those with missing values among them.
    what : str
        What messages call it.
    n_rows : int
        Rows that are fitted.
    kept : (rows given,) bool, optional
        Which of the rows given are fitted; None for all.
    index : pandas.Index, optional
        Row labels of the data, which a pandas Series must not have in another order.

    Raises
    ------
    ValueError
        In one sentence: another length, rows in another order, or rows without a label.

    Examples
    --------
    >>> read_grouping(["b", "a", "b"], "groups", 3).n_groups
    2
    """
    if is_pandas(labels) and index is not None and reordered(labels.index, index):
        raise ValueError(f"the row labels of {what!r} are those of the data in another order; sort it to match them")
    masked = np.ma.getmaskarray(labels) if isinstance(labels, np.ma.MaskedArray) else None
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(f"{what!r} must have one label for each row; it has shape {array.shape}")
    if kept is not None and len(array) == len(kept):
        array, masked = array[kept], None if masked is None else masked[kept]
    check_lengths({"endog": n_rows, what: len(array)})
    codes, n_groups, missing = _numbered(array)
    if masked is not None:
        missing = missing | masked
    if missing.any():
        raise ValueError(
            f"each row must belong to a group, and {what!r} is missing in {where(missing)}; leave those rows out or give "
            "them a group of their own"
        )
    return Grouping(codes, n_groups)


def _numbered(array: Array) -> tuple[Array, int, Array]:
    """Return a code for each label, how many there are, and where a label is missing."""
    if array.dtype.kind in "iub":
        found, codes = np.unique(array, return_inverse=True)
        return codes, found.size, np.zeros(len(array), dtype=bool)
    import pandas as pd

    codes, found = pd.factorize(array)
    return codes.astype(np.int64, copy=False), len(found), codes < 0
