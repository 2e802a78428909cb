"""The result of fitting one distribution: estimates and their uncertainty in any of its parametrizations."""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from natfit.families.curvature import bend
from natfit.metric import Gram, SingularMetric
from natfit.need import LOGLIK, MEAT, OBSERVED, SCORE
from natfit.results.coefficients import Coefficients
from natfit.results.cov_type import EVERY_LIKELIHOOD, resolve
from natfit.results.criteria import Criteria
from natfit.results.distribution_rows import DistributionRows
from natfit.results.frozen import FrozenDistribution
from natfit.results.keeping import Keeping
from natfit.results.reporting import Reported
from natfit.results.tests import Tests

if TYPE_CHECKING:
    from natfit.models.distribution import FittedDistribution

Array = np.ndarray[Any, np.dtype[Any]]

NO_SPREAD = 1e-12
"""Standard error under which, as a share of the estimate, a coordinate counts as held: rounding of the Jacobians."""


class DistributionResults(DistributionRows, Coefficients, Criteria, Tests, Keeping, Reported):
    """A fitted distribution, in one parametrization; ``to`` shows the same fit in another.

    Made by `natfit.fit_distribution`. Parameters are always labelled: Series and frames of pandas by their names.

    Attributes
    ----------
    params, bse, tvalues, pvalues : Series
    family : Family
    parametrization : str
        Name of the coordinates shown; ``coordinates`` is the object.
    llf, aic, bic : float
        Of the normalised log-likelihood; the same in every parametrization.
    nobs : float
        Number of observations: the sum of the frequency weights.
    df : int
        Number of free parameters.
    converged : bool
    reason : str
        Why the optimizer ended, in words.
    decrement : float
        Squared distance to the maximum in standard errors, where the optimizer ended.
    """

    use_t = False
    scale = 1.0
    stored_as = "distribution"

    def _archive(self) -> Any:
        return self.base.save

    def __init__(self, fitted: FittedDistribution, cov_type: str = "nonrobust", shown: tuple[Any, str] | None = None):
        self.base = fitted
        self.family = fitted.likelihood.family
        self.cov_type = cov_type
        self._cov_kind = resolve(cov_type, EVERY_LIKELIHOOD)
        self.coordinates: Any
        self.coordinates, self.parametrization = shown or (fitted.coordinates, fitted.parametrization)
        self._own = self.coordinates is fitted.coordinates
        self.names = list(self.coordinates.names)
        outcome = fitted.outcome
        self.converged, self.reason, self.decrement = outcome.converged, outcome.reason, outcome.decrement
        self.nobs = fitted.data.nobs
        self.df = fitted.coordinates.size
        self.llf: float = outcome.point.loglik
        self.model = SimpleNamespace(exog_names=self.names, endog_names=fitted.data.name)
        self._values: Array = fitted.params if self._own else self.coordinates.from_home(fitted.home)
        self._tangent: Array = self._carry()
        self.fitted = SimpleNamespace(kept=np.ones(len(self.names), dtype=bool), params=self._values)

    def _carry(self) -> Array:
        """Return the Jacobian of the coordinates shown in those that were fitted, (m, q)."""
        if self._own:
            return np.eye(self.df)
        there = self.coordinates.require_regular(self._values)
        here = self.base.coordinates.jacobian(self.base.params)
        if self.coordinates.size == self.family.size:
            return np.linalg.solve(there, here)
        carried = np.linalg.lstsq(there, here)[0]
        if np.abs(there @ carried - here).max() > 1e-8 * np.abs(here).max():
            raise ValueError(
                f"the parametrization {self.parametrization} holds directions along which this fit was free, so it has "
                "no standard errors there; fit in it instead"
            )
        return carried

    def to(self, parametrization: Any) -> DistributionResults:
        """Return the same fit in other coordinates: the estimate mapped, its covariance by the exact Jacobians.

        Likelihood, decrement and distribution are the same; Wald intervals are not, as they are symmetric in the
        coordinates at hand.

        Parameters
        ----------
        parametrization : str, Parametrization or None
            As for `natfit.fit_distribution`. None is the family's home parametrization.

        Raises
        ------
        ValueError
            If the family has none of that name, or it is singular at the estimate.
        """
        chart = self.family.parametrization(parametrization)
        if chart.home_size != self.family.size:
            raise ValueError(
                f"{self.family.name} has {self.family.size} home parameters, but {chart!r} maps to {chart.home_size}; "
                "give a parametrization of this family"
            )
        name = parametrization if isinstance(parametrization, str) else repr(chart)
        return DistributionResults(
            self.base, self.cov_type, (chart, self.family.home if parametrization is None else name)
        )

    # -- estimates -------------------------------------------------------------------------------------------------

    _labelled = True

    @property
    def _coefficients(self) -> list[Any]:
        return self.names

    @property
    def home_params(self) -> Any:
        """Estimates in the family's home parameters."""
        import pandas as pd

        return pd.Series(self.base.home, index=list(self.family.parameter_names))

    @cached_property
    def _bse(self) -> Array:
        with np.errstate(invalid="ignore"):
            spread = np.sqrt(self._cov.diagonal())
        return np.where(spread <= NO_SPREAD * np.abs(self._values), 0.0, spread)

    @property
    def bse(self) -> Any:
        """Standard errors; 0 for what was held, NaN where the Fisher information is singular."""
        return self._label(self._bse)

    @property
    def pvalues(self) -> Any:
        """Two-sided p-values of the value 0; NaN where 0 is no value that the parameter can have."""
        allowed = np.array([self._may_vanish(j) for j in range(len(self.names))])
        return self._label(np.where(allowed, 2.0 * special.ndtr(-np.abs(self._tvalues)), np.nan))

    def _may_vanish(self, j: int) -> bool:
        xi = self._values.copy()
        xi[j] = 0.0
        with np.errstate(all="ignore"):
            if not np.all(self.coordinates.contains(xi)):
                return False
            return bool(np.all(self.family.contains(self.coordinates.to_home(xi))))

    def _covariance(self, kind: str) -> Array:
        try:
            own = self._covariance_as_fitted(resolve(kind, EVERY_LIKELIHOOD))
        except SingularMetric:
            own = np.full((self.df, self.df), np.nan)
        return own if self._own else self._tangent @ own @ self._tangent.T

    def _covariance_as_fitted(self, kind: str) -> Array:
        """Return the covariance of the free coordinates, (q, q).

        Expected: (n J'FJ)^-1. Observed: H^-1 with H minus the Hessian in the free coordinates. HC0: H^-1 M H^-1 with M
        the sum of the rows' score outer products (White, 1982, Econometrica 50).
        """
        if kind in self.base.covariances:
            return self.base.covariances[kind]
        coordinates, xi = self.base.coordinates, self.base.params
        J = coordinates.jacobian(xi)
        expected = Gram(self.nobs * self.family.home_fisher(self.base.home)).pullback(J)
        if kind in ("nonrobust", "eim"):
            return expected.inverse()
        sums = self.evaluate(LOGLIK | SCORE | OBSERVED | (MEAT if kind == "hc0" else 0))
        curved = bend(coordinates, xi, sums["score"], np.sqrt(self.nobs / expected.matrix.diagonal()))
        inverse = Gram(sums["observed"].pullback(J).matrix - curved).inverse()
        return inverse if kind == "oim" else inverse @ sums["meat"].pullback(J).matrix @ inverse

    @property
    def df_model(self) -> float:
        return float(self.df)

    @property
    def df_resid(self) -> float:
        """Observations less free parameters."""
        return self.nobs - self.df

    # -- fit -------------------------------------------------------------------------------------------------------

    def evaluate(self, need: int) -> Any:
        """Return the sums of one pass over the data at the estimate, in home parameters (flags of `natfit.need`)."""
        likelihood, home = self.base.likelihood, self.base.home
        return self.base.data.source.reduce(lambda block: likelihood.evaluate(home, block, need))

    @property
    def distribution(self) -> FrozenDistribution:
        """The fitted distribution itself: log-density, draws, divergence from another, entropy, mean and variance."""
        return FrozenDistribution(self.family, self.base.home)

    @cached_property
    def record(self) -> Any:
        """One row for each iteration: log-likelihood, decrement, step, KL moved, passes, seconds, metric."""
        import pandas as pd

        return pd.DataFrame(list(self.base.outcome.record))

    def summary(
        self, yname: str | None = None, title: str | None = None, alpha: float = 0.05, pvalues: bool = False
    ) -> Any:
        """Return the table of the fit: ``print(fit.summary())``, ``.as_html()``.

        Parameters
        ----------
        yname, title : str, optional
        alpha : float
            One less the level of the Wald intervals.
        pvalues : bool
            Also print z and p-values of the value 0: few parameters of a distribution can have it.
        """
        from natfit.results.distribution_summary import distribution_summary

        return distribution_summary(self, yname, title, alpha, pvalues)
