"""Rows to predict for: the fit's own or new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.data.matrix import Columns

Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 65_536
"""Rows whose quadratic forms are computed at a time: no n-by-p product is held."""


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
        n = self.design.shape[0]
        parts = []
        for start in range(0, n, CHUNK):
            rows = self.design.rows(start, min(start + CHUNK, n)).dense()
            parts.append(np.einsum("ij,ij->i", rows @ cov, rows))
        return self._spread(np.concatenate(parts) if parts else np.zeros(0))

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
