"""What natural gradients were at the last points, and where that says the optimum is: Anderson's mixing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from natfit.optimize.objective import Point

Array = np.ndarray[Any, np.dtype[Any]]

NEARLY_DEPENDENT = 1e-10
"""Relative size under which a remembered change of the natural gradient says nothing that the others don't."""


class Remembered(NamedTuple):
    """Parameters of the last points, and the natural gradients there; the newest last."""

    params: tuple[Array, ...] = ()
    gradients: tuple[Array, ...] = ()

    def followed_by(self, point: Point, most: int) -> Remembered:
        """Return the memory with a point more, of which it keeps ``most`` besides."""
        kept = min(most, point.params.size)
        gradient = point.natural_gradient
        return Remembered((*self.params[-kept:], np.array(point.params)), (*self.gradients[-kept:], gradient))


def corrected(point: Point, memory: Remembered) -> Array | None:
    """Return the natural gradient as its changes over the last steps correct it.

    None where there is nothing to correct by, or the corrected vector does not point uphill.

    Parameters
    ----------
    point : Point
        The newest of those remembered.
    memory : Remembered

    Notes
    -----
    Of all affine combinations of the last points, the one with the shortest natural gradient, in the metric's length, is
    where that gradient is added. Anderson (1965), Journal of the ACM 12; Walker & Ni (2011), SIAM Journal on Numerical
    Analysis 49.
    """
    if len(memory.params) < 2:
        return None
    steps = np.diff(np.array(memory.params), axis=0).T
    changes = np.diff(np.array(memory.gradients), axis=0).T
    weighed = point.metric.matrix_form() @ changes
    inner = changes.T @ weighed
    length = np.sqrt(np.maximum(inner.diagonal(), 0.0))
    if not (length > 0.0).all() or not np.isfinite(length).all():
        return None
    plain = point.natural_gradient
    scaled, *_ = np.linalg.lstsq(inner / np.outer(length, length), weighed.T @ plain / length, rcond=NEARLY_DEPENDENT)
    vector = plain - (steps + changes) @ (scaled / length)
    return vector if float(point.score @ vector) > 0.0 else None
