"""Information criteria of a fit that counts its free parameters."""

from __future__ import annotations

from typing import Any

import numpy as np


class Criteria:
    """Mixed into a fit with ``llf``, ``df`` and ``nobs``."""

    llf: float
    nobs: float
    df: Any

    @property
    def aic(self) -> float:
        """-2 llf + 2 df; smaller is better."""
        return -2.0 * self.llf + 2.0 * self.df

    @property
    def bic(self) -> float:
        """-2 llf + log(nobs) df; smaller is better."""
        return float(-2.0 * self.llf + np.log(self.nobs) * self.df)
