"""The fits that `benchmarks.distributional` sets side by side: natfit's, statsmodels' and ondil's of one problem."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import natfit as nf
from benchmarks.distributional_problems import Problem
from natfit.families import distributional

Array = np.ndarray[Any, np.dtype[Any]]


class Found(NamedTuple):
    """What a program made of a problem; one that fails has no log-likelihood."""

    seconds: float
    llf: float
    converged: bool
    said: str = ""


def timed(fit: Callable[[Problem], tuple[float, bool, str]], problem: Problem) -> Found:
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            llf, converged, said = fit(problem)
        except (ArithmeticError, ValueError, np.linalg.LinAlgError) as failure:
            llf, converged, said = np.nan, False, f"{type(failure).__name__}: {failure}"
    return Found(time.perf_counter() - begin, llf, converged, said)


def ours(problem: Problem, cov_type: str = "nonrobust") -> tuple[float, bool, str]:
    exog = problem.exog.get("", problem.exog)
    fit = nf.DistributionalRegression(problem.y, exog, problem.family).fit(cov_type=cov_type)
    np.asarray(fit.bse)
    return fit.llf, fit.converged, fit.reason


def statsmodels(problem: Problem) -> tuple[float, bool, str]:
    """Fit by statsmodels from its own start, given as many iterations as it wants; bse from the observed information."""
    y, X = problem.y, next(iter(problem.exog.values()))
    if problem.family == "beta":
        from statsmodels.othermod.betareg import BetaModel

        fit = BetaModel(y, X, exog_precision=X).fit(disp=0, maxiter=1000)
    elif problem.family == "negative_binomial":
        from statsmodels.discrete.discrete_model import NegativeBinomial

        fit = NegativeBinomial(y, X).fit(disp=0, maxiter=1000)
    elif problem.family == "zero_inflated_negative_binomial":
        from statsmodels.discrete.count_model import ZeroInflatedNegativeBinomialP

        fit = ZeroInflatedNegativeBinomialP(y, X, exog_infl=X).fit(disp=0, maxiter=1000)
    else:
        from statsmodels.discrete.count_model import ZeroInflatedPoisson

        fit = ZeroInflatedPoisson(y, X, exog_infl=X).fit(disp=0, maxiter=1000)
    np.asarray(fit.bse)
    return float(fit.llf), bool(fit.mle_retvals["converged"]), ""


ONDIL: dict[str, tuple[str, tuple[str, ...], Callable[[Array], Array]]] = {
    "gaussian": ("Normal", (), lambda theta: theta),
    "lognormal": ("LogNormal", (), lambda theta: theta),
    "logistic": ("Logistic", (), lambda theta: theta),
    "weibull": ("Weibull", (), lambda theta: theta),
    "gumbel": ("ReverseGumbel", (), lambda theta: theta),
    "student_t": ("StudentT", ("df",), lambda theta: theta),
    "gamma": ("Gamma", (), lambda theta: np.column_stack([theta[:, 0], theta[:, 1] ** -2.0])),
    "inverse_gaussian": ("InverseGaussian", (), lambda theta: np.column_stack([theta[:, 0], theta[:, 1] ** -2.0])),
    "beta": ("Beta", ("precision",), lambda theta: np.column_stack([theta[:, 0], theta[:, 1] ** -2.0 - 1.0])),
}
"""By natfit's family: ondil's distribution, the parameters that have to be constants for both to fit one model, and natfit's
parameters from ondil's. Ondil's second parameter is sigma: of a gamma or an inverse Gaussian 1 / sqrt(shape), whose log link
is the shape's; of a beta 1 / sqrt(1 + precision) on a logit link, and its t's degrees of freedom are on log(df - 2): neither
is natfit's link, so that only constants agree."""


def ondil(problem: Problem) -> tuple[float, bool, str]:
    """Fit by ondil in one batch, least squares without a penalty; its parameters' likelihood is natfit's family's.

    Its tolerances are tightened from 1e-3 and 1e-5, at which it stops tenths of a nat below its own maximum.
    """
    from ondil import distributions
    from ondil.estimators import OnlineDistributionalRegression

    name, _, translate = ONDIL[problem.family]
    designs = list(problem.exog.values())
    X = max(designs, key=lambda each: each.shape[1])[:, 1:]
    equation = {k: "all" if each.shape[1] > 1 else "intercept" for k, each in enumerate(designs)}
    tolerances = dict.fromkeys(("abs_tol_outer", "abs_tol_inner", "rel_tol_outer", "rel_tol_inner"), 1e-12)
    model = OnlineDistributionalRegression(
        getattr(distributions, name)(), equation, method="ols", max_it_outer=500, max_it_inner=50, **tolerances
    ).fit(X, problem.y)
    theta = translate(np.asarray(model.predict_distribution_parameters(X)))
    llf = float(distributional.get(problem.family).log_prob(problem.y, list(theta.T)).sum())
    return llf, bool(np.isfinite(llf)), ""
