"""Counts whose zeros are a matter of their own: zero-inflated, hurdle and zero-truncated, on any base of counts.

With p0 and s0 the base's probability of zero and its score there, all information follows from the base's own.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Parameters, Theta, complement
from natfit.families.distributional.counts import NegativeBinomial2, PoissonRate
from natfit.families.distributional.registry import register
from natfit.families.interval import UNIT
from natfit.families.support import counts


class ZeroModified(DistributionalFamily):
    """A base of counts with something done to its zeros; parameters are the base's and, maybe, one probability."""

    base: DistributionalFamily
    extra: tuple[str, ...] = ()
    own_limit: tuple[tuple[str, str, float], ...] = ()
    """The limit at which the probability of its own is none, as in ``simpler``."""
    without: str = ""
    """What the name of the family that is left there begins with, before the base's."""

    def __init__(self, base: DistributionalFamily, name: str, examples: Any):
        self.base, self.name = base, name
        self.base_name = "poisson" if isinstance(base, PoissonRate) else base.name
        self.parameter_names = (*base.parameter_names, *self.extra)
        self.domains = (*base.domains, *(UNIT for _ in self.extra))
        self.default_links = ("log",) * base.K + ("logit",) * len(self.extra)
        self.information = base.information
        self._examples = tuple(map(tuple, examples))

    @property
    def simpler(self) -> tuple[tuple[str, str, float, str], ...]:  # type: ignore[override]
        """What is left where zeros follow the base, or where the base is a simpler one itself."""
        kind = self.name.removesuffix(self.base_name)
        own = [(*limit, f"{self.without}{self.base_name}") for limit in self.own_limit]
        return (*own, *((*limit[:3], f"{kind}{limit[3]}") for limit in self.base.simpler))

    @property
    def parts(self) -> tuple[str, ...]:
        """First the counts, then the zeros, as in R's pscl, and then what else there is."""
        return (self.base.parameter_names[0], *self.extra, *self.base.parameter_names[1:])

    def _own(self, theta: Theta) -> Parameters:
        """Return the base's parameters."""
        return Parameters(theta[: self.base.K])

    def _zero(self, theta: Theta) -> tuple[Array, Array, list[Array]]:
        """Return the base's probability of zero, its complement, and its score at zero."""
        own = self._own(theta)
        none = np.zeros(np.broadcast_shapes(*(np.shape(t) for t in own)))
        log_zero = self.base.log_prob(none, own)
        return np.exp(log_zero), -np.expm1(log_zero), self.base.score(none, own)

    def _start(self, y: Array, weight: Array | None) -> tuple[list[float], float, float]:
        """Return the base's start for counts whose zeros are left out of account, the share of zeros, and p0 there."""
        w = np.ones(len(y)) if weight is None else weight
        zeros, mean = float(w[y == 0].sum() / w.sum()), float(w @ y / w.sum())
        if mean == 0.0:
            raise ValueError(f"the {self.name} family needs one count above zero, but all {len(y)} are zero")
        positive = mean / (1.0 - zeros)
        rate = max(positive - 1.0, 0.1 * positive)  # between the mean of the positive counts and that less one
        own = [rate, *([0.5] * (self.base.K - 1))]
        p0 = float(np.exp(self.base.log_prob(np.zeros(1), [np.full(1, value) for value in own]))[0])
        return own, zeros, p0

    def example_parameters(self) -> Array:
        return np.array(self._examples)

    def __repr__(self) -> str:
        return self.name


class ZeroInflated(ZeroModified):
    """P(0) = pi + (1 - pi) p0, P(y) = (1 - pi) p(y) for y > 0: a share pi of the rows is zero for certain.

    Parameters are the base's and ``inflation`` pi. Source: Lambert (1992), Technometrics 34, 1-14.
    """

    extra = ("inflation",)
    own_limit = (("inflation", "low", 1e-6),)
    support = counts(0)

    def log_prob(self, y: Array, theta: Theta) -> Array:
        share, rest = theta[-1], complement(theta, self.K - 1)
        own = self.base.log_prob(y, self._own(theta))
        return np.where(y == 0, np.log(share + rest * np.exp(own)), np.log(rest) + own)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        share, rest = theta[-1], complement(theta, self.K - 1)
        own = self._own(theta)
        log_base, base = self.base.log_prob(y, own), self.base.score(y, own)
        p0 = np.exp(log_base)
        zero = share + rest * p0
        part = np.where(y == 0, rest * p0 / zero, 1.0)
        return [*(part * each for each in base), np.where(y == 0, -np.expm1(log_base) / zero, -1.0 / rest)]

    def observed(self, y: Array, theta: Theta) -> Matrix:
        # at zero, with q = rest p0 / zero the chance that the base made it: of log(share + rest p0)
        share, rest = theta[-1], complement(theta, self.K - 1)
        own = self._own(theta)
        p0, base, minus = np.exp(self.base.log_prob(y, own)), self.base.score(y, own), self.base.observed(y, own)
        zero, last = share + rest * p0, self.K - 1
        q = rest * p0 / zero
        found: Matrix = {}
        for k in range(last):
            for l in range(k, last):
                own_part = minus.get((k, l), 0.0)
                found[k, l] = np.where(y == 0, q * own_part - q * (1.0 - q) * base[k] * base[l], own_part)
            found[k, last] = np.where(y == 0, base[k] * p0 / zero**2, 0.0)
        found[last, last] = np.where(y == 0, ((1.0 - p0) / zero) ** 2, 1.0 / rest**2)
        return found

    def contains(self, theta: Theta) -> Array:
        # a share that rounds to 0 or 1, from predictors beyond 745, leaves a law: the base, or nothing but zeros
        share, rest = theta[-1], complement(theta, self.K - 1)
        return self.base.contains(self._own(theta)) & (share >= 0.0) & (rest >= 0.0)

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        share, rest = theta[-1], complement(theta, self.K - 1)
        p0, some, at_zero = self._zero(theta)
        zero, last = share + rest * p0, self.K - 1
        # E[s s'] of the base alone, its zeros replaced by those of both kinds
        found: Matrix = {pair: rest * value for pair, value in self.base.fisher(y, self._own(theta)).items()}
        for k in range(last):
            for l in range(k, last):
                moved = at_zero[k] * at_zero[l] * rest * p0 * (rest * p0 / zero - 1.0)
                found[k, l] = found.get((k, l), 0.0) + moved
            found[k, last] = at_zero[k] * p0 * (rest * some / zero + 1.0)
        # where rest underflows, so does the slope of the link, whose square it is multiplied by: their product is 0
        found[last, last] = some**2 / zero + some / np.maximum(rest, np.finfo(float).tiny)
        return found

    def start(self, y: Array, weight: Array | None) -> list[float]:
        own, zeros, p0 = self._start(y, weight)
        return [*own, float(np.clip((zeros - p0) / (1.0 - p0), 0.05, 0.95))]

    def other_starts(self, y: Array, weight: Array | None) -> list[list[float]]:
        # the base, widely spread, makes most of the zeros itself
        return [[*self.base.start(y, weight), 0.15]]

    def start_rows(self, y: Array, constants: Sequence[float]) -> list[Array] | None:
        # a constant share may be none at all where one that depends on predictors is large in some rows
        share = max(constants[-1], 0.15)
        count = np.where(y > 0.0, y, 0.5 * constants[0]) + 0.1
        rest = [np.full(len(y), value) for value in constants[1:-1]]
        return [count, *rest, np.where(y == 0.0, 1.0 - 0.5 * (1.0 - share), 0.5 * share)]

    def mean(self, theta: Theta) -> Array:
        return complement(theta, self.K - 1) * self.base.mean(self._own(theta))

    def variance(self, theta: Theta) -> Array:
        own, rest = self._own(theta), complement(theta, self.K - 1)
        mean = self.base.mean(own)
        return rest * (self.base.variance(own) + theta[-1] * mean * mean)

    def cdf(self, y: Array, theta: Theta) -> Array:
        below = self.base.cdf(y, self._own(theta))
        return np.where(y < 0, 0.0, theta[-1] + complement(theta, self.K - 1) * below)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        return np.where(rng.uniform(size=theta[-1].shape) < theta[-1], 0.0, self.base.sample(self._own(theta), rng))


class ZeroTruncated(ZeroModified):
    """P(y) = p(y) / (1 - p0) for y > 0: zeros can't be seen. Parameters are the base's, before truncation."""

    support = counts(1, remedy="leave zeros out, or use a hurdle or zero_inflated family")

    def log_prob(self, y: Array, theta: Theta) -> Array:
        return self.base.log_prob(y, theta) - np.log(self._zero(theta)[1])

    def score(self, y: Array, theta: Theta) -> list[Array]:
        p0, some, at_zero = self._zero(theta)
        return [own + p0 / some * zero for own, zero in zip(self.base.score(y, theta), at_zero, strict=True)]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        p0, some, at_zero = self._zero(theta)
        own = self.base.fisher(y, theta)
        return {
            (k, l): (own.get((k, l), 0.0) - p0 / some * at_zero[k] * at_zero[l]) / some
            for k in range(self.K)
            for l in range(k, self.K)
        }

    def observed(self, y: Array, theta: Theta) -> Matrix:
        # the base's, and the bend of log(1 - p0)
        p0, some, at_zero = self._zero(theta)
        own, zero = self.base.observed(y, theta), self.base.observed(np.zeros_like(p0), theta)
        odds = p0 / some
        return {
            (k, l): own.get((k, l), 0.0) + odds * (zero.get((k, l), 0.0) - (1.0 + odds) * at_zero[k] * at_zero[l])
            for k in range(self.K)
            for l in range(k, self.K)
        }

    def start(self, y: Array, weight: Array | None) -> list[float]:
        return self._start(y, weight)[0]

    def mean(self, theta: Theta) -> Array:
        return self.base.mean(theta) / self._zero(theta)[1]

    def variance(self, theta: Theta) -> Array:
        some, own = self._zero(theta)[1], self.base.mean(theta)
        return (self.base.variance(theta) + own * own) / some - (own / some) ** 2

    def cdf(self, y: Array, theta: Theta) -> Array:
        p0, some, _ = self._zero(theta)
        return np.maximum(self.base.cdf(y, theta) - p0, 0.0) / some

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        p0, some, _ = self._zero(theta)
        return self.base.quantile(p0 + some * rng.uniform(size=p0.shape), theta)


class Hurdle(ZeroModified):
    """P(0) = pi, P(y) = (1 - pi) p(y) / (1 - p0) for y > 0: whether there is a count, and how large it is, apart.

    Parameters are the base's and ``zero`` pi, whose scores are orthogonal. Source: Mullahy (1986), Journal of Econometrics
    33, 341-365. R's pscl models the probability of a positive count instead: its coefficients have the other sign.
    """

    extra = ("zero",)
    own_limit = (("zero", "low", 1e-9),)
    without = "zero_truncated_"
    support = counts(0)

    @functools.cached_property
    def _positive(self) -> ZeroTruncated:
        return ZeroTruncated(self.base, "", [row[:-1] for row in self._examples])

    def log_prob(self, y: Array, theta: Theta) -> Array:
        own = self._positive.log_prob(np.maximum(y, 1.0), self._own(theta))
        return np.where(y == 0, np.log(theta[-1]), np.log(complement(theta, self.K - 1)) + own)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        own = self._positive.score(np.maximum(y, 1.0), self._own(theta))
        last = np.where(y == 0, 1.0 / theta[-1], -1.0 / complement(theta, self.K - 1))
        return [*(np.where(y == 0, 0.0, each) for each in own), last]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        rest, last = complement(theta, self.K - 1), self.K - 1
        found = {pair: rest * value for pair, value in self._positive.fisher(y, self._own(theta)).items()}
        found[last, last] = 1.0 / (theta[-1] * rest)
        return found

    def observed(self, y: Array, theta: Theta) -> Matrix:
        own, last = self._positive.observed(np.maximum(y, 1.0), self._own(theta)), self.K - 1
        found = {pair: np.where(y == 0, 0.0, value) for pair, value in own.items()}
        found[last, last] = np.where(y == 0, theta[-1] ** -2.0, complement(theta, last) ** -2.0)
        return found

    def start(self, y: Array, weight: Array | None) -> list[float]:
        own, zeros, _ = self._start(y, weight)
        return [*own, float(np.clip(zeros, 0.01, 0.99))]

    def mean(self, theta: Theta) -> Array:
        return complement(theta, self.K - 1) * self._positive.mean(self._own(theta))

    def variance(self, theta: Theta) -> Array:
        rest, own = complement(theta, self.K - 1), self._own(theta)
        mean = self._positive.mean(own)
        return rest * (self._positive.variance(own) + theta[-1] * mean * mean)

    def cdf(self, y: Array, theta: Theta) -> Array:
        above = self._positive.cdf(y, self._own(theta))
        return np.where(y < 0, 0.0, theta[-1] + complement(theta, self.K - 1) * above)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        zero = rng.uniform(size=theta[-1].shape) < theta[-1]
        return np.where(zero, 0.0, self._positive.sample(self._own(theta), rng))


_POISSON = ([2.0], [0.4], [9.0])
_NEGATIVE = ([2.0, 0.5], [0.6, 1.2], [9.0, 0.2])
for _base, _name, _points in (
    (PoissonRate(), "poisson", _POISSON),
    (NegativeBinomial2(), "negative_binomial", _NEGATIVE),
):
    _with = [[*point, share] for point, share in zip(_points, (0.3, 0.1, 0.6), strict=True)]
    _short = "zip" if _name == "poisson" else "zinb"
    register(ZeroInflated(_base, f"zero_inflated_{_name}", _with), aliases=(_short,))
    register(Hurdle(_base, f"hurdle_{_name}", _with))
    register(ZeroTruncated(_base, f"zero_truncated_{_name}", _points))
