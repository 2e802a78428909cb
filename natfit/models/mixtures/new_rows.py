"""New rows for a fitted mixture, matched to its columns and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from natfit.likelihoods.mixtures.components import Components
from natfit.likelihoods.mixtures.composed import ProductComponents, WithFixed
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.likelihoods.mixtures.gaussian import GaussianComponents
from natfit.models.mixtures.data import MixtureData, bind, default_names
from natfit.models.mixtures.setup import check_support


def bind_new(y: Any, columns: list[str], keep_missing: bool = False) -> MixtureData:
    """Bind new rows: of a table the columns of the fit, whatever their order; of an array as many as the fit has.

    Raises
    ------
    ValueError
        If the fit's columns are not there, or rows are not fit for use.
    """
    if isinstance(y, Mapping) or hasattr(y, "columns"):
        there = [str(name) for name in (y if isinstance(y, Mapping) else y.columns)]
        lacking = [name for name in columns if name not in there]
        if not lacking:
            return bind(columns if len(columns) > 1 else columns[0], data=y, keep_missing=keep_missing)
        if columns != default_names(len(columns)):
            raise ValueError(
                f"new rows need the columns of the fit, and {', '.join(map(repr, lacking))} is not among "
                f"{', '.join(there)}; name the columns as they were, or give an array"
            )
    made = bind(y, keep_missing=keep_missing)
    if len(made.columns) != len(columns):
        raise ValueError(
            f"new rows need {len(columns)} columns ({', '.join(columns)}), and these have {len(made.columns)}; give an "
            "array with a row for each observation"
        )
    return made


def check_new(components: Components, data: MixtureData) -> None:
    """Refuse new rows outside the components' support, but for those of a point mass."""
    if isinstance(components, WithFixed):
        check_new(components.main, data)
    elif isinstance(components, ProductComponents):
        for part in components.parts:
            check_new(part, data)
    elif isinstance(components, ExponentialComponents) and not isinstance(components, GaussianComponents):
        check_support(components.family, data, components.place, 0.0 if components.outside else None)
