"""The printed table of a fitted mixture, component by component."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.likelihoods.mixtures.gaussian import GaussianComponents

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults


def mixture_summary(fit: MixtureResults, alpha: float, title: str | None) -> Any:
    """Return a `natfit.results.tables.Summary` of a fitted mixture: the fit, then a table for each component."""
    from statsmodels.iolib.summary import forg
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_params

    from natfit.results.tables import Summary

    summary = Summary()
    left, right = _head(fit)
    named = SimpleNamespace(model=SimpleNamespace(endog_names=", ".join(fit.columns), exog_names=[]), params=[])
    summary.add_table_2cols(named, title=title or "Mixture Fit Results", gleft=left, gright=right)
    limits = fit.conf_int(alpha).to_numpy()
    values, bse, names = fit.params.to_numpy(), fit.bse.to_numpy(), list(fit.params.index)
    table = np.column_stack([values, bse, limits])
    header = ["estimate", "std err", f"[{alpha / 2:.3g}", f"{1 - alpha / 2:.3g}]"]
    for k in range(fit.n_components):
        places = [i for i, name in enumerate(names) if name.endswith(f"[{k}]")]
        rows = [["" if np.isnan(value) else forg(value) for value in row] for row in table[places]]
        stubs = [names[place].removesuffix(f"[{k}]") for place in places]
        title = f"Component {k}{fixed_name(fit, k)}"
        summary.tables.append(SimpleTable(rows, header, stubs, title=title, txt_fmt=fmt_params))
    summary.add_extra_txt(notes(fit))
    return summary


def fixed_name(fit: MixtureResults, k: int) -> str:
    """Return the name of a component without parameters, to stand behind its number."""
    fixed = getattr(fit.components, "fixed", None)
    return f" ({fixed.name})" if fixed is not None and k == fit.n_components - 1 else ""


def _head(fit: MixtureResults) -> tuple[list[tuple[str, list[str] | None]], list[tuple[str, list[str] | None]]]:
    families = list(dict.fromkeys(part.components.family.name for part in fit._parts))
    family = " x ".join(families)
    models = [part.components.model.name for part in fit._parts if isinstance(part.components, GaussianComponents)]
    left: list[tuple[str, list[str] | None]] = [
        ("Dep. Variable:", None),
        ("Components:", [f"{fit.n_components} {family}"]),
        ("Covariance:", [", ".join(models) or "-"]),
        ("Date:", None),
        ("Time:", None),
        ("No. Observations:", [f"{fit.nobs:g}"]),
        ("Starts at best:", [f"{fit.n_best} of {fit.n_starts}"]),
    ]
    right: list[tuple[str, list[str] | None]] = [
        ("Log-Likelihood:", [f"{fit.llf:#8.5g}"]),
        ("Free Parameters:", [f"{fit.df:d}"]),
        ("AIC:", [f"{fit.aic:#8.5g}"]),
        ("BIC:", [f"{fit.bic:#8.5g}"]),
        ("ICL:", [f"{fit.icl:#8.5g}"]),
        ("No. Iterations:", [f"{max(len(fit.base.outcome.record) - 1, 0):d}"]),
        ("Converged:", ["yes" if fit.converged else "NO"]),
    ]
    return left, right


def notes(fit: MixtureResults) -> list[str]:
    """Return what is to be said below the tables, the reservations first."""
    said = [] if fit.converged else [f"NOT CONVERGED: {fit.reason}."]
    found = fit.base.search
    said += [f"DEGENERATE: {each}." for each in fit.degeneracies]
    if not np.isfinite(fit.bse.to_numpy()).all():
        said.append("The observed information is not positive definite: standard errors are not defined.")
    if found.n_best < 2 <= found.n_starts and fit.n_components > 1:
        said.append("Only one start reached this maximum: there may be a better one; raise n_init.")
    if found.excluded:
        best, why = found.excluded[0]
        said.append(
            f"{len(found.excluded)} maxima were left out under the constraint; the best has {best:.6g} ({why})."
        )
    if found.broken:
        said.append(f"{found.broken} of {found.n_starts} starts broke down: a component lost its rows or its spread.")
    if fit.decrement >= 0:
        said.append(f"Stopped {np.sqrt(fit.decrement):.1e} standard errors from the maximum ({fit.reason}).")
    used = list(dict.fromkeys(row.metric for row in fit.base.outcome.record if row.metric))
    said.append(f"Metric: {' then '.join(used)}. Standard errors from the {fit.cov_type} information.")
    return said
