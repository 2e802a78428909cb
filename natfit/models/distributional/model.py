"""Regressions in which every parameter of the distribution has a predictor, as users call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from natfit.data.checks import check_not_empty
from natfit.data.streams.tables import Tables
from natfit.families.distributional import get
from natfit.families.distributional.base import DistributionalFamily
from natfit.likelihoods.distributional import DistributionalLikelihood
from natfit.models import binding
from natfit.models.arguments import check_start, make_settings
from natfit.models.checkpointing import with_distributional_checkpoint
from natfit.models.distributional.bind import from_arrays
from natfit.models.distributional.constraints import resolve_constraints
from natfit.models.distributional.data import (
    DistributionalData,
    by_parameter,
    class_numbers,
    formulas_of,
)
from natfit.models.distributional.fitting import Problem, fit_distributional
from natfit.models.distributional.formulas import Beside, bind_formulas, held_values, offsets_of, with_links
from natfit.models.distributional.refitting import Refitting
from natfit.models.distributional.rows import ParameterRows, parameter_rows
from natfit.results.distributional.covariance import read_covariance
from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]


class DistributionalRegression(Refitting):
    """A regression in which location, scale, shape, zero inflation or classes each have predictors of their own.

    link_k(theta_k) = X_k beta_k + offset_k for every parameter theta_k of the response's distribution; all coefficients
    are fitted together by maximum likelihood. A generalized linear model is the case of one predictor.

    Parameters
    ----------
    endog : (n,) or (n, d) array_like
        The response; columns of counts for classes, or successes and failures.
    exog : mapping of str to (n, p_k) array_like, or array_like
        A design for each parameter by its name; parameters without one are constants. Anything but a mapping is the
        first parameter's design. No intercept is added.
    family : str, DistributionalFamily or Family
        One of `natfit.families.distributional.names()`, or an object.
    links : mapping of str to str or Link, or str, optional
        By parameter; the family's defaults where left out. One link alone is the first parameter's, or that of classes.
    offset : mapping of str to (n,) array_like, or (n,) array_like, optional
        Added to the predictors, by parameter. One alone is the first parameter's, or that of every class.
    freq_weights : (n,) array_like, optional
        How many identical observations a row stands for.
    fixed : mapping of str to float, optional
        Parameters that are held at a number instead of having a predictor.
    constraints : str, sequence of str or (p, q) array_like, optional
        Linear constraints on the coefficients, as text (``"mean:x = precision:x"``, ``"mean:z = 1"``), or as the matrix C
        of coefficients = C @ free coordinates.
    parametrization : str or Parametrization, optional
        Which parametrization of the distribution carries the predictors.
    missing : {"none", "drop", "raise"}
        What to do about rows with missing values.
    n_jobs : int, optional
        Threads for large data; all processors by default. No number depends on it.

    Raises
    ------
    ValueError
        Where the data can't be fitted by the family: the column, the rows and the remedy are named.

    Notes
    -----
    Rigby & Stasinopoulos (2005), Applied Statistics 54, 507-554; Yee (2015), Vector Generalized Linear and Additive
    Models.

    Examples
    --------
    >>> import natfit as nf
    >>> data = nf.datasets.load("gasoline")
    >>> model = nf.DistributionalRegression.from_formula("yield ~ temp | temp", data, family="beta")
    >>> model.fit().params.round(3)
    mean:Intercept        -4.045
    mean:temp              0.008
    precision:Intercept    4.231
    precision:temp        -0.003
    dtype: float64
    """

    def __init__(
        self,
        endog: Any,
        exog: Any = None,
        family: Any = "gaussian",
        *,
        links: Any = None,
        offset: Any = None,
        freq_weights: Any = None,
        fixed: Mapping[str, float] | None = None,
        constraints: Any = None,
        parametrization: Any = None,
        missing: str = "none",
        n_jobs: int | None = None,
    ):
        resolved = with_links(get(family, parametrization), links)
        check_not_empty(len(endog))
        levels = None
        if resolved.shared_predictors:
            endog, levels = class_numbers(endog)
            name = " + ".join(map(str, endog.columns)) if hasattr(endog, "columns") else "y"
            resolved = resolved.bind(np.asarray(endog, dtype=float), name, levels)[0]
        held = held_values(resolved, fixed)
        free = tuple(name for name in resolved.parameter_names if name not in held)
        if resolved.shared_predictors and not isinstance(exog, Mapping):
            designs = dict.fromkeys(free, exog)
        else:
            designs = by_parameter(exog, resolved, "a design")
        data = from_arrays(endog, designs, offsets_of(offset, resolved, held), freq_weights, missing, free)
        resolved, data.y = resolved.bind(data.y, data.y_name, levels)
        self._bind(data, resolved, links, held, constraints, n_jobs)

    @classmethod
    def from_formula(
        cls,
        formula: Any,
        data: Any,
        family: Any = "gaussian",
        *,
        links: Any = None,
        offset: Any = None,
        freq_weights: Any = None,
        fixed: Mapping[str, float] | None = None,
        constraints: Any = None,
        parametrization: Any = None,
        missing: str = "drop",
        n_jobs: int | None = None,
        eval_env: int = 0,
    ) -> DistributionalRegression:
        """Make a model from formulas and a table.

        Parameters
        ----------
        formula : mapping of str to str, or str
            A formula for each parameter, ``{"mean": "y ~ x + C(g)", "precision": "~ x"}``, or the parts in the family's
            order, ``"y ~ x + C(g) | x"``. Parameters without one are constants.
        data : pandas or polars DataFrame, mapping of arrays, or tables of `natfit.data` such as ``from_parquet``
            Tables may be larger than memory: rows stream by in every pass.
        offset : mapping of str to str or array_like, or one of these, optional
            A column's name, an expression or an array, by parameter; one alone is as for the class.
        freq_weights : str or array_like, optional
        missing : {"drop", "raise", "none"}
            A row that lacks a value in anything that any parameter uses is dropped by default.
        family, links, fixed, constraints, parametrization, n_jobs
            As for the class.
        """
        context = binding.caller_namespace(2 + int(eval_env))
        resolved = with_links(get(family, parametrization), links)
        data = data.on_threads(n_jobs) if isinstance(data, Tables) else data
        left, given = formulas_of(getattr(data, "formula", None) if formula is None else formula)
        beside = Beside(fixed, offset, freq_weights)
        bound, resolved, held = bind_formulas(left, given, data, resolved, beside, missing, context)
        model = cls.__new__(cls)
        model._bind(bound, resolved, links, held, constraints, n_jobs)
        return model

    def _bind(
        self,
        data: DistributionalData,
        family: DistributionalFamily,
        links: Any,
        held: dict[str, float],
        constraints: Any,
        n_jobs: int | None,
    ) -> None:
        self.data, self.family, self.held, self.n_jobs = data, family, held, n_jobs
        given = links if isinstance(links, Mapping) else {}
        if links is not None and not isinstance(links, Mapping) and not family.shared_predictors:
            given = {family.parameter_names[0]: links}
        self.links = family.resolve_links(given)
        self.source = data.source(n_jobs)
        self.nobs, self.wnobs = data.n_rows, data.count()
        names = {name: data.names[name] for name in family.parameter_names if name in data.names}
        self.likelihood = DistributionalLikelihood(family, self.links, names, held)
        self.constraints = resolve_constraints(constraints, self.likelihood.layout, family, data)
        self.exog_names = list(self.constraints.tie.names)
        self.endog_names = data.y_name

    def fit(
        self,
        start_params: Any = None,
        maxiter: int = 100,
        tol: float | None = None,
        cov_type: str = "nonrobust",
        cov_kwds: Mapping[str, Any] | None = None,
        *,
        optimizer: Any = None,
        rank: str = "drop",
        progress: bool = False,
        checkpoint: Any = None,
        random_state: int | None = None,
    ) -> DistributionalResults:
        """Fit all coefficients together by maximum likelihood, with the natural gradient.

        Parameters
        ----------
        start_params : (q,) array_like, optional
            Free coefficients to start from, in the order of ``exog_names``. By default constants are fitted first.
        maxiter : int
        tol : float, optional
            Stop when the decrement falls below this; 1e-12, a millionth of a standard error, by default.
        cov_type : {"nonrobust", "EIM", "OIM", "HC0", "HC1", "cluster", "HAC", ...}
            Standard errors from the expected information, the observed information, or a sandwich of the observed
            information and the rows' scores, as for `natfit.GLM.fit`; "HC2" and "HC3" are for GLMs alone.
        cov_kwds : mapping, optional
            Settings of the covariance, such as ``{"groups": labels}`` of clusters.
        optimizer : Optimizer or Direction, optional
        rank : {"drop", "raise"}
            What to do about aliased columns.
        progress : bool
            Show a bar with the passes, the decrement and the rows per second.
        checkpoint : str or Path, optional
            A file that is written after each pass; a fit that finds one of its own goes on from there and ends at the same
            answer. Delete it to begin anew.
        random_state : int, optional
            Seeds the samples that a fit of many rows begins on; the answer depends on it by less than the tolerance.

        Returns
        -------
        DistributionalResults
            Also where the fit did not converge; a ConvergenceWarning says why.
        """
        wanted = read_covariance(cov_type, cov_kwds, self.data)
        start = check_start(start_params, len(self.exog_names))
        extra = {"random_state": random_state} | ({} if tol is None else {"tol_criterion": "decrement"})
        settings = make_settings(start, maxiter, tol, optimizer, rank, extra)
        settings = with_distributional_checkpoint(settings, checkpoint, self)
        with binding.progress_bar(progress, self.nobs) as callback:
            fitted = self._run(settings, callback)
        results = DistributionalResults(self, fitted, wanted)
        self._warn(results)
        return results

    def save_fit(self, results: DistributionalResults, path: Any) -> None:
        """Write a fit of this model to a file: see `natfit.DistributionalResults.save`."""
        from natfit.models.storage.storing import save

        save(results, path)

    def profiler(self, results: DistributionalResults, which: Any, name: str | None = None) -> Any:
        """Return what profiles one quantity of a fit: see `natfit.DistributionalResults.profile`."""
        from natfit.models.distributional.profiling import DistributionalProfiler

        return DistributionalProfiler(self, results, which, name)

    def new_rows(self, exog: Any = None, offset: Any = None) -> ParameterRows:
        """Return the rows that predictions are wanted for: the model's own, new designs, or a new table."""
        return parameter_rows(self, exog, offset)

    def _run(self, settings: Any, callback: Any) -> Any:
        from dataclasses import replace

        problem = Problem(self.likelihood, self.source, self.data, self.constraints.tie)
        return fit_distributional(problem, replace(settings, callback=callback))

    def _warn(self, results: DistributionalResults) -> None:
        if results.converged:
            return
        import warnings

        from natfit.results.warnings import ConvergenceWarning

        warnings.warn(f"the fit did not converge: {results.reason}", ConvergenceWarning, stacklevel=3)
