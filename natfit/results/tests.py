"""Linear hypotheses about the coefficients: statsmodels' own tests, on natfit's estimates."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.covariance import combine

Array = np.ndarray[Any, np.dtype[Any]]


class Tests:
    """Mixed into a fit: t_test, f_test and wald_test, for arrays or for text such as ``"x1 = 0, x2 = x3"``."""

    if TYPE_CHECKING:
        model: Any
        fitted: Any
        use_t: bool

        @property
        def df_resid(self) -> float: ...
        @property
        def df_model(self) -> float: ...
        @property
        def _cov(self) -> Array: ...

    def _as_statsmodels(self, joint: bool = False) -> Any:
        """Return a statsmodels result of the estimates; its tests see to coefficients that have none.

        Parameters
        ----------
        joint : bool
            Whether it is for a test of several restrictions together, which needs all their variances.
        """
        from statsmodels.base.model import LikelihoodModelResults

        names, fit = self.model.exog_names, self

        class Estimates(LikelihoodModelResults):
            def cov_params(self, r_matrix: Any = None, *args: Any, cov_p: Any = None, **kwargs: Any) -> Any:
                full = self.normalized_cov_params if cov_p is None else np.asarray(cov_p, dtype=float)
                if r_matrix is None:
                    return full
                rows = np.atleast_2d(np.asarray(r_matrix, dtype=float))
                fit._refuse(rows, full, joint)
                return combine(full, rows)

        data = SimpleNamespace(cov_names=names, param_names=names, xnames=names)
        stub = SimpleNamespace(data=data, exog_names=names, endog_names=self.model.endog_names, param_names=names)
        result = Estimates(stub, np.where(self.fitted.kept, self.fitted.params, 0.0), scale=1.0)
        result.normalized_cov_params = self._cov
        result.df_resid, result.df_model, result.use_t = self.df_resid, self.df_model, self.use_t
        return result

    def _refuse(self, rows: Array, cov: Array, joint: bool) -> None:
        """Refuse the test of aliased coefficients, and a joint test of some that run off to infinity."""
        aliased = self._tested(rows, ~self.fitted.kept)
        if aliased:
            raise ValueError(f"a test needs identified coefficients, but {aliased} aliased; test the others")
        separation = getattr(self.fitted, "separation", None)
        if joint and separation is not None:
            separated = self._tested(rows, separation.columns & np.isnan(cov.diagonal()))
            if separated:
                raise ValueError(f"a joint test needs finite estimates, but {separated} separated; test the others")

    def _tested(self, rows: Array, marked: Array) -> str:
        """Return in words which marked coefficients some row loads on: "a is", "a, b are", or nothing."""
        names = [n for n, m in zip(self.model.exog_names, marked & np.any(rows, axis=0), strict=True) if m]
        return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}" if names else ""

    def t_test(self, r_matrix: Any, cov_p: Any = None, use_t: bool | None = None) -> Any:
        """Test linear combinations one by one; returns statsmodels' ContrastResults.

        The test of a combination that loads on a separated coefficient is NaN; one of an aliased coefficient is refused.
        """
        return self._as_statsmodels().t_test(r_matrix, cov_p=cov_p, use_t=use_t)

    def f_test(self, r_matrix: Any, cov_p: Any = None, invcov: Any = None) -> Any:
        """Test linear restrictions together by the F statistic."""
        return self._as_statsmodels(joint=True).f_test(r_matrix, cov_p=cov_p, invcov=invcov)

    def wald_test(
        self, r_matrix: Any, cov_p: Any = None, invcov: Any = None, use_f: bool | None = None, **kwargs: Any
    ) -> Any:
        """Test linear restrictions together by Wald's statistic."""
        return self._as_statsmodels(joint=True).wald_test(r_matrix, cov_p=cov_p, invcov=invcov, use_f=use_f, **kwargs)
