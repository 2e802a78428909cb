"""Generalized linear models, as users call them."""

from __future__ import annotations

from typing import Any

from natfit.families.links import Link
from natfit.families.response import Response
from natfit.likelihoods.glm import GLMLikelihood
from natfit.models import binding
from natfit.models.arguments import (
    check_start,
    make_settings,
    resolve_covariance,
    resolve_dispersion,
    resolve_reduction,
)
from natfit.models.checkpointing import with_checkpoint
from natfit.models.checks import check_for, check_maximum
from natfit.models.data import GLMData
from natfit.models.families import resolve_family
from natfit.models.fitting import Settings, fit_glm
from natfit.models.glm_attributes import GLMAttributes
from natfit.models.glm_formulas import GLMFormulas
from natfit.models.glm_refitting import GLMRefitting
from natfit.models.glm_rows import GLMRows
from natfit.models.rows import NewRows, row_column
from natfit.models.verdict import warn_about
from natfit.results.fitted import Fitted
from natfit.results.glm import GLMResults


class GLM(GLMFormulas, GLMRefitting, GLMAttributes, GLMRows):
    """A generalized linear model: E[y] = mu, link(mu) = X beta + offset, Var[y] = dispersion V(mu) / weight.

    Takes the place of ``statsmodels.api.GLM``: the same arguments, attribute names and numbers.

    Parameters
    ----------
    endog : array_like, (n,) or (n, 2)
        The response. For a binomial, two columns are successes and failures.
    exog : array_like, (n, p)
        The design: a NumPy array (used as it is, never copied), a pandas or polars DataFrame, a SciPy sparse or a tabmat
        matrix. No intercept is added.
    family : str or family, optional
        One of `natfit.families`, by name or object, or a statsmodels family; Gaussian by default.
    offset : (n,) array_like, optional
        Added to the linear predictor.
    exposure : (n,) array_like, optional
        Its logarithm is added to the linear predictor; needs the log link.
    freq_weights : (n,) array_like, optional
        How many identical observations a row stands for.
    var_weights : (n,) array_like, optional
        A row's variance is divided by this.
    missing : {"none", "drop", "raise"}
        What to do about rows with missing values. Under "none" they are refused too: a fit never goes on with NaN.
    link : str or Link, optional
        One of `natfit.families.links`; the family's default where left out.
    trials : (n,) array_like, optional
        For a binomial whose ``endog`` is a proportion: how many trials it is of. The log-likelihood then carries the
        binomial coefficient.
    dispersion : float or {"pearson", "deviance", "ml"}, optional
        What the variance is multiplied by. By default 1 for binomial, Poisson and negative binomial, and Pearson's
        statistic over its degrees of freedom for the others; ``"pearson"`` makes any family a quasi-likelihood.
    n_jobs : int, optional
        Threads for large data; all processors by default. No number depends on it.

    Raises
    ------
    ValueError
        Where the data can't be fitted by the family: the column, the rows and the remedy are named.

    Examples
    --------
    >>> import numpy as np
    >>> import natfit as nf
    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
    >>> fit = nf.GLM([1, 2, 4, 9], X, family="poisson").fit()
    >>> fit.params.round(4)
    array([-0.0605,  0.7478])
    """

    quasi_note: str | None = None

    def __init__(
        self,
        endog: Any,
        exog: Any,
        family: Any = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        missing: str = "none",
        *,
        link: Any = None,
        trials: Any = None,
        dispersion: float | str | None = None,
        n_jobs: int | None = None,
        **kwargs: Any,
    ):
        trials = kwargs.pop("n_trials", None) if trials is None else trials
        has_constant = kwargs.pop("hasconst", None)
        kwargs.pop("formula", None)  # what statsmodels' tools give along with the arrays that a formula has made
        if kwargs:
            raise TypeError(f"GLM got an unexpected argument {next(iter(kwargs))!r}")
        extras = {
            "offset": offset,
            "exposure": exposure,
            "freq_weights": freq_weights,
            "var_weights": var_weights,
            "trials": trials,
        }
        bound = binding.from_arrays(endog, exog, extras, missing)
        bound.has_constant = has_constant
        self._set_up(bound, family, link, dispersion, n_jobs)

    def _set_up(self, bound: GLMData, family: Any, link: Any, dispersion: Any, n_jobs: int | None) -> None:
        resolved, resolved_link = resolve_family(family, link)
        self.quasi_note = check_for(bound, resolved, resolved_link)
        self._bind(bound, resolved, resolved_link, resolve_dispersion(resolved, dispersion), n_jobs)

    def _bind(self, bound: GLMData, family: Response, link: Link, dispersion: float | str, n_jobs: int | None) -> None:
        self.data, self.link, self.dispersion, self.n_jobs = bound, link, dispersion, n_jobs
        self.family = family.bound_to(link, bound.trials)
        self.source = bound.source(n_jobs)
        self.wnobs = bound.count()
        self.nobs = bound.n_rows
        self._rank: int | None = None

    @property
    def rank(self) -> int:
        """Number of columns that are linearly independent; known once fitted, else found by one pass."""
        if self._rank is None:
            from natfit.models.starting import first_pass

            self._rank = int((~first_pass(self.likelihood(), self.source, self.data.mean()).aliased).sum())
        return self._rank

    def likelihood(self, family: Response | None = None) -> GLMLikelihood:
        """Return the likelihood of the coefficients, for use with `natfit.optimize`."""
        return GLMLikelihood(family or self.family, self.link, self.data.names, self.dispersion != 1.0)

    def fit(
        self,
        start_params: Any = None,
        maxiter: int = 100,
        method: str = "IRLS",
        tol: float | None = None,
        scale: float | str | None = None,
        cov_type: str = "nonrobust",
        cov_kwds: dict[str, Any] | None = None,
        use_t: bool | None = None,
        full_output: bool = True,
        disp: bool = False,
        max_start_irls: int = 3,
        *,
        optimizer: Any = None,
        rank: str = "drop",
        bias_reduction: str | None = None,
        progress: bool = False,
        **kwargs: Any,
    ) -> GLMResults:
        """Fit by maximum likelihood, with the natural gradient.

        Parameters
        ----------
        start_params : (p,) array_like, optional
        maxiter : int
        method : str
            Kept for statsmodels' scripts. Every method leads to the same maximum and natfit goes there by the natural
            gradient; any but "IRLS" reports standard errors from the observed information, as statsmodels does.
        tol : float, optional
            Stop when the decrement falls below this; 1e-12 (a millionth of a standard error) by default. With
            ``tol_criterion`` "deviance" or "params", or if only ``tol`` is given, it means what it means in statsmodels:
            the change of the deviance, or of the parameters.
        tol_criterion : {"decrement", "deviance", "params"}, optional
        scale : float or {"X2", "dev"}, optional
            Dispersion: a number, Pearson's or the deviance's over the residual degrees of freedom.
        cov_type : {"nonrobust", "EIM", "OIM", "HC0", "HC1", "HC2", "HC3", "cluster", "HAC", "hac-panel", "hac-groupsum"}
            Expected information, observed information, or one that is robust: see `natfit.results.robust` for each formula
            and what it assumes of weights.
        cov_kwds : dict, optional
            Settings of a robust covariance.

            - all: ``scaling_factor``, a number; ``bread``, "observed" (statsmodels) or "expected" information (R).
            - cluster: ``groups``, one label for each row, or two columns of them for two ways, or names of columns of the
              formula's table; ``use_correction``, True
              (R's ``vcovCL`` of type HC1), False or "HC0" (G / (G - 1) alone); ``df_correction``, False to keep `df_resid`
              for Student's t where it would be one less than the clusters.
            - HAC: ``maxlags``, by default 4 (n / 100)^(2/9); ``kernel``, "bartlett", "uniform" or a function of the number
              of lags; ``use_correction``, False by default.
            - hac-panel: ``groups`` or ``time`` besides, rows of a series standing together; ``use_correction``, "hac",
              "cluster" or False. hac-groupsum: ``time`` besides; ``use_correction``, "cluster", "hac" or False.
        use_t : bool, optional
            Student's t instead of the normal law for tests and intervals.
        optimizer : Optimizer or Direction, optional
            Such as ``nf.optimize.gradient_descent()``.
        rank : {"drop", "raise"}
            What to do about aliased columns: give them NaN and a note, or refuse.
        bias_reduction : {"firth", "mean"}, optional
            "firth" adds half the log determinant of the Fisher information (Jeffreys' prior) to the log-likelihood, which
            keeps estimates finite under separation. "mean" adjusts the score so that the first-order bias goes; under a
            canonical link the two are one. Standard errors come from the information at these estimates.
        progress : bool
            Show a bar with the passes, the decrement and the rows per second.
        checkpoint : str or Path, optional
            A file that is written after each pass; a fit that finds one of its own goes on from there and ends at the same
            answer. Delete it to begin anew.
        random_state : int, optional
            Seed of the samples of rows on which the fit of large data begins (`natfit.optimize.Lazy`); 0 by default. The
            optimum does not depend on it.

        Returns
        -------
        GLMResults
            Also where the fit did not converge; a ConvergenceWarning or SeparationWarning says why.
        """
        covariance = resolve_covariance(method, cov_type, cov_kwds, self.data, kwargs)
        start = check_start(start_params, len(self.data.names))
        scale = kwargs.get("scaletype") if scale is None else scale
        dispersion = resolve_dispersion(self.family, self.dispersion if scale is None else scale)
        reduction = resolve_reduction(bias_reduction, dispersion, self.family, optimizer)
        if reduction is None:
            check_maximum(self.data, self.family, self.link)
        checkpoint = kwargs.pop("checkpoint", None)
        settings = make_settings(start, maxiter, tol, optimizer, rank, kwargs, reduction)
        settings = with_checkpoint(settings, checkpoint, self)
        with binding.progress_bar(progress, self.nobs) as callback:
            fitted, family, shape = self._run(settings, callback)
        self._rank = int(fitted.kept.sum())
        results = GLMResults(self, fitted, family, dispersion, covariance, use_t, shape)
        results.method = method
        results.mle_settings = {"optimizer": method, "maxiter": maxiter, "full_output": full_output, "disp": disp}
        warn_about(fitted, self.data.names)
        return results

    def _run(self, settings: Settings, callback: Any) -> tuple[Fitted, Response, Any]:
        """Return the fit, the family with its constants as estimated, and what is known of an estimated shape."""
        from dataclasses import replace

        settings = replace(settings, callback=callback)
        mean = self.data.mean()
        if getattr(self.family, "alpha", None) == "ml":
            from natfit.models.negative_binomial import fit_with_alpha

            return fit_with_alpha(self, settings)
        fitted = fit_glm(self.likelihood(), self.source, mean, lambda rank: self.wnobs - rank, settings)
        return fitted, self.family, None

    def save_fit(self, results: GLMResults, path: Any) -> None:
        """Write a fit to a file: see `natfit.models.storage.storing.save`."""
        from natfit.models.storage.storing import save

        save(results, path)

    def new_rows(self, exog: Any = None, transform: bool = True, **known: Any) -> NewRows:
        """Return the rows that predictions are wanted for: the model's own, new rows of a design, or a new table."""
        return binding.new_rows(self, exog, transform, **known)

    def row_column(self, rows: NewRows, name: str, given: Any = None, exog: Any = None) -> Any:
        """Return the trials or precision weights of rows to predict for: see `natfit.models.rows.row_column`."""
        return row_column(self, rows, name, given, exog)
