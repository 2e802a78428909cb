"""A GLM's fit as plain data, and back: everything but the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from natfit.data.groups import Grouping
from natfit.likelihoods.sums import Sums
from natfit.models.data import GLMData
from natfit.models.glm import GLM
from natfit.models.negative_binomial import Shape
from natfit.models.rows import NewRows
from natfit.models.storage import parts
from natfit.models.storage.parts import RowsNeeded
from natfit.optimize.objective import Point
from natfit.results.cov_type import CovarianceType
from natfit.results.covariance import hidden_directions
from natfit.results.fitted import Fitted, Separation
from natfit.results.glm import GLMResults
from natfit.results.remembered import Remembered, Variable, remember

CLASSES: dict[str, type] = parts.CLASSES | {
    "shape": Shape,
    "separation": Separation,
    "covariance": CovarianceType,
    "grouping": Grouping,
    "variable": Variable,
    "remembered": Remembered,
}

DATA = ("names", "y_name", "labelled", "n_missing", "labels", "levels", "chosen", "expressions", "terms")
"""What is kept of a model's data: no rows."""
MODEL = ("formula", "quasi_note", "nobs", "wnobs", "k_constant")
FITTED = ("params", "kept", "converged", "reason", "alias_notes", "separation", "edge_rows", "bias_reduction")
MEASURES = ("scale", "llf", "llf_dispersion", "penalized_llf", "deviance", "pearson_chi2", "null_deviance", "llnull")


class RowlessData:
    """What a saved model knows of its data; what only the rows could tell is refused."""

    k_constant: int
    names: list[str]
    y_name: str

    def __init__(self, known: Mapping[str, Any], frozen: Any, remembered: Any):
        if not isinstance(remembered, Remembered) or not all(
            isinstance(each, Variable) for each in remembered.variables.values()
        ):
            raise TypeError("nothing is remembered of the variables")
        self.__dict__.update(known)
        self.frozen, self.remembered = frozen, remembered
        self.xnames = self.param_names = self.cov_names = self.names
        self.ynames = self.y_name
        self.trials = None
        self.terms = [(str(name), place) for name, place in known["terms"]]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in _OF_ROWS:
            raise AttributeError(name)
        raise RowsNeeded(f"its data's {name}")


_OF_ROWS = {field.name for field in fields(GLMData)} | {name for name in vars(GLMData) if not name.startswith("_")}


class SavedGLM(GLM):
    """A model that was loaded: it makes new rows and names things, and has no data to be fitted to."""

    def __init__(self, tree: Mapping[str, Any], data: RowlessData, family: Any, link: Any):
        self.data: Any = data
        self.family, self.link, self.dispersion, self.n_jobs = family.bound_to(link), link, tree["dispersion"], None
        self.quasi_note = tree["model"]["quasi_note"]
        if tree["model"]["formula"] is not None:
            self.formula = tree["model"]["formula"]
        self.nobs, self.wnobs = tree["model"]["nobs"], float(tree["model"]["wnobs"])
        self._rank = int(tree["rank"])
        data.k_constant = int(tree["model"]["k_constant"])

    @property
    def source(self) -> Any:  # type: ignore[override]
        """No rows: refused."""
        raise RowsNeeded("what was asked for")

    def new_rows(self, exog: Any = None, transform: bool = True, **known: Any) -> NewRows:
        """Return new rows to predict for; its own are refused."""
        if exog is None:
            raise RowsNeeded("a prediction for the rows of the fit")
        return super().new_rows(exog, transform, **known)

    def fit(self, *args: Any, **kwargs: Any) -> GLMResults:
        """Refuse to fit."""
        raise RowsNeeded("another fit")

    def refit(self, *args: Any, **changed: Any) -> GLMResults:
        """Refuse to fit."""
        raise RowsNeeded("another fit")

    def updated(self, *args: Any, **changed: Any) -> GLM:
        """Refuse to make another model."""
        raise RowsNeeded("another model")


def to_plain(fit: GLMResults) -> dict[str, Any]:
    """Return a fit as plain data; what takes a pass over the rows is taken now."""
    model, data = fit.model, fit.model.data
    if isinstance(model, SavedGLM):
        measures = fit.__dict__["_stored"]["measures"]
    else:
        measures = {name: float(getattr(fit, name)) for name in MEASURES}
    return {
        "family": parts.family_to_plain(fit.family),
        "model_family": parts.family_to_plain(model.family),
        "link": parts.link_to_plain(fit.link),
        "dispersion": fit.dispersion,
        "covariance": _without_rows(fit._cov_kind),
        "cov": fit._cov,
        "use_t": fit.use_t,
        "shape": fit.shape,
        "measures": measures,
        "wald_notes": list(fit._wald_notes),
        "fitted": {name: getattr(fit.fitted, name) for name in FITTED},
        "metric": parts.metric_to_plain(fit.fitted.metric),
        "outcome": parts.outcome_to_plain(fit.fitted.outcome),
        "model": {name: getattr(model, name, None) for name in MODEL},
        "rank": int(fit.df_model + 1.0),
        "constraints": _constraints(fit),
        "data": {name: getattr(data, name) for name in DATA},
        "design": parts.design_to_plain(data.frozen, data.expressions),
        "remembered": remember(fit),
        "hidden": None if fit.fitted.kept.all() else hidden_directions(fit),
    }


def _constraints(fit: GLMResults) -> dict[str, Any] | None:
    """Return the linear constraints that a fit was made under."""
    made = getattr(fit, "constraints", None)
    return None if made is None else {name: np.asarray(getattr(made, name)) for name in ("coefs", "constants")}


def _without_rows(wanted: CovarianceType) -> CovarianceType:
    """Return a kind of covariance without labels of rows and functions: how many groups there were stays known."""
    plain = {name: value for name, value in wanted.asked.items() if value is None or np.isscalar(value)}
    groupings = tuple(Grouping(np.zeros(0, dtype=np.int64), each.n_groups) for each in wanted.groupings)
    return replace(wanted, asked=plain, groupings=groupings)


def from_plain(tree: Mapping[str, Any], trusted: Mapping[str, Callable[..., Any]]) -> GLMResults:
    """Return the fit, on a model without rows."""
    known = {name: tree["data"][name] for name in DATA}
    size = len(known["names"])
    frozen = parts.design_from_plain(tree["design"], known["expressions"], trusted)
    link = parts.link_from_plain(tree["link"])
    model = SavedGLM(
        tree, RowlessData(known, frozen, tree["remembered"]), parts.family_from_plain(tree["model_family"]), link
    )
    wanted = tree["covariance"]
    if not isinstance(wanted, CovarianceType):
        raise TypeError("no kind of covariance")
    fitted = _fitted(tree, size)
    fit = GLMResults(
        model,
        fitted,
        parts.family_from_plain(tree["family"]),
        tree["dispersion"],
        wanted,
        tree["use_t"],
        tree["shape"],
    )
    fit.__dict__.update(_measured(tree["measures"]), _stored=tree, _cov=parts.vector(tree["cov"], size, size))
    if tree["hidden"] is not None:
        length, basis = tree["hidden"]
        fit.__dict__["_hidden"] = parts.vector(length, size), parts.vector(basis, size, basis.shape[1])
    if tree["constraints"] is not None:
        fit.__dict__["constraints"] = SimpleNamespace(
            **{name: tree["constraints"][name] for name in ("coefs", "constants")}
        )
    fit.__dict__["_wald_notes"] = [str(note) for note in tree["wald_notes"]]
    return fit


def _fitted(tree: Mapping[str, Any], size: int) -> Fitted:
    outcome = parts.outcome_from_plain(tree["outcome"])
    given = {name: tree["fitted"][name] for name in FITTED}
    params, kept = parts.vector(given["params"], size), parts.vector(given["kept"], size)
    metric = parts.metric_from_plain(tree["metric"])
    sums = Sums(loglik=outcome.point.loglik, metric=metric)
    return Fitted(point=Point(params[kept.astype(bool)], sums), outcome=outcome, **given)


def _measured(measures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a fit would have computed from its rows, under the names it keeps them by."""
    found = {name: float(measures[name]) for name in MEASURES}
    null = SavedNull(found["null_deviance"], found["llnull"], found["scale"])
    return {
        **{name: found[name] for name in ("scale", "llf", "llf_dispersion", "penalized_llf")},
        "_summaries": {"deviance": found["deviance"], "pearson": found["pearson_chi2"]},
        "null_fit": null,
    }


@dataclass(frozen=True)
class SavedNull:
    """What is kept of the null model: its deviance, and its log-likelihood at the fit's dispersion."""

    deviance: float
    llnull: float
    scale: float

    def loglik(self, dispersion: float) -> float:
        """Return the log-likelihood, at the dispersion it was taken at."""
        if dispersion != self.scale and not (np.isnan(dispersion) and np.isnan(self.scale)):
            raise RowsNeeded("the null model's log-likelihood at another dispersion")
        return self.llnull

    @property
    def fittedvalues(self) -> Any:
        """No rows: refused."""
        raise RowsNeeded("the null model's fitted means")
