"""From what each row says of its predictors to score and information over the designs' columns.

Every regression likelihood ends here: a row gives the derivative of its log-likelihood in each of its K predictors and a
K by K block of information; the designs carry them to the coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from natfit.data.matrix import Columns, cross
from natfit.metric import Gram, Metric, Triangular
from natfit.need import FACTOR

Array = np.ndarray[Any, np.dtype[Any]]
Weights = dict[tuple[int, int], Array]


def score(designs: Sequence[Columns], derivatives: Sequence[Array]) -> Array:
    """Return the gradient in the coefficients: X_k' u_k, one part after another.

    Parameters
    ----------
    designs : sequence of K designs, (n, p_k) each
    derivatives : sequence of K (n,) ndarrays
        Derivative of each row's log-likelihood in its k-th predictor.
    """
    if len(designs) == 1:
        return designs[0].rmatvec(derivatives[0])
    return np.concatenate([X.rmatvec(u) for X, u in zip(designs, derivatives, strict=True)])


def information(designs: Sequence[Columns], weights: Weights, need: int = 0) -> Metric:
    """Return the information in the coefficients: X_k' diag(w_kl) X_l.

    Parameters
    ----------
    designs : sequence of K designs
    weights : dict of (k, l), k <= l, to (n,) ndarray
        Absent pairs are zero.
    need : int
        With `natfit.need.FACTOR` the triangular factor is held, which takes one predictor and weights of one sign.
    """
    if len(designs) == 1:
        if need & FACTOR:
            return Triangular.from_rows(designs[0].weighted_rows(np.sqrt(weights[0, 0])))
        return Gram(designs[0].gram(weights[0, 0]))
    edges = np.cumsum([0] + [X.shape[1] for X in designs])
    matrix = np.zeros((edges[-1], edges[-1]))
    for (k, l), weight in weights.items():
        rows, columns = slice(edges[k], edges[k + 1]), slice(edges[l], edges[l + 1])
        if k == l:
            matrix[rows, rows] = designs[k].gram(weight)
        else:
            part = cross(designs[k], weight, designs[l])
            matrix[rows, columns], matrix[columns, rows] = part, part.T
    return Gram(matrix)
