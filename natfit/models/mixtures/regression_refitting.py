"""Other mixtures of regressions beside one: of other sizes, another response, rows repeated, from a fit's estimates."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from natfit.data.block import Block
from natfit.metric import SingularMetric
from natfit.models.mixtures import regression_data as rows_of
from natfit.models.mixtures.fitting import MixtureObjective
from natfit.models.mixtures.regression_fitting import climb
from natfit.models.mixtures.regression_setup import source_of
from natfit.models.mixtures.search import NoMaximum
from natfit.models.mixtures.select import select_regressions
from natfit.optimize.loop import OutsideDomain

if TYPE_CHECKING:
    from natfit.likelihoods.glm import GLMLikelihood
    from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]


class RegressionRefitting:
    """Mixed into a mixture of regressions."""

    if TYPE_CHECKING:
        rows: Any
        data: Any
        source: Any
        members: list[GLMLikelihood]
        n_components: int
        fit: Callable[..., MixtureRegressionResults]

        @property
        def chosen(self) -> Array | None: ...

    @classmethod
    def select(
        cls,
        formula: str,
        data: Any,
        n_components: Iterable[int] | int = range(1, 6),
        *,
        progress: bool = False,
        **options: Any,
    ) -> Any:
        """Fit mixtures of several sizes, to be compared by AIC, BIC and ICL.

        Parameters
        ----------
        formula, data
            As of `from_formula`.
        n_components : iterable of int
        progress : bool
        **options
            Of `from_formula`, and ``n_init``, ``random_state``, ``tol``, ``maxiter`` of `fit`.

        Returns
        -------
        MixtureSelection
            ``table()``, ``best("bic")``, ``plot()``.

        Examples
        --------
        >>> import natfit as nf
        >>> tone = nf.datasets.load("tonedata")
        >>> sizes = nf.MixtureRegression.select("tuned ~ stretchratio", tone, [1, 2], dispersion="shared", random_state=0)
        >>> sizes.best("bic").n_components
        2
        """
        return select_regressions(cls, formula, data, n_components, progress, options)

    def again(self, results: MixtureRegressionResults, block: Block) -> Array | None:
        """Return the parameters of the maximum on other rows that a fit's own lead to; None where there is none."""
        objective = MixtureObjective(results.likelihood, source_of(block))
        try:
            outcome = climb(objective, results.base.params, 1e-8, 300)
        except (OutsideDomain, SingularMetric):
            return None
        return outcome.params if outcome.converged else None

    def attempt(self, **options: Any) -> MixtureRegressionResults | None:
        """Return the fit, or None where no start leads to a maximum inside the constraint."""
        try:
            return self.fit(**options)
        except NoMaximum:
            return None

    def changed(self, y: Array | None = None, n_components: int | None = None) -> Self:
        """Return the model of another response, of another number of components like these, or both."""
        made = copy.copy(self)
        if y is not None:
            made.data = self.data.changed(y=y)
            made.rows = replace(self.rows, glm=made.data)
            made.source = made.rows.source(self.chosen)
        if n_components is not None:
            made.n_components = n_components
            made.members = [self.members[0]] * n_components
        return made

    def repeated(self) -> Self:
        """Return the model of rows repeated as often as their frequencies say."""
        made = copy.copy(self)
        made.rows = rows_of.repeated(self.rows)
        made.data, made.source = made.rows.glm, made.rows.source(self.chosen)
        return made
