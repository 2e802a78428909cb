"""The rest of what statsmodels' GLMResults can be asked, under its names."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.response_names import warn_of_scale

Array = np.ndarray[Any, np.dtype[Any]]


class Surface:
    """Mixed into a GLM's fit: thin methods; each imports what it stands on when it is called."""

    if TYPE_CHECKING:
        model: Any
        fitted: Any
        scale: float
        family: Any

        @property
        def _params_filled(self) -> Array: ...

    @property
    def _results(self) -> Any:
        """This fit without labels: statsmodels' generic classes unwrap a result by this name."""
        plain = copy.copy(self)
        vars(plain).update(model=copy.copy(self.model))
        plain.model.data = replace(self.model.data, labelled=False)
        for name in ("params", "fittedvalues"):
            vars(plain).pop(name, None)
        return plain

    def get_distribution(
        self, exog: Any = None, transform: bool = True, var_weights: Any = 1.0, n_trials: Any = 1, **known: Any
    ) -> Any:
        """Return SciPy's frozen distribution of responses at fitted means, with the dispersion as estimated.

        Parameters
        ----------
        exog, transform, offset, exposure
            As of `predict`.
        var_weights : array_like
            What the variance is divided by.
        n_trials : array_like
            Trials of a binomial, whose distribution is that of the number of successes.

        Raises
        ------
        NotImplementedError
            For a family that SciPy has no distribution for.

        Examples
        --------
        >>> import natfit as nf
        >>> fit = nf.GLM([1, 2, 4, 9], np.ones((4, 1)), family="poisson").fit()
        >>> fit.get_distribution([[1.0]]).pmf(0).round(4)
        array([0.0183])
        """
        mu = np.asarray(self.predict(exog, transform, **known))  # type: ignore[attr-defined]
        warn_of_scale(self.family, self.scale)
        return self.family.get_distribution(mu, self.scale, var_weights, n_trials)

    def get_hat_matrix_diag(self, observed: bool = True) -> Array:
        """Return the leverages, (n,): the diagonal of the hat matrix of the observed (or expected) information.

        Raises
        ------
        ValueError
            If a coefficient is aliased or separated.
        """
        from natfit.results.statsmodels_tools import hat_matrix_diag

        return hat_matrix_diag(self, observed)  # type: ignore[arg-type]

    def get_influence(self, observed: bool = True) -> Any:
        """Return statsmodels' GLMInfluence of this fit; its measures are arrays as large as the design.

        Parameters
        ----------
        observed : bool
            Whether leverages are those of the observed information.
        """
        from natfit.results.statsmodels_tools import influence

        return influence(self, observed)  # type: ignore[arg-type]

    def get_margeff(
        self, at: str = "overall", method: str = "dydx", atexog: Any = None, dummy: bool = False, count: bool = False
    ) -> Any:
        """Return statsmodels' marginal effects, with standard errors by the delta method.

        Parameters
        ----------
        at : {"overall", "mean", "median", "zero", "all"}
            Averaged over the rows, or at these values of the columns.
        method : {"dydx", "eyex", "dyex", "eydx"}
            Derivatives of the mean or of its logarithm, in the columns or in their logarithms.
        atexog : dict or array_like, optional
            Values of columns to hold.
        dummy, count : bool
            Whether columns of zeros and ones, or of counts, are changed by one instead of differentiated.
        """
        from natfit.results.statsmodels_tools import marginal_effects

        return marginal_effects(self, at, method, atexog, dummy, count)  # type: ignore[arg-type]

    def score_test(
        self,
        exog_extra: Any = None,
        params_constrained: Any = None,
        hypothesis: str = "joint",
        cov_type: str | None = None,
        cov_kwds: Any = None,
        k_constraints: int | None = None,
        observed: bool = True,
        **options: Any,
    ) -> Any:
        """Test columns left out of the model, or the restrictions of a constrained fit, by the score; as statsmodels.

        Parameters
        ----------
        exog_extra : (n, k) array_like, optional
            Columns whose coefficients are 0 under the hypothesis.
        params_constrained : (p,) array_like, optional
            The restricted estimate; the fit's own by default.
        hypothesis : {"joint", "separate"}
        cov_type : {"nonrobust", "HC0"}, optional
        k_constraints : int, optional
            How many restrictions ``params_constrained`` meets.
        observed : bool
            Whether the score's covariance is the observed information.
        """
        from natfit.results.statsmodels_tools import score_test

        return score_test(
            self,  # type: ignore[arg-type]
            exog_extra,
            params_constrained,
            k_constraints,
            hypothesis=hypothesis,
            cov_type=cov_type,
            cov_kwds=cov_kwds,
            observed=observed,
            **options,
        )

    def summary2(
        self,
        yname: Any = None,
        xname: Any = None,
        title: str | None = None,
        alpha: float = 0.05,
        float_format: str = "%.4f",
    ) -> Any:
        """Return statsmodels' second kind of table; arguments as of `summary`."""
        from natfit.results.statsmodels_tools import summary2

        return summary2(self, yname, xname, title, alpha, float_format)  # type: ignore[arg-type]
