"""What an optimizer sees, and all it sees: a function of parameters that returns a Point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from natfit.metric import Metric
from natfit.need import LOGLIK, MEAT, METRIC, OBSERVED

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
        return math.isfinite(self.loglik)

    @property
    def natural_gradient(self) -> Array:
        """F^-1 score, which the dispersion does not enter; raises `SingularMetric` where F has no inverse."""
        if self._natural is None:
            self._natural = self.metric.solve(self.score)
        return self._natural

    @property
    def known_natural_gradient(self) -> Array | None:
        """The natural gradient as far as it has been computed."""
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
    """A log-likelihood to be maximized: a likelihood with its source, maybe wrapped.

    Besides, an objective may have ``kl(params0, params1)``, the Kullback-Leibler divergence between the distributions
    of all rows at unit dispersion, and ``kl_is_exact``; where it says False or has none, half the quadratic form of
    the metric stands in. One that can also be evaluated on some of its rows has ``n_rows`` and ``sample(rows, rng)``, an
    objective of the same size that stands on a random sample of rows, or None; and ``kinds``, how many of its passes took
    a metric, and how many went over samples.
    """

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
        Has ``evaluate(params, block, need)``; returns mappings that merge. May have ``kl(params0, params1, block)``,
        which returns one with an entry ``kl``.
    source
        Has ``reduce(evaluate)``.
    dispersion : callable, optional
        From the sums of a pass to the dispersion; 1 where it is left out.
    share : float
        How many rows of all each row of the source stands for: the sums are multiplied by it.
    """

    def __init__(
        self,
        likelihood: Evaluates,
        source: Reduces,
        dispersion: Callable[[Mapping[str, Any]], float] | None = None,
        share: float = 1.0,
    ):
        self.likelihood = likelihood
        self.source = source
        self._dispersion = dispersion
        self._share = share
        self._passes = 0
        self._metric_passes = 0
        self._samples: list[LikelihoodObjective] = []

    @property
    def n_rows(self) -> int:
        """Rows of the source."""
        return self.source.n_rows  # type: ignore[attr-defined]

    @property
    def metric_cost(self) -> float:
        """How many passes for the score alone one more metric costs: its products, see `natfit.data.arrays.Source`, and
        what the likelihood computes of every row for it."""
        return getattr(self.source, "metric_cost", 0.0) + getattr(self.likelihood, "metric_cost", 0.0)

    def sample(self, rows: int, rng: np.random.Generator) -> LikelihoodObjective | None:
        """Return the objective on a random sample of about so many rows, each counted as often as makes up for the rest.

        None where the source can't be sampled.
        """
        take = getattr(self.source, "sample", None)
        taken = None if take is None else take(rows, rng)
        if taken is None:
            return None
        part = LikelihoodObjective(self.likelihood, taken, self._dispersion, self.n_rows / taken.n_rows)
        self._samples.append(part)
        return part

    @property
    def kinds(self) -> tuple[int, int]:
        """How many passes took a metric along, and how many went over samples of the rows."""
        return self._metric_passes, sum(part.passes for part in self._samples)

    @property
    def passes(self) -> int:
        return self._passes

    def evaluate(self, params: Array, need: int) -> Point:
        self._passes += 1
        self._metric_passes += bool(need & (METRIC | OBSERVED | MEAT))
        likelihood = self.likelihood
        sums = self.source.reduce(lambda block: likelihood.evaluate(params, block, need))
        if self._share != 1.0:
            sums = sums.scaled(self._share)
        return Point(params, sums, 1.0 if self._dispersion is None else self._dispersion(sums))

    @property
    def kl_is_exact(self) -> bool:
        """Whether the likelihood has a KL divergence of its own."""
        return hasattr(self.likelihood, "kl")

    def kl(self, params0: Array, params1: Array) -> float:
        """Return KL(params0 || params1), summed over all rows, in nats at unit dispersion.

        Without one of the likelihood's own it is half the quadratic form (params1 - params0)' F (params1 - params0) in
        the expected information at ``params0``, right up to third order; `kl_is_exact` tells. Infinite outside the
        domain.
        """
        if not self.kl_is_exact:
            metric = self.evaluate(params0, LOGLIK | METRIC).metric
            value = 0.5 * metric.quadratic(params1 - params0)
        else:
            self._passes += 1
            likelihood: Any = self.likelihood
            with np.errstate(all="ignore"):  # params1 may lie outside the domain, where it is NaN
                value = float(self.source.reduce(lambda block: likelihood.kl(params0, params1, block))["kl"])
        # Between all but equal distributions rounding may leave a sum just below 0, which no divergence is.
        return max(value, 0.0) if not np.isnan(value) else np.inf


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

    @property
    def kinds(self) -> tuple[int, int]:
        """How many passes took a metric along, and how many went over samples of the rows."""
        return getattr(self.objective, "kinds", (0, 0))

    @property
    def n_rows(self) -> int | None:
        """Rows of the objective in home parameters; None where it can't be sampled."""
        return getattr(self.objective, "n_rows", None)

    @property
    def metric_cost(self) -> float:
        """How many passes for the score alone one more metric costs."""
        return getattr(self.objective, "metric_cost", 0.0)

    def sample(self, rows: int, rng: np.random.Generator) -> ParametrizedObjective | None:
        """Return the same on a random sample of about so many rows; see `LikelihoodObjective.sample`."""
        part = self.objective.sample(rows, rng)  # type: ignore[attr-defined]
        return None if part is None else ParametrizedObjective(part, self.parametrization)

    def evaluate(self, params: Array, need: int) -> Point:
        if not self._contains(params):
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

    def _contains(self, params: Array) -> bool:
        contains = getattr(self.parametrization, "contains", None)
        return contains is None or bool(np.all(contains(params)))

    @property
    def kl_is_exact(self) -> bool:
        """Whether the objective in home parameters has an exact KL divergence."""
        return getattr(self.objective, "kl_is_exact", False)

    def kl(self, params0: Array, params1: Array) -> float:
        """Return KL(params0 || params1) at unit dispersion: the same number as between the home parameters."""
        if not self._contains(params1):
            return np.inf
        to_home: Callable[[Array], Array] = self.parametrization.to_home
        if self.kl_is_exact:
            return self.objective.kl(to_home(params0), to_home(params1))  # type: ignore[attr-defined]
        metric = self.evaluate(params0, LOGLIK | METRIC).metric
        return 0.5 * metric.quadratic(params1 - params0)
