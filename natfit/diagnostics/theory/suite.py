"""All six statements at one point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from natfit.diagnostics.report import Reports
from natfit.diagnostics.theory.direction import check_direction
from natfit.diagnostics.theory.entropy import check_cross_entropy
from natfit.diagnostics.theory.expansion import check_expansion
from natfit.diagnostics.theory.fisher import check_fisher
from natfit.diagnostics.theory.place import Place
from natfit.diagnostics.theory.score import check_score
from natfit.diagnostics.theory.steepest import check_steepest_descent
from natfit.diagnostics.theory.verdicts import DRAWS
from natfit.families.family import Coordinates


def check_theory(
    family: Any,
    params: ArrayLike,
    data: ArrayLike | None = None,
    parametrization: Coordinates = None,
    *,
    other: ArrayLike | None = None,
    draws: int = DRAWS,
    seed: int | np.random.Generator = 0,
) -> Reports:
    """Check at one point what the natural gradient rests on: six statements, each by computing both sides.

    Cross-entropy minus entropy is KL; its gradient is minus the expected score; its curvature is the Fisher
    information, three ways; half the quadratic form in it is KL between neighbours; on spheres of constant KL the best step
    is the natural gradient; and that is one direction in all parametrizations.

    Parameters
    ----------
    family : Family, class or str
        The family or its registered name.
    params : array_like, (q,)
        The point.
    data : array_like, (n, *event), optional
        Their average negative log-likelihood is the loss of the last two statements.
    parametrization : str or Parametrization, optional
        Coordinates in which ``params`` and ``other`` are given; home parameters where omitted.
    other : array_like, (q,), optional
        The second distribution of the first two statements, and where there are no data the target of the last two; a
        neighbour where omitted.
    draws, seed
        Of the Monte Carlo estimates.

    Returns
    -------
    Reports
        ``passed``, ``table()``, ``summary()``, ``plot()``, and each report by name.

    Raises
    ------
    TypeError
        If the family has no density in parameters of its own.
    ValueError
        If a point is outside the domain or of another length, the parametrization is unknown, the Fisher matrix is
        singular at the point, or data lie outside the support.

    Examples
    --------
    >>> reports = check_theory("gamma", [2.0, 0.5], draws=2_000)
    >>> reports.passed, len(reports)
    (True, 6)
    """
    place = Place(family, params, parametrization)
    at = (place.family, place.xi)
    target = other if data is None else None
    rng = np.random.default_rng(seed)
    return Reports(
        f"The theory at {place.text}",
        (
            check_cross_entropy(*at, other, parametrization, draws=draws, seed=rng),
            check_score(*at, other, parametrization, draws=draws, seed=rng),
            check_fisher(*at, parametrization, draws=draws, seed=rng),
            check_expansion(*at, parametrization),
            check_steepest_descent(*at, data, parametrization, target=target),
            check_direction(*at, data, parametrization, target=target),
        ),
    )
