"""Evaluating the factors of a formula on a table.

A factor is one piece of a formula (``x``, ``log(x)``, ``C(color)``, ``bs(x, df=4)``); terms are products of factors.
Factors are evaluated on whole columns; what a transform learns (knots, centres) goes into ``state`` and is used again
for new data. Needs formulaic, so it is imported only where a formula is read.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from formulaic.parser.types import Factor
from formulaic.transforms import TRANSFORMS
from formulaic.utils.layered_mapping import LayeredMapping
from formulaic.utils.stateful_transforms import stateful_eval

from natfit.data.checks import did_you_mean
from natfit.data.formulas.computed import values_of
from natfit.data.formulas.expand import FactorPlan
from natfit.data.formulas.parse import first_line, parse_python
from natfit.data.formulas.patsy_spelling import NAMESPACE
from natfit.data.formulas.values import Values
from natfit.data.table import Table

HELD_BYTES = 64 << 20
"""Evaluated transforms held between the two passes over the factors; beyond this they are computed again, so that no
second copy of a large design is ever held."""

KNOWN_CALLS = {**TRANSFORMS, **NAMESPACE}


class Evaluator:
    """Evaluates factors on a table.

    Parameters
    ----------
    table : Table
    context : mapping
        Names that a formula may use besides columns: functions, and constants such as knots.
    state : dict
        What transforms have learned; filled while a design is built, read when it is built again for new data.
    """

    def __init__(self, table: Table, context: Mapping[str, Any], state: dict[str, Any]):
        self.table = table
        self.state = state
        self.used: dict[str, Any] = {}
        self._context = context
        self._factors: dict[str, Factor] = {}
        self._held: dict[str, Values] = {}
        self._bytes = 0

    def __call__(self, factor: Factor | str) -> Values:
        """Evaluate a factor of a formula, or an expression by itself (an exact column name comes first)."""
        if isinstance(factor, str):
            factor = Factor(factor, eval_method="lookup" if factor in self.table else "python")
        expression = factor.expr
        if factor.eval_method.value == "literal":
            return Values("constant", constant=float(ast.literal_eval(expression)))
        if factor.eval_method.value == "lookup":
            numbers = self.table.numbers(expression)
            if numbers is not None:
                column = numbers.astype(np.float64, copy=False)
                return Values("numeric", names=(expression,), columns={expression: column})
            return values_of(self.table, expression, self._lookup(expression))
        tree, text = parse_python(expression)
        names, outside = self._resolve(tree)
        rows = self._rows_for(tree, names, outside)
        table = self.table if rows is None else _Rows(self.table, rows)
        layers = LayeredMapping(
            LayeredMapping(table, name="data"), {"Q": table.__getitem__}, outside, NAMESPACE, TRANSFORMS
        )
        try:
            with np.errstate(all="ignore"):
                values = stateful_eval(text, layers, {text: None}, self.state, None)
        except Exception as error:
            raise ValueError(
                f"{expression!r} can't be computed from {self.table.what}: {type(error).__name__}: {first_line(error)}"
            ) from error
        return values_of(self.table, expression, values, rows)

    def learns_from(self, factor: Factor) -> list[str] | None:
        """Return the columns that a factor learns from (knots, centres), or None where it is computed row by row."""
        if factor.eval_method.value != "python":
            return None
        tree, _ = parse_python(factor.expr)
        names, outside = self._resolve(tree)
        env = LayeredMapping(dict.fromkeys(names), outside, NAMESPACE, TRANSFORMS)
        return sorted(names) if any(_learns(node, env) for node in ast.walk(tree)) else None

    def held(self, factor: Factor) -> Values:
        """Evaluate a factor and hold its numbers for ``numbers``; if they take too much room, they are let go."""
        values = self(factor)
        self._factors[factor.expr], self._held[factor.expr] = factor, values
        own = sum(column.nbytes for column in values.columns.values())
        if own and factor.eval_method.value == "lookup" and self._is_view(factor.expr):
            own = 0
        if self._bytes + own > HELD_BYTES:
            assert values.missing is None or values.missing.any()  # found before the numbers go
            values.columns = {}
        else:
            self._bytes += own
        return values

    def _is_view(self, name: str) -> bool:
        """Tell whether a column's numbers are the data's own."""
        numbers = self.table.numbers(name)
        return bool((self.table[name] if numbers is None else numbers).dtype == np.float64)

    def again(self, plan: FactorPlan) -> Values:
        """Evaluate a planned factor on new data; refuse it if it is of another kind there."""
        values = self.held(Factor(plan.expression, eval_method=plan.method))
        if values.kind != plan.kind and not (plan.kind == "categorical" and values.kind == "numeric"):
            raise ValueError(
                f"{plan.expression!r} was numbers when the model was fitted, and is levels or text in {self.table.what}"
            )
        if values.kind != plan.kind:
            if len(values.names) != 1:
                raise ValueError(f"{plan.expression!r} was levels when the model was fitted, and is not one column now")
            column = values.columns[values.names[0]]
            return Values("categorical", levels=pd.Series(column).astype("category"))
        if values.kind == "numeric" and not set(plan.coding(False).names) <= set(values.names):
            raise ValueError(
                f"{plan.expression!r} has other columns for {self.table.what} than when the model was fitted"
            )
        return values

    def numbers(self, name: str) -> dict[str, np.ndarray]:
        """Return a numeric factor's columns, as held or computed again."""
        return self._held[name].columns or self(self._factors[name]).columns

    def _lookup(self, name: str) -> Any:
        if name not in self.table:
            self._adopt(name)
        return self.table.column(name)

    def _adopt(self, name: str) -> bool:
        """Take a variable of the caller with one entry for each row into the table; new data must bring it along."""
        value: Any = self._context.get(name)
        found = not callable(value) and np.ndim(value) == 1 and len(value) == self.table.n_rows
        if found:
            self.table.add(name, value)
            self.used[name] = None
        return found

    def _resolve(self, tree: ast.AST) -> tuple[set[str], dict[str, Any]]:
        """Find the columns and the outside names that an expression uses; refuse what is neither."""
        calls = {
            node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        own |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        settings = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword)]  # as in knots=places
        constants = {n.id for value in settings for n in ast.walk(value) if isinstance(n, ast.Name)}
        columns: set[str] = set()
        outside: dict[str, Any] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q":
                columns.add(self._quoted(node))
            if not isinstance(node, ast.Name) or node.id in own:
                continue
            name = node.id
            if name in self.table:
                self.table.column(name)  # refused here, if it can't be read
                columns.add(name)
            elif name not in constants and self._adopt(name):
                columns.add(name)
            elif self._is_given(name, name in calls):
                outside[name] = self._context[name]
            elif not (name in KNOWN_CALLS or name == "Q" or hasattr(builtins, name)):
                self._refuse(name, name in calls, tree)
        self.used.update(outside)
        return columns, outside

    def _is_given(self, name: str, called: bool) -> bool:
        """Tell whether the caller has it; patsy's own functions, or a number where a call stands, don't count."""
        value: Any = self._context.get(name)
        if value is None:
            return False
        ours = name in KNOWN_CALLS or name == "Q"
        return not (
            ours and (str(getattr(value, "__module__", "")).startswith("patsy") or (called and not callable(value)))
        )

    def _quoted(self, call: ast.Call) -> str:
        argument = call.args[0] if call.args else None
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            raise ValueError(f"{ast.unparse(call)!r} must name one column, as in Q('weird name')")
        self.table.column(argument.value)
        return argument.value

    def _refuse(self, name: str, called: bool, tree: ast.AST) -> None:
        if called:
            near = did_you_mean(
                name, [*KNOWN_CALLS, *(each for each in self._context if callable(self._context[each]))]
            )
            raise ValueError(
                f"the formula calls {name}(), which is neither a transform nor a function in the caller's reach{near}"
            )
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in self.table:
                dotted = ast.unparse(node)
                raise ValueError(f"the column {dotted!r} has a dot in its name; write `{dotted}` in backquotes")
        self.table.column(name)

    def _rows_for(self, tree: ast.AST, columns: set[str], outside: dict[str, Any]) -> np.ndarray | None:
        """Find the rows a transform may learn from, where none of its columns is missing; None for all."""
        env = LayeredMapping(dict.fromkeys(columns), outside, NAMESPACE, TRANSFORMS)
        if not any(_learns(node, env) for node in ast.walk(tree)):
            return None
        mask = np.zeros(self.table.n_rows, dtype=bool)
        for name in columns:
            mask |= self.table[name].isna().to_numpy()
        return np.flatnonzero(~mask) if mask.any() else None


def _learns(node: ast.AST, env: Mapping[str, Any]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    target: Any = None
    if isinstance(node.func, ast.Name):
        target = env.get(node.func.id)
    return bool(getattr(target, "__is_stateful_transform__", False))


class _Rows(Mapping[str, Any]):
    """Some of the rows of a table."""

    def __init__(self, table: Table, rows: np.ndarray):
        self._table, self._rows = table, rows

    def __getitem__(self, name: str) -> Any:
        return self._table[name].iloc[self._rows]

    def __iter__(self) -> Any:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)
