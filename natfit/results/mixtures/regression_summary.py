"""The printed table of a mixture of regressions, component by component."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.mixtures.regression_covariance import dispersion_name

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults

Gap = list[tuple[str, list[str] | None]]


def regression_summary(fit: MixtureRegressionResults, alpha: float, title: str | None) -> Any:
    """Return a `natfit.results.tables.Summary`: the fit, the components, what the weights depend on, and notes."""
    from statsmodels.iolib.summary import forg
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_params

    from natfit.results.tables import Summary

    summary = Summary()
    left, right = _head(fit)
    named = SimpleNamespace(model=SimpleNamespace(endog_names=fit.model.data.y_name, exog_names=[]), params=[])
    summary.add_table_2cols(named, title=title or "Mixture of Regressions Results", gleft=left, gright=right)
    limits = fit.conf_int(alpha).to_numpy()
    names = list(fit.params.index)
    table = np.column_stack([fit.params, fit.bse, fit.tvalues, fit.pvalues, limits])
    header = ["coef", "std err", "z", "P>|z|", f"[{alpha / 2:.3g}", f"{1 - alpha / 2:.3g}]"]
    formats = [forg, forg, "{:.3f}".format, "{:.3f}".format, forg, forg]
    for k in range(fit.n_components):
        for heading, prefix in ((f"Component {k}{_kind(fit, k)}", ""), (f"Weight of component {k}", "concomitant:")):
            own = [i for i, name in enumerate(names) if _belongs(name, k, prefix)]
            if not own:
                continue
            rows, stubs = [], []
            for i in own:
                stub = names[i].removesuffix(f"[{k}]").removeprefix(prefix)
                scale = not prefix and stub in ("weight", dispersion_name(fit.components, k))
                blank = [None, None] if scale else [0, 0]
                cells = [("" if not np.isfinite(v) else f(v)) for v, f in zip(table[i], formats, strict=True)]
                if blank[0] is None:
                    cells[2:4] = ["", ""]  # being 0 is no hypothesis about these
                rows.append(cells)
                stubs.append(stub)
            summary.tables.append(SimpleTable(rows, header, stubs, title=heading, txt_fmt=fmt_params))
    summary.add_extra_txt(notes(fit))
    return summary


def _belongs(name: str, k: int, prefix: str) -> bool:
    return name.endswith(f"[{k}]") and name.startswith("concomitant:") == bool(prefix)


def _kind(fit: MixtureRegressionResults, k: int) -> str:
    if fit.components.alike:
        return ""
    member = fit.components.members[k]
    return f" ({member.family.name}, {member.link.name})"


def _head(fit: MixtureRegressionResults) -> tuple[Gap, Gap]:
    members = fit.components.members
    family = ", ".join(dict.fromkeys(member.family.name for member in members))
    link = ", ".join(dict.fromkeys(member.link.name for member in members))
    left: Gap = [
        ("Dep. Variable:", None),
        ("Components:", [f"{fit.n_components} {family}"]),
        ("Link Function:", [link]),
        ("Date:", None),
        ("Time:", None),
        ("No. Observations:", [f"{fit.nobs:g}"]),
        ("Starts at best:", [f"{fit.n_best} of {fit.n_starts}"]),
    ]
    right: Gap = [
        ("Log-Likelihood:", [f"{fit.llf:#8.5g}"]),
        ("Free Parameters:", [f"{fit.df:d}"]),
        ("AIC:", [f"{fit.aic:#8.5g}"]),
        ("BIC:", [f"{fit.bic:#8.5g}"]),
        ("ICL:", [f"{fit.icl:#8.5g}"]),
        ("No. Iterations:", [f"{max(len(fit.base.outcome.record) - 1, 0):d}"]),
        ("Converged:", ["yes" if fit.converged else "NO"]),
    ]
    return left, right


def notes(fit: MixtureRegressionResults) -> list[str]:
    """Return what is to be said below the tables, the reservations first."""
    said = [] if fit.converged else [f"NOT CONVERGED: {fit.reason}."]
    said += [f"DEGENERATE: {each}." for each in fit.degeneracies]
    found = fit.base.search
    said += [f"{each}: it has no coefficient of its own (NaN)." for each in fit.model.aliases]
    if not np.isfinite(fit.bse[fit.params.notna()].to_numpy()).all():
        said.append("The observed information is not positive definite: standard errors are not defined.")
    if found.n_best < 2 <= found.n_starts and fit.n_components > 1:
        said.append("Only one start reached this maximum: there may be a better one; raise n_init.")
    if found.excluded:
        best, why = max(found.excluded)
        said.append(
            f"{len(found.excluded)} maxima were left out under the constraint; the best has {best:.6g} ({why})."
        )
    if found.broken:
        said.append(
            f"{found.broken} of {found.n_starts} starts broke down: a component lost its rows or its dispersion."
        )
    if fit.model.rows.groups is not None:
        said.append(f"Rows share labels: {fit.model.rows.n_units:g} groups.")
    if fit.model.rows.concomitant is not None:
        averages = ", ".join(f"{each:.4g}" for each in fit.weights)
        said.append(f"Weights depend on covariates, as log-odds against component 0; on average they are {averages}.")
    if fit.model.shared.any():
        names = [name for name, one in zip(fit.model.data.names, fit.model.shared, strict=True) if one]
        said.append(f"The same in all components: {', '.join(names)}.")
    if fit.model.quasi_note:
        said.append(fit.model.quasi_note)
    if fit.model.data.n_missing:
        said.append(f"{fit.model.data.n_missing} rows with missing values were left out.")
    if fit.decrement >= 0:
        said.append(f"Stopped {np.sqrt(fit.decrement):.1e} standard errors from the maximum ({fit.reason}).")
    used = list(dict.fromkeys(row.metric for row in fit.base.outcome.record if row.metric))
    said.append(f"Metric: {' then '.join(used)}. Standard errors from the {fit.cov_type} information.")
    return said
