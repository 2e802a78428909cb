"""What a link is, and the table of links.

`Link.mean` returns the mean, its complement and its slope together, each to full relative precision in both
tails, so that nothing needs clipping. The methods that run inside a fit (`mean`, `curvature`) take float64
arrays, check nothing, may return an array they were given or the same array twice (do not write into what they
return), and may overflow to infinity far out: run them under ``numpy.errstate(all="ignore")``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from natfit.families.interval import REAL, Array, Interval
from natfit.families.registry import Registry


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

    def inverse_deriv(self, eta: Any) -> Array:
        """Slope dmu/deta at the linear predictor; this and the next three are statsmodels' names."""
        with np.errstate(all="ignore"):
            return self.mean(np.asarray(eta, dtype=float))[2]

    def inverse_deriv2(self, eta: Any) -> Array:
        """Second derivative d2mu/deta2 at the linear predictor."""
        at = np.asarray(eta, dtype=float)
        with np.errstate(all="ignore"):
            mu, _, slope = self.mean(at)
            return self.curvature(at, mu, slope)

    def deriv(self, mu: Any) -> Array:
        """Slope deta/dmu at the mean."""
        with np.errstate(all="ignore"):
            return 1.0 / self.inverse_deriv(self(np.asarray(mu, dtype=float)))

    def deriv2(self, mu: Any) -> Array:
        """Second derivative d2eta/dmu2 at the mean."""
        eta = self(np.asarray(mu, dtype=float))
        with np.errstate(all="ignore"):
            return -self.inverse_deriv2(eta) / self.inverse_deriv(eta) ** 3

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
