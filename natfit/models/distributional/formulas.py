"""From the formulas and the link that a user gives to those of each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natfit.families.distributional.base import DistributionalFamily
from natfit.models.distributional.bind import from_formulas


def with_links(family: DistributionalFamily, links: Any) -> DistributionalFamily:
    """Give a family of classes its one link; other families leave links to the predictors."""
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
