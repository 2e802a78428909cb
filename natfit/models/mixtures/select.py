"""How many components, and which covariances: mixtures side by side."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from natfit.families.gaussian_covariances import MODELS
from natfit.models.mixtures.search import NoMaximum
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
    sizes = [n_components] if isinstance(n_components, int | np.integer) else list(n_components)
    names = covariance_names(family, y, covariance, fit.get("data"))
    own = {name: fit.pop(name) for name in ("noise", "zero_inflated", "constraint", "fixed", "shared") if name in fit}
    each = {(name, size): (model(family, size, name, **own), {"y": y, **fit}) for name in names for size in sizes}
    return _side_by_side(each, progress, names != ["full"] or is_gaussian(family))


def select_regressions(
    model: Any, formula: str, data: Any, n_components: Iterable[int] | int, progress: bool, options: dict[str, Any]
) -> MixtureSelection:
    """Fit mixtures of regressions of all sizes; see `natfit.MixtureRegression.select`."""
    sizes = [n_components] if isinstance(n_components, int | np.integer) else list(n_components)
    own = ("n_init", "random_state", "tol", "maxiter")
    fitting: dict[str, Any] = {name: options.pop(name) for name in own if name in options}
    each = {("", size): (model.from_formula(formula, data, n_components=size, **options), fitting) for size in sizes}
    return _side_by_side(each, progress, False)


def _side_by_side(
    each: Mapping[tuple[str, int], tuple[Any, dict[str, Any]]], progress: bool, covariances: bool
) -> MixtureSelection:
    """Fit models, each with its arguments, and say which have no maximum; what they warn of stands in the table."""
    from natfit.results.mixtures.bootstrap import watched
    from natfit.results.warnings import ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning

    fits, failures = {}, {}
    with warnings.catch_warnings():
        for category in (ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning):
            warnings.simplefilter("ignore", category)
        for key in watched(list(each), progress):
            model, fitting = each[key]
            try:
                fits[key] = model.fit(**fitting)
            except NoMaximum as error:
                failures[key] = str(error)
    return MixtureSelection(fits, failures, covariances)


def covariance_names(family: Any, y: Any, covariance: Any, data: Any) -> Sequence[str]:
    """Return the covariance models to try."""
    if isinstance(covariance, str) and covariance != "all":
        return [covariance]
    if not isinstance(covariance, str):
        return list(covariance)
    widths = gaussian_widths(family, y, data)
    if not widths:
        return ["full"]
    return ["E", "V"] if max(widths) == 1 else list(MODELS)


def gaussian_widths(family: Any, y: Any, data: Any) -> list[int]:
    """Return how many columns each group of Gaussian ones has."""
    if isinstance(family, Mapping):
        return [1 if isinstance(key, str) else len(key) for key, own in family.items() if is_gaussian(own)]
    if not is_gaussian(family):
        return []
    from natfit.models.mixtures.data import bind

    return [len(bind(y, data=data, keep_missing=True).columns)]
