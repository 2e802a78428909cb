"""What each block of a mixture of regressions' rows is asked: functions that can be sent to where the rows lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.block import Block
from natfit.data.grouped import first_rows
from natfit.data.streams.tables import Tables

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]


def passing(fit: MixtureRegressionResults, exog: Any, known: dict[str, Any], response: bool) -> Any:
    """Return rows that stream by, the fit's own or new ones, with ``map`` over their blocks; None for rows in memory."""
    if isinstance(exog, Tables):
        return fit.model.new_stream(exog, known, response)
    return fit.source if exog is None and fit.model.rows.streamed and not known else None


def predicted(likelihood: Any, params: Array, block: Block) -> tuple[Array, Array]:
    """Return the components' means of a block's rows, NaN outside the domain, and their weights, (K, n) each."""
    own, rest = likelihood.split(params)
    components = likelihood.components
    rows = components.view(block)
    means = np.full((components.n_components, block.n_rows), np.nan)
    for k, member in enumerate(components.members):
        found = rows.predicted(k, member, rest[components.coefficients_at[k]])
        if found is not None:
            means[k] = found.mu
    prior = np.exp(likelihood.weights.log_prob(own, block)) * np.ones(rows.n_units)
    return means, of_each_row(block, prior)


def classified(likelihood: Any, params: Array, block: Block) -> tuple[Array, Array]:
    """Return log-densities (n,) and responsibilities (K, n) of a block's rows; with groups those of each row's group."""
    shares = likelihood.shares(params, block)
    return of_each_row(block, shares.loglik), of_each_row(block, shares.responsibility)


def of_each_row(block: Block, values: Array) -> Array:
    """Return values of units (..., u) as values of rows, (..., n)."""
    starts = first_rows(block)
    return values if starts is None else np.repeat(values, np.diff(np.append(starts, block.n_rows)), axis=-1)


def joined(parts: Iterable[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return both kinds of values of all blocks."""
    first, second = zip(*parts, strict=True)
    return np.concatenate(first, axis=-1), np.concatenate(second, axis=-1)
