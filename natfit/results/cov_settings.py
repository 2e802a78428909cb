"""What ``cov_kwds`` says of the rows: their clusters, series, points in time, and how far lags reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.groups import Grouping, labels_of, read_grouping, table_of
from natfit.likelihoods.robust import lag_weights

if TYPE_CHECKING:
    from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[Any]]


def _cluster(asked: dict[str, Any], data: GLMData) -> dict[str, Any]:
    if asked.get("groups") is None:
        raise ValueError(
            "cov_type='cluster' needs the cluster of each row: fit(cov_type='cluster', cov_kwds={'groups': labels})"
        )
    columns = _columns(asked["groups"], data)
    if len(columns) > 2:
        raise ValueError(f"clusters go one or two ways, and 'groups' has {len(columns)} columns; give one or two")
    groupings = tuple(_grouping(column, "groups", data) for column in columns)
    n_groups = tuple(_several(each, data, "cluster") for each in groupings)
    df = min(n_groups) - 1.0 if asked.get("df_correction") is not False else None
    return {"groupings": groupings, "n_groups": n_groups, "df": df}


def _hac(asked: dict[str, Any], data: GLMData) -> dict[str, Any]:
    return {"lag_weights": _lag_weights(asked, data.n_rows)}


def _panel(asked: dict[str, Any], data: GLMData) -> dict[str, Any]:
    groups, time = asked.setdefault("groups", None), asked.setdefault("time", None)
    if groups is not None:
        codes = _grouping(groups, "groups", data).codes
        first = np.append(True, codes[1:] != codes[:-1])
        if np.unique(codes[first]).size < first.sum():
            raise ValueError("the rows of a group must stand together, in order of time; sort the data by 'groups'")
    elif time is not None:
        codes = _grouping_of_time(time, data).codes
        first = np.append(True, codes[1:] < codes[:-1])
    else:
        raise ValueError("cov_type='hac-panel' needs the series of each row: give 'groups' or 'time' in cov_kwds")
    series = Grouping(np.cumsum(first) - 1, int(first.sum()))
    n_groups = _several(series, data, "hac-panel")
    df = n_groups - 1.0 if asked.get("df_correction") is not False else None
    weights = _lag_weights(asked, int(series.sizes().max()))
    return {"groupings": (series,), "n_groups": (n_groups,), "df": df, "lag_weights": weights}


def _groupsum(asked: dict[str, Any], data: GLMData) -> dict[str, Any]:
    if asked.get("time") is None:
        raise ValueError("cov_type='hac-groupsum' needs the time of each row: give 'time' in cov_kwds")
    time = _grouping_of_time(asked["time"], data)
    _several(time, data, "hac-groupsum")
    # As statsmodels and Stata's xtscc: t-tests go by the number of series, stacked one upon another.
    n_series = int((time.codes[1:] < time.codes[:-1]).sum()) + 1
    df = n_series - 1.0 if asked.get("df_correction") is not False and n_series > 1 else None
    weights = _lag_weights(asked, time.n_groups)
    return {"groupings": (time,), "n_groups": (n_series,), "df": df, "lag_weights": weights}


READERS: dict[str, Callable[[dict[str, Any], Any], dict[str, Any]]] = {
    "cluster": _cluster,
    "hac": _hac,
    "hac-panel": _panel,
    "hac-groupsum": _groupsum,
}


def _columns(groups: Any, data: GLMData) -> list[Any]:
    """Return the one or two columns of labels that groups are given by."""
    if hasattr(groups, "columns"):
        return [groups[name] for name in groups.columns]
    if isinstance(groups, str):
        return [groups]
    if isinstance(groups, list | tuple) and groups:
        named = all(isinstance(each, str) for each in groups) and len(groups) < data.n_rows
        if named or np.ndim(groups[0]) > 0:
            return list(groups)
    array = groups if hasattr(groups, "shape") else np.asarray(groups)
    if len(array.shape) == 2:
        return [array[:, j] for j in range(array.shape[1])]
    return [groups]


def _grouping(labels: Any, what: str, data: GLMData) -> Grouping:
    labels = labels_of(labels, what, table_of(data))
    return read_grouping(labels, what, data.n_rows, data.kept, data.index if data.labelled else None)


def _grouping_of_time(time: Any, data: GLMData) -> Grouping:
    """Return points in time, numbered in their order."""
    time = labels_of(time, "time", table_of(data))
    values = np.asarray(time)
    if values.dtype.kind not in "iufM":
        raise ValueError(f"'time' must be numbers or dates, so that it has an order; it holds {values.dtype}")
    found = _grouping(time, "time", data)
    kept = values if data.kept is None or len(values) != len(data.kept) else values[data.kept]
    first = np.zeros(found.n_groups, dtype=kept.dtype)
    first[found.codes] = kept
    place = np.empty(found.n_groups, dtype=np.int64)
    place[np.argsort(first)] = np.arange(found.n_groups)
    return Grouping(place[found.codes], found.n_groups)


def _several(grouping: Grouping, data: GLMData, kind: str) -> int:
    """Return how many groups have rows that count, or refuse one alone."""
    rows = counted(data)
    number = grouping.n_groups if rows is None else grouping.among(rows)
    if number < 2:
        raise ValueError(
            f"cov_type={kind!r} needs 2 or more groups to vary, and there is {number}; give the labels of smaller groups"
        )
    return number


def counted(data: GLMData) -> Array | None:
    """Return which rows have a positive weight, and so count as observations; None for all."""
    weight = data.weight()
    if weight is None or weight.min() > 0.0:
        return None
    return weight > 0.0


def observations(data: GLMData) -> float:
    """Return n of small-sample factors: rows by their frequency; those of weight 0 don't count."""
    rows = counted(data)
    if rows is None:
        return data.count()
    return float(rows.sum() if data.freq_weights is None else data.freq_weights[rows].sum())


def _lag_weights(asked: dict[str, Any], n_periods: int) -> Array:
    """Return the kernel's weights of the lags from 0; note in ``asked`` what was left to defaults."""
    lags = asked.get("maxlags")
    if lags is None:
        lags = int(np.floor(4.0 * (n_periods / 100.0) ** (2.0 / 9.0)))
    if not 0 <= lags < n_periods or lags != int(lags):
        raise ValueError(
            f"maxlags must be a whole number from 0 to {n_periods - 1}, one less than the periods, got {lags}"
        )
    asked["maxlags"] = int(lags)
    asked["weights_func"] = asked.pop("kernel", asked.get("weights_func", "bartlett"))
    return lag_weights(asked["weights_func"], int(lags))
