"""Terms left out of a fit or taken in, one at a time (drop1, add1), or step by step while a criterion falls (step)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import did_you_mean
from natfit.results.comparing.anova import SHAPES
from natfit.results.comparing.comparison import Outcome, Submodel, check_reduction, compare, resolve_test
from natfit.results.terms import Term, check_coding, columns_of, droppable, terms_of

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

Array = np.ndarray[Any, np.dtype[Any]]

CRITERIA = ("aic", "bic")


def penalised(model: Submodel, criterion: str) -> float:
    """Return -2 log-likelihood plus 2 (AIC) or log n (BIC) for each parameter.

    Parameters
    ----------
    model : Submodel
    criterion : {"aic", "bic"}

    Notes
    -----
    So that models compare, an estimated dispersion is held at the whole fit's. A Gaussian's maximum-likelihood one, and any
    with ``dispersion="ml"``, is each model's own.
    """
    whole = model.whole
    if isinstance(whole.dispersion, str) and (whole.dispersion == "ml" or whole.llf_dispersion != whole.scale):
        own = model.deviance / model.source_model.wnobs  # of a model without columns, where only a Gaussian comes
        llf = model.loglik(own) if model.fit is None else model.fit.llf
    elif isinstance(whole.dispersion, str):
        llf = model.loglik(whole.scale)
    else:
        llf = model.loglik(whole.llf_dispersion)
    each = 2.0 if criterion == "aic" else float(np.log(model.source_model.wnobs))
    return -2.0 * llf + each * (model.rank + (whole.shape is not None))


def drop1(fit: GLMResults, scope: Any = None, test: str | None = None, shape: str = "held") -> Any:
    """Return a table of the fit without each of its terms in turn; see `natfit.GLMResults.drop1`."""
    test = _check(fit, test, shape)
    terms = terms_of(fit.model)
    candidates = _chosen(scope, droppable(terms), "drop")
    whole = Submodel(fit, np.arange(fit.fitted.kept.size), shape)
    models = []
    for term in candidates:
        rest = [other for other in terms if other is not term]
        check_coding(fit.model, rest)
        models.append(Submodel(fit, columns_of(rest), shape))
    df = fit.df_resid if isinstance(fit.dispersion, str) else np.inf
    tested = [compare(model, whole, test, fit.scale, df) for model in models]
    return _table(whole, models, tested, [term.name for term in candidates], test)


def add1(fit: GLMResults, scope: Any, test: str | None = None, shape: str = "held") -> Any:
    """Return a table of the fit with each further term in turn; see `natfit.GLMResults.add1`."""
    test = _check(fit, test, shape)
    base, model, terms, known = _widened(fit, scope)
    here = [term for term in terms if term.name in known]
    candidates = [term for term in terms if term.name not in known and _margins_in(term, terms, here)]
    small = Submodel(base, columns_of(here), shape, model)
    models, tested = [], []
    for term in candidates:
        check_coding(model, [*here, term])
        large = Submodel(base, columns_of([*here, term]), shape, model)
        scale = base.scale if large.fit is None else large.fit.scale
        df = large.df_resid if isinstance(fit.dispersion, str) else np.inf
        models.append(large)
        tested.append(compare(small, large, test, scale, df))
    return _table(small, models, tested, [term.name for term in candidates], test)


def _check(fit: GLMResults, test: str | None, shape: str) -> str:
    if shape not in SHAPES:
        raise ValueError(f"shape must be 'held' or 'estimated', got {shape!r}")
    check_reduction(fit, test)
    return resolve_test(test, fit)


def _table(base: Submodel, models: Sequence[Submodel], tested: Sequence[Outcome], names: list[str], test: str) -> Any:
    import pandas as pd

    known = not isinstance(base.whole.dispersion, str)
    label = {"LRT": "LRT" if known else "scaled dev.", "F": "F value", "score": "Rao score", "Wald": "Wald"}[test]
    columns = {
        "Df": [np.nan, *(each.df for each in tested)],
        "Deviance": [model.deviance for model in (base, *models)],
        "AIC": [penalised(model, "aic") for model in (base, *models)],
        label: [np.nan, *(each.statistic for each in tested)],
        "Pr(>F)" if test == "F" else "Pr(>Chi)": [np.nan, *(each.pvalue for each in tested)],
    }
    return pd.DataFrame(columns, index=["<none>", *names])


def _chosen(scope: Any, candidates: list[Term], what: str) -> list[Term]:
    """Return the candidates that a scope names: a formula's right side or a list of terms; all where it is None."""
    if scope is None:
        return candidates
    if isinstance(scope, str):
        from natfit.data.formulas.parse import parse_formula

        wanted = [str(term) for term in parse_formula(scope, ())[1] if str(term) != "1"]
    else:
        wanted = [str(name) for name in scope]
    known = {term.name: term for term in candidates}
    for name in wanted:
        if name not in known:
            raise ValueError(
                f"{what}1 can't {what} {name!r}{did_you_mean(name, known)}; the terms that no other contains are "
                f"{', '.join(known) or 'none'}"
            )
    return [known[name] for name in wanted]


def _margins_in(term: Term, terms: Sequence[Term], here: Sequence[Term]) -> bool:
    """Say whether all terms that a term contains are there."""
    return all(other in here for other in terms if term.contains(other))


def _widened(fit: GLMResults, scope: Any) -> tuple[GLMResults, Any, list[Term], set[str]]:
    """Return the fit and the model that has a scope's terms besides, on the same rows; its terms, and the fit's own.

    Where the further terms lack values, the fit is made again on the rows that have them, and a warning says so.
    """
    own = {term.name for term in terms_of(fit.model)}
    if scope is None or (not isinstance(scope, str) and not list(scope)):
        raise ValueError("add1 needs the terms that may be added, as in add1('~ . + z')")
    model = widened(fit.model, scope if isinstance(scope, str) else "~ . + " + " + ".join(scope))
    terms = terms_of(model)
    lost = fit.model.data.n_rows - model.data.n_rows
    if lost:
        warnings.warn(
            f"{lost} row(s) lack a value of the further terms; all models compared rest on the other "
            f"{model.data.n_rows} rows",
            UserWarning,
            stacklevel=4,
        )
        columns = columns_of([term for term in terms if term.name in own])
        fit = model.refit(fit, columns=columns)
    return fit, model, terms, own


def widened(model: Any, scope: str) -> Any:
    """Return a model with a scope's terms besides its own; the model itself where there are none."""
    if model.origin is None:
        raise ValueError(
            "terms can be added only to a model made from a formula and a table; make this one with GLM.from_formula"
        )
    from natfit.data.formulas.edit import widen_formula

    formula = widen_formula(model.formula, scope, model.origin.columns)
    return model if formula is None else model.updated(formula, {})
