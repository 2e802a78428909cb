"""Two nested models side by side: the tests that tell them apart, with R's conventions of dispersion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.metric import Gram
from natfit.need import LOGLIK, METRIC, SCORE
from natfit.results.comparing.score_test import rao_statistic
from natfit.results.cov_type import MODEL_BASED
from natfit.results.covariance import finite_columns

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

TESTS = {"lrt": "LRT", "lr": "LRT", "chisq": "LRT", "score": "score", "rao": "score", "wald": "Wald", "f": "F"}
STATISTICS = {"LRT": "LRT", "score": "Rao", "Wald": "Wald", "F": "F"}
"""The column of each test's statistic, named as in R."""


def resolve_test(test: str | None, fit: GLMResults) -> str:
    """Return a test's own name.

    By default Wald's where the covariance does not trust the likelihood; F where the dispersion is estimated; else the
    likelihood-ratio test.
    """
    if test is None:
        if fit._cov_kind.kind not in MODEL_BASED:
            return "Wald"
        return "F" if isinstance(fit.dispersion, str) else "LRT"
    if not isinstance(test, str) or test.lower() not in TESTS:
        raise ValueError(f"test must be 'LRT', 'score', 'Wald' or 'F', got {test!r}")
    return TESTS[test.lower()]


def check_reduction(fit: GLMResults, test: str | None) -> None:
    """Refuse to compare the likelihoods of bias-reduced fits: they are not at their maxima."""
    if fit.bias_reduction is not None and resolve_test(test, fit) != "Wald":
        raise ValueError(
            f"likelihoods and scores compare at maximum-likelihood estimates, and this fit has bias_reduction="
            f"{fit.bias_reduction!r}; use test='Wald', or fit without it"
        )


@dataclass(frozen=True)
class Outcome:
    """A test's statistic, its degrees of freedom and its p-value."""

    statistic: float
    df: float
    pvalue: float


@dataclass
class Submodel:
    """Some columns of a model, refitted as another fit was, when that is asked for.

    Parameters
    ----------
    whole : GLMResults
        The fit whose settings, dispersion and family are taken over.
    columns : (k,) ndarray of int
    shape : {"held", "estimated"}
        Whether an alpha that the whole fit estimated stays as it is, or is estimated again.
    model : GLM, optional
        Whose columns they are: the whole fit's own model, if left out.
    """

    whole: GLMResults
    columns: Array
    shape: str = "held"
    model: Any = None

    @property
    def source_model(self) -> Any:
        """The model whose columns these are."""
        return self.whole.model if self.model is None else self.model

    @cached_property
    def fit(self) -> GLMResults | None:
        """Its fit: the whole one where it has all its columns, None where it has none."""
        if not self.columns.size:
            return None
        model = self.source_model
        if model is self.whole.model and self.columns.size == self.whole.fitted.kept.size:
            return self.whole
        family = self.whole.family if self.shape == "held" else None
        fit = model.refit(self.whole, columns=self.columns, family=family)
        if not fit.converged and fit.fitted.separation is None:
            _warn(f"the model of {', '.join(fit.model.exog_names)} did not converge: {fit.reason}")
        return fit

    @cached_property
    def params(self) -> Array:
        """Its coefficients among all columns; 0 for those that it does not have."""
        full = np.zeros(len(self.source_model.data.names))
        if self.fit is not None:
            full[self.columns] = self.fit._params_filled
        return full

    @property
    def rank(self) -> int:
        """The number of its columns that are linearly independent."""
        return 0 if self.fit is None else int(self.fit.fitted.kept.sum())

    @property
    def df_resid(self) -> float:
        """Observations less the rank."""
        return self.source_model.wnobs - self.rank

    @cached_property
    def deviance(self) -> float:
        """Its deviance."""
        return self.fit.deviance if self.fit is not None else self._sum("summaries")["deviance"]

    def loglik(self, dispersion: float) -> float:
        """Return its log-likelihood at a dispersion."""
        return self.fit.loglik(dispersion) if self.fit is not None else self._sum("log_prob", dispersion)["loglik"]

    def _sum(self, what: str, *values: float) -> Any:
        """Sum over the rows what the likelihood says at its coefficients."""
        model, function = self.source_model, getattr(self.likelihood, what)
        return model.source.reduce(lambda block: function(self.params, block, *values))

    @property
    def likelihood(self) -> Any:
        """The likelihood of all columns' coefficients, with the family's constants as estimated."""
        return self.source_model.likelihood(self.whole.family)

    @cached_property
    def score(self) -> Any:
        """The score and information of all columns' coefficients at its own, at unit dispersion."""
        return self._sum("evaluate", LOGLIK | SCORE | METRIC)


def compare(small: Submodel, large: Submodel, test: str, dispersion: float, df_dispersion: float) -> Outcome:
    """Test a model against a larger one of the same columns.

    Parameters
    ----------
    small, large : Submodel
    test : {"LRT", "score", "Wald", "F"}
    dispersion : float
        That of the largest model at hand.
    df_dispersion : float
        Its degrees of freedom, for F; infinite where the dispersion is known.
    """
    df = large.rank - small.rank
    if df <= 0:
        return Outcome(np.nan, df, np.nan)
    if test == "score":
        return chi2(_rao(small, large, dispersion), df)
    if test == "Wald":
        return chi2(_wald(small, large), df)
    gain = small.deviance - large.deviance
    if small.shape == "estimated" and test == "LRT" and small.fit is not None and large.fit is not None:
        return chi2(2.0 * (large.fit.llf - small.fit.llf), df)  # each at its own alpha, where deviances don't compare
    if test == "F":
        return f_test(gain / df / dispersion, df, df_dispersion)
    return chi2(gain / dispersion, df)


def chi2(statistic: float, df: float) -> Outcome:
    """Return a chi-squared test; what rounding leaves under 0 counts as 0."""
    return Outcome(statistic, df, float(special.chdtrc(df, max(statistic, 0.0))))


def f_test(statistic: float, df: float, df_resid: float) -> Outcome:
    """Return an F test; with infinitely many degrees of freedom below it is chi-squared over df."""
    if np.isinf(df_resid):
        return Outcome(statistic, df, float(special.chdtrc(df, max(df * statistic, 0.0))))
    return Outcome(statistic, df, float(special.fdtrc(df, df_resid, max(statistic, 0.0))))


def _rao(small: Submodel, large: Submodel, dispersion: float) -> float:
    if large.fit is None:
        return np.nan
    columns = large.columns[large.fit.fitted.kept]
    information = Gram(small.score["metric"].matrix_form()[np.ix_(columns, columns)])
    return rao_statistic(small.score["score"][columns], information, dispersion)


def _wald(small: Submodel, large: Submodel) -> float:
    """Return Wald's statistic of the larger fit's coefficients that the smaller one lacks."""
    if large.fit is None:
        return np.nan
    lost = ~np.isin(large.columns, small.columns) & large.fit.fitted.kept
    return wald_statistic(large.fit, lost)


def wald_statistic(fit: GLMResults, lost: Array) -> float:
    """Return b' V^-1 b of marked coefficients; NaN where one of them has no finite estimate."""
    if not finite_columns(fit)[lost].all():
        return np.nan
    b, V = fit.fitted.params[lost], fit._cov[np.ix_(lost, lost)]
    return float(b @ Gram(V).solve(b))


def _warn(message: str) -> None:
    import warnings

    from natfit.results.warnings import ConvergenceWarning

    warnings.warn(message, ConvergenceWarning, stacklevel=2)
