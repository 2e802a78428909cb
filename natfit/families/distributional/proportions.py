"""Shares: beta-binomial counts out of trials, and Dirichlet compositions."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special

from natfit.families.dirichlet import Dirichlet
from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta, complement
from natfit.families.distributional.registry import register
from natfit.families.distributional.reused import Reused
from natfit.families.distributional.rising import log_rising, rising_slope
from natfit.families.interval import POSITIVE, UNIT
from natfit.families.support import Support, counts

CELLS = 1 << 20
"""Numbers held at once in sums over the possible counts."""


def _two_counts(y: Array) -> Any:
    return ((y >= 0.0) & (y == np.floor(y))).all(axis=-1) & (y.sum(axis=-1) > 0.0)


@register
class BetaBinomial(DistributionalFamily):
    """Successes out of trials whose probability is beta: mean mu and ``correlation`` rho = 1 / (a + b + 1) of two trials.

    The response is two columns, successes and failures. Source: Prentice (1986), JASA 81, 321-327; VGAM's betabinomial.
    """

    name = "beta_binomial"
    parameter_names = ("mean", "correlation")
    domains = (UNIT, UNIT)
    default_links = ("logit", "logit")
    support = Support(
        "successes and failures, whole numbers not both zero", _two_counts, discrete=True, event_shape=(2,)
    )
    information = "sum over the response"
    simpler = (("correlation", "low", 1e-7, "binomial"),)
    has_trials = True
    _trials = 6.0

    def of_trials(self, trials: Array) -> Successes:
        return Successes(self, trials)

    def bind(
        self, y: Array, name: str = "y", levels: Sequence[Any] | None = None
    ) -> tuple[DistributionalFamily, Array]:
        if y.ndim != 2 or y.shape[1] != 2:
            raise ValueError(
                f"the {self.name} family needs two columns, successes and failures, as in 'successes + failures ~ x'; "
                f"{name!r} has {'one' if y.ndim == 1 else y.shape[1]}"
            )
        return self, self.support.check(self.name, y, name)

    def _shapes(self, theta: Theta) -> tuple[Array, Array, Array]:
        ratio = complement(theta, 1) / theta[1]
        return theta[0] * ratio, complement(theta, 0) * ratio, ratio

    def log_prob(self, y: Array, theta: Theta) -> Array:
        first, second, total = self._shapes(theta)
        good, bad = y[..., 0], y[..., 1]
        n = good + bad
        chosen = special.gammaln(n + 1.0) - special.gammaln(good + 1.0) - special.gammaln(bad + 1.0)
        binomial = special.xlogy(good, theta[0]) + special.xlogy(bad, complement(theta, 0))
        return chosen + binomial + log_rising(good, first) + log_rising(bad, second) - log_rising(n, total)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        first, second, total = self._shapes(theta)
        good, bad, mean, rest = y[..., 0], y[..., 1], theta[0], complement(theta, 0)
        up, down, both = rising_slope(good, first), rising_slope(bad, second), rising_slope(good + bad, total)
        in_mean = good / mean - bad / rest + total * (up - down)
        return [in_mean, -(mean * up + rest * down - both) / theta[1] ** 2]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        n = y.sum(axis=-1)
        rows = np.column_stack(np.broadcast_arrays(n, *theta))
        distinct, back = np.unique(rows, axis=0, return_inverse=True)
        found = np.zeros((3, len(distinct)))
        start = 0
        while start < len(distinct):
            longest = distinct[start:, 0]
            stop = start + max(int((np.arange(1, len(longest) + 1) * (longest + 1.0) <= CELLS).sum()), 1)
            found[:, start:stop] = self._summed(distinct[start:stop])
            start = stop
        found = found[:, back.ravel()]
        return {(0, 0): found[0], (0, 1): found[1], (1, 1): found[2]}

    def _summed(self, rows: Array) -> Array:
        """Sum over all counts of each row: trials and parameters, (m, 3)."""
        n, theta = rows[:, :1], [rows[:, 1:2], rows[:, 2:]]
        good = np.broadcast_to(np.arange(n.max() + 1.0), (len(rows), int(n.max()) + 1))
        inside = good <= n
        y = np.stack([np.where(inside, good, 0.0), np.where(inside, n - good, n)], axis=-1)
        prob = np.where(inside, np.exp(self.log_prob(y, theta)), 0.0)
        a, b = self.score(y, theta)
        return np.array([(prob * a * a).sum(axis=1), (prob * a * b).sum(axis=1), (prob * b * b).sum(axis=1)])

    def start(self, y: Array, weight: Array | None) -> list[float]:
        w = np.ones(len(y)) if weight is None else weight
        n = y.sum(axis=1)
        mean = float(np.clip(w @ y[:, 0] / (w @ n), 1e-3, 1.0 - 1e-3))
        # Var = n mu (1 - mu) (1 + (n - 1) rho)
        spread = float(w @ ((y[:, 0] - n * mean) ** 2 / (n * mean * (1.0 - mean))) / w.sum())
        extra = float(w @ n / w.sum()) - 1.0
        return [mean, float(np.clip((spread - 1.0) / extra if extra > 0.0 else 0.1, 0.02, 0.9))]

    def mean(self, theta: Theta) -> Array:
        """Return the mean share of successes."""
        return theta[0] + 0.0 * theta[1]

    def variance(self, theta: Theta) -> Array:
        """Return the variance of one trial's outcome."""
        return theta[0] * complement(theta, 0) + 0.0 * theta[1]

    def cdf(self, y: Array, theta: Theta) -> Array:
        """Return the probability of at most so many successes out of a row's trials."""
        good, n = np.floor(y[..., 0]), y.sum(axis=-1)
        grid = np.arange(n.max() + 1.0)
        found = np.zeros(len(n))
        for start in range(0, len(n), max(CELLS // grid.size, 1)):
            rows = slice(start, start + max(CELLS // grid.size, 1))
            inside = grid <= n[rows, None]
            each = np.where(inside, grid, 0.0)
            both = np.stack([each, n[rows, None] - each], axis=-1)
            prob = np.exp(self.log_prob(both, [t[rows, None] for t in theta]))
            found[rows] = np.where(inside & (grid <= good[rows, None]), prob, 0.0).sum(axis=1)
        return np.minimum(found, 1.0)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        first, second, _ = self._shapes(theta)
        good = rng.binomial(int(self._trials), rng.beta(first, second)).astype(float)
        return np.stack([good, self._trials - good], axis=-1)

    def every_response(self) -> Array | None:
        good = np.arange(self._trials + 1.0)
        return np.stack([good, self._trials - good], axis=-1)

    def example_parameters(self) -> Array:
        return np.array([[0.4, 0.2], [0.1, 0.05], [0.8, 0.5]])


class Successes(DistributionalFamily):
    """The successes of a beta-binomial, a number for each row out of its trials; made by ``BetaBinomial.of_trials``.

    Parameters
    ----------
    counted : BetaBinomial
    trials : (n,) ndarray
    """

    support = counts(0)
    parameter_names = BetaBinomial.parameter_names
    domains = BetaBinomial.domains
    information = BetaBinomial.information

    def __init__(self, counted: BetaBinomial, trials: Array):
        self.name, self.counted, self.trials = counted.name, counted, trials

    def _both(self, y: Array) -> Array:
        good = np.clip(np.floor(y), 0.0, self.trials)
        return np.stack([good, self.trials - good], axis=-1)

    def log_prob(self, y: Array, theta: Theta) -> Array:
        inside = (y >= 0.0) & (y <= self.trials)
        return np.where(inside, self.counted.log_prob(self._both(y), theta), -np.inf)

    def mean(self, theta: Theta) -> Array:
        return self.trials * theta[0]

    def variance(self, theta: Theta) -> Array:
        return self.trials * self.counted.variance(theta) * (1.0 + (self.trials - 1.0) * theta[1])

    def cdf(self, y: Array, theta: Theta) -> Array:
        return np.where(y < 0.0, 0.0, self.counted.cdf(self._both(y), theta))

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        first, second, _ = self.counted._shapes(theta)
        return rng.binomial(self.trials.astype(int), rng.beta(first, second)).astype(float)


class Composition(Reused):
    """A Dirichlet law of as many shares as the response has, the concentration of each a parameter."""

    shared_predictors = True

    def bind(
        self, y: Array, name: str = "y", levels: Sequence[Any] | None = None
    ) -> tuple[DistributionalFamily, Array]:
        if y.ndim != 2:
            raise ValueError(
                f"the dirichlet family needs columns of shares, as in 'a + b + c ~ x', but {name!r} is one column"
            )
        made = Composition.of(Dirichlet(y.shape[1]))
        if self.default_links is not None:
            made.default_links = (self.default_links[0],) * y.shape[1]
        labels = name.split(" + ")
        made.class_names = labels if len(labels) == y.shape[1] else [f"share {j + 1}" for j in range(y.shape[1])]
        if len(labels) == y.shape[1]:
            made.parameter_names = tuple(labels)
        return made, made.support.check(made.name, y, name)

    def with_link(self, link: Any) -> Composition:
        made = copy.copy(self)
        made.default_links = (str(getattr(link, "name", link)),) * self.K
        return made

    @classmethod
    def examples(cls) -> tuple[Any, ...]:
        return (cls.of(Dirichlet(3)),)

    def mean(self, theta: Theta) -> Array:
        """Return the mean shares, (n, d)."""
        shares = np.column_stack(np.broadcast_arrays(*theta))
        return shares / shares.sum(axis=1, keepdims=True)

    def variance(self, theta: Theta) -> Array:
        total = np.sum(np.broadcast_arrays(*theta), axis=0)[:, None]
        mean = self.mean(theta)
        return mean * (1.0 - mean) / (total + 1.0)


_composition = Composition.of(Dirichlet(3))
_composition.domains = (POSITIVE,) * 3
register(_composition)
