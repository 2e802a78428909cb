"""Checks of numbers before a fit: finite, of one length, weights and exposures of the right sign.

Every refusal is one sentence: the rule, the column, how many rows and which, and what to do about it. A check that
passes costs one pass over the numbers and no array of their size.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from natfit.data.threads import over_runs

SHOWN = 5
"""Positions named in a message: enough to look the rows up, few enough to read."""
FILL_OR_DROP = "drop those rows with missing='drop', or fill them in"


def did_you_mean(name: str, known: Iterable[Any]) -> str:
    """Suggest the nearest of some known names, as the tail of a sentence; empty if none is near.

    Examples
    --------
    >>> did_you_mean("crab", ["crabs", "ships"])
    "; did you mean 'crabs'?"
    >>> did_you_mean("zzz", ["crabs", "ships"])
    ''
    """
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(str(each).casefold(), str(each))
    near = difflib.get_close_matches(str(name).casefold(), folded, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(folded[each]) for each in near)}?" if near else ""


def rows_text(positions: Any) -> str:
    """Say how many rows there are, and the first of them (positions count from 0).

    Examples
    --------
    >>> rows_text([7])
    '1 row (7)'
    >>> rows_text([0, 2, 4, 6, 8, 9])
    '6 rows (0, 2, 4, 6, 8, ...)'
    """
    first = ", ".join(str(int(each)) for each in positions[:SHOWN])
    more = ", ..." if len(positions) > SHOWN else ""
    return f"{len(positions)} row{'' if len(positions) == 1 else 's'} ({first}{more})"


def where(mask: np.ndarray) -> str:
    """Say in which rows a mask is true; the rows of a 2-d mask are those with any true entry."""
    return rows_text(np.flatnonzero(mask if mask.ndim == 1 else mask.any(axis=1)))


def all_finite(values: np.ndarray) -> bool:
    """Tell whether all numbers are finite: by their sum, and one by one only where that is not.

    Examples
    --------
    >>> all_finite(np.array([1.0, np.inf])), all_finite(np.array([1e308, 1e308]))
    (False, True)
    """
    if not np.issubdtype(values.dtype, np.inexact):
        return True
    by_rows = values if values.ndim < 2 or values.strides[0] >= values.strides[-1] else values.T
    if all(over_runs(by_rows, has_finite_sum)):
        return True
    return all(over_runs(by_rows, lambda run: bool(np.isfinite(run).all())))


def has_finite_sum(run: np.ndarray) -> bool:
    """Tell whether the sum of numbers is finite, and so all of them are; one that is not may have overflowed."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(run.sum()))


def check_finite(values: np.ndarray, name: str, remedy: str = "drop those rows or mend the values") -> None:
    """Refuse NaN and infinity in a column, or in the columns of a matrix.

    Raises
    ------
    ValueError
        Names the column, and counts and lists the rows.

    Examples
    --------
    >>> check_finite(np.array([1.0, np.nan]), "width")
    Traceback (most recent call last):
    ...
    ValueError: 'width' has missing values (NaN) in 1 row (1); drop those rows or mend the values
    """
    if all_finite(values):
        return
    missing, infinite = np.isnan(values), np.isinf(values)
    faults = []
    if missing.any():
        faults.append(f"missing values (NaN) in {where(missing)}")
    if infinite.any():
        faults.append(f"infinite values in {where(infinite)}")
    raise ValueError(f"{name!r} has {' and '.join(faults)}; {remedy}")


def check_not_infinite(column: np.ndarray, name: str, kept: np.ndarray | None = None) -> None:
    """Refuse infinity in the rows of a column that are kept, naming their positions among all rows as they were given.

    Examples
    --------
    >>> check_not_infinite(np.array([np.nan, np.inf]), "width", np.array([False, True]))
    Traceback (most recent call last):
    ...
    ValueError: 'width' has infinite values in 1 row (1); drop those rows or mend the values
    """
    if all_finite(column):
        return
    infinite = np.isinf(column) if column.ndim == 1 else np.isinf(column).any(axis=1)
    if kept is not None:
        infinite &= kept
    if infinite.any():
        raise ValueError(f"{name!r} has infinite values in {where(infinite)}; drop those rows or mend the values")


def check_lengths(lengths: Mapping[str, int]) -> None:
    """Refuse columns that differ in length from the first.

    Examples
    --------
    >>> check_lengths({"endog": 3, "exog": 3, "offset": 2})
    Traceback (most recent call last):
    ...
    ValueError: 'offset' has 2 rows and 'endog' has 3; both must have one entry for each row
    """
    items = list(lengths.items())
    for name, length in items[1:]:
        if length != items[0][1]:
            raise ValueError(
                f"{name!r} has {_rows(length)} and {items[0][0]!r} has {items[0][1]}; "
                "both must have one entry for each row"
            )


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def check_not_empty(n_rows: int, n_columns: int | None = None, dropped: int = 0) -> None:
    """Refuse data without rows, or a design without columns.

    Examples
    --------
    >>> check_not_empty(0)
    Traceback (most recent call last):
    ...
    ValueError: there are no rows to fit; the data are empty
    """
    if n_rows == 0:
        why = f"all {dropped} have a missing value" if dropped else "the data are empty"
        raise ValueError(f"there are no rows to fit; {why}")
    if n_columns == 0:
        raise ValueError("the design has no columns; give it at least a constant")


def check_weights(values: np.ndarray, name: str) -> None:
    """Refuse weights that are not finite, below zero, or zero in all rows.

    Examples
    --------
    >>> check_weights(np.array([1.0, -2.0, 0.0]), "freq_weights")
    Traceback (most recent call last):
    ...
    ValueError: 'freq_weights' must not be negative, and is in 1 row (1); leave those rows out or mend the weights
    """
    check_finite(values, name)
    if values.size and values.min() < 0:
        raise ValueError(
            f"{name!r} must not be negative, and is in {where(values < 0)}; leave those rows out or mend the weights"
        )
    if values.size and values.max() == 0:
        raise ValueError(f"{name!r} is zero in all {values.size} rows; at least one row needs a weight above zero")


def check_positive(values: np.ndarray, name: str, remedy: str = "leave those rows out or mend the values") -> None:
    """Refuse an exposure, or trials, that is not finite and above zero in every row.

    Examples
    --------
    >>> check_positive(np.array([1.0, 0.0]), "exposure")
    Traceback (most recent call last):
    ...
    ValueError: 'exposure' must be above zero, and is not in 1 row (1); leave those rows out or mend the values
    """
    check_finite(values, name)
    if values.size and values.min() <= 0:
        raise ValueError(f"{name!r} must be above zero, and is not in {where(values <= 0)}; {remedy}")


def check_missing(
    masks: Mapping[str, np.ndarray], missing: str, n_rows: int, remedy: str = FILL_OR_DROP
) -> np.ndarray | None:
    """Combine the rows that each column misses, and refuse them unless they are to be dropped.

    Parameters
    ----------
    masks : mapping of str to (n,) bool
        For each column with missing values, the rows where they are; columns without any may be left out.
    missing : {"drop", "raise", "none"}
        ``"none"`` refuses just as ``"raise"`` does: no fit proceeds with a missing value.
    n_rows : int
    remedy : str, optional
        What to do about it.

    Returns
    -------
    (n,) bool or None
        The rows with a missing value in any column; None if there are none.

    Examples
    --------
    >>> check_missing({"x": np.array([True, False])}, "raise", 2)
    Traceback (most recent call last):
    ...
    ValueError: missing values in 'x': 1 row (0); drop those rows with missing='drop', or fill them in
    """
    if missing not in ("drop", "raise", "none"):
        raise ValueError(f"missing must be 'drop', 'raise' or 'none'; got {missing!r}")
    found = {name: np.asarray(mask) for name, mask in masks.items() if np.any(mask)}
    if not found:
        return None
    if missing != "drop":
        each = ", ".join(f"{name!r}: {where(mask)}" for name, mask in found.items())
        raise ValueError(f"missing values in {each}; {remedy}")
    together = np.zeros(n_rows, dtype=bool)
    for mask in found.values():
        together |= mask
    return together
