"""How many components, and which covariances: mixtures side by side."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from natfit.families.gaussian_covariances import MODELS
from natfit.models.mixtures.setup import is_gaussian
from natfit.results.mixtures.selection import MixtureSelection


def select(
    model: type,
    family: Any,
    y: Any,
    n_components: Iterable[int] | int,
    covariance: Any,
    progress: bool,
    fit: dict[str, Any],
) -> MixtureSelection:
    """Fit mixtures of all sizes and covariance models; see `natfit.Mixture.select`."""
    from natfit.results.mixtures.bootstrap import watched
    from natfit.results.warnings import ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning

    sizes = [n_components] if isinstance(n_components, int) else list(n_components)
    names = covariance_names(family, y, covariance, fit.get("data"))
    own = {name: fit.pop(name) for name in ("noise", "zero_inflated", "constraint", "fixed", "shared") if name in fit}
    fits, failures = {}, {}
    for size, name in watched([(size, name) for name in names for size in sizes], progress):
        with warnings.catch_warnings():
            for category in (ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning):
                warnings.simplefilter("ignore", category)  # the table says so of each
            try:
                fits[name, size] = model(family, size, name, **own).fit(y, **fit)
            except ValueError as error:
                if not type(error).__name__ == "NoMaximum":
                    raise
                failures[name, size] = str(error)
    return MixtureSelection(fits, failures, is_gaussian(family))


def covariance_names(family: Any, y: Any, covariance: Any, data: Any) -> Sequence[str]:
    """Return the covariance models to try."""
    if not is_gaussian(family):
        return ["full"]
    if covariance != "all":
        return [covariance] if isinstance(covariance, str) else list(covariance)
    from natfit.models.mixtures.data import bind

    return ["E", "V"] if len(bind(y, data=data).columns) == 1 else list(MODELS)
