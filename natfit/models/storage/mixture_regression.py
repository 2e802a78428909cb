"""A mixture of regressions' fit as plain data, and back: everything but the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from natfit.data.arrays import Source
from natfit.data.block import Block
from natfit.likelihoods.glm import GLMLikelihood
from natfit.metric import Gram
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.regression import MixtureRegression
from natfit.models.storage import parts
from natfit.models.storage.parts import RowsNeeded
from natfit.results.mixtures.fitted import FittedComponents, Search
from natfit.results.mixtures.regression import MixtureRegressionResults

CLASSES: dict[str, type] = parts.CLASSES

DATA = ("y_name", "names", "labelled", "n_missing", "levels", "expressions", "chosen")
"""What is kept of a model's data: no rows."""
KINDS = ("observed", "empirical", "complete")
SEARCH = ("loglik", "n_starts", "n_best", "n_rows", "broken")
OF_ROWS = ("y", "design", "offset", "exposure", "freq_weights", "var_weights", "trials", "index", "linear_offset")


class NoRows(Source):
    """The rows of a loaded fit: refused."""

    n_rows = 0

    def blocks(self) -> Iterator[Block]:
        """Refuse."""
        raise RowsNeeded("what was asked for")

    @property
    def whole(self) -> Block:
        """Refuse."""
        raise RowsNeeded("what was asked for")


class RowlessData:
    """What a saved model knows of its data; what only the rows could tell is refused."""

    def __init__(self, known: Mapping[str, Any], frozen: Any, present: list[str], nobs: float):
        self.__dict__.update({name: known[name] for name in DATA})
        self.frozen, self.nobs = frozen, nobs
        self.__dict__.update({name: None for name in ("var_weights", "trials") if name not in present})

    def __getattr__(self, name: str) -> Any:
        if name in OF_ROWS:
            raise RowsNeeded(f"its data's {name}")
        raise AttributeError(name)

    def count(self) -> float:
        """Return the number of observations."""
        return self.nobs


class SavedMixtureRegression(MixtureRegression):
    """A model that was loaded: it makes new rows, and has no data to be fitted to."""

    def __init__(self, tree: Mapping[str, Any], data: Any, concomitant: Any):
        self.formula, self.concomitant_formula, self.quasi_note = (tree["model"][name] for name in MODEL)
        self.data, self.n_components, self.dispersion = data, len(tree["members"]), tree["dispersion"]
        self.rows = SimpleNamespace(
            groups=np.empty(0) if tree["grouped"] else None,
            n_units=float(tree["n_units"]),
            order=None,
            concomitant=concomitant,
            streamed=False,
        )
        self.kept, self.aliases = np.array(tree["kept"], dtype=bool), [str(each) for each in tree["aliases"]]
        made = [(parts.family_from_plain(family), parts.link_from_plain(link)) for family, link in tree["members"]]
        self.members = [GLMLikelihood(family, link, self.columns) for family, link in made]
        self.shared = np.array(tree["shared"], dtype=bool)
        self.constraint = Constraint(*tree["constraint"])
        self.source = NoRows()

    def new_rows(self, exog: Any = None, transform: bool = True, **known: Any) -> Any:
        """Return new rows to predict for; its own are refused."""
        if exog is None:
            raise RowsNeeded("a prediction for the rows of the fit")
        return super().new_rows(exog, transform, **known)

    def fit(self, **options: Any) -> MixtureRegressionResults:
        """Refuse to fit."""
        raise RowsNeeded("another fit")


MODEL = ("formula", "concomitant_formula", "quasi_note")


def to_plain(fit: MixtureRegressionResults) -> dict[str, Any]:
    """Return a fit as plain data; what takes a pass over the rows is taken now."""
    model, data, found = fit.model, fit.model.data, fit.base.search
    concomitant = model.rows.concomitant
    return {
        "model": {name: getattr(model, name) for name in MODEL},
        "members": [[parts.family_to_plain(one.family), parts.link_to_plain(one.link)] for one in model.members],
        "shared": model.shared.tolist(),
        "kept": model.kept.tolist(),
        "aliases": list(model.aliases),
        "dispersion": model.dispersion,
        "constraint": [model.constraint.min_size, model.constraint.min_spread],
        "grouped": model.rows.groups is not None,
        "n_units": float(model.rows.n_units),
        "nobs": float(fit.nobs),
        "data": {name: getattr(data, name) for name in DATA},
        "present": [name for name in ("var_weights", "trials") if getattr(data, name) is not None],
        "design": parts.design_to_plain(data.frozen, data.expressions),
        "concomitant": None
        if concomitant is None
        else [list(concomitant.names), parts.design_to_plain(concomitant.frozen, {})],
        "params": fit.base.params,
        "outcome": parts.outcome_to_plain(fit.base.outcome),
        "search": {name: getattr(found, name) for name in SEARCH},
        "excluded": [list(each) for each in found.excluded],
        "others": [float(each) for each in found.others],
        "breach": fit.base.breach,
        "cov_type": fit.cov_type,
        "weights": fit._weights,
        "entropy": float(fit.entropy),
        "degeneracies": list(fit.degeneracies),
        "information": {kind: fit.information(kind).matrix_form() for kind in KINDS},
    }


def from_plain(tree: Mapping[str, Any], trusted: Mapping[str, Callable[..., Any]]) -> MixtureRegressionResults:
    """Return the fit, without its rows."""
    expressions = tree["data"]["expressions"]
    frozen = parts.design_from_plain(tree["design"], expressions, trusted)
    data = RowlessData(tree["data"], frozen, list(tree["present"]), float(tree["nobs"]))
    concomitant = None
    if tree["concomitant"] is not None:
        names, plain = tree["concomitant"]
        own = parts.design_from_plain(plain, {}, trusted)
        concomitant = SimpleNamespace(names=[str(name) for name in names], frozen=own)
    model = SavedMixtureRegression(tree, data, concomitant)
    likelihood = model.likelihood()
    size = likelihood.layout.size
    params = parts.vector(tree["params"], size)
    excluded = [(float(loglik), str(why)) for loglik, why in tree["excluded"]]
    known = {name: tree["search"][name] for name in SEARCH}
    search = Search(params=params, start=params, excluded=excluded, others=list(tree["others"]), **known)
    outcome = parts.outcome_from_plain(tree["outcome"])
    base = FittedComponents(likelihood, params, outcome, search, tree["breach"])
    fit = LoadedRegressions(model, base, model.source, str(tree["cov_type"]))
    fit._held = {kind: parts.vector(each, size, size) for kind, each in tree["information"].items()}
    fit.__dict__.update(
        _weights=parts.vector(tree["weights"], model.n_components),
        entropy=float(tree["entropy"]),
        degeneracies=[str(each) for each in tree["degeneracies"]],
    )
    return fit


class LoadedRegressions(MixtureRegressionResults):
    """A fit that was loaded; what its rows said was taken before it was saved."""

    _held: Mapping[str, Any]

    def information(self, kind: str = "observed") -> Any:
        """Return the information as it was saved."""
        if kind not in self._held:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
        return Gram(self._held[kind].copy())

    def _like(self, cov_type: str) -> Self:
        made = super()._like(cov_type)
        made._held = self._held
        made.__dict__.update({name: getattr(self, name) for name in ("_weights", "entropy", "degeneracies")})
        return made
