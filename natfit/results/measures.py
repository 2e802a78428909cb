"""Measures of a GLM's fit: deviance, dispersion, log-likelihood, information criteria; each one pass, when asked for."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.dispersion import estimate_dispersion

if TYPE_CHECKING:
    from natfit.families.response import Response
    from natfit.likelihoods.glm import GLMLikelihood
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


class Measures:
    """Mixed into a fit: how well the model fits, under statsmodels' names."""

    if TYPE_CHECKING:
        model: Any
        fitted: Any
        family: Response
        link: Any
        dispersion: float | str
        nobs: int
        shape: Any

        @property
        def likelihood(self) -> GLMLikelihood: ...
        @property
        def _params_filled(self) -> Array: ...
        @property
        def df_resid(self) -> float: ...
        @property
        def df_model(self) -> float: ...

    @cached_property
    def _summaries(self) -> Any:
        return self.model.source.reduce(partial(self.likelihood.summaries, self._params_filled))

    @property
    def deviance(self) -> float:
        """Twice the log-likelihood ratio of the saturated model to this one, at unit dispersion."""
        return self._summaries["deviance"]

    @property
    def pearson_chi2(self) -> float:
        """Sum of squared Pearson residuals."""
        sums = self.fitted.point.sums
        return sums["pearson"] if "pearson" in sums else self._summaries["pearson"]

    @cached_property
    def scale(self) -> float:
        """The dispersion: known, or estimated as the model says."""
        return np.float64(estimate_dispersion(self, self.dispersion))

    def loglik(self, dispersion: float | str | None = None) -> float:
        """Return the log-likelihood at a dispersion.

        Parameters
        ----------
        dispersion : float or {"ml", "pearson", "deviance"}, optional
            ``"pearson"`` and ``"ml"`` are the estimates of those names; ``"deviance"`` is deviance / n, which R's
            ``logLik`` of a Gamma uses. By default what `llf` uses.

        Raises
        ------
        ValueError
            For another name, or a number that is not greater than 0.
        """
        if dispersion is None:
            return self._loglik_at(self.llf_dispersion)
        if dispersion == "deviance":
            return self._loglik_at(self.deviance / self.model.wnobs)
        if isinstance(dispersion, str):
            if dispersion not in ("ml", "pearson"):
                raise ValueError(f"dispersion must be 'ml', 'pearson', 'deviance' or a number, got {dispersion!r}")
            if dispersion == "ml" and self.family.dispersion is not None:
                return self._loglik_at(self.family.dispersion)  # known: nothing is left to maximize over
            return self._loglik_at(estimate_dispersion(self, dispersion))
        if not 0.0 < float(dispersion) < np.inf:
            raise ValueError(f"the dispersion must be a finite number greater than 0, got {dispersion}")
        return self._loglik_at(float(dispersion))

    def _loglik_at(self, dispersion: float) -> float:
        log_prob = partial(self.likelihood.log_prob, self._params_filled, dispersion=dispersion)
        return self.model.source.reduce(log_prob)["loglik"]

    @cached_property
    def llf_dispersion(self) -> float:
        """Dispersion at which `llf` stands: maximum likelihood for a linear Gaussian, as in statsmodels, else `scale`."""
        if self.family.name == "gaussian" and self.link.name == "identity":
            return estimate_dispersion(self, "ml")
        return self.scale

    @cached_property
    def llf(self) -> float:
        """The log-likelihood at `llf_dispersion`, normalised."""
        return self.loglik()

    @cached_property
    def penalized_llf(self) -> float:
        """What Firth's fit maximizes: `llf` + log det F / 2, F the expected information of the coefficients.

        Without ``bias_reduction="firth"`` nothing is penalised, and it is `llf`.
        """
        if self.fitted.bias_reduction != "firth":
            return self.llf
        metric = self.fitted.metric
        scale = self.llf_dispersion
        return self._loglik_at(scale) + 0.5 * (metric.logdet() - metric.size * float(np.log(scale)))

    def llf_scaled(self, scale: float | None = None) -> float:
        """Return the log-likelihood at a dispersion; statsmodels' name for `loglik`."""
        return self.loglik(scale)

    @cached_property
    def null_fit(self) -> GLMResults:
        """The fit of a constant alone, with the same offset and weights."""
        return self.model.null_fit(self)

    @cached_property
    def null(self) -> Any:
        """Fitted means of the null model."""
        return self.null_fit.fittedvalues

    @cached_property
    def null_deviance(self) -> float:
        """Deviance of the null model."""
        return self.null_fit.deviance

    @cached_property
    def llnull(self) -> float:
        """Log-likelihood of the null model at this model's dispersion, as in statsmodels."""
        return self.null_fit.loglik(self.scale) if np.isfinite(self.scale) else float("nan")

    def pseudo_rsquared(self, kind: str = "cs") -> float:
        """Return Cox and Snell's ("cs") or McFadden's ("mcf") pseudo R-squared."""
        key = kind.lower()
        if key.startswith("mcf"):
            return 1.0 - self.llf / self.llnull
        if key in ("cs", "lr") or key.startswith("cox"):
            return float(-np.expm1((self.llnull - self.llf) * (2.0 / self.nobs)))
        raise ValueError(f"kind must be 'cs' (Cox-Snell) or 'mcf' (McFadden), got {kind!r}")

    @property
    def aic(self) -> float:
        """-2 llf + 2 (df_model + 1)."""
        return self.info_criteria("aic")

    @property
    def bic(self) -> float:
        """-2 llf + log(n) (df_model + 1)."""
        return self.info_criteria("bic")

    @property
    def bic_llf(self) -> float:
        """Another name of `bic`."""
        return self.bic

    @property
    def bic_deviance(self) -> float:
        """deviance - df_resid log(n)."""
        return self.deviance - self.df_resid * np.log(self.model.wnobs)

    def info_criteria(self, crit: str, scale: float | None = None, dk_params: float = 0) -> float:
        """Return "aic", "bic" or "qaic"; ``dk_params`` counts further parameters, such as a dispersion."""
        k = self.df_model + 1 + dk_params + (0 if self.shape is None else 1)
        key = crit.lower()
        if key == "aic":
            return -2.0 * self.llf + 2.0 * k
        if key == "bic":
            return float(-2.0 * self.llf + k * np.log(self.model.wnobs))
        if key == "qaic":
            if scale is None:
                raise ValueError("qaic needs the scale of the largest model compared: give scale=")
            return -2.0 * self.llf_scaled(1.0) / scale + 2.0 * k
        raise ValueError(f"crit must be 'aic', 'bic' or 'qaic', got {crit!r}")
