"""A distributional regression's data where the rows stream by: counted and checked in a first pass, never held together."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from natfit.data.block import Block
from natfit.data.streams.counting import Counted, Description
from natfit.data.streams.freezing import Frozen
from natfit.data.streams.recipe import Made
from natfit.data.streams.stream import StreamedDesign, StreamSource
from natfit.families.distributional.base import DistributionalFamily
from natfit.models.distributional.bind import check_columns
from natfit.models.distributional.data import DistributionalData

Array = np.ndarray[Any, np.dtype[Any]]


class Response(NamedTuple):
    """Makes of a table's responses what the family wants: of classes, counts.

    Parameters
    ----------
    family : DistributionalFamily
        As it was before it had a response.
    name : str
    levels : sequence, optional
    examples : (m,) or (m, d) ndarray
        Responses that show every class, since one table may lack some; none for other families.
    """

    family: DistributionalFamily
    name: str
    levels: Any
    examples: Array

    def bound(self) -> DistributionalFamily:
        """Return the family as it is for the examples."""
        return self.family.bind(self.examples, self.name, self.levels)[0]

    def __call__(self, y: Array) -> Array:
        if not self.family.shared_predictors:
            return self.family.bind(y, self.name, self.levels)[1]
        if y.ndim == 2:
            family = self.bound()
            return family.support.check(family.name, y, self.name)
        whole = np.concatenate([y, self.examples])
        return self.family.bind(whole, self.name, self.levels)[1][: len(y)]


def take(response: Response, made: Made) -> DistributionalData:
    """Return a table's rows as a distributional regression's data."""
    offsets = {name.partition(":")[2]: each for name, each in made.extras.items() if name.startswith("offset:")}
    weights = made.extras.get("freq_weights")
    data = DistributionalData(response(made.y), response.name, made.designs, {}, offsets, weights)
    check_columns(data)
    return data


def describe(data: DistributionalData) -> Description:
    """Return the number of observations, and of classes how many are of each."""
    sums = {"count": data.count()}
    if data.y.ndim == 2:
        sums |= {f"class {j}": float(total) for j, total in enumerate(data.y.sum(axis=0))}
    return sums, {}


class StreamedDistributional:
    """Data as `natfit.models.distributional.data.DistributionalData` has them; what is of all rows takes a pass.

    Parameters
    ----------
    counted : Counted
    frozen : Frozen
    formulas : dict of str to str
    """

    labelled = True
    index = kept = table = None

    def __init__(self, counted: Counted, frozen: Frozen, formulas: Mapping[str, str]):
        recipe = counted.maker.recipe
        self.stream, self.facts, self.rows = counted.stream, counted.facts, counted.rows
        self.y_name, self.formulas = recipe.y_name, dict(formulas)
        self.names, self.terms, self.frozen = frozen.names, frozen.terms, dict(recipe.designs)
        made = {
            id(design): StreamedDesign(self.stream, len(frozen.names[name]), name)
            for name, design in recipe.designs.items()
        }
        self.designs: dict[str, Any] = {name: made[id(design)] for name, design in recipe.designs.items()}
        self.n_missing, self.n_rows = self.facts.n_missing, self.facts.n_rows
        texts = {name.partition(":")[2]: text for name, text in recipe.extras.items() if name.startswith("offset:")}
        self.expressions, self.offsets = texts, Gathered(self.stream, [f"offset:{name}" for name in texts])
        self._weighted = "freq_weights" in recipe.extras

    @property
    def y(self) -> Array:
        return gathered(self.stream, "y")

    @property
    def freq_weights(self) -> Array | None:
        return gathered(self.stream, "freq_weights") if self._weighted else None

    def count(self) -> float:
        """Return the number of observations: the sum of the frequency weights."""
        return self.facts.sums["count"]

    def weight(self) -> Array | None:
        """Return the weights of the rows: their frequencies."""
        return self.freq_weights

    def source(self, n_jobs: int | None = None) -> StreamSource:
        """Return the rows as a source of blocks."""
        return self.stream

    def in_memory(self) -> DistributionalData:
        """Return the rows that were kept as a sample: constants and single rows' starts are found there."""
        block = self.stream.scouts
        assert block is not None
        columns = dict(block.columns)
        offsets = {name: columns[f"offset:{name}"] for name in self.expressions}
        return DistributionalData(
            columns["y"], self.y_name, dict(block.designs), self.names, offsets, columns.get("freq_weights")
        )


class Gathered(Mapping[str, Array]):
    """Columns of all rows by parameter, each gathered in a pass when it is looked up."""

    def __init__(self, stream: StreamSource, names: list[str]):
        self._stream, self._names = stream, {name.partition(":")[2]: name for name in names}

    def __getitem__(self, name: str) -> Array:
        return gathered(self._stream, self._names[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def gathered(stream: StreamSource, name: str) -> Array:
    """Return a column of all rows, in one pass."""
    return np.concatenate(list(stream.map(functools.partial(_column, name))))


def _column(name: str, block: Block) -> Array:
    return block.columns[name]
