"""Linear hypotheses about the coefficients: statsmodels' own tests, on natfit's estimates."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.covariance import combine
from natfit.results.terms import named_columns

Array = np.ndarray[Any, np.dtype[Any]]


class Tests:
    """Mixed into a fit: t_test, f_test, wald_test (and _terms), for arrays or text such as ``"x1 = 0, x2 = x3"``."""

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
        result.df_resid_inference = getattr(self, "df_resid_inference", self.df_resid)
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

    def _restrictions(self, asked: Any) -> Any:
        """Refuse hypotheses that statsmodels would not read, or that have another number of columns; return the others."""
        names = self.model.exog_names
        if isinstance(asked, tuple):
            self._restrictions(asked[0])
        elif isinstance(asked, str | dict) or (
            isinstance(asked, list) and any(isinstance(each, str) for each in asked)
        ):
            from patsy import DesignInfo, PatsyError

            try:
                DesignInfo(names).linear_constraint(asked)
            except (PatsyError, ValueError) as error:
                raise ValueError(
                    f"the hypothesis {asked!r} can't be read ({str(error).splitlines()[0]}); write it as in "
                    f"'{names[-1]} = 0', with the coefficients {', '.join(names)}"
                ) from error
        elif (width := np.shape(asked)[-1:]) != (len(names),):
            raise ValueError(
                f"a hypothesis needs a weight for each of {len(names)} coefficients, but these have {width or 'none'}"
            )
        return asked

    def t_test(self, r_matrix: Any, cov_p: Any = None, use_t: bool | None = None) -> Any:
        """Test linear combinations one by one; returns statsmodels' ContrastResults.

        The test of a combination that loads on a separated coefficient is NaN; one of an aliased coefficient is refused.
        """
        rows = self._restrictions(r_matrix)
        return self._as_statsmodels().t_test(rows, cov_p=cov_p, use_t=use_t)

    def f_test(self, r_matrix: Any, cov_p: Any = None, invcov: Any = None) -> Any:
        """Test linear restrictions together by the F statistic."""
        rows = self._restrictions(r_matrix)
        return self._as_statsmodels(joint=True).f_test(rows, cov_p=cov_p, invcov=invcov)

    def wald_test(
        self, r_matrix: Any, cov_p: Any = None, invcov: Any = None, use_f: bool | None = None, **kwargs: Any
    ) -> Any:
        """Test linear restrictions together by Wald's statistic."""
        rows = self._restrictions(r_matrix)
        return self._as_statsmodels(joint=True).wald_test(rows, cov_p=cov_p, invcov=invcov, use_f=use_f, **kwargs)

    def wald_test_terms(
        self,
        skip_single: bool = False,
        extra_constraints: Any = None,
        combine_terms: Sequence[str] | None = None,
        scalar: bool = True,
    ) -> Any:
        """Test each term of the formula, all its coefficients together; returns statsmodels' WaldTestResults.

        Parameters
        ----------
        skip_single : bool
            Leave out terms of one column.
        extra_constraints : sequence of (str, matrix), optional
            Further restrictions under names of their own.
        combine_terms : sequence of str, optional
            For each, test together the terms whose names contain it.

        Notes
        -----
        Aliased columns are left out of their terms, and a term of aliased columns alone out of the table. A term with a
        separated coefficient has no test: its row is NaN. Without a formula each column is a term.
        """
        kept, identity = self.fitted.kept, np.eye(len(self.model.exog_names))
        terms = [(name, columns[kept[columns]]) for name, columns in self._terms()]
        chosen = [(name, identity[columns]) for name, columns in terms if columns.size > int(skip_single)]
        for part in combine_terms or ():
            found = [columns for name, columns in terms if part in name]
            if not found:
                raise ValueError(f"no term's name contains {part!r}; the terms are {', '.join(n for n, _ in terms)}")
            chosen.append((part, identity[np.concatenate(found)]))
        chosen += [(name, np.atleast_2d(np.asarray(rows, dtype=float))) for name, rows in extra_constraints or ()]
        unknown = np.isnan(self._cov.diagonal()) & kept
        testable = np.array([not rows[:, unknown].any() for _, rows in chosen], dtype=bool)
        constraints = [pair for pair, tested in zip(chosen, testable, strict=True) if tested]
        result = self._as_statsmodels(joint=True).wald_test_terms(
            skip_single=True, extra_constraints=constraints, scalar=scalar
        )
        if not testable.all():
            table = result.table.set_axis(np.flatnonzero(testable)).reindex(range(len(chosen)))
            result.table = table.set_axis([name for name, _ in chosen])
        return result

    def _terms(self) -> list[tuple[str, Array]]:
        """Return the formula's terms, or else the columns, each with its columns' numbers."""
        return named_columns(self.model)
