"""The printed table of a fitted distribution, made by statsmodels' own table maker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from natfit.results.distribution import DistributionResults


def distribution_summary(
    fit: DistributionResults, yname: str | None, title: str | None, alpha: float, tests: bool
) -> Any:
    """Return a `natfit.results.tables.Summary` of a fitted distribution.

    Below the table stand the reservations, what was held, where the optimizer stopped (in standard errors), the metric,
    and what the intervals assume.
    """
    from natfit.results.tables import Summary

    left = [
        ("Dep. Variable:", None),
        ("Distribution:", [repr(fit.family).removesuffix("()")]),
        ("Parametrization:", [fit.parametrization]),
        ("Method:", ["natural gradient" if _natural(fit) else "gradient"]),
        ("Date:", None),
        ("Time:", None),
        ("Covariance Type:", [fit.cov_type]),
    ]
    right = [
        ("No. Observations:", [f"{fit.nobs:g}"]),
        ("Free Parameters:", [f"{fit.df:d}"]),
        ("Log-Likelihood:", [f"{fit.llf:#8.5g}"]),
        ("AIC:", [f"{fit.aic:#8.5g}"]),
        ("BIC:", [f"{fit.bic:#8.5g}"]),
        ("No. Iterations:", [f"{max(len(fit.base.outcome.record) - 1, 0):d}"]),
        ("Converged:", ["yes" if fit.converged else "NO"]),
    ]
    summary = Summary()
    heading = title or "Distribution Fit Results"
    summary.add_table_2cols(fit, title=heading, gleft=left, gright=right, yname=yname)
    summary.tables.append(_parameters(fit, alpha, tests))
    summary.add_extra_txt(notes(fit, tests))
    return summary


def _natural(fit: DistributionResults) -> bool:
    return any(row.metric != "euclidean" for row in fit.base.outcome.record)


def _parameters(fit: DistributionResults, alpha: float, tests: bool) -> Any:
    from statsmodels.iolib.summary import forg
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_params

    limits = fit.conf_int(alpha).to_numpy()
    columns = {"estimate": fit.params, "std err": fit.bse}
    if tests:
        columns |= {"z": fit.zvalues, "P>|z|": fit.pvalues}
    columns |= {f"[{alpha / 2:.3g}": limits[:, 0], f"{1 - alpha / 2:.3g}]": limits[:, 1]}
    cells = zip(*(np.asarray(column) for column in columns.values()), strict=True)
    rows = [["" if np.isnan(value) else forg(value) for value in row] for row in cells]
    return SimpleTable(rows, list(columns), fit.names, txt_fmt=fmt_params)


def notes(fit: DistributionResults, tests: bool = False) -> list[str]:
    """Return what is to be said below the table, the reservations first."""
    said = [] if fit.converged else [f"NOT CONVERGED: {fit.reason}."]
    if not np.isfinite(fit.bse).all():
        said.append("The information is not positive definite at the estimate: standard errors are not defined.")
    fitted = fit.base
    if fitted.held:
        held = ", ".join(f"{name} = {value:g}" for name, value in fitted.held.items())
        said.append(f"Held while fitting: {held} ({fitted.parametrization}).")
    if fitted.data.n_missing:
        said.append(f"{fitted.data.n_missing} row(s) with missing values were dropped.")
    if fit.decrement >= 0:
        said.append(f"Stopped {np.sqrt(fit.decrement):.1e} standard errors from the maximum ({fit.reason}).")
    said.append(_metric(fit))
    if tests:
        said.append("P>|z| is left empty where 0 is no value that the parameter can have.")
    said.append(f"Intervals are Wald's, symmetric in the parametrization {fit.parametrization}; to() gives others.")
    return said


def _metric(fit: DistributionResults) -> str:
    used = list(dict.fromkeys(row.metric for row in fit.base.outcome.record if row.metric))
    return f"Metric: {' then '.join(used) or 'none'} Fisher information, fitted as {fit.base.parametrization}."
