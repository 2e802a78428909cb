"""The result of a regression for every parameter of a distribution."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.threads import one_blas_thread
from natfit.families.distributional.base import Parameters
from natfit.metric import Gram, SingularMetric
from natfit.need import LOGLIK, OBSERVED
from natfit.results import robust
from natfit.results.coefficients import Coefficients
from natfit.results.cov_type import KINDS, CovarianceType
from natfit.results.distributional.at_rows import AtRows, Predictors, check_levels, quantiles, quantity
from natfit.results.distributional.covariance import FreeScores, read_covariance
from natfit.results.distributional.diagnosis import Diagnosis
from natfit.results.distributional.laws import WithLaws
from natfit.results.distributional.measures import FitMeasures
from natfit.results.distributional.observations import Observing
from natfit.results.distributional.predicting import Predicting
from natfit.results.distributional.resampling import Resampling
from natfit.results.keeping import Keeping
from natfit.results.plots import EstimatePlots, FittedPlot, ParameterEffectPlot
from natfit.results.profiling import Profiled
from natfit.results.reporting import Reported
from natfit.results.tests import Tests

if TYPE_CHECKING:
    from natfit.models.distributional.model import DistributionalRegression
    from natfit.results.fitted import Fitted

Array = np.ndarray[Any, np.dtype[Any]]

SEEN = 1e-6
"""Share of the largest entry of a direction without information under which a coefficient has no part in it."""


class DistributionalResults(
    Profiled,
    Coefficients,
    Tests,
    FitMeasures,
    Predicting,
    WithLaws,
    Observing,
    Diagnosis,
    EstimatePlots,
    FittedPlot,
    ParameterEffectPlot,
    Resampling,
    Reported,
    Keeping,
):
    """A fitted regression for every parameter of a distribution, under statsmodels' names.

    Made by `natfit.DistributionalRegression.fit`. Coefficients are named ``parameter:column``.

    Attributes
    ----------
    params, bse, tvalues, pvalues : (q,) Series or ndarray
        Of the free coefficients: tied ones stand once.
    llf, aic, bic : float
        Of the normalised log-likelihood.
    nobs : int
    converged : bool
    reason : str
        Why the optimizer ended, in words.
    decrement : float
        Squared distance to the maximum in standard errors, where the optimizer ended.
    family, links
    """

    use_t = False
    scale = 1.0
    stored_as = "distributional"

    def _archive(self) -> Any:
        return self.model.save_fit

    def __init__(self, model: DistributionalRegression, fitted: Fitted, cov_type: str | CovarianceType = "nonrobust"):
        self.model, self.fitted = model, fitted
        self.family, self.links = model.family, dict(zip(model.family.parameter_names, model.links, strict=True))
        self._cov_kind = read_covariance(cov_type)
        self.cov_type = self._cov_kind.name
        self.converged, self.reason, self.decrement = fitted.converged, fitted.reason, fitted.outcome.decrement
        self.nobs = model.nobs
        with one_blas_thread():
            limit = self.limit_reached()
        if limit:
            self.converged, self.reason = False, limit

    # -- estimates -------------------------------------------------------------------------------------------------

    @property
    def _coefficients(self) -> list[Any]:
        return self.model.exog_names

    @property
    def _labelled(self) -> bool:
        return self.model.data.labelled

    @property
    def information(self) -> str:
        """Which information the standard errors come from, and how it was computed."""
        if self._cov_kind.kind in ("nonrobust", "eim"):
            return f"expected information, {self.family.information}"
        return KINDS[self._cov_kind.kind].removeprefix("the ")

    @property
    def likelihood(self) -> Any:
        """What the sandwiches take the rows' scores from."""
        return FreeScores(self)

    @property
    def _params_filled(self) -> Array:
        return np.where(self.fitted.kept, self.fitted.params, 0.0)

    def _covariance(self, kind: str | CovarianceType) -> Array:
        own = read_covariance(kind)
        try:
            with one_blas_thread():  # threads that wait on one another take longer over so small a matrix than one
                return robust.covariance(self, own)  # type: ignore[arg-type]
        except SingularMetric as singular:
            # the others' covariance is that of a fit in which what the data can't see is held
            lost = np.abs(singular.directions).max(axis=1, initial=0.0) > SEEN * np.abs(singular.directions).max()
            rest = np.flatnonzero(self.fitted.kept)[~lost]
            full = np.full((self.fitted.kept.size, self.fitted.kept.size), np.nan)
            if own.kind in ("nonrobust", "eim") and rest.size:
                matrix = self.fitted.metric.matrix_form()[np.ix_(~lost, ~lost)]
                full[np.ix_(rest, rest)] = Gram(matrix).inverse()
            return full

    @cached_property
    def coefficients(self) -> Array:
        """All coefficients (p,), tied and constrained ones included; 0 for aliased ones."""
        tie = self.model.constraints.tie
        return tie.matrix @ np.where(self.fitted.kept, self.fitted.params, 0.0) + tie.offset

    def part(self, parameter: str) -> Any:
        """Return one parameter's coefficients, all of its predictor's, by the columns' own names.

        Parameters
        ----------
        parameter : str
            One of the family's parameters.
        """
        import pandas as pd

        self.family.place(parameter, "coefficients")
        if parameter in self.model.held:
            return pd.Series(dtype=float)
        layout = self.model.likelihood.layout
        return pd.Series(self.coefficients[layout.slices[parameter]], index=self.model.data.names[parameter])

    def get_robustcov_results(self, cov_type: str = "HC1", **cov_kwds: Any) -> DistributionalResults:
        """Return the same fit with another covariance of its estimates; nothing is fitted again.

        Parameters
        ----------
        cov_type : str
        **cov_kwds
            Settings of the covariance: see `natfit.DistributionalRegression.fit`.
        """
        return type(self)(self.model, self.fitted, read_covariance(cov_type, cov_kwds, self.model.data))

    def _terms(self) -> list[tuple[str, Array]]:
        """Return the formulas' terms by parameter, each with the numbers of its free coefficients.

        A term of classes is one for all their predictors.
        """
        model, data = self.model, self.model.data
        if not data.terms:
            return [(name, np.array([j])) for j, name in enumerate(model.exog_names)]
        found: dict[tuple[int, ...], str] = {}
        together: dict[str, set[int]] = {}
        for part, terms in data.terms.items():
            start = model.likelihood.layout.slices[part].start
            for name, own in terms:
                rows = model.constraints.tie.matrix[start + own.start : start + own.stop]
                columns = tuple(np.flatnonzero((rows != 0.0).any(axis=0)).tolist())
                if self.family.class_predictors:
                    together.setdefault(name, set()).update(columns)
                    continue
                found[columns] = (
                    name if columns in found else f"{part}:{name}"
                )  # a term that parameters share stands once
        pairs = [(name, columns) for columns, name in found.items()]
        pairs += [(name, tuple(sorted(columns))) for name, columns in together.items()]
        return [(name, np.array(columns)) for name, columns in pairs if columns]

    # -- fit -------------------------------------------------------------------------------------------------------

    def evaluate(self, need: int) -> Any:
        """Return the sums of one pass over the data at the estimates, in the free coefficients."""
        model, tie, known = self.model, self.model.constraints.tie, self.fitted.point.sums
        if need == LOGLIK | OBSERVED and "observed" in known and self.fitted.kept.all():
            return known  # the fit ended on that very information
        sums = model.source.reduce(lambda block: model.likelihood.evaluate(self.coefficients, block, need))
        for name in ("metric", "observed", "meat"):
            if name in sums:
                sums[name] = sums[name].pullback(tie.matrix)
        if "score" in sums:
            sums["score"] = tie.matrix.T @ sums["score"]
        return sums

    @cached_property
    def record(self) -> Any:
        """One row for each iteration: log-likelihood, decrement, step, KL moved, passes, seconds, metric."""
        import pandas as pd

        return pd.DataFrame(list(self.fitted.outcome.record))

    # -- the distribution of each row ------------------------------------------------------------------------------

    def _at(self, value: Callable[[Parameters], Any]) -> AtRows:
        """Return what computes a function of the parameters for a block of rows."""
        return AtRows(self.model.likelihood, self.coefficients, value)

    def predict(self, exog: Any = None, what: str = "mean", *, offset: Any = None) -> Any:
        """Return predictions for new rows.

        Parameters
        ----------
        exog : DataFrame, or mapping of str to array_like, optional
            A table with the formulas' variables, or a design for each parameter; the rows of the fit by default.
        what : str
            ``"mean"`` and ``"variance"`` of the response, or the name of a parameter; ``"parameters"`` for all of them, and
            ``"linear"`` for their predictors, before the links. Where a parameter is called mean it is the mean.
        offset : mapping or array_like, optional
            Of the new rows, where the model has offsets that are no column or expression.

        Returns
        -------
        Series, DataFrame or ndarray
            One entry for each row given; NaN where a value that the formulas need is missing.
        """
        names = list(self.family.parameter_names)
        if what not in ("mean", "variance", "parameters", "linear", *names):
            raise ValueError(
                f"what must be 'mean', 'variance', 'parameters', 'linear' or one of {', '.join(names)}; got {what!r}"
            )
        rows = self.model.new_rows(exog, offset)
        if what == "linear":
            found = rows.each(Predictors(self.model.likelihood, self.coefficients))
            return rows.label(found, [name for name in names if name not in self.model.held])
        if what == "parameters":
            return rows.label(rows.each(self._at(np.column_stack)), names)
        values = rows.each(self._at(functools.partial(quantity, self.family, what)))
        return rows.label(values, self.family.class_names if values.ndim == 2 else None)

    @cached_property
    def fittedvalues(self) -> Any:
        """Estimated means of the rows of the fit."""
        return self.predict()

    def quantile(self, exog: Any = None, q: Any = (0.05, 0.5, 0.95), *, offset: Any = None, trials: Any = None) -> Any:
        """Return quantiles of each row's law at the estimates: the least y with P(Y <= y) >= q.

        Directions are counted from half a turn before the mean direction, so that quantiles may lie beyond pi.

        Parameters
        ----------
        exog, offset : as for `predict`
        q : float or sequence of float
            Levels between 0 and 1.
        trials : int or (m,) array_like, optional
            As for `prediction_interval`.

        Returns
        -------
        Series, or DataFrame with a column for each level
        """
        levels = check_levels(q)
        if levels.ndim > 1:
            raise ValueError(f"levels of quantiles are one number or several in a row; got the shape {levels.shape}")
        rows = self.model.new_rows(exog, offset)
        law = self._law(self._trials("quantiles", rows, exog, trials))
        found = rows.each(self._at(functools.partial(quantiles, law, levels.ravel().tolist())))
        return rows.label(found[:, 0]) if levels.ndim == 0 else rows.label(found, levels.tolist())

    def summary(self, yname: str | None = None, title: str | None = None, alpha: float = 0.05) -> Any:
        """Return the table of the fit, one section for each parameter: ``print(fit.summary())``, ``.as_html()``."""
        from natfit.results.distributional.summary import distributional_summary

        return distributional_summary(self, yname, title, alpha)
