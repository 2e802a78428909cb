"""The result of a GLM's fit: estimates, their uncertainty, and measures of fit, computed when asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.families.response import Response
from natfit.likelihoods.glm import GLMLikelihood
from natfit.results import covariance as cov
from natfit.results.measures import Measures
from natfit.results.prediction import Prediction, quantile
from natfit.results.residuals import Residuals
from natfit.results.tests import Tests

if TYPE_CHECKING:
    from natfit.models.fitting import Fitted
    from natfit.models.glm import GLM

Array = np.ndarray[Any, np.dtype[Any]]


class GLMResults(Measures, Residuals, Tests):
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
    """

    def __init__(
        self,
        model: GLM,
        fitted: Fitted,
        family: Response,
        dispersion: float | str,
        cov_type: str,
        use_t: bool | None,
        shape: Any = None,
    ):
        self.model = model
        self.fitted = fitted
        self.family = family
        self.link = model.link
        self.dispersion = dispersion
        self.cov_type = cov_type
        self._cov_kind = cov.resolve(cov_type)
        self.use_t = bool(use_t)
        self.shape = shape
        self.method = fitted.outcome.record[-1].metric if fitted.outcome.record else "none"
        self.converged = fitted.converged
        self.reason = fitted.reason
        self.decrement = fitted.outcome.decrement
        self.nobs = model.nobs
        self.cov_kwds = {"description": f"Standard errors from the {cov.KINDS[self._cov_kind]}."}
        self.mle_settings = {"optimizer": self.method}

    @property
    def k_constant(self) -> int:
        """1 where the columns hold a constant or add up to one, else 0."""
        return self.model.k_constant

    @property
    def df_resid(self) -> float:
        """Observations less the rank."""
        return self.model.df_resid

    @property
    def df_model(self) -> float:
        """Rank less one."""
        return self.model.df_model

    # -- estimates -------------------------------------------------------------------------------------------------

    @property
    def _coefficients(self) -> list[Any]:
        """The labels of the coefficients: those of the user's columns, as they were given."""
        return self.model.exog_names if self.model.data.labels is None else self.model.data.labels

    def _label(self, values: Array) -> Any:
        """Give one value for each coefficient its name, where the data had labels."""
        if not self.model.data.labelled:
            return values
        import pandas as pd

        return pd.Series(values, index=self._coefficients)

    @cached_property
    def params(self) -> Any:
        """Estimates of the coefficients; NaN where a column is aliased."""
        return self._label(self.fitted.params)

    @cached_property
    def _params_filled(self) -> Array:
        """Coefficients with 0 for aliased columns: what predicts."""
        return np.where(self.fitted.kept, self.fitted.params, 0.0)

    @cached_property
    def _cov(self) -> Array:
        return cov.covariance(self, self._cov_kind)

    @cached_property
    def _bse(self) -> Array:
        with np.errstate(invalid="ignore"):
            return np.sqrt(self._cov.diagonal())

    @property
    def bse(self) -> Any:
        """Standard errors of the coefficients."""
        return self._label(self._bse)

    @cached_property
    def _tvalues(self) -> Array:
        with np.errstate(all="ignore"):
            return self.fitted.params / self._bse

    @property
    def tvalues(self) -> Any:
        """Estimates divided by their standard errors: z, or t with ``use_t=True``."""
        return self._label(self._tvalues)

    @property
    def zvalues(self) -> Any:
        """Another name of `tvalues`."""
        return self.tvalues

    @property
    def pvalues(self) -> Any:
        """Two-sided p-values of a coefficient of 0."""
        size = np.abs(self._tvalues)
        return self._label(2.0 * (special.stdtr(self.df_resid, -size) if self.use_t else special.ndtr(-size)))

    def conf_int(self, alpha: float = 0.05, cols: Any = None) -> Any:
        """Return Wald limits of the coefficients, (p, 2): estimate plus and minus a quantile of standard errors.

        Parameters
        ----------
        alpha : float
            One less the level.
        cols : sequence of int, optional
            Which coefficients.
        """
        width = quantile(1.0 - alpha / 2.0, self.df_resid if self.use_t else None) * self._bse
        limits = np.column_stack([self.fitted.params - width, self.fitted.params + width])
        chosen = slice(None) if cols is None else np.asarray(cols)
        if not self.model.data.labelled:
            return limits[chosen]
        import pandas as pd

        return pd.DataFrame(limits, index=self._coefficients).iloc[chosen]

    def cov_params(
        self,
        r_matrix: Any = None,
        column: Any = None,
        scale: Any = None,
        cov_p: Any = None,
        other: Any = None,
        information: str | None = None,
    ) -> Any:
        """Return the covariance of the coefficients, or of linear combinations of them.

        Parameters
        ----------
        r_matrix : (p,) or (k, p) array_like, optional
            Combinations; NaN for those that load on a coefficient that is aliased or separated.
        column : int or sequence of int, optional
            Only these coefficients.
        scale : float, optional
            Another dispersion.
        cov_p : (p, p) array_like, optional
            Use this covariance instead.
        other : (p,) or (m, p) array_like, optional
            The covariance of ``r_matrix`` with these combinations.
        information : {"expected", "observed", "HC0"}, optional
            Another kind than the fit's own ``cov_type``.
        """
        full = self._cov if information is None else cov.covariance(self, cov.resolve(information))
        full = full if cov_p is None else np.asarray(cov_p)
        full = full if scale is None else full * (scale / self.scale)
        if column is not None and (r_matrix is not None or other is not None):
            raise ValueError("cov_params takes column or r_matrix, not both")
        if r_matrix is not None:
            rows = cov.combinations(r_matrix, len(full))
            return cov.combine(full, rows, None if other is None else cov.combinations(other, len(full)))[()]
        if other is not None:
            raise ValueError("cov_params takes other only together with r_matrix")
        if column is not None:
            chosen = np.asarray(column)
            return full[chosen, chosen] if chosen.ndim == 0 else full[np.ix_(chosen, chosen)]
        if not self.model.data.labelled:
            return full
        import pandas as pd

        return pd.DataFrame(full, index=self._coefficients, columns=self._coefficients)

    @property
    def normalized_cov_params(self) -> Any:
        """Covariance at unit dispersion, from the expected information."""
        return self.cov_params(cov_p=cov.covariance(self, "eim") / self.scale)

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
    def mu(self) -> Any:
        """Estimated means, under statsmodels' other name for `fittedvalues`."""
        return self.fittedvalues

    @cached_property
    def _eta(self) -> Array:
        likelihood, params = self.likelihood, self._params_filled
        return np.concatenate(list(self.model.source.map(lambda block: likelihood.predictor(params, block))))

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
        which : {"mean", "linear"}
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
        rows = self.model.new_rows(exog, transform, offset=offset, exposure=exposure)
        eta = rows.matvec(self._params_filled)
        if which in ("linear", "linpred"):
            return rows.label(eta)
        if which != "mean":
            raise ValueError(f"which must be 'mean' or 'linear', got {which!r}")
        with np.errstate(all="ignore"):
            return rows.label(self.link.inverse(eta))

    def get_prediction(
        self, exog: Any = None, transform: bool = True, *, offset: Any = None, exposure: Any = None
    ) -> Prediction:
        """Return predicted means with standard errors and intervals: ``.summary_frame()``; arguments as of `predict`."""
        rows = self.model.new_rows(exog, transform, offset=offset, exposure=exposure)
        df = self.df_resid if self.use_t else None
        return Prediction(rows.matvec(self._params_filled), cov.of_rows(self, rows), self.link, df, rows.index)

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
        """Number of iterations, under statsmodels' name."""
        record = self.fitted.outcome.record
        return {"iteration": max(len(record) - 1, 0), "loglik": [row.loglik for row in record]}

    def summary(
        self, yname: str | None = None, xname: Any = None, title: str | None = None, alpha: float = 0.05
    ) -> Any:
        """Return the table of the fit, as statsmodels prints it: ``print(fit.summary())``, ``.as_html()``."""
        from natfit.results.summary import glm_summary

        return glm_summary(self, yname, xname, title, alpha)
