"""Whether data can be fitted by a family with a link: refused in one sentence, before any work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from natfit.data.checks import check_finite, check_positive, check_weights, where
from natfit.families.links import Link
from natfit.families.response import Response
from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 8_192
"""Responses looked at together: what a check makes of them takes the same memory again each time."""


def check_for(data: GLMData, family: Response, link: Link) -> str | None:
    """Check and complete the data for a family; return a note where they are fitted as quasi-likelihood.

    Raises
    ------
    ValueError
        In one sentence: the rule, the column, the rows, the remedy.
    """
    own = getattr(data, "check_for", None)
    if own is not None:  # rows that stream by have been counted, and can't be looked at whole
        return own(family, link)
    check_finite(data.y, data.y_name)
    counts = to_proportions(data, family) if data.y.ndim == 2 else None
    check_rows(data, family, link)
    return _quasi_note(data, family, counts)


def check_rows(data: GLMData, family: Response, link: Link) -> None:
    """Check what can be checked row by row."""
    check_finite(data.y, data.y_name)
    _check_extras(data, link)
    if data.trials is not None and family.name != "binomial":
        raise ValueError(f"trials belong to the binomial family, and this is {family.name}; leave trials= out")
    if data.levels is not None and family.name != "binomial":
        raise ValueError(
            f"the {family.name} family needs numbers, but {data.y_name!r} has the levels {data.levels[0]!r} and "
            f"{data.levels[1]!r}; use family='binomial', or a numeric column"
        )
    family.check_response(data.y, data.y_name)


def _check_extras(data: GLMData, link: Link) -> None:
    for name in ("freq_weights", "var_weights"):
        weights = getattr(data, name)
        if weights is not None:
            check_weights(weights, name)
    if data.offset is not None:
        check_finite(data.offset, "offset")
    if data.exposure is not None:
        if link.name != "log":
            raise ValueError(
                f"exposure enters as its logarithm and so needs the log link, but the link is {link.name}; use link='log', "
                "or offset= for what is to be added to this link's predictor"
            )
        check_positive(data.exposure, "exposure")
    if data.trials is not None:
        check_positive(data.trials, "trials")


def to_proportions(data: GLMData, family: Any) -> Array:
    """Turn two columns of successes and failures into proportions and trials; return the successes."""
    if family.name != "binomial" or data.y.shape[1] != 2:
        if family.name == "binomial":
            raise ValueError(
                f"endog has more than 2 columns: a binomial response is one column, or two of successes and failures, and "
                f"this has {data.y.shape[1]}"
            )
        raise ValueError(
            f"a response of {data.y.shape[1]} columns is two columns of successes and failures for family='binomial'; "
            f"{family.name} takes one column"
        )
    if data.trials is not None:
        raise ValueError("trials are already given by two columns of successes and failures; leave trials= out")
    successes = np.ascontiguousarray(data.y[:, 0])
    total = data.y.sum(axis=1)
    negative = np.asarray((data.y < 0.0).any(axis=1))
    if negative.any():
        raise ValueError(
            f"successes and failures must be 0 or more, and one of {data.y_name!r} is negative in {where(negative)}; mend "
            "these rows"
        )
    check_positive(total, f"successes + failures of {data.y_name}", "leave those rows out")
    data.trials, data.y = total, successes / total
    return successes


def _quasi_note(data: GLMData, family: Response, counts: Array | None) -> str | None:
    """Return a note on counts that are not whole numbers: they are fitted, but have no probability."""
    return quasi_note(count_fractional(data, counts), data.y_name, family) if family.discrete else None


def count_fractional(data: GLMData, counts: Array | None = None) -> int:
    """Count the responses, or the successes given, that are not whole numbers."""
    trials = data.trials if counts is None else None
    counts = data.y if counts is None else counts
    return sum(_fractional(counts[rows], None if trials is None else trials[rows]) for rows in _chunks(data.n_rows))


def quasi_note(fractional: int, y_name: str, family: Response) -> str | None:
    """Return a note on so many counts that are not whole numbers; None where there are none, or none are counts."""
    if not fractional or not family.discrete:
        return None
    return (
        f"Quasi-likelihood: {fractional} response(s) of {y_name} are not whole numbers, to which the "
        f"{family.name} family gives no probability; the log-likelihood is its formula at these values."
    )


def _chunks(n_rows: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, n_rows, CHUNK))


def _fractional(counts: Array, trials: Array | None) -> int:
    """Count the responses that are not whole numbers; a proportion times its trials is whole up to its own rounding."""
    counts = counts if trials is None else counts * trials
    off = counts[counts != np.rint(counts)]
    return int((np.abs(off - np.rint(off)) > 1e-9 * np.maximum(np.abs(off), 1.0)).sum())


def check_maximum(data: GLMData, family: Response, link: Link) -> None:
    """Refuse a response that lies wholly on a limit of the mean, so that the constant's maximum lies there too."""
    own = getattr(data, "check_maximum", None)
    if own is not None:
        own(family, link)
        return
    ends: list[tuple[float, Any]] = [(edge, np.equal) for edge in family.attainable_limits]
    low, high = link.mean_range.low, link.mean_range.high
    ends += [(low, np.less_equal)] if np.isfinite(low) else []
    ends += [(high, np.greater_equal)] if np.isfinite(high) else []
    for edge, there in ends:
        everywhere = all(there(data.y[rows], edge).all() for rows in _chunks(data.n_rows))
        if everywhere and _spans_constant(data):
            raise _no_maximum(edge, data.n_rows, data.y_name, link)


def refuse_at_limit(value: float, n_rows: int, y_name: str, family: Response, link: Link) -> None:
    """Refuse a response that has one value on all rows, where that is a limit of the mean."""
    low, high = link.mean_range.low, link.mean_range.high
    beyond = [low] if value <= low else [high] if value >= high else []
    for edge in [each for each in family.attainable_limits if each == value] + beyond:
        raise _no_maximum(edge, n_rows, y_name, link)


def _no_maximum(edge: float, n_rows: int, y_name: str, link: Link) -> ValueError:
    where_to = (
        "reaches only as the intercept runs off to infinity"
        if np.isinf(link.limit(edge))
        else "reaches at the very edge of the family's domain"
    )
    return ValueError(
        f"the likelihood has no maximum: all {n_rows} values of {y_name!r} lie at {edge:g} or beyond, which "
        f"the {link.name} link {where_to}; nothing can be estimated from this response but by "
        "fit(bias_reduction='firth')"
    )


def _spans_constant(data: GLMData) -> bool:
    """Say whether a constant lies in the span of the design's columns."""
    ones = np.ones(data.n_rows)
    gram, total = data.design.gram(ones), data.design.rmatvec(ones)
    coefficients, *_ = np.linalg.lstsq(gram, total, rcond=None)
    return bool(np.abs(data.design.matvec(coefficients) - 1.0).max() < 1e-6)
