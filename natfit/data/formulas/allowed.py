"""Which expressions a formula read from a file may hold: listed transforms of columns and constants, and nothing else.

A formula is Python. One that comes from a file is parsed and every piece of it looked at before anything is evaluated:
no attribute but a listed function of NumPy's, no call but of a listed transform or of a function that the reader trusts.
Needs formulaic, so it is imported only where a formula is read.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from natfit.data.formulas.evaluate import KNOWN_CALLS
from natfit.data.formulas.parse import parse_python

TRANSFORMS = frozenset(KNOWN_CALLS) - {"hashed", "np"} | {"Q"}
"""formulaic's own and natfit's; ``hashed`` would call a function that it is given."""
BUILTINS = frozenset({"abs", "bool", "float", "int", "max", "min", "round"})
CONTRASTS = frozenset({"treatment", "SAS", "sum", "helmert", "diff", "poly", "custom"})
FUNCTIONS = frozenset(
    {"clip", "round", "around", "where", "nan_to_num", "isin", "digitize", "interp", "select", "column_stack"}
    | {"mean", "std", "var", "median", "min", "max", "sum", "percentile", "quantile", "array", "asarray", "linspace"}
    | {"pi", "e", "inf", "nan", "real", "sinc"}
)
"""NumPy's that are no ufuncs: each makes numbers of numbers."""

_NODES = (
    *(
        ast.Expression,
        ast.Load,
        ast.Name,
        ast.Constant,
        ast.Call,
        ast.keyword,
        ast.Attribute,
        ast.List,
        ast.Tuple,
        ast.Dict,
    ),
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr, ast.BitXor),
    *(ast.UAdd, ast.USub, ast.Invert, ast.Not, ast.And, ast.Or),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
LONGEST = 10_000
"""Characters of an expression."""


def is_numeric_function(name: str, module: Any = np) -> bool:
    """Say whether a module's name is that of a function that makes numbers of numbers.

    Examples
    --------
    >>> is_numeric_function("log1p"), is_numeric_function("load")
    (True, False)
    """
    return isinstance(getattr(module, name, None), np.ufunc) or (module is np and name in FUNCTIONS)


def check_expression(
    expression: str, functions: Collection[str] = (), modules: Mapping[str, Any] | None = None
) -> None:
    """Refuse an expression that does more than transform columns by listed functions.

    Parameters
    ----------
    expression : str
        One factor of a formula.
    functions : collection of str
        Names besides those listed that may be called.
    modules : mapping of str to module
        Modules whose ufuncs may be called; NumPy is known as ``np``.

    Raises
    ------
    ValueError
        Names the piece that is not allowed.

    Examples
    --------
    >>> check_expression("bs(log(x), df=4) + np.sqrt(z)")
    >>> check_expression("__import__('os').system('true')")
    Traceback (most recent call last):
    ...
    ValueError: a saved formula may use listed transforms only, and "__import__('os').system('true')" has \
__import__('os').system
    """
    if len(expression) > LONGEST:
        raise ValueError(f"a saved formula's factor may have {LONGEST} characters, and this one has {len(expression)}")
    try:
        tree, _ = parse_python(expression)
        offending = next(
            filter(None, (_offence(node, set(functions), {"np": np, **(modules or {})}) for node in ast.walk(tree))),
            None,
        )
    except (RecursionError, MemoryError):
        raise ValueError("a saved formula's factor is nested too deeply to be looked through") from None
    if offending is not None:
        raise ValueError(f"a saved formula may use listed transforms only, and {expression!r} has {offending}")


def _offence(node: ast.AST, functions: set[str], modules: Mapping[str, Any]) -> str | None:
    """Return the text of a node that is not allowed, else None."""
    if not isinstance(node, _NODES):
        return ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
    if isinstance(node, ast.Name) and node.id.startswith("__"):
        return node.id
    if isinstance(node, ast.keyword) and node.arg is None:
        return "**"
    if isinstance(node, ast.Constant) and not isinstance(node.value, bool | int | float | str | None):
        return ast.unparse(node)
    if isinstance(node, ast.Attribute) and not _known_attribute(node, modules):
        return ast.unparse(node)
    if isinstance(node, ast.Call):
        called = node.func
        known = isinstance(called, ast.Attribute) or (  # attributes are looked at by themselves
            isinstance(called, ast.Name) and called.id in TRANSFORMS | BUILTINS | functions
        )
        return None if known else f"{ast.unparse(called)}()"
    if isinstance(node, ast.BinOp) and _grows(node):
        return ast.unparse(node)
    return None


def _known_attribute(node: ast.Attribute, modules: Mapping[str, Any]) -> bool:
    if not isinstance(node.value, ast.Name):
        return False
    if node.value.id == "contr":
        return node.attr in CONTRASTS
    return node.value.id in modules and is_numeric_function(node.attr, modules[node.value.id])


def _grows(node: ast.BinOp) -> bool:
    """Say whether constants alone may make something huge: repeated texts and lists, towers of powers."""
    sides = (node.left, node.right)
    if any(isinstance(side, ast.List | ast.Tuple | ast.Dict) for side in sides):
        return True
    if any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides):
        return True
    if not isinstance(node.op, ast.Pow) or any(isinstance(each, ast.Name) for each in ast.walk(node)):
        return False
    exponent = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    small = (
        isinstance(exponent, ast.Constant) and isinstance(exponent.value, int | float) and abs(exponent.value) <= 100
    )
    return not (small and isinstance(node.left, ast.Constant))
