"""The multinomial distribution: counts of K classes in a known number of trials."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from natfit.families.categorical_form import CategoricalForm
from natfit.families.registry import register
from natfit.families.success_counts import expected_log_factorial
from natfit.families.support import Support, count_vectors
from natfit.parametrizations.base import Array


@register
class Multinomial(CategoricalForm):
    """p(y) = n! / prod y_i! prod p_i^y_i for counts y_1 .. y_K with sum n; T = all counts but the last.

    Parameters
    ----------
    classes : int
        Number K of classes, at least 2.
    trials : int
        Known number n of trials of each observation, at least 1.

    Examples
    --------
    >>> Multinomial(classes=3, trials=4).mle([[2, 1, 1], [4, 0, 0]])
    array([0.75 , 0.125])
    """

    name = "multinomial"

    def __init__(self, classes: int, trials: int = 1) -> None:
        self._set_classes(classes)
        if trials != int(trials) or trials < 1:
            raise ValueError(f"multinomial needs a whole number of trials, at least 1, but got trials={trials}.")
        self.trials = int(trials)

    @property
    def support(self) -> Support:  # type: ignore[override]
        return count_vectors(self.classes, self.trials)

    def sufficient_statistics(self, y: Array) -> Array:
        return y[..., :-1]

    def log_base_measure(self, y: Array) -> Array:
        return gammaln(self.trials + 1.0) - gammaln(y + 1.0).sum(axis=-1)

    def expected_log_base_measure(self, theta: Array) -> Array:
        each = expected_log_factorial(self.trials, self.all_probabilities(theta))
        return gammaln(self.trials + 1.0) - each.sum(axis=-1)

    def home_sample(self, theta: Array, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        return rng.multinomial(self.trials, self.all_probabilities(theta), shape).astype(float)

    @classmethod
    def examples(cls) -> tuple[Multinomial, ...]:
        return (cls(classes=3, trials=5),)

    def __repr__(self) -> str:
        return f"Multinomial(classes={self.classes}, trials={self.trials})"
