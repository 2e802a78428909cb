"""What ``cov_type`` and ``cov_kwds`` ask for: read and checked before a fit does any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import did_you_mean, where
from natfit.data.groups import Grouping
from natfit.results.cov_settings import READERS

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
        made.update(READERS[kind](asked, data))
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
