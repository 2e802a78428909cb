"""Parametrizations side by side, each for its own part of the home parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array, Mask, Parametrization


class Product(Parametrization):
    """Parts of the home parameters, in order, each with a parametrization of its own; J is block diagonal.

    Examples
    --------
    >>> from natfit.parametrizations import Identity, Log
    >>> Product(Identity(["mean"]), Log(["log_variance"])).to_home([2.0, 0.0])
    array([2., 1.])
    """

    def __init__(self, *parts: Parametrization) -> None:
        super().__init__([name for part in parts for name in part.names], sum(part.home_size for part in parts))
        self.parts = parts

    def _split(self, values: Array, sizes: list[int]) -> list[Array]:
        return np.split(values, np.cumsum(sizes)[:-1], axis=-1)

    def _split_coordinates(self, xi: ArrayLike) -> list[Array]:
        return self._split(self._coordinates(xi), [part.size for part in self.parts])

    def to_home(self, xi: ArrayLike) -> Array:
        pieces = self._split_coordinates(xi)
        return np.concatenate([part.to_home(x) for part, x in zip(self.parts, pieces, strict=True)], axis=-1)

    def from_home(self, theta: ArrayLike) -> Array:
        pieces = self._split(self._home(theta), [part.home_size for part in self.parts])
        return np.concatenate([part.from_home(t) for part, t in zip(self.parts, pieces, strict=True)], axis=-1)

    def jacobian(self, xi: ArrayLike) -> Array:
        pieces = self._split_coordinates(xi)
        out = np.zeros((*pieces[0].shape[:-1], self.home_size, self.size))
        row = column = 0
        for part, x in zip(self.parts, pieces, strict=True):
            out[..., row : row + part.home_size, column : column + part.size] = part.jacobian(x)
            row, column = row + part.home_size, column + part.size
        return out

    def pull_score(self, xi: ArrayLike, score: ArrayLike) -> Array:
        pieces = self._split_coordinates(xi)
        scores = self._split(self._home(score), [part.home_size for part in self.parts])
        pulled = [part.pull_score(x, own) for part, x, own in zip(self.parts, pieces, scores, strict=True)]
        batch = np.broadcast_shapes(*(each.shape[:-1] for each in pulled))
        return np.concatenate([np.broadcast_to(each, (*batch, each.shape[-1])) for each in pulled], axis=-1)

    def contains(self, xi: ArrayLike) -> Mask:
        pieces = self._split_coordinates(xi)
        return np.all([part.contains(x) for part, x in zip(self.parts, pieces, strict=True)], axis=0)
