"""From starts to a maximum: the one loop over starting points that every kind of fit shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import Objective
from natfit.optimize.optimizer import run

if TYPE_CHECKING:
    from natfit.models.fitting import Settings

Array = np.ndarray[Any, np.dtype[Any]]


def maximize_from(
    starts: Iterator[Array], objective: Objective, settings: Settings, optimizer: Any, *, inside: str, to_the_top: bool
) -> Outcome:
    """Maximize from the first start that lies inside the domain.

    Parameters
    ----------
    starts : iterator of (p,) ndarray
    objective, settings, optimizer
    inside : str
        What the error asks for where no start serves: "every fitted mean inside ...: give ...".
    to_the_top : bool
        Whether to go on to the next start where the optimizer did not converge, and to return the best if none did.

    Raises
    ------
    OutsideDomain
        If no start lies inside.
    """
    best: Outcome | None = None
    for start in starts:
        try:
            outcome = run(
                optimizer,
                objective,
                start,
                stop=settings.stop,
                max_iterations=settings.max_iterations,
                callback=settings.callback,
            )
        except OutsideDomain:
            continue
        if outcome.converged or not to_the_top:
            return outcome
        if best is None or outcome.point.loglik > best.point.loglik:
            best = outcome
    if best is not None:
        return best
    what = "no coefficients were found that keep" if settings.start_params is None else "start_params do not keep"
    raise OutsideDomain(f"{what} {inside}")
