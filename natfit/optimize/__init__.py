"""Directions, step rules, moves and stopping rules, and the loop that joins them."""

from natfit.optimize.ball import KLBall
from natfit.optimize.curve import Curve
from natfit.optimize.directions import Direction, Gradient, Heading, NaturalGradient
from natfit.optimize.geodesics import FisherRao, Geodesic, GeodesicCorrected, fisher_rao, geodesic_corrected
from natfit.optimize.lazy import Lazy
from natfit.optimize.loop import Outcome, maximize
from natfit.optimize.moves import (
    Midpoint,
    Move,
    StraightIn,
    e_geodesic,
    m_geodesic,
    midpoint,
    straight,
    straight_in,
)
from natfit.optimize.objective import LikelihoodObjective, Objective, ParametrizedObjective, Point
from natfit.optimize.optimizer import Optimizer, as_optimizer, gradient_descent, kl_ball, natural_gradient, run
from natfit.optimize.record import Record
from natfit.optimize.registry import DIRECTIONS, MOVES, OPTIMIZERS, STEP_RULES
from natfit.optimize.scipy_methods import ScipyMethod, scipy_method
from natfit.optimize.steps import Backtracking, FixedStep, StepRule
from natfit.optimize.stopping import Change, Decrement, Stop

__all__ = [
    "DIRECTIONS",
    "MOVES",
    "OPTIMIZERS",
    "STEP_RULES",
    "Backtracking",
    "Change",
    "Curve",
    "Decrement",
    "Direction",
    "FisherRao",
    "FixedStep",
    "Geodesic",
    "GeodesicCorrected",
    "Gradient",
    "Heading",
    "KLBall",
    "Lazy",
    "LikelihoodObjective",
    "Midpoint",
    "Move",
    "NaturalGradient",
    "Objective",
    "Optimizer",
    "Outcome",
    "ParametrizedObjective",
    "Point",
    "Record",
    "ScipyMethod",
    "StepRule",
    "Stop",
    "StraightIn",
    "as_optimizer",
    "e_geodesic",
    "fisher_rao",
    "geodesic_corrected",
    "gradient_descent",
    "kl_ball",
    "m_geodesic",
    "maximize",
    "midpoint",
    "natural_gradient",
    "run",
    "scipy_method",
    "straight",
    "straight_in",
]
