"""From what users name a family and a link to natfit's own; statsmodels' objects are translated here and nowhere else."""

from __future__ import annotations

from typing import Any

from natfit import families
from natfit.data.checks import did_you_mean
from natfit.families import links
from natfit.families.links import Link
from natfit.families.response import Response

LINKS = {
    "Identity": "identity",
    "Log": "log",
    "Logit": "logit",
    "Probit": "probit",
    "CLogLog": "cloglog",
    "LogLog": "loglog",
    "Cauchy": "cauchit",
    "LogC": "log_complement",
    "InversePower": "inverse",
    "InverseSquared": "inverse_squared",
    "Sqrt": "sqrt",
}
"""statsmodels' link classes that need no parameter, by name."""


def is_statsmodels(thing: Any) -> bool:
    """Say whether an object or class comes from statsmodels, without importing it."""
    owner = thing if isinstance(thing, type) else type(thing)
    return any(base.__module__.startswith("statsmodels.") for base in owner.__mro__)


def resolve_family(family: Any, link: Any) -> tuple[Response, Link]:
    """Return the family and the link that the arguments of `GLM` mean.

    Parameters
    ----------
    family : str, Response, class of either, or a statsmodels family, optional
        Gaussian where None. A statsmodels family brings its own link, and its own alpha or power.
    link : str, Link, or a statsmodels link, optional

    Raises
    ------
    ValueError
        For a name that is not known, or a link that can't express the family's means.
    """
    if family is None:
        family = "gaussian"
    if is_statsmodels(family):
        family = family() if isinstance(family, type) else family
        link = family.link if link is None else link
        family = _family(family)
    resolved = _response(family)
    if link is not None and is_statsmodels(link):
        link = _link(link() if isinstance(link, type) else link)
    return resolved, resolved.resolve_link(link)


def responses() -> list[str]:
    """Return the names of the families that can be a GLM's response."""
    return [name for name in families.names() if issubclass(_class_of(name), Response)]


def _class_of(name: str) -> type:
    entry = families.registry.REGISTRY.entry(name)
    return entry if isinstance(entry, type) else type(entry)


def _response(family: Any) -> Response:
    """Return a family that can be a response; one that can't, or is not known, is refused with those that can."""
    known = responses()
    if isinstance(family, str) and not families.registry.REGISTRY.knows(family):
        near = did_you_mean(family, known).rstrip("?")
        raise ValueError(f"unknown family {family!r}{near}; a GLM takes one of {', '.join(known)}")
    found = families.get(family)
    if not isinstance(found, Response):
        raise ValueError(f"the {found.name} family is not a GLM's response; a GLM takes one of {', '.join(known)}")
    return found


def _family(family: Any) -> Response:
    name = type(family).__name__
    if name == "NegativeBinomial":
        return families.NegativeBinomial(alpha=float(family.alpha))
    if name == "Tweedie":
        return families.Tweedie(var_power=float(family.var_power))
    return _response(name)


def _link(link: Any) -> Link:
    for cls in type(link).__mro__:
        if cls.__name__ in LINKS:
            return links.get(LINKS[cls.__name__])
        if cls.__name__ == "NegativeBinomial":
            return links.get(f"negative_binomial({float(link.alpha)!r})")
        if cls.__name__ == "Power":
            return links.get(f"power({float(link.power)!r})")
    return links.from_functions(
        link=link.__call__,
        inverse=link.inverse,
        derivative=link.inverse_deriv,
        second_derivative=link.inverse_deriv2,
        name=type(link).__name__,
    )
