"""Standard errors of mixtures: the information in free coordinates, carried to what is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import block_diag

from natfit.families.curvature import nearby_bend
from natfit.families.gaussian import Gaussian
from natfit.families.gaussian_covariances import lower_indices
from natfit.families.multivariate_normal import MultivariateNormal
from natfit.likelihoods.mixtures.components import ExponentialComponents
from natfit.likelihoods.mixtures.composed import ProductComponents, WithFixed
from natfit.metric import Gram, Metric
from natfit.need import LOGLIK, MEAT, OBSERVED, SCORE

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults

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
    if components.center is not None:
        home = home.copy()
        home[..., : len(components.center)] += components.center
    return home


def gaussian_moments(each: list[Part], homes: list[Array]) -> tuple[list[str], Array, Array]:
    """Return the columns of all Gaussian parts, their means (K, d) and covariances (K, d, d).

    Raises
    ------
    AttributeError
        If no part is Gaussian.
    """
    chosen = [(part, home) for part, home in zip(each, homes, strict=True) if is_normal(part)]
    if not chosen:
        raise AttributeError("only Gaussian components have means and covariances; see component_params")
    columns = [name for part, _ in chosen for name in part.columns]
    found = [MultivariateNormal(len(part.columns)).unpack(home) for part, home in chosen]
    covariances = [block_diag(*own) for own in zip(*(own for _, own in found), strict=True)]
    return columns, np.concatenate([mean for mean, _ in found], axis=1), np.array(covariances)


def is_normal(part: Part) -> bool:
    """Say whether a part is Gaussian; one column's home parameters are then mean and variance, whatever the class."""
    return isinstance(part.components.family, MultivariateNormal | Gaussian)


def coordinates_of(part: Part, name: str | None) -> Any:
    """Return one of the parametrizations of a part's family by name; None where it has none of that name."""
    family = part.components.family
    known = family.parametrizations
    if isinstance(family, MultivariateNormal) and family.dim == 1:
        known = {**known, **Gaussian().parametrizations}
    return None if name is None else known.get(name)


def coordinate_names(part: Part, chart: Any) -> list[str]:
    """Return the names of coordinates, with the columns' own names in place of numbers where there are several."""
    if not isinstance(part.components.family, MultivariateNormal) or part.components.family.dim == 1:
        return [part.prefix + name for name in chart.names]

    def named(found: re.Match[str]) -> str:
        return "[" + ", ".join(part.columns[int(place)] for place in found[1].split(",")) + "]"

    return [re.sub(r"\[(\d+(?:,\d+)*)\]", named, name) for name in chart.names]


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


NEEDS = {"observed": ("observed", OBSERVED), "empirical": ("meat", MEAT)}


def information(fit: MixtureResults, kind: str) -> Metric:
    """Return an information in the free coordinates, with the coordinates' own bend where it is a Hessian."""
    params, likelihood, source = fit.base.params, fit.likelihood, fit.base.data.source
    name, flag = NEEDS.get(kind, ("complete", 0))
    chart = fit._chart
    need = LOGLIK | SCORE | flag | (0 if chart is None else MEAT)  # the bend's scale comes from the outer products
    sums = source.reduce(lambda block: likelihood.evaluate(params, block, need))
    if kind == "complete":
        held = source.reduce(lambda block: likelihood.complete_information(params, block))[name]
    else:
        held = sums[name]
    if chart is None:
        return held
    xi = chart.from_home(params)
    held = held.pullback(chart.jacobian(xi))
    if kind == "empirical":
        return held
    spread = sums["meat"].pullback(chart.jacobian(xi)).matrix.diagonal()
    scale = 1.0 / np.sqrt(np.maximum(spread, np.finfo(float).tiny))
    return Gram(held.matrix - nearby_bend(chart, xi, sums["score"], scale))


def shown(fit: MixtureResults, params: Array, jacobian: bool = True) -> tuple[Array, Array, list[str]]:
    """Return weights and components' parameters as the fit shows them, their Jacobian in free coordinates, their names."""
    cut = fit.likelihood.weights.size
    parametrization, weights = fit.shown_as
    if weights == "log_odds":
        names, values = [f"log_odds[{k}]" for k in range(cut)], [params[:cut]]
        blocks = [np.eye(cut)]
    else:
        values = [fit.likelihood.weights.probabilities(params[:cut])]
        names = [f"weight[{k}]" for k in range(len(values[0]))]
        blocks = [fit.likelihood.weights.jacobian(params[:cut])]
    for part in fit._parts:
        components = part.components
        own = members(part, params[cut:])
        inner = components.family.home_from_natural(components.natural(params[cut:][part.at]))
        forward = np.linalg.inv(components.family.natural_jacobian(inner))
        own_names = member_names(part)
        chart = coordinates_of(part, parametrization)
        if chart is not None:
            own = chart.from_home(own)
            forward = np.linalg.solve(chart.jacobian(own), forward)
            own_names = coordinate_names(part, chart)
        values.append(own.ravel())
        blocks.append(block_diag(*forward))
        names += [f"{name}[{k}]" for k in range(components.n_components) for name in own_names]
    if not jacobian:
        return np.concatenate(values), np.empty(0), names
    forward = block_diag(*blocks)
    if fit._chart is not None:
        forward = forward @ fit._chart.jacobian(fit._chart.from_home(params))
    return np.concatenate(values), forward, names
