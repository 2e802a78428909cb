"""What to do about responses outside a family's support: which family allows them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from natfit.families.support import Support

Array = np.ndarray[Any, np.dtype[Any]]


def checked(support: Support, family: str, y: Any, name: str) -> Array:
    """Return responses as floats, or say which are outside and which family allows them.

    Raises
    ------
    ValueError
        As `natfit.families.support.Support.check`, with the remedy for what was found; and where responses are several
        columns and the family's are one number for each row, which that check takes for more rows.
    """
    shape = np.shape(y)
    if not support.event_shape and len(shape) != 1:
        raise ValueError(
            f"the {family} family needs a response of one column, but {name!r} has {shape[1]}; give one of them, or a "
            "family of several: 'beta_binomial' for successes and failures, 'dirichlet' for shares, 'multinomial' for "
            "counts of classes"
        )
    remedy = "" if support.event_shape else _remedy(support, y)
    return (replace(support, remedy=remedy) if remedy else support).check(family, y, name)


def _remedy(support: Support, y: Any) -> str:
    """Return the remedy for zeros of a positive law, and for zeros and ones of one between them; "" for anything else."""
    try:
        values = np.asarray(y, dtype=float)
    except (TypeError, ValueError):
        return ""
    outside = values[~support.contains(values) & np.isfinite(values)]
    zeros, ones = int((outside == 0.0).sum()), int((outside == 1.0).sum())
    if not outside.size or support.discrete or support.low != 0.0:
        return ""
    if support.high == np.inf and zeros == outside.size:
        return "all of them are zeros, which family='tweedie' allows"
    if support.high == 1.0 and zeros + ones == outside.size:
        return (
            f"they are {zeros} zero(s) and {ones} one(s), which family='beta_binomial' allows if they are shares of counts "
            "('successes + failures ~ x'), and nf.GLM with family='binomial' and dispersion='pearson' if they are not"
        )
    return ""
