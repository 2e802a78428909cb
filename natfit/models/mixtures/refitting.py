"""Other mixtures beside one: of other sizes and covariances, of other rows, from a fit's estimates, along other ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.arrays import ArraySource
from natfit.data.block import Block
from natfit.likelihoods.mixtures.missing import PartlySeenGaussians
from natfit.models.mixtures.fitting import MixtureObjective, climb
from natfit.models.mixtures.search import NoMaximum
from natfit.models.mixtures.select import select
from natfit.optimize.em import Slow, em
from natfit.optimize.loop import OutsideDomain
from natfit.parametrizations.base import OffImageError
from natfit.results.mixtures.mixture import MixtureResults
from natfit.results.mixtures.selection import MixtureSelection

if TYPE_CHECKING:
    from natfit.results.mixtures.fitted import FittedMixture

Array = np.ndarray[Any, np.dtype[Any]]


class MixtureRefitting:
    """Mixed into a mixture."""

    if TYPE_CHECKING:
        family: Any
        fit: Callable[..., MixtureResults]

    @classmethod
    def select(
        cls,
        family: Any,
        y: Any,
        n_components: Any = range(1, 6),
        covariance: Any = "full",
        progress: bool = False,
        **options: Any,
    ) -> MixtureSelection:
        """Fit mixtures of several sizes and covariance models, to be compared by AIC, BIC and ICL.

        Parameters
        ----------
        family, y
            As for `Mixture` and `fit`.
        n_components : iterable of int
        covariance : str or sequence of str
            ``"all"`` tries every model that the number of columns allows.
        progress : bool
        **options
            Further arguments of `Mixture` and of `fit`.

        Returns
        -------
        MixtureSelection

        Examples
        --------
        >>> import natfit as nf
        >>> velocity = nf.datasets.load("galaxies")["velocity"]
        >>> chosen = nf.Mixture.select("gaussian", velocity, range(1, 4), covariance="all", random_state=0).best()
        >>> chosen.n_components, chosen.model.covariance, round(chosen.bic, 3)
        (3, 'V', 441.612)
        """
        return select(cls, family, y, n_components, covariance, progress, options)

    def again(self, results: MixtureResults, block: Block, tol: float = 1e-8) -> Array | None:
        """Return the parameters of the maximum on other rows that a fit's own lead to; None where there is none."""
        fitted = results.base
        objective = MixtureObjective(fitted.likelihood, ArraySource(block), fitted.data.observations_per_weight)
        try:
            outcome = climb(objective, fitted.params, fitted.coordinates, tol, 500)
        except (OutsideDomain, OffImageError):
            return None
        return outcome.params if outcome.converged else None

    def refit(self, fitted: FittedMixture, y: Array, **options: Any) -> MixtureResults:
        """Fit other rows of the columns that a fit has, missing values among them where it has some."""
        import pandas as pd

        partly = isinstance(fitted.likelihood.components, PartlySeenGaussians)
        columns = fitted.data.columns
        table = pd.Series(y, name=columns[0]) if y.ndim == 1 else pd.DataFrame(y, columns=columns)
        return self.fit(table, missing="observed" if partly else "none", **options)

    def attempt(self, fitted: FittedMixture, y: Array, **options: Any) -> MixtureResults | None:
        """Return what `refit` does, or None where no start leads to a maximum inside the constraint."""
        try:
            return self.refit(fitted, y, **options)
        except NoMaximum:
            return None

    def objective(self, fitted: FittedMixture) -> MixtureObjective:
        """Return what a fit maximizes, in the likelihood's own parameters: for other optimizers and for diagnostics."""
        return MixtureObjective(fitted.likelihood, fitted.data.source)

    def traces(self, fitted: FittedMixture, most: int) -> dict[str, list[tuple[int, float]]]:
        """Return passes and log-likelihood left to gain, from one start, of plain EM and of the way that fits take."""
        best = fitted.outcome.point.loglik
        ours = climb(self.objective(fitted), fitted.search.start, fitted.coordinates).record
        theirs = em().run(self.objective(fitted), fitted.search.start, Slow(left=1e-7, gain=1e-9), most).record
        return {
            name: [(row.passes, best - row.loglik) for row in record]
            for name, record in (("EM", theirs), ("natfit", ours))
        }
