"""How far an answer is from the maximum of the likelihood, by arithmetic that shares no code with any peer.

The maximum is found by Fisher scoring whose score is summed in extended precision, so that it is exact to far more
digits than any answer; an answer's distance is then sqrt(d'Fd / dispersion): a number of standard errors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

HEIGHT = 16_384
"""Rows taken at a time, so that the extended copies stay small."""

ENOUGH = 1e-13
"""Length in standard errors of a step after which scoring stops; that step is still taken."""

MOST_STEPS = 50


class Maximum(NamedTuple):
    """The maximum: coefficients in extended precision, expected information, dispersion, standard errors."""

    params: Array
    information: Array
    dispersion: float
    bse: Array

    def distance(self, params: Array) -> float:
        """Return the distance of an answer in standard errors."""
        d = np.asarray(params - self.params, dtype=float)
        return float(np.sqrt(d @ self.information @ d / self.dispersion))

    def bse_error(self, bse: Array) -> float:
        """Return the largest relative error of standard errors."""
        return float(np.abs(bse / self.bse - 1.0).max())


def find_maximum(y: Array, X: Array, family: str, near: Array) -> Maximum:
    """Return the maximum of a GLM's likelihood, starting from coefficients near it.

    Parameters
    ----------
    y : (n,) ndarray
    X : (n, p) ndarray
    family : str
        One of `benchmarks.cases.FAMILIES`, with the link named there.
    near : (p,) ndarray

    Raises
    ------
    ArithmeticError
        Where scoring does not end: ``near`` was not near.
    """
    params = np.asarray(near, dtype=np.longdouble)
    for _ in range(MOST_STEPS):
        score, information, pearson = _sums(y, X, family, params)
        dispersion = pearson / (len(y) - X.shape[1]) if family in ("gaussian", "gamma") else 1.0
        step = np.linalg.solve(information, score.astype(float))
        params = params + step
        if np.sqrt(step @ information @ step / dispersion) < ENOUGH:
            bse = np.sqrt(np.linalg.inv(information).diagonal() * dispersion)
            return Maximum(params, information, dispersion, bse)
    raise ArithmeticError(f"the maximum was not found within {MOST_STEPS} steps from the answer given")


def _sums(y: Array, X: Array, family: str, params: Array) -> tuple[Array, Array, float]:
    """Return score, expected information and Pearson's statistic, all at unit dispersion."""
    score, pearson = np.zeros(len(params), dtype=np.longdouble), np.longdouble(0.0)
    information = np.zeros((len(params), len(params)))
    for at in range(0, len(y), HEIGHT):
        rows = X[at : at + HEIGHT]
        wide = rows.astype(np.longdouble)
        first, weight, squared = _row(family, y[at : at + HEIGHT], wide @ params)
        score += first @ wide
        pearson += squared.sum()
        scaled = rows * np.sqrt(weight.astype(float))[:, None]
        information += scaled.T @ scaled
    return score, information, float(pearson)


def _row(family: str, y: Array, eta: Array) -> tuple[Array, Array, Array]:
    """Return each row's d loglik / d eta, its expected -d2 loglik / d eta2, and its squared Pearson residual."""
    if family == "gaussian":
        return y - eta, np.ones_like(eta), (y - eta) ** 2
    if family == "binomial":
        mean = 1.0 / (1.0 + np.exp(-eta))
        variance = mean * (1.0 - mean)
        return y - mean, variance, (y - mean) ** 2 / variance
    mean = np.exp(eta)
    if family == "poisson":
        return y - mean, mean, (y - mean) ** 2 / mean
    ratio = (y - mean) / mean
    return ratio, np.ones_like(eta), ratio**2
