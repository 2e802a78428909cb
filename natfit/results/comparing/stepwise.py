"""Stepwise choice of terms by an information criterion, with a record of every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.results.comparing.anova import SHAPES, check_kind
from natfit.results.comparing.comparison import Submodel, check_reduction
from natfit.results.comparing.selection import CRITERIA, penalised, widened
from natfit.results.terms import Term, check_coding, columns_of, droppable, terms_of

if TYPE_CHECKING:
    from natfit.results.glm import GLMResults

DIRECTIONS = ("both", "forward", "backward")

SETTLED = 1e-7
"""A step must lower the criterion by more than this: R's own bound, over the rounding of a refit."""


def step(
    fit: GLMResults,
    scope: Any = None,
    direction: str | None = None,
    criterion: str = "aic",
    *,
    steps: int = 1000,
    shape: str = "estimated",
    progress: bool = False,
) -> GLMResults:
    """Drop and add terms, one a step, as long as an information criterion falls; return the fit where it ends.

    Parameters
    ----------
    fit : GLMResults
        Where to begin.
    scope : str or dict, optional
        The largest model, as a formula (``"~ . + z + w"``); or ``{"lower": ..., "upper": ...}``, the terms that stay in
        any case and the largest model. By default the fit's own terms, and nothing but the constant stays.
    direction : {"both", "forward", "backward"}, optional
        "both" if a scope is given, else "backward", as in R.
    criterion : {"aic", "bic"}
    steps : int
        At most so many.
    shape : {"estimated", "held"}
        Whether each model estimates its own alpha, where the fit estimated one.
    progress : bool
        Show a bar with the models fitted.

    Returns
    -------
    GLMResults
        Of a model of its own. Its ``selection`` is a DataFrame, one row for each step: the change, the degrees of freedom
        and the deviance it cost, and the criterion.

    Notes
    -----
    As R's ``step``: a term goes only if no other contains it, and comes only if all that it contains are there. An
    estimated dispersion is held at the starting fit's (R's changes with the model, so that its criterion may rise). Models
    are refitted on views of one design's columns, on the rows that have a value of everything in scope. P-values and
    intervals of the model chosen take no account of the choosing.

    References
    ----------
    Venables & Ripley (2002), Modern Applied Statistics with S, section 6.8.

    Examples
    --------
    >>> import natfit as nf
    >>> crabs = nf.datasets.load("crabs")
    >>> fit = nf.GLM.from_formula("sat ~ width + weight + C(spine)", crabs, family="poisson").fit()
    >>> chosen = step(fit)
    >>> chosen.model.formula
    'sat ~ weight'
    >>> chosen.selection["Change"].tolist()
    ['', '- C(spine)', '- width']
    """
    check_kind(fit, "step")
    check_reduction(fit, "LRT")
    criterion = criterion.lower()
    direction = direction or ("backward" if scope is None else "both")
    for name, value, allowed in (
        ("direction", direction, DIRECTIONS),
        ("criterion", criterion, CRITERIA),
        ("shape", shape, SHAPES),
    ):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    search = _Search.begin(fit, scope, direction, criterion, shape)
    with _bar(progress) as tick:
        search.run(steps, tick)
    return search.result(fit)


@dataclass
class _Search:
    """Where a stepwise search stands."""

    base: GLMResults
    model: Any
    terms: list[Term]
    current: list[Term]
    lower: set[str]
    direction: str
    criterion: str
    shape: str
    fitted: dict[frozenset[str], Submodel] = field(default_factory=dict)
    rows: list[tuple[str, float, float, float, float, float]] = field(default_factory=list)

    @classmethod
    def begin(cls, fit: GLMResults, scope: Any, direction: str, criterion: str, shape: str) -> _Search:
        """Widen the fit's model to the scope, and fit the start anew if that cost rows."""
        given = scope if isinstance(scope, dict) else {"upper": scope}
        if set(given) - {"lower", "upper"}:
            raise ValueError(f"scope takes 'lower' and 'upper', got {', '.join(map(repr, given))}")
        names = {term.name for term in terms_of(fit.model)}
        upper, model = given.get("upper"), fit.model
        if upper is not None:
            model = widened(model, upper if isinstance(upper, str) else "~ . + " + " + ".join(upper))
        terms = terms_of(model)
        current = [term for term in terms if term.name in names]
        if model.data.n_rows != fit.model.data.n_rows:
            fit = model.refit(fit, columns=columns_of(current))
        lower = given.get("lower")
        kept: set[str] = set()
        if lower is not None:
            from natfit.data.formulas.parse import parse_formula

            kept = {str(term) for term in parse_formula(lower, ())[1]} if isinstance(lower, str) else set(lower)
            unknown = kept - {term.name for term in terms} - {"1"}
            if unknown:
                raise ValueError(f"scope keeps {', '.join(sorted(unknown))}, which are no terms of the largest model")
        return cls(fit, model, terms, current, kept, direction, criterion, shape)

    def submodel(self, terms: Sequence[Term]) -> Submodel:
        """Return the model of some terms, fitted once however often it is looked at."""
        key = frozenset(term.name for term in terms)
        if key not in self.fitted:
            check_coding(self.model, terms)
            self.fitted[key] = Submodel(self.base, columns_of(terms), self.shape, self.model)
        return self.fitted[key]

    def changes(self) -> Iterator[tuple[str, list[Term]]]:
        """Yield what may be done next, and the terms that are there then."""
        if self.direction != "forward":
            for term in droppable(self.current):
                if term.name not in self.lower:
                    yield f"- {term.name}", [other for other in self.current if other is not term]
        if self.direction != "backward":
            for term in self.terms:
                margins = (other in self.current for other in self.terms if term.contains(other))
                if term not in self.current and all(margins):
                    yield f"+ {term.name}", [other for other in self.terms if other in self.current or other is term]

    def run(self, steps: int, tick: Any) -> None:
        """Take steps until none lowers the criterion."""
        here = self.submodel(self.current)
        self.note("", here, here)
        for _ in range(steps):
            best = penalised(here, self.criterion) - SETTLED
            chosen = None
            for change, terms in self.changes():
                candidate = self.submodel(terms)
                value = penalised(candidate, self.criterion)
                tick(f"{change}: {value:.6g}")
                if value < best:
                    best, chosen = value, (change, terms, candidate)
            if chosen is None:
                return
            change, self.current, there = chosen
            self.note(change, there, here)
            here = there

    def note(self, change: str, there: Submodel, before: Submodel) -> None:
        """Record a step."""
        first = there is before
        df = np.nan if first else float(abs(there.rank - before.rank))
        deviance = np.nan if first else abs(there.deviance - before.deviance)
        value = penalised(there, self.criterion)
        self.rows.append((change, df, deviance, there.df_resid, there.deviance, value))

    def result(self, fit: GLMResults) -> GLMResults:
        """Return the fit of the model chosen, made by itself, with the record."""
        import pandas as pd

        columns = ["Change", "Df", "Deviance", "Resid. Df", "Resid. Dev", self.criterion.upper()]
        chosen = self.submodel(self.current)
        if chosen.fit is None:
            raise ValueError("no term was worth keeping and the model has no constant: nothing is left to fit")
        final = fit if chosen.fit is fit else chosen.fit
        if self.model.origin is not None and final is not fit:
            from natfit.data.formulas.edit import choose_terms

            names = [term.name for term in self.current]
            formula = choose_terms(self.model.formula, names, self.model.origin.columns)
            final = fit.refitted(fit.model.updated(formula, {}, **self.same_rows()))
        final.selection = pd.DataFrame(self.rows, columns=columns)
        return final

    def same_rows(self) -> dict[str, Any]:
        """Return what makes the chosen model rest on the rows that the search did."""
        return {} if self.model.data.kept is None else self.model.origin.only(self.model.data.kept)


@contextmanager
def _bar(show: bool) -> Iterator[Any]:
    """Show a bar with the models fitted, or nothing."""
    if not show:
        yield lambda text: None
        return
    from tqdm.auto import tqdm

    with tqdm(desc="step", unit=" models") as bar:

        def tick(text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update()

        yield tick
