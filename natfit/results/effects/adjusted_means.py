"""Adjusted means of the levels of factors, over a grid of the others, and contrasts among them: R's emmeans.

Searle, Speed & Milliken (1980), American Statistician 34, 216-221: population marginal means. On the scale of the link they
are linear in the coefficients; on the response's they are averages of means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from natfit.results.effects.delta import Estimates, Part, at_once, averaged, inference, of_mean, two_sided
from natfit.results.effects.request import typical_shifts
from natfit.results.effects.variables import Variables
from natfit.results.prediction import quantile

Array = np.ndarray[Any, np.dtype[Any]]

ADJUSTMENTS = ("tukey", "sidak", "bonferroni", "holm", "fdr_bh", "none")
METHODS = ("pairwise", "revpairwise", "trt.vs.ctrl", "consecutive", "eff")


@dataclass(frozen=True)
class AdjustedMeans:
    """Adjusted means: ``frame`` is their table; ``contrasts()`` compares them. Made by ``fit.adjusted_means``.

    Attributes
    ----------
    frame : DataFrame
        One row for each combination of levels: estimate, std_error, statistic, p_value, conf_low, conf_high.
    which : {"linear", "mean"}
        The scale that they stand on.
    """

    fit: Any
    keys: Any
    by: list[str]
    estimates: Estimates
    which: str
    alpha: float
    back: bool

    @property
    def frame(self) -> Any:
        import pandas as pd

        columns = inference(self.fit, self.estimates, self.alpha)
        if self.back:
            columns = _transformed(self.fit, columns)
        return pd.concat([self.keys, pd.DataFrame(columns, index=self.keys.index)], axis=1)

    def __repr__(self) -> str:
        return repr(self.frame)

    def _repr_html_(self) -> str:
        return str(self.frame.to_html())

    def contrasts(self, method: Any = "pairwise", adjust: str | None = None, ratios: bool = False) -> Any:
        """Return contrasts among the means, within each group of ``by``.

        Parameters
        ----------
        method : {"pairwise", "revpairwise", "trt.vs.ctrl", "consecutive", "eff"} or mapping of str to weights
            All pairs (the first less the second, as in emmeans); the other way round; each less the first; each less the one
            before; each less the average; or combinations by name.
        adjust : {"tukey", "sidak", "bonferroni", "holm", "fdr_bh", "none"}, optional
            For the number of contrasts in a group; by default Tukey for pairs and Sidak for the others. Intervals are
            adjusted likewise, where a multiplier exists; those of holm and fdr_bh are Bonferroni's.
        ratios : bool
            Exponentiate: ratios of means (log link) or odds (logit). Needs means on the linear scale.

        Returns
        -------
        DataFrame
            ``contrast``, the columns of ``by``, and estimate, std_error, statistic, p_value, conf_low, conf_high.

        Raises
        ------
        ValueError
            For an unknown method or adjustment, or Tukey's for what are not all pairs.
        """
        import pandas as pd

        if ratios and (self.which != "linear" or self.fit.link.name not in ("log", "logit")):
            raise ValueError("ratios are of means on the linear scale, under the log or the logit link")
        parts = []
        for key, places in _groups(self.keys, self.by):
            names = [_name(row, self.by) for _, row in self.keys.iloc[places].iterrows()]
            weights, labels = _weights(method, names)
            spread = np.zeros((len(weights), len(self.keys)))
            spread[:, places] = weights
            estimates = self.estimates.combined(self.fit, spread)
            columns = _adjusted(self.fit, estimates, self.alpha, _adjustment(adjust, method), len(names))
            if ratios:
                columns = _exponentiated(columns)
            known = {name: [value] * len(labels) for name, value in zip(self.by, key, strict=True)}
            parts.append(pd.DataFrame({"contrast": labels} | known | columns))
        return pd.concat(parts, ignore_index=True)


def adjusted_means(
    fit: Any,
    variables: Sequence[str] | str,
    at: Mapping[str, Any] | None,
    by: Sequence[str] | str | None,
    which: str,
    weights: str,
    alpha: float,
    known: Mapping[str, Any],
) -> AdjustedMeans:
    """See `Effects.adjusted_means`."""
    if which not in ("linear", "mean", "back"):
        raise ValueError(f"which must be 'linear', 'back' or 'mean', got {which!r}")
    if weights not in ("equal", "proportional"):
        raise ValueError(f"weights must be 'equal' or 'proportional', got {weights!r}")
    own = Variables(fit)
    groups = [] if by is None else [by] if isinstance(by, str) else list(by)
    asked = [*([variables] if isinstance(variables, str) else list(variables)), *groups]
    own.require(asked)
    values = _grid_values(own, asked, at or {})
    frame = own.grid(values)
    shifts = {**typical_shifts(fit), **{name: value for name, value in known.items() if value is not None}}
    rows = own.design(frame, shifts)
    keyed = frame.groupby(asked, sort=False, observed=True)
    keys = keyed.size().index.to_frame(index=False)
    weight = np.ones(len(frame))
    others = [name for name in values if name not in asked and own.levels(name) is not None]
    if weights == "proportional" and others:
        weight = _shares(own, frame, others)
    scale = "mean" if which == "mean" else "linear"
    evaluate = of_mean(fit, rows, scale)
    part: Part = averaged(evaluate, keyed.ngroup().to_numpy(), weight, len(keys))
    return AdjustedMeans(fit, keys, groups, at_once(fit, part), scale, alpha, which == "back")


def _grid_values(own: Variables, asked: Sequence[str], at: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the reference grid: all levels of factors; what is asked for or given of numbers."""
    values: dict[str, Any] = {}
    for name in dict.fromkeys([*asked, *at, *own.names]):
        levels = own.levels(name)
        if name in at:
            values[name] = at[name]
        elif levels is not None:
            values[name] = levels
        elif name in asked:
            raise ValueError(f"{name!r} is a number; say at which values its means are wanted: at={{{name!r}: [...]}}")
    return values


def _shares(own: Variables, frame: Any, others: list[str]) -> Array:
    """Return how often each row's combination of the other factors occurs in the data."""
    import pandas as pd

    if not own.has_rows:
        raise ValueError(
            "weights='proportional' count the rows of the fit, which it no longer has; use weights='equal'"
        )
    table = pd.DataFrame({name: own.column(name).to_numpy() for name in others})
    freq = own.data.freq_weights
    table["n"] = 1.0 if freq is None else freq
    counts = table.groupby(others, observed=True)["n"].sum().reset_index()
    return frame[others].merge(counts, how="left", on=others)["n"].fillna(0.0).to_numpy(dtype=float)


def _transformed(fit: Any, columns: dict[str, Array]) -> dict[str, Array]:
    """Carry estimates on the linear scale through the inverse link: standard errors by the delta method."""
    with np.errstate(all="ignore"):
        mean, _, slope = fit.link.mean(columns["estimate"])
        ends = np.sort(fit.link.inverse(np.stack([columns["conf_low"], columns["conf_high"]])), axis=0)
    error = np.abs(slope) * columns["std_error"]
    return columns | {"estimate": mean, "std_error": error, "conf_low": ends[0], "conf_high": ends[1]}


def _exponentiated(columns: dict[str, Array]) -> dict[str, Array]:
    ratio = np.exp(columns["estimate"])
    ends = {name: np.exp(columns[name]) for name in ("conf_low", "conf_high")}
    return columns | {"estimate": ratio, "std_error": ratio * columns["std_error"]} | ends


def _groups(keys: Any, by: list[str]) -> list[tuple[tuple[Any, ...], Array]]:
    if not by:
        return [((), np.arange(len(keys)))]
    levels = [keys[name].unique().tolist() for name in by]
    found = []
    for key in product(*levels):
        places = np.flatnonzero(np.all([keys[name] == value for name, value in zip(by, key, strict=True)], axis=0))
        if places.size:
            found.append((key, places))
    return found


def _name(row: Any, by: list[str]) -> str:
    return " ".join(str(value) for name, value in row.items() if name not in by)


def _weights(method: Any, names: list[str]) -> tuple[Array, list[str]]:
    """Return the weights of a method's contrasts, (j, k), and their names."""
    k = len(names)
    identity = np.eye(k)
    if isinstance(method, Mapping):
        made = np.array([np.asarray(row, dtype=float) for row in method.values()])
        if made.ndim != 2 or made.shape[1] != k:
            raise ValueError(f"each contrast needs {k} weights, one for each of {', '.join(names)}")
        return made, [str(name) for name in method]
    if method == "eff":
        return identity - 1.0 / k, [f"{name} effect" for name in names]
    pairs = {
        "pairwise": [(i, j) for i in range(k) for j in range(i + 1, k)],
        "revpairwise": [(j, i) for j in range(k) for i in range(j)],
        "trt.vs.ctrl": [(j, 0) for j in range(1, k)],
        "consecutive": [(j, j - 1) for j in range(1, k)],
    }
    if method not in pairs:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, or weights by name; got {method!r}")
    if k < 2:
        raise ValueError("contrasts need two means at least, and there is one")
    return np.array([identity[i] - identity[j] for i, j in pairs[method]]), [
        f"{names[i]} - {names[j]}" for i, j in pairs[method]
    ]


def _adjustment(adjust: str | None, method: Any) -> str:
    pairs = isinstance(method, str) and method in ("pairwise", "revpairwise")
    chosen = ("tukey" if pairs else "sidak") if adjust is None else adjust
    if chosen not in ADJUSTMENTS:
        raise ValueError(f"adjust must be one of {', '.join(ADJUSTMENTS)}; got {adjust!r}")
    if chosen == "tukey" and not pairs:
        raise ValueError("Tukey's adjustment is for all pairs; use sidak, bonferroni or holm")
    return chosen


def _adjusted(fit: Any, estimates: Estimates, alpha: float, adjust: str, means: int) -> dict[str, Array]:
    """Return the columns of inference, p-values and limits adjusted for the number of contrasts."""
    columns = inference(fit, estimates, alpha)
    df = fit.df_resid_inference if fit.use_t else None
    count, raw = estimates.value.size, two_sided(columns["statistic"], df)
    if adjust == "none" or count == 1:
        return columns
    if adjust == "tukey":
        from scipy.stats import studentized_range

        law = studentized_range(means, np.inf if df is None else df)
        p_value, width = law.sf(np.sqrt(2.0) * np.abs(columns["statistic"])), law.ppf(1.0 - alpha) / np.sqrt(2.0)
    elif adjust == "sidak":
        p_value = -np.expm1(count * np.log1p(-raw))
        width = quantile(1.0 - 0.5 * -np.expm1(np.log1p(-alpha) / count), df)
    else:
        p_value, width = _stepwise(raw, adjust), quantile(1.0 - alpha / (2.0 * count), df)
    ends = {
        "conf_low": estimates.value - width * estimates.std_error,
        "conf_high": estimates.value + width * estimates.std_error,
    }
    return columns | {"p_value": np.asarray(p_value)} | ends


def _stepwise(raw: Array, adjust: str) -> Array:
    from statsmodels.stats.multitest import multipletests

    known = np.isfinite(raw)
    p_value = np.full(raw.size, np.nan)
    if known.any():
        p_value[known] = multipletests(raw[known], method=adjust)[1]
    return p_value
