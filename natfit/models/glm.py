"""Generalized linear models, as users call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.matrix import Constant
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
from natfit.models.fitting import Fitted, Settings, fit_glm
from natfit.models.glm_attributes import GLMAttributes
from natfit.models.glm_rows import GLMRows
from natfit.models.origin import Origin, updated
from natfit.models.rows import NewRows, row_column
from natfit.models.verdict import warn_about
from natfit.results.constrained import ConstrainedResults
from natfit.results.glm import GLMResults

if TYPE_CHECKING:
    from natfit.models.profiling import Profiler

Array = np.ndarray[Any, np.dtype[Any]]


class GLM(GLMAttributes, GLMRows):
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

    formula: str  # of a model made from one; statsmodels' tools ask whether it is there
    quasi_note: str | None = None
    origin: Origin | None = None

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

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        subset: Any = None,
        drop_cols: Any = None,
        *args: Any,
        family: Any = None,
        offset: Any = None,
        exposure: Any = None,
        freq_weights: Any = None,
        var_weights: Any = None,
        missing: str = "drop",
        link: Any = None,
        trials: Any = None,
        dispersion: float | str | None = None,
        n_jobs: int | None = None,
        eval_env: int = 0,
        **kwargs: Any,
    ) -> GLM:
        """Make a model from a formula and a table.

        Parameters
        ----------
        formula : str
            As formulaic reads it: ``"sat ~ width + C(color)"``. Functions of the calling scope may be used.
        data : pandas or polars DataFrame, or mapping of arrays
        subset : array_like, optional
            Boolean mask or labels of the rows to use.
        drop_cols : sequence of str, optional
            Columns of the design to leave out.
        offset, exposure, freq_weights, var_weights, trials : str or array_like, optional
            A column's name, a formula expression such as ``"log(service)"``, or an array of its own.
        missing : {"drop", "raise", "none"}
            Rows with a missing value in anything that the model uses are dropped by default; the table says how many.
        family, link, dispersion, n_jobs
            As for the class.

        Notes
        -----
        A response of two strings, categories or booleans is 1 for the second level (True), as in R; the table names it.
        """
        context = binding.caller_namespace(2 + int(eval_env))
        trials = kwargs.pop("n_trials", None) if trials is None else trials
        if args or kwargs:
            raise TypeError(f"from_formula got an unexpected argument {next(iter(kwargs), args)!r}")
        arguments = {
            "subset": subset,
            "drop_cols": drop_cols,
            "missing": missing,
            "family": family,
            "link": link,
            "dispersion": dispersion,
            "n_jobs": n_jobs,
            "offset": offset,
            "exposure": exposure,
            "freq_weights": freq_weights,
            "var_weights": var_weights,
            "trials": trials,
        }
        return cls._from_table(formula, data, context, arguments)

    @classmethod
    def _from_table(cls, formula: str, table: Any, context: Mapping[str, Any], arguments: dict[str, Any]) -> GLM:
        """Make a model from a formula, a table and `from_formula`'s other arguments, and remember them."""
        formula = formula or getattr(table, "formula", None) or ""
        known = dict(arguments)
        family, link, dispersion, n_jobs = (known.pop(name) for name in ("family", "link", "dispersion", "n_jobs"))
        missing, subset, drop_cols = (known.pop(name) for name in ("missing", "subset", "drop_cols"))
        bound = binding.from_formula(formula, table, known, missing, subset, drop_cols, context)
        model = cls.__new__(cls)
        model._set_up(bound, family, link, dispersion, n_jobs)
        model.formula = formula
        model.origin = Origin.of(table, arguments)
        model.data.frame = model.origin.table
        return model

    def updated(self, formula: str | None, context: Mapping[str, Any], **changed: Any) -> GLM:
        """Return this model with its formula edited: see `natfit.models.origin.updated`."""
        return updated(self, formula, context, **changed)

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

        return fit_constrained(self, constraints, start_params, fit_kwds)

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

    def refit(self, results: GLMResults, **changed: Any) -> GLMResults:
        """Return a fit of this model with something changed: see `natfit.models.refit.refit`."""
        from natfit.models.refit import refit

        return refit(self, results, **changed)

    def profiler(self, results: GLMResults, which: Any, name: str | None = None) -> Profiler:
        """Return the profile likelihood of a coefficient, combination, function or shape of a fit, for its results."""
        from natfit.models.profiling import Profiler

        return Profiler(self, results, which, name)

    def lr_statistic(self, results: GLMResults, columns: Array) -> float:
        """Return the likelihood-ratio statistic of coefficients, by their numbers, being 0; penalised as the fit is."""
        from natfit.models.fit_objective import held_at_zero

        return held_at_zero(self, results, columns)

    def save_fit(self, results: GLMResults, path: Any) -> None:
        """Write a fit to a file: see `natfit.models.storage.storing.save`."""
        from natfit.models.storage.storing import save

        save(results, path)

    def null_fit(self, results: GLMResults) -> GLMResults:
        """Return the fit of a constant alone, with this model's offset and weights and the family as estimated."""
        constant = Constant(self.data.n_rows)
        return self.refit(results, design=constant, names=["const"], family=results.family, reduce_bias=False)

    def new_rows(self, exog: Any = None, transform: bool = True, **known: Any) -> NewRows:
        """Return the rows that predictions are wanted for: the model's own, new rows of a design, or a new table."""
        return binding.new_rows(self, exog, transform, **known)

    def row_column(self, rows: NewRows, name: str, given: Any = None, exog: Any = None) -> Any:
        """Return the trials or precision weights of rows to predict for: see `natfit.models.rows.row_column`."""
        return row_column(self, rows, name, given, exog)

    def predict(
        self, params: Any, exog: Any = None, exposure: Any = None, offset: Any = None, which: str = "mean"
    ) -> Any:
        """Return predicted means for given coefficients.

        Parameters
        ----------
        params : (p,) array_like
        exog : array_like, optional
            Rows of a design; the model's own by default, with its offset and exposure.
        which : {"mean", "linear", "var_unscaled"}
            The mean, the linear predictor, or the variance function at the mean.
        """
        rows = self.new_rows(exog, transform=False, exposure=exposure, offset=offset)
        eta = rows.matvec(np.asarray(params, dtype=float))
        if which in ("linear", "linpred"):
            return eta
        if which not in ("mean", "var_unscaled"):
            raise ValueError(f"which must be 'mean', 'linear' or 'var_unscaled', got {which!r}")
        with np.errstate(all="ignore"):
            mu, complement, _ = self.link.mean(eta)
            return mu if which == "mean" else self.family.variance(mu, complement)
