"""A direction, a step rule and a move under one name, as users pass them to ``optimizer=``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from natfit.optimize.directions import Direction, Gradient, NaturalGradient
from natfit.optimize.moves import straight
from natfit.optimize.steps import Backtracking, FixedStep, StepRule


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


def _rule(step: float | StepRule | None, default: StepRule) -> StepRule:
    if step is None:
        return default
    return step if isinstance(step, StepRule) else FixedStep(step)
