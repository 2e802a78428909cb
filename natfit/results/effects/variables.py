"""The variables that a model's predictors are made of: kinds, levels, typical values, and rows of a design from them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from natfit.data.checks import did_you_mean
from natfit.data.matrix import Dense
from natfit.data.table import Table
from natfit.results.remembered import Variable, described

Array = np.ndarray[Any, np.dtype[Any]]

ENOUGH = 2_000_000
"""Rows that a grid may have: beyond, a sequence of values has been given for too many variables."""


class Variables:
    """What a fit's predictors are made of: columns of the formula's table, or of the design where there is no formula.

    Parameters
    ----------
    fit : GLMResults

    Attributes
    ----------
    names : list of str
        In the order of the formula.
    """

    def __init__(self, fit: Any):
        self.fit = fit
        self.data = fit.model.data
        self.formula = self.data.frozen is not None
        self.remembered = self.data.remembered
        gone = self.remembered is not None or (self.formula and self.data.table is None)
        self.has_rows = not gone
        self._table = Table(self.data.table) if self.formula and self.has_rows else None
        self._known = self._known_columns()
        self._levels: dict[str, list[Any]] = {}
        self._own: dict[str, Any] = {}
        self._about: dict[str, Variable] = {}
        if self.formula:
            self.names = self._of_formula()
        else:
            self.names = [name for name in map(str, self.data.names) if not self._constant(name)]

    def _known_columns(self) -> set[str] | None:
        """Return the columns that expressions may be made of; None where their names are not known."""
        if self._table is not None:
            return set(self._table)
        if self.remembered is not None:
            return set(self.remembered.variables)
        return None if self.formula else set()

    def _of_formula(self) -> list[str]:
        found: dict[str, None] = {}
        for plan in self.data.frozen.factors.values():
            for name in self._columns_in(plan.expression, plan.method == "lookup"):
                found.setdefault(name)
        return list(found)

    def _columns_in(self, expression: str, whole: bool = False) -> list[str]:
        """Return the columns that an expression is computed from, in their order."""
        if whole or expression in (self._known or ()):
            return [expression]
        # It imports formulaic, which takes a third of a second that a fit of arrays need not wait for.
        from natfit.data.formulas.parse import parse_python

        tree, _ = parse_python(expression)
        nodes = list(ast.walk(tree))
        texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        names = [n.id for n in nodes if isinstance(n, ast.Name)]
        if self._known is not None:
            return [name for name in [*names, *texts] if name in self._known]
        calls = [n for n in nodes if isinstance(n, ast.Call)]
        aside = {n.value.id for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
        aside |= {n.func.id for n in calls if isinstance(n.func, ast.Name)}
        aside |= {name for name, value in self.data.frozen.context.items() if value is not None}
        quoted = [n.args[0].value for n in calls if ast.unparse(n.func) == "Q" and isinstance(n.args[0], ast.Constant)]
        return [*(name for name in names if name not in aside), *map(str, quoted)]

    def _constant(self, name: str) -> bool:
        if self.remembered is None:
            column = self.column(name)
            return bool((column == column.iloc[0]).all())
        low, high = self.about(name).limits
        return low == high

    def require(self, names: Sequence[str]) -> list[str]:
        """Return names of variables, or refuse those that the predictors are not made of."""
        for name in names:
            if name not in self.names:
                near = did_you_mean(str(name), self.names)
                raise ValueError(f"the model's predictors have no variable {name!r}{near}")
        return list(names)

    def column(self, name: str) -> Any:
        """Return a column on the rows of the fit, a Series."""
        if name not in self._own:
            self._own[name] = self._look_up(name)
        return self._own[name]

    def _look_up(self, name: str) -> Any:
        import pandas as pd

        self.require_rows()
        if not self.formula:
            place = [str(each) for each in self.data.names].index(name)
            return pd.Series(_design_column(self.data.design, place), index=self.data.index, name=name)
        assert self._table is not None
        column = self._table.column(name)
        return column if self.data.kept is None else column[self.data.kept]

    def require_rows(self) -> None:
        """Refuse what is taken over the rows of the fit where they are gone."""
        if not self.has_rows:
            raise ValueError(
                "this fit holds no rows of its data, which an average or a typical value needs; give the rows as newdata=, "
                "or a value for every variable"
            )

    def all_names(self) -> list[str]:
        """Return the columns of a typical row: the variables, and what offset and exposure are made of."""
        columns = list(self.names) if self.formula else [str(name) for name in self.data.names]
        return list(dict.fromkeys([*columns, *self._carried()]))

    def about(self, name: str) -> Variable:
        """Return what a variable is like on the rows of the fit."""
        if name not in self._about:
            if self.remembered is not None:
                self._about[name] = self.remembered.variables[name]
            else:
                self._about[name] = described(self.column(name), self.levels(name), self.data.freq_weights)
        found = self._about[name]
        if found.levels is None and found.quartiles is None:
            self.require_rows()
        return found

    def from_design(self) -> dict[str, Variable]:
        """Return what the frozen design alone tells of the variables: the levels of some."""
        levels = {name: self.levels(name) for name in self.names}
        return {name: Variable(each, None if each is None else each[0]) for name, each in levels.items()}

    def limits(self, name: str, x: Array) -> tuple[float, float]:
        """Return the range of a number on the rows of the fit; that of ``x`` where nothing is known of them."""
        if not self.has_rows and (self.remembered is None or self.remembered.variables[name].quartiles is None):
            return float(x.min()), float(x.max())
        return self.about(name).limits

    def frame(self, more: Sequence[str] = ()) -> Any:
        """Return the fit's rows as a table: the variables, what offset and exposure are made of, and more columns."""
        import pandas as pd

        self.require_rows()
        index = pd.RangeIndex(self.data.n_rows) if self.data.index is None else self.data.index
        wanted = dict.fromkeys([*self.all_names(), *(more if self.formula else ())])
        return pd.DataFrame({name: self.column(name) for name in wanted}, index=index)

    def some(self, names: Sequence[str]) -> Any:
        """Return the fit's rows as a table of these columns only."""
        import pandas as pd

        index = pd.RangeIndex(self.data.n_rows) if self.data.index is None else self.data.index
        known = [str(name) for name in self.data.names]
        return pd.DataFrame({name: self.column(name) for name in names if name in known}, index=index)

    def _carried(self) -> list[str]:
        shifts = [self.data.expressions[name] for name in ("offset", "exposure") if name in self.data.expressions]
        return [name for expression in shifts for name in self._columns_in(expression)]

    def levels(self, name: str) -> list[Any] | None:
        """Return the levels of a variable that has any, the reference first; None for numbers."""
        if name not in self._levels:
            self._levels[name] = self._find_levels(name)
        return self._levels[name] or None

    def _find_levels(self, name: str) -> list[Any]:
        import pandas as pd

        if not self.formula:
            return []
        plans = [p for p in self.data.frozen.factors.values() if p.kind == "categorical"]
        coded = [p for p in plans if name in self._columns_in(p.expression, p.method == "lookup")]
        if self.remembered is not None:
            return list(self.remembered.variables[name].levels or ()) if name in self.remembered.variables else []
        if not self.has_rows:
            return list(coded[0].levels) if coded else []
        column = self.column(name)
        numeric = pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != bool
        if not coded and numeric:
            return []
        present = set(column.unique().tolist())
        for plan in coded:
            if present == set(plan.levels):
                return list(plan.levels)
        return sorted(present)

    def typical(self, names: Sequence[str], centre: str = "mean") -> dict[str, Any]:
        """Return one value of each column: a mean (or median) of numbers, the most frequent of levels."""
        return {name: self.about(name).typical(centre) for name in names}

    def grid(self, values: Mapping[str, Any], centre: str = "mean") -> Any:
        """Return a table of all combinations of values; other variables at their typical ones."""
        import pandas as pd

        columns = self.all_names()
        for name in values:
            if name not in columns:
                self.require([name])
        lists = {name: _listed(value) for name, value in values.items()}
        for name, listed in lists.items():
            self._check_levels(name, listed)
        count = int(np.prod([len(listed) for listed in lists.values()], dtype=float))
        if count > ENOUGH:
            raise ValueError(f"a grid of {count} rows is too large; give fewer values of {', '.join(lists)}")
        rest = self.typical([name for name in columns if name not in lists], centre)
        frame = (
            pd.MultiIndex.from_product(list(lists.values()), names=list(lists)).to_frame(index=False) if lists else None
        )
        frame = pd.DataFrame(index=range(1)) if frame is None else frame
        return frame.assign(**rest)[columns]

    def _check_levels(self, name: str, listed: Sequence[Any]) -> None:
        levels = self.levels(name)
        unknown = [] if levels is None else [value for value in listed if value not in levels]
        if unknown:
            shown = ", ".join(map(repr, levels or ()))
            raise ValueError(f"{name!r} has no level {unknown[0]!r}; its levels are {shown}")

    def own_rows(self, changed: Mapping[str, Any], known: Mapping[str, Any]) -> Any:
        """Return the fit's own rows of a design without a formula, some columns at other values; nothing is copied."""
        rows = self.fit.model.new_rows(None, False, **known)
        names = [str(name) for name in self.data.names]
        columns = {names.index(name): values for name, values in changed.items()}
        return replace(rows, design=_Changed(rows.design, columns)) if columns else rows

    def design(self, frame: Any, known: Mapping[str, Any]) -> Any:
        """Return rows of the design from a table, with their offsets; none of its values may be missing."""
        if self.formula:
            rows = self.fit.model.new_rows(frame, True, **known)
        else:
            names = [str(name) for name in self.data.names]
            missing = [name for name in names if name not in frame]
            if missing:
                raise ValueError(f"the new rows have no column {missing[0]!r}; the model's are {', '.join(names)}")
            rows = self.fit.model.new_rows(frame[names].to_numpy(dtype=float), False, **known)
        if rows.kept is not None:
            raise ValueError("rows that effects are taken over may not have missing values; drop or complete them")
        return rows


class _Changed:
    """A design with some columns at other values, put in when rows of it are made dense."""

    def __init__(self, whole: Any, columns: Mapping[int, Any]):
        self.whole, self.columns = whole, columns

    def rows(self, start: int, stop: int) -> _Changed:
        cut = {j: v if np.ndim(v) == 0 else np.asarray(v)[start:stop] for j, v in self.columns.items()}
        return _Changed(self.whole.rows(start, stop), cut)

    def dense(self) -> Array:
        made = np.array(self.whole.dense(), dtype=float)
        for j, values in self.columns.items():
            made[:, j] = values
        return made


def _design_column(design: Any, place: int) -> Array:
    """Return a column of a design without a product with all the others, where it lies there as one."""
    if isinstance(design, Dense):
        return design.array[:, place]
    pick = np.zeros(design.shape[1])
    pick[place] = 1.0
    return np.asarray(design.matvec(pick))


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) or np.ndim(value) == 0 else list(value)
