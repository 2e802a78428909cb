"""Laws of new observations: quantiles, draws, and prediction intervals that know that the parameters are estimates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from natfit.results.influence import require_finite
from natfit.results.remembered import had

Array = np.ndarray[Any, np.dtype[Any]]

CELLS = 4_000_000
"""Draws held at a time: rows are taken in chunks of so many."""
FEWEST = 0.9
"""Share of a bootstrap's refits that must have found a maximum."""
NOT_DEFINITE = 1e-8
"""Share of the largest eigenvalue below which a covariance may be negative by rounding; beyond, it is no covariance."""


@dataclass(frozen=True)
class Law:
    """What the observations of some rows are drawn from, given their linear predictors.

    Parameters
    ----------
    family, link
    trials, weight : (m,) ndarray, optional
        Trials of proportions; precision weights.
    """

    family: Any
    link: Any
    trials: Array | None = None
    weight: Array | None = None

    def tall(self) -> Law:
        """Return the law whose rows stand in a first axis, before one of draws or levels."""
        trials, weight = (None if part is None else part[:, None] for part in (self.trials, self.weight))
        return Law(self.family, self.link, trials, weight)

    def _known(self) -> dict[str, Any]:
        return {} if self.trials is None else {"trials": self.trials}

    def _mean(self, eta: Array) -> tuple[Array, dict[str, Any]]:
        mu, complement, _ = self.link.mean(eta)
        own = {"complement": complement} if self.family.name == "binomial" else {}
        return mu, own

    def tails(self, y: Array, eta: Array, dispersion: float, strict: bool = False) -> tuple[Array, Array]:
        """Return both tail probabilities of y; see `Response.response_tails`."""
        with np.errstate(all="ignore"):
            mu, own = self._mean(eta)
            return self.family.response_tails(y, mu, dispersion, self._precision(), strict, **self._known(), **own)

    def quantiles(self, level: Array, eta: Array, dispersion: float) -> Array:
        """Return the least y whose tail reaches the level."""
        with np.errstate(all="ignore"):
            mu, own = self._mean(eta)
            return self.family.response_quantile(level, mu, dispersion, self._precision(), **self._known(), **own)

    def draw(self, eta: Array, dispersion: Any, rng: np.random.Generator) -> Array:
        """Return one observation for each predictor; NaN where that is missing."""
        with np.errstate(all="ignore"):
            mu, complement, _ = self.link.mean(eta)
            known = np.isfinite(mu)
            if not self.family.inside(mu[known], None if complement is None else complement[known]):
                raise ValueError(
                    f"draws of the coefficients lead outside the {self.family.name} family's means "
                    f"{self.family.mean_domain}; choose a link whose means all lie inside, or method='bootstrap'"
                )
        safe = np.where(known, mu, 0.5)
        drawn = self.family.sample_response(safe, rng, dispersion, self._precision(), **self._known())
        return np.where(known, drawn, np.nan)

    def _precision(self) -> Any:
        return 1.0 if self.weight is None else self.weight


def require_law(fit: Any, what: str) -> None:
    """Refuse what needs the law of an observation where the fit has variances alone."""
    family = fit.family
    name = family.name
    if family.discrete and (family.dispersion is None or fit.scale != family.dispersion):
        raise ValueError(
            f"{what} need the law of an observation, and a {name} with a dispersion of {fit.scale:.4g} is a "
            "quasi-likelihood that has none; fit a negative binomial, or another family whose variance is larger"
        )
    if family.discrete and had(fit.model.data, "var_weights"):
        raise ValueError(
            f"{what} need the law of an observation, and a {name} with var_weights has none; use freq_weights or trials"
        )
    if not np.isfinite(fit.scale):
        raise ValueError(f"{what} need the dispersion, and no residual degree of freedom is left to estimate it from")


def law_of(fit: Any, rows: Any, exog: Any, trials: Any, var_weights: Any) -> Law:
    """Return the law of the observations of rows that predictions are wanted for."""
    column = partial(fit.model.row_column, rows, exog=exog)
    if trials is not None and fit.family.name != "binomial":
        raise ValueError(f"trials are for the binomial family; this fit's is {fit.family.name}: leave them out")
    return Law(fit.family, fit.link, column("trials", trials), column("var_weights", var_weights))


def quantile_residuals(fit: Any, random_state: Any = None) -> Array:
    """Return randomized quantile residuals, (n,): see `Predictive.quantile_residuals`."""
    require_law(fit, "quantile residuals")
    from scipy import special

    data = fit.model.data
    law = Law(fit.family, fit.link, data.trials, data.var_weights)
    lower, upper = law.tails(data.y, fit._eta, fit.scale, strict=True)
    low, high = law.tails(data.y, fit._eta, fit.scale)
    share = np.random.default_rng(random_state).uniform(size=data.n_rows)
    # Between P(Y < y) and P(Y <= y), each side of the middle taken from its own tail.
    below, above = lower + share * (low - lower), high + (1.0 - share) * (upper - high)
    residual = np.where(below < 0.5, special.ndtri(below), -special.ndtri(above))
    return np.asarray(residual)


@dataclass(frozen=True)
class ParameterDraws:
    """Draws of what was estimated: coefficients (n, p), dispersions (n,), and the family's constant, if any, (n,)."""

    params: Array
    dispersion: Array
    alpha: Array | None = None
    failed: int = 0


def asymptotic_draws(fit: Any, n: int, rng: np.random.Generator) -> ParameterDraws:
    """Draw parameters from the law of the estimates in large samples.

    Coefficients are normal with the fit's own covariance (whatever ``cov_type`` it has); an estimated dispersion is
    scale df / chi2(df), and the coefficients spread with it, which makes a linear Gaussian's intervals those of Student's
    t; log alpha is normal with the
    standard error of the joint observed information (alpha and the coefficients are orthogonal in expectation).
    """
    require_finite(fit, "a prediction interval")
    kept = fit.fitted.kept
    cov = fit._cov[np.ix_(kept, kept)]
    values, vectors = np.linalg.eigh(cov)
    if not np.isfinite(values).all() or values.min(initial=0.0) < -NOT_DEFINITE * values.max(initial=0.0):
        raise ValueError(
            f"parameters can be drawn from a covariance without negative directions, and the {fit.cov_type} one has "
            "some; choose another cov_type"
        )
    root = vectors * np.sqrt(np.maximum(values, 0.0))  # what is left below 0 is rounding
    dispersion = np.full(n, fit.scale)
    if isinstance(fit.dispersion, str):
        dispersion = fit.scale * fit.df_resid / rng.chisquare(fit.df_resid, n)
    away = rng.standard_normal((n, values.size)) @ root.T * np.sqrt(dispersion / fit.scale)[:, None]
    params = np.zeros((n, kept.size))
    params[:, kept] = fit.fitted.params[kept] + away
    return ParameterDraws(params, dispersion, _draw_alpha(fit, n, rng))


def _draw_alpha(fit: Any, n: int, rng: np.random.Generator) -> Array | None:
    shape = fit.shape
    if shape is None or shape.boundary or not np.isfinite(shape.se):
        return None
    return shape.alpha * np.exp(shape.se / shape.alpha * rng.standard_normal(n))


def bootstrap_draws(fit: Any, n: int, rng: np.random.Generator, progress: bool = False) -> ParameterDraws:
    """Draw parameters by refitting the model to responses drawn from the fit (the parametric bootstrap)."""
    from tqdm.auto import tqdm

    data = fit.model.data
    law = Law(fit.family, fit.link, data.trials, data.var_weights)
    drawn = []
    for _ in tqdm(range(n), desc="refits", disable=not progress):
        again = fit.model.refit(fit, y=law.draw(fit._eta, fit.scale, rng), start=fit._params_filled)
        if again.converged:
            drawn.append(again)
    if len(drawn) < FEWEST * n:
        raise ValueError(
            f"a bootstrap needs refits that have a maximum, and {n - len(drawn)} of {n} had none (responses all at a limit, "
            "or separation); use method='simulation', or a bias-reduced fit"
        )
    alpha = None
    if fit.shape is not None:
        alpha = np.array([each.family.number for each in drawn])
    params = np.array([each._params_filled for each in drawn])
    return ParameterDraws(params, np.array([each.scale for each in drawn]), alpha, n - len(drawn))


METHODS = ("simulation", "bootstrap")


def parameter_draws(fit: Any, method: str, n: int, rng: np.random.Generator, progress: bool = False) -> ParameterDraws:
    """Return n draws of the parameters by one of `METHODS`."""
    if method not in METHODS:
        raise ValueError(f"method must be 'simulation' or 'bootstrap', got {method!r}")
    if int(n) != n or n < 1:
        raise ValueError(f"the number of draws must be a whole number of at least 1, got {n!r}")
    if method == "bootstrap":
        return bootstrap_draws(fit, int(n), rng, progress)
    return asymptotic_draws(fit, int(n), rng)


def draw_observations(fit: Any, rows: Any, law: Law, draws: ParameterDraws, rng: np.random.Generator) -> Any:
    """Yield chunks of rows: their slice among the rows given, and one observation of each for every draw, (k, n)."""
    n_draws, n_rows = len(draws.params), rows.design.shape[0]
    places = np.arange(n_rows) if rows.kept is None else np.flatnonzero(rows.kept)
    for start, design, offset in rows.pieces(max(CELLS // n_draws, 1)):
        own = places[start : start + len(design)]
        eta = design @ draws.params.T
        if offset is not None:
            eta += offset[:, None]
        if rows.offset is not None:
            eta += rows.offset[own, None]
        trials, weight = (None if part is None else part[own] for part in (law.trials, law.weight))
        part = Law(fit.family, law.link, trials, weight)
        if draws.alpha is None:
            yield own, part.tall().draw(eta, draws.dispersion, rng)
            continue
        each = [
            replace(part, family=fit.family.with_alpha(a)).draw(eta[:, k], 1.0, rng)
            for k, a in enumerate(draws.alpha.tolist())
        ]
        yield own, np.stack(each, axis=1)


def prediction_limits(
    fit: Any, rows: Any, law: Law, alpha: float, draws: ParameterDraws, rng: np.random.Generator
) -> Array:
    """Return (m, 2) limits for one new observation of each row; conservative where observations are discrete."""
    require_law(fit, "prediction intervals")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie strictly between 0 and 1, got {alpha!r}")
    n_all = rows.design.shape[0] if rows.kept is None else len(rows.kept)
    limits = np.full((n_all, 2), np.nan)
    how: Any = "inverted_cdf" if fit.family.discrete else "median_unbiased"
    for own, drawn in draw_observations(fit, rows, law, draws, rng):
        limits[own] = np.quantile(drawn, [alpha / 2.0, 1.0 - alpha / 2.0], axis=1, method=how).T
    return limits
