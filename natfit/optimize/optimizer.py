"""A direction, a step rule and a move under one name, as users pass them to ``optimizer=``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.optimize.ball import KLBall
from natfit.optimize.directions import Direction, Gradient, NaturalGradient
from natfit.optimize.loop import Outcome, maximize
from natfit.optimize.moves import straight
from natfit.optimize.objective import Objective
from natfit.optimize.record import Row
from natfit.optimize.steps import Backtracking, FixedStep, StepRule
from natfit.optimize.stopping import Stop

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Optimizer:
    """Where to go, how far, and along which curve.

    Parameters
    ----------
    direction : Direction
    step : StepRule
    move : callable
    name : str
        What tables and plots call it.
    """

    direction: Direction
    step: StepRule
    move: Callable[..., Any] = straight
    name: str = ""

    def run(
        self,
        objective: Objective,
        start: Array,
        stop: Stop | None = None,
        max_iterations: int = 100,
        callback: Callable[[Row], Any] | None = None,
    ) -> Outcome:
        """Maximize an objective from ``start``; see `natfit.optimize.maximize`."""
        return maximize(objective, start, self.direction, self.step, self.move, stop, max_iterations, callback)


def run(
    optimizer: Any,
    objective: Objective,
    start: Array,
    stop: Stop | None = None,
    max_iterations: int = 100,
    callback: Callable[[Row], Any] | None = None,
) -> Outcome:
    """Run any optimizer on an objective: one of natfit's, a method of scipy's, or a user's own.

    Parameters
    ----------
    optimizer : Optimizer, ScipyMethod, Direction, str or anything with a method ``run``
        A direction alone gets backtracking and straight moves; a string is a name of `natfit.optimize.OPTIMIZERS`.
    objective : Objective
    start : (p,) ndarray
        Inside the domain.
    stop : Stop, optional
        By default until the decrement falls below 1e-12; the same for every kind.
    max_iterations : int
    callback : callable, optional
        Called with each row of the record.

    Returns
    -------
    Outcome

    Raises
    ------
    TypeError
        If it is none of these.
    OutsideDomain
        If the start lies outside the domain.
    """
    chosen = as_optimizer(optimizer)
    return chosen.run(objective, start, stop=stop, max_iterations=max_iterations, callback=callback)


def as_optimizer(optimizer: Any) -> Any:
    """Return what has a method ``run``: from itself, from a bare direction, or from a registered name.

    Raises
    ------
    TypeError
        If it is none of these.

    Examples
    --------
    >>> as_optimizer("natural_gradient").name
    'natural gradient'
    """
    if isinstance(optimizer, str):
        from natfit.optimize.registry import OPTIMIZERS

        optimizer = OPTIMIZERS.make(optimizer)
    if isinstance(optimizer, Direction):
        rule = Backtracking(grow=1.0 if optimizer.full_step else 2.0)
        optimizer = Optimizer(optimizer, rule, name=type(optimizer).__name__)
    if not callable(getattr(optimizer, "run", None)):
        raise TypeError(
            "an optimizer is a natfit.optimize.Optimizer, a Direction, a registered name or an object with a method run, "
            f"such as nf.optimize.natural_gradient(); got {type(optimizer).__name__}"
        )
    return optimizer


def gradient_descent(step: float | StepRule | None = None, move: Callable[..., Any] = straight) -> Optimizer:
    """Return plain gradient ascent of the log-likelihood (descent of its negative).

    Parameters
    ----------
    step : float or StepRule, optional
        A number is a fixed step. By default backtracking that grows again, since a gradient's length has no scale of
        its own.
    move : callable, optional

    Examples
    --------
    >>> gradient_descent(step=0.1).name
    'gradient descent'
    """
    return Optimizer(Gradient(), _rule(step, Backtracking(grow=2.0)), move, "gradient descent")


def natural_gradient(
    step: float | StepRule | None = None, metric: str = "expected", move: Callable[..., Any] = straight, **options: Any
) -> Optimizer:
    """Return natural-gradient ascent; with unit step and the expected metric that is Fisher scoring.

    Parameters
    ----------
    step : float or StepRule, optional
        A number is a fixed step; by default unit steps with backtracking.
    metric : {"expected", "observed", "empirical"}, optional
    move : callable, optional
    **options
        Further arguments of `NaturalGradient`.

    Examples
    --------
    >>> natural_gradient().name
    'natural gradient'
    """
    return Optimizer(NaturalGradient(metric, **options), _rule(step, Backtracking()), move, "natural gradient")


def kl_ball(
    radius: float = 1.0, metric: str = "expected", move: Callable[..., Any] = straight, **options: Any
) -> Optimizer:
    """Return natural-gradient ascent in steps of a given KL divergence.

    Parameters
    ----------
    radius : float
        In nats over all rows.
    metric : {"expected", "observed", "empirical"}, optional
    move : callable, optional
    **options
        Further arguments of `NaturalGradient`.

    Examples
    --------
    >>> kl_ball(0.5).step.radius
    0.5
    """
    return Optimizer(NaturalGradient(metric, **options), KLBall(radius), move, f"natural gradient, KL {radius:g}")


def _rule(step: float | StepRule | None, default: StepRule) -> StepRule:
    if step is None:
        return default
    return step if isinstance(step, StepRule) else FixedStep(step)
