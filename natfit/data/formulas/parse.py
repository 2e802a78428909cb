"""Reading a formula: its terms, and the Python inside them; every refusal in one sentence.

Needs formulaic, so it is imported only where a formula is read.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from formulaic import Formula
from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser, DefaultOperatorResolver
from formulaic.parser.types import Operator, Term
from formulaic.utils.code import UNQUOTED_BACKTICK_MATCHER

from natfit.data.formulas.patsy_spelling import refuse_unknown_spelling


class _Operators(DefaultOperatorResolver):
    """Formulaic's operators, but that a power's own terms stand before their products, as in patsy."""

    @property
    def operators(self) -> list[Operator]:
        return [
            Operator(
                each.symbol,
                arity=each.arity,
                precedence=each.precedence,
                associativity=each.associativity,
                to_terms=_sorted_power(each.to_terms),
            )
            if each.symbol in ("**", "^")
            else each
            for each in super().operators
        ]


def _sorted_power(power: Callable[..., Any]) -> Callable[..., Any]:
    def terms(base: Any, exponent: Any) -> Any:
        made = power(base, exponent)
        return type(made)(sorted(made, key=lambda term: 0 if term in base else term.degree))

    return terms


_PARSER = DefaultFormulaParser(operator_resolver=_Operators())


def parse_formula(formula: str, columns: Iterable[str]) -> tuple[list[Term], list[Term]]:
    """Read a formula into the terms of its left and right sides, in the order written.

    Parameters
    ----------
    formula : str
    columns : iterable of str
        Names of the data, which ``.`` stands for.

    Raises
    ------
    ValueError
        It can't be read, has more than one part (``|``), or calls what only patsy or R knows.

    Examples
    --------
    >>> left, right = parse_formula("y ~ x + C(g)", ["y", "x", "g"])
    >>> [str(term) for term in right]
    ['1', 'x', 'C(g)']
    """
    if not isinstance(formula, str):
        raise TypeError(f"a formula is text, as in 'y ~ x'; got {type(formula).__name__}")
    try:
        parsed: Any = Formula(
            formula, _parser=_PARSER, _ordering="none", _context={"__formulaic_variables_available__": list(columns)}
        )
    except (FormulaicError, SyntaxError) as error:
        raise ValueError(f"can't read the formula {formula!r}: {first_line(error)}{_comparison(formula)}") from None
    left, right = (getattr(parsed, "lhs", None), parsed.rhs) if hasattr(parsed, "rhs") else (None, parsed)
    if isinstance(right, tuple) or isinstance(left, tuple):
        raise ValueError(f"the formula {formula!r} has several parts (|), and here one predictor is wanted")
    sides = list(left or []), list(right)
    for side in sides:
        for term in side:
            for factor in term.factors:
                if factor.eval_method.value == "python":
                    parse_python(factor.expr)
    return sides


def first_line(error: BaseException) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text.rstrip(".").replace("insuffient", "insufficient")


def _comparison(formula: str) -> str:
    return "; write comparisons inside I(), as in I(x > 0)" if set("<>") & set(formula) or "==" in formula else ""


def parse_python(expression: str) -> tuple[ast.Expression, str]:
    """Parse a factor's Python; names in backquotes become calls of ``Q``.

    Formulaic gives such names an alias, and keeps what a transform learned under it: two columns may share one.
    """
    parts = iter(UNQUOTED_BACKTICK_MATCHER.split(expression))
    text = "".join(f"Q({_until_backquote(parts)!r})" if part == "`" else part for part in parts)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"can't read {expression!r} in the formula: {error.msg}") from None
    refuse_unknown_spelling(text.strip())
    return tree, text.strip()


def _until_backquote(parts: Iterator[str]) -> str:
    return "".join(iter(lambda: next(parts, "`"), "`"))
