"""The printed table of a mixture of regressions, component by component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.mixtures.notes import notes, table_of
from natfit.results.mixtures.regression_covariance import dispersion_name

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults


def regression_summary(fit: MixtureRegressionResults, alpha: float, title: str | None) -> Any:
    """Return a `natfit.results.tables.Summary`: the fit, the components, what the weights depend on, and notes."""
    from statsmodels.iolib.summary import forg
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_params

    summary = table_of(fit, *_members(fit), fit.model.data.y_name, title or "Mixture of Regressions Results")
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
                cells = [("" if not np.isfinite(v) else f(v)) for v, f in zip(table[i], formats, strict=True)]
                if scale:
                    cells[2:4] = ["", ""]  # being 0 is no hypothesis about these
                rows.append(cells)
                stubs.append(stub)
            summary.tables.append(SimpleTable(rows, header, stubs, title=heading, txt_fmt=fmt_params))
    summary.add_extra_txt(notes(fit, _own_notes(fit), "dispersion"))
    return summary


def _belongs(name: str, k: int, prefix: str) -> bool:
    return name.endswith(f"[{k}]") and name.startswith("concomitant:") == bool(prefix)


def _kind(fit: MixtureRegressionResults, k: int) -> str:
    if fit.components.alike:
        return ""
    member = fit.components.members[k]
    return f" ({member.family.name}, {member.link.name})"


def _members(fit: MixtureRegressionResults) -> tuple[str, tuple[str, str]]:
    members = fit.components.members
    link = ", ".join(dict.fromkeys(member.link.name for member in members))
    return ", ".join(dict.fromkeys(member.family.name for member in members)), ("Link Function:", link)


def _own_notes(fit: MixtureRegressionResults) -> list[str]:
    """Return what is to be said of columns, groups and weights."""
    model = fit.model
    said = [f"{each}: it has no coefficient of its own (NaN)." for each in model.aliases]
    if model.rows.groups is not None:
        said.append(f"Rows share labels: {model.rows.n_units:g} groups.")
    if model.rows.concomitant is not None:
        averages = ", ".join(f"{each:.4g}" for each in fit.weights)
        said.append(f"Weights depend on covariates, as log-odds against component 0; on average they are {averages}.")
    if model.shared.any():
        names = [name for name, one in zip(model.data.names, model.shared, strict=True) if one]
        said.append(f"The same in all components: {', '.join(names)}.")
    if model.quasi_note:
        said.append(model.quasi_note)
    if model.data.n_missing:
        said.append(f"{model.data.n_missing} rows with missing values were left out.")
    return said
