"""Natural and mean parameters as coordinates of an exponential family, and the way from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask, Parametrization, refuse_off_image

if TYPE_CHECKING:
    from natfit.families.base import ExponentialFamily

MAX_NEWTON_STEPS = 100


class NaturalCoordinates(Parametrization):
    """Natural parameters eta as coordinates; d theta / d eta is the inverse of the family's ``natural_jacobian``."""

    def __init__(self, family: ExponentialFamily) -> None:
        super().__init__(family.natural_names)
        self.family = family

    def to_home(self, xi: ArrayLike) -> Array:
        return self.family.home_from_natural(self._coordinates(xi))

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        refuse_off_image(repr(self), theta, self.family.contains(theta), f"parameters of {self.family.name}")
        return self.family.natural_from_home(theta)

    def jacobian(self, xi: ArrayLike) -> Array:
        return np.linalg.inv(self.family.natural_jacobian(self.to_home(xi)))

    def contains(self, xi: ArrayLike) -> Mask:
        return self.family.contains_natural(self._coordinates(xi))


class MeanCoordinates(Parametrization):
    """Mean parameters E[T] as coordinates; d theta / d m is the inverse of the family's ``mean_jacobian``."""

    def __init__(self, family: ExponentialFamily) -> None:
        super().__init__(family.mean_names)
        self.family = family

    def to_home(self, xi: ArrayLike) -> Array:
        return self.family.home_from_mean(self._coordinates(xi))

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        refuse_off_image(repr(self), theta, self.family.contains(theta), f"parameters of {self.family.name}")
        return self.family.mean_from_natural(self.family.natural_from_home(theta))

    def jacobian(self, xi: ArrayLike) -> Array:
        return np.linalg.inv(self.family.mean_jacobian(self.to_home(xi)))

    def contains(self, xi: ArrayLike) -> Mask:
        xi = self._coordinates(xi)
        with np.errstate(all="ignore"):
            return np.isfinite(xi).all(axis=-1) & self.family.contains_mean(xi)


def solve_natural(family: ExponentialFamily, m: Array) -> Array:
    """Solve mean_from_natural(eta) = m, by Newton's method on the concave function eta'm - A(eta), shape (..., k).

    Starts at the family's first example; a step is halved until it stays in the domain and the function does not fall.
    For families without a closed form or a solver of their own.

    Raises
    ------
    ArithmeticError
        If the steps don't settle: m is then outside the mean domain, or next to its boundary.
    """
    m = np.asarray(m, dtype=float)
    start = family.natural_from_home(family.example_parameters()[0])
    flat = m.reshape(-1, m.shape[-1])
    return np.array([_solve_one(family, row, start) for row in flat]).reshape(m.shape)


def _solve_one(family: ExponentialFamily, m: Array, eta: Array) -> Array:
    value = eta @ m - family.log_partition(eta)
    for _ in range(MAX_NEWTON_STEPS):
        gradient = m - family.mean_from_natural(eta)
        step = np.linalg.solve(family.fisher_natural(eta), gradient)
        decrement = float(gradient @ step)
        scale = 1.0
        # half the decrement is the gain expected; below rounding of the value itself full steps are taken unseen
        small = decrement < 1e-8 * (1.0 + abs(value))
        while not _improves(family, m, eta + scale * step, value, small):
            scale *= 0.5
            if scale < 1e-12:
                raise ArithmeticError(
                    f"{family.name}: no natural parameters found for mean parameters {m}: outside the mean domain."
                )
        eta = eta + scale * step
        value = eta @ m - family.log_partition(eta)
        if np.all(np.abs(step) <= 1e-14 * np.abs(eta)) or decrement < 1e-28:
            break
    # Steps also settle where parameters run off to infinity, so what counts is that the means come back.
    if np.allclose(family.mean_from_natural(eta), m, rtol=1e-8, atol=1e-10):
        return eta
    raise ArithmeticError(
        f"{family.name}: no natural parameters found for mean parameters {m} in {MAX_NEWTON_STEPS} steps: outside the "
        "mean domain, or next to its boundary."
    )


def _improves(family: ExponentialFamily, m: Array, eta: Array, value: Array, small: Mask) -> bool:
    if not bool(family.contains_natural(eta)):
        return False
    return bool(small) or bool(eta @ m - family.log_partition(eta) >= value)
