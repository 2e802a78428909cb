"""Measures of a distributional fit: log-likelihood, information criteria, and the comparison with constants alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from natfit.results.distributional.results import DistributionalResults


class FitMeasures:
    """Mixed into a distributional fit: how well it fits, under statsmodels' names."""

    if TYPE_CHECKING:
        model: Any
        family: Any
        fitted: Any
        nobs: int

    @property
    def llf(self) -> float:
        """The normalised log-likelihood at the estimates."""
        return float(self.fitted.point.loglik)

    @property
    def df_model(self) -> float:
        """Number of free coefficients."""
        return float(self.fitted.kept.sum())

    @property
    def df_resid(self) -> float:
        """Observations less free coefficients."""
        return self.model.wnobs - self.df_model

    @property
    def aic(self) -> float:
        """-2 llf + 2 df_model."""
        return -2.0 * self.llf + 2.0 * self.df_model

    @property
    def bic(self) -> float:
        """-2 llf + log(nobs) df_model."""
        return float(-2.0 * self.llf + np.log(self.model.wnobs) * self.df_model)

    @cached_property
    def null_fit(self) -> DistributionalResults:
        """The fit in which every parameter is a constant, with the same offsets, weights and values held."""
        return self.model.null_fit(self)

    @property
    def llnull(self) -> float:
        """Log-likelihood of `null_fit`."""
        return self.null_fit.llf

    @property
    def llr(self) -> float:
        """Likelihood-ratio statistic against constants alone, 2 (llf - llnull)."""
        return 2.0 * (self.llf - self.llnull)

    @property
    def llr_pvalue(self) -> float:
        """P(chi-square > llr), with the number of further coefficients as degrees of freedom; NaN where there are none."""
        df = self.df_model - self.null_fit.df_model
        return float(special.chdtrc(df, max(self.llr, 0.0))) if df > 0.0 else np.nan

    @property
    def prsquared(self) -> float:
        """Pseudo R-squared as statsmodels has it: McFadden's of counts and classes, Cox and Snell's of densities."""
        return self.pseudo_rsquared("mcf" if self.family.support.discrete else "cs")

    def pseudo_rsquared(self, kind: str = "cs") -> float:
        """Return Cox and Snell's ("cs") or McFadden's ("mcf") pseudo R-squared, against constants alone.

        Notes
        -----
        McFadden's is made for probabilities: of a density, whose log-likelihood may be positive, it says nothing.

        Examples
        --------
        >>> import natfit as nf
        >>> data = nf.datasets.load("biochemists")
        >>> model = nf.DistributionalRegression.from_formula("art ~ fem + ment | ment", data, "zero_inflated_poisson")
        >>> round(model.fit().pseudo_rsquared(), 4)
        0.135
        """
        key = kind.lower()
        if key.startswith("mcf"):
            return 1.0 - self.llf / self.llnull
        if key in ("cs", "lr") or key.startswith("cox"):
            return float(-np.expm1(-self.llr / self.model.wnobs))
        raise ValueError(f"kind must be 'cs' (Cox-Snell) or 'mcf' (McFadden), got {kind!r}")
