"""Is a parametrization what it says: does it come back, and is its Jacobian its derivative?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Parametrization
from natfit.parametrizations.numerical import numerical_jacobian

ROUND_TRIP_TOLERANCE = 1e-10
"""Largest error of a round trip, in units of 1 + |xi|, where the Jacobian's condition number does not excuse more."""

JACOBIAN_TOLERANCE = 1e-6
"""Largest difference between Jacobian and numerical derivative, relative to the Jacobian's largest entry."""


@dataclass(frozen=True)
class ParametrizationReport:
    """What `check` found: the worst errors, and the coordinates at which they occur."""

    name: str
    round_trip_error: float
    round_trip_at: tuple[float, ...]
    jacobian_error: float
    jacobian_at: tuple[float, ...]

    @property
    def ok(self) -> bool:
        """True where both errors are within tolerance (an error that is not a number is not)."""
        return self.round_trip_error <= 1.0 and self.jacobian_error <= JACOBIAN_TOLERANCE

    def raise_if_wrong(self) -> None:
        """Raise a ValueError with the point and the size of the error unless all is well."""
        if not self.round_trip_error <= 1.0:
            raise ValueError(
                f"{self.name} does not come back from a round trip at ({_format(self.round_trip_at)}): "
                f"from_home(to_home(xi)) differs from xi by {self.round_trip_error:.3g} times what is allowed; "
                "correct to_home or from_home."
            )
        if not self.jacobian_error <= JACOBIAN_TOLERANCE:
            raise ValueError(
                f"The Jacobian of {self.name} is wrong at ({_format(self.jacobian_at)}): relative error "
                f"{self.jacobian_error:.3g} against numerical differentiation; correct it, or leave it out."
            )


def check(parametrization: Parametrization, points: ArrayLike) -> ParametrizationReport:
    """Check round trip and Jacobian of a parametrization at points (m, q) of its coordinates.

    The round trip's error is given in units of what is allowed: 1e-10, or 100 rounding units times the Jacobian's
    condition number where that is more, times 1 + |xi|. A Jacobian without full column rank raises
    `SingularParametrizationError`.

    Examples
    --------
    >>> from natfit.parametrizations import Log
    >>> check(Log(["log_rate"]), [[0.0], [3.0]]).ok
    True
    """
    points = np.atleast_2d(np.asarray(points, dtype=float))
    jacobian = parametrization.require_regular(points)
    home = parametrization.to_home(points)
    trip = np.abs(parametrization.from_home(home) - points).max(axis=-1) / (1.0 + np.abs(points).max(axis=-1))
    allowed = np.maximum(ROUND_TRIP_TOLERANCE, 100 * np.finfo(float).eps * np.linalg.cond(jacobian))
    numerical = numerical_jacobian(parametrization.to_home, points, parametrization.contains)
    if numerical.shape != jacobian.shape:
        raise ValueError(
            f"The Jacobian of {parametrization!r} needs shape {numerical.shape[1:]}, but has {jacobian.shape[1:]}."
        )
    error = np.abs(jacobian - numerical).max(axis=(-1, -2)) / np.abs(numerical).max(axis=(-1, -2))
    i, k = _worst(trip / allowed), _worst(error)
    at, where = tuple(points[i].tolist()), tuple(points[k].tolist())
    return ParametrizationReport(repr(parametrization), float((trip / allowed)[i]), at, float(error[k]), where)


def _worst(error: Array) -> int:
    """Index of the largest error; one that is not a number is larger than any."""
    return int(np.argmax(np.where(np.isnan(error), np.inf, error)))


def _format(point: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in point)
