"""A family as the response of a GLM: row mathematics of the mean, one value per row.

The methods that run inside a fit (`variance`, `variance_derivative`, `residual`, `kernel`, `canonical_kernel`)
take float64 arrays, check nothing, and give NaN or infinity outside the domain of the mean: run them under
``numpy.errstate(all="ignore")`` and ask `inside` first. The others are called once or twice per fit.

With the link's slope mu' the score of a row in its predictor is w (y - mu) mu' / (phi V) and its Fisher information
w mu'^2 / (phi V), V the variance function, phi the dispersion, w the weight: McCullagh & Nelder (1989), section 2.5.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from natfit.families import links as link_module
from natfit.families.interval import REAL, Array, Interval
from natfit.families.link_base import Link
from natfit.families.response_names import ResponseNames
from natfit.families.tails import count_quantile, positive_quantile


class Response(ResponseNames):
    """Base of every family that can be the response of a GLM.

    Attributes
    ----------
    name : str
        Registry name.
    mean_domain : Interval
        Open interval in which the mean must lie.
    dispersion : float or None
        1.0 where it is known, None where it is free.
    discrete : bool
        Whether the response has a probability at points (counts, proportions).
    default_link : str
        Registry name of the link that is used when none is named.
    canonical_link : str or None
        Link whose predictor is the natural parameter itself.
    canonical_links_up_to_scale : tuple of str
        Links whose predictor is the natural parameter times a constant: observed and expected information agree
        for them too, but `canonical_kernel` does not apply.
    attainable_limits : tuple of float
        Finite ends of the domain where a response can sit; its likelihood rises towards a mean there.
    """

    name: str = ""
    mean_domain: ClassVar[Interval] = REAL
    dispersion: ClassVar[float | None] = None
    discrete: ClassVar[bool] = False
    default_link: ClassVar[str] = "identity"
    canonical_link: ClassVar[str | None] = None
    attainable_limits: ClassVar[tuple[float, ...]] = ()

    @property
    def canonical_links_up_to_scale(self) -> tuple[str, ...]:
        return ()

    @classmethod
    def examples(cls) -> tuple[Response, ...]:
        """Instances on which the law tests run."""
        return (cls(),)

    def check_response(self, y: Array, name: str = "y") -> None:
        """Refuse a response outside the support, in one sentence that names rows, values and a remedy.

        Raises
        ------
        ValueError
            If a row is not finite or outside the support. Rows are counted from 0.
        """
        bad = ~np.isfinite(y)
        refuse(y, bad, self.name, name, "must be finite", "NaN or infinite", "drop or complete these rows")

    def inside(self, mu: Array, complement: Array | None = None) -> bool:
        """Whether every mean lies in the domain, and the likelihood is defined."""
        return self.mean_domain.holds_all(mu)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        """Unit variance function V(mu)."""
        raise NotImplementedError

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        """dV/dmu."""
        raise NotImplementedError

    def residual(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """y - mu."""
        return y - mu

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """Log-likelihood at unit dispersion and weight, up to terms that are free of mu."""
        raise NotImplementedError

    def canonical_kernel(self, y: Array, eta: Array, mu: Array) -> Array:
        """`kernel` under the canonical link, from its predictor, up to terms that are free of mu."""
        return self.kernel(y, mu)

    def canonical_total(self, y: Array, eta: Array, mu: Array, complement: Array | None = None) -> float:
        """Sum of `canonical_kernel` over rows of weight 1."""
        return float(self.canonical_kernel(y, eta, mu).sum())

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """Twice the log-likelihood ratio of mean y to mean mu at unit dispersion, d(y, mu) >= 0."""
        raise NotImplementedError

    def response_log_prob(self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """Normalised log-likelihood of each row; the weight divides the dispersion."""
        raise NotImplementedError

    def dispersion_derivatives(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0
    ) -> tuple[Array, Array]:
        """First and second derivative of `response_log_prob` in the logarithm of the dispersion.

        By differences of fourth order where a family gives none: good to nine and to seven digits.
        """
        h = 2e-3

        def at(steps: int) -> Array:
            return self.response_log_prob(y, mu, dispersion=dispersion * float(np.exp(steps * h)), weight=weight)

        near, back, far, behind = at(1), at(-1), at(2), at(-2)
        first = (8.0 * (near - back) - (far - behind)) / (12.0 * h)
        second = (16.0 * (near + back) - (far + behind) - 30.0 * at(0)) / (12.0 * h * h)
        return first, second

    def starting_mean(self, y: Array, average: float | None = None) -> Array:
        """A mean inside the domain for each row, to start a fit from: halfway between the row and the average.

        `average` is that of all rows, where `y` holds only some of them.
        """
        return 0.5 * (y + (np.mean(y) if average is None else average))

    def sample_response(self, mu: Array, rng: np.random.Generator, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """One draw per row."""
        raise NotImplementedError

    def response_tails(
        self, y: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0, strict: bool = False
    ) -> tuple[Array, Array]:
        """P(Y <= y) and P(Y > y) of each row; with ``strict`` P(Y < y) and P(Y >= y), which differ at points of mass.

        Optional: what randomized quantile residuals and quantiles are made of.
        """
        raise NotImplementedError(f"the {self.name} family gives no tail probabilities (response_tails)")

    def response_quantile(self, level: Array, mu: Array, dispersion: float = 1.0, weight: Any = 1.0) -> Array:
        """The least y with P(Y <= y) >= level, a row of levels between 0 and 1; from `response_tails` by default."""
        level, mu = np.broadcast_arrays(np.asarray(level, dtype=float), np.asarray(mu, dtype=float))

        def tails(y: Array) -> tuple[Array, Array]:
            return self.response_tails(y, mu, dispersion, weight)

        return count_quantile(tails, level, mu) if self.discrete else positive_quantile(tails, level, mu)

    def links(self) -> list[str]:
        """Registered links that this family accepts.

        Examples
        --------
        >>> from natfit.families import Binomial
        >>> "probit" in Binomial().links()
        True
        """
        return [name for name in link_module.names() if self.accepts(link_module.REGISTRY.entry(name))]

    def accepts(self, link: Any) -> bool:
        """Whether a link (object or class) makes sense here.

        It does when it can express every mean of the domain, even if it gives others too (identity for Poisson:
        a fit stays inside the domain by itself), and always when the domain is the whole line.
        """
        return self.mean_domain == REAL or self.mean_domain in link.mean_range

    def resolve_link(self, link: Any = None) -> Link:
        """The link object for a name, a class or an object; the default link for None.

        Raises
        ------
        ValueError
            If the name is unknown, or the link cannot express the family's means.

        Examples
        --------
        >>> from natfit.families import Gamma
        >>> Gamma().resolve_link(), Gamma().resolve_link("log")
        (Inverse(), Log())
        """
        resolved = link_module.get(self.default_link if link is None else link)
        if not self.accepts(resolved):
            raise ValueError(
                f"the {resolved.name} link gives means in {resolved.mean_range}, but {self.name} means lie in "
                f"{self.mean_domain}; use one of {', '.join(self.links())}."
            )
        return resolved

    def is_canonical(self, link: Link) -> bool:
        """Whether observed and expected information agree under this link."""
        return link.name == self.canonical_link or link.name in self.canonical_links_up_to_scale

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Response)
            and other._own_class is self._own_class
            and other._constants() == self._constants()
        )

    def __hash__(self) -> int:
        return hash((self._own_class, *self._constants()))

    @property
    def _own_class(self) -> type:
        return type(self)

    def _constants(self) -> list[tuple[str, Any]]:
        """What tells this family from others of its class; the model that it is bound to does not."""
        return sorted(item for item in vars(self).items() if item[0] != "_bound")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def normal_dispersion_derivatives(scaled_deviance: Array) -> tuple[Array, Array]:
    """Return both derivatives in log dispersion where the log-density is -(d / phi + log phi) / 2, from d / phi.

    Examples
    --------
    >>> [each.tolist() for each in normal_dispersion_derivatives(np.array([1.0, 3.0]))]
    [[0.0, 1.0], [-0.5, -1.5]]
    """
    return 0.5 * (scaled_deviance - 1.0), -0.5 * scaled_deviance


def refuse(y: Any, bad: NDArray[np.bool_], subject: str, name: str, rule: str, fault: str, remedy: str) -> None:
    """Raise a ValueError that states the rule, the first offending rows and the remedy, if any row is `bad`.

    Examples
    --------
    >>> y = np.array([3.0, -1.0])
    >>> refuse(y, y < 0, "Poisson counts", "sat", "must be 0 or more", "negative", "drop them")
    Traceback (most recent call last):
    ...
    ValueError: Poisson counts must be 0 or more: column 'sat' has 1 negative value (at row 1: -1); drop them.
    """
    rows = np.flatnonzero(bad)
    if rows.size == 0:
        return
    values = np.asarray(y).ravel()[rows[:3]]
    many = rows.size > 1
    where = f"{'first ' if rows.size > 3 else ''}at row{'s' if many else ''} {', '.join(map(str, rows[:3]))}"
    raise ValueError(
        f"{subject} {rule}: column '{name}' has {rows.size} {fault} value{'s' if many else ''} "
        f"({where}: {', '.join(f'{float(value):.6g}' for value in values)}); {remedy}."
    )


def refuse_outside(
    y: Any, low: float, high: float, closed: bool, subject: str, name: str, rule: str, fault: str, remedy: str
) -> None:
    """`refuse` values that are not finite, then those outside an interval; one pass for each bound if all is well."""
    y = np.asarray(y)
    if y.size == 0:
        return
    smallest, largest = float(y.min()), float(y.max())
    if (low <= smallest if closed else low < smallest) and largest <= high and largest < np.inf:
        return
    refuse(y, ~np.isfinite(y), subject, name, "must be finite", "NaN or infinite", "drop or complete these rows")
    below = y < low if closed else y <= low
    refuse(y, below | (y > high), subject, name, rule, fault, remedy)
