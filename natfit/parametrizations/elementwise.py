"""What the one-by-one maps (log, logit, power) share: a diagonal Jacobian."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Parametrization


class Elementwise(Parametrization):
    """Each home parameter is a function of one coordinate: theta_i = f(xi_i), so that J = diag(f'(xi))."""

    @abstractmethod
    def derivative(self, xi: Array) -> Array:
        """Return f'(xi), elementwise."""

    def jacobian(self, xi: ArrayLike) -> Array:
        return self.derivative(self._coordinates(xi))[..., None] * np.eye(self.size)
