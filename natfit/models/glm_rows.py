"""What statsmodels' GLM can be asked of each row at any coefficients: means, score and Hessian factors, distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.response_names import scipy_distribution, warn_of_scale

if TYPE_CHECKING:
    from natfit.data.arrays import Source
    from natfit.families.links import Link
    from natfit.families.response import Response
    from natfit.likelihoods.glm import GLMLikelihood
    from natfit.models.data import GLMData
    from natfit.models.rows import NewRows

Array = np.ndarray[Any, np.dtype[Any]]


class GLMRows:
    """Mixed into a model: what each row contributes, (n,) or (n, p), under statsmodels' names."""

    if TYPE_CHECKING:
        data: GLMData
        family: Response
        link: Link
        source: Source

        @property
        def df_resid(self) -> float: ...
        def likelihood(self, family: Response | None = None) -> GLMLikelihood: ...
        def _at(self, params: Any, scale: float | None) -> tuple[Array, float]: ...
        def new_rows(self, exog: Any = None, transform: bool = True, **known: Any) -> NewRows: ...
        @property
        def iweights(self) -> Array: ...
        @property
        def n_trials(self) -> Array: ...
        @property
        def freq_weights(self) -> Array: ...
        @property
        def var_weights(self) -> Array: ...

    def predict(
        self, params: Any, exog: Any = None, exposure: Any = None, offset: Any = None, which: str = "mean"
    ) -> Any:
        """Return predicted means for given coefficients.

        Parameters
        ----------
        params : (p,) array_like
        exog : array_like, optional
            Rows of a design; the model's own by default, with its offset and exposure.
        which : {"mean", "linear", "var_unscaled"}
            The mean, the linear predictor, or the variance function at the mean.
        """
        rows = self.new_rows(exog, transform=False, exposure=exposure, offset=offset)
        eta = rows.matvec(np.asarray(params, dtype=float))
        if which in ("linear", "linpred"):
            return eta
        if which not in ("mean", "var_unscaled"):
            raise ValueError(f"which must be 'mean', 'linear' or 'var_unscaled', got {which!r}")
        with np.errstate(all="ignore"):
            mu, complement, _ = self.link.mean(eta)
            return mu if which == "mean" else self.family.variance(mu, complement)

    def _derivatives(self, params: Array, observed: bool) -> tuple[Array, Array]:
        """Return each row's d loglik / d eta and -d2 loglik / d eta2 at unit dispersion."""
        likelihood = self.likelihood()  # of this model's family, which a fit's view of it has replaced by the fit's

        def of_block(block: Any) -> tuple[Array, Array]:
            weight = block.columns.get("weight")
            with np.errstate(all="ignore"):
                rows = likelihood.rows(params, block)
                if rows is None:
                    nothing = np.full(len(block.columns["y"]), np.nan)
                    return nothing, nothing
                first, expected = likelihood.derivatives(rows, weight)
                return first, likelihood.observed(rows, expected, weight) if observed else expected

        first, second = zip(*self.source.map(of_block), strict=True)
        return np.concatenate(first), np.concatenate(second)

    def score_factor(self, params: Any, scale: float | None = None) -> Array:
        """Return the derivative of each row's log-likelihood in its linear predictor, (n,).

        Parameters
        ----------
        params : (p,) array_like
        scale : float, optional
            The dispersion; by default as `estimate_scale` has it at these coefficients.
        """
        at, dispersion = self._at(params, scale)
        return self._derivatives(at, observed=False)[0] / dispersion

    def hessian_factor(self, params: Any, scale: float | None = None, observed: bool = True) -> Array:
        """Return minus the second derivative of each row's log-likelihood in its linear predictor, (n,).

        Parameters
        ----------
        params, scale
            As for `score_factor`.
        observed : bool
            False for its expectation.
        """
        at, dispersion = self._at(params, scale)
        return self._derivatives(at, observed)[1] / dispersion

    def score_obs(self, params: Any, scale: float | None = None) -> Array:
        """Return the gradient of each row's log-likelihood, (n, p): an answer as large as the design."""
        return self.data.design.weighted_rows(self.score_factor(params, scale))

    def _get_init_kwds(self) -> dict[str, Any]:
        """Return what a model of other rows is made with: statsmodels' influence and multiple fits ask for it."""
        data = self.data
        known = {"offset": data.offset, "exposure": data.exposure, "family": self.family, "link": self.family.link}
        known |= {"freq_weights": self.freq_weights, "var_weights": self.var_weights}
        known |= {"n_trials": self.n_trials} if self.family.name == "binomial" else {}
        formula = getattr(self, "formula", None)
        return known if formula is None else known | {"formula": formula}

    def _deriv_mean_dparams(self, params: Any) -> Array:
        """Return the derivative of each row's mean in the coefficients, (n, p); this and the next: for MLEInfluence."""
        slope = self.family.link.inverse_deriv(self.predict(params, which="linear"))
        return self.data.design.weighted_rows(slope)

    def _deriv_score_obs_dendog(self, params: Any, scale: float | None = None) -> Array:
        """Return the derivative of `score_obs` in the response, (n, p)."""
        at, dispersion = self._at(params, scale)
        mu, complement, slope = self.family.link.mean(self.predict(at, which="linear"))
        weight = self.data.weight()
        each = slope / self.family.variance(mu, complement) / dispersion
        return self.data.design.weighted_rows(each if weight is None else each * weight)

    def loglike_mu(self, mu: Any, scale: float = 1.0) -> float:
        """Return the normalised log-likelihood of means, (n,), at a dispersion."""
        return self.family.loglike(self.data.y, mu, self.var_weights, self.freq_weights, float(scale))

    def score_test(
        self,
        params_constrained: Any,
        k_constraints: int | None = None,
        exog_extra: Any = None,
        observed: bool = True,
    ) -> tuple[float, float, int]:
        """Test restrictions, or columns left out, by the score at the restricted estimate (Rao's test).

        Parameters
        ----------
        params_constrained : (p,) array_like
            The restricted estimate.
        k_constraints : int, optional
            How many restrictions it meets; needed without ``exog_extra``.
        exog_extra : (n, k) array_like, optional
            Columns whose coefficients are 0 under the hypothesis.
        observed : bool
            Whether the score's covariance is the observed information.

        Returns
        -------
        tuple
            The statistic, its p-value from the chi-squared law, and the degrees of freedom.

        Notes
        -----
        Rao (1948), Proc. Cambridge Phil. Soc. 44, 50-57.
        """
        from scipy.special import chdtrc

        if exog_extra is None and k_constraints is None:
            raise ValueError("a score test without exog_extra needs k_constraints=, how many restrictions were made")
        first, second = self.score_factor(params_constrained), self.hessian_factor(params_constrained, None, observed)
        design = self.data.design.dense()
        if exog_extra is not None:
            extra = np.asarray(exog_extra, dtype=float)
            design = np.column_stack([design, extra])
            k_constraints = (k_constraints or 0) + (1 if extra.ndim == 1 else extra.shape[1])
        score = first @ design
        statistic = float(score @ np.linalg.solve((design.T * second) @ design, score))
        tail = float(chdtrc(k_constraints, statistic)) if k_constraints else np.nan
        return statistic, tail, int(k_constraints or 0)

    def get_distribution(
        self,
        params: Any,
        scale: float | None = None,
        exog: Any = None,
        exposure: Any = None,
        offset: Any = None,
        var_weights: Any = 1.0,
        n_trials: Any = 1,
    ) -> Any:
        """Return SciPy's frozen distribution of responses, given their means by coefficients and rows.

        Parameters
        ----------
        params : (p,) array_like
        scale : float, optional
            The dispersion; by default as `estimate_scale` has it at these coefficients.
        exog, exposure, offset
            As of `predict`.
        var_weights : array_like
            What the variance is divided by.
        n_trials : array_like
            Trials of a binomial, whose distribution is that of the number of successes.

        Raises
        ------
        NotImplementedError
            For a family that SciPy has no distribution for.
        """
        mu = np.asarray(self.predict(params, exog, exposure, offset))
        dispersion = self._at(params, scale)[1] if scale is None else float(scale)
        warn_of_scale(self.family, dispersion)
        return scipy_distribution(self.family, mu, dispersion / np.asarray(var_weights), n_trials)

    def estimate_tweedie_power(self, mu: Any, method: str = "brentq", low: float = 1.01, high: float = 5.0) -> float:
        """Return the power p of V(mu) = mu^p at which squared Pearson residuals don't go with log mu.

        Parameters
        ----------
        mu : (n,) array_like
            Fitted means.
        method : {"brentq"}
        low, high : float
            The power is looked for between these.

        Raises
        ------
        ValueError
            If there is no such power between ``low`` and ``high``.

        Notes
        -----
        The root of sum w ((y - mu)^2 / (phi mu^p) - 1) log mu, with phi Pearson's estimate at p. Bonat & Kokonendji (2017),
        J. Statistical Computation and Simulation 87, 2138-2152.
        """
        from scipy.optimize import brentq

        if method != "brentq":
            raise NotImplementedError(f"the power is found by method='brentq' only, got {method!r}")
        means = np.asarray(mu, dtype=float)
        logged, squared, weight = np.log(means), (self.data.y - means) ** 2, self.iweights

        def slope(power: float) -> float:
            pearson = squared * np.exp(-power * logged)
            scale = weight @ pearson / self.df_resid
            return float((weight * logged) @ (pearson / scale - 1.0))

        if slope(low) * slope(high) > 0.0:
            raise ValueError(
                f"no power between {low} and {high} solves Pearson's equation for these means; give another low and high"
            )
        return float(brentq(slope, low, high))
