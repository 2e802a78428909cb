"""Analysis of deviance of distributional fits: of the terms of one, and of several nested ones, by likelihood ratio."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.families.distributional.classes import CONSTANTS
from natfit.results.distributional.nested import likelihood_ratio

if TYPE_CHECKING:
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]


def several(fits: Sequence[DistributionalResults], names: Sequence[str] | None) -> Any:
    """Return the table of fits, each tested against the one before; arguments as of `natfit.anova`."""
    import pandas as pd

    labels = list(range(1, len(fits) + 1)) if names is None else list(names)
    if len(labels) != len(fits):
        raise ValueError(f"names needs one for each of the {len(fits)} fits, got {len(labels)}")
    tested = []
    for one, other in pairwise(fits):
        small, large = sorted((one, other), key=lambda fit: fit.df_model)
        tested.append(likelihood_ratio(large, small))
    columns = {
        "Resid. Df": [fit.df_resid for fit in fits],
        "-2 llf": [-2.0 * fit.llf for fit in fits],
        "Df": [np.nan, *(fits[k + 1].df_model - fits[k].df_model for k in range(len(tested)))],
        "LR": [np.nan, *(statistic for statistic, _, _ in tested)],
        "Pr(>Chi)": [np.nan, *(pvalue for _, pvalue, _ in tested)],
    }
    return pd.DataFrame(columns, index=labels)


def of_terms(fit: DistributionalResults, typ: int) -> Any:
    """Return the table of one fit's terms: added one after the other (type 1), or each left out by itself (type 3)."""
    import pandas as pd

    if typ == 2:
        raise ValueError(
            "of a distributional fit the terms are added one after the other (typ=1) or left out one by one (typ=3); for "
            "type 2 compare fits: nf.anova(smaller, larger)"
        )
    terms = fit._terms()
    constant = np.concatenate([own for name, own in terms if _is_constant(name)] or [np.zeros(0, dtype=int)])
    rest = [(name, own) for name, own in terms if not _is_constant(name)]
    if not constant.size:
        raise ValueError(
            "anova of one fit leaves the constants in, and its formulas have none; compare fits: nf.anova(smaller, larger)"
        )
    if typ == 1:
        chosen = [np.concatenate([constant, *(own for _, own in rest[:k])]) for k in range(len(rest))]
        fits = [*(fit.model.fit_columns(fit, np.sort(columns)) for columns in chosen), fit]
        pairs = list(pairwise(fits))
        shown, index = fits, ["NULL", *(name for name, _ in rest)]
    else:
        every = np.arange(fit.fitted.kept.size)
        smaller = [fit.model.fit_columns(fit, np.setdiff1d(every, own)) for _, own in rest]
        pairs = [(small, fit) for small in smaller]
        shown, index = [fit, *smaller], ["(all)", *(name for name, _ in rest)]
    tests = [_ratio(small, large) for small, large in pairs]
    columns = {
        "Df": [np.nan, *(df for _, df, _ in tests)],
        "LR": [np.nan, *(statistic for statistic, _, _ in tests)],
        "Resid. Df": [each.df_resid for each in shown],
        "-2 llf": [-2.0 * each.llf for each in shown],
        "Pr(>Chi)": [np.nan, *(pvalue for _, _, pvalue in tests)],
    }
    return pd.DataFrame(columns, index=index)


def _is_constant(name: str) -> bool:
    return name.rpartition(":")[2] in (*CONSTANTS, "1")


def _ratio(small: DistributionalResults, large: DistributionalResults) -> tuple[float, float, float]:
    """Return statistic, degrees of freedom and p-value of models of which one has some of the other's coefficients."""
    for fit in (small, large):
        if not fit.fitted.converged and not fit.limit_reached():
            raise ValueError(
                f"anova compares maxima, but the fit with {', '.join(fit.model.exog_names)} did not converge ({fit.reason})"
            )
    statistic, df = 2.0 * (large.llf - small.llf), large.df_model - small.df_model
    pvalue = float(special.chdtrc(df, max(statistic, 0.0))) if df > 0.0 else np.nan
    return statistic, df, pvalue
