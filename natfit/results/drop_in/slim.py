"""A fit without its rows: small to keep and to send, with every number that was computed before they went."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

COMPUTED = (
    "scale",
    "_cov",
    "deviance",
    "pearson_chi2",
    "llf",
    "llf_dispersion",
    "null_deviance",
    "llnull",
    "k_constant",
)
"""What is computed before the rows go: all else of the table follows from it."""
ROWS = ("_eta", "fittedvalues", "null", "null_fit", "likelihood")
"""Cached attributes that hold rows, or lead to them."""


class NoRows:
    """Stands where the rows were, and says so."""

    def reduce(self, evaluate: Any) -> NoReturn:
        raise ValueError(
            "the rows of this fit were removed by remove_data(), and this needs them; ask for it before, or fit again"
        )

    def map(self, evaluate: Any) -> NoReturn:
        self.reduce(evaluate)

    def blocks(self) -> NoReturn:
        self.reduce(None)


def remove_rows(fit: GLMResults) -> None:
    """Compute what the table needs, and take the rows out of a fit and of its model; predictions for new rows stay."""
    from natfit.results.covariance import hidden_directions
    from natfit.results.remembered import remember
    from natfit.results.summary import notes

    if fit.rows_removed or fit.model.data.remembered is not None:
        return
    if hasattr(fit.model.data, "stream"):
        raise ValueError(
            "the rows of this fit are streamed, so it holds none to remove; fit.save() keeps it without them"
        )
    kept: dict[str, Any] = {name: getattr(fit, name) for name in COMPUTED}
    vars(fit)["_notes"] = notes(fit)
    if not fit.fitted.kept.all():
        hidden_directions(fit)
    for name in ROWS:
        vars(fit).pop(name, None)
    vars(fit).update({name: kept[name] for name in ("llf", "llf_dispersion", "null_deviance", "llnull")})
    model = copy.copy(fit.model)
    data = fit.model.data
    nothing: Any = None
    gone = dict.fromkeys(("offset", "exposure", "freq_weights", "var_weights", "trials", "index", "frame", "table"))
    known: dict[str, Any] = {"has_constant": bool(kept["k_constant"]), "remembered": remember(fit)}
    model.data = replace(data, y=np.empty(0), design=nothing, **known, **gone)
    model.source, model.origin = NoRows(), None
    model.family = fit.family.bound_to(fit.link)
    fit.model, fit.family, fit.rows_removed = model, model.family, True
    inner = getattr(fit, "results_constrained", None)
    if inner is not None:
        remove_rows(inner)
