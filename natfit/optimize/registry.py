"""Where directions, step rules, moves and optimizers are found by name, and where a user's own are entered.

What is entered here is found by name from the command line, and the law tests run on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from natfit.optimize.ball import KLBall
from natfit.optimize.directions import Gradient, NaturalGradient
from natfit.optimize.geodesics import fisher_rao, geodesic_corrected
from natfit.optimize.moves import e_geodesic, m_geodesic, midpoint, straight
from natfit.optimize.optimizer import gradient_descent, kl_ball, natural_gradient
from natfit.optimize.scipy_methods import scipy_method
from natfit.optimize.steps import Backtracking, FixedStep


class Entry(NamedTuple):
    """What makes an object of a kind, and whether it wants the family whose parameters are moved."""

    make: Callable[..., Any]
    of_family: bool


class Registry:
    """A table of named factories of one kind.

    Parameters
    ----------
    kind : str
        What error messages call an entry.

    Examples
    --------
    >>> STEP_RULES.make("kl_ball", radius=0.1).radius
    0.1
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._entries: dict[str, Entry] = {}

    def register(
        self, name: str, make: Callable[..., Any] | None = None, *, of_family: bool = False, replace: bool = False
    ) -> Any:
        """Enter a class or function that makes an object of this kind; without ``make``, return a decorator.

        Parameters
        ----------
        name : str
        make : callable, optional
            Called with keyword arguments, all of which must have a default.
        of_family : bool
            Whether its first argument is the family.
        replace : bool
            Whether a name that is taken may be taken over.

        Raises
        ------
        ValueError
            If the name is taken.
        TypeError
            If ``make`` can't be called.
        """
        if make is None:
            return lambda decorated: self.register(name, decorated, of_family=of_family, replace=replace)
        if not callable(make):
            raise TypeError(f"a {self.kind} is registered by a class or function that makes it; got {make!r}")
        if name in self._entries and not replace:
            raise ValueError(
                f"there already is a {self.kind} called {name!r}; choose another name or pass replace=True"
            )
        self._entries[name] = Entry(make, of_family)
        return make

    def unregister(self, name: str) -> None:
        """Remove a name."""
        del self._entries[name]

    def names(self, of_family: bool | None = None) -> list[str]:
        """Return the names in the order of registration; only those that want a family, or don't, if told."""
        return [name for name, entry in self._entries.items() if of_family in (None, entry.of_family)]

    def make(self, name: str, family: Any = None, **options: Any) -> Any:
        """Return an object by its name.

        Raises
        ------
        ValueError
            If there is none of that name, or it wants a family and none is given.
        """
        if name not in self._entries:
            raise ValueError(f"unknown {self.kind} {name!r}: choose one of {', '.join(self._entries)}")
        entry = self._entries[name]
        if not entry.of_family:
            return entry.make(**options)
        if family is None:
            raise ValueError(f"the {self.kind} {name!r} is defined for a family: pass family=")
        return entry.make(family, **options)


DIRECTIONS = Registry("direction")
STEP_RULES = Registry("step rule")
MOVES = Registry("move")
OPTIMIZERS = Registry("optimizer")

DIRECTIONS.register("gradient", Gradient)
DIRECTIONS.register("natural_gradient", NaturalGradient)
DIRECTIONS.register("held_natural_gradient", lambda refresh=3, **options: NaturalGradient(refresh=refresh, **options))
DIRECTIONS.register("newton", lambda **options: NaturalGradient("observed", **options))
DIRECTIONS.register("empirical_natural_gradient", lambda **options: NaturalGradient("empirical", **options))

STEP_RULES.register("fixed", FixedStep)
STEP_RULES.register("backtracking", Backtracking)
STEP_RULES.register("kl_ball", KLBall)

MOVES.register("straight", lambda: straight)
MOVES.register("midpoint", lambda: midpoint)
MOVES.register("geodesic_corrected", lambda: geodesic_corrected)
MOVES.register("e_geodesic", e_geodesic, of_family=True)
MOVES.register("m_geodesic", m_geodesic, of_family=True)
MOVES.register("fisher_rao", fisher_rao, of_family=True)

OPTIMIZERS.register("gradient_descent", gradient_descent)
OPTIMIZERS.register("natural_gradient", natural_gradient)
OPTIMIZERS.register("kl_ball", kl_ball)
for _name, _method in (("bfgs", "BFGS"), ("l_bfgs_b", "L-BFGS-B"), ("cg", "CG"), ("nelder_mead", "Nelder-Mead")):
    OPTIMIZERS.register(_name, lambda _method=_method, **options: scipy_method(_method, **options))
