"""What the printed tables of mixtures have in common: the fit's own lines above, and the notes below."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

Lines = list[tuple[str, list[str] | None]]


def table_of(fit: Any, components: str, kind: tuple[str, str], endog: str, title: str) -> Any:
    """Return a `natfit.results.tables.Summary` with the lines above the components' tables.

    Parameters
    ----------
    fit : MixtureResults or MixtureRegressionResults
    components : str
        What they are.
    kind : (str, str)
        One more line: its name, and what it says.
    endog, title : str
        The response's name and the table's heading.
    """
    from natfit.results.tables import Summary

    left: Lines = [
        ("Dep. Variable:", None),
        ("Components:", [f"{fit.n_components} {components}"]),
        (kind[0], [kind[1]]),
        ("Date:", None),
        ("Time:", None),
        ("No. Observations:", [f"{fit.nobs:g}"]),
        ("Starts at best:", [f"{fit.n_best} of {fit.n_starts}"]),
    ]
    right: Lines = [
        ("Log-Likelihood:", [f"{fit.llf:#8.5g}"]),
        ("Free Parameters:", [f"{fit.df:d}"]),
        ("AIC:", [f"{fit.aic:#8.5g}"]),
        ("BIC:", [f"{fit.bic:#8.5g}"]),
        ("ICL:", [f"{fit.icl:#8.5g}"]),
        ("No. Iterations:", [f"{max(len(fit.base.outcome.record) - 1, 0):d}"]),
        ("Converged:", ["yes" if fit.converged else "NO"]),
    ]
    summary = Summary()
    named = SimpleNamespace(model=SimpleNamespace(endog_names=endog, exog_names=[]), params=[])
    summary.add_table_2cols(named, title=title, gleft=left, gright=right)
    return summary


def notes(fit: Any, own: Sequence[str] = (), lost: str = "spread") -> list[str]:
    """Return what is to be said below the tables, the reservations first.

    Parameters
    ----------
    fit : MixtureResults or MixtureRegressionResults
    own : sequence of str
        What else this kind of mixture has to say.
    lost : str
        What a component loses, besides its rows, when it breaks down.
    """
    found = fit.base.search
    said = [] if fit.converged else [f"NOT CONVERGED: {fit.reason}."]
    said += [f"DEGENERATE: {each}." for each in fit.degeneracies]
    if not np.isfinite(fit.bse[fit.params.notna()].to_numpy()).all():
        said.append("The observed information is not positive definite: standard errors are not defined.")
    if found.n_best < 2 <= found.n_starts and fit.n_components > 1:
        said.append("Only one start reached this maximum: there may be a better one; raise n_init.")
    if found.excluded:
        best, why = max(found.excluded)
        left = "1 maximum was" if len(found.excluded) == 1 else f"{len(found.excluded)} maxima were"
        said.append(f"{left} left out under the constraint; the best has {best:.6g} ({why}).")
    if found.broken:
        starts = "start" if found.n_starts == 1 else "starts"
        said.append(f"{found.broken} of {found.n_starts} {starts} broke down: a component lost its rows or its {lost}.")
    said += own
    if fit.decrement >= 0:
        said.append(f"Stopped {np.sqrt(fit.decrement):.1e} standard errors from the maximum ({fit.reason}).")
    used = list(dict.fromkeys(row.metric for row in fit.base.outcome.record if row.metric))
    said.append(f"Metric: {' then '.join(used)}. Standard errors from the {fit.cov_type} information.")
    return said
