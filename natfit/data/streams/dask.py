"""A Dask DataFrame as a run of tables: one graph for each pass, whose sums are added up in a tree where the rows lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from natfit.data.streams.tables import Columns, Tables

T = TypeVar("T")

FAN = 8
"""Partitions whose sums one task adds up: of a thousand partitions the sums then meet in four steps."""


class DaskTables(Tables):
    """The partitions of a Dask DataFrame, evaluated where they are, by whatever scheduler is in charge.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
    formula : str, optional
    """

    what = "the Dask DataFrame"

    def __init__(self, frame: Any, formula: str | None = None):
        self.frame, self.formula = frame, formula

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.frame.columns]

    def scan(self, columns: Sequence[str]) -> Iterator[Columns]:
        """Yield the partitions one by one, each brought here and let go."""
        for part in self.frame[list(columns)].to_delayed():
            yield _columns(part.compute())

    def each(self, function: Callable[[Columns, int], T], columns: Sequence[str]) -> Iterator[T]:
        """Yield ``function(partition, number)`` in order; all are computed in one graph."""
        import dask

        yield from dask.compute(*self._tasks(function, columns))

    def total(self, function: Callable[[Columns, int], Any], columns: Sequence[str]) -> Any:
        """Return the merged results: one graph, added up in the order of the partitions by a tree of tasks.

        A task that is lost with its worker is run again from its partition, so nothing is counted twice: only the graph's
        one result is ever looked at.
        """
        import dask

        level = self._tasks(function, columns)
        if not level:
            return None
        merge = dask.delayed(_merged, pure=False)
        while len(level) > 1:
            level = [merge(level[at : at + FAN]) for at in range(0, len(level), FAN)]
        return level[0].compute()

    def _tasks(self, function: Callable[[Columns, int], Any], columns: Sequence[str]) -> list[Any]:
        import dask

        parts = self.frame[list(columns)].to_delayed(optimize_graph=True)
        apply = dask.delayed(_apply, pure=False)
        shared = dask.delayed(function, traverse=False)  # sent once, not with every partition
        return [apply(shared, part, number) for number, part in enumerate(parts)]


def from_dask(frame: Any, formula: str | None = None) -> DaskTables:
    """Make a streamed source of a Dask DataFrame: passes run on its scheduler, be it threads or a cluster.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
        Divided so that a partition fits into a worker's memory a few times over.
    formula : str, optional
        Kept for `natfit.GLM.from_formula`, which may then be given None.

    Returns
    -------
    DaskTables

    Raises
    ------
    ImportError
        dask is not installed.
    TypeError
        It is no Dask DataFrame.

    Examples
    --------
    >>> import natfit as nf
    >>> nf.GLM.from_formula("y ~ x", nf.data.from_dask(frame), family="poisson").fit()  # doctest: +SKIP
    """
    try:
        import dask.dataframe as dd
    except ImportError:
        raise ImportError('Dask sources need dask; install it with: pip install "natfit[dask]"') from None
    if not isinstance(frame, dd.DataFrame):
        raise TypeError(
            f"from_dask takes a dask.dataframe.DataFrame, got {type(frame).__name__}; use from_frame for others"
        )
    return DaskTables(frame, formula)


def _apply(function: Callable[[Columns, int], T], part: Any, number: int) -> T:
    return function(_columns(part), number)


def _columns(part: Any) -> Columns:
    return {name: part[name].reset_index(drop=True) for name in part.columns}


def _merged(parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total.merge(part)
    return total
