"""What a fit that has just been made is warned of."""

from __future__ import annotations

import warnings
from typing import Any

from natfit.results.warnings import ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning


def warn_of(fit: Any) -> None:
    """Warn whoever called the model's ``fit`` of a maximum that is none, or that one start alone reached."""
    if fit.degeneracies:
        warnings.warn("; ".join(fit.degeneracies), DegeneracyWarning, stacklevel=3)
    elif not fit.converged:
        warnings.warn(f"the fit did not converge: {fit.reason}", ConvergenceWarning, stacklevel=3)
    if fit.n_best < 2 <= fit.n_starts and fit.n_components > 1:
        warnings.warn(
            f"only one of {fit.n_starts} starts reached the best maximum, so there may be a better one; raise n_init",
            LocalMaximumWarning,
            stacklevel=3,
        )
