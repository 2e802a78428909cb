"""Other fits of a generalized linear model's data: under constraints, with something changed, along a profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.matrix import Constant
from natfit.results.constrained import ConstrainedResults
from natfit.results.glm import GLMResults

if TYPE_CHECKING:
    from natfit.models.data import GLMData
    from natfit.models.profiling import Profiler

Array = np.ndarray[Any, np.dtype[Any]]


class GLMRefitting:
    """Mixed into a model: fits besides the one of all coefficients, most of them asked for by its results."""

    if TYPE_CHECKING:
        data: GLMData

    def fit_constrained(self, constraints: Any, start_params: Any = None, **fit_kwds: Any) -> ConstrainedResults:
        """Fit under linear constraints R beta = q, by maximum likelihood.

        Parameters
        ----------
        constraints : str, list of str, mapping, (k, p) array_like, or (R, q)
            ``"x1 = x2, x3 = 0.5"``, or R with q = 0 unless given.
        start_params : (p,) array_like, optional
        **fit_kwds
            As of `fit`.

        Returns
        -------
        ConstrainedResults
            Its standard errors know of the constraints; its ``results_constrained`` is the fit of the free coefficients.

        Raises
        ------
        ValueError
            If the constraints can't be read, contradict each other, or leave nothing to fit.

        Notes
        -----
        The constraints are solved for some of the coefficients, and the others fitted on combinations of the columns.

        Examples
        --------
        >>> import numpy as np
        >>> import natfit as nf
        >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.0, 1.0]])
        >>> nf.GLM([1, 2, 4, 9], X, family="poisson").fit_constrained("x1 = 0.5").params.round(4)
        array([0.3177, 0.5   , 0.2835])
        """
        from natfit.models.constrained import fit_constrained

        return fit_constrained(self, constraints, start_params, fit_kwds)  # type: ignore[arg-type]

    def refit(self, results: GLMResults, **changed: Any) -> GLMResults:
        """Return a fit of this model with something changed: see `natfit.models.refit.refit`."""
        from natfit.models.refit import refit

        return refit(self, results, **changed)  # type: ignore[arg-type]

    def profiler(self, results: GLMResults, which: Any, name: str | None = None) -> Profiler:
        """Return the profile likelihood of a coefficient, combination, function or shape of a fit, for its results."""
        from natfit.models.profiling import Profiler

        return Profiler(self, results, which, name)  # type: ignore[arg-type]

    def lr_statistic(self, results: GLMResults, columns: Array) -> float:
        """Return the likelihood-ratio statistic of coefficients, by their numbers, being 0; penalised as the fit is."""
        from natfit.models.fit_objective import held_at_zero

        return held_at_zero(self, results, columns)  # type: ignore[arg-type]

    def null_fit(self, results: GLMResults) -> GLMResults:
        """Return the fit of a constant alone, with this model's offset and weights and the family as estimated."""
        constant = Constant(self.data.n_rows)
        return self.refit(results, design=constant, names=["const"], family=results.family, reduce_bias=False)
