"""Bootstrapped mixtures of regressions: units drawn again or responses made anew, labels matched to the fit's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.block import Block
from natfit.data.grouped import first_rows

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]


def drawing(fit: MixtureRegressionResults, kind: str) -> Callable[[np.random.Generator], Block]:
    """Return what makes the rows of a replicate of a mixture of regressions."""
    _refuse_streams(fit)
    whole = fit.source.whole
    return partial(drawn, fit, repeated(whole)) if kind == "parametric" else partial(resampled, whole)


def _refuse_streams(fit: MixtureRegressionResults) -> None:
    if fit.model.rows.streamed:
        raise ValueError(
            "a bootstrap draws rows or responses again, and rows that stream by can't be; fit a table in memory"
        )


def repeated(block: Block) -> Block:
    """Return rows repeated as often as their frequencies say.

    Raises
    ------
    ValueError
        If frequencies are not whole numbers.
    """
    freq = block.columns.get("freq_weights")
    if freq is None:
        return block
    if (freq != np.rint(freq)).any():
        raise ValueError("a parametric bootstrap draws each row as often as it counts, so freq_weights must be whole")
    columns = {name: column for name, column in block.columns.items() if name != "freq_weights"}
    return Block(block.designs, columns).take(np.repeat(np.arange(block.n_rows), freq.astype(np.int64)))


def resampled(block: Block, rng: np.random.Generator) -> Block:
    """Return units drawn again: rows with the numbers of times as frequencies, or whole groups."""
    starts, freq = first_rows(block), block.columns.get("freq_weights")
    if starts is None:
        chance = np.ones(block.n_rows) if freq is None else freq
        counts = rng.multinomial(round(float(chance.sum())), chance / chance.sum()).astype(float)
        return Block(block.designs, {**block.columns, "freq_weights": counts})
    edges = np.append(starts, block.n_rows)
    chosen = rng.integers(starts.size, size=starts.size)
    rows = block.take(np.concatenate([np.arange(edges[g], edges[g + 1]) for g in chosen]))
    codes = np.repeat(np.arange(starts.size), np.diff(edges)[chosen])
    return Block(rows.designs, {**rows.columns, "group": codes})


def drawn(fit: MixtureRegressionResults, block: Block, rng: np.random.Generator) -> Block:
    """Return the rows with labels and responses drawn from the fitted mixture."""
    own, rest = fit.likelihood.split(fit.base.params)
    rows, components = fit.components.view(block), fit.components
    prior = np.exp(fit.likelihood.weights.log_prob(own, block)) * np.ones(rows.n_units)
    unit = np.minimum((np.cumsum(prior, axis=0) < rng.random(rows.n_units)).sum(axis=0), fit.n_components - 1)
    starts = first_rows(block)
    labels = unit if starts is None else np.repeat(unit, np.diff(np.append(starts, block.n_rows)))
    made = np.empty(block.n_rows)
    for k, member in enumerate(components.members):
        at = labels == k
        mu = rows.predicted(k, member, rest[components.coefficients_at[k]]).mu[at]
        options = {"weight": block.columns["var_weights"][at]} if "var_weights" in block.columns else {}
        if "trials" in block.columns:
            options["trials"] = block.columns["trials"][at]
        made[at] = member.family.sample_response(mu, rng, dispersion=components.dispersion(rest, k), **options)
    return Block(block.designs, {**block.columns, "y": made})


def enlarged(
    fit: MixtureRegressionResults, n_init: int, rng: np.random.Generator
) -> tuple[MixtureRegressionResults, Callable[[], tuple[Any, Any]]]:
    """Return the fit of one regression more, and what fits responses drawn from this mixture by both."""
    if not fit.components.alike:
        raise ValueError("the bootstrap test adds a component like the others; fit components of one family and link")
    _refuse_streams(fit)
    whole, size = repeated(fit.source.whole), fit.n_components + 1
    each_row = fit.model.repeated()
    order = each_row.rows.order
    larger = fit.model.changed(n_components=size).fit(n_init=n_init, random_state=rng)

    def drawn_fits() -> tuple[Any, Any]:
        y = drawn(fit, whole, rng).columns["y"]
        if order is not None:
            y = y[np.argsort(order)]
        small = each_row.changed(y).attempt(n_init=max(n_init // 2, 1), random_state=rng)
        return small, each_row.changed(y, size).attempt(n_init=n_init, random_state=rng)

    return larger, drawn_fits
