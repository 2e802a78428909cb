"""The theory behind the natural gradient, each statement a check that computes both of its sides.

Conventions: scores are gradients of the log-likelihood, losses are to be made small, KL(p0 || p1) has the fixed
distribution first, and lengths are in standard errors of one observation, sqrt(d'Fd).
"""

from natfit.diagnostics.theory.direction import check_direction
from natfit.diagnostics.theory.entropy import check_cross_entropy
from natfit.diagnostics.theory.expansion import check_expansion
from natfit.diagnostics.theory.fisher import check_fisher
from natfit.diagnostics.theory.score import check_score
from natfit.diagnostics.theory.steepest import check_steepest_descent
from natfit.diagnostics.theory.suite import check_theory

__all__ = [
    "check_cross_entropy",
    "check_direction",
    "check_expansion",
    "check_fisher",
    "check_score",
    "check_steepest_descent",
    "check_theory",
]
