"""What a fit's user is warned of."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from natfit.results.fitted import Fitted


def warn_about(fitted: Fitted, names: Sequence[str], stacklevel: int = 3) -> None:
    """Warn where a fit has no maximum at finite coefficients, or ended before its maximum."""
    if fitted.converged:
        return
    from natfit.results.warnings import ConvergenceWarning, SeparationWarning

    if fitted.separation is None:
        warnings.warn(f"the fit did not converge: {fitted.reason}", ConvergenceWarning, stacklevel=stacklevel)
        return
    columns = ", ".join(name for name, gone in zip(names, fitted.separation.columns.tolist(), strict=True) if gone)
    warnings.warn(
        f"separation: at least {fitted.separation.n_rows} row(s) can be fitted ever better by letting {columns} run off "
        "to infinity, so these have no finite maximum-likelihood estimate and no standard error; drop or merge the "
        "levels concerned, or use fit(bias_reduction='firth')",
        SeparationWarning,
        stacklevel=stacklevel,
    )
