"""A fit's terms, their columns and which contain which: what sequential tables, type II tests and drop1 go by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

Space = tuple[frozenset[str], frozenset[str]]
"""What a term spans for some of its factors: those that are numbers, and those with levels."""


@dataclass(frozen=True)
class Term:
    """A term of a formula, or a column of a design given as an array.

    Parameters
    ----------
    name : str
    columns : (k,) ndarray of int
        Its columns among the fit's.
    factors : frozenset of str
        The constant has none.
    """

    name: str
    columns: Array
    factors: frozenset[str]

    @property
    def is_constant(self) -> bool:
        """Whether it is the constant."""
        return not self.factors

    def contains(self, other: Term) -> bool:
        """Whether it is an interaction of the other term with something; the constant is in none."""
        return bool(other.factors) and other.factors < self.factors


def named_columns(model: Any) -> list[tuple[str, Array]]:
    """Return the formula's terms, or else the columns, each with its columns' numbers among the model's."""
    data = getattr(model, "data", None)
    if data is None or not data.terms:
        return [(name, np.array([j])) for j, name in enumerate(model.exog_names)]
    places = range(len(model.exog_names)) if data.chosen is None else data.chosen
    at = {column: place for place, column in enumerate(places)}
    terms = [(name, [at[j] for j in range(own.start, own.stop) if j in at]) for name, own in data.terms]
    return [(name, np.array(columns)) for name, columns in terms if columns]


def terms_of(model: Any) -> list[Term]:
    """Return a model's terms, by their degree and then in the order written, as R has them; the constant first."""
    own, frozen = named_columns(model), model.data.frozen
    written = {} if frozen is None else frozen.written
    if not written:
        identity = np.eye(len(own))
        values = (model.data.design.matvec(each) for each in identity)
        return [
            Term(name, columns, frozenset() if column.min() == column.max() else frozenset([name]))
            for (name, columns), column in zip(own, values, strict=True)
        ]
    order = {name: (len(factors), place) for place, (name, factors) in enumerate(written.items())}
    return [Term(name, columns, frozenset(written[name])) for name, columns in sorted(own, key=lambda t: order[t[0]])]


def columns_of(terms: Iterable[Term]) -> Array:
    """Return the columns of some terms, in the design's order."""
    found = [term.columns for term in terms]
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=int)


def droppable(terms: Sequence[Term]) -> list[Term]:
    """Return the terms, but for the constant, that no other term contains."""
    return [term for term in terms if not term.is_constant and not any(other.contains(term) for other in terms)]


def check_coding(model: Any, terms: Sequence[Term]) -> None:
    """Refuse a part of the terms whose columns don't span what a formula of these terms alone would.

    Without a constant one factor of a formula keeps all its levels, and the others are coded against it; left without
    it, their columns would be those of another model.

    Raises
    ------
    ValueError
        Names the terms.
    """
    frozen = model.data.frozen
    if frozen is None or not frozen.written:
        return
    levels = {name for name, plan in frozen.factors.items() if plan.coding(True).names != plan.coding(False).names}
    names = {term.name for term in terms}
    spanned: set[Space] = set()
    for name, factors in _parts(frozen):
        if name in names:
            spanned |= _covered(factors, levels)
    wanted = set(chain.from_iterable(_covered([(factor, False) for factor in term.factors], levels) for term in terms))
    if spanned != wanted:
        left = " + ".join(sorted(names)) or "nothing"
        raise ValueError(
            f"with only {left} left, the levels would be coded otherwise than in {frozen.formula!r}: write the "
            "formula with a constant, or fit both models and compare them with nf.anova(fit1, fit2)"
        )


def _parts(frozen: Any) -> list[tuple[str, Sequence[tuple[str, bool]]]]:
    """Return each part of a design with the name of its term."""
    from natfit.data.formulas.expand import part_names

    found, start, ends = [], 0, [(name, own.stop) for name, own in frozen.terms]
    for part in frozen.parts:
        width = len(part_names(part, frozen.factors))
        start += width
        owner = next((name for name, stop in ends if start <= stop), None)
        if width and owner is not None:
            found.append((owner, part.factors))
    return found


def _covered(factors: Iterable[tuple[str, bool]], levels: set[str]) -> set[Space]:
    """Return what a product of coded factors spans: one in full also spans what is left without it."""
    factors = list(factors)
    numbers = frozenset(name for name, _ in factors if name not in levels)
    always = frozenset(name for name, reduced in factors if name in levels and reduced)
    free = [name for name, reduced in factors if name in levels and not reduced]
    subsets = chain.from_iterable(combinations(free, size) for size in range(len(free) + 1))
    return {(numbers, always | frozenset(subset)) for subset in subsets}
