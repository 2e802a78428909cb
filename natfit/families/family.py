"""What every family of distributions offers, exponential or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from natfit.families.support import Support
from natfit.parametrizations import Identity, Parametrization, check
from natfit.parametrizations.base import Array, Mask, as_points

Coordinates = str | Parametrization | None
"""A parametrization by name, as an object, or None for home parameters."""


class Family(ABC):
    """A family of distributions p(y given theta) with p home parameters.

    An instance holds known constants only, never parameter values: parameters are arrays passed in, (..., p), and
    observations (..., *event) broadcast against their batch axes. Rows against rows is y (n,) with params (n, p); rows
    against K distributions is y[:, None] with params (K, p).

    A subclass gives the abstract methods below, all in home parameters; the public methods then take any
    parametrization.

    Attributes
    ----------
    name : str
        Registry key.
    home : str
        Name of the home parametrization.
    parameter_names : tuple of str
        Names of the p home parameters.
    support : Support
        Where observations may lie.
    """

    name: str
    home: str
    parameter_names: tuple[str, ...]
    support: Support

    _registered: ClassVar[dict[str, Parametrization]] = {}

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls._registered = {}

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        """Instances on which the law tests run; override where the constructor needs arguments."""
        return (cls(),)

    # -- what a subclass gives ------------------------------------------------------------------------------------

    @abstractmethod
    def contains(self, theta: Array) -> Mask:
        """Say which home parameters (..., p) lie in the domain; shape (...)."""

    @abstractmethod
    def home_log_prob(self, y: Array, theta: Array) -> Array:
        """Log-density or log-mass at observations inside the support, without checks."""

    @abstractmethod
    def home_score(self, y: Array, theta: Array) -> Array:
        """Gradient of the log-density in home parameters, (..., p), without checks."""

    @abstractmethod
    def home_fisher(self, theta: Array) -> Array:
        """Fisher information of one observation in home parameters, (..., p, p), without checks."""

    @abstractmethod
    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw observations of batch shape ``shape``, against which theta (..., p) broadcasts."""

    @abstractmethod
    def example_parameters(self) -> Array:
        """Home parameters (m, p) of a few distributions, ordinary and less so, on which the law tests run."""

    def conventional_parametrizations(self) -> Mapping[str, Parametrization]:
        """Parametrizations in use for this family, by name; the home parametrization need not be among them."""
        return {}

    # -- parametrizations -----------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Number p of home parameters."""
        return len(self.parameter_names)

    def derived_parametrizations(self) -> Mapping[str, Parametrization]:
        """Parametrizations that every family of this kind has, by name."""
        return {}

    @property
    def parametrizations(self) -> Mapping[str, Parametrization]:
        """All parametrizations by name: home, the conventional ones, and those registered."""
        home = {self.home: Identity(self.parameter_names)}
        registered = {key: value for key, value in self._registered.items() if value.home_size == self.size}
        named = {**home, **self.conventional_parametrizations(), **registered}
        derived = {key: value for key, value in self.derived_parametrizations().items() if key not in named}
        return MappingProxyType({**named, **derived})

    def register_parametrization(self, name: str, parametrization: Parametrization) -> None:
        """Add a parametrization to this class of family, after checking it at the family's example parameters.

        Raises
        ------
        ValueError
            If the name is taken, the number of home parameters is another, or the round trip or the Jacobian is wrong;
            the message says at which point, and how wrong.
        """
        if name in self.parametrizations:
            raise ValueError(f"{self.name} already has a parametrization called {name!r}; choose another name.")
        if parametrization.home_size != self.size:
            raise ValueError(
                f"{self.name} has {self.size} home parameters ({', '.join(self.parameter_names)}), "
                f"but {parametrization!r} maps to {parametrization.home_size}."
            )
        check(parametrization, parametrization.from_home(self.example_parameters())).raise_if_wrong()
        type(self)._registered[name] = parametrization

    def parametrization(self, which: Coordinates = None) -> Parametrization:
        """Return a parametrization by name; an object is returned as it is, None means home.

        Raises
        ------
        ValueError
            If there is none of that name; the message lists them.
        """
        if isinstance(which, Parametrization):
            return which
        if which is None:
            return Identity(self.parameter_names)
        known = self.parametrizations
        if which not in known:
            raise ValueError(f"{self.name} has no parametrization {which!r}; there are {', '.join(known)}.")
        return known[which]

    def to_home(self, params: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Return home parameters (..., p) for coordinates, or say that they lie outside the domain.

        Raises
        ------
        ValueError
            If coordinates lie outside the domain of the parametrization or of the family.
        """
        chart = self.parametrization(parametrization)
        xi = as_points(params, chart.size, f"{self.name} parameters ({', '.join(chart.names)})")
        with np.errstate(all="ignore"):
            inside = chart.contains(xi)
            theta = chart.to_home(np.where(np.asarray(inside)[..., None], xi, np.nan))
            good = np.asarray(inside & self.contains(theta))
        if not good.all():
            first = ", ".join(f"{value:.6g}" for value in np.atleast_2d(xi[~good])[0].ravel()[: chart.size])
            raise ValueError(
                f"{self.name} parameters ({', '.join(chart.names)}) = ({first}) lie outside the domain"
                f"{'' if good.size == 1 else f' ({good.size - good.sum()} of {good.size} points)'}: "
                f"{self.domain_text}."
            )
        return theta

    @property
    def domain_text(self) -> str:
        """The rule for home parameters, for errors."""
        return f"see the domain of {', '.join(self.parameter_names)}"

    def from_home(self, theta: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Return coordinates (..., q) of home parameters (..., p)."""
        return self.parametrization(parametrization).from_home(theta)

    # -- what is derived ------------------------------------------------------------------------------------------

    def check(self, y: ArrayLike, name: str = "y") -> Array:
        """Return observations as floats, or say in one sentence which lie outside the support.

        Raises
        ------
        ValueError
            If observations have the wrong shape or lie outside the support.
        """
        return self.support.check(self.name, y, name)

    def log_prob(self, y: ArrayLike, params: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Log-density or log-mass; minus infinity outside the support and outside the domain of the parameters."""
        chart = self.parametrization(parametrization)
        observations = np.asarray(y, dtype=float)
        xi = as_points(params, chart.size, f"{self.name} parameters ({', '.join(chart.names)})")
        with np.errstate(all="ignore"):  # rows outside the support or the domain are set to -inf just below
            theta = chart.to_home(xi)
            value = self.home_log_prob(observations, theta)
            good = self.support.contains(observations) & chart.contains(xi) & self.contains(theta)
        return np.where(good, value, -np.inf)[()]

    def score(self, y: ArrayLike, params: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Gradient of the log-density in the coordinates, (..., q): J' times the score in home parameters."""
        theta = self.to_home(params, parametrization)
        score = self.home_score(np.asarray(y, dtype=float), theta)
        if parametrization is None:
            return score
        return self.parametrization(parametrization).pull_score(params, score)

    def fisher(self, params: ArrayLike, parametrization: Coordinates = None) -> Array:
        """Fisher information of one observation in the coordinates, (..., q, q): J'FJ."""
        fisher = self.home_fisher(self.to_home(params, parametrization))
        if parametrization is None:
            return fisher
        return self.parametrization(parametrization).pull_fisher(params, fisher)

    def sample(
        self,
        params: ArrayLike,
        rng: np.random.Generator,
        size: int | tuple[int, ...] = (),
        parametrization: Coordinates = None,
    ) -> Array:
        """Draw observations of shape (*size, *batch, *event), batch being the parameters' batch axes."""
        theta = self.to_home(params, parametrization)
        lead = (size,) if isinstance(size, int | np.integer) else tuple(size)
        return self.home_sample(theta, rng, lead + theta.shape[:-1])

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *sorted(vars(self).items())))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
