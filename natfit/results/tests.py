"""Linear hypotheses about the coefficients: statsmodels' own tests, on natfit's estimates."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

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

    def _as_statsmodels(self) -> Any:
        """Return a statsmodels result that holds the estimates of the columns that are identified."""
        from statsmodels.base.model import LikelihoodModelResults

        kept = self.fitted.kept
        names = [name for name, k in zip(self.model.exog_names, kept, strict=True) if k]
        data = SimpleNamespace(cov_names=names, param_names=names, xnames=names)
        stub = SimpleNamespace(data=data, exog_names=names, endog_names=self.model.endog_names, param_names=names)
        result = LikelihoodModelResults(stub, self.fitted.params[kept], scale=1.0)
        result.normalized_cov_params = self._cov[np.ix_(kept, kept)]
        result.df_resid, result.df_model, result.use_t = self.df_resid, self.df_model, self.use_t
        return result

    def _restriction(self, r_matrix: Any) -> Any:
        """Leave aliased columns out of a matrix of restrictions; refuse one that is about them."""
        kept = self.fitted.kept
        if kept.all() or isinstance(r_matrix, str | dict):
            return r_matrix
        matrix, *value = r_matrix if isinstance(r_matrix, tuple) else (r_matrix,)
        rows = np.atleast_2d(np.asarray(matrix, dtype=float))
        if rows.shape[1] == kept.size:
            tested = [
                n
                for n, k, r in zip(self.model.exog_names, kept, np.any(rows, axis=0).tolist(), strict=True)
                if r and not k
            ]
            if tested:
                raise ValueError(
                    f"a test needs identified coefficients, but {', '.join(tested)} is aliased; test the others"
                )
            rows = rows[:, kept]
        return (rows, *value) if value else rows

    def t_test(self, r_matrix: Any, cov_p: Any = None, use_t: bool | None = None) -> Any:
        """Test linear combinations one by one; returns statsmodels' ContrastResults."""
        return self._as_statsmodels().t_test(self._restriction(r_matrix), cov_p=cov_p, use_t=use_t)

    def f_test(self, r_matrix: Any, cov_p: Any = None, invcov: Any = None) -> Any:
        """Test linear restrictions together by the F statistic."""
        return self._as_statsmodels().f_test(self._restriction(r_matrix), cov_p=cov_p, invcov=invcov)

    def wald_test(
        self, r_matrix: Any, cov_p: Any = None, invcov: Any = None, use_f: bool | None = None, **kwargs: Any
    ) -> Any:
        """Test linear restrictions together by Wald's statistic."""
        return self._as_statsmodels().wald_test(
            self._restriction(r_matrix), cov_p=cov_p, invcov=invcov, use_f=use_f, **kwargs
        )
