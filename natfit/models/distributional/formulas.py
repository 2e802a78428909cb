"""From the formulas, links and fixed values that a user gives to those of each parameter, and to data for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from natfit.data.streams.tables import Tables
from natfit.families.distributional.base import DistributionalFamily
from natfit.models.distributional.bind import from_formulas
from natfit.models.distributional.data import by_parameter


def with_links(family: DistributionalFamily, links: Any) -> DistributionalFamily:
    """Give a family of classes its one link; other families leave links to the predictors."""
    if isinstance(links, list | tuple):
        raise TypeError(
            f"links are given by parameter, as in links={{{family.parameter_names[0]!r}: 'log'}}, or one for the first; got "
            f"{links!r}"
        )
    if not family.shared_predictors or links is None or isinstance(links, Mapping):
        return family
    return family.with_link(links)


def sized(
    family: DistributionalFamily, left: str, given: Mapping[Any, str], table: Any, missing: str, context: Any
) -> DistributionalFamily:
    """Return a family of classes with the classes of the response, so that formulas can be given for each."""
    first = next(iter(given.values()))
    bound, made = from_formulas(left, {"classes": first}, table, {}, None, missing, context)
    return family.bind(bound.y, bound.y_name, made.y_levels)[0]


def rights(given: Mapping[Any, str], family: DistributionalFamily, held: Mapping[str, float]) -> dict[str, str]:
    """Return the right side of each free parameter, in the family's order."""
    free = [name for name in family.parameter_names if name not in held]
    if family.shared_predictors and set(given) == {0}:
        return dict.fromkeys(free, given[0])
    found = {}
    for key, text in given.items():
        if isinstance(key, int):
            if key >= family.K:
                raise ValueError(
                    f"the formula has {len(given)} parts, and the {family.name} family has {family.K} parameters: "
                    f"{', '.join(family.parts)}"
                )
            key = family.parts[key]
        family.place(key)
        if key in held:
            raise ValueError(f"{key} is held at {held[key]:g} and has a formula as well; leave one of them out")
        found[key] = text
    return {name: found.get(name, "1") for name in free}


class Beside(NamedTuple):
    """What a user gives beside the formulas."""

    fixed: Mapping[str, float] | None
    offset: Any
    freq_weights: Any


class BoundFormulas(NamedTuple):
    """The data, the family as it is for their response, and the parameters that are held."""

    data: Any
    family: DistributionalFamily
    held: dict[str, float]


def bind_formulas(
    left: str,
    given: Mapping[Any, str],
    table: Any,
    family: DistributionalFamily,
    beside: Beside,
    missing: str,
    context: Mapping[str, Any],
) -> BoundFormulas:
    """Bind the formulas' right sides, by parameter or by place, to a table."""
    if isinstance(table, Tables):
        from natfit.models.distributional.streaming import bind_stream, freeze_formulas

        frozen = freeze_formulas(left, given, table, family, (beside.offset, beside.freq_weights), context)
        held = held_values(frozen.family, beside.fixed)
        offsets_of(beside.offset, frozen.family, held)
        data = bind_stream(frozen, rights(given, frozen.family, held), missing)
        return BoundFormulas(data, frozen.family, held)
    if family.shared_predictors:
        family = sized(family, left, given, table, missing, context)
    held = held_values(family, beside.fixed)
    offsets = offsets_of(beside.offset, family, held)
    right = rights(given, family, held)
    bound, first = from_formulas(left, right, table, offsets, beside.freq_weights, missing, context)
    family, bound.y = family.bind(bound.y, bound.y_name, first.y_levels)
    return BoundFormulas(bound, family, held)


def offsets_of(given: Any, family: DistributionalFamily, held: Mapping[str, float]) -> dict[str, Any]:
    """Return the offsets by parameter; one of a parameter that is held is refused."""
    offsets = by_parameter(given, family, "an offset")
    for name in offsets:
        if name in held:
            raise ValueError(f"{name} is held at {held[name]:g} and has an offset as well; leave one of them out")
    return offsets


def held_values(family: DistributionalFamily, fixed: Mapping[str, float] | None) -> dict[str, float]:
    """Return the numbers at which parameters are held, or refuse them."""
    held = {}
    for name, value in (fixed or {}).items():
        domain = family.domains[family.place(name, "a fixed value")]
        if not isinstance(value, int | float | np.number) or not bool(domain.contains(float(value))):
            raise ValueError(f"{name} of the {family.name} family must be held at a number in {domain}, not {value!r}")
        held[name] = float(value)
    if held and len(held) == family.K:
        raise ValueError("fixed holds every parameter, so nothing is left to fit; leave one free")
    return held
