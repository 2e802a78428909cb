"""Residuals of a GLM, under statsmodels' names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Residuals:
    """Mixed into a fit: one value for each row, labelled as the data are."""

    if TYPE_CHECKING:
        model: Any
        family: Any
        link: Any
        scale: float

        @property
        def _eta(self) -> Array: ...
        def _rows(self, values: Array) -> Any: ...

    def _parts(self) -> tuple[Array, Array, Array | None, Array, Array, Array, Array]:
        """Return y - mu, mu, its complement, V(mu), dmu/deta, the variance weights and the trials of all rows."""
        data = self.model.data
        with np.errstate(all="ignore"):
            mu, complement, slope = self.link.mean(self._eta)
            residual = self.family.residual(data.y, mu, complement)
            variance = self.family.variance(mu, complement)
        ones = np.ones(data.n_rows)
        weight = ones if data.var_weights is None else data.var_weights
        return residual, mu, complement, variance, slope, weight, ones if data.trials is None else data.trials

    @property
    def resid_response(self) -> Any:
        """y - mu; for a binomial with trials the difference of counts."""
        residual, *_, trials = self._parts()
        return self._rows(residual * trials)

    @property
    def resid_pearson(self) -> Any:
        """(y - mu) sqrt(weight / V(mu))."""
        residual, _, _, variance, _, weight, trials = self._parts()
        return self._rows(residual * np.sqrt(weight * trials / variance))

    @property
    def resid_working(self) -> Any:
        """(y - mu) d eta / d mu, with statsmodels' square of the trials."""
        residual, _, _, _, slope, _, trials = self._parts()
        return self._rows(residual / slope * trials**2)

    @property
    def resid_deviance(self) -> Any:
        """sign(y - mu) sqrt(weight d(y, mu))."""
        residual, mu, complement, _, _, weight, trials = self._parts()
        with np.errstate(all="ignore"):
            unit = self.family.unit_deviance(self.model.data.y, mu, complement)
        return self._rows(np.sign(residual) * np.sqrt(unit * weight * trials))

    @property
    def resid_anscombe(self) -> Any:
        """(A(y) - A(mu)) / V(mu)^(1/6) sqrt(weight / dispersion), A the integral of V^(-1/3): nearly normal."""
        return self._anscombe(self.scale)

    @property
    def resid_anscombe_scaled(self) -> Any:
        """Another name of `resid_anscombe`."""
        return self._anscombe(self.scale)

    @property
    def resid_anscombe_unscaled(self) -> Any:
        """`resid_anscombe` at unit dispersion."""
        return self._anscombe(1.0)

    def _anscombe(self, scale: float) -> Any:
        data = self.model.data
        with np.errstate(all="ignore"):
            mu = self.link.inverse(self._eta)
        return self._rows(self.family.resid_anscombe(data.y, mu, self.model.var_weights, scale))
