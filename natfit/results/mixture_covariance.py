"""Standard errors of mixtures: the information in free coordinates, carried to what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.curvature import bend
from natfit.families.gaussian_covariances import lower_indices
from natfit.families.multivariate_normal import MultivariateNormal
from natfit.likelihoods.mixture_gaussian import GaussianComponents
from natfit.metric import Gram, Metric

if TYPE_CHECKING:
    from natfit.results.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


def members(components: Any, params: Array) -> Array:
    """Return home parameters (..., K, p) of the components' parameters."""
    home = components.family.home_from_natural(components.natural(params))
    if isinstance(components, GaussianComponents):
        home = home.copy()
        home[..., : components.dim] += components.center
    return home


def member_names(components: Any, columns: list[str]) -> list[str]:
    """Return the names of one component's home parameters, with the columns' own names where there are several."""
    family = components.family
    if not isinstance(family, MultivariateNormal):
        return list(family.parameter_names)
    if family.dim == 1:
        return ["mean", "variance"]
    i, j = lower_indices(family.dim)
    means = [f"mean[{name}]" for name in columns]
    return means + [f"cov[{columns[a]}, {columns[b]}]" for a, b in zip(i, j, strict=True)]


def information(fit: MixtureResults, need: int, kind: str) -> Metric:
    """Return the information in the free coordinates, with the coordinates' own bend in the observed one."""
    params, likelihood = fit.base.params, fit.likelihood
    sums = fit.base.data.source.reduce(lambda block: likelihood.evaluate(params, block, need))
    held = sums["observed" if kind == "observed" else "meat"]
    chart = fit._chart
    if chart is None:
        return held
    xi = chart.from_home(params)
    held = held.pullback(chart.jacobian(xi))
    if kind != "observed":
        return held
    scale = 1.0 / np.sqrt(np.maximum(np.abs(held.matrix.diagonal()), np.finfo(float).tiny))
    return Gram(held.matrix - bend(chart, xi, sums["score"], scale))


def shown(fit: MixtureResults) -> tuple[Array, Array, list[str]]:
    """Return weights and home parameters, their Jacobian in the free coordinates, and their names."""
    components: Any = fit.components
    K = components.n_components
    params = fit.base.params
    rest = fit.likelihood.split(params)[1]
    weights = fit._weights
    home = components.family.home_from_natural(components.natural(rest))
    p = home.shape[-1]
    forward = np.zeros((K + K * p, params.size))
    forward[:K, : K - 1] = weights[:, None] * (np.eye(K)[:, :-1] - weights[:-1])
    inverse = np.linalg.inv(components.family.natural_jacobian(home))
    for k in range(K):
        rows = slice(K + k * p, K + (k + 1) * p)
        columns = slice(K - 1 + k * p, K - 1 + (k + 1) * p)
        forward[rows, columns] = inverse[k]
    if fit._chart is not None:
        forward = forward @ fit._chart.jacobian(fit._chart.from_home(params))
    names = [f"weight[{k}]" for k in range(K)]
    names += [_numbered(name, k) for k in range(K) for name in member_names(components, fit.columns)]
    return np.concatenate([weights, fit._members.ravel()]), forward, names


def _numbered(name: str, k: int) -> str:
    return f"{name}[{k}]"
