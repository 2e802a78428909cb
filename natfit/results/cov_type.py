"""What ``cov_type`` and ``cov_kwds`` ask for: read and checked before a fit does any work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import did_you_mean, where
from natfit.data.groups import Grouping, labels_of, read_grouping, table_of
from natfit.likelihoods.robust import lag_weights

if TYPE_CHECKING:
    from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = {
    "nonrobust": "the expected information",
    "eim": "the expected information",
    "oim": "the observed information",
    "hc0": "White's sandwich (HC0)",
    "hc1": "White's sandwich times n / (n - rank) (HC1)",
    "hc2": "White's sandwich with squared scores over 1 - leverage (HC2)",
    "hc3": "White's sandwich with squared scores over (1 - leverage)^2 (HC3)",
    "cluster": "the sandwich of scores summed by cluster",
    "hac": "the sandwich of scores with their neighbours in time (HAC)",
    "hac-panel": "the sandwich of scores with their neighbours in time within each group (HAC-Panel)",
    "hac-groupsum": "the sandwich of scores summed by time, with their neighbours (Driscoll and Kraay)",
}
"""The kinds of covariance, each in words."""

ALIASES = {"expected": "eim", "observed": "oim", "nw-panel": "hac-panel", "nw-groupsum": "hac-groupsum"}
COMMON = {"scaling_factor", "bread"}
LAGS = {"maxlags", "kernel", "weights_func", "use_correction"}
OPTIONS = {
    "cluster": {"groups", "use_correction", "df_correction"},
    "hac": LAGS,
    "hac-panel": LAGS | {"groups", "time", "df_correction"},
    "hac-groupsum": LAGS | {"time", "df_correction"},
}
"""What each kind takes in ``cov_kwds`` besides `COMMON`; those based on the model alone take nothing."""
EVERY_LIKELIHOOD = ("nonrobust", "eim", "oim", "hc0")
"""The kinds that need no more of a likelihood than its sums; a GLM has all."""
MODEL_BASED = ("nonrobust", "eim", "oim")
CORRECTIONS: dict[str, dict[Any, str]] = {
    "cluster": {True: "hc1", False: "", "HC1": "hc1", "HC0": "groups"},
    "hac": {True: "rank", False: ""},
    "hac-panel": {"hac": "rank", "cluster": "hc1", False: ""},
    "hac-groupsum": {"cluster": "hc1", "hac": "rank", False: ""},
}
"""Small-sample factors: of each kind by the values of ``use_correction``, the default first."""


@dataclass(frozen=True)
class CovarianceType:
    """A kind of covariance with its settings.

    Parameters
    ----------
    name : str
        As it was asked for.
    kind : str
        A key of `KINDS`.
    asked : mapping
        ``cov_kwds`` as given, with the defaults filled in.
    groupings : tuple of Grouping
        One or two: clusters, the groups of a panel, or points in time.
    n_groups : tuple of int
        How many of each have any observation of positive weight; series, where the grouping is by time.
    correction : {"", "rank", "groups", "hc1"}
        The small-sample factor: none, n / (n - rank), G / (G - 1), or G / (G - 1) (n - 1) / (n - rank).
    df : float, optional
        Degrees of freedom of Student's t instead of the residual ones.
    lag_weights : (L + 1,) ndarray, optional
        Of the lags from 0.
    bread : {"observed", "expected"}
        The information on either side of the scores.
    scaling : float
        A factor on everything.
    """

    name: str = "nonrobust"
    kind: str = "nonrobust"
    asked: Mapping[str, Any] = field(default_factory=dict)
    groupings: tuple[Grouping, ...] = ()
    n_groups: tuple[int, ...] = ()
    correction: str = ""
    df: float | None = None
    lag_weights: Array | None = None
    bread: str = "observed"
    scaling: float = 1.0


def resolve(cov_type: str, known: Sequence[str] = tuple(KINDS)) -> str:
    """Return the key in `KINDS` of a covariance type as statsmodels spells it.

    Raises
    ------
    ValueError
        For a type that is not known; the message lists those that are.

    Examples
    --------
    >>> resolve("HC0"), resolve("observed")
    ('hc0', 'oim')
    """
    key = ALIASES.get(str(cov_type).lower(), str(cov_type).lower())
    if key not in known:
        listed = ["nonrobust (or EIM)", *(kind.upper() if "-" not in kind else kind for kind in known[2:])]
        raise ValueError(f"unknown cov_type {cov_type!r}: choose {', '.join(listed[:-1])} or {listed[-1]}")
    return key


def read(cov_type: Any, cov_kwds: Mapping[str, Any] | None = None, data: GLMData | None = None) -> CovarianceType:
    """Return the covariance that is asked for, checked against the data.

    Parameters
    ----------
    cov_type : str or CovarianceType
        One that has been read already is returned as it is.
    cov_kwds : mapping, optional
        Its settings: see `natfit.GLM.fit`.
    data : GLMData, optional
        Needed by the kinds that take groups, time or lags, and looked at for weights that a kind has no meaning for.

    Raises
    ------
    ValueError
        In one sentence: an unknown kind or setting, labels that don't fit the rows, one group alone, weights without a
        meaning here.
    """
    if isinstance(cov_type, CovarianceType):
        return cov_type
    kind, asked = resolve(cov_type), dict(cov_kwds or {})
    _check_options(kind, asked)
    made: dict[str, Any] = {"name": cov_type, "kind": kind, "asked": asked}
    if kind in MODEL_BASED:
        return CovarianceType(**made)
    made["scaling"] = 1.0 if asked.setdefault("scaling_factor", None) is None else float(asked["scaling_factor"])
    made["bread"] = asked.get("bread", "observed")
    if made["bread"] not in ("observed", "expected"):
        raise ValueError(f"bread must be 'observed' or 'expected' information, got {made['bread']!r}")
    if data is not None:
        _check_weights(kind, data.freq_weights)
    if kind in OPTIONS:
        if data is None:
            raise ValueError(f"cov_type={cov_type!r} needs settings: give it to fit, with cov_kwds")
        made.update(_READERS[kind](asked, data))
        made["correction"] = _correction(kind, asked)
    return CovarianceType(**made)


def _check_options(kind: str, asked: Mapping[str, Any]) -> None:
    known = set() if kind in MODEL_BASED else COMMON | OPTIONS.get(kind, set())
    for name in asked:
        if name not in known:
            takes = f"takes {', '.join(sorted(known))}" if known else "takes none"
            raise ValueError(
                f"cov_kwds has no {name!r} for cov_type={kind!r}, which {takes}{did_you_mean(name, known)}"
            )


def _check_weights(kind: str, freq: Array | None) -> None:
    """Refuse frequencies under which a kind has no meaning."""
    if freq is None:
        return
    if kind.startswith("hac") and (freq != 1.0).any():
        raise ValueError(
            f"cov_type={kind!r} needs one observation at each place in time, and freq_weights differ from 1 in "
            f"{where(freq != 1.0)}; give var_weights if they are precisions or sampling weights"
        )
    if kind in ("hc2", "hc3") and (freq != np.rint(freq)).any():
        raise ValueError(
            f"cov_type={kind.upper()!r} needs the leverage of single observations, so freq_weights must be whole numbers, "
            f"and are not in {where(freq != np.rint(freq))}; give sampling weights as var_weights"
        )


def _correction(kind: str, asked: dict[str, Any]) -> str:
    known = CORRECTIONS[kind]
    given = asked.setdefault("use_correction", {"hac": False}.get(kind, next(iter(known))))
    given = bool(given) if isinstance(given, bool | np.bool_) else given
    if not isinstance(given, bool | str) or given not in known:
        raise ValueError(f"use_correction of {kind!r} must be one of {', '.join(map(repr, known))}, got {given!r}")
    return known[given]


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


_READERS: dict[str, Callable[[dict[str, Any], Any], dict[str, Any]]] = {
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
