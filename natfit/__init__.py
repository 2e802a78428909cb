"""natfit: probabilistic models fitted by maximum likelihood, with the natural gradient.

Everything here loads on first use, so that ``import natfit`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from natfit._version import __version__

if TYPE_CHECKING:
    from natfit import data, diagnostics, families, optimize, parametrizations
    from natfit.models.distribution import fit_distribution
    from natfit.models.distributional.model import DistributionalRegression
    from natfit.models.glm import GLM
    from natfit.models.mixtures.constraint import Constraint
    from natfit.models.mixtures.mixture import Mixture
    from natfit.models.mixtures.regression import MixtureRegression
    from natfit.models.storage.storing import load
    from natfit.results.comparing.anova import anova
    from natfit.results.comparing.side_by_side import compare
    from natfit.results.comparing.stepwise import step
    from natfit.results.distribution import DistributionResults
    from natfit.results.distributional.results import DistributionalResults
    from natfit.results.glm import GLMResults
    from natfit.results.mixtures.mixture import MixtureResults
    from natfit.results.mixtures.regression import MixtureRegressionResults
    from natfit.results.warnings import ConvergenceWarning, DegeneracyWarning, LocalMaximumWarning, SeparationWarning

    datasets: Any

_PACKAGES = ("data", "datasets", "diagnostics", "families", "metric", "optimize", "parametrizations")
_NAMES = {
    "GLM": "natfit.models.glm",
    "GLMResults": "natfit.results.glm",
    "anova": "natfit.results.comparing.anova",
    "compare": "natfit.results.comparing.side_by_side",
    "Constraint": "natfit.models.mixtures.constraint",
    "ConvergenceWarning": "natfit.results.warnings",
    "DegeneracyWarning": "natfit.results.warnings",
    "DistributionResults": "natfit.results.distribution",
    "DistributionalRegression": "natfit.models.distributional.model",
    "DistributionalResults": "natfit.results.distributional.results",
    "LocalMaximumWarning": "natfit.results.warnings",
    "Mixture": "natfit.models.mixtures.mixture",
    "MixtureRegression": "natfit.models.mixtures.regression",
    "MixtureRegressionResults": "natfit.results.mixtures.regression",
    "MixtureResults": "natfit.results.mixtures.mixture",
    "SeparationWarning": "natfit.results.warnings",
    "fit_distribution": "natfit.models.distribution",
    "load": "natfit.models.storage.storing",
    "step": "natfit.results.comparing.stepwise",
}

__all__ = [
    "GLM",
    "Constraint",
    "ConvergenceWarning",
    "DegeneracyWarning",
    "DistributionResults",
    "DistributionalRegression",
    "DistributionalResults",
    "GLMResults",
    "LocalMaximumWarning",
    "Mixture",
    "MixtureRegression",
    "MixtureRegressionResults",
    "MixtureResults",
    "SeparationWarning",
    "__version__",
    "anova",
    "compare",
    "data",
    "datasets",
    "diagnostics",
    "families",
    "fit_distribution",
    "load",
    "optimize",
    "parametrizations",
    "step",
]


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"natfit.{name}")
    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'natfit' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
