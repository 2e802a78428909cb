"""The likelihood of a mixture of regressions."""

from __future__ import annotations

from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.likelihoods.mixtures.concomitant import ConcomitantWeights
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.likelihoods.mixtures.regression_components import RegressionComponents

Array = np.ndarray[Any, np.dtype[Any]]


class MixtureRegressionLikelihood(MixtureLikelihood):
    """A mixture of regressions; the rows of a group share one label.

    Parameters
    ----------
    components : RegressionComponents
    weights : ConstantWeights or ConcomitantWeights
    """

    components: RegressionComponents

    def unit_weight(self, block: Block) -> Array | None:
        # The frequency of a row within a group has entered its log-density; the group counts once.
        return None if "group" in block.columns else block.columns.get("freq_weights")

    def complete(self, params: Array, sums: Any, step: float = 1.0) -> Array:
        """Return the parameters at ``step`` along the straight line to the end of a step of (generalised) EM."""
        own, rest = self.split(params)
        ahead = np.concatenate(
            [
                self.weights.maximize(sums["complete_weights"], own),
                self.components.maximize(sums["complete"], rest),
            ]
        )
        return ahead if step == 1.0 else params + step * (ahead - params)

    def reordered(self, params: Array, order: Array) -> Array:
        own, rest = self.split(params)
        if isinstance(self.weights, ConcomitantWeights):
            changed = self.weights.reordered(own, order)
        else:
            logs = np.concatenate([own, [0.0]])[order]
            changed = logs[:-1] - logs[-1]
        return np.concatenate([changed, self.components.reordered(rest, order)])

    def sizes(self, params: Array, sums: Any) -> Array:
        """Return the sums of responsibilities over rows, (K,), from a point's sums."""
        return self.components.cut(sums["complete"])[2]
