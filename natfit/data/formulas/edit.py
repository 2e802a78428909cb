"""Editing formulas: R's ``update``, where ``.`` stands for what was there.

Needs formulaic, so it is imported only where a formula is read.
"""

from __future__ import annotations

from collections.abc import Iterable

from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import Term

from natfit.data.formulas.parse import parse_formula


def edit_formula(old: str, new: str, columns: Iterable[str]) -> str:
    """Return a formula with another's changes made to it.

    Parameters
    ----------
    old : str
    new : str
        ``.`` stands for the old formula's left or right side; a formula without ``~`` is a right side.
    columns : iterable of str
        Names of the data, which a ``.`` in the old formula stood for.

    Returns
    -------
    str
        Its terms written out, in their order.

    Examples
    --------
    >>> edit_formula("y ~ x + z", "log(.) ~ . - x + .:w", ["y", "x", "z", "w"])
    'log(y) ~ z + x:w + z:w'
    >>> edit_formula("y ~ 0 + x", "~ . + z", ["y", "x", "z"])
    'y ~ 0 + x + z'
    """
    if not isinstance(new, str):
        raise TypeError(f"a formula is text, as in '~ . + z'; got {type(new).__name__}")
    columns = list(columns)
    response = _split(old)[0]
    terms = parse_formula(old, columns)[1]
    left, right = _split(new)
    left = response if left is None else _replace(left, response or "")
    others = [term_text(term) for term in terms if str(term) != "1"]
    filled = _replace(right, f"({' + '.join(others)})" if others else "1" if terms else "0")
    if filled != right and len(others) == len(terms):
        filled = f"0 + {filled}"  # the old formula had no constant, and the new one says nothing of it
    made = parse_formula(filled, columns)[1]
    return f"{left} ~ {right_side(made)}" if left else f"~ {right_side(made)}"


def widen_formula(old: str, scope: str, columns: Iterable[str]) -> str | None:
    """Return a formula with another's terms besides its own, or None where it has them all.

    Examples
    --------
    >>> widen_formula("y ~ x", "~ x*z", ["y", "x", "z"])
    'y ~ x + z + x:z'
    """
    columns = list(columns)
    known = parse_formula(old, columns)[1]
    wanted = parse_formula(edit_formula(old, scope, columns), columns)[1]
    further = [term_text(term) for term in wanted if term not in known and str(term) != "1"]
    return edit_formula(old, f"~ . + {' + '.join(further)}", columns) if further else None


def choose_terms(old: str, names: Iterable[str], columns: Iterable[str]) -> str:
    """Return a formula with only some of its terms, by their names, and the constant if it has one.

    Examples
    --------
    >>> choose_terms("y ~ x + z + x:z", ["z"], ["y", "x", "z"])
    'y ~ z'
    """
    wanted = set(names)
    terms = [term for term in parse_formula(old, columns)[1] if str(term) in wanted or str(term) == "1"]
    return f"{_split(old)[0]} ~ {right_side(terms)}"


def right_side(terms: Iterable[Term]) -> str:
    """Write terms out as the right side of a formula.

    Examples
    --------
    >>> right_side(parse_formula("y ~ a*b - 1", [])[1])
    '0 + a + b + a:b'
    """
    names = [term_text(term) for term in terms]
    if "1" not in names:
        return " + ".join(["0", *names])
    return " + ".join(name for name in names if name != "1") or "1"


def term_text(term: Term) -> str:
    """Write a term as a formula would; a column whose name is no identifier in backquotes."""
    return ":".join(
        f"`{factor.expr}`" if factor.eval_method.value == "lookup" and not factor.expr.isidentifier() else factor.expr
        for factor in term.factors
    )


def _split(formula: str) -> tuple[str | None, str]:
    """Return the left and the right side of a formula as they are written."""
    for token in tokenize(formula):
        if str(token) == "~" and token.kind.value == "operator" and token.source_start is not None:
            return formula[: token.source_start].strip() or None, formula[token.source_start + 1 :]
    return None, formula


def _replace(side: str, old: str) -> str:
    """Put what was there in the place of each dot that stands by itself, also inside a call of one function."""
    made = side
    for token in list(tokenize(side))[::-1]:
        start, stop = token.source_start, token.source_end
        if start is None or stop is None:
            continue
        if str(token) == ".":
            made = made[:start] + old + made[stop + 1 :]
        elif token.kind.value == "python" and "(.)" in str(token):
            made = made[:start] + str(token).replace("(.)", f"({old})") + made[stop + 1 :]
    return made
