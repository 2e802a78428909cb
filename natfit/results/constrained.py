"""The result of a fit under linear constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from natfit.results.covariance import combine
from natfit.results.glm import GLMResults

if TYPE_CHECKING:
    from natfit.models.glm import GLM
    from natfit.results.cov_type import CovarianceType
    from natfit.results.fitted import Fitted

Array = np.ndarray[Any, np.dtype[Any]]


class Constraints(NamedTuple):
    """Linear constraints ``coefs @ params = constants``."""

    coefs: Array
    constants: Array


class ConstrainedResults(GLMResults):
    """A generalized linear model fitted under linear constraints; all that `GLMResults` has, at the constrained estimate.

    Attributes
    ----------
    constraints : Constraints
        ``coefs`` (k, p) and ``constants`` (k,).
    k_constr : int
        How many constraints there are.
    results_constrained : GLMResults
        The fit of the free coefficients, with the constraints in its design and offset.
    """

    constraints: Constraints
    results_constrained: GLMResults
    _spread: Array

    @classmethod
    def of(cls, model: GLM, inner: GLMResults, fitted: Fitted, constraints: Constraints, spread: Array) -> Self:
        """Return the result for all coefficients of the fit ``inner`` of the free ones, which ``spread`` spreads."""
        made = cls(model, fitted, inner.family, inner.dispersion, inner._cov_kind, inner.use_t, inner.shape)
        made.constraints, made.results_constrained, made._spread = constraints, inner, spread
        return made

    @property
    def k_constr(self) -> int:
        """How many constraints there are."""
        return len(self.constraints.constants)

    @property
    def df_resid(self) -> float:
        """Observations less the rank of the constrained design."""
        return self.results_constrained.df_resid

    @property
    def df_model(self) -> float:
        """Rank of the constrained design less one."""
        return self.results_constrained.df_model

    def _covariance(self, kind: str | CovarianceType) -> Array:
        """Return the covariance of all coefficients: singular, as the constraints hold exactly."""
        return combine(self.results_constrained._covariance(kind), self._spread)

    def get_robustcov_results(self, cov_type: str = "HC1", use_t: bool | None = None, **cov_kwds: Any) -> Self:
        """Return the same fit with another covariance of its estimates; nothing is fitted again."""
        inner = self.results_constrained.get_robustcov_results(cov_type, use_t, **cov_kwds)
        return self.of(self.model, inner, self.fitted, self.constraints, self._spread)

    def get_hat_matrix_diag(self, observed: bool = True) -> Array:
        """Return the leverages of the constrained fit, (n,)."""
        return self.results_constrained.get_hat_matrix_diag(observed)

    def conf_int(self, alpha: float = 0.05, cols: Any = None, method: str = "wald") -> Any:
        """Return Wald limits: those of the profile likelihood stand with ``results_constrained``."""
        if method != "wald":
            raise NotImplementedError(LOST.format(f"conf_int(method={method!r})"))
        return super().conf_int(alpha, cols)


LOST = "{} would lose the constraints of this fit; ask fit.results_constrained, the fit of its free coefficients"


def _refused(name: str) -> Any:
    def method(self: ConstrainedResults, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(LOST.format(name))

    method.__name__, method.__doc__ = name, "Refuse: the fit of the free coefficients, ``results_constrained``, has it."
    return method


for _name in ("get_influence", "influence", "profile", "wald_check", "bootstrap", "update", "drop1", "add1", "step"):
    setattr(ConstrainedResults, _name, _refused(_name))
