"""The printed table of a distributional regression: one section for each parameter, each with its link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]


def distributional_summary(fit: DistributionalResults, yname: str | None, title: str | None, alpha: float) -> Any:
    """Return a `natfit.results.tables.Summary`: what was fitted, a table for each parameter, and every reservation."""
    from natfit.results.tables import Summary

    outcome = fit.fitted.outcome
    left = [
        ("Dep. Variable:", None),
        ("Family:", [fit.family.name]),
        ("Method:", ["natural gradient"]),
        ("Date:", None),
        ("Time:", None),
        ("No. Iterations:", [f"{max(len(outcome.record) - 1, 0):d}"]),
        ("Covariance Type:", [fit.cov_type]),
    ]
    right = [
        ("No. Observations:", [f"{fit.model.wnobs:g}"]),
        ("Df Residuals:", [f"{fit.df_resid:g}"]),
        ("Df Model:", [f"{fit.df_model:g}"]),
        ("Log-Likelihood:", [f"{fit.llf:#8.5g}"]),
        ("AIC:", [f"{fit.aic:#8.5g}"]),
        ("BIC:", [f"{fit.bic:#8.5g}"]),
        ("Converged:", ["yes" if fit.converged else "NO"]),
    ]
    summary = Summary()
    heading = title or "Distributional Regression Results"
    summary.add_table_2cols(fit, title=heading, gleft=left, gright=right, yname=yname or fit.model.endog_names)
    for name, places in sections(fit):
        summary.tables.append(_section(fit, name, places, alpha))
    summary.add_extra_txt(notes(fit))
    return summary


def sections(fit: DistributionalResults) -> list[tuple[str, Array]]:
    """Return for each parameter, and for what several share, the numbers of its free coefficients."""
    tie, layout = fit.model.constraints.tie, fit.model.likelihood.layout
    owners = []
    for column in tie.matrix.T:
        loaded = np.flatnonzero(column)
        owners.append(
            {part for part, own in layout.slices.items() if ((loaded >= own.start) & (loaded < own.stop)).any()}
        )
    found = [
        (part, np.array([j for j, owner in enumerate(owners) if owner == {part}], dtype=int)) for part in layout.slices
    ]
    shared = np.array([j for j, owner in enumerate(owners) if len(owner) != 1], dtype=int)
    return [(name, places) for name, places in [*found, ("shared", shared)] if places.size]


def _section(fit: DistributionalResults, name: str, places: Array, alpha: float) -> Any:
    from statsmodels.iolib.summary import summary_params

    limits = np.asarray(fit.conf_int(alpha))
    values = [np.asarray(each)[places] for each in (fit.params, fit.bse, fit.tvalues, fit.pvalues)]
    labels = [str(fit.model.exog_names[j]).removeprefix(f"{name}:") for j in places]
    title = fit.family.section_title(name, fit.links) if name in fit.links else "shared by several parameters"
    return summary_params((fit, *values, limits[places]), xname=labels, alpha=alpha, use_t=False, title=title)


def notes(fit: DistributionalResults) -> list[str]:
    """Return what is to be said below the table, the reservations first."""
    said = []
    if not fit.converged:
        said.append(f"NOT CONVERGED: {fit.reason}.")
    said.extend(
        f"Aliased: {note}; its coefficient is not identified and counts as 0." for note in fit.fitted.alias_notes
    )
    said.extend(fit.model_notes())
    said.extend(fit.model.constraints.notes)
    said.extend(f"{name} is held at {value:g}." for name, value in fit.model.held.items())
    if fit.model.data.n_missing:
        said.append(f"{fit.model.data.n_missing} row(s) with missing values were dropped.")
    distance = np.sqrt(fit.decrement) if fit.decrement >= 0 else np.nan
    said.append(f"Stopped {distance:.1e} standard errors from the maximum ({fit.fitted.reason}).")
    used = list(dict.fromkeys(row.metric for row in fit.fitted.outcome.record if row.metric))
    said.append(f"Steps: {' then '.join(used) or 'no'} Fisher information. Standard errors: {fit.information}.")
    return said
