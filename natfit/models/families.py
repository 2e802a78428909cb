"""From what users name a family and a link to natfit's own; statsmodels' objects are translated here and nowhere else."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np

from natfit import families
from natfit.data.checks import did_you_mean
from natfit.families import links
from natfit.families.interval import NEGATIVE, POSITIVE, REAL, UNIT
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

FAMILIES = ("Gaussian", "Binomial", "Poisson", "Gamma", "InverseGaussian", "NegativeBinomial", "Tweedie")
"""statsmodels' family classes, by name."""


def is_statsmodels(thing: Any) -> bool:
    """Say whether an object or class comes from statsmodels, without importing it."""
    owner = thing if isinstance(thing, type) else type(thing)
    return any(base.__module__.startswith("statsmodels.") for base in owner.__mro__)


def resolve_family(family: Any, link: Any) -> tuple[Response, Link]:
    """Return the family and the link that the arguments of `GLM` mean.

    Parameters
    ----------
    family : str, Response, class of either, or a statsmodels family, optional
        Gaussian where None. A statsmodels family brings its own link, and its own alpha or power; one whose variance or
        methods were changed is refused.
    link : str, Link, or a statsmodels link, optional
        A statsmodels link that is not one of its named classes is taken by its own functions.

    Raises
    ------
    ValueError
        For a name that is not known, a family that is not one of statsmodels' own, or a link that can't express the
        family's means.
    """
    if family is None:
        family = "gaussian"
    if is_statsmodels(family) and not isinstance(family, Response):
        family = family() if isinstance(family, type) else family
        link = family.link if link is None else link
        family = keeping_class(_family(family), type(family))
    resolved = _response(family)
    if link is not None and is_statsmodels(link):
        link = _link(link() if isinstance(link, type) else link, resolved)
    return resolved, resolved.resolve_link(link)


def keeping_class(family: Response, theirs: type) -> Response:
    """Return a family that is also an instance of the statsmodels class which it was given as.

    Scripts ask ``isinstance(fit.model.family, sm.families.Binomial)``. Every method is natfit's.

    Examples
    --------
    >>> import statsmodels.api as sm
    >>> family = resolve_family(sm.families.Gamma(), None)[0]
    >>> isinstance(family, sm.families.Gamma), family == families.Gamma()
    (True, True)
    """
    made = copy.copy(family)
    made.__class__ = _both(type(family), theirs)
    return made


_made: dict[tuple[type, type], type] = {}


def _both(own: type, theirs: type) -> type:
    """Return the class that stands on both, the same one each time."""
    body: dict[str, Any] = {"_own_class": own, "__reduce__": _reduce, "__module__": own.__module__}
    return _made.setdefault((own, theirs), type(own.__name__, (own, theirs), body))


def _reduce(family: Response) -> tuple[Any, ...]:
    """Say how to make a family of a class of `_both` again: such a class stands in no module."""
    own, theirs = type(family).__bases__
    return _restore, (own, theirs, vars(family))


def _restore(own: type[Response], theirs: type, state: dict[str, Any]) -> Response:
    made: Any = object.__new__(_both(own, theirs))
    vars(made).update(state)
    return made


def responses() -> list[str]:
    """Return the names of the families that can be a GLM's response."""
    return [name for name in families.names() if issubclass(_class_of(name), Response)]


def _known() -> str:
    return ", ".join(responses())


def _class_of(name: str) -> type:
    entry = families.registry.REGISTRY.entry(name)
    return entry if isinstance(entry, type) else type(entry)


def _response(family: Any) -> Response:
    """Return a family that can be a response; one that can't, or is not known, is refused with those that can."""
    if isinstance(family, Response):
        return family
    if isinstance(family, str):
        registry = families.registry.REGISTRY
        if not registry.knows(family):
            near = did_you_mean(family, responses()).rstrip("?")
            raise ValueError(f"unknown family {family!r}{near}; a GLM takes one of {_known()}")
        cls = _class_of(family.partition("(")[0])
    else:
        cls = family if isinstance(family, type) else type(family)
    if issubclass(cls, Response):
        found: Response = families.get(family)
        return found
    name = getattr(cls, "name", None)
    if isinstance(name, str):
        raise ValueError(f"the {name} family is not a GLM's response; a GLM takes one of {_known()}")
    given = cls.__name__ if isinstance(family, type) else f"{cls.__name__} {family!r}"
    raise TypeError(
        f"a GLM's family is given by name ({_known()}), as a natfit Response or a statsmodels family; got {given}"
    )


def _family(family: Any) -> Response:
    cls = type(family)
    name = cls.__name__
    remedy = "write a natfit.families.Response with its own variance and kernel instead"
    if not cls.__module__.startswith("statsmodels.") or name not in FAMILIES:
        raise ValueError(f"the family {name} is not one of statsmodels' own ({', '.join(FAMILIES)}); {remedy}")
    replaced = [key for key, value in vars(family).items() if callable(value) and key not in ("variance", "_link")]
    if replaced:
        raise ValueError(
            f"this statsmodels {name} family has a {replaced[0]} of its own, which natfit can't use; {remedy}"
        )
    if name == "NegativeBinomial":
        found: Response = families.NegativeBinomial(alpha=float(family.alpha))
        usual = cls(alpha=family.alpha)
    elif name == "Tweedie":
        found, usual = _tweedie(family), cls(var_power=family.var_power)
    else:
        found, usual = _response(name), cls()
    if not _alike(family.variance, usual.variance):
        raise ValueError(f"this statsmodels {name} family has a variance function of its own; {remedy}")
    return found


def _tweedie(family: Any) -> Response:
    if getattr(family, "eql", False):
        raise ValueError(
            "natfit has no extended quasi-likelihood for the Tweedie family; leave eql out: its log-likelihood is exact"
        )
    power = float(family.var_power)
    if power == 0.0:
        return families.Gaussian()
    if power == 1.0:
        return families.tweedie.TweedieAtOne()
    if power == 2.0:
        return families.Gamma()
    if power == 3.0:
        return families.InverseGaussian()
    return families.Tweedie(var_power=power)


def _alike(one: Any, other: Any) -> bool:
    """Say whether two of statsmodels' objects are of the same class, with the same attributes."""
    if type(one) is not type(other) or not hasattr(one, "__dict__"):
        return bool(one is other)
    mine, theirs = vars(one), vars(other)
    return mine.keys() == theirs.keys() and all(
        mine[key] is theirs[key] or np.array_equal(mine[key], theirs[key]) for key in mine
    )


def _link(link: Any, family: Response) -> Link:
    """Translate a statsmodels link: one of its own classes, unchanged, by name; any other by its own functions."""
    cls = type(link)
    if cls.__module__.startswith("statsmodels."):
        if cls.__name__ in LINKS and _alike(link, cls()):
            return links.get(LINKS[cls.__name__])
        if cls.__name__ == "NegativeBinomial" and _alike(link, cls(alpha=link.alpha)):
            return links.get(f"negative_binomial({float(link.alpha)!r})")
        if cls.__name__ == "Power" and _alike(link, cls(power=link.power)):
            return links.get(f"power({float(link.power)!r})")
    return _by_functions(link, family)


def _slope(link: Any, eta: Any) -> Any:
    return 1.0 / link.deriv(link.inverse(eta))


def _by_functions(link: Any, family: Response) -> Link:
    """Return the link that an object's own functions make, on the first pair of ranges that they map onto each other.

    statsmodels fits by ``deriv`` and takes ``inverse_deriv`` where it needs it; a subclass that changes one may inherit
    the other from a parent that it no longer fits. What does not agree with ``inverse`` is therefore not used.
    """
    domain = family.mean_domain
    name = type(link).__name__
    name = f"custom {name}" if links.REGISTRY.knows(name) else name

    ranges = [
        (means, predictors)
        for means in dict.fromkeys((domain, UNIT, POSITIVE, REAL))
        if domain in means
        for predictors in (REAL, POSITIVE, NEGATIVE)
    ]
    refusal: Exception | None = None
    for means, predictors in ranges:
        for derivative in (link.inverse_deriv, partial(_slope, link)):
            for second in (link.inverse_deriv2, None):
                try:
                    return links.from_functions(
                        link.__call__,
                        link.inverse,
                        derivative,
                        name=name,
                        mean_range=means,
                        predictor_range=predictors,
                        second_derivative=second,
                    )
                except (ValueError, TypeError, ArithmeticError, AttributeError, NotImplementedError) as error:
                    refusal = refusal or error
    raise ValueError(f"the statsmodels link {type(link).__name__} can't be used: {refusal}")
