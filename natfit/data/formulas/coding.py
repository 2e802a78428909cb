"""Which columns each term needs, and what each level of a factor puts into them.

Formulaic decides which factors of a term keep all their levels and which lose their reference, so that no column is
redundant by construction. Needs formulaic, so it is imported only where a formula is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from formulaic.materializers.pandas import PandasMaterializer
from formulaic.materializers.types import EvaluatedFactor, FactorValues
from formulaic.parser.types import Factor, Term
from formulaic.transforms.contrasts import Contrasts, CustomContrasts, TreatmentContrasts

from natfit.data.checks import rows_text
from natfit.data.formulas.expand import Coding, FactorPlan, Part, part_names
from natfit.data.formulas.values import Values


def plan_terms(
    terms: Sequence[Term], values: Mapping[str, Values], kept: np.ndarray | None, patsy_order: bool = False
) -> tuple[list[Part], list[tuple[str, slice]], dict[str, FactorPlan]]:
    """Plan the columns of a design.

    Parameters
    ----------
    terms : sequence of formulaic terms
        In the order written.
    values : mapping of str to Values
        Every factor of the terms, evaluated.
    kept : (n,) bool, optional
        The rows kept; levels that none of them has are left out.
    patsy_order : bool
        Put terms with the same numeric factors together, as patsy does; else all stand by their degree.

    Returns
    -------
    parts : list of Part
    terms : list of (str, slice)
        Each term's name and its columns.
    plans : dict of str to FactorPlan
    """
    scoper = PandasMaterializer({})
    for term in terms:
        for factor in term.factors:
            each = values[factor.expr]
            placeholder: Any = FactorValues(
                each.constant, kind=Factor.Kind(_KINDS[each.kind]), spans_intercept=each.spans_intercept
            )
            scoper.factor_cache[factor.expr] = EvaluatedFactor(factor=factor, values=placeholder)
    terms = _in_patsy_order(terms, values) if patsy_order else sorted(terms, key=lambda term: term.degree)
    methods = {factor.expr: factor.eval_method.value for term in terms for factor in term.factors}
    plans = {
        name: _plan(name, methods[name], values[name], kept) for name in methods if values[name].kind != "constant"
    }
    parts: list[Part] = []
    slices: list[tuple[str, slice]] = []
    start = 0
    for term, scoped in scoper._get_scoped_terms(terms, ensure_full_rank=True):
        own = [
            Part(float(each.scale), tuple((scoped.factor.expr, scoped.reduced) for scoped in each.factors))
            for each in scoped
        ]
        width = sum(len(part_names(part, plans)) for part in own)
        if own and width == 0:
            _refuse_single_level(term, plans)
        slices.append((_name(term), slice(start, start + width)))
        parts += own
        start += width
    return parts, slices, plans


def factors_of(terms: Sequence[Term]) -> dict[str, tuple[str, ...]]:
    """Return the terms' names in the order written, each with its factors; the constant has none."""
    return {
        _name(term): tuple(factor.expr for factor in term.factors if factor.eval_method.value != "literal")
        for term in terms
    }


def _name(term: Term) -> str:
    return "Intercept" if str(term) == "1" else str(term)


def _in_patsy_order(terms: Sequence[Term], values: Mapping[str, Values]) -> list[Term]:
    """Sort terms by degree within those that share a set of numeric factors; the sets stand as they first appear.

    Terms without a numeric factor come before all others.
    """
    buckets: dict[frozenset[str], list[Term]] = {frozenset(): []}
    for term in terms:
        numeric = frozenset(factor.expr for factor in term.factors if values[factor.expr].kind == "numeric")
        buckets.setdefault(numeric, []).append(term)
    return [term for bucket in buckets.values() for term in sorted(bucket, key=lambda term: term.degree)]


_KINDS = {"numeric": "numerical", "categorical": "categorical", "constant": "constant"}


def _refuse_single_level(term: Term, plans: Mapping[str, FactorPlan]) -> None:
    single = [plans[factor.expr] for factor in term.factors if len(plans[factor.expr].levels) == 1]
    if single:
        raise ValueError(
            f"{single[0].expression!r} has one level ({single[0].levels[0]!r}) in the rows used, so there is no effect "
            "to estimate; leave it out of the formula"
        )


def _plan(name: str, method: str, values: Values, kept: np.ndarray | None) -> FactorPlan:
    """Freeze a factor: its levels, and its columns in full and reduced."""
    if values.kind == "numeric":
        shorter = tuple(each for each in values.names if each != values.drop)
        return FactorPlan(name, "numeric", method, (), Coding(values.names), Coding(shorter))
    assert values.levels is not None
    levels = _levels(name, values, kept)
    contrasts = values.contrasts
    assert contrasts is not None
    try:
        return FactorPlan(
            name,
            "categorical",
            method,
            tuple(levels),
            _code(name, contrasts, levels, False),
            _code(name, contrasts, levels, True),
        )
    except ValueError as error:
        known = ", ".join(map(repr, levels[:20])) + (", ..." if len(levels) > 20 else "")
        raise ValueError(
            f"the levels of {name!r} can't be coded: {str(error).rstrip('.')}; its levels are {known}"
        ) from None


def _levels(name: str, values: Values, kept: np.ndarray | None) -> list[Any]:
    """Return the levels of the rows kept, in their order; or those that the formula gives, which must cover them."""
    assert values.levels is not None
    codes = values.levels.cat.codes.to_numpy()
    codes = codes if kept is None else codes[kept]
    categories = values.levels.cat.categories
    counts = np.bincount(codes[codes >= 0], minlength=len(categories))
    occurring = categories[counts > 0].tolist()
    if values.given_levels is None:
        return occurring
    extra = [level for level in occurring if level not in values.given_levels]
    if extra:
        positions = np.flatnonzero(values.levels.isin(extra).to_numpy() & (True if kept is None else kept))
        raise ValueError(
            f"{name!r} leaves out the level{'' if len(extra) == 1 else 's'} {', '.join(map(repr, extra[:5]))} that "
            f"{rows_text(positions)} have; name all levels, or leave those rows out"
        )
    return values.given_levels


def _code(name: str, contrasts: Contrasts, levels: list[Any], reduced: bool) -> Coding:
    if not levels or (len(levels) == 1 and reduced):
        return Coding((), pick=np.empty(0, dtype=np.intp))
    pattern = contrasts.get_factor_format(levels, reduced_rank=reduced)
    fields = list(contrasts.get_coding_column_names(levels, reduced_rank=reduced))
    names = tuple(pattern.format(name=name, field=field) for field in fields)
    if isinstance(contrasts, TreatmentContrasts):
        place = {level: i for i, level in enumerate(levels)}
        return Coding(names, pick=np.array([place[field] for field in fields], dtype=np.intp))
    if not reduced and not isinstance(contrasts, CustomContrasts):
        return Coding(names, pick=np.arange(len(levels)))  # in full, every coding is by indicators
    table = np.asarray(contrasts.get_coding_matrix(levels, reduced_rank=reduced), dtype=np.float64)
    if table.shape != (len(levels), len(names)):
        raise ValueError(f"the contrasts have {table.shape[0]} rows")
    return Coding(names, table=table)
