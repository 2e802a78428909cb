"""A mixture's fit as plain data, and back: everything but the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from natfit.families.gaussian_covariances import MODELS
from natfit.likelihoods.mixtures.components import Components
from natfit.likelihoods.mixtures.composed import Noise, PointMass, ProductComponents, WithFixed
from natfit.likelihoods.mixtures.exponential import ExponentialComponents
from natfit.likelihoods.mixtures.gaussian import GaussianComponents
from natfit.likelihoods.mixtures.missing import PartlySeenGaussians
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.metric import Gram
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.coordinates import free_coordinates
from natfit.models.mixtures.data import MixtureData
from natfit.models.mixtures.mixture import Mixture
from natfit.models.mixtures.ties import tie
from natfit.models.storage import parts
from natfit.models.storage.mixture_regression import KINDS, SEARCH, NoRows
from natfit.models.storage.parts import RowsNeeded
from natfit.results.mixtures.fitted import FittedMixture, Search
from natfit.results.mixtures.mixture import MixtureResults
from natfit.results.storage import StorageError

CLASSES: dict[str, type] = parts.CLASSES

MODEL = ("n_components", "covariance", "fixed", "shared", "noise", "zero_inflated")

MOST_PARAMETERS = 1_000
"""Free parameters up to which the information is kept: three matrices, 24 MB in the file."""


class RowlessMixtureData:
    """What is kept of a mixture's rows: their columns and number."""

    index = None

    def __init__(
        self, columns: list[str], nobs: float, n_rows: int, n_missing: int, levels: dict[str, list[Any]] | None = None
    ):
        self.columns, self.nobs, self.n_rows, self.n_missing = columns, nobs, n_rows, n_missing
        self.levels = levels or {}  # files of earlier versions have none
        self.source = NoRows()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in {field.name for field in fields(MixtureData)}:
            raise AttributeError(name)
        raise RowsNeeded(f"the rows' {name}")


class SavedMixture(Mixture):
    """A model that was loaded: it takes new rows, and has none to be fitted to."""

    jointly = False

    def __init__(self, tree: Mapping[str, Any]):
        self.__dict__.update({name: tree["model"][name] for name in MODEL})
        self.family, self.jointly = str(tree["family"]), bool(tree["jointly"])
        self.constraint = Constraint(*tree["constraint"])

    def fit(self, *rows: Any, **options: Any) -> MixtureResults:
        """Refuse to fit."""
        raise RowsNeeded("another fit")


def to_plain(fit: MixtureResults) -> dict[str, Any]:
    """Return a fit as plain data; what takes a pass over the rows is taken now."""
    model, base = fit.model, fit.base
    known = fit.df <= MOST_PARAMETERS
    return {
        "model": {name: getattr(model, name) for name in MODEL},
        "family": " x ".join(dict.fromkeys(part.components.family.name for part in fit._parts)),
        "jointly": model.jointly,
        "constraint": [model.constraint.min_size, model.constraint.min_spread],
        "components": components_to_plain(fit.components),
        "data": {"columns": list(fit.columns), "nobs": float(fit.nobs), "levels": base.data.levels}
        | {name: int(getattr(base.data, name)) for name in ("n_rows", "n_missing")},
        "params": base.params,
        "start": base.search.start,
        "outcome": parts.outcome_to_plain(base.outcome),
        "search": {name: getattr(base.search, name) for name in SEARCH},
        "excluded": [list(each) for each in base.search.excluded],
        "others": [float(each) for each in base.search.others],
        "breach": base.breach,
        "cov_type": fit.cov_type,
        "shown_as": list(fit.shown_as),
        "entropy": float(fit.entropy),
        "information": {kind: fit.information(kind).matrix_form() for kind in KINDS} if known else {},
    }


def components_to_plain(components: Any) -> dict[str, Any]:
    """Return components as plain data, without their parameters."""
    if isinstance(components, WithFixed):
        fixed = components.fixed
        own = {"at": float(fixed.at)} if isinstance(fixed, PointMass) else {"low": fixed.low, "high": fixed.high}
        return {"main": components_to_plain(components.main), **own}
    if isinstance(components, ProductComponents):
        return {"parts": [components_to_plain(part) for part in components.parts]}
    place = None if components.place is None else np.asarray(components.place).tolist()
    known = {"n_components": components.n_components, "place": place}
    if isinstance(components, GaussianComponents):
        own = {"center": components.center, "model": components.model.name, "floor": float(components.floor)}
        return {**known, **own, "partly": isinstance(components, PartlySeenGaussians)}
    made: dict[str, Any] = {**known, "family": parts.family_to_plain(components.family), "outside": components.outside}
    center = getattr(components, "center", None)
    held = getattr(components, "tied", None)
    return made | {"center": center, "tied": None if held is None else [dict(held[0]), list(held[1])]}


def components_from_plain(plain: Mapping[str, Any]) -> Components:
    """Return components."""
    if "main" in plain:
        fixed: Any = PointMass(float(plain["at"])) if "at" in plain else Noise(plain["low"], plain["high"])
        return WithFixed(components_from_plain(plain["main"]), fixed)
    if "parts" in plain:
        return ProductComponents([components_from_plain(part) for part in plain["parts"]])
    K, place = int(plain["n_components"]), plain["place"]
    if "model" in plain:
        center = plain["center"]
        made = GaussianComponents(len(center), K, center, MODELS[plain["model"]], place, float(plain["floor"]))
        return PartlySeenGaussians(made) if plain["partly"] else made
    own = ExponentialComponents(parts.family_from_plain(plain["family"]), K, place, bool(plain["outside"]))
    if plain["center"] is not None:
        own.center = plain["center"]
    if plain["tied"] is not None:
        tie(own, *plain["tied"])
    return own


def from_plain(tree: Mapping[str, Any], trusted: Mapping[str, Callable[..., Any]]) -> MixtureResults:
    """Return the fit, without its rows."""
    likelihood = MixtureLikelihood(components_from_plain(tree["components"]))
    size = likelihood.layout.size
    params = parts.vector(tree["params"], size)
    if not np.isfinite(params).all():
        raise StorageError("the parameters are not finite")
    start = parts.vector(tree["start"], size)
    excluded = [(float(loglik), str(why)) for loglik, why in tree["excluded"]]
    known = {name: tree["search"][name] for name in SEARCH}
    search = Search(params=params, start=start, excluded=excluded, others=list(tree["others"]), **known)
    data: Any = RowlessMixtureData(**tree["data"])
    model = SavedMixture(tree)
    outcome = parts.outcome_from_plain(tree["outcome"])
    coordinates = free_coordinates(likelihood)
    base = FittedMixture(likelihood, params, outcome, search, tree["breach"], data, coordinates)
    parametrization, weights = tree["shown_as"]
    fit = LoadedMixture(model, base, str(tree["cov_type"]), (parametrization, str(weights)))
    fit.held = {kind: parts.vector(each, fit.df, fit.df) for kind, each in tree["information"].items()}
    fit.__dict__["entropy"] = float(tree["entropy"])
    return fit


class LoadedMixture(MixtureResults):
    """A fit that was loaded; what its rows said was taken before it was saved."""

    held: Mapping[str, Any]

    def information(self, kind: str = "observed") -> Any:
        """Return the information as it was saved."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
        if kind not in self.held:
            raise RowsNeeded(f"the information on so many parameters ({self.df})")
        return Gram(self.held[kind].copy())

    def _like(self, cov_type: str, shown_as: tuple[str | None, str] | None = None) -> LoadedMixture:
        made = LoadedMixture(self.model, self.base, cov_type, shown_as or self.shown_as)
        made.held = self.held
        made.__dict__["entropy"] = self.entropy
        return made
