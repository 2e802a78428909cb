"""What an optimizer sees, and all it sees: a function of parameters that returns a Point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from natfit.metric import Metric

Array = np.ndarray[Any, np.dtype[Any]]


class Point:
    """An objective at one value of its parameters.

    Parameters
    ----------
    params : (p,) ndarray
    sums : mapping
        ``loglik`` at unit dispersion, and, as far as they were asked for, ``score``, ``metric``, ``observed``, ``meat``.
    dispersion : float
        What the log-likelihood, and all that is made of it, is divided by.
    """

    __slots__ = ("_natural", "dispersion", "loglik", "params", "sums")

    def __init__(self, params: Array, sums: Mapping[str, Any], dispersion: float = 1.0):
        self.params = params
        self.sums = sums
        self.loglik: float = sums["loglik"]
        self.dispersion = dispersion
        self._natural: Array | None = None

    @property
    def score(self) -> Array:
        return self.sums["score"]

    @property
    def metric(self) -> Metric:
        return self.sums["metric"]

    @property
    def inside(self) -> bool:
        """Whether the parameters lie in the domain, with a finite log-likelihood."""
        return self.loglik > -np.inf and np.isfinite(self.loglik)

    @property
    def natural_gradient(self) -> Array:
        """F^-1 score, which the dispersion does not enter; raises `SingularMetric` where F has no inverse."""
        if self._natural is None:
            self._natural = self.metric.solve(self.score)
        return self._natural

    @property
    def decrement(self) -> float:
        """score' F^-1 score / dispersion: squared distance to the optimum in standard errors."""
        return scaled(float(self.score @ self.natural_gradient), self.dispersion)


def scaled(gain: float, dispersion: float) -> float:
    """Divide a squared length at unit dispersion by the dispersion; nothing left is nothing, also over a dispersion of 0."""
    if gain == 0.0:
        return 0.0
    return gain / dispersion if dispersion > 0.0 else np.inf


class Objective(Protocol):
    """A log-likelihood to be maximized: a likelihood with its source, maybe wrapped."""

    @property
    def passes(self) -> int:
        """Passes over the data so far."""
        ...

    def evaluate(self, params: Array, need: int) -> Point:
        """Return the Point at ``params``, with what ``need`` asks for (flags of `natfit.need`)."""
        ...


class Evaluates(Protocol):
    def evaluate(self, params: Array, block: Any, need: int) -> Any: ...


class Reduces(Protocol):
    def reduce(self, evaluate: Callable[[Any], Any]) -> Any: ...


class LikelihoodObjective:
    """A likelihood summed over a source.

    Parameters
    ----------
    likelihood
        Has ``evaluate(params, block, need)``; returns mappings that merge.
    source
        Has ``reduce(evaluate)``.
    dispersion : callable, optional
        From the sums of a pass to the dispersion; 1 where it is left out.
    """

    def __init__(
        self, likelihood: Evaluates, source: Reduces, dispersion: Callable[[Mapping[str, Any]], float] | None = None
    ):
        self.likelihood = likelihood
        self.source = source
        self._dispersion = dispersion
        self._passes = 0

    @property
    def passes(self) -> int:
        return self._passes

    def evaluate(self, params: Array, need: int) -> Point:
        self._passes += 1
        likelihood = self.likelihood
        sums = self.source.reduce(lambda block: likelihood.evaluate(params, block, need))
        return Point(params, sums, 1.0 if self._dispersion is None else self._dispersion(sums))


class Coordinates(Protocol):
    """What `ParametrizedObjective` needs of a parametrization."""

    def to_home(self, xi: Array) -> Array: ...
    def from_home(self, theta: Array) -> Array: ...
    def jacobian(self, xi: Array) -> Array: ...


class ParametrizedObjective:
    """An objective in other coordinates: score J's, metric J'FJ.

    The observed information is pulled back as a form, J'HJ: in curved coordinates that is the Hessian only where the
    score vanishes, which is where it is used.

    Parameters
    ----------
    objective : Objective
        In home parameters.
    parametrization
        Has ``to_home``, ``from_home``, ``jacobian``; may have ``contains``.
    """

    def __init__(self, objective: Objective, parametrization: Coordinates):
        self.objective = objective
        self.parametrization = parametrization

    @property
    def passes(self) -> int:
        return self.objective.passes

    def evaluate(self, params: Array, need: int) -> Point:
        contains = getattr(self.parametrization, "contains", None)
        if contains is not None and not np.all(contains(params)):
            return Point(params, {"loglik": -np.inf})
        home = self.objective.evaluate(self.parametrization.to_home(params), need)
        sums: dict[str, Any] = dict(home.sums)
        if home.inside:
            J = self.parametrization.jacobian(params)
            for name in ("metric", "observed", "meat"):
                if name in sums:
                    sums[name] = sums[name].pullback(J)
            if "score" in sums:
                sums["score"] = J.T @ sums["score"]
        return Point(params, sums, home.dispersion)
