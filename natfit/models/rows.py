"""Rows to predict for: the fit's own or new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.checks import check_lengths, where
from natfit.data.matrix import Columns
from natfit.data.numbers import as_column
from natfit.data.streams.stream import quadratic
from natfit.data.streams.tables import Tables
from natfit.results.remembered import had

if TYPE_CHECKING:
    from natfit.models.glm import GLM

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class NewRows:
    """A design with its offset and labels.

    Parameters
    ----------
    design : Columns
        (m, p).
    offset : (m,) ndarray, optional
        Of all rows given, as are ``index`` and ``kept``.
    index : optional
        Row labels, where the rows came as a table.
    kept : (n,) bool, optional
        Which of the n rows given the design holds; None for all. The others lack a value, and what is computed for
        them is NaN.
    """

    design: Columns
    offset: Array | None = None
    index: Any = None
    kept: Array | None = None

    def matvec(self, params: Array) -> Array:
        """Return X params + offset, (n,)."""
        eta = self._spread(self.design.matvec(params))
        return np.array(eta) if self.offset is None else eta + self.offset

    def quadratic(self, cov: Array) -> Array:
        """Return x' cov x of each row, (n,)."""
        streamed = getattr(self.design, "quadratic", None)
        return self._spread(quadratic(cov, self.design) if streamed is None else streamed(cov))

    def pieces(self, step: int) -> Iterator[tuple[int, Array, Array | None]]:
        """Yield runs of at most ``step`` of the design's rows: where each begins, its rows, and an offset that streams."""
        streamed = getattr(self.design, "pieces", None)
        if streamed is None:
            for start in range(0, self.design.shape[0], step):
                yield start, self.design.rows(start, min(start + step, self.design.shape[0])).dense(), None
            return
        before = 0
        for rows, offset in streamed():
            for start in range(0, len(rows), step):
                part = slice(start, start + step)
                yield before + start, rows[part], None if offset is None else offset[part]
            before += len(rows)

    def _spread(self, values: Array) -> Array:
        """Put the values of the design's rows in their places among the rows given."""
        if self.kept is None:
            return values
        full = np.full(len(self.kept), np.nan)
        full[self.kept] = values
        return full

    def label(self, values: Array) -> Any:
        """Give values the rows' labels, if they have any."""
        if self.index is None:
            return values
        import pandas as pd

        return pd.Series(values, index=self.index)


def row_column(model: GLM, rows: NewRows, name: str, given: Any, exog: Any) -> Array | None:
    """Return the trials or the precision weights of rows to predict for, (n,), or None where no row has any.

    Those given; else those that the model's own expression gives in the new table; else, for the model's own rows, its
    own.

    Raises
    ------
    ValueError
        If the model's rows have them and the new ones don't say, or they are not greater than 0.
    """
    own = getattr(model.data, name) if exog is None else None
    given = model.data.expressions.get(name) if given is None and exog is not None else given
    n_rows = rows.design.shape[0] if rows.kept is None else len(rows.kept)
    if given is None:
        if exog is not None and had(model.data, name):
            raise ValueError(f"the model's rows have {name}, on which the answer depends; give {name}= of the new rows")
        return own
    if isinstance(given, str):
        if exog is None or model.data.frozen is None:
            raise ValueError(
                f"{name}={given!r} names a column, which needs a formula's model and new rows; give numbers"
            )
        streamed: Any = rows.design
        given = streamed.column(given) if isinstance(exog, Tables) else model.data.frozen.evaluate(given, exog)
    column = np.full(n_rows, float(given)) if np.ndim(given) == 0 else as_column(name, given, rows.index)
    check_lengths({"exog": n_rows, name: len(column)})
    if (column <= 0.0).any():
        raise ValueError(f"{name!r} must be greater than 0, and is not in {where(column <= 0.0)}; mend the values")
    return column
