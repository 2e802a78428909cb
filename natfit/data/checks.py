"""Checks of numbers before a fit: finite, of one length, weights and exposures of the right sign.

Every refusal is one sentence: the rule, the column, how many rows and which, and what to do about it. A check that
passes costs one pass over the numbers and no array of their size.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

SHOWN = 5
"""Positions named in a message: enough to look the rows up, few enough to read."""


def did_you_mean(name: str, known: Iterable[Any]) -> str:
    """Suggest the nearest of some known names, as the tail of a sentence; empty if none is near.

    Examples
    --------
    >>> did_you_mean("crab", ["crabs", "ships"])
    "; did you mean 'crabs'?"
    >>> did_you_mean("zzz", ["crabs", "ships"])
    ''
    """
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(str(each).casefold(), str(each))
    near = difflib.get_close_matches(str(name).casefold(), folded, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(repr(folded[each]) for each in near)}?" if near else ""
