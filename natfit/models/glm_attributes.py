"""What statsmodels' GLM can be asked besides its fit: its data by name, and the likelihood's values at any coefficients."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.matrix import Chosen, Combined, Dense
from natfit.need import LOGLIK, METRIC, OBSERVED, SCORE
from natfit.results.dispersion import estimate_dispersion

if TYPE_CHECKING:
    from natfit.data.arrays import Source
    from natfit.families.response import Response
    from natfit.likelihoods.glm import GLMLikelihood
    from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[Any]]


class GLMAttributes:
    """Mixed into a model: attributes and methods under statsmodels' names."""

    if TYPE_CHECKING:
        data: GLMData
        family: Response
        source: Source
        wnobs: float
        dispersion: float | str

        @property
        def rank(self) -> int: ...
        def likelihood(self, family: Response | None = None) -> GLMLikelihood: ...

    # -- data ------------------------------------------------------------------------------------------------------

    @property
    def endog(self) -> Array:
        """The response, (n,); for a binomial the proportion of successes."""
        return self.data.y

    @property
    def exog(self) -> Any:
        """The design, as it was given."""
        design = self.data.design
        if isinstance(design, Chosen | Combined):
            return design.dense()
        return design.array if isinstance(design, Dense) else getattr(design, "matrix", design)

    @property
    def endog_names(self) -> str:
        """Name of the response."""
        return self.data.y_name

    @property
    def exog_names(self) -> list[str]:
        """Names of the design's columns."""
        return self.data.names

    @property
    def offset(self) -> Array | None:
        """The offset as it was given, (n,), or None."""
        return self.data.offset

    @property
    def exposure(self) -> Array | None:
        """The logarithm of the exposure, as statsmodels keeps it, (n,), or None."""
        return None if self.data.exposure is None else np.log(self.data.exposure)

    @property
    def freq_weights(self) -> Array:
        """How many observations each row stands for, (n,); 1 where none were given."""
        return self._or_ones(self.data.freq_weights)

    @property
    def var_weights(self) -> Array:
        """What each row's variance is divided by, (n,); 1 where none were given."""
        return self._or_ones(self.data.var_weights)

    @property
    def iweights(self) -> Array:
        """Product of frequency and variance weights, (n,)."""
        return self.freq_weights * self.var_weights

    @property
    def n_trials(self) -> Array:
        """Trials of each row of a binomial, (n,); 1 where it has none."""
        return self._or_ones(self.data.trials)

    def _or_ones(self, column: Array | None) -> Array:
        return np.ones(self.data.n_rows) if column is None else column

    @property
    def df_model(self) -> float:
        """Rank of the design less one."""
        return float(self.rank - 1)

    @property
    def df_resid(self) -> float:
        """Observations less the rank of the design."""
        return self.wnobs - self.rank

    @property
    def k_constant(self) -> int:
        """1 where the columns hold a constant, or add up to one as dummies do; else 0."""
        return self.data.k_constant

    @property
    def offset_name(self) -> str | None:
        """What the offset was called where it was given: by a Series, or in the formula's table."""
        return self._extra_name("offset")

    @property
    def exposure_name(self) -> str | None:
        """What the exposure was called where it was given."""
        return self._extra_name("exposure")

    @property
    def freq_weights_name(self) -> str | None:
        """What the frequency weights were called where they were given."""
        return self._extra_name("freq_weights")

    @property
    def var_weights_name(self) -> str | None:
        """What the variance weights were called where they were given."""
        return self._extra_name("var_weights")

    def _extra_name(self, which: str) -> str | None:
        given = self.data.extra_names.get(which, self.data.expressions.get(which, which))
        return None if getattr(self.data, which) is None else given

    # -- the likelihood at given coefficients ----------------------------------------------------------------------

    def estimate_scale(self, mu: Any) -> float:
        """Return the dispersion at given means: known, or estimated as the model says.

        Parameters
        ----------
        mu : (n,) array_like
        """
        means, y, family = np.asarray(mu, dtype=float), self.data.y, self.family
        weight = self._or_ones(self.data.weight())
        options = {} if self.data.trials is None else {"trials": self.data.trials}

        def loglik(dispersion: float) -> float:
            each = family.response_log_prob(y, means, dispersion=dispersion, weight=self.var_weights, **options)
            return float(each @ self.freq_weights)

        with np.errstate(all="ignore"):
            known: Any = SimpleNamespace(
                family=family,
                model=self,
                df_resid=self.df_resid,
                pearson_chi2=float(family.residual(y, means) ** 2 / family.variance(means) @ weight),
                deviance=float(family.unit_deviance(y, means) @ weight),
                _loglik_at=loglik,
            )
            return estimate_dispersion(known, self.dispersion)

    def loglike(self, params: Any, scale: float | None = None) -> float:
        """Return the normalised log-likelihood.

        Parameters
        ----------
        params : (p,) array_like
        scale : float, optional
            The dispersion; by default as `estimate_scale` has it at these coefficients.
        """
        at, dispersion = self._at(params, scale)
        return float(self.source.reduce(partial(self.likelihood().log_prob, at, dispersion=dispersion))["loglik"])

    def score(self, params: Any, scale: float | None = None) -> Array:
        """Return the gradient of the log-likelihood, (p,); parameters as for `loglike`."""
        at, dispersion = self._at(params, scale)
        return self._sums(at, SCORE)["score"] / dispersion

    def hessian(self, params: Any, scale: float | None = None, observed: bool | None = None) -> Array:
        """Return the matrix of second derivatives of the log-likelihood, (p, p).

        Parameters
        ----------
        params : (p,) array_like
        scale : float, optional
            The dispersion; by default as `estimate_scale` has it at these coefficients.
        observed : bool, optional
            False for its expectation, which is minus the Fisher information.
        """
        at, dispersion = self._at(params, scale)
        need, name = (METRIC, "metric") if observed is False else (OBSERVED, "observed")
        return -self._sums(at, need)[name].matrix_form() / dispersion

    def information(self, params: Any, scale: float | None = None) -> Array:
        """Return the expected second derivatives, (p, p): minus the Fisher information, the sign that statsmodels has."""
        return self.hessian(params, scale, observed=False)

    def _sums(self, params: Array, need: int) -> Any:
        likelihood = self.likelihood()
        return self.source.reduce(lambda block: likelihood.evaluate(params, block, need | LOGLIK))

    def _at(self, params: Any, scale: float | None) -> tuple[Array, float]:
        """Return coefficients as a checked array, and the dispersion there."""
        at = np.asarray(params, dtype=float)
        if at.shape != (len(self.data.names),) or not np.isfinite(at).all():
            raise ValueError(
                f"params needs a finite number for each of the {len(self.data.names)} coefficients, got {at.tolist()}"
            )
        if scale is not None or not isinstance(self.dispersion, str):
            return at, float(self.dispersion if scale is None else scale)
        likelihood = self.likelihood()
        with np.errstate(all="ignore"):
            parts = self.source.map(lambda block: likelihood.link.inverse(likelihood.predictor(at, block)))
            return at, self.estimate_scale(np.concatenate(list(parts)))
