"""The loss whose steepest descent is studied: what data say, or a distribution to be reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from natfit.diagnostics.theory.derivatives import gradient
from natfit.diagnostics.theory.place import Place
from natfit.parametrizations.base import Array

FLAT = 1e-5
"""Slope, in nats for one standard error, under which a loss counts as being at its minimum."""


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss at a place: average negative log-likelihood of data, or cross-entropy against a target distribution.

    Values are differences from the value at the place itself, in nats, so that small steps lose no digits.

    Parameters
    ----------
    place : Place
        Where steps start.
    y : (n, *event) ndarray, optional
        Data; where absent, the loss is KL(target || .).
    target : (q,) ndarray, optional
        Coordinates of the target distribution.
    """

    place: Place
    y: Array | None = None
    target: Array | None = None

    def __call__(self, xi: Array) -> Array:
        """Return the loss at coordinates (..., q) less that at the place, shape (...)."""
        points = np.asarray(xi, dtype=float)
        if self.y is None:
            base = self.place.kl(self.target, self.place.xi)  # type: ignore[arg-type]
            return np.asarray(self.place.kl(self.target, points)) - base  # type: ignore[arg-type]
        flat = np.concatenate([self.place.xi[None], points.reshape(-1, self.place.size)])
        value = np.zeros(len(flat))
        # runs of observations, so that no matrix of all rows by all points is ever held
        for rows in np.array_split(self.y, 1 + len(self.y) * len(flat) // 1_000_000):
            log_prob = self.place.log_prob(rows, flat)
            value -= (log_prob - log_prob[:, :1]).sum(axis=0)
        return (value[1:] / len(self.y)).reshape(points.shape[:-1])

    @property
    def text(self) -> str:
        """The loss in words."""
        if self.y is not None:
            return f"average negative log-likelihood of {len(self.y):,} observations"
        names = self.place.chart.names
        point = ", ".join(f"{n} = {v:.4g}" for n, v in zip(names, self.target, strict=True))  # type: ignore[arg-type]
        return f"cross-entropy against the target {point}"

    def slopes(self) -> tuple[Array, float]:
        """Return the gradient along the place's axes, V'grad L, (q,), and the size of its error."""
        return gradient(self, self.place)


def make_loss(place: Place, data: ArrayLike | None, target: ArrayLike | None) -> Loss:
    """Return the loss of data, or of a target distribution; against a neighbour where neither is given.

    Raises
    ------
    ValueError
        If both are given, there are no observations, or data lie outside the support.
    """
    if data is not None and target is not None:
        raise ValueError("A loss is made of data or of a target distribution: give one of the two.")
    if data is None:
        return Loss(place, target=place.other(target).xi)
    y = place.family.check(data, "data")
    if y.ndim != 1 + len(place.family.support.event_shape) or not len(y):
        raise ValueError(
            f"{place.family.name} needs one or more observations along the first axis, got shape {y.shape}."
        )
    return Loss(place, y=y)


def at_minimum(slopes: Array, loss: Loss) -> str:
    """Return why no direction exists where the loss is flat, and an empty string elsewhere."""
    if np.linalg.norm(slopes) > FLAT:
        return ""
    return f"the {loss.text} is at its minimum here, so there is no direction of descent; choose another point."
