"""The result of a GLM's fit: estimates, their uncertainty, and measures of fit, computed when asked for."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.response import Response
from natfit.likelihoods.glm import GLMLikelihood
from natfit.results import covariance as cov
from natfit.results import robust
from natfit.results.after_fit import AfterFit
from natfit.results.coefficients import Coefficients
from natfit.results.comparing.methods import Comparing
from natfit.results.cov_type import CovarianceType, read
from natfit.results.drop_in.surface import Surface
from natfit.results.keeping import Keeping
from natfit.results.measures import Measures
from natfit.results.prediction import Prediction, of_statistic
from natfit.results.profiling import Profiling
from natfit.results.residuals import Residuals
from natfit.results.tests import Tests

if TYPE_CHECKING:
    from natfit.models.glm import GLM
    from natfit.results.fitted import Fitted

Array = np.ndarray[Any, np.dtype[Any]]


class GLMResults(Profiling, Coefficients, Measures, Residuals, AfterFit, Comparing, Keeping, Surface, Tests):
    """A fitted generalized linear model, with statsmodels' names and numbers.

    Made by `natfit.GLM.fit`. Arrays carry pandas labels where the data did. A coefficient that the data can't identify
    (an aliased column) is NaN; so is the standard error of one that runs off to infinity.

    Attributes
    ----------
    params, bse, tvalues, pvalues : (p,) Series or ndarray
    scale : float
        The dispersion that the standard errors use.
    converged : bool
    reason : str
        Why the optimizer ended, in words.
    decrement : float
        Squared distance to the maximum in standard errors, where the optimizer ended.
    family, link
        The family has its constants as estimated.
    method : str
        As it was asked for; what was done stands in `record`, and in words in the table.
    """

    stored_as = "glm"

    def _archive(self) -> Any:
        return self.model.save_fit

    def __init__(
        self,
        model: GLM,
        fitted: Fitted,
        family: Response,
        dispersion: float | str,
        cov_type: str | CovarianceType,
        use_t: bool | None,
        shape: Any = None,
    ):
        self.model = model
        self.fitted = fitted
        self.family = family.bound_to(model.link, model.data.trials)
        self.link = model.link
        self.dispersion = dispersion
        self._cov_kind = read(cov_type)
        self.cov_type = self._cov_kind.name
        self.use_t = bool(use_t)
        self.shape = shape
        self.method = "IRLS"
        self.converged = fitted.converged
        self.reason = fitted.reason
        self.decrement = fitted.outcome.decrement
        self.bias_reduction = fitted.bias_reduction
        self.nobs = model.nobs
        self.cov_kwds = robust.settings(self._cov_kind, self.use_t)
        if n_groups := self._cov_kind.n_groups:
            self.n_groups = n_groups[0] if len(n_groups) == 1 else n_groups
        self.mle_settings: dict[str, Any] = {"optimizer": self.method}

    @property
    def k_constant(self) -> int:
        """1 where the columns hold a constant or add up to one, else 0."""
        return self.model.k_constant

    @property
    def df_resid(self) -> float:
        """Observations less the rank."""
        return self.model.df_resid

    @property
    def df_resid_inference(self) -> float:
        """Degrees of freedom of Student's t and F: `df_resid`, or one less than the clusters."""
        return self.df_resid if self._cov_kind.df is None else self._cov_kind.df

    @property
    def df_model(self) -> float:
        """Rank less one."""
        return self.model.df_model

    # -- estimates -------------------------------------------------------------------------------------------------

    @property
    def _coefficients(self) -> list[Any]:
        """The labels of the coefficients: those of the user's columns, as they were given."""
        return self.model.exog_names if self.model.data.labels is None else self.model.data.labels

    @property
    def _labelled(self) -> bool:
        return self.model.data.labelled

    @cached_property
    def _params_filled(self) -> Array:
        """Coefficients with 0 for aliased columns: what predicts."""
        return np.where(self.fitted.kept, self.fitted.params, 0.0)

    def _covariance(self, kind: str | CovarianceType) -> Array:
        return robust.covariance(self, read(kind))

    def get_robustcov_results(self, cov_type: str = "HC1", use_t: bool | None = None, **cov_kwds: Any) -> GLMResults:
        """Return the same fit with another covariance of its estimates; nothing is fitted again.

        Parameters
        ----------
        cov_type : str
        use_t : bool, optional
            As this fit has it where left out.
        **cov_kwds
            Settings of the covariance: see `natfit.GLM.fit`.
        """
        wanted = read(cov_type, cov_kwds, self.model.data)
        use_t = self.use_t if use_t is None else use_t
        return type(self)(self.model, self.fitted, self.family, self.dispersion, wanted, use_t, self.shape)

    # -- fit -------------------------------------------------------------------------------------------------------

    @cached_property
    def likelihood(self) -> GLMLikelihood:
        """The model's likelihood, with the family's constants as estimated."""
        return self.model.likelihood(self.family)

    def evaluate(self, need: int) -> Any:
        """Return the sums of one pass over the data at the estimates (flags of `natfit.need`)."""
        likelihood = self.likelihood
        return self.model.source.reduce(lambda block: likelihood.evaluate(self._params_filled, block, need))

    # -- means and predictions -------------------------------------------------------------------------------------

    def _rows(self, values: Array) -> Any:
        if not self.model.data.labelled:
            return values
        import pandas as pd

        return pd.Series(values, index=self.model.data.index)

    @cached_property
    def fittedvalues(self) -> Any:
        """Estimated means, (n,)."""
        with np.errstate(all="ignore"):
            return self._rows(self.link.inverse(self._eta))

    @property
    def mu(self) -> Array:
        """Estimated means as an array, as statsmodels has them; `fittedvalues` carry the rows' labels."""
        return np.asarray(self.fittedvalues)

    @cached_property
    def _eta(self) -> Array:
        likelihood, params = self.likelihood, self._params_filled
        return np.concatenate(list(self.model.source.map(lambda block: likelihood.predictor(params, block))))

    def _new_rows(self, exog: Any, transform: bool, **known: Any) -> Any:
        """Return rows to predict for; what the fit can't tell of new ones is warned of."""
        rows = self.model.new_rows(exog, transform, **known)
        if exog is not None:
            cov.warn_of_unseen(self, rows)
        return rows

    def predict(
        self, exog: Any = None, transform: bool = True, *, which: str = "mean", offset: Any = None, exposure: Any = None
    ) -> Any:
        """Return predicted means for new rows.

        Parameters
        ----------
        exog : DataFrame or array_like, optional
            A table with the formula's variables, or rows of a design; the data of the fit by default.
        transform : bool
            Whether a table goes through the formula.
        which : {"mean", "linear", "var_unscaled"}
            The mean, the linear predictor, or the variance function at the mean.
        offset, exposure : float, array_like or str, optional
            Of the rows. Where the model names columns for them they are taken from the table; for the data of the fit
            each is the model's own unless given.

        Returns
        -------
        Series or ndarray
            One entry for each row given; NaN where a value that the formula needs is missing.
        """
        if exog is None and offset is None and exposure is None and which == "mean":
            return self.fittedvalues
        rows = self._new_rows(exog, transform, offset=offset, exposure=exposure)
        eta = rows.matvec(self._params_filled)
        if which in ("linear", "linpred"):
            return rows.label(eta)
        if which not in ("mean", "var_unscaled"):
            raise ValueError(f"which must be 'mean', 'linear' or 'var_unscaled', got {which!r}")
        with np.errstate(all="ignore"):
            mu, complement, _ = self.link.mean(eta)
            return rows.label(mu if which == "mean" else self.family.variance(mu, complement))

    def get_prediction(
        self,
        exog: Any = None,
        exposure: Any = None,
        offset: Any = None,
        transform: bool = True,
        which: str | None = None,
        average: bool = False,
        agg_weights: Any = None,
        row_labels: Any = None,
        **known: Any,
    ) -> Any:
        """Return predictions with standard errors and intervals: ``.summary_frame()``.

        Parameters
        ----------
        exog, exposure, offset, transform
            As of `predict`.
        which : {"mean", "linear", "var_unscaled"}, optional
            The mean, the linear predictor, or the variance function at the mean. Left out, the mean, in a table whose
            columns are called as before statsmodels 0.14.
        average : bool
            One number: the average over the rows. Needs ``which``, as the next does.
        agg_weights : (m,) array_like, optional
            What each row is multiplied by before the average.
        row_labels : sequence, optional
            Instead of the rows' own.
        trials, var_weights : optional
            Of new rows: for the intervals of their observations, ``.prediction_interval()`` or
            ``.summary_frame(obs=True)``.
        """
        for name in known.keys() - {"trials", "var_weights"}:
            raise TypeError(f"get_prediction() got an unexpected keyword argument {name!r}")
        rows = self._new_rows(exog, transform, offset=offset, exposure=exposure)
        if which is not None:
            return of_statistic(self, rows, which, average, agg_weights, row_labels)
        df = self.df_resid_inference if self.use_t else None
        labels = rows.index if row_labels is None else row_labels
        made = Prediction(rows.matvec(self._params_filled), cov.of_rows(self, rows), self.link, df, labels)
        made.observed = partial(
            self.prediction_interval, exog, transform=transform, offset=offset, exposure=exposure, **known
        )
        return made

    # -- what was done ---------------------------------------------------------------------------------------------

    @cached_property
    def record(self) -> Any:
        """One row for each iteration: log-likelihood at the final dispersion, decrement, step, KL moved, passes, time."""
        import pandas as pd

        frame = pd.DataFrame(list(self.fitted.outcome.record))
        if len(frame):
            last = self.fitted.point.loglik
            frame["loglik"] = self.llf + (frame["loglik"] - last) / self.llf_dispersion
        return frame

    @property
    def fit_history(self) -> dict[str, Any]:
        """Number of iterations, and deviance and log-likelihood at each, under statsmodels' names.

        The deviances begin with infinity and the start's, as statsmodels' do.
        """
        record = self.fitted.outcome.record
        last = self.fitted.point.loglik
        deviances = [self.deviance + 2.0 * (last - row.loglik) for row in record]
        return {
            "iteration": max(len(record) - 1, 0),
            "deviance": [np.inf, *deviances],
            "loglik": [row.loglik for row in record],
        }

    def summary(
        self, yname: str | None = None, xname: Any = None, title: str | None = None, alpha: float = 0.05
    ) -> Any:
        """Return the table of the fit, as statsmodels prints it: ``print(fit.summary())``, ``.as_html()``."""
        from natfit.results.summary import glm_summary

        return glm_summary(self, yname, xname, title, alpha)
