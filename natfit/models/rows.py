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
    index : optional
        Row labels, where the rows came as a pandas table.
    """

    design: Columns
    offset: Array | None = None
    index: Any = None

    def matvec(self, params: Array) -> Array:
        """Return X params + offset, (m,)."""
        eta = self.design.matvec(params)
        return np.array(eta) if self.offset is None else eta + self.offset

    def quadratic(self, cov: Array) -> Array:
        """Return x' cov x of each row, (m,)."""
        n = self.design.shape[0]
        parts = []
        for start in range(0, n, CHUNK):
            rows = self.design.rows(start, min(start + CHUNK, n)).dense()
            parts.append(np.einsum("ij,ij->i", rows @ cov, rows))
        return np.concatenate(parts) if parts else np.zeros(0)

    def label(self, values: Array) -> Any:
        """Give values the rows' labels, if they have any."""
        if self.index is None:
            return values
        import pandas as pd

        return pd.Series(values, index=self.index)
