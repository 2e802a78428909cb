"""From formulas and tables that stream by to a source of blocks: the formulas are frozen, then the rows counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from natfit.data.block import Block
from natfit.data.design import build_design
from natfit.data.expand import FactorPlan
from natfit.data.recipe import Made, Recipe
from natfit.data.stream import StreamSource, checksum
from natfit.data.survey import (
    Rows,
    Survey,
    Surveyed,
    joined,
    learned,
    names_used,
    needed_columns,
    scouted,
    terms,
)
from natfit.data.tables import Tables


class Taken(Protocol):
    """A model's own data of one table's rows: what it makes of a `Made`."""

    @property
    def n_rows(self) -> int: ...
    @property
    def y(self) -> Any: ...
    def block(self) -> Block: ...


Take = Callable[[Made], Any]
"""From what a recipe makes of a table to a model's own data (`Taken`)."""
Description = tuple[dict[str, float], dict[str, tuple[float, float]]]
"""Sums over rows by name, and the least and the greatest value by name."""


@dataclass(frozen=True)
class Maker:
    """Makes a block of a table: what a pass runs, wherever the table lies.

    Parameters
    ----------
    recipe : Recipe
    take : callable
        From a `Made` to the model's data, as `Taken` has them; a function that can be pickled.
    """

    recipe: Recipe
    take: Take

    def data(self, table: Mapping[str, Any]) -> Any:
        """Return a table's rows as the model's data; None where none is kept."""
        made = self.recipe(table)
        return None if made is None else self.take(made)

    def __call__(self, table: Mapping[str, Any], number: int) -> Block | None:
        data = self.data(table)
        return None if data is None else data.block()


@dataclass
class Facts:
    """What the counting pass knows of the rows of some tables, and a sample of them."""

    n_rows: int
    n_missing: int
    checksum: int
    sums: dict[str, float]
    limits: dict[str, tuple[float, float]]
    scouts: list[Rows]

    def merge(self, other: Facts) -> Facts:
        if not self.n_rows or not other.n_rows:
            first = self if self.n_rows else other
            sums, limits = first.sums, first.limits
        else:
            sums = {name: value + other.sums[name] for name, value in self.sums.items()}
            limits = {
                n: (min(low, other.limits[n][0]), max(high, other.limits[n][1]))
                for n, (low, high) in self.limits.items()
            }
        return Facts(
            self.n_rows + other.n_rows,
            self.n_missing + other.n_missing,
            (self.checksum + other.checksum) % 2**64,
            sums,
            limits,
            scouted(self.scouts + other.scouts),
        )


@dataclass(frozen=True)
class Count:
    """Takes the facts of one table."""

    maker: Maker
    describe: Callable[[Any], Description]
    columns: tuple[str, ...]

    def __call__(self, table: Mapping[str, Any], number: int) -> Facts:
        given = len(next(iter(table.values())))
        data = self.maker.data(table)
        if data is None:
            return Facts(0, given, 0, {}, {}, [])
        sums, limits = self.describe(data)
        own = scouted([dict(table)])
        rows = [{name: part[name] for name in self.columns} for part in own]
        return Facts(data.n_rows, given - data.n_rows, checksum(data.y, number), sums, limits, rows)


class Frozen(NamedTuple):
    """Formulas frozen for some tables.

    Attributes
    ----------
    recipe : Recipe
    names : dict of str to list of str
        The columns of each design that are used.
    terms : dict of str to list of (str, slice)
    levels : list, optional
        Of a response that has some.
    columns : tuple of str
        The columns that are read.
    orders : dict of str to list
        Categories of the columns that came as such.
    """

    recipe: Recipe
    names: dict[str, list[str]]
    terms: dict[str, list[tuple[str, slice]]]
    levels: list[Any] | None
    columns: tuple[str, ...]
    orders: dict[str, Any]


def freeze(
    tables: Tables,
    formulas: Mapping[str, str],
    extras: Mapping[str, Any],
    context: Mapping[str, Any],
    drop_cols: Sequence[str] = (),
    many_levels: bool = False,
) -> Frozen:
    """Freeze formulas, one for each design by name: find levels and knots of all of them in one pass.

    Parameters
    ----------
    tables : Tables
    formulas : mapping of str to str
        The first names the response to the left of its ~; the others may name the same, or none.
    extras : mapping of str to str or None
        Columns or expressions for offset, weights and the like.
    context : mapping
        The caller's names.
    drop_cols : sequence of str
        Columns of the designs that are left out.
    many_levels : bool
        Whether a response of levels may have more than two.

    Raises
    ------
    ValueError
        In one sentence: a column is not there, an extra is an array and not a column, or there are no rows.
    """
    beside = {name: value for name, value in extras.items() if value is not None}
    for name, value in beside.items():
        if not isinstance(value, str):
            raise ValueError(
                f"{name} must name a column or an expression where the rows are streamed; an array can't follow them"
            )
    names, texts = tuple(tables.names), tuple(dict.fromkeys(formulas.values()))
    columns = tuple(needed_columns(texts, names, beside)) or names[:1]
    used = names_used(texts, names, beside)
    context = {name: context[name] for name in used if name in context}  # all else stays here, and need not travel
    survey = Survey(texts, names, columns, context, beside, tables.what)
    surveyed, all_seen = _look(tables, survey)
    return _freeze(tables, formulas, survey, surveyed, all_seen, drop_cols, many_levels)


def _look(tables: Tables, survey: Survey) -> tuple[Surveyed, bool]:
    """Look all tables over; where the first has numbers only, and nothing learns, it tells all there is to know."""
    first = next(iter(tables.scan(survey.columns)), None)
    if first is None:
        raise ValueError(f"there are no rows to fit; {tables.what} is empty")
    surveyed = survey(first, 0)
    if surveyed.n_rows and not surveyed.examples and not surveyed.learns:
        return surveyed, False
    return tables.total(survey, survey.columns), True


def _freeze(
    tables: Tables,
    formulas: Mapping[str, str],
    survey: Survey,
    surveyed: Surveyed,
    all_seen: bool,
    drop_cols: Sequence[str],
    many_levels: bool,
) -> Frozen:
    """Build the formulas' designs from a row for every level, with what their transforms learn."""
    if surveyed.n_rows == 0:
        raise ValueError(f"there are no rows to fit; all {surveyed.n_missing} of {tables.what} have a missing value")
    state = learned(tables, surveyed, survey) if all_seen else {}
    rows = [*surveyed.example_rows(), *surveyed.scouts[:1]]
    prototype = joined(rows, survey.columns, surveyed.orders)
    made = {
        text: build_design(
            text,
            prototype,
            context=survey.context,
            layout="dense",
            order="patsy",
            many_levels=many_levels,
            state=state,
        )
        for text in survey.formulas
    }
    first = next(iter(formulas.values()))
    if made[first].y is None:
        raise ValueError(f"the formula {first!r} names no response; write one to the left of ~, as in 'y ~ x'")
    left, _ = terms(first, survey.names)
    response = tuple((factor.expr, factor.eval_method.value) for term in left for factor in term.factors)
    found, levels = made[first].y_levels, None
    if found is not None:
        levels = FactorPlan(response[0][0], "categorical", response[0][1], tuple(found))
    gone = set(drop_cols)
    names, chosen = {}, {}
    for name, text in formulas.items():
        places = tuple(j for j, column in enumerate(made[text].column_names) if column not in gone)
        names[name] = [made[text].column_names[j] for j in places]
        if gone:
            chosen[name] = places
    designs = {name: made[text].design for name, text in formulas.items()}
    recipe = Recipe(response, designs, dict(survey.extras), levels, tables.what, chosen)
    slices = {name: list(made[text].terms) for name, text in formulas.items()}
    return Frozen(recipe, names, slices, found, survey.columns, surveyed.orders)


class Counted(NamedTuple):
    """Rows that have been counted: the source of blocks, what is known of the rows, and what makes blocks of tables."""

    stream: StreamSource
    facts: Facts
    maker: Maker


def count_rows(
    tables: Tables, frozen: Frozen, take: Take, describe: Callable[[Any], Description], missing: str
) -> Counted:
    """Count the rows of all tables in one pass, describe them, and keep a sample of them.

    Parameters
    ----------
    tables : Tables
    frozen : Frozen
    take : callable
        From a `Made` to the model's own data (`Taken`).
    describe : callable
        From these data to sums and limits by name.
    missing : {"drop", "raise", "none"}

    Raises
    ------
    ValueError
        There are no rows, or rows miss values that may not.
    """
    facts = tables.total(Count(Maker(frozen.recipe, take), describe, frozen.columns), frozen.columns)
    if facts is None or facts.n_rows == 0:
        raise ValueError(f"there are no rows to fit; {tables.what} has none without a missing value")
    if facts.n_missing and missing != "drop":
        raise ValueError(
            f"missing values in {facts.n_missing} row(s) of {tables.what}; drop those rows with missing='drop', or fill "
            "them in"
        )
    maker = Maker(frozen.recipe.for_rows(facts.n_rows), take)
    scouts = maker(joined(facts.scouts, frozen.columns, frozen.orders), 0)
    stream = StreamSource(tables, frozen.columns, maker, facts.n_rows, facts.checksum, scouts)
    return Counted(stream, facts, maker)
