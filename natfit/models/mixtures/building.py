"""The components of a mixture, made for the rows that they are fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.base import ExponentialFamily
from natfit.families.gaussian_covariances import resolve as resolve_covariance
from natfit.likelihoods.mixtures.components import Components
from natfit.likelihoods.mixtures.composed import Noise, PointMass, ProductComponents, WithFixed
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.models.mixtures.data import MixtureData
from natfit.models.mixtures.setup import (
    box,
    check_support,
    check_varies,
    check_zeros,
    columns_of,
    gaussian_components,
    is_gaussian,
    moments,
    resolve_family,
)
from natfit.models.mixtures.ties import belonging, tie

if TYPE_CHECKING:
    from natfit.models.mixtures.mixture import Mixture

Array = np.ndarray[Any, np.dtype[Any]]


def components_for(model: Mixture, data: MixtureData) -> Components:
    """Return the components for rows."""
    if isinstance(model.family, Mapping):
        groups = columns_of(model.family, data.columns)
    elif model.jointly:
        groups = [(list(range(len(data.columns))), model.family)]
    else:
        groups = _each_column(model, data)
    parts = [_part(model, data, places, family) for places, family in groups]
    if isinstance(model.family, Mapping):
        _check_ties(model, parts, groups, data.columns)
    made = parts[0] if len(parts) == 1 else ProductComponents(parts)
    if model.zero_inflated and len(data.columns) > 1:
        raise ValueError(f"zero_inflated needs one column, and there are {len(data.columns)}; leave it out")
    if model.zero_inflated:
        check_zeros(data)
        return WithFixed(made, PointMass(0.0))
    return WithFixed(made, Noise(*box(data))) if model.noise else made


def _each_column(model: Mixture, data: MixtureData) -> list[tuple[list[int], Any]]:
    """Return the groups of columns that a single family takes: all at once if it is one of vectors, else each alone."""
    family = resolve_family(model.family, data.y)
    places = list(range(len(data.columns)))
    if family.support.event_shape:
        return [(places, family)]
    return [([j], model.family) for j in places]


def _part(model: Mixture, data: MixtureData, places: list[int], family: Any) -> Components:
    """Return the components of a group of columns."""
    several = len(data.columns) > 1
    if is_gaussian(family) and not model.apart:
        return gaussian_components(data, model.n_components, model.covariance, places if several else None)
    y = data.y if data.y is None or not several else data.y[:, places]
    found = resolve_family(family, y if y is None or len(places) > 1 else y.reshape(len(y), -1)[:, 0])
    if not found.support.event_shape and len(places) > 1:
        raise ValueError(f"{found.name} takes one column, and is given {len(places)}; give each its own family")
    place: Any = None if not several else places if found.support.event_shape else places[0]
    check_support(found, data, place, 0.0 if model.zero_inflated else None)
    outside = model.zero_inflated and not (found.support.discrete and bool(found.support.contains(np.zeros(()))))
    made = ExponentialComponents(found, model.n_components, place, outside)
    fixed, shared = _ties(model, found, [data.columns[j] for j in places])
    if is_gaussian(family):
        made.center = np.atleast_1d(moments(data, place)[1])
    if several and not outside:
        check_varies(made, data, [data.columns[j] for j in places])
    if fixed or shared:
        tie(made, fixed, shared)
    return made


def _ties(model: Mixture, family: ExponentialFamily, columns: list[str]) -> tuple[dict[str, float], list[str]]:
    """Return what is held and shared of a family's parameters; one variance stands for a covariance model, E."""
    if is_gaussian(family) and not model.tied and resolve_covariance(model.covariance, len(columns)).bounded:
        return {}, ["variance"]
    if not isinstance(model.family, Mapping):
        return model.fixed, model.shared
    own = {name: belonging(family, columns, name) for name in [*model.fixed, *model.shared]}
    fixed = {meant: model.fixed[name] for name, meant in own.items() if meant and name in model.fixed}
    return fixed, [meant for name, meant in own.items() if meant and name in model.shared]


def _check_ties(model: Mixture, parts: Sequence[Any], groups: Sequence[Any], columns: list[str]) -> None:
    """Refuse names that no column's family has for a parameter."""
    for name in [*model.fixed, *model.shared]:
        own = [(part.family, [columns[j] for j in places]) for part, (places, _) in zip(parts, groups, strict=True)]
        if not any(belonging(family, names, name) for family, names in own):
            raise ValueError(
                f"no column's family has a parameter {name!r} to hold or share; name one as 'column:parameter', or the "
                "parameter alone for all columns that have it"
            )
