"""What is asked of a GLM once it is fitted, besides its table: all of it mixed into the result through one class."""

from __future__ import annotations

from natfit.results.bootstrap.methods import Bootstrap
from natfit.results.checks import Checks
from natfit.results.effects.methods import Effects
from natfit.results.influence import Influence
from natfit.results.observations import Observations
from natfit.results.plots import Plots
from natfit.results.reporting import Reported


class AfterFit(Influence, Observations, Effects, Checks, Plots, Bootstrap, Reported):
    """Mixed into a GLM's fit: influence, predictions and effects, tests of the fit, figures."""
