"""Where densities fit responses exactly, all of them or a few, so that their likelihood rises without bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.families.distributional.transform import to_line
from natfit.families.interval import POSITIVE

if TYPE_CHECKING:
    from natfit.results.distributional.limits import Reached
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]

EXACT = 13.0
"""Nats by which the mean log-density at the responses may exceed that of one spread over their interquartile range:
residuals are then a few ten-millionths of the range, which is what rounding in the likelihood leaves of a perfect fit."""
SAMPLE = 10_000
"""Responses that say how widely all of them are spread."""


def is_exact(fit: DistributionalResults) -> bool:
    """Say whether a continuous response is fitted so closely that only rounding bounds the likelihood.

    Densities are those on the line that the support is carried to (of the logarithm of a positive response), where their
    height is measured in interquartile ranges.
    """
    spread = log_spread(fit)
    if spread == -np.inf:
        return False
    line, (y, weight) = to_line(fit.family.support), _sampled(fit)
    slope = np.average(line.log_slope(line.back(y)), weights=weight)
    return bool(fit.fitted.point.loglik / fit.model.wnobs + slope + spread > EXACT)


def log_spread(fit: DistributionalResults) -> float:
    """Return the logarithm of the responses' interquartile range on the line; minus infinity where nothing can be exact."""
    support = fit.family.support
    if support.discrete or support.event_shape or fit.family.atoms:
        return -np.inf
    z = to_line(support).back(_sampled(fit)[0])
    spread = float(np.subtract(*np.quantile(z, [0.75, 0.25]))) or float(z.std()) or float(np.abs(z).max())
    return float(np.log(spread)) if spread > 0.0 else -np.inf


def _sampled(fit: DistributionalResults) -> tuple[Array, Array | None]:
    """Return at most `SAMPLE` responses with their frequencies: the range they lie in need not be known to a nat."""
    data = fit.model.data.in_memory()
    rows = slice(None, None, -(-len(data.y) // SAMPLE))
    return data.y[rows], None if data.freq_weights is None else data.freq_weights[rows]


def unbounded(fit: DistributionalResults, reached: Reached) -> str:
    """Say which parameter runs to a limit in rows whose responses are then fitted exactly, the density without bound.

    It is the one whose values there are farthest from 1, in logarithms: the spread's, not the place's.
    """
    if not reached.steep.shape[1]:
        return ""
    family = fit.family
    with np.errstate(all="ignore"):
        far = [
            np.abs(np.log(values)).min() if domain == POSITIVE and name not in fit.model.held else 0.0
            for name, domain, values in zip(family.parameter_names, family.domains, reached.steep, strict=True)
        ]
    k = int(np.argmax(far))
    name, large = family.parameter_names[k], bool((reached.steep[k] > 1.0).all())
    return (
        f"{name} runs to {'infinity' if large else 0} in {reached.steep.shape[1]} row(s), whose responses the {family.name} "
        f"law then fits exactly, so that its likelihood rises without bound and has no maximum; make {name} a constant, "
        f"leave columns out of its formula, or hold {name}"
    )
