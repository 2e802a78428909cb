"""Log-odds of probabilities."""

from __future__ import annotations

from numpy.typing import ArrayLike
from scipy.special import expit, logit

from natfit.parametrizations.base import Array, refuse_off_image
from natfit.parametrizations.elementwise import Elementwise


class Logit(Elementwise):
    """Log-odds as coordinates of probabilities: theta = 1 / (1 + exp(-xi)).

    Examples
    --------
    >>> Logit(["log_odds"]).to_home([0.0])
    array([0.5])
    """

    def to_home(self, xi: ArrayLike) -> Array:
        return expit(self._coordinates(xi))

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        refuse_off_image(repr(self), theta, ((theta > 0) & (theta < 1)).all(axis=-1), "home parameters between 0 and 1")
        return logit(theta)

    def derivative(self, xi: Array) -> Array:
        return expit(xi) * expit(-xi)
