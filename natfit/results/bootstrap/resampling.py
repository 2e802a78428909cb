"""What each replicate of a bootstrap is fitted to: rows, whole clusters, or new responses drawn by the fitted model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import where
from natfit.data.groups import Grouping, labels_of, read_grouping, table_of

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]
Draw = Callable[[np.random.Generator], dict[str, Array]]
"""From a generator to what `natfit.models.refit.refit` is to change: ``freq_weights`` or ``y``."""

KINDS = ("case", "parametric", "cluster")


def make_draw(fit: GLMResults, kind: str, grouping: Grouping | None) -> Draw:
    """Return what draws a replicate's data; no row of the design is copied.

    Raises
    ------
    ValueError
        Where the fit has weights, or a variance, that the kind has no meaning for.
    """
    data = fit.model.data
    if kind == "parametric":
        check_single(data.freq_weights)
        return fit._drawn_responses()
    if grouping is not None:
        return partial(_whole_groups, grouping, data.freq_weights)
    freq = data.freq_weights
    if freq is not None and (freq != np.rint(freq)).any():
        raise ValueError(
            f"a bootstrap draws observations, so freq_weights must be whole numbers, and are not in "
            f"{where(freq != np.rint(freq))}; give sampling weights as var_weights"
        )
    return partial(_cases, data.n_rows) if freq is None else partial(_cases_among, freq)


def read_units(fit: GLMResults, kind: str, groups: Any) -> Grouping | None:
    """Return the groups that are drawn whole, or None for single rows.

    Raises
    ------
    ValueError
        For an unknown kind, groups where none are drawn, no groups where they are, one group alone.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be 'case', 'parametric' or 'cluster', got {kind!r}")
    if kind != "cluster":
        if groups is not None:
            raise ValueError(
                f"groups are drawn by kind='cluster', and this is kind={kind!r}; leave groups= out or change it"
            )
        return None
    if groups is None:
        raise ValueError("kind='cluster' needs the cluster of each row: bootstrap(kind='cluster', groups=labels)")
    data = fit.model.data
    labels = labels_of(groups, "groups", table_of(data))
    grouping = read_grouping(labels, "groups", data.n_rows, data.kept, data.index if data.labelled else None)
    if grouping.n_groups < 2:
        raise ValueError(
            f"kind='cluster' needs 2 or more clusters to draw from, and there is {grouping.n_groups}; give the labels of "
            "smaller groups"
        )
    return grouping


def seeds(random_state: Any) -> np.random.SeedSequence:
    """Return the sequence that every replicate's own generator is spawned from.

    Parameters
    ----------
    random_state : int, SeedSequence, Generator, RandomState or None
        A generator is drawn from once; None takes entropy from the operating system.
    """
    if isinstance(random_state, np.random.SeedSequence):
        return random_state
    if isinstance(random_state, np.random.Generator):
        return np.random.SeedSequence(random_state.integers(2**32, size=4).tolist())
    if isinstance(random_state, np.random.RandomState):
        return np.random.SeedSequence(random_state.randint(2**31, size=4).tolist())
    return np.random.SeedSequence(random_state)


def generator(sequence: np.random.SeedSequence, replicate: int) -> np.random.Generator:
    """Return a replicate's own generator: the same whichever thread asks, and in whatever order."""
    child = np.random.SeedSequence(sequence.entropy, spawn_key=(*sequence.spawn_key, replicate))
    return np.random.default_rng(child)


def _cases(n_rows: int, rng: np.random.Generator) -> dict[str, Array]:
    return {"freq_weights": np.bincount(rng.integers(0, n_rows, n_rows), minlength=n_rows).astype(float)}


def _cases_among(freq: Array, rng: np.random.Generator) -> dict[str, Array]:
    total = freq.sum()
    return {"freq_weights": rng.multinomial(int(total), freq / total).astype(float)}


def _whole_groups(grouping: Grouping, freq: Array | None, rng: np.random.Generator) -> dict[str, Array]:
    number = grouping.n_groups
    times = np.bincount(rng.integers(0, number, number), minlength=number).astype(float)[grouping.codes]
    return {"freq_weights": times if freq is None else times * freq}


def check_single(freq: Array | None) -> None:
    """Refuse to draw responses of rows that stand for several observations."""
    if freq is not None and (freq != 1.0).any():
        raise ValueError(
            "kind='parametric' draws a response for each row, and one of frequency f needs f of them; write those rows out"
        )


def glm_responses(fit: GLMResults) -> Draw:
    """Return what draws responses from a GLM's fitted law."""
    _check_law(fit)
    fit.fittedvalues  # noqa: B018 - computed once, before threads ask for it
    return partial(_new_responses, fit)


def _check_law(fit: GLMResults) -> None:
    """Refuse to draw responses where the model is no law of them."""
    data, known = fit.model.data, fit.family.dispersion is not None
    if known and (fit.dispersion != fit.family.dispersion or data.var_weights is not None):
        raise ValueError(
            f"a {fit.family.name} fit with var_weights or a dispersion other than {fit.family.dispersion:g} is "
            "quasi-likelihood, which is no law to draw responses from; use kind='case'"
        )
    if not np.isfinite(fit.scale):
        raise ValueError(
            "kind='parametric' needs an estimate of the dispersion, for which no degree of freedom is left"
        )


def _new_responses(fit: GLMResults, rng: np.random.Generator) -> dict[str, Array]:
    data = fit.model.data
    options: dict[str, Any] = {} if data.trials is None else {"trials": data.trials}
    if data.var_weights is not None:
        options["weight"] = data.var_weights
    mu = np.asarray(fit.fittedvalues)
    return {"y": fit.family.sample_response(mu, rng, dispersion=fit.scale, **options)}
