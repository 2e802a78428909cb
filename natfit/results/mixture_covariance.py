"""Standard errors of mixtures: the information in free coordinates, carried to what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import block_diag

from natfit.families.curvature import bend
from natfit.families.gaussian_covariances import lower_indices
from natfit.families.multivariate_normal import MultivariateNormal
from natfit.likelihoods.mixture_components import ExponentialComponents
from natfit.likelihoods.mixture_composed import ProductComponents, WithFixed
from natfit.likelihoods.mixture_gaussian import GaussianComponents
from natfit.metric import Gram, Metric

if TYPE_CHECKING:
    from natfit.results.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


class Part(NamedTuple):
    """Members of one family within components: with where their parameters stand, and the columns that they describe."""

    components: ExponentialComponents
    at: slice
    columns: list[str]
    prefix: str


def parts(components: Any, columns: list[str]) -> list[Part]:
    """Return the families that components are made of."""
    if isinstance(components, WithFixed):
        return parts(components.main, columns)
    if not isinstance(components, ProductComponents):
        return [Part(components, slice(0, components.size), columns, "")]
    made = []
    for part, at in zip(components.parts, components.slices, strict=True):
        own: Any = part
        names = [columns[j] for j in np.atleast_1d(own.place)]
        made.append(Part(own, at, names, f"{names[0]}:" if len(names) == 1 else ""))
    return made


def members(part: Part, params: Array) -> Array:
    """Return home parameters (..., K, p) of the components' parameters."""
    components = part.components
    home = components.family.home_from_natural(components.natural(params[..., part.at]))
    if isinstance(components, GaussianComponents):
        home = home.copy()
        home[..., : components.dim] += components.center
    return home


def member_names(part: Part) -> list[str]:
    """Return the names of one component's home parameters, with the columns' own names where there are several."""
    family = part.components.family
    if not isinstance(family, MultivariateNormal):
        return [part.prefix + name for name in family.parameter_names]
    if family.dim == 1:
        return [part.prefix + "mean", part.prefix + "variance"]
    i, j = lower_indices(family.dim)
    means = [f"mean[{name}]" for name in part.columns]
    return means + [f"cov[{part.columns[a]}, {part.columns[b]}]" for a, b in zip(i, j, strict=True)]


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
    params = fit.base.params
    cut = fit.likelihood.weights.size
    weights = fit._weights
    blocks = [fit.likelihood.weights.jacobian(params[:cut])]
    names = [f"weight[{k}]" for k in range(len(weights))]
    values = [weights]
    for part in fit._parts:
        components = part.components
        home = components.family.home_from_natural(components.natural(params[cut:][part.at]))
        values.append(members(part, params[cut:]).ravel())
        blocks.append(block_diag(*np.linalg.inv(components.family.natural_jacobian(home))))
        names += [f"{name}[{k}]" for k in range(components.n_components) for name in member_names(part)]
    forward = block_diag(*blocks)
    if fit._chart is not None:
        forward = forward @ fit._chart.jacobian(fit._chart.from_home(params))
    return np.concatenate(values), forward, names
