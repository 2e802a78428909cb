"""A distributional regression's fit as plain data, and back: everything but the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from natfit.families import links
from natfit.families.dirichlet import Dirichlet
from natfit.families.distributional import registry
from natfit.families.distributional.classes import Classes
from natfit.families.distributional.proportions import Composition
from natfit.families.distributional.reused import Reused
from natfit.likelihoods.distributional import DistributionalLikelihood
from natfit.models.distributional.constraints import Constraints
from natfit.models.distributional.model import DistributionalRegression
from natfit.models.distributional.rows import ParameterRows
from natfit.models.storage import parts
from natfit.models.storage.parts import RowsNeeded
from natfit.parametrizations.affine import Affine
from natfit.results.cov_type import CovarianceType, resolve
from natfit.results.distributional.results import DistributionalResults
from natfit.results.fitted import Fitted
from natfit.results.storage import StorageError

CLASSES: dict[str, type] = parts.CLASSES

DATA = ("y_name", "labelled", "n_missing", "names", "formulas", "expressions", "terms")
"""What is kept of a model's data: no rows."""
OWN = ("direction", "baseline", "parallel")
"""What a family of classes is made with, besides its link and the classes."""


class RowlessData:
    """What a saved model knows of its data; what only the rows could tell is refused."""

    def __init__(self, known: Mapping[str, Any], frozen: Mapping[str, Any], with_offsets: list[str]):
        self.__dict__.update({name: known[name] for name in DATA})
        self.frozen, self.offsets = dict(frozen), dict.fromkeys(with_offsets)

    def __getattr__(self, name: str) -> Any:
        if name in ("y", "designs", "freq_weights", "index", "columns", "source", "n_rows"):
            raise RowsNeeded(f"its data's {name}")
        raise AttributeError(name)


class SavedDistributional(DistributionalRegression):
    """A model that was loaded: it makes new rows and names things, and has no data to be fitted to."""

    def __init__(self, tree: Mapping[str, Any], data: Any, family: Any):
        self.data, self.family, self.n_jobs = data, family, None
        self.held = {str(name): float(value) for name, value in tree["held"].items()}
        self.links = [_link_from_plain(link) for link in tree["links"]]
        self.nobs, self.wnobs = int(tree["nobs"]), float(tree["wnobs"])
        names = {name: data.names[name] for name in family.parameter_names if name in data.names}
        self.likelihood = DistributionalLikelihood(family, self.links, names, self.held)
        tie = Affine(tree["tie"], tree["tie_offset"], names=list(tree["tie_names"]))
        self.constraints = Constraints(tie, list(tree["tie_notes"]))
        self.exog_names, self.endog_names = list(tie.names), data.y_name

    @property
    def source(self) -> Any:  # type: ignore[override]
        """No rows: refused."""
        raise RowsNeeded("what was asked for")

    def new_rows(self, exog: Any = None, offset: Any = None) -> ParameterRows:
        """Return new rows to predict for; its own are refused."""
        if exog is None:
            raise RowsNeeded("a prediction for the rows of the fit")
        return super().new_rows(exog, offset)

    def fit(self, *args: Any, **kwargs: Any) -> DistributionalResults:
        """Refuse to fit."""
        raise RowsNeeded("another fit")

    def require_rows(self) -> None:
        """Refuse to fit."""
        raise RowsNeeded("another fit")

    def profiler(self, results: DistributionalResults, which: Any, name: str | None = None) -> Any:
        """Refuse to fit."""
        raise RowsNeeded("a profile")

    def null_fit(self, results: DistributionalResults) -> DistributionalResults:
        """Refuse to fit."""
        raise RowsNeeded("the fit of constants alone")


def to_plain(fit: DistributionalResults) -> dict[str, Any]:
    """Return a fit as plain data; what takes a pass over the rows is taken now."""
    model, data, tie = fit.model, fit.model.data, fit.model.constraints.tie
    return {
        "family": _family_to_plain(fit.family),
        "links": [_link_to_plain(link) for link in model.links],
        "held": dict(model.held),
        "nobs": int(model.nobs),
        "wnobs": float(model.wnobs),
        "tie": tie.matrix,
        "tie_offset": tie.offset,
        "tie_names": list(tie.names),
        "tie_notes": list(model.constraints.notes),
        "fitted": {
            "params": fit.fitted.params,
            "kept": fit.fitted.kept,
            "converged": bool(fit.fitted.converged),
            "reason": fit.fitted.reason,
            "alias_notes": list(fit.fitted.alias_notes),
        },
        "outcome": parts.outcome_to_plain(fit.fitted.outcome),
        "cov_type": fit.cov_type,
        "cov": fit._cov,
        "llf": float(fit.llf),
        "converged": bool(fit.converged),
        "reason": fit.reason,
        "model_notes": fit.model_notes(),
        "data": {name: getattr(data, name) for name in DATA},
        "with_offsets": list(data.offsets),
        "designs": {name: parts.design_to_plain(design, {}) for name, design in data.frozen.items()},
    }


def from_plain(tree: Mapping[str, Any], trusted: Mapping[str, Callable[..., Any]]) -> DistributionalResults:
    """Return the fit, without its rows."""
    frozen = {str(name): parts.design_from_plain(plain, {}, trusted) for name, plain in tree["designs"].items()}
    data = RowlessData(tree["data"], frozen, [str(name) for name in tree["with_offsets"]])
    model = SavedDistributional(tree, data, _family_from_plain(tree["family"]))
    size, own = len(model.exog_names), tree["fitted"]
    outcome = parts.outcome_from_plain(tree["outcome"])
    fitted = Fitted(
        parts.vector(own["params"], size),
        parts.vector(own["kept"], size),
        outcome.point,
        outcome,
        bool(own["converged"]),
        str(own["reason"]),
        [str(note) for note in own["alias_notes"]],
        None,
    )
    # the covariance itself is stored; what a kind's settings were is not needed any more
    kind = CovarianceType(str(tree["cov_type"]), resolve(tree["cov_type"]))
    fit = LoadedResults(model, fitted, kind)
    fit.converged, fit.reason = bool(tree["converged"]), str(tree["reason"])
    fit.__dict__.update(
        _cov=parts.vector(tree["cov"], size, size), llf=float(tree["llf"]), _stored_notes=list(tree["model_notes"])
    )
    return fit


class LoadedResults(DistributionalResults):
    """A fit that was loaded; what its rows said was taken before it was saved."""

    def limit_reached(self) -> str:
        """Nothing: the verdict was saved."""
        return ""

    def model_notes(self) -> list[str]:
        """Return the notes as they were saved."""
        return list(self.__dict__["_stored_notes"])


def _link_to_plain(link: Any) -> str:
    from natfit.families.distributional.tweedie import BETWEEN

    return BETWEEN.name if link == BETWEEN else parts.link_to_plain(link)


def _link_from_plain(name: Any) -> Any:
    from natfit.families.distributional.tweedie import BETWEEN

    return BETWEEN if name == BETWEEN.name else parts.link_from_plain(name)


def _family_to_plain(family: Any) -> dict[str, Any]:
    """Return what a family is made from again: a registered name, or a registry family with its coordinates, or classes."""
    if isinstance(family, Composition):
        return {"composition": list(family.parameter_names), "labels": list(family.class_names or ())}
    if isinstance(family, Classes):
        made = {name: getattr(family, name) for name in OWN if hasattr(family, name)}
        return {"classes": family.name, "labels": list(family.classes or ()), "link": family.link.name, "made": made}
    if isinstance(family, Reused):
        if not isinstance(family.parametrization, str):
            raise StorageError("a fit in a parametrization of your own can't be saved; fit in one of the family's")
        return {"reused": parts.family_to_plain(family.family), "parametrization": family.parametrization}
    if not registry.is_known(family.name) or registry.get(family.name) != family:
        raise StorageError(
            f"the family {family!r} can't be saved: it is not what its registered name makes; register it with "
            "nf.families.distributional.register, where it is saved and where it is loaded"
        )
    return {"name": family.name}


def _family_from_plain(plain: Mapping[str, Any]) -> Any:
    if "composition" in plain:
        made: Any = Composition.of(Dirichlet(len(plain["composition"])))
        made.parameter_names, made.class_names = tuple(plain["composition"]), list(plain["labels"])
        return made
    if "classes" in plain:
        kind = registry.REGISTRY.entry(plain["classes"])
        family: Any = kind(**plain["made"], classes=plain["labels"])
        family.link = links.get(plain["link"])
        return family
    if "reused" in plain:
        return registry.get(parts.family_from_plain(plain["reused"]), plain["parametrization"])
    return registry.get(plain["name"])
