"""Bootstrapped mixtures: rows drawn again or made anew, labels matched to the fit's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from natfit.data.arrays import one_blas_thread
from natfit.data.block import Block
from natfit.results.mixtures.sampling import sample

if TYPE_CHECKING:
    from natfit.results.mixtures.inference import MixtureInference
    from natfit.results.mixtures.mixture import MixtureResults

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class MixtureBootstrap:
    """Estimates of bootstrapped rows, one row for each replicate.

    Parameters
    ----------
    estimates : DataFrame
        Columns as in ``fit.params``; NaN where a replicate has no maximum.
    params : Series
        The fit's own.
    kind : str
    """

    estimates: Any
    params: Any
    kind: str

    @property
    def n_failed(self) -> int:
        """Replicates without a maximum."""
        return int(self.estimates.isna().all(axis=1).sum())

    @property
    def bse(self) -> Any:
        """Standard deviations over the replicates, a Series."""
        return self.estimates.std(ddof=1)

    def conf_int(self, alpha: float = 0.05) -> Any:
        """Return percentile limits, a frame of two columns."""
        limits = self.estimates.quantile([alpha / 2.0, 1.0 - alpha / 2.0]).T
        limits.columns = [0, 1]
        return limits


def bootstrap(fit: MixtureInference, n_boot: int, kind: str, random_state: Any, progress: bool) -> MixtureBootstrap:
    """Return bootstrapped estimates; see `natfit.MixtureResults.bootstrap`."""
    import pandas as pd

    if kind not in ("parametric", "nonparametric"):
        raise ValueError(f"kind must be 'parametric' or 'nonparametric'; got {kind!r}")
    draw, rng = fit._drawing(kind), np.random.default_rng(random_state)
    with one_blas_thread():
        made = [_estimates(fit, draw(rng)) for _ in watched(range(int(n_boot)), progress)]
    return MixtureBootstrap(pd.DataFrame(made, columns=fit.params.index), fit.params, kind)


def drawing(fit: MixtureResults, kind: str) -> Callable[[np.random.Generator], Block]:
    """Return what makes the rows of a replicate of a mixture."""
    if fit.base.data.y is None:
        raise ValueError(
            "a bootstrap needs the rows in memory, and this fit has them from a source; fit arrays instead"
        )
    if kind == "parametric":
        check_drawable(fit)
    return partial(drawn if kind == "parametric" else resampled, fit)


def watched(rounds: Any, progress: bool) -> Any:
    """Return what to go through, with a bar where one is wanted."""
    if not progress:
        return rounds
    from tqdm.auto import tqdm

    return tqdm(rounds)


def check_drawable(fit: MixtureResults) -> None:
    """Refuse rows that count otherwise than by whole numbers: there is no telling what to draw in their place."""
    data = fit.base.data
    freq = np.ones(1) if data.freq_weights is None else data.freq_weights
    if data.weighted_likelihood:
        raise ValueError("rows with var_weights have no distribution to draw from; use kind='nonparametric'")
    if (freq != np.rint(freq)).any():
        raise ValueError("a parametric bootstrap draws each row as often as it counts, so freq_weights must be whole")


def drawn(fit: MixtureResults, rng: np.random.Generator) -> Block:
    """Return as many rows as were observed, drawn from the fitted mixture; values are missing where they were."""
    data = fit.base.data
    labels = rng.choice(fit.n_components, round(fit.nobs), p=fit._weights)
    y = sample(fit, labels, rng)
    holes = np.isnan(data.y).reshape(data.n_rows, -1)
    if holes.any():
        freq = 1 if data.freq_weights is None else data.freq_weights.astype(np.int64)
        y[np.repeat(holes, freq, axis=0)] = np.nan
    return Block({}, {"y": y[:, 0] if data.y.ndim == 1 else y})


def resampled(fit: MixtureResults, rng: np.random.Generator) -> Block:
    """Return the rows with the numbers of times that they were drawn again as weights."""
    data = fit.base.data
    freq = np.ones(data.n_rows) if data.freq_weights is None else data.freq_weights
    counts = rng.multinomial(round(float(freq.sum())), freq / freq.sum()).astype(float)
    weight = counts
    if data.weighted_likelihood:
        weight = counts * np.divide(data.weight, freq, out=np.zeros(data.n_rows), where=freq > 0.0)
    return Block({}, {"y": np.asarray(data.y), "weight": weight})


def _estimates(fit: MixtureInference, block: Block) -> Array:
    """Return the parameters shown of the maximum that is reached from the fit's own, labels matched."""
    params = fit.model.again(fit, block)
    if params is None:
        return np.full(len(fit.params), np.nan)
    if fit.components.alike:
        params = fit.likelihood.reordered(params, matching(fit, params, block))
    return fit._show(params)[0]


def matching(fit: MixtureInference, params: Array, block: Block) -> Array:
    """Return the order of components in which those of ``params`` share the most rows with the fit's."""
    first = fit.components.n_ordered
    theirs = fit.likelihood.shares(params, block).weighted[:first]
    ours = fit.likelihood.shares(fit.base.params, block).responsibility[:first]
    order = linear_sum_assignment(-(ours @ theirs.T))[1]
    return np.concatenate([order, np.arange(first, fit.n_components)])
