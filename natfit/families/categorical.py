"""The categorical distribution: one of K classes."""

from __future__ import annotations

import numpy as np

from natfit.families.categorical_form import CategoricalForm
from natfit.families.registry import register
from natfit.families.support import Support, counts
from natfit.parametrizations.base import Array


@register
class Categorical(CategoricalForm):
    """P(y = i) = p_i for codes y = 0 .. K-1; T = indicators of all classes but the last.

    Parameters
    ----------
    classes : int
        Number K of classes, at least 2.

    Examples
    --------
    >>> Categorical(classes=3).mle([0, 0, 1, 2])
    array([0.5 , 0.25])
    """

    name = "categorical"

    def __init__(self, classes: int) -> None:
        self._set_classes(classes)

    @property
    def support(self) -> Support:  # type: ignore[override]
        return counts(0, self.classes - 1, remedy="code the classes from 0")

    def sufficient_statistics(self, y: Array) -> Array:
        return (y[..., None] == np.arange(self.size)).astype(float)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return (rng.random(shape)[..., None] >= np.cumsum(theta, axis=-1)).sum(axis=-1).astype(float)

    @classmethod
    def examples(cls) -> tuple[Categorical, ...]:
        return (cls(classes=2), cls(classes=4))

    def __repr__(self) -> str:
        return f"Categorical(classes={self.classes})"
