"""What fits of mixtures leave behind, and their components in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.likelihoods.mixtures.regression import MixtureRegressionLikelihood
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.data import MixtureData
from natfit.models.mixtures.search import Search
from natfit.optimize.loop import Outcome
from natfit.parametrizations.base import Parametrization

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class FittedMixture:
    """What a fit leaves behind.

    Parameters
    ----------
    likelihood, data
    coordinates : callable
        From parameters to the free coordinates near them; None where the likelihood's own are free.
    params : (q,) ndarray
        In the likelihood's own parameters.
    outcome : Outcome
        Of the optimizer on all rows.
    search : Search
        What became of the starts.
    constraint : Constraint
    start : (q,) ndarray
        Where the start that led to the maximum began.
    breach : str or None
        How the solution breaks the constraint.
    """

    likelihood: MixtureLikelihood
    data: MixtureData
    coordinates: Callable[[Array], Parametrization | None]
    params: Array
    outcome: Outcome
    search: Search
    constraint: Constraint
    start: Array
    breach: str | None = None


@dataclass(frozen=True)
class FittedRegressions:
    """What a fit leaves behind.

    Parameters
    ----------
    likelihood : MixtureRegressionLikelihood
    params : (q,) ndarray
        In the likelihood's own parameters.
    outcome : Outcome
        Of the optimizer on all rows.
    search : Search
        What became of the starts.
    constraint : Constraint
    breach : str or None
        How the solution breaks the constraint.
    """

    likelihood: MixtureRegressionLikelihood
    params: Array
    outcome: Outcome
    search: Search
    constraint: Constraint
    breach: str | None = None


def in_order(likelihood: MixtureLikelihood, params: Array) -> Array:
    """Return the same mixture with its components by falling weight."""
    components = likelihood.components
    weights = likelihood.weights.probabilities(likelihood.split(params)[0])
    first = components.n_ordered
    order = np.concatenate([np.argsort(-weights[:first], kind="stable"), np.arange(first, components.n_components)])
    return likelihood.reordered(params, order)


def check_distinct(block: Any, n_components: int) -> None:
    y, weight = block.columns["y"], block.columns.get("weight")
    if weight is not None and not weight.all():
        y = y[weight > 0.0]
    if len(y) >= 50 * n_components and len(np.unique(y[: 50 * n_components], axis=0)) >= n_components:
        return
    distinct = len(np.unique(y, axis=0))
    if distinct < n_components:
        raise ValueError(
            f"{n_components} components need as many distinct rows, but there are {distinct}; use fewer components"
        )
