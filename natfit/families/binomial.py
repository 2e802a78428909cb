"""The binomial family: as a GLM response the proportion of successes, as an exponential family their count."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit.families._stable import poisson_gap
from natfit.families.interval import UNIT, Array
from natfit.families.registry import register
from natfit.families.response import Response, refuse, refuse_outside
from natfit.families.success_counts import SuccessCounts
from natfit.families.support import Support, counts
from natfit.families.tails import binomial_tails, count_quantile

TOGETHER, LEAST = 16, 1e-290
"""Numbers whose product is taken before its logarithm, and what the product must not fall below."""
NEAR = 1e-4
"""Complement down to which 1 less a mean keeps twelve digits."""
PERFECT = 1e-6
"""Log-likelihood a row, below 0, from which a sum of logarithms near 1 has ten digits at the least."""


class Binomial(Response, SuccessCounts):
    """Binomial response: y is the proportion of successes, mu its mean; V(mu) = mu (1 - mu), dispersion 1.

    Trials weigh a row in a fit; the normalised log-likelihood takes them as `trials` and carries the binomial
    coefficient. The complement 1 - mu comes from the link, so that a mean near 1 keeps its digits; where it is
    not given it is computed. Source: McCullagh & Nelder (1989), chapter 4.

    As an exponential family (`SuccessCounts`) an observation is the count of successes in a known number of trials,
    the same for all rows: ``Binomial(trials=10)``. A GLM does not read that number: its trials are a column.

    Parameters
    ----------
    trials : int
        Number of trials of a count, at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from natfit.families import Binomial
    >>> print(Binomial().response_log_prob(np.array([0.25]), np.array([0.5]), trials=8))
    [-2.21297293]
    """

    name = "binomial"
    mean_domain = UNIT
    dispersion = 1.0
    discrete = True
    default_link = "logit"
    canonical_link = "logit"
    attainable_limits = (0.0, 1.0)

    def __init__(self, trials: int = 1) -> None:
        if trials != int(trials) or trials < 1:
            raise ValueError(f"binomial needs a whole number of trials, at least 1; got trials={trials}.")
        self.trials = int(trials)

    @classmethod
    def examples(cls) -> tuple[Binomial, ...]:
        return (cls(), cls(trials=12))

    @property
    def support(self) -> Support:  # type: ignore[override]
        return counts(0, self.trials)

    def __repr__(self) -> str:
        return "Binomial()" if self.trials == 1 else f"Binomial(trials={self.trials})"

    def check_response(self, y: Array, name: str = "y") -> None:
        remedy = "give counts as proportions with trials=, or as two columns of successes and failures"
        rule = "must lie between 0 and 1"
        refuse_outside(y, 0.0, 1.0, True, "binomial proportions", name, rule, "outside", remedy)

    def inside(self, mu: Array, complement: Array | None = None) -> bool:
        """Whether 0 <= mu <= 1, the ends included: a mean that rounds to one is legitimate where y agrees with it.

        Where it does not, `kernel` is -inf there. At the ends the variance and the slope are both 0.
        """
        other = 1.0 - mu if complement is None else complement
        return mu.size == 0 or bool(mu.min() >= 0.0 and other.min() >= 0.0)

    def variance(self, mu: Array, complement: Array | None = None) -> Array:
        """mu (1 - mu)."""
        return mu * (1.0 - mu if complement is None else complement)

    def variance_derivative(self, mu: Array, complement: Array | None = None) -> Array:
        """1 - 2 mu."""
        return 1.0 - 2.0 * mu if complement is None else complement - mu

    def residual(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """y (1 - mu) - (1 - y) mu, which is y - mu without cancellation at y = 1; where no mean is near 1 that serves."""
        if complement is None or (complement.size and complement.min() > NEAR):
            return y - mu
        out = 1.0 - y
        out *= mu
        return np.subtract(y * complement, out, out=out)

    def anscombe(self, y: Array) -> Array:
        """The incomplete beta function B(y; 2/3, 2/3)."""
        return special.betainc(2.0 / 3.0, 2.0 / 3.0, y) * special.beta(2.0 / 3.0, 2.0 / 3.0)

    def kernel(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """y log mu + (1 - y) log(1 - mu), with 0 log 0 = 0."""
        out = np.log(mu)
        out *= y
        other = np.log1p(-mu) if complement is None else np.log(complement)
        other *= 1.0 - y
        out += other
        if np.isnan(out.sum()):  # 0 log 0, where a mean has run off to an end
            other = special.xlog1py(1.0 - y, -mu) if complement is None else special.xlogy(1.0 - y, complement)
            out = special.xlogy(y, mu) + other
        return out

    def canonical_kernel(self, y: Array, eta: Array, mu: Array) -> Array:
        """y eta - log(1 + exp(eta)), exact to the last digits in both tails."""
        out = np.abs(eta)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        gain = y * eta
        gain -= np.maximum(eta, 0.0)
        return np.subtract(gain, out, out=out)

    def canonical_total(self, y: Array, eta: Array, mu: Array, complement: Array | None = None) -> float:
        """y'eta plus the logarithms of the complements, taken of products of sixteen: a third of the time of the kernels.

        Rows of a total near 0, fitted all but perfectly, and products that underflow are left to the kernels' own digits.
        """
        if complement is not None and y.ndim == 1:
            whole = y.size - y.size % TOGETHER
            products = np.multiply.reduce(complement[:whole].reshape(TOGETHER, -1), axis=0)
            if products.size and products.min() > LEAST:
                total = float(y @ eta + np.log(products).sum() + np.log(complement[whole:]).sum())
                if total < -PERFECT * y.size:
                    return total
        return super().canonical_total(y, eta, mu, complement)

    def unit_deviance(self, y: Array, mu: Array, complement: Array | None = None) -> Array:
        """2 (y log(y / mu) + (1 - y) log((1 - y) / (1 - mu))), with 0 log 0 = 0."""
        other = np.subtract(1.0, mu) if complement is None else complement
        return 2.0 * (poisson_gap(y, mu) + poisson_gap(np.subtract(1.0, y), other))

    def response_log_prob(
        self,
        y: Array,
        mu: Array,
        dispersion: float = 1.0,
        weight: Any = 1.0,
        trials: Any = None,
        complement: Array | None = None,
    ) -> Array:
        """w log of the binomial probability of y n successes in n = `trials` (1 if not given).

        Fractional counts are allowed. The dispersion does not enter: a quasi-binomial fit reports the binomial
        likelihood.
        """
        n = np.asarray(1.0 if trials is None else trials, dtype=float)
        successes = np.multiply(y, n)
        failures = n - successes
        log_choose = special.gammaln(n + 1.0) - special.gammaln(successes + 1.0) - special.gammaln(failures + 1.0)
        log_prob = special.xlogy(successes, mu)
        if complement is None:
            log_prob += special.xlog1py(failures, np.negative(mu))
        else:
            log_prob += special.xlogy(failures, complement)
        return np.asarray(weight, dtype=float) * (log_choose + log_prob)

    def response_tails(
        self,
        y: Array,
        mu: Array,
        dispersion: float = 1.0,
        weight: Any = 1.0,
        strict: bool = False,
        trials: Any = None,
        complement: Array | None = None,
    ) -> tuple[Array, Array]:
        """Of the proportion y of `trials` (1 if not given); dispersion and weight do not enter."""
        n = np.asarray(1.0 if trials is None else trials, dtype=float)
        successes = np.multiply(y, n)
        whole = np.rint(successes)
        successes = np.where(np.abs(successes - whole) <= 1e-9 * n, whole, successes)  # y n rounds
        k = np.ceil(successes) - 1.0 if strict else np.floor(successes)
        return binomial_tails(k, n, mu, np.subtract(1.0, mu) if complement is None else complement)

    def response_quantile(
        self,
        level: Array,
        mu: Array,
        dispersion: float = 1.0,
        weight: Any = 1.0,
        trials: Any = None,
        complement: Array | None = None,
    ) -> Array:
        """The least proportion of `trials` (1 if not given) whose tail reaches the level."""
        level, mu = np.broadcast_arrays(np.asarray(level, dtype=float), np.asarray(mu, dtype=float))
        n = np.broadcast_to(np.asarray(1.0 if trials is None else trials, dtype=float), mu.shape)
        rest = np.subtract(1.0, mu) if complement is None else complement
        return count_quantile(lambda k: binomial_tails(k, n, mu, rest), level, n * mu, n) / n

    def starting_mean(self, y: Array, average: float | None = None) -> Array:
        return 0.5 * (y + 0.5)

    def sample_response(
        self,
        mu: Array,
        rng: np.random.Generator,
        dispersion: float = 1.0,
        weight: Any = 1.0,
        trials: Any = None,
    ) -> Array:
        """A proportion out of `trials` (1 if not given) per row; dispersion and weight do not enter."""
        n = np.asarray(1.0 if trials is None else trials, dtype=float)
        whole = np.rint(n).astype(np.int64)
        refuse(
            n, n != whole, "trials that successes are drawn from", "trials", "must be whole", "fractional", "round them"
        )
        return rng.binomial(whole, mu) / n


register(Binomial)
