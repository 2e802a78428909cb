"""Bootstrapped mixtures of regressions: units drawn again or responses made anew, labels matched to the fit's."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.arrays import one_blas_thread
from natfit.data.block import Block
from natfit.data.grouped import first_rows
from natfit.results.mixtures.bootstrap import MixtureBootstrap, matching, watched
from natfit.results.mixtures.component_test import ComponentsTest

if TYPE_CHECKING:
    from natfit.results.mixtures.regression import MixtureRegressionResults

Array = np.ndarray[Any, np.dtype[Any]]


def bootstrap(
    fit: MixtureRegressionResults, n_boot: int, kind: str, random_state: Any, progress: bool
) -> MixtureBootstrap:
    """Return bootstrapped estimates; see `natfit.MixtureRegressionResults.bootstrap`."""
    import pandas as pd

    if kind not in ("parametric", "nonparametric"):
        raise ValueError(f"kind must be 'parametric' or 'nonparametric'; got {kind!r}")
    _refuse_streams(fit)
    rng = np.random.default_rng(random_state)
    whole = repeated(fit.source.whole) if kind == "parametric" else fit.source.whole
    made = []
    with one_blas_thread():
        for _ in watched(range(int(n_boot)), progress):
            block = drawn(fit, whole, rng) if kind == "parametric" else resampled(whole, rng)
            made.append(_estimates(fit, block))
    return MixtureBootstrap(pd.DataFrame(made, columns=fit.params.index), fit.params, kind)


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


def test_components(
    fit: MixtureRegressionResults, n_boot: int, n_init: int, random_state: Any, progress: bool
) -> ComponentsTest:
    """Return the test; see `natfit.MixtureRegressionResults.test_components`."""
    from natfit.results.warnings import ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning

    if not fit.components.alike:
        raise ValueError("the bootstrap test adds a component like the others; fit components of one family and link")
    _refuse_streams(fit)
    rng = np.random.default_rng(random_state)
    whole, size = repeated(fit.source.whole), fit.n_components + 1
    each_row = fit.model.repeated()
    order = each_row.rows.order
    with warnings.catch_warnings():
        for category in (ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning):
            warnings.simplefilter("ignore", category)
        larger = fit.model.changed(n_components=size).fit(n_init=n_init, random_state=rng)
        statistic = 2.0 * (larger.llf - fit.llf)
        made = []
        for _ in watched(range(int(n_boot)), progress):
            y = drawn(fit, whole, rng).columns["y"]
            if order is not None:
                y = y[np.argsort(order)]
            small = each_row.changed(y).fit(n_init=max(n_init // 2, 1), random_state=rng)
            large = each_row.changed(y, size).fit(n_init=n_init, random_state=rng)
            made.append(2.0 * max(large.llf - small.llf, 0.0))
    replicates = np.array(made)
    pvalue = (1.0 + (replicates >= statistic).sum()) / (1.0 + len(replicates))
    return ComponentsTest(statistic, float(pvalue), replicates, fit.n_components, larger)


test_components.__test__ = False  # type: ignore[attr-defined]


def _estimates(fit: MixtureRegressionResults, block: Block) -> Array:
    """Return the parameters shown of the maximum that is reached from the fit's own, labels matched."""
    params = fit.model.again(fit, block)
    if params is None:
        return np.full(len(fit.params), np.nan)
    if fit.components.alike:
        params = fit.likelihood.reordered(params, matching(fit, params, block))
    return fit._show(params)[0]
