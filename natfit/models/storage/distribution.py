"""A fitted distribution as plain data, and back: everything but the observations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from natfit.likelihoods.distribution import DistributionLikelihood
from natfit.metric import SingularMetric
from natfit.models.distribution import FittedDistribution, resolve_coordinates
from natfit.models.distribution_data import DistributionData
from natfit.models.storage import parts
from natfit.models.storage.parts import RowsNeeded
from natfit.results.distribution import DistributionResults
from natfit.results.storage import StorageError

CLASSES: dict[str, type] = parts.CLASSES


class RowlessObservations:
    """What is kept of the observations: their name and number."""

    def __init__(self, name: str, nobs: float, n_missing: int):
        self.name, self.nobs, self.n_missing = name, nobs, n_missing

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in {field.name for field in fields(DistributionData)}:
            raise AttributeError(name)
        raise RowsNeeded(f"the observations' {name}")


def to_plain(fit: DistributionResults) -> dict[str, Any]:
    """Return a fit as plain data; a covariance that takes a pass over the observations is taken now."""
    base = fit.base
    for name in {base.parametrization, fit.parametrization}:
        if name not in (*fit.family.parametrizations, fit.family.home):
            raise StorageError(
                f"a fit in a parametrization of your own ({name}) can't be saved; show it in one of the family's: "
                f"fit.to({next(iter(fit.family.parametrizations), fit.family.home)!r})"
                if name == fit.parametrization and name != base.parametrization
                else f"a fit made in a parametrization of your own ({name}) can't be saved; fit in one of the family's"
            )
    return {
        "family": parts.family_to_plain(fit.family),
        "parametrization": base.parametrization,
        "shown": None if fit._own else fit.parametrization,
        "held": dict(base.held),
        "params": base.params,
        "home": base.home,
        "outcome": parts.outcome_to_plain(base.outcome),
        "cov_type": fit.cov_type,
        "covariances": {fit._cov_kind: _covariance(fit)},
        "data": {"name": base.data.name, "nobs": float(base.data.nobs), "n_missing": int(base.data.n_missing)},
    }


def _covariance(fit: DistributionResults) -> Any:
    try:
        return fit._covariance_as_fitted(fit._cov_kind)
    except SingularMetric:
        return np.full((fit.df, fit.df), np.nan)


def from_plain(tree: Mapping[str, Any], trusted: Mapping[str, Callable[..., Any]]) -> DistributionResults:
    """Return the fit, without its observations."""
    family = parts.family_from_plain(tree["family"])
    chart, name, held = resolve_coordinates(family, tree["parametrization"], tree["held"])
    params = parts.vector(tree["params"], chart.size)
    outcome = replace_params(parts.outcome_from_plain(tree["outcome"]), params)
    data: Any = RowlessObservations(
        str(tree["data"]["name"]), float(tree["data"]["nobs"]), int(tree["data"]["n_missing"])
    )
    covariances = {kind: parts.vector(each, chart.size, chart.size) for kind, each in tree["covariances"].items()}
    base = FittedDistribution(
        DistributionLikelihood(family),
        data,
        chart,
        name,
        held,
        params,
        parts.vector(tree["home"], family.size),
        outcome,
    )
    base = replace(base, covariances=covariances)
    shown = None if tree["shown"] is None else (family.parametrization(tree["shown"]), str(tree["shown"]))
    return DistributionResults(base, tree["cov_type"], shown)


def replace_params(outcome: Any, params: Any) -> Any:
    """Return an outcome at given parameters."""
    return outcome._replace(params=params)
