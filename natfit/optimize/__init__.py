"""Directions, step rules, moves and stopping rules, and the loop that joins them."""

from natfit.optimize.directions import Direction, Gradient, Heading, NaturalGradient
from natfit.optimize.loop import Outcome, maximize
from natfit.optimize.moves import straight
from natfit.optimize.objective import LikelihoodObjective, Objective, ParametrizedObjective, Point
from natfit.optimize.optimizer import Optimizer, gradient_descent, natural_gradient
from natfit.optimize.record import Record
from natfit.optimize.steps import Backtracking, FixedStep, StepRule
from natfit.optimize.stopping import Change, Decrement, Stop

__all__ = [
    "Backtracking",
    "Change",
    "Decrement",
    "Direction",
    "FixedStep",
    "Gradient",
    "Heading",
    "LikelihoodObjective",
    "NaturalGradient",
    "Objective",
    "Optimizer",
    "Outcome",
    "ParametrizedObjective",
    "Point",
    "Record",
    "StepRule",
    "Stop",
    "gradient_descent",
    "maximize",
    "natural_gradient",
    "straight",
]
