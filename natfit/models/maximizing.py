"""From starts to a maximum: the one loop over starting points that every kind of fit shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import Objective
from natfit.optimize.optimizer import run

if TYPE_CHECKING:
    from natfit.models.fitting import Settings

Array = np.ndarray[Any, np.dtype[Any]]


def maximize_from(
    starts: Iterator[Array],
    objective: Objective,
    settings: Settings,
    optimizer: Any,
    *,
    inside: str,
    to_the_top: bool,
    at_limit: Callable[[Outcome], bool] = lambda outcome: False,
    bounded: bool = False,
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
    at_limit : callable, optional
        Whether an outcome that converged is a limit of the parameters only, which is the answer where no other start leads
        higher.
    bounded : bool
        Whether the likelihood has an upper bound, as of counts: then a start that leads higher is the better one even where
        the optimizer did not converge. Otherwise it may be on its way to a density without bound.

    Raises
    ------
    OutsideDomain
        If no start lies inside.
    """
    best: Outcome | None = None
    highest = (False, -np.inf)
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
        if not to_the_top:
            return outcome
        height = (outcome.converged or bounded, outcome.point.loglik)
        if best is None or height > highest:
            best, highest = outcome, height
        if outcome.converged and not at_limit(outcome):
            return best
    if best is not None:
        return best
    what = "no coefficients were found that keep" if settings.start_params is None else "start_params do not keep"
    raise OutsideDomain(f"{what} {inside}")
