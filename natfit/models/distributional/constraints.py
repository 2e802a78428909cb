"""Linear constraints on the coefficients of a distributional regression: ties, values held, parallel terms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from natfit.data.checks import did_you_mean
from natfit.families.distributional.base import DistributionalFamily
from natfit.likelihoods.layout import Layout
from natfit.models.distributional.data import DistributionalData
from natfit.parametrizations.affine import Affine

Array = np.ndarray[Any, np.dtype[Any]]

ROUNDING = 1e-12
"""Share of the largest entry under which an entry of reduced constraints counts as zero."""


class Constraints(NamedTuple):
    """The map from free coordinates to all coefficients, and what was asked, in words."""

    tie: Affine
    notes: list[str]


def resolve_constraints(
    given: Any, layout: Layout, family: DistributionalFamily, data: DistributionalData
) -> Constraints:
    """Return the map from the free coordinates to the coefficients.

    Parameters
    ----------
    given : str, sequence of str, (p, q) array_like or None
    layout : Layout
        Of all p coefficients.
    family : DistributionalFamily
        One of classes has constraints of its own: parallel terms.
    data : DistributionalData

    Raises
    ------
    ValueError
        For a matrix of the wrong shape, a name that is no coefficient's, or constraints that contradict each other.
    """
    size = layout.size
    own = family.constraints(layout, data.names) if given is None else None
    if own is not None:
        return Constraints(Affine(own[0], names=own[1]), [])
    if given is None:
        return Constraints(Affine(np.eye(size), names=layout.names), [])
    if isinstance(given, str) or (isinstance(given, Sequence) and all(isinstance(each, str) for each in given)):
        texts = [given] if isinstance(given, str) else list(given)
        left, right = _parse(texts, layout)
        matrix, offset = _free_form(left, right, texts)
        return Constraints(
            Affine(matrix, offset, names=_names(matrix, offset, layout)), [f"Constraint: {t}." for t in texts]
        )
    matrix = np.asarray(given, dtype=float)
    if matrix.ndim != 2 or matrix.shape[0] != size or not 0 < matrix.shape[1] <= size:
        raise ValueError(
            f"a constraint matrix must have one row for each of the {size} coefficients ({', '.join(layout.names[:6])}"
            f"{', ...' if size > 6 else ''}) and at most as many columns, but has shape {matrix.shape}"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("a constraint matrix must be of finite numbers, and holds NaN or infinity; mend its entries")
    if (rank := int(np.linalg.matrix_rank(matrix))) < matrix.shape[1]:
        raise ValueError(
            f"a constraint matrix must have independent columns, one for each free coefficient, but of its "
            f"{matrix.shape[1]} only {rank} are; drop the others"
        )
    return Constraints(Affine(matrix, names=_names(matrix, np.zeros(size), layout)), ["Coefficients are constrained."])


def _parse(texts: list[str], layout: Layout) -> tuple[Array, Array]:
    """Return R and r of the constraints R beta = r."""
    from patsy import DesignInfo, PatsyError

    coefficients, rows, values = DesignInfo(layout.names), [], []
    for text in texts:
        try:
            made = coefficients.linear_constraint(text)
        except PatsyError as error:
            at = text[error.origin.start :] if error.origin else text
            near = did_you_mean(re.split(r"[\s=+*/,]", at)[0], layout.names)
            raise ValueError(
                f"can't read the constraint {text!r} from {at!r} on ({error.message}){near}; write one such as "
                f"'{layout.names[0]} = {layout.names[-1]}', of the coefficients {', '.join(layout.names)}"
            ) from None
        rows.append(made.coefs)
        values.append(made.constants.ravel())
    return np.vstack(rows), np.concatenate(values)


def _free_form(left: Array, right: Array, texts: list[str]) -> tuple[Array, Array]:
    """Solve R beta = r for the coefficients that can be expressed by the others: beta = A xi + b."""
    rows = np.column_stack([left, right])
    size, pivots = left.shape[1], list[int]()
    for column in reversed(range(size)):  # the later coefficient is expressed by the earlier ones
        done = len(pivots)
        if done == len(rows):
            break
        best = done + int(np.abs(rows[done:, column]).argmax())
        if np.abs(rows[best, column]) <= ROUNDING * max(np.abs(left).max(), 1.0):
            continue
        rows[[done, best]] = rows[[best, done]]
        rows[done] /= rows[done, column]
        for other in range(len(rows)):
            if other != done:
                rows[other] -= rows[other, column] * rows[done]
        pivots.append(column)
    if np.abs(rows[len(pivots) :, -1]).max(initial=0.0) > ROUNDING * max(np.abs(right).max(), 1.0):
        raise ValueError(f"the constraints {'; '.join(texts)} contradict each other; leave one out")
    free = [j for j in range(size) if j not in pivots]
    if not free:
        raise ValueError(f"the constraints {'; '.join(texts)} leave no coefficient free; leave one out")
    matrix, offset = np.zeros((size, len(free))), np.zeros(size)
    matrix[free, np.arange(len(free))] = 1.0
    for row, column in enumerate(pivots):
        matrix[column], offset[column] = -rows[row, free], rows[row, -1]
    return matrix, offset


def _names(matrix: Array, offset: Array, layout: Layout) -> list[str]:
    """Name each free coordinate after the coefficients that are equal to it."""
    found = []
    for j, column in enumerate(matrix.T):
        alone = (np.count_nonzero(matrix, axis=1) == 1) & (column == 1.0) & (offset == 0.0)
        same = [layout.names[i] for i in np.flatnonzero(alone)]
        found.append(" = ".join(same) if same else f"xi{j}")
    return found
