"""Where families and links are found by name, and where a user's own are entered."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

_CALL = re.compile(r"^\s*([^()]+?)\s*(?:\(\s*(.*?)\s*\))?\s*$", re.DOTALL)
_CONSTANTS = {"True": True, "False": False, "None": None}


def _key(name: str) -> str:
    """Spelling that `InverseGaussian`, `inverse_gaussian`, `inverse-gaussian` and R's `inverse.gaussian` share."""
    return re.sub(r"[\s_.\-]", "", name).lower()


def _argument(text: str) -> tuple[str | None, Any]:
    """One argument of `power(0.5)` or `negative_binomial(alpha=0.3)`: its keyword, if any, and its value."""
    keyword, equals, value = text.partition("=")
    if not equals:
        keyword, value = "", text
    value = value.strip()
    if value in _CONSTANTS:
        return keyword.strip() or None, _CONSTANTS[value]
    value = value.strip("'\"")
    try:
        return keyword.strip() or None, float(value)
    except ValueError:
        return keyword.strip() or None, value


def _same_definition(old: Any, new: Any) -> bool:
    """Whether a class is a module's own class again, after a reload."""
    places = [(getattr(item, "__module__", None), getattr(item, "__qualname__", None)) for item in (old, new)]
    return places[0] == places[1] and places[0][1] is not None


class Registry(Generic[T]):
    """A table of named things of one kind.

    Parameters
    ----------
    kind, plural : str
        What error messages call one entry and several.
    needs : tuple of str
        Attributes by which an object is recognised as one of the kind, whatever its class.

    Examples
    --------
    >>> from natfit.families.links import REGISTRY
    >>> REGISTRY.get("power(0.5)")
    Power(0.5)
    """

    def __init__(self, kind: str, plural: str, needs: tuple[str, ...]) -> None:
        self.kind = kind
        self.plural = plural
        self.needs = needs
        self._items: dict[str, type[T] | T] = {}
        self._canonical: dict[str, str] = {}

    def register(self, item: Any, aliases: Iterable[str] = (), *, replace: bool = False) -> Any:
        """Enter a class or an instance under its `name` (and aliases) and return it, so that it can decorate a class.

        Raises
        ------
        TypeError
            If the item lacks a name or what this kind needs.
        ValueError
            If a name is taken and `replace` is false.
        """
        name = getattr(item, "name", None)
        missing = [attribute for attribute in self.needs if not hasattr(item, attribute)]
        if not isinstance(name, str) or missing:
            lacking = ", ".join(missing) or "name"
            raise TypeError(f"a {self.kind} needs {', '.join(self.needs)}; what is to be registered lacks {lacking}.")
        for spelling in (name, *aliases):
            taken = self._canonical.get(_key(spelling))
            if taken is not None and not replace and not _same_definition(self._items[taken], item):
                raise ValueError(
                    f"the {self.kind} name '{spelling}' is taken by '{taken}'; choose another, or pass replace=True."
                )
        self._items[name] = item
        for spelling in (name, *aliases):
            self._canonical[_key(spelling)] = name
        return item

    def unregister(self, name: str) -> None:
        """Remove a name and its aliases."""
        del self._items[name]
        self._canonical = {key: target for key, target in self._canonical.items() if target != name}

    def names(self) -> list[str]:
        """Registered names in alphabetical order, without aliases."""
        return sorted(self._items)

    def entry(self, name: str) -> type[T] | T:
        """The class or instance that was registered under a name or alias.

        Raises
        ------
        ValueError
            If there is none; the message lists the names and suggests the nearest.
        """
        try:
            return self._items[self._canonical[_key(name)]]
        except KeyError:
            near = difflib.get_close_matches(_key(name), self._canonical, n=1)
            hint = f" did you mean '{self._canonical[near[0]]}'?" if near else ""
            raise ValueError(
                f"unknown {self.kind} '{name}';{hint} The {self.plural} are {', '.join(self.names())}."
            ) from None

    def knows(self, text: str) -> bool:
        """Whether a name is registered, with parameters in brackets or without.

        Examples
        --------
        >>> from natfit.families.links import REGISTRY
        >>> REGISTRY.knows("power(0.5)"), REGISTRY.knows("pwoer")
        (True, False)
        """
        match = _CALL.match(text)
        return _key(match.group(1) if match else text) in self._canonical

    def get(self, name_or_object: Any) -> T:
        """The instance that a name such as `log` or `power(0.5)`, a class, or an instance (itself) stands for.

        Raises
        ------
        ValueError
            If the name is unknown, or its parameters are missing or wrong.
        TypeError
            If the object is not one of this kind.
        """
        if isinstance(name_or_object, str):
            match = _CALL.match(name_or_object)
            name, text = match.groups() if match else (name_or_object, None)
            return self._build(name, self.entry(name), text)
        if isinstance(name_or_object, type):
            return self._build(name_or_object.__name__, name_or_object, None)
        if all(hasattr(name_or_object, attribute) for attribute in self.needs):
            return cast(T, name_or_object)
        raise TypeError(
            f"a {self.kind} is given by name ({', '.join(self.names())}) or as a {self.kind} object; "
            f"got {type(name_or_object).__name__} {name_or_object!r}."
        )

    def _build(self, name: str, item: Any, text: str | None) -> T:
        if not isinstance(item, type):
            if text:
                raise ValueError(f"the {self.kind} '{name}' takes no parameters; got '{name}({text})'.")
            return cast(T, item)
        arguments = [_argument(piece) for piece in text.split(",")] if text else []
        positional = [value for keyword, value in arguments if keyword is None]
        keywords = {keyword: value for keyword, value in arguments if keyword is not None}
        try:
            return cast(T, item(*positional, **keywords))
        except (TypeError, ValueError) as error:
            if isinstance(error, ValueError) and not str(error).startswith("could not convert"):
                raise  # the class's own sentence says it better
            given = f"({text})" if text else ""
            raise ValueError(
                f"the {self.kind} '{name}{given}' is not complete or has a wrong parameter "
                f"(parameters stand in brackets behind the name, or in a call of its class): {error}."
            ) from None

    def examples(self) -> list[T]:
        """Instances on which the law tests run: each entry's own `examples()`, or the entry itself."""
        found: list[T] = []
        for name in self.names():
            item: Any = self._items[name]
            if isinstance(item, type):
                examples = getattr(item, "examples", None)
                found.extend(examples() if examples is not None else [item()])
            else:
                found.append(item)
        return found


REGISTRY: Registry[Any] = Registry("family", "families", ("name",))


def register(family: Any, aliases: Iterable[str] = (), *, replace: bool = False) -> Any:
    """Enter a family (class or instance) under its `name`; may be used as a decorator.

    Parameters
    ----------
    family : class or instance
        With a `name`; as a GLM response it derives from `Response`.
    aliases : iterable of str
        Further spellings. Case, spaces, hyphens, dots and underscores never matter.
    replace : bool
        Whether a name that is taken may be taken over.

    Raises
    ------
    ValueError
        If a name is taken.
    """
    return REGISTRY.register(family, aliases, replace=replace)


def get(name_or_family: Any) -> Any:
    """The family that a name, a class or an instance stands for.

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the names and suggests the nearest.

    Examples
    --------
    >>> from natfit import families
    >>> families.get("poisson"), families.get("tweedie(1.7)")
    (Poisson(), Tweedie(var_power=1.7))
    """
    return REGISTRY.get(name_or_family)


def names() -> list[str]:
    """Registered family names in alphabetical order."""
    return REGISTRY.names()
