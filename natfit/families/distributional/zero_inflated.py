"""Counts with more zeros than their distribution has: a share of the rows is zero for certain."""

from __future__ import annotations

import numpy as np
from scipy import special

from natfit.families.distributional.base import Array, DistributionalFamily, Matrix, Theta, complement
from natfit.families.distributional.registry import register
from natfit.families.interval import POSITIVE, UNIT
from natfit.families.support import counts


class ZeroInflatedPoisson(DistributionalFamily):
    """P(Y = 0) = pi + (1 - pi) exp(-rate), P(Y = y) = (1 - pi) Poisson(y; rate) for y > 0.

    Parameters are the Poisson's ``rate`` and ``inflation`` pi. Source: Lambert (1992), Technometrics 34, 1-14; the
    information is that of the indicator of zero and of the positive counts.
    """

    name = "zero_inflated_poisson"
    parameter_names = ("rate", "inflation")
    domains = (POSITIVE, UNIT)
    default_links = ("log", "logit")
    support = counts(0)
    information = "closed form"

    def log_prob(self, y: Array, theta: Theta) -> Array:
        rate, share, rest = theta[0], theta[1], complement(theta, 1)
        positive = np.log(rest) - rate + special.xlogy(y, rate) - special.gammaln(y + 1.0)
        return np.where(y == 0, np.log(share + rest * np.exp(-rate)), positive)

    def score(self, y: Array, theta: Theta) -> list[Array]:
        rate, share, rest = theta[0], theta[1], complement(theta, 1)
        poisson = np.exp(-rate)
        zero = share + rest * poisson
        return [
            np.where(y == 0, -rest * poisson / zero, y / rate - 1.0),
            np.where(y == 0, -np.expm1(-rate) / zero, -1.0 / rest),
        ]

    def fisher(self, y: Array, theta: Theta) -> Matrix:
        # E[s s'] with p0 = P(0): the derivatives of p0 over p0, and the positive part's own information
        rate, share, rest = theta[0], theta[1], complement(theta, 1)
        poisson, some = np.exp(-rate), -np.expm1(-rate)
        zero = share + rest * poisson
        # sum over y > 0 of (y / rate - 1)^2 Poisson(y) = 1 / rate - exp(-rate)
        return {
            (0, 0): (rest * poisson) ** 2 / zero + rest * (1.0 / rate - poisson),
            # and of (y / rate - 1) Poisson(y) = exp(-rate)
            (0, 1): -rest * poisson * some / zero - poisson,
            (1, 1): some**2 / zero + some / rest,
        }

    def start(self, y: Array, weight: Array | None) -> list[float]:
        w = np.ones(len(y)) if weight is None else weight
        zeros, mean = float(w[y == 0].sum() / w.sum()), float(w @ y / w.sum())
        if mean == 0.0:
            raise ValueError(
                f"the {self.name} family needs one count above zero, but all {len(y)} are zero; leave it out"
            )
        positive = mean / max(1.0 - zeros, 1e-300)
        rate = max(positive - 1.0, 0.1 * positive)  # between the mean of the positive counts and that less one
        share = (zeros - np.exp(-rate)) / -np.expm1(-rate)
        return [rate, float(np.clip(share, 0.05, 0.95))]

    def mean(self, theta: Theta) -> Array:
        return complement(theta, 1) * theta[0]

    def variance(self, theta: Theta) -> Array:
        return complement(theta, 1) * theta[0] * (1.0 + theta[1] * theta[0])

    def cdf(self, y: Array, theta: Theta) -> Array:
        below = special.pdtr(np.floor(np.maximum(y, 0.0)), theta[0])
        return np.where(y < 0, 0.0, theta[1] + complement(theta, 1) * below)

    def sample(self, theta: Theta, rng: np.random.Generator) -> Array:
        return np.where(rng.uniform(size=theta[0].shape) < theta[1], 0.0, rng.poisson(theta[0]))

    def example_parameters(self) -> Array:
        return np.array([[2.0, 0.3], [0.4, 0.1], [9.0, 0.6]])


register(ZeroInflatedPoisson, aliases=("zip",))
