"""The observations of one distribution, bound and checked, and the family made to fit their shape."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.checks import (
    FILL_OR_DROP,
    check_lengths,
    check_missing,
    check_not_empty,
    check_not_infinite,
    check_weights,
)
from natfit.data.numbers import NOT_NUMBERS, as_column, read_numbers
from natfit.data.streams.picking import column_source
from natfit.data.streams.tables import Tables
from natfit.families import Family
from natfit.families.registry import REGISTRY
from natfit.likelihoods.distribution import DistributionLikelihood

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class DistributionData:
    """What a distribution is fitted to: one entry for each row that is kept.

    Parameters
    ----------
    source : Source
        Blocks with column ``y`` and, where rows stand for several, ``freq_weights``.
    name : str
        What messages and tables call the observations.
    nobs : float
        Number of observations: the sum of the frequency weights.
    n_missing : int
        Rows dropped because of missing values.
    y, freq_weights : ndarray, optional
        Where the observations are arrays in memory.
    """

    source: Source
    name: str
    nobs: float
    n_missing: int = 0
    y: Array | None = None
    freq_weights: Array | None = None


def resolve_family(family: Any, event_shape: tuple[int, ...]) -> Family:
    """Return the family that a name, class or instance stands for; ``dim`` is taken from the observations if not given.

    Raises
    ------
    ValueError
        For an unknown name, or one without parameters of its own to fit.

    Examples
    --------
    >>> resolve_family("dirichlet", (3,))
    Dirichlet(dim=3)
    """
    entry = REGISTRY.entry(family) if isinstance(family, str) and "(" not in family else family
    if isinstance(entry, type) and "dim" in inspect.signature(entry).parameters:
        entry = entry(dim=event_shape[-1] if event_shape else 1)
    elif isinstance(family, str):
        entry = family
    found = REGISTRY.get(entry)
    if not isinstance(found, Family):
        known = [name for name in REGISTRY.names() if _is_family(REGISTRY.entry(name))]
        raise ValueError(
            f"{getattr(found, 'name', found)} is no family with parameters of its own, as fit_distribution needs; "
            f"choose one of {', '.join(known)}, or use nf.GLM"
        )
    return found


def _is_family(entry: Any) -> bool:
    return isinstance(entry, Family) or (isinstance(entry, type) and issubclass(entry, Family))


def bind(
    family: Any, y: Any, freq_weights: Any = None, data: Any = None, missing: str = "none", n_jobs: int | None = None
) -> tuple[Family, DistributionData]:
    """Bind observations to a family.

    Parameters
    ----------
    family : str, class or Family
    y : array_like (n, *event), str or list of str with ``data``, or Source
    freq_weights : (n,) array_like or str, optional
    data : frame or mapping of arrays, optional
    missing : {"none", "drop", "raise"}
    n_jobs : int, optional

    Raises
    ------
    ValueError
        Names what is wrong with the observations, which rows, and the remedy.
    """
    if isinstance(y, Tables):
        y, data = [name for name in y.names if name != freq_weights], y
    if isinstance(data, Tables):
        y, freq_weights, data = _from_tables(data.on_threads(n_jobs), y, freq_weights, missing), None, None
    if isinstance(y, Source):
        return _from_source(family, y, freq_weights, data)
    values, name, index = _read(y, data)
    if values.ndim:
        check_not_empty(len(values))
    found = resolve_family(family, values.shape[1:])
    values = _shaped(values, found, name)
    weights = None
    if freq_weights is not None:
        column, label, _ = _read(freq_weights, data, "freq_weights")
        weights = as_column("freq_weights", column if isinstance(freq_weights, str) else freq_weights, index)
        check_lengths({name: len(values), label: len(weights)})
    values, weights, dropped = _kept(found, values, weights, name, missing)
    if weights is not None:
        check_weights(weights, "freq_weights")
    columns = {"y": values} if weights is None else {"y": values, "freq_weights": weights}
    nobs = float(len(values) if weights is None else weights.sum())
    return found, DistributionData(ArraySource(Block({}, columns), n_jobs), name, nobs, dropped, values, weights)


def _read(value: Any, data: Any, what: str = "y") -> tuple[Array, str, Any]:
    """Return numbers with their name and row labels: a column of ``data``, or a thing of its own."""
    by_name = isinstance(value, str) or (data is not None and what == "y")
    if not by_name:
        try:
            values, names, index = read_numbers(value, what)
        except ValueError as error:
            raise ValueError(str(error).replace(NOT_NUMBERS, "code it as numbers first")) from None
        return np.asarray(values, dtype=float), ", ".join(names) if names else what, index
    if data is None:
        raise ValueError(f"{what}={value!r} names a column, and there is no data to look it up in; give data=")
    if isinstance(value, np.ndarray) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"with data=, {what} must name a column, or several in a list; leave data out for an array")
    from natfit.data.table import Table

    table = Table(data)
    names = [value] if isinstance(value, str) else list(value)
    columns = [_read(table.column(name), None, name)[0] for name in names]
    return columns[0] if isinstance(value, str) else np.column_stack(columns), ", ".join(names), table.index


def _shaped(values: Array, family: Family, name: str) -> Array:
    """Return observations as (n, *event); a single column goes with numbers as well as with vectors of one component."""
    event = family.support.event_shape
    if values.ndim >= 1 and values[0:1].size == 1 and all(size == 1 for size in event):
        values = values.reshape(len(values), *event)
    if values.ndim != 1 + len(event):
        one = f"an array of shape {event}" if event else "one number"
        raise ValueError(f"{family.name} needs {one} for each row, but {name} has shape {values.shape}")
    return values


def _kept(
    family: Family, values: Array, weights: Array | None, name: str, missing: str
) -> tuple[Array, Array | None, int]:
    """Check the rows, and leave out those with missing values where that is wanted; rows are counted as given."""
    n_rows = len(values)
    masks: dict[str, Array] = {name: np.asarray(np.isnan(values).reshape(n_rows, -1).any(axis=1))}
    if weights is not None:
        masks["freq_weights"] = np.isnan(weights)
    dropped = check_missing(masks, missing, n_rows, FILL_OR_DROP)
    kept = None if dropped is None else ~dropped
    check_not_infinite(values.reshape(n_rows, -1), name, kept)
    if dropped is None or kept is None:
        return family.check(values, name), weights, 0
    check_not_empty(int(kept.sum()), dropped=n_rows)
    filled = values.copy()
    filled[dropped] = values[kept][0]  # so that a message counts the rows as they were given
    family.check(filled, name)
    return values[kept], None if weights is None else weights[kept], int(dropped.sum())


def _from_tables(tables: Tables, y: Any, freq_weights: Any, missing: str) -> Source:
    """Return columns of tables that stream by as a source."""
    for what, given in (("y", y), ("freq_weights", "" if freq_weights is None else freq_weights)):
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list | tuple) or not all(isinstance(each, str) for each in names):
            raise ValueError(f"with data= that streams by, {what} must name a column; got {type(given).__name__}")
    names = y[0] if isinstance(y, list) and len(y) == 1 else y
    return column_source(tables, names, freq_weights, "drop" if missing == "drop" else "raise")


def _from_source(family: Any, source: Source, freq_weights: Any, data: Any) -> tuple[Family, DistributionData]:
    if freq_weights is not None or data is not None:
        raise ValueError("a source carries its own columns 'y' and 'freq_weights'; leave freq_weights and data out")
    nobs, found, before = 0.0, None, 0
    for block in source.blocks():
        if "y" not in block.columns:
            raise ValueError(f"the source's blocks have no column 'y'; they have {', '.join(block.columns)}")
        if found is None:
            found = resolve_family(family, block.columns["y"].shape[1:])
        try:
            found.check(_shaped(block.columns["y"], found, "y"), "y")
            if "freq_weights" in block.columns:
                check_weights(block.columns["freq_weights"], "freq_weights")
        except ValueError as error:
            raise ValueError(
                f"{error} (rows are counted from row {before} of the source)" if before else str(error)
            ) from None
        nobs, before = nobs + DistributionLikelihood.count(block), before + block.n_rows
    if found is None:
        check_not_empty(0)
    assert found is not None
    return found, DistributionData(source, "y", nobs)
