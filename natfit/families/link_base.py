"""What a link is, the table of links, and links made from a user's own functions.

`Link.mean` returns the mean, its complement and its slope together, each to full relative precision in both
tails, so that nothing needs clipping. The methods that run inside a fit (`mean`, `curvature`) take float64
arrays, check nothing, may return an array they were given or the same array twice (do not write into what they
return), and may overflow to infinity far out: run them under ``numpy.errstate(all="ignore")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from natfit.families.interval import REAL, UNIT, Array, Interval
from natfit.families.registry import Registry

Function = Callable[[Array], Array]


class Link:
    """A link function, eta = g(mu); subclasses give `__call__`, `mean` and `curvature`.

    Attributes
    ----------
    name : str
        Registry name, with parameters where it has any: ``power(0.5)``.
    mean_range : Interval
        Means that the link can give, and where ``link(mu)`` is defined.
    predictor_range : Interval
        Predictors that give them.
    """

    name: str = ""
    mean_range: Interval = REAL
    predictor_range: Interval = REAL

    @classmethod
    def examples(cls) -> tuple[Link, ...]:
        """Instances on which the law tests run."""
        return (cls(),)

    def __call__(self, mu: Array) -> Array:
        """Linear predictor at the mean, elementwise."""
        raise NotImplementedError

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        """Mean, complement 1 - mean (None unless means lie in (0, 1)) and slope dmu/deta, shaped like `eta`."""
        raise NotImplementedError

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        """Second derivative d2mu/deta2 from what `mean` returned."""
        raise NotImplementedError

    def inverse(self, eta: Array) -> Array:
        """Mean at the linear predictor, elementwise."""
        return self.mean(eta)[0]

    def complement(self, eta: Array, mu: Array) -> Array:
        """1 - mean, for a binomial response under a link whose `mean` gives no complement."""
        return 1.0 - mu

    def limit(self, mu: float) -> float:
        """Predictor at a limit of the mean: infinite where the link reaches it only there.

        Examples
        --------
        >>> from natfit.families import links
        >>> links.get("logit").limit(1.0), links.get("identity").limit(0.0)
        (inf, 0.0)
        """
        with np.errstate(all="ignore"):
            eta = float(self(np.array([float(mu)]))[0])
        # The tangent in a cauchit stops at 1.6e16, where pi / 2 is rounded; no predictor of data comes near.
        return float(np.copysign(np.inf, eta)) if abs(eta) > 1e15 else eta

    def parameters(self) -> tuple[Any, ...]:
        """What tells this link from others of its class."""
        return ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Link) and type(other) is type(self) and other.parameters() == self.parameters()

    def __hash__(self) -> int:
        return hash((type(self), self.parameters()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.parameters()))})"


REGISTRY: Registry[Link] = Registry("link", "links", ("name", "mean", "inverse", "curvature", "mean_range"))


def register(link: Any, aliases: Iterable[str] = (), *, replace: bool = False) -> Any:
    """Enter a link (class or instance) under its `name`; may be used as a decorator.

    Parameters
    ----------
    link : class or instance
        Usually a `Link`. The law tests run on it from then on.
    aliases : iterable of str
        Further spellings. Case, spaces, hyphens, dots and underscores never matter.
    replace : bool
        Whether a name that is taken may be taken over.

    Raises
    ------
    ValueError
        If a name is taken and `replace` is false.
    """
    return REGISTRY.register(link, aliases, replace=replace)


def get(name_or_link: Any) -> Link:
    """The link that a name, a class or an instance stands for.

    Names are those of `names()`; statsmodels' class names are understood too, in any case: ``InversePower``,
    ``LogC``, ``Cauchy``, ``nbinom``. Parameters go in brackets.

    Raises
    ------
    ValueError
        If the name is unknown (the message lists the names and suggests the nearest) or a parameter is missing.

    Examples
    --------
    >>> from natfit.families import links
    >>> links.get("log"), links.get("power(0.5)"), links.get("inverse_power")
    (Log(), Power(0.5), Inverse())
    """
    return REGISTRY.get(name_or_link)


def names() -> list[str]:
    """Registered link names in alphabetical order."""
    return REGISTRY.names()


class FunctionLink(Link):
    """A link made by `from_functions`."""

    def __init__(
        self,
        functions: tuple[Function, Function, Function, Function | None],
        name: str,
        mean_range: Interval,
        predictor_range: Interval,
    ) -> None:
        self._link, self._inverse, self._derivative, self._second = functions
        self.name = name
        self.mean_range = mean_range
        self.predictor_range = predictor_range
        self._bounded = mean_range in UNIT

    def __call__(self, mu: Array) -> Array:
        return self._link(mu)

    def inverse(self, eta: Array) -> Array:
        return self._inverse(eta)

    def mean(self, eta: Array) -> tuple[Array, Array | None, Array]:
        mu = self._inverse(eta)
        return mu, (1.0 - mu if self._bounded else None), self._derivative(eta)

    def curvature(self, eta: Array, mu: Array, dmu: Array) -> Array:
        if self._second is not None:
            return self._second(eta)
        step = 6e-6 * np.maximum(1.0, np.abs(eta))  # cube root of the machine epsilon
        return (self._derivative(eta + step) - self._derivative(eta - step)) / (2.0 * step)

    def limit(self, mu: float) -> float:
        """Predictor at a limit of the mean: infinite where the link reaches it only there.

        Examples
        --------
        >>> from natfit.families import links
        >>> links.get("logit").limit(1.0), links.get("identity").limit(0.0)
        (inf, 0.0)
        """
        with np.errstate(all="ignore"):
            eta = float(self(np.array([float(mu)]))[0])
        # The tangent in a cauchit stops at 1.6e16, where pi / 2 is rounded; no predictor of data comes near.
        return float(np.copysign(np.inf, eta)) if abs(eta) > 1e15 else eta

    def parameters(self) -> tuple[Any, ...]:
        return (self.name, self._link, self._inverse, self._derivative, self._second)

    def __repr__(self) -> str:
        return f"from_functions(name={self.name!r})"


def from_functions(
    link: Function,
    inverse: Function,
    derivative: Function,
    *,
    name: str = "custom",
    mean_range: Interval | tuple[float, float] = REAL,
    predictor_range: Interval | tuple[float, float] = REAL,
    second_derivative: Function | None = None,
) -> Link:
    """A link from three functions of an array.

    Parameters
    ----------
    link : callable
        mu -> eta.
    inverse : callable
        eta -> mu.
    derivative : callable
        eta -> dmu/deta (of the inverse, not of the link).
    name : str
        How results call it. Pass the link to `register` to use it by this name.
    mean_range, predictor_range : Interval or (low, high)
        Open intervals that the link maps onto each other.
    second_derivative : callable, optional
        eta -> d2mu/deta2; central differences of `derivative` stand in where it is not given.

    Raises
    ------
    TypeError
        If one of the functions cannot be called.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import links
    >>> cube = links.from_functions(np.cbrt, lambda eta: eta**3, lambda eta: 3 * eta**2, name="cube root")
    >>> mu, complement, slope = cube.mean(np.array([2.0]))
    >>> print(mu, slope)
    [8.] [12.]
    """
    functions = {"link": link, "inverse": inverse, "derivative": derivative}
    for role, function in functions.items():
        if not callable(function):
            raise TypeError(f"a link needs three functions; its {role} cannot be called: {function!r}.")
    ranges = [r if isinstance(r, Interval) else Interval(*r) for r in (mean_range, predictor_range)]
    return FunctionLink((link, inverse, derivative, second_derivative), name, *ranges)
