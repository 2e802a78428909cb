"""Tests of a GLM's assumptions: dispersion, zeros, the link, and the calibration of probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from natfit.data.matrix import Dense
from natfit.results.influence import leverage, require_finite
from natfit.results.prediction import critical
from natfit.results.remembered import quantiles

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Check:
    """One test: its statistic, degrees of freedom (None for the normal law), p-value and what it is about."""

    name: str
    statistic: float
    p_value: float
    df: float | None
    null: str
    estimate: float = np.nan

    def __str__(self) -> str:
        law = "" if self.df is None else f" on {self.df:g} df"
        return f"{self.name}: statistic {self.statistic:.4g}{law}, p = {self.p_value:.3g}. Null: {self.null}."


def overdispersion(fit: Any) -> Any:
    """Return tests of a Poisson's or a binomial's variance, one in each row: see `Checks.overdispersion_test`."""
    import pandas as pd

    require_finite(fit, "a test of dispersion")
    if not fit.df_resid > 0:
        raise ValueError(
            "tests of overdispersion need more observations than coefficients, and this fit leaves no residual degree of "
            "freedom; leave terms out"
        )
    name = fit.family.name
    if name not in ("poisson", "binomial"):
        raise ValueError(f"tests of overdispersion are for the poisson and the binomial; this fit's family is {name}")
    if fit.model.data.var_weights is not None:
        raise ValueError("tests of overdispersion are not defined with var_weights; use freq_weights")
    made = _poisson(fit) if name == "poisson" else _binomial(fit)
    chi2 = float(special.gammaincc(0.5 * fit.df_resid, 0.5 * fit.pearson_chi2))
    pearson = ("Pearson chi2", "any", fit.pearson_chi2, chi2, fit.pearson_chi2 / fit.df_resid)
    columns = ["test", "alternative", "statistic", "p_value", "estimate"]
    return pd.DataFrame([pearson, *made], columns=columns).set_index("test")


def _frequencies(fit: Any) -> Array:
    freq = fit.model.data.freq_weights
    return np.ones(fit.model.data.n_rows) if freq is None else freq


def _upper(z: float) -> float:
    return float(special.ndtr(-z))


def _poisson(fit: Any) -> list[tuple[str, str, float, float, float]]:
    mu, y, freq = np.asarray(fit.fittedvalues), fit.model.data.y, _frequencies(fit)
    excess = (y - mu) ** 2 - y
    hat = np.divide(leverage(fit), freq, out=np.zeros_like(mu), where=freq > 0)
    root = np.sqrt(2.0 * freq @ mu**2)
    scores = {
        "Dean P_A": ("mu + alpha mu^2", freq @ (excess + hat * mu) / root),
        "Dean P_B": ("mu + alpha mu^2", freq @ excess / root),
        "Dean P_C": ("(1 + alpha) mu", freq @ (excess / mu) / np.sqrt(2.0 * freq.sum())),
    }
    rows = [(name, law, float(z), _upper(float(z)), np.nan) for name, (law, z) in scores.items()]
    for law, regressor in (("mu + alpha mu^2", mu), ("(1 + alpha) mu", np.ones_like(mu))):
        slope, t = _through_origin(excess / mu, regressor, freq)
        rows.append((f"Cameron-Trivedi {'NB2' if regressor is mu else 'NB1'}", law, t, _upper(t), slope))
    return rows


def _through_origin(z: Array, x: Array, freq: Array) -> tuple[float, float]:
    """Return the slope of a regression through the origin, and its t."""
    slope = float(freq @ (x * z) / (freq @ x**2))
    variance = float(freq @ (z - slope * x) ** 2 / (freq.sum() - 1.0) / (freq @ x**2))
    return slope, slope / np.sqrt(variance)


def _binomial(fit: Any) -> list[tuple[str, str, float, float, float]]:
    trials = fit.model.data.trials
    if trials is None or trials.max() <= 1.0:
        raise ValueError(
            "single trials can't be overdispersed: their variance follows from their mean; group rows of equal predictors "
            "and give trials=, or see hosmer_lemeshow()"
        )
    p, freq = np.asarray(fit.fittedvalues), _frequencies(fit)
    count = fit.model.data.y * trials
    each = ((count - trials * p) ** 2 + p * (count - trials * p) - count * (1.0 - p)) / (p * (1.0 - p))
    z = float(freq @ each / np.sqrt(2.0 * freq @ (trials * (trials - 1.0))))
    return [("Dean N_A", "beta-binomial", z, _upper(z), np.nan)]


def zero_inflation(fit: Any) -> Check:
    """Return van den Broek's score test of more zeros than a Poisson has: see `Checks.zero_inflation_test`."""
    require_finite(fit, "a test of zeros")
    if fit.family.name != "poisson":
        raise ValueError(f"the score test of zero inflation is for the poisson; this fit's family is {fit.family.name}")
    if fit.model.data.var_weights is not None:
        raise ValueError("the test of zero inflation is not defined with var_weights; use freq_weights")
    mu, y, freq = np.asarray(fit.fittedvalues), fit.model.data.y, _frequencies(fit)
    _, _, slope = fit.link.mean(fit._eta)
    with np.errstate(over="ignore"):
        inverse = np.exp(mu)  # of the probability of a zero
        score = float(freq @ (np.where(y == 0.0, inverse, 0.0) - 1.0))
        own = float(freq @ np.expm1(mu))
    kept = fit.fitted.kept
    cross = fit.model.data.design.rmatvec(freq * slope)[kept]
    variance = own - float(cross @ fit.fitted.metric.solve(cross))
    statistic = score**2 / variance
    zeros, expected = float(freq @ (y == 0.0)), float(freq @ np.exp(-mu))
    null = f"no more zeros than a Poisson has ({zeros:g} seen, {expected:.4g} expected)"
    p_value = float(special.gammaincc(0.5, 0.5 * statistic))
    return Check("van den Broek's score test", statistic, p_value, 1.0, null, score / own)


def link_test(fit: Any) -> Any:
    """Return the fit on a linear predictor and its square: see `Checks.link_test`."""
    import pandas as pd

    require_finite(fit, "a link test")
    data = fit.model.data
    own = data.design.matvec(fit._params_filled)
    columns = {"hat": own, "hatsq": np.asarray(fit._eta) ** 2}
    if fit.model.k_constant:
        columns = {"const": np.ones(data.n_rows), **columns}
    design = Dense(np.column_stack(list(columns.values())))
    again = fit.model.refit(fit, design=design, names=list(columns), family=fit.family)
    made = {"estimate": again.fitted.params, "std_error": again._bse, "statistic": again._tvalues}
    return pd.DataFrame(made | {"p_value": np.asarray(again.pvalues)}, index=list(columns))


TIED = 1e-12
"""Probabilities this near belong to rows that are alike: their last bits depend on where in a block a row stands."""


def _level(p: Array) -> Array:
    """Return probabilities with those of rows that are alike made equal, to the lowest of them."""
    order = np.argsort(p, kind="stable")
    begins = np.concatenate([[True], np.diff(p[order]) > TIED])
    level = np.empty_like(p)
    level[order] = p[order][begins][np.cumsum(begins) - 1]
    return level


def _grouped(fit: Any, groups: int, what: str) -> Any:
    """Return rows of a binomial's fit cut at quantiles of its probabilities: n, observed and expected of each group."""
    import pandas as pd

    if fit.family.name != "binomial":
        raise ValueError(f"{what} is for the binomial family; this fit's is {fit.family.name}")
    if int(groups) != groups or groups < 2:
        raise ValueError(f"groups must be a whole number of at least 2, got {groups!r}")
    data = fit.model.data
    p, counted = _level(np.asarray(fit.fittedvalues)), _frequencies(fit) * (1.0 if data.trials is None else data.trials)
    edges = np.unique(quantiles(p, counted, np.linspace(0.0, 1.0, int(groups) + 1)))
    place = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, max(len(edges) - 2, 0))
    size = max(len(edges) - 1, 1)
    sums = [np.bincount(place, counted * part, size) for part in (np.ones_like(p), data.y, p)]
    table = pd.DataFrame(np.column_stack(sums), columns=["n", "observed", "expected"])
    table.insert(0, "highest", edges[1:] if len(edges) > 1 else edges)
    return table[table["n"] > 0].reset_index(drop=True)


@dataclass(frozen=True)
class HosmerLemeshow(Check):
    """Hosmer and Lemeshow's test, with its table of groups: n, observed and expected successes."""

    table: Any = None


def hosmer_lemeshow(fit: Any, groups: int = 10) -> HosmerLemeshow:
    """Return the test of calibration by groups: see `Checks.hosmer_lemeshow`."""
    table = _grouped(fit, groups, "Hosmer and Lemeshow's test")
    if len(table) < 3:
        raise ValueError(f"Hosmer and Lemeshow's test needs 3 groups at least, and the probabilities make {len(table)}")
    gap, share = table["observed"] - table["expected"], table["expected"] / table["n"]
    statistic = float((gap**2 / (table["expected"] * (1.0 - share))).sum())
    df = float(len(table) - 2)
    p_value = float(special.gammaincc(0.5 * df, 0.5 * statistic))
    null = f"the probabilities are right in each of {len(table)} groups"
    return HosmerLemeshow("Hosmer and Lemeshow's test", statistic, p_value, df, null, table=table)


def calibration(fit: Any, groups: int = 10, alpha: float = 0.05) -> Any:
    """Return predicted and observed shares of groups, with Wilson's limits: see `Checks.calibration`."""
    import pandas as pd

    table = _grouped(fit, groups, "a table of calibration")
    n, z = table["n"].to_numpy(), critical(alpha, None)
    share = table["observed"].to_numpy() / n
    middle = (share + z**2 / (2.0 * n)) / (1.0 + z**2 / n)
    half = z * np.sqrt(share * (1.0 - share) / n + z**2 / (4.0 * n**2)) / (1.0 + z**2 / n)
    made = {
        "predicted": table["expected"] / n,
        "observed": share,
        "conf_low": middle - half,
        "conf_high": middle + half,
    }
    return pd.DataFrame({"n": table["n"]} | made)
