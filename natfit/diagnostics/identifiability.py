"""What the data can tell of each coefficient: inflation of variances, near-aliased directions, separation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.need import METRIC
from natfit.results.covariance import covariance, finite_columns

Array = np.ndarray[Any, np.dtype[Any]]

STRONG = 30.0
"""Condition index from which a direction is called nearly aliased (Belsley, Kuh & Welsch, 1980, section 3.2)."""
TAKES_PART = 0.1
"""Share of a direction's largest entry from which a column is named with it."""


def variance_inflation(fit: Any) -> Any:
    """Return generalized variance-inflation factors of the terms: see `Checks.vif`."""
    import pandas as pd

    cov = covariance(fit, "eim")
    finite = finite_columns(fit)
    terms = [(name, columns[finite[columns]]) for name, columns in fit._terms()]
    constant = _constants(fit)
    terms = [(name, columns) for name, columns in terms if columns.size and not constant[columns].all()]
    if len(terms) < 2:
        raise ValueError("variance inflation compares terms with each other: the model needs two besides the constant")
    used = np.concatenate([columns for _, columns in terms])
    spread = np.sqrt(cov[used, used])
    correlation = cov[np.ix_(used, used)] / np.outer(spread, spread)
    whole = np.linalg.slogdet(correlation)[1]
    rows, start = {}, 0
    for name, columns in terms:
        own = np.arange(start, start + columns.size)
        rest = np.setdiff1d(np.arange(used.size), own)
        start += columns.size
        parts = [np.linalg.slogdet(correlation[np.ix_(each, each)])[1] for each in (own, rest)]
        gvif = float(np.exp(sum(parts) - whole))
        rows[name] = (gvif, columns.size, gvif ** (0.5 / columns.size))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["gvif", "df", "gvif_root"])


def _constants(fit: Any) -> Array:
    """Return which columns of the design are constant."""
    design = fit.model.data.design
    low = np.full(design.shape[1], np.inf)
    high = -low
    for block in fit.model.source.blocks():
        rows = block.designs["mean"].dense()
        low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
    return low == high


@dataclass(frozen=True)
class Identifiability:
    """What the data can and can't tell; ``print`` it.

    Attributes
    ----------
    condition : float
        Of the design weighted as the fit weighs it, columns scaled to unit length, those without a finite estimate left
        out: the largest condition index.
    directions : DataFrame
        The directions whose condition index exceeds 30, in columns, each scaled to an entry of 1: a combination of the
        coefficients that hardly changes the fit.
    index : (k,) ndarray
        Their condition indices.
    sentences : tuple of str
        All of it in words.
    """

    rank: int
    columns: int
    condition: float
    directions: Any
    index: Array
    sentences: tuple[str, ...]

    @property
    def identified(self) -> bool:
        """Whether every coefficient has a finite estimate of its own."""
        return len(self.sentences) == 1 + len(self.index)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    __repr__ = __str__


def identifiability(fit: Any) -> Identifiability:
    """Return what the data can tell of each coefficient: see `Checks.identifiability`."""
    import pandas as pd

    names = [str(name) for name in fit.model.exog_names]
    fitted, total = fit.fitted, len(fit.model.exog_names)
    finite = np.flatnonzero(finite_columns(fit))
    metric = fit.evaluate(METRIC)["metric"].matrix_form()[np.ix_(finite, finite)]
    length = np.sqrt(metric.diagonal())
    values, vectors = np.linalg.eigh(metric / np.outer(length, length))
    largest = float(values.max(initial=1.0))
    with np.errstate(divide="ignore"):
        index = np.sqrt(largest / np.maximum(values, 0.0))
    condition = float(index.max(initial=1.0))
    rank = int(fitted.kept.sum())
    said = [_rank_in_words(rank, total, condition)]
    said += [f"Aliased: {note}; its coefficient is not identified." for note in fitted.alias_notes]
    if fitted.separation is not None:
        said.append(_separation_in_words(names, fitted.separation))
    strong = np.flatnonzero(index > STRONG)
    shown = {}
    for k in strong:
        direction = vectors[:, k] / length
        direction = direction / direction[np.argmax(np.abs(vectors[:, k]))]
        shown[f"index {index[k]:.4g}"] = direction
        part = np.abs(vectors[:, k]) > TAKES_PART * np.abs(vectors[:, k]).max()
        terms = [(names[finite[j]], direction[j]) for j in np.flatnonzero(part)]
        said.append(_direction_in_words(terms, float(index[k])))
    frame = pd.DataFrame(shown, index=[names[j] for j in finite])
    return Identifiability(rank, total, condition, frame, index[strong], tuple(said))


def _rank_in_words(rank: int, total: int, condition: float) -> str:
    return (
        f"{rank} of {total} coefficients are identified; the condition number of the scaled design is {condition:.3g}."
    )


def _separation_in_words(names: list[str], separation: Any) -> str:
    gone = [
        f"{value:+.3g} {name}" for name, value in zip(names, separation.direction, strict=True) if abs(value) > 1e-6
    ]
    return (
        f"Separation: along {' '.join(gone)} the likelihood rises for ever, fitting {separation.n_rows} row(s) perfectly in "
        "the limit."
    )


def _direction_in_words(terms: list[tuple[str, float]], index: float) -> str:
    combination = " ".join(f"{value:+.3g} {name}" for name, value in terms)
    return (
        f"Nearly aliased (condition index {index:.3g}): the columns' combination {combination} is almost zero on every row, "
        "weighted as the fit weighs them, so that these coefficients are known together better than apart."
    )
