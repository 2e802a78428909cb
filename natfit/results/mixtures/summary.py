"""The printed table of a fitted mixture, component by component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.likelihoods.mixtures.gaussian import GaussianComponents
from natfit.results.mixtures.notes import notes, table_of

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults


def mixture_summary(fit: MixtureResults, alpha: float, title: str | None) -> Any:
    """Return a `natfit.results.tables.Summary` of a fitted mixture: the fit, then a table for each component."""
    from statsmodels.iolib.summary import forg
    from statsmodels.iolib.table import SimpleTable
    from statsmodels.iolib.tableformatting import fmt_params

    summary = table_of(fit, *_kind(fit), ", ".join(fit.columns), title or "Mixture Fit Results")
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


def _kind(fit: MixtureResults) -> tuple[str, tuple[str, str]]:
    families = " x ".join(dict.fromkeys(part.components.family.name for part in fit._parts))
    models = [part.components.model.name for part in fit._parts if isinstance(part.components, GaussianComponents)]
    return families, ("Covariance:", ", ".join(models) or "-")
