"""Log-odds of several probabilities that sum to one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax

from natfit.parametrizations.base import Array, Parametrization, refuse_off_image


class Softmax(Parametrization):
    """Log-odds against the last of K categories: theta_i = exp(xi_i) / (1 + sum_j exp(xi_j)), i = 1 .. K-1.

    Parameters
    ----------
    names : sequence of str
        Names of the K-1 log-odds.
    complete : bool
        True: home parameters are all K probabilities (one more than coordinates). False: the first K-1, the last
        being what is left.

    Examples
    --------
    >>> Softmax(["a", "b"], complete=True).to_home([0.0, 0.0]).round(3)
    array([0.333, 0.333, 0.333])
    """

    def __init__(self, names: Sequence[str], complete: bool = False) -> None:
        names = tuple(names)
        super().__init__(names, len(names) + 1 if complete else len(names))
        self.complete = complete

    def _probabilities(self, xi: Array) -> Array:
        return softmax(np.concatenate([xi, np.zeros((*xi.shape[:-1], 1))], axis=-1), axis=-1)

    def to_home(self, xi: ArrayLike) -> Array:
        return self._probabilities(self._coordinates(xi))[..., : self.home_size]

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        total = theta.sum(axis=-1)
        good = (theta > 0).all(axis=-1)
        if self.complete:
            # sqrt of the rounding unit: probabilities copied from a table are refused, rounding is not
            good &= np.abs(total - 1.0) < np.sqrt(np.finfo(float).eps)
            refuse_off_image(repr(self), theta, good, "positive probabilities that sum to 1")
            return np.log(theta[..., :-1]) - np.log(theta[..., -1:])
        good &= total < 1
        refuse_off_image(repr(self), theta, good, "positive probabilities with sum below 1")
        return np.log(theta) - np.log1p(-total)[..., None]

    def jacobian(self, xi: ArrayLike) -> Array:
        xi = self._coordinates(xi)
        prob = self._probabilities(xi)[..., : self.home_size]
        first = prob[..., : self.size]
        return prob[..., :, None] * (np.eye(self.home_size, self.size) - first[..., None, :])
