"""Spellings of formulas that patsy or R knows and formulaic does not: translated, or refused with formulaic's own.

Formulaic itself reads most of patsy: ``C``, ``Treatment``, ``Sum``, ``Helmert``, ``Diff``, ``Poly``, ``Q``, ``I``,
``center``, ``standardize``, ``bs``, ``cr``, ``cc``, and all operators. Added here:

- ``C(a, Treatment)`` without parentheses, and ``Treatment(1)`` for the level at a position, where levels are not
  numbers;
- ``Q("name")`` inside another call, as in ``center(Q("weird name"))``;
- ``cbind(a, b)`` on the left, as R has it, besides patsy's ``a + b``.

Where the two differ and both make sense, natfit does what formulaic does: ``scale`` divides by the standard deviation
with n - 1, as R does (patsy's has n, which ``standardize`` gives here too); the columns of ``bs`` and ``cr`` count
from 1 (patsy: 0); those of ``Poly`` are called ``[.L]`` (patsy: ``.Linear``), those of ``Diff`` after the later level.
Booleans are factors, ``flag[T.True]``, as in patsy and R. Terms stay in the order written, within their degree (patsy
has its own order, see ``build_design``).

Needs formulaic, so it is imported only where a formula is read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from formulaic.transforms.contrasts import C as formulaic_C
from formulaic.transforms.contrasts import Contrasts, CustomContrasts, TreatmentContrasts

REFUSED = {
    "te": "tensor-product splines are not available; write the interaction, as in cr(x, df=4):cr(z, df=4)",
    "offset": "give the offset as an argument, as in offset='log(service)'",
    "hashed": "hashing of levels is not available; write C(x)",
    "ns": "write cr(x, df=4) for a natural cubic spline, or bs(x, df=4)",
    "s": "smooth terms with a penalty are not available; write cr(x, df=4) or bs(x, df=4)",
    "factor": "write C(x)",
    "relevel": "write C(x, contr.treatment('b')) or C(x, Treatment('b'))",
    "contr_treatment": "write C(x, contr.treatment('b'))",
    "ContrastMatrix": "write C(x, contr.custom(array))",
}
"""Functions of patsy and R that a formula can't call, and what to write instead."""


class PatsyTreatment(TreatmentContrasts):
    """Treatment coding whose reference may be a level or, as in patsy, the position of one."""

    @Contrasts.override
    def _find_base_index(self, levels: Sequence[Hashable]) -> int:
        base = self.base
        if isinstance(base, int) and not isinstance(base, bool) and base not in levels:
            numbers = any(isinstance(level, int | float | np.number) for level in levels)
            if not numbers and -len(levels) <= base < len(levels):
                return base % len(levels)
        return super()._find_base_index(list(levels))


def Treatment(reference: Any = None) -> PatsyTreatment:
    """Code a factor by indicators of all levels but the reference, the first one if none is given."""
    return PatsyTreatment() if reference is None else PatsyTreatment(base=reference)


def C(data: Any, contrasts: Any = None, *, levels: Iterable[Any] | None = None, spans_intercept: bool = True) -> Any:
    """Mark a column as a factor, and keep its contrasts and levels where they can be read later.

    ``levels`` also serves as the second argument that patsy allows: ``C(x, levels=[...])``.
    """
    values = formulaic_C(data, contrasts, levels=levels, spans_intercept=spans_intercept)
    encoder: Any = values.__formulaic_metadata__.encoder
    encoder.contrasts = as_contrasts(contrasts)
    encoder.levels = None if levels is None else list(levels)
    return values


def as_contrasts(contrasts: Any) -> Contrasts:
    """Make a contrasts object of what stands second in ``C(x, ...)``."""
    if contrasts is None or contrasts is Treatment:
        return TreatmentContrasts()
    if isinstance(contrasts, type) and issubclass(contrasts, Contrasts):
        return contrasts()
    if isinstance(contrasts, Contrasts):
        return contrasts
    if callable(contrasts):
        raise TypeError(f"{getattr(contrasts, '__name__', contrasts)} is not a way to code a factor")
    return CustomContrasts(contrasts)


def cbind(*columns: Any) -> np.ndarray:
    """Put columns side by side, as R's ``cbind(successes, failures)``."""
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])


NAMESPACE: dict[str, Callable[..., Any]] = {"C": C, "Treatment": Treatment, "cbind": cbind}
"""What a formula may call besides formulaic's own transforms."""


def refuse_unknown_spelling(expression: str) -> None:
    """Refuse a call that only patsy or R knows.

    Raises
    ------
    ValueError
        Says how formulaic spells it.

    Examples
    --------
    >>> refuse_unknown_spelling("te(x, z)")
    Traceback (most recent call last):
    ...
    ValueError: a formula can't call te(); tensor-product splines are not available; write the interaction, as in \
cr(x, df=4):cr(z, df=4)
    """
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSED:
            raise ValueError(f"a formula can't call {node.func.id}(); {REFUSED[node.func.id]}")
