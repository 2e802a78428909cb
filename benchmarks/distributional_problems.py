"""Random problems for distributional regressions: easy ones for speed, hard ones for convergence."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from natfit.families import distributional

Array = np.ndarray[Any, np.dtype[Any]]


class Problem(NamedTuple):
    """A response with a design for each parameter; parameters without one are constants."""

    family: str
    y: Array
    exog: dict[str, Array]


def design(n: int, p: int, rng: np.random.Generator) -> Array:
    return np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])


def large(kind: str, n: int, p: int, rng: np.random.Generator) -> Problem:
    """Return a well-behaved problem: both parameters depend on all columns, but for the negative binomial's alpha."""
    X = design(n, p, rng)
    first = X @ np.append(rng.uniform(-0.5, 1.0), rng.normal(size=p - 1) * 0.5 / np.sqrt(p))
    second = X @ np.append(rng.uniform(-0.5, 0.5), rng.normal(size=p - 1) * 0.4 / np.sqrt(p))
    if kind == "beta":
        return Problem(kind, _beta(first, np.exp(2.0 + second), rng), {"mean": X, "precision": X})
    if kind == "negative_binomial":
        return Problem(kind, _mixed_poisson(np.exp(first), float(np.exp(second[0])), rng), {"mean": X})
    return Problem(kind, _inflated(np.exp(first), second - 1.0, rng), {"rate": X, "inflation": X})


def hard(kind: str, rng: np.random.Generator) -> Problem:
    """Return a problem of 60 to 1,500 rows and 1 to 8 columns, whose dispersion and share of zeros reach from next to
    nothing to nearly all, means from a fifth to a hundred, and whose predictors range over several units."""
    n, p = int(rng.integers(60, 1500)), int(rng.integers(1, 9))
    X = design(n, p, rng)
    spread = rng.uniform(0.2, 1.2) / np.sqrt(p)
    first, second = X[:, 1:] @ rng.normal(size=p - 1) * spread, X[:, 1:] @ rng.normal(size=p - 1) * spread
    if kind == "beta":
        precision = np.exp(rng.uniform(-0.5, 6.0) + second)
        return Problem(kind, _beta(rng.uniform(-2.5, 2.5) + first, precision, rng), {"mean": X, "precision": X})
    mean = np.exp(rng.uniform(-1.6, 4.6) + first)
    if kind == "negative_binomial":
        return Problem(kind, _mixed_poisson(mean, float(np.exp(rng.uniform(-5.0, 1.6))), rng), {"mean": X})
    logit = rng.uniform(-4.0, 2.0) + second
    if kind == "zero_inflated_negative_binomial":
        alpha = float(np.exp(rng.uniform(-3.0, 1.0)))
        y = np.where(rng.uniform(size=n) < 1.0 / (1.0 + np.exp(-logit)), 0.0, _mixed_poisson(mean, alpha, rng))
        return Problem(kind, y, {"mean": X, "inflation": X})
    return Problem(kind, _inflated(mean, logit, rng), {"rate": X, "inflation": X})


def of_family(name: str, rng: np.random.Generator, constants: tuple[str, ...] = ()) -> Problem:
    """Return a problem of 100 to 1,000 rows and 2 to 5 columns for any family, drawn from the family itself.

    Every parameter depends on all columns, but for those named in ``constants``; its constant lies near one of the family's
    example distributions.
    """
    family = distributional.get(name)
    if hasattr(family, "classes"):
        family = type(family)(classes=("a", "b", "c"))
    n, p = int(rng.integers(100, 1000)), int(rng.integers(2, 6))
    X = design(n, p, rng)
    points = family.example_parameters()
    point = points[int(rng.integers(len(points)))]
    parallel = getattr(family, "parallel", False) is True
    slopes = rng.normal(size=p - 1) * 0.4 / np.sqrt(p)
    theta, exog = [], {}
    for k, (parameter, link) in enumerate(zip(family.parameter_names, family.resolve_links({}), strict=True)):
        own = X[:, :1] if parameter in constants else X
        constant = float(link(np.array([point[k]]))[0])
        if not parallel:
            slopes = rng.normal(size=p - 1) * 0.3 / np.sqrt(p)
            constant += rng.normal() * 0.2
        theta.append(link.inverse(own @ np.append(constant, slopes)[: own.shape[1]]))
        exog[parameter] = own
    return Problem(name, family.sample(theta, rng), {"": X} if family.shared_predictors else exog)


def _beta(logit: Array, precision: Array, rng: np.random.Generator) -> Array:
    mean = 1.0 / (1.0 + np.exp(-logit))
    return np.clip(rng.beta(mean * precision, (1.0 - mean) * precision), 1e-12, 1.0 - 1e-12)


def _mixed_poisson(mean: Array, alpha: float, rng: np.random.Generator) -> Array:
    return rng.poisson(mean * rng.gamma(1.0 / alpha, alpha, len(mean))).astype(float)


def _inflated(rate: Array, logit: Array, rng: np.random.Generator) -> Array:
    share = 1.0 / (1.0 + np.exp(-logit))
    return np.where(rng.uniform(size=len(rate)) < share, 0.0, rng.poisson(rate)).astype(float)
