"""What a family is to a regression for every parameter of a distribution: row mathematics in K parameters.

Everything is one array for each parameter: ``theta`` is a sequence of K arrays (n,), a score is a list of K arrays, and
a matrix for each row is a mapping of (k, l), k <= l, to arrays, absent entries being zero. Links and predictors are no
business of a family's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from natfit.families import links as link_functions
from natfit.families.distributional import derivatives
from natfit.families.distributional.derived import Derived
from natfit.families.distributional.outside import checked
from natfit.families.interval import POSITIVE, UNIT, Interval
from natfit.families.link_base import Link
from natfit.families.support import Support

Array = np.ndarray[Any, np.dtype[Any]]
Theta = Sequence[Array]
Matrix = dict[tuple[int, int], Array]
T = TypeVar("T")


class Parameters(tuple[Array, ...]):
    """One array for each parameter, with the complements 1 - theta that links give without cancellation.

    `once` keeps here what log-density, score and information of the same rows have in common.
    """

    complements: tuple[Array | None, ...]
    known: dict[str, tuple[Any, Any]]

    def __new__(cls, values: Sequence[Array], complements: Sequence[Array | None] | None = None) -> Parameters:
        made = super().__new__(cls, values)
        made.complements = tuple(complements) if complements is not None else (None,) * len(made)
        made.known = {}
        return made


def complement(theta: Theta, k: int) -> Array:
    """Return 1 - theta[k], from the link where it gave it."""
    known = theta.complements[k] if isinstance(theta, Parameters) else None
    return 1.0 - theta[k] if known is None else known


def once(theta: Theta, name: str, y: Array | None, make: Callable[[], T]) -> T:
    """Return ``make()``, made once for the same parameters and the same array of responses, or None where it needs none.

    Examples
    --------
    >>> theta, y = Parameters([np.ones(2)]), np.zeros(2)
    >>> once(theta, "logs", y, lambda: np.log(theta[0])) is once(theta, "logs", y, lambda: np.log(theta[0]))
    True
    """
    if not isinstance(theta, Parameters):
        return make()
    known = theta.known.get(name)
    if known is None or known[0] is not y:
        known = theta.known[name] = (y, make())
    return known[1]


def inverse(values: Array) -> Array:
    """Return 1 / values, computed once where all rows have the same, a constant's."""
    if values.strides == (0,) and values.size:
        return np.broadcast_to(1.0 / values[:1], values.shape)
    return 1.0 / values


class DistributionalFamily(Derived, ABC):
    """A distribution p(y given theta_1 ... theta_K) whose every parameter may have a predictor of its own.

    A subclass gives the attributes, and ``log_prob``; score, information, moments, distribution function, quantiles and
    sampling are derived from it by differentiation and quadrature, unless given in closed form as well. `check` of this
    package compares what is given with what is derived. An instance holds known constants only.

    Attributes
    ----------
    name : str
        Registry key.
    parameter_names : tuple of K str
    domains : tuple of K Interval
        Where each parameter may lie; ``contains`` where they are bound to each other.
    support : Support
        Where responses may lie.
    default_links : tuple of K str
        By default identity for a parameter of the whole line, log for a positive one, logit for one between 0 and 1.
    information : str
        How ``fisher`` is computed: "closed form", "sum over the response" or "quadrature over the response".

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families.interval import POSITIVE, REAL
    >>> from natfit.families.support import REALS
    >>> class Laplace(DistributionalFamily):
    ...     name = "my_laplace"
    ...     parameter_names = ("location", "scale")
    ...     domains = (REAL, POSITIVE)
    ...     support = REALS
    ...     def log_prob(self, y, theta):
    ...         location, scale = theta
    ...         return -np.abs(y - location) / scale - np.log(2.0 * scale)
    >>> score = Laplace().score(np.array([3.0]), [np.array([1.0]), np.array([2.0])])
    >>> [float(s[0].round(6)) + 0.0 for s in score]
    [0.5, 0.0]
    """

    name: str
    parameter_names: tuple[str, ...]
    domains: tuple[Interval, ...]
    support: Support
    default_links: tuple[str, ...] | None = None
    information: str = "by differentiation and quadrature"
    shared_predictors: bool = False
    """Whether one formula stands for all parameters, as for the classes of a multinomial."""
    class_predictors: bool = False
    """Whether the parameters are the predictors themselves, on the scale of a link inside the family."""
    circular: bool = False
    """Whether responses are directions, whose mean and variance are not those of numbers."""
    has_trials: bool = False
    """Whether a response is successes and failures; ``of_trials`` is then the law of the successes."""
    atoms: tuple[float, ...] = ()
    """Values at which a continuous response has mass: ``log_prob`` is a log-mass there, a log-density elsewhere."""
    simpler: tuple[tuple[str, str, float, str], ...] = ()
    """Limits at which a parameter is not identified: (parameter, "low" or "high", value, the family that is left there)."""
    class_names: Sequence[str] | None = None
    """What the columns of a mean are called where the response has several."""

    # -- what a subclass gives ------------------------------------------------------------------------------------

    @abstractmethod
    def log_prob(self, y: Array, theta: Theta) -> Array:
        """Return the normalised log-density or log-mass of each row, (n,), for responses inside the support."""

    def score(self, y: Array, theta: Theta) -> list[Array]:
        """Return the derivatives of the log-density in each parameter; here by differences."""
        return derivatives.gradient(lambda t: self.log_prob(y, t), theta, self.domains)

    def observed(self, y: Array, theta: Theta) -> Matrix:
        """Return minus the second derivatives of the log-density; here by differences of the score."""
        return derivatives.minus_jacobian(
            lambda t: self.score(y, t), lambda t: self.log_prob(y, t), theta, self.domains
        )

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        """Return the Fisher information of each row; here E[score score'] by a sum or by quadrature.

        Of ``y`` only what is known beforehand counts, such as a row's number of trials.
        """
        from natfit.families.distributional.expectation import expected_information

        return expected_information(self, theta)

    def contains(self, theta: Theta) -> Array:
        """Say which rows' parameters lie in the domain, (n,)."""
        inside = np.ones(np.shape(theta[0]), dtype=bool)
        for k, (values, domain) in enumerate(zip(theta, self.domains, strict=True)):
            if domain == UNIT:  # a probability that rounds to 1 is inside as long as its complement says so
                inside &= (values > 0.0) & (complement(theta, k) > 0.0)
            else:
                inside &= domain.contains(values)
        return inside

    def start(self, y: Array, weight: Array | None) -> list[float]:
        """Return constants to start from; here those of the examples with the largest likelihood."""
        best, found = -np.inf, None
        for point in self.example_parameters():
            theta = [np.full(len(y), value) for value in point]
            with np.errstate(all="ignore"):
                each = self.log_prob(y, theta)
            total = float(each.sum() if weight is None else weight @ each)
            if total > best:
                best, found = total, [float(value) for value in point]
        if found is None:
            raise ValueError(f"{self.name} has no finite likelihood at its example parameters; give start_params")
        return found

    def other_starts(self, y: Array, weight: Array | None) -> list[list[float]]:
        """Return further constants to start from where those of ``start`` lead to a limit: other accounts of the data."""
        return []

    def start_rows(self, y: Array, constants: Sequence[float]) -> list[Array] | None:
        """Return parameters of each row to start from, K arrays (n,), where constants lead astray; or None."""
        return None

    def example_parameters(self) -> Array:
        """Return parameters (m, K) of a few distributions, on which the law tests run; here from the domains."""
        rows = np.array([[0.6, 2.5], [1.35, 1.6], [2.1, 4.0]])
        made = np.empty((3, len(self.domains)))
        for k, domain in enumerate(self.domains):
            column = rows[:, k % 2]
            if domain == UNIT:
                made[:, k] = column / 3.0
            elif domain == POSITIVE:
                made[:, k] = column
            else:
                made[:, k] = np.clip(column - 1.0, domain.low + 1e-3, domain.high - 1e-3)
        return made

    @property
    def costly(self) -> bool:
        """Whether each row's information takes a quadrature of its own, so that steps are to spare it."""
        return type(self).fisher is DistributionalFamily.fisher

    def every_response(self) -> Array | None:
        """Return all responses (m, *event) there can be, of a family with finitely many: the law tests sum over them."""
        return None

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        """Instances on which the law tests run."""
        return (cls(),)

    # -- for a response -------------------------------------------------------------------------------------------

    def bind(
        self, y: Array, name: str = "y", levels: Sequence[Any] | None = None
    ) -> tuple[DistributionalFamily, Array]:
        """Return the family as it is for a response, and the response as the family wants it.

        Here the response is only checked against the support; a family of classes counts them.

        Raises
        ------
        ValueError
            Where responses lie outside the support: how many, where, and what to do.
        """
        if levels is not None:
            raise ValueError(
                f"the {self.name} family needs numbers, but {name!r} has the levels {', '.join(map(repr, levels[:4]))}; "
                "use a family of classes such as 'multinomial', or a numeric column"
            )
        return self, checked(self.support, self.name, y, name)

    @property
    def K(self) -> int:
        """Number of parameters."""
        return len(self.parameter_names)

    def with_link(self, link: Any) -> DistributionalFamily:
        """Return the family with one link for all its classes; only families of classes have one."""
        raise TypeError(f"the {self.name} family has a link for each parameter; give them in a dict by parameter")

    def constraints(self, layout: Any, names: Mapping[str, Sequence[str]]) -> tuple[Array, list[str]] | None:
        """Return the matrix C (p, q) of coefficients = C @ free ones, with the q names, where the family ties terms.

        Parameters
        ----------
        layout : natfit.likelihoods.layout.Layout
            Of the p coefficients: ``names`` and, by parameter, ``slices``.
        names : mapping of str to sequence of str
            The columns of each parameter's design.
        """
        return None

    def in_parametrization(self, parametrization: Any) -> DistributionalFamily:
        """Return the family with the coordinates of another parametrization as its parameters."""
        raise ValueError(
            f"the {self.name} family has but one parametrization: {', '.join(self.parameter_names)}; leave "
            "parametrization= out"
        )

    def of_trials(self, trials: Array) -> DistributionalFamily:
        """Return the law of each row's successes, a number, out of its trials (n,)."""
        raise TypeError(f"the {self.name} family's responses are out of no trials")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parameters in the order of a multi-part formula's parts."""
        return self.parameter_names

    def resolve_links(self, given: Mapping[str, Any]) -> list[Link]:
        """Return a link for each parameter: those given by parameter name, else the defaults.

        Raises
        ------
        ValueError
            For a parameter that the family does not have.
        """
        for name in given:
            self.place(name, "a link")
        defaults = self.default_links or tuple(_default_link(domain) for domain in self.domains)
        return [
            link_functions.get(given.get(name, default))
            for name, default in zip(self.parameter_names, defaults, strict=True)
        ]

    def section_title(self, parameter: str, links: Mapping[str, Link]) -> str:
        """Return what stands above a parameter's coefficients in a summary: its link, and which event it is of."""
        return f"{links[parameter].name}({parameter})" if links[parameter].name != "identity" else parameter

    def place(self, name: str, what: str = "a formula") -> int:
        """Return the number of a parameter, or refuse a name that is none, listing those there are."""
        if name not in self.parameter_names:
            raise ValueError(
                f"{what} was given for {name!r}, which is no parameter of the {self.name} family; it has "
                f"{', '.join(self.parameter_names)}"
            )
        return self.parameter_names.index(name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *sorted((key, repr(value)) for key, value in vars(self).items())))


def _default_link(domain: Interval) -> str:
    if domain == UNIT:
        return "logit"
    return "log" if domain.low == 0.0 and domain.high == np.inf else "identity"
