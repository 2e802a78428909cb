"""What fits of mixtures leave behind for their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.likelihoods.mixtures.mixture import MixtureLikelihood

if TYPE_CHECKING:
    from natfit.models.mixtures.data import MixtureData
    from natfit.optimize.loop import Outcome
    from natfit.parametrizations.base import Parametrization

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Search:
    """What became of the starts.

    Parameters
    ----------
    params : (q,) ndarray
        The best maximum that the constraint allows, on the rows of the sample.
    start : (q,) ndarray
        Where the start that led there began.
    loglik : float
        There.
    n_starts : int
    n_best : int
        Starts that reached it, to within 0.05 nats.
    n_rows : int
        Rows of the sample.
    excluded : list of (float, str)
        Maxima left out under the constraint: log-likelihood, and which component breaks the rule.
    broken : int
        Starts in which a component lost all its rows or its spread.
    others : list of float
        Log-likelihoods of the other maxima.
    """

    params: Array
    start: Array
    loglik: float
    n_starts: int
    n_best: int
    n_rows: int
    excluded: list[tuple[float, str]] = field(default_factory=list)
    broken: int = 0
    others: list[float] = field(default_factory=list)

    def divided(self, scale: float) -> Search:
        """Return the same with log-likelihoods of weights that were multiplied by ``scale`` for the search."""
        if scale == 1.0:
            return self
        excluded = [(loglik / scale, why) for loglik, why in self.excluded]
        others = [loglik / scale for loglik in self.others]
        return replace(self, loglik=self.loglik / scale, excluded=excluded, others=others)


@dataclass(frozen=True)
class FittedComponents:
    """What the fit of a mixture, of distributions or of regressions, leaves behind.

    Parameters
    ----------
    likelihood : MixtureLikelihood
    params : (q,) ndarray
        In the likelihood's own parameters.
    outcome : Outcome
        Of the optimizer on all rows.
    search : Search
        What became of the starts.
    breach : str or None
        How the solution breaks the constraint.
    """

    likelihood: MixtureLikelihood
    params: Array
    outcome: Outcome
    search: Search
    breach: str | None


@dataclass(frozen=True)
class FittedMixture(FittedComponents):
    """What the fit of a mixture of distributions leaves behind: that, its rows, and its free coordinates.

    Parameters
    ----------
    data : MixtureData
    coordinates : callable
        From parameters to the free coordinates near them; None where the likelihood's own are free.
    """

    data: MixtureData
    coordinates: Callable[[Array], Parametrization | None]
