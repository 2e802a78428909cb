"""What a mixture of regressions is set up from: arguments read and checked, rows for starts, a single regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.checks import did_you_mean
from natfit.data.grouped import GroupedSource, first_rows
from natfit.likelihoods.glm import GLMLikelihood
from natfit.likelihoods.mixtures.regression import MixtureRegressionLikelihood
from natfit.likelihoods.mixtures.regression_components import RegressionComponents
from natfit.models.mixtures import regression_data as rows_of
from natfit.models.mixtures.fitting import MixtureObjective
from natfit.models.mixtures.regression_fitting import climb
from natfit.models.mixtures.regression_starts import from_shares
from natfit.models.starting import explain_alias, first_pass

Array = np.ndarray[Any, np.dtype[Any]]

EXTRAS = ("offset", "exposure", "freq_weights", "var_weights", "trials")


def check_known(known: Mapping[str, Any]) -> None:
    """Refuse arguments that there are none of."""
    for name in known:
        if name not in EXTRAS:
            raise TypeError(f"MixtureRegression got an unexpected argument {name!r}{did_you_mean(name, EXTRAS)}")


def check_dispersion(given: float | str) -> float | str:
    """Return how the dispersion is to be had, or refuse."""
    if isinstance(given, str) and given not in ("free", "shared"):
        raise ValueError(f"dispersion must be 'free', 'shared' or a number greater than 0; got {given!r}")
    if not isinstance(given, str) and not float(given) > 0.0:
        raise ValueError(f"a known dispersion must be greater than 0; got {given}")
    return given


def check_comparable(families: Sequence[Any]) -> None:
    """Refuse components of which some give probabilities and some densities: their ratio would hang on the units."""
    counts = [family.name for family in families if family.discrete]
    others = [family.name for family in families if not family.discrete]
    if counts and others:
        raise ValueError(
            f"components must be comparable row by row, but {counts[0]} gives probabilities and {others[0]} densities; "
            "choose families of one kind"
        )


def each_component(given: Any, n_components: int, what: str) -> list[Any]:
    """Return one entry for each component: the same for all, or those of a sequence.

    Examples
    --------
    >>> each_component("poisson", 2, "family"), each_component(["poisson", "gamma"], 2, "family")
    (['poisson', 'poisson'], ['poisson', 'gamma'])
    """
    if not isinstance(given, list | tuple):
        return [given] * int(n_components)
    if len(given) != n_components:
        raise ValueError(f"{what} names {len(given)} components and n_components is {n_components}; both must agree")
    return list(given)


def shared_columns(shared: Sequence[str], data: Any) -> Array:
    """Return which columns of the design have one coefficient for all components, (p,) bool.

    Raises
    ------
    ValueError
        For a name that is neither a column's nor a term's.
    """
    chosen = np.zeros(len(data.names), dtype=bool)
    terms = {str(name): at for name, at in data.terms}
    for name in [shared] if isinstance(shared, str) else shared:
        if name in data.names:
            chosen[data.names.index(name)] = True
        elif name in terms:
            chosen[terms[name]] = True
        else:
            known = list(dict.fromkeys([*data.names, *terms]))
            raise ValueError(
                f"shared names {name!r}, which is no column or term; there are {', '.join(known)}"
                f"{did_you_mean(name, known)}"
            )
    return chosen


def sample(source: Any, most: int, rng: np.random.Generator) -> Block:
    """Return a random sample of rows, whole groups of them, as one block; all of them where there are no more.

    Of rows that stream by it is one of the rows in memory, which are spread over all tables.
    """
    whole: Block = getattr(source, "whole", None) or source.scouts
    if whole.n_rows <= most:
        return whole
    starts = first_rows(whole)
    if starts is None:
        return whole.take(np.sort(rng.choice(whole.n_rows, most, replace=False)))
    edges = np.append(starts, whole.n_rows)
    drawn = rng.permutation(starts.size)
    drawn = np.sort(drawn[: max(int(np.searchsorted(np.cumsum(np.diff(edges)[drawn]), most)), 1)])
    return whole.take(np.concatenate([np.arange(edges[g], edges[g + 1]) for g in drawn]))


def source_of(block: Block) -> Any:
    """Return a block as a source that splits no group."""
    height = rows_of.BLOCK_ROWS
    return GroupedSource(block, None, height) if "group" in block.columns else ArraySource(block, None, height)


def given_start(start_params: Any, likelihood: MixtureRegressionLikelihood) -> Array:
    """Return a user's start, checked for its length."""
    start = np.asarray(start_params, dtype=float)
    if start.shape != (likelihood.layout.size,):
        raise ValueError(
            f"start_params needs {likelihood.layout.size} numbers ({', '.join(likelihood.layout.names)}); it has shape "
            f"{start.shape}"
        )
    return start


def independent(members: Sequence[GLMLikelihood], data: Any, source: Source) -> tuple[Array, list[str]]:
    """Return which columns of the mean are no combinations of earlier ones, (p,) bool, and what the others are.

    Raises
    ------
    ValueError
        If the columns that the weights depend on are linearly dependent.
    """
    if data.concomitant is not None:
        check_weights_rank(data)
    start = first_pass(members[0], source, data.glm.mean())
    said = []
    for at in np.flatnonzero(start.aliased).tolist():
        assert start.factor is not None
        said.append(explain_alias(start.factor, at, start.aliased, tuple(data.glm.names)))
    return ~start.aliased, said


def check_weights_rank(data: Any) -> None:
    """Refuse columns that the weights depend on where they depend on one another."""
    if not data.streamed:  # of rows that stream by, infinite ones have been refused already
        rows_of.check_columns(data, data.concomitant.names)
    square = data.concomitant.design.gram(np.ones(data.glm.n_rows))
    scale = 1.0 / np.sqrt(np.maximum(square.diagonal(), np.finfo(float).tiny))
    if np.linalg.eigvalsh(square * scale * scale[:, None])[0] <= 1e-12 * len(square):
        names = ", ".join(map(repr, data.concomitant.names))
        raise ValueError(f"the columns that weights depend on must be linearly independent, and {names} are not")


def check_enough(source: Source, likelihood: MixtureRegressionLikelihood) -> None:
    """Refuse fewer distinct rows than parameters."""
    needed, distinct = likelihood.layout.size, source.n_rows
    if distinct < 50 * needed:
        distinct = len(np.unique(np.concatenate(list(source.map(_distinguishing))), axis=0))
    if distinct <= needed:
        raise ValueError(
            f"{likelihood.components.n_components} components with {needed} parameters need more distinct rows than that, "
            f"but there are {distinct}; use fewer components"
        )


def _distinguishing(block: Block) -> Array:
    return np.column_stack([block.columns["y"], block.designs["mean"].dense()])


def single_dispersion(components: RegressionComponents, source: Source, block: Block) -> Array:
    """Return the dispersion of a single regression, which the constraint compares with, (1,); 1 where it needs none.

    Parameters
    ----------
    components : RegressionComponents
        The first of them that has a dispersion of its own is fitted to all rows.
    source : Source
    block : Block
        Some of the rows, to start from.
    """
    if components.bounded:
        return np.ones(1)
    member = components.members[int(np.argmax(components.dispersion_at >= 0))]
    single = MixtureRegressionLikelihood(RegressionComponents([member], components.columns))
    rows = single.components.view(block)
    start = from_shares(single, rows, np.ones((1, rows.n_units)))
    outcome = climb(MixtureObjective(single, source), start, 1e-6, 100)
    return single.components.spreads(outcome.params)[0]
