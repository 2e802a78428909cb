"""What a mixture shows of its parameters, and how that depends on its free coordinates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.linalg import block_diag

from natfit.families.gaussian import Gaussian
from natfit.families.gaussian_covariances import lower_indices
from natfit.families.multivariate_normal import MultivariateNormal
from natfit.likelihoods.mixtures.composed import ProductComponents, WithFixed
from natfit.likelihoods.mixtures.exponential import ExponentialComponents

if TYPE_CHECKING:
    from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


class Part(NamedTuple):
    """Members of one family within components: with where their parameters stand, and the columns that they describe."""

    components: ExponentialComponents
    at: slice
    columns: list[str]
    prefix: str
    levels: list[Any] | None = None
    """Labels that the codes of its one column stand for."""


def parts(components: Any, columns: list[str], levels: dict[str, list[Any]]) -> list[Part]:
    """Return the families that components are made of."""
    if isinstance(components, WithFixed):
        return parts(components.main, columns, levels)
    if not isinstance(components, ProductComponents):
        return [Part(components, slice(0, components.size), columns, "", levels.get(columns[0]))]
    made = []
    for part, at in zip(components.parts, components.slices, strict=True):
        own: Any = part
        names = [columns[j] for j in np.atleast_1d(own.place)]
        made.append(Part(own, at, names, f"{names[0]}:" if len(names) == 1 else "", levels.get(names[0])))
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
        return labelled(part, chart.names)

    def named(found: re.Match[str]) -> str:
        return "[" + ", ".join(part.columns[int(place)] for place in found[1].split(",")) + "]"

    return [re.sub(r"\[(\d+(?:,\d+)*)\]", named, name) for name in chart.names]


def labelled(part: Part, names: Sequence[str]) -> list[str]:
    """Return names of parameters with the column before them, and labels in place of codes.

    A single parameter without a number, as a Bernoulli family has, belongs to the last label.
    """
    levels = part.levels
    if levels is None:
        return [part.prefix + name for name in names]
    if len(names) == 1 and "[" not in names[0]:
        return [f"{part.prefix}{names[0]}[{levels[-1]}]"]
    return [part.prefix + re.sub(r"\[(\d+)\]", lambda found: f"[{levels[int(found[1])]}]", name) for name in names]


def member_names(part: Part) -> list[str]:
    """Return the names of one component's home parameters, with the columns' own names where there are several."""
    family = part.components.family
    if not isinstance(family, MultivariateNormal):
        return labelled(part, family.parameter_names)
    if family.dim == 1:
        return [part.prefix + "mean", part.prefix + "variance"]
    i, j = lower_indices(family.dim)
    means = [f"mean[{name}]" for name in part.columns]
    return means + [f"cov[{part.columns[a]}, {part.columns[b]}]" for a, b in zip(i, j, strict=True)]


def shown(fit: MixtureResults, params: Array) -> tuple[Array, list[str]]:
    """Return weights and components' parameters as the fit shows them, and their names."""
    cut = fit.likelihood.weights.size
    parametrization, weights = fit.shown_as
    if weights == "log_odds":
        names, values = [f"log_odds[{k}]" for k in range(cut)], [params[:cut]]
    else:
        values = [fit.likelihood.weights.probabilities(params[:cut])]
        names = [f"weight[{k}]" for k in range(len(values[0]))]
    for part in fit._parts:
        own = members(part, params[cut:])
        chart = coordinates_of(part, parametrization)
        own_names = member_names(part) if chart is None else coordinate_names(part, chart)
        values.append((own if chart is None else chart.from_home(own)).ravel())
        names += [f"{name}[{k}]" for k in range(part.components.n_components) for name in own_names]
    return np.concatenate(values), names


def jacobian(fit: MixtureResults, params: Array) -> Array:
    """Return the derivatives of what `shown` gives in the free coordinates, (m, q)."""
    cut = fit.likelihood.weights.size
    parametrization, weights = fit.shown_as
    blocks = [np.eye(cut) if weights == "log_odds" else fit.likelihood.weights.jacobian(params[:cut])]
    for part in fit._parts:
        components = part.components
        inner = components.family.home_from_natural(components.natural(params[cut:][part.at]))
        forward = np.linalg.inv(components.family.natural_jacobian(inner))
        chart = coordinates_of(part, parametrization)
        if chart is not None:
            forward = np.linalg.solve(chart.jacobian(chart.from_home(members(part, params[cut:]))), forward)
        blocks += list(forward)
    made = block_diag(*blocks)
    return made if fit._chart is None else made @ fit._chart.jacobian(fit._chart.from_home(params))
