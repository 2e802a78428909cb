"""A distributional fit made again on data drawn anew: what the bootstrap asks of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.bootstrap.methods import Bootstrap

if TYPE_CHECKING:
    from natfit.families.distributional.base import DistributionalFamily, Parameters
    from natfit.results.bootstrap.resampling import Draw

Array = np.ndarray[Any, np.dtype[Any]]


class Resampling(Bootstrap):
    """Mixed into a distributional fit: its coefficients are those of all parameters, its law has no quasi-likelihood."""

    _deletes_in_one_step = False

    if TYPE_CHECKING:
        model: Any
        family: Any

        def _parameters(self, rows: Any) -> Parameters: ...

    def _refit_changed(self) -> Callable[..., Any]:
        self.model.require_rows()
        return partial(self.model.refit, self, n_jobs=1)

    def _drawn_responses(self) -> Draw:
        family, y = self.family, self.model.data.y
        trials = y.sum(axis=1) if family.has_trials else None
        if family.class_predictors and (y.sum(axis=1) != 1.0).any():
            raise ValueError(
                "kind='parametric' draws one case for each row, and these rows count several; give a row to each case"
            )
        law = family if trials is None else family.of_trials(trials)
        return partial(_responses, law, self._parameters(self.model.new_rows()), trials)


def _responses(
    law: DistributionalFamily, theta: Parameters, trials: Array | None, rng: np.random.Generator
) -> dict[str, Array]:
    drawn = law.sample(theta, rng)
    return {"y": drawn if trials is None else np.column_stack([drawn, trials - drawn])}
