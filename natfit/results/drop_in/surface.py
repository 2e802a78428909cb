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

    rows_removed = False
    """Whether `remove_data` has taken the rows away."""

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
        from natfit.results.drop_in.tools import hat_matrix_diag

        return hat_matrix_diag(self, observed)  # type: ignore[arg-type]

    def get_influence(self, observed: bool = True) -> Any:
        """Return statsmodels' GLMInfluence of this fit; its measures are arrays as large as the design.

        Parameters
        ----------
        observed : bool
            Whether leverages are those of the observed information.
        """
        from natfit.results.drop_in.tools import influence

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
        from natfit.results.drop_in.tools import marginal_effects

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
        from natfit.results.drop_in.tools import score_test

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

    def t_test_pairwise(
        self, term_name: str, method: str | list[str] = "hs", alpha: float = 0.05, factor_labels: Any = None
    ) -> Any:
        """Test every two levels of a factor against each other; returns statsmodels' MultiCompResult.

        Parameters
        ----------
        term_name : str
            The factor, as the formula has it: ``"C(color)"``.
        method : str or list of str
            How p-values are adjusted for many tests: see ``statsmodels.stats.multitest.multipletests``.
        alpha : float
            For the decision to reject.
        factor_labels : list of str, optional
            Instead of the levels.

        Examples
        --------
        >>> import natfit as nf
        >>> data = {"y": [1, 3, 2, 7, 5, 9], "g": ["a", "a", "b", "b", "c", "c"]}
        >>> fit = nf.GLM.from_formula("y ~ g", data, family="poisson").fit()
        >>> fit.t_test_pairwise("g").result_frame["coef"].round(3).to_dict()
        {'b-a': 0.811, 'c-a': 1.253, 'c-b': 0.442}
        """
        from natfit.results.drop_in.tools import t_test_pairwise

        return t_test_pairwise(self, term_name, method, alpha, factor_labels)  # type: ignore[arg-type]

    def summary2(
        self,
        yname: Any = None,
        xname: Any = None,
        title: str | None = None,
        alpha: float = 0.05,
        float_format: str = "%.4f",
    ) -> Any:
        """Return statsmodels' second kind of table; arguments as of `summary`."""
        from natfit.results.drop_in.tools import summary2

        return summary2(self, yname, xname, title, alpha, float_format)  # type: ignore[arg-type]

    def remove_data(self) -> None:
        """Take the rows out of this fit, in place, so that it is small to pickle; table and predictions for new rows stay.

        What the table needs is computed first. What needs the rows afterwards, such as residuals, is refused in words. The
        model that was fitted is not touched: the fit lets it go.

        Examples
        --------
        >>> import natfit as nf
        >>> fit = nf.GLM([1, 2, 4, 9], np.ones((4, 1)), family="poisson").fit()
        >>> fit.remove_data()
        >>> fit.predict([[1.0]])
        array([4.])
        """
        from natfit.results.drop_in.slim import remove_rows

        remove_rows(self)  # type: ignore[arg-type]

    def plot_added_variable(
        self,
        focus_exog: int | str,
        resid_type: str | None = None,
        use_glm_weights: bool = True,
        fit_kwargs: Any = None,
        ax: Any = None,
    ) -> Any:
        """Draw what the other columns leave of the response against what they leave of one column.

        Parameters
        ----------
        focus_exog : int or str
            The column's number or name.
        resid_type : str, optional
            Which residuals of the fit without it; ``"resid_deviance"`` by default.
        use_glm_weights : bool
            Whether the column is regressed on the others with the fit's working weights.
        fit_kwargs
            Taken for statsmodels' scripts: the fit without the column is made as this one was.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Figure

        Notes
        -----
        Wang (1985), Technometrics 27, 273-276.
        """
        from natfit.diagnostics.plots.added_variable import plot_added_variable

        return plot_added_variable(self, focus_exog, resid_type, use_glm_weights, ax)

    def plot_partial_residuals(self, focus_exog: int | str, ax: Any = None) -> Any:
        """Draw a column's own part of the linear predictor plus the working residual; arguments as above.

        Notes
        -----
        Cook & Croos-Dabrera (1998), Journal of the American Statistical Association 93, 730-739.
        """
        from natfit.diagnostics.plots.added_variable import plot_partial_residuals

        return plot_partial_residuals(self, focus_exog, ax)

    def plot_ceres_residuals(
        self, focus_exog: int | str, frac: float = 0.66, cond_means: Any = None, ax: Any = None
    ) -> Any:
        """Draw residuals that show how a column enters, also where the others depend on it nonlinearly.

        Parameters
        ----------
        focus_exog : int or str
            The column's number or name.
        frac : float
            Span of the lowess smooth of the others given this one.
        cond_means : (n, k) array_like, optional
            Their conditional means given this one, instead of the smooth.
        ax : matplotlib Axes, optional

        Returns
        -------
        matplotlib Figure

        Notes
        -----
        Cook (1993), Technometrics 35, 351-362.
        """
        from natfit.diagnostics.plots.added_variable import plot_ceres_residuals

        return plot_ceres_residuals(self, focus_exog, frac, cond_means, ax)
