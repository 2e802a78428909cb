"""Where families for distributional regression are found by name; every univariate family of natfit is one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from natfit.families import registry as families
from natfit.families.family import Family
from natfit.families.registry import Registry

REGISTRY: Registry[Any] = Registry("distributional family", "distributional families", ("name",))


def register(family: Any, aliases: Iterable[str] = (), *, replace: bool = False) -> Any:
    """Enter a family (class or instance) under its ``name``; the law tests run on its ``examples()`` from then on."""
    return REGISTRY.register(family, aliases, replace=replace)


def get(name_or_family: Any, parametrization: Any = None) -> Any:
    """Return the family that a name, a class or an instance stands for.

    A `natfit.families.Family`, by name or instance, is taken too: one parameter of the regression is then one coordinate
    of ``parametrization``, or of its home parametrization.

    Raises
    ------
    ValueError
        If the name is unknown (the message lists the names), or a parametrization was asked of a family that has none.

    Examples
    --------
    >>> get("beta").parameter_names, get("beta", "a_b").parameter_names
    (('mean', 'precision'), ('a', 'b'))
    >>> get("pareto(minimum=2)").parameter_names
    ('shape',)
    """
    from natfit.families.distributional.base import DistributionalFamily
    from natfit.families.distributional.reused import Reused

    found = name_or_family
    if isinstance(found, str) and ("(" in found or not is_known(found)):
        try:
            found = families.get(found)
        except ValueError:
            found = REGISTRY.get(found)
    elif isinstance(found, type) and issubclass(found, Family):
        found = families.get(found)
    if isinstance(found, Family):
        return Reused.of(found, parametrization)
    resolved = REGISTRY.get(found)
    if not isinstance(resolved, DistributionalFamily):
        raise TypeError(f"a distributional family is a natfit DistributionalFamily; got {type(resolved).__name__}")
    return resolved if parametrization is None else resolved.in_parametrization(parametrization)


def is_known(name: str) -> bool:
    """Say whether a family is registered here under a name or an alias."""
    try:
        REGISTRY.entry(name.partition("(")[0].strip())
    except ValueError:
        return False
    return True


def names() -> list[str]:
    """Return the registered names in alphabetical order."""
    return REGISTRY.names()
