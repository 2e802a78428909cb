"""What every fitted mixture says of its estimates: criteria, standard errors, what the labels hide, reservations."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy import special
from scipy.linalg import eigh

from natfit.metric import SingularMetric
from natfit.results.criteria import Criteria

Array = np.ndarray[Any, np.dtype[Any]]

COVARIANCES = ("observed", "empirical", "robust")


class MixtureEstimates(Criteria):
    """Estimates of a mixture and their uncertainty; a part of `natfit.MixtureResults` and `natfit.MixtureRegressionResults`.

    A result adds ``_show`` (what is shown of parameters, and names), ``_jacobian`` of that, ``_rows``, the source of its
    rows, ``df`` and ``_degenerate``; and ``_chart``, its free coordinates, where the likelihood's parameters are not free.
    """

    base: Any
    model: Any
    likelihood: Any
    cov_type: str
    _rows: Any
    _chart: Any = None

    def _take(self, model: Any, fitted: Any, cov_type: str, nobs: float) -> None:
        """Take what a fit leaves behind.

        Raises
        ------
        ValueError
            For an unknown kind of standard errors.
        """
        if cov_type not in COVARIANCES:
            raise ValueError(f"cov_type must be 'observed', 'empirical' or 'robust'; got {cov_type!r}")
        self.model, self.base, self.cov_type, self.nobs = model, fitted, cov_type, nobs
        self.likelihood = fitted.likelihood
        self.components: Any = fitted.likelihood.components
        self.n_components: int = self.components.n_components
        outcome = fitted.outcome
        self.converged, self.reason, self.decrement = outcome.converged, outcome.reason, outcome.decrement
        self.llf = outcome.point.loglik
        self.n_best, self.n_starts = fitted.search.n_best, fitted.search.n_starts

    def _show(self, params: Array) -> tuple[Array, list[str]]:
        """Return what is shown of the likelihood's parameters, (m,), and the names."""
        raise NotImplementedError

    def _jacobian(self) -> Array:
        """Return the derivatives of what is shown in the free coordinates, (m, q)."""
        raise NotImplementedError

    def _degenerate(self) -> list[str]:
        """Return what is degenerate about the maximum, in words."""
        raise NotImplementedError

    # -- criteria --------------------------------------------------------------------------------------------------

    @cached_property
    def entropy(self) -> float:
        """Entropy of the classification, -sum over labels of r log r, in nats; 0 where it is certain."""

        def total(block: Any) -> float:
            shares = self.likelihood.shares(self.base.params, block)
            return -float(special.xlogy(shares.weighted, shares.responsibility).sum())

        return float(sum(self._rows.map(total)))

    @property
    def icl(self) -> float:
        """BIC plus twice the entropy of the classification (Biernacki, Celeux & Govaert 2000)."""
        return self.bic + 2.0 * self.entropy

    # -- uncertainty -----------------------------------------------------------------------------------------------

    @property
    def params(self) -> Any:
        """Weights, or what they depend on, then each component's parameters, a Series."""
        import pandas as pd

        values, names = self._shown
        return pd.Series(values, index=names)

    @cached_property
    def _shown(self) -> tuple[Array, list[str]]:
        return self._show(self.base.params)

    def information(self, kind: str = "observed") -> Any:
        """Return the information in the free coordinates, a `natfit.metric.Metric`.

        Parameters
        ----------
        kind : {"observed", "empirical", "complete"}
            Minus the Hessian; the outer products of the rows' scores; what the rows would hold with labels known.

        Raises
        ------
        ValueError
            For another kind.
        """
        from natfit.results.mixtures.information import information

        return information(self, kind)

    @cached_property
    def _cov(self) -> Array:
        try:
            if self.cov_type == "robust":
                bread = self.information("observed").inverse()
                inner = bread @ self.information("empirical").matrix_form() @ bread
            else:
                inner = self.information(self.cov_type).inverse()
        except (SingularMetric, np.linalg.LinAlgError):
            return np.full((len(self._shown[0]), len(self._shown[0])), np.nan)
        jacobian = self._jacobian()
        return jacobian @ inner @ jacobian.T

    @property
    def bse(self) -> Any:
        """Standard errors of ``params``; NaN where the information is not positive definite."""
        import pandas as pd

        with np.errstate(invalid="ignore"):
            return pd.Series(np.sqrt(self._cov.diagonal()), index=self._shown[1])

    def cov_params(self) -> Any:
        """Return the covariance of ``params``, a frame."""
        import pandas as pd

        return pd.DataFrame(self._cov, index=self._shown[1], columns=self._shown[1])

    def conf_int(self, alpha: float = 0.05) -> Any:
        """Return Wald limits of ``params``, a frame of two columns."""
        import pandas as pd

        width = special.ndtri(1.0 - alpha / 2.0) * self.bse.to_numpy()
        values = self._shown[0]
        return pd.DataFrame({0: values - width, 1: values + width}, index=self._shown[1])

    @cached_property
    def _missing(self) -> tuple[Array, float]:
        """The shares of information missing on what is shown, and the largest share along any direction."""
        complete, observed, jacobian = self.information("complete"), self.information("observed"), self._jacobian()
        known, have = complete.inverse_quadratic(jacobian), observed.inverse_quadratic(jacobian)
        with np.errstate(all="ignore"):
            shares = np.where(have > 0.0, 1.0 - known / have, np.nan)
        least = eigh(observed.matrix_form(), complete.matrix_form(), eigvals_only=True, subset_by_index=[0, 0])
        return shares, float(1.0 - least[0])

    @property
    def missing_information(self) -> Any:
        """The share of the information on each of ``params`` that the missing labels take away, a Series.

        One less the ratio of the variances that the estimate would have with labels known, and has (Louis 1982).
        """
        import pandas as pd

        return pd.Series(self._missing[0], index=self._shown[1])

    @property
    def em_rate(self) -> float:
        """The factor by which EM's distance to the maximum shrinks in a step: the largest share of missing information."""
        return self._missing[1]

    # -- trust -----------------------------------------------------------------------------------------------------

    @cached_property
    def degeneracies(self) -> list[str]:
        """What is degenerate about this maximum, in words; an empty list where nothing is."""
        outside = [f"it lies outside the constraint: {self.base.breach}"] if self.base.breach else []
        return self._degenerate() + outside

    @property
    def reservations(self) -> list[str]:
        """Why the fit is not to be trusted, in words."""
        said = list(self.degeneracies)
        if not self.converged and not said:
            said.append(f"not converged: {self.reason}")
        if self.n_best < 2 <= self.n_starts and self.n_components > 1:
            said.append("only one start reached this maximum")
        return said

    @property
    def record(self) -> Any:
        """One row for each iteration on all rows: log-likelihood, decrement, step, passes, seconds, metric."""
        import pandas as pd

        return pd.DataFrame(list(self.base.outcome.record))
