"""Quantile residuals from distribution functions, for what is no GLM: single distributions and mixtures."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from natfit import families
from natfit.families.distributional.reused import Reused
from natfit.families.multivariate_normal import MultivariateNormal

Array = np.ndarray[Any, np.dtype[Any]]
Tails = tuple[Array, Array]

MOST = 50_000
"""Observations that a table of frequencies is written out to for a figure; of more, a row counts once."""


def tails_of(family: Any, y: Array, home: Array) -> Tails:
    """Return P(Y < y) and P(Y <= y), (n,), of a family at one value of its home parameters."""
    if isinstance(family, MultivariateNormal):  # of one column: its home parameters are mean and variance
        family = families.get("gaussian")
    law = Reused.of(family, family.home)
    theta = [np.full(len(y), value) for value in home]
    with np.errstate(all="ignore"):
        upto = law.cdf(y, theta)
        mass = np.exp(law.log_prob(y, theta)) if family.support.discrete else 0.0
    return np.maximum(upto - mass, 0.0), upto


def normal_quantiles(tails: Tails, random_state: Any) -> Array:
    """Return normal quantiles of uniform draws between P(Y < y) and P(Y <= y), (n,)."""
    below, upto = tails
    share = np.random.default_rng(random_state).uniform(size=len(below))
    return np.asarray(special.ndtri(below + share * (upto - below)))


def written_out(tails: Tails, weight: Array | None) -> Tails:
    """Return tails with a row for each observation, where frequencies are whole and not too many."""
    if weight is None or (weight != np.round(weight)).any() or weight.sum() > MOST:
        return tails
    each = weight.astype(np.int64)
    return np.repeat(tails[0], each), np.repeat(tails[1], each)
