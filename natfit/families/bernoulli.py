"""The Bernoulli distribution."""

from __future__ import annotations

import numpy as np

from natfit.families.registry import register
from natfit.families.success_counts import SuccessCounts
from natfit.families.support import counts
from natfit.parametrizations.base import Array


@register
class Bernoulli(SuccessCounts):
    """P(y=1) = p, P(y=0) = 1 - p; T = y, eta = log(p / (1-p)), A = log(1 + exp eta).

    Examples
    --------
    >>> float(Bernoulli().kl([0.5], [0.5]))
    0.0
    >>> Bernoulli().mle([0, 1, 1, 1], parametrization="log_odds").round(4)
    array([1.0986])
    """

    name = "bernoulli"
    support = counts(0, 1, remedy="code failure as 0 and success as 1")

    def log_base_measure(self, y: Array) -> Array:
        return np.zeros(y.shape)

    def expected_log_base_measure(self, theta: Array) -> Array:
        return np.zeros(theta.shape[:-1])
