"""Fits under linear constraints R beta = q: the free coefficients are fitted, the others follow from them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import linalg

from natfit.data.matrix import Chosen, Columns, Combined
from natfit.need import LOGLIK, METRIC, SCORE
from natfit.optimize.objective import Point
from natfit.results.constrained import ConstrainedResults, Constraints

if TYPE_CHECKING:
    from natfit.models.glm import GLM
    from natfit.results.fitted import Fitted
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]


class Solved(NamedTuple):
    """All coefficients from the free ones: beta = spread @ beta[free] + shift."""

    free: Array
    spread: Array
    shift: Array


def fit_constrained(model: GLM, constraints: Any, start_params: Any, options: dict[str, Any]) -> ConstrainedResults:
    """Return the fit of a model under constraints; see `natfit.GLM.fit_constrained`."""
    read = read_constraints(constraints, model.exog_names)
    solved = solve(read, model.exog_names)
    start = None if start_params is None else np.asarray(start_params, dtype=float)[solved.free]
    inner = _free_model(model, solved).fit(start_params=start, **options)
    return ConstrainedResults.of(model, inner, _all_coefficients(model, inner, solved), read, solved.spread)


def read_constraints(constraints: Any, names: list[str]) -> Constraints:
    """Return R and q of constraints given as text, a list of texts, a mapping, R alone, or (R, q).

    Raises
    ------
    ValueError
        If they can't be read, or R has another number of columns than there are coefficients.

    Examples
    --------
    >>> read_constraints("x1 = 2 * x2, x3 = 1", ["x1", "x2", "x3"]).coefs
    array([[ 1., -2.,  0.],
           [ 0.,  0.,  1.]])
    """
    from formulaic.errors import FormulaSyntaxError
    from formulaic.utils.constraints import LinearConstraints

    given = [constraints] if isinstance(constraints, str) else constraints
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        given = [_quoted(one, names) for one in given]
    elif not isinstance(given, tuple | dict):
        given = (np.atleast_2d(np.asarray(given, dtype=float)), 0.0)
    try:
        made = LinearConstraints.from_spec(given, variable_names=list(names))
    except (FormulaSyntaxError, KeyError, SyntaxError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"constraints are equations of the coefficients {', '.join(names)}, such as '{names[-1]} = 0', or (R, q) with "
            f"{len(names)} columns; {constraints!r} can't be read"
        ) from error
    return Constraints(
        np.asarray(made.constraint_matrix, dtype=float), np.asarray(made.constraint_values, dtype=float).ravel()
    )


def _quoted(text: str, names: list[str]) -> str:
    """Put names that are no identifiers, such as ``C(a)[T.x]:b``, in backticks."""
    odd = sorted((name for name in names if not name.isidentifier()), key=len, reverse=True)
    if "`" in text or not odd:
        return text
    return re.sub("|".join(re.escape(name) for name in odd), lambda found: f"`{found[0]}`", text)


def solve(constraints: Constraints, names: list[str]) -> Solved:
    """Solve constraints for as many coefficients as they determine; the others are free.

    Raises
    ------
    ValueError
        If the constraints contradict each other, or leave no coefficient free.
    """
    matrix, values = constraints
    _, triangle, order = linalg.qr(matrix, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    rank = int((sizes > sizes[0] * max(matrix.shape) * np.finfo(float).eps).sum()) if sizes.size else 0
    if rank == len(names):
        raise ValueError(
            f"the constraints determine all {rank} coefficients and leave nothing to fit; give fewer, or evaluate the model "
            "at them with fit(start_params=..., maxiter=0)"
        )
    bound, free = np.sort(order[:rank]), np.sort(order[rank:])
    solution = np.linalg.lstsq(matrix[:, bound], np.column_stack([values, matrix[:, free]]), rcond=None)[0]
    shift, spread = np.zeros(len(names)), np.zeros((len(names), free.size))
    shift[bound], spread[bound] = solution[:, 0], -solution[:, 1:]
    spread[np.abs(spread) < 1e-14] = 0.0  # rounding of the solution; constraints are of size 1
    spread[free] = np.eye(free.size)
    off = np.abs(matrix @ shift - values)
    if (off > 1e-8 * (1.0 + np.abs(values))).any():
        raise ValueError(
            f"the constraints contradict each other: no coefficients meet all {len(values)} of them; leave out or mend one"
        )
    return Solved(free, spread, shift)


def _free_model(model: GLM, solved: Solved) -> GLM:
    """Return the model of the free coefficients: its columns are combinations of the whole one's, none of them made."""
    data, others = model.data, np.setdiff1d(np.arange(len(solved.shift)), solved.free)
    design: Columns = (
        Combined(data.design, solved.spread) if solved.spread[others].any() else Chosen(data.design, solved.free)
    )
    offset = data.offset
    if solved.shift.any():
        moved = data.design.matvec(solved.shift)
        offset = moved if offset is None else offset + moved
    names = [data.names[j] for j in solved.free]
    reduced = replace(data, design=design, names=names, offset=offset, labels=None, frozen=None, chosen=None, terms=[])
    other = type(model).__new__(type(model))
    other._bind(reduced, model.family, model.link, model.dispersion, model.n_jobs)
    return other


def _all_coefficients(model: GLM, inner: GLMResults, solved: Solved) -> Fitted:
    """Return what the fit of the free coefficients says of all of them."""
    found = inner.fitted
    params = solved.spread @ np.where(found.kept, found.params, 0.0) + solved.shift
    kept = np.ones(params.size, dtype=bool)
    kept[solved.free] = found.kept
    likelihood = model.likelihood(inner.family)
    sums = model.source.reduce(lambda block: likelihood.evaluate(params, block, LOGLIK | SCORE | METRIC))
    lost = found.separation
    if lost is not None:
        pivots = np.zeros(params.size, dtype=bool)
        pivots[solved.free] = lost.pivots
        columns = (solved.spread[:, lost.columns] != 0.0).any(axis=1)
        lost = lost._replace(direction=solved.spread @ lost.direction, columns=columns, pivots=pivots)
    return replace(
        found,
        params=np.where(kept, params, np.nan),
        kept=kept,
        point=Point(params, sums, found.point.dispersion),
        separation=lost,
    )
