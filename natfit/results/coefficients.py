"""The table of a fit's coefficients: estimates, standard errors, tests and intervals; the same for every kind of model."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.results import covariance as cov
from natfit.results.prediction import critical

Array = np.ndarray[Any, np.dtype[Any]]


class Coefficients:
    """Mixed into a fit that has ``fitted.params``, names for them, and a covariance of each kind."""

    if TYPE_CHECKING:
        model: Any
        fitted: Any
        use_t: bool
        scale: float
        _cov_kind: Any

        @property
        def df_resid(self) -> float: ...
        @property
        def _coefficients(self) -> list[Any]: ...
        @property
        def _labelled(self) -> bool: ...
        def _covariance(self, kind: Any) -> Array: ...

    @property
    def df_resid_inference(self) -> float:
        """Degrees of freedom of Student's t and of F."""
        return self.df_resid

    def _label(self, values: Array) -> Any:
        """Give one value for each coefficient its name, where the data had labels."""
        if not self._labelled:
            return values
        import pandas as pd

        return pd.Series(values, index=self._coefficients)

    @cached_property
    def params(self) -> Any:
        """Estimates of the coefficients; NaN where a column is aliased."""
        return self._label(self.fitted.params)

    @cached_property
    def _cov(self) -> Array:
        return self._covariance(self._cov_kind)

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
        return self._label(2.0 * (special.stdtr(self.df_resid_inference, -size) if self.use_t else special.ndtr(-size)))

    def conf_int(self, alpha: float = 0.05, cols: Any = None) -> Any:
        """Return Wald limits of the coefficients, (p, 2): estimate plus and minus a quantile of standard errors.

        Parameters
        ----------
        alpha : float
            One less the level.
        cols : sequence of int or str, optional
            Which coefficients.
        """
        width = critical(alpha, self.df_resid_inference if self.use_t else None) * self._bse
        limits = np.column_stack([self.fitted.params - width, self.fitted.params + width])
        chosen = slice(None) if cols is None else self._places(cols)
        if not self._labelled:
            return limits[chosen]
        import pandas as pd

        return pd.DataFrame(limits, index=self._coefficients).iloc[chosen]

    def _places(self, cols: Any) -> Array:
        """Return the numbers of coefficients that are told by number or by name."""
        chosen, names = np.asarray(cols), self.model.exog_names
        if chosen.dtype.kind not in "UO":
            return chosen
        for name in chosen.ravel().tolist():
            if name not in names:
                raise ValueError(f"there is no coefficient {name!r}; there are {', '.join(names)}")
        return np.array([names.index(name) for name in chosen.ravel().tolist()])

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
        information : str, optional
            Another kind than the fit's own ``cov_type``: "expected", "observed", "HC0"; of a GLM also "HC1", "HC2", "HC3",
            and through its `get_robustcov_results` those that need settings.
        """
        if isinstance(r_matrix, str):  # a single text names the kind
            r_matrix, information = None, r_matrix
        full = self._cov if information is None else self._covariance(information)
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
        if not self._labelled:
            return full
        import pandas as pd

        return pd.DataFrame(full, index=self._coefficients, columns=self._coefficients)

    @property
    def normalized_cov_params(self) -> Any:
        """Covariance at unit dispersion, from the expected information."""
        return self.cov_params(cov_p=self._covariance("eim") / self.scale)
