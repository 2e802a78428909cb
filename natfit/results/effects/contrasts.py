"""Which values of a variable are compared: its levels, or a number's low and high."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from natfit.results.effects.request import Request
from natfit.results.effects.variables import Variables


def named(variables: Variables, asked: Any) -> dict[str, Any]:
    """Return the variables asked for, each with what is to be compared (None for the usual)."""
    if asked is None:
        return dict.fromkeys(variables.names)
    if isinstance(asked, Mapping):
        variables.require(list(asked))
        return dict(asked)
    return dict.fromkeys(variables.require([asked] if isinstance(asked, str) else list(asked)))


def contrasts(request: Request, name: str, how: Any) -> list[tuple[str, Any, Any]]:
    """Return for each contrast of a variable its name and its low and high values, single or for each row."""
    levels = request.variables.levels(name)
    if levels is not None:
        return _of_levels(request.variables, name, levels, how)
    column = request.column(name).astype(float)
    if how is None:
        how = 1.0
    if how == "sd":
        half = 0.5 * (request.variables.about(name).sd or 0.0)
        return [("x + sd/2 - (x - sd/2)", column - half, column + half)]
    if isinstance(how, str) and how in ("iqr", "minmax"):
        ends = request.variables.about(name).quartiles or ()
        return [("Q3 - Q1", ends[1], ends[3]) if how == "iqr" else ("max - min", ends[0], ends[4])]
    if isinstance(how, str):
        raise ValueError(
            f"a number's comparison is a step, two values, 'sd', 'iqr' or 'minmax'; for {name!r} got {how!r}"
        )
    if np.ndim(how) == 0:
        half = 0.5 * float(how)  # centred on the row, as in marginaleffects for Python
        return [(f"+{how:g}", column - half, column + half)]
    if np.shape(how) != (2,):
        raise ValueError(f"a number is compared at two values, low and high; for {name!r} got {how!r}")
    low, high = how
    return [(f"{high:g} - {low:g}", float(low), float(high))]


def _of_levels(variables: Variables, name: str, levels: list[Any], how: Any) -> list[tuple[str, Any, Any]]:
    pairs: list[tuple[Any, Any]]
    if how is None or how == "reference":
        pairs = [(levels[0], level) for level in levels[1:]]
    elif how == "sequential":
        pairs = list(pairwise(levels))
    elif how == "pairwise":
        pairs = [(low, high) for i, low in enumerate(levels) for high in levels[i + 1 :]]
    elif not isinstance(how, str) and len(how) == 2:
        variables._check_levels(name, list(how))
        pairs = [(how[0], how[1])]
    else:
        raise ValueError(
            f"levels are compared by 'reference', 'sequential', 'pairwise', or two of them; for {name!r} got {how!r}"
        )
    return [(f"{high} - {low}", low, high) for low, high in pairs]
