"""What the checks have in common: when numbers agree, and how to say so."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from natfit.parametrizations.base import Array

NUMERICAL = 1e-6
"""Largest relative error of a numerical derivative or quadrature that passes; those that are right reach 1e-8."""

DRAWS = 100_000
"""Default number of Monte Carlo draws."""


def largest_z(count: int) -> float:
    """Return how many standard errors ``count`` unbiased estimates may be off.

    Chosen (by Bonferroni) so that one set in 100,000 would fail by chance.
    """
    from scipy.special import ndtri

    return float(-ndtri(0.5e-5 / max(count, 1)))


def z_scores(difference: ArrayLike, standard_error: ArrayLike) -> Array:
    """Return differences in standard errors; zero over zero is zero, and rounding of 1e-12 counts as zero."""
    size, error = np.abs(np.asarray(difference, dtype=float)), np.asarray(standard_error, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size <= 1e-12, 0.0, size / error)
