"""Where a distributional fit has run to a limit: a simpler family, coefficients at infinity, a likelihood without bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from natfit.data.block import Block
from natfit.families.distributional.base import Parameters, complement
from natfit.families.distributional.transform import to_line
from natfit.families.interval import UNIT
from natfit.likelihoods.distributional import DistributionalLikelihood
from natfit.metric import SingularMetric
from natfit.results.distributional.exact import EXACT, is_exact, log_spread, unbounded

if TYPE_CHECKING:
    from natfit.results.distributional.results import DistributionalResults

Array = np.ndarray[Any, np.dtype[Any]]

VAST = 1e4
"""Standard error of a predictor on a logarithmic scale from which it is at infinity: a separated one that stops at a
decrement of 1e-12 has a million, one that the data know anything of has a few."""
MOST = 5
"""Coefficients without an estimate that a sentence names."""
ENDS = 20
"""Rows with the smallest, and with the largest, predictors of a parameter that are examined."""
EXTREME = 1e-7
"""Probability that counts as 0 where a fit has not converged."""
RISING = 1e-6
"""Nats that a next step promises from which a likelihood that has no maximum is said not to have come to its supremum."""
ELSEWHERE = {"binomial": "nf.GLM with family='binomial'"}
"""Simpler families whose response is another here than in the family they simplify."""


@dataclass(frozen=True)
class Reached:
    """How far each parameter goes in some rows.

    Attributes
    ----------
    least, greatest, extreme : (K,) ndarray
        Of each parameter, and in how many rows it counts as being at a limit: 0 or 1, or that of a simpler family.
    ends : list of Ends
        By free parameter.
    steep : (K, m) ndarray
        The parameters of the rows whose responses are fitted exactly, to rounding.
    """

    least: Array
    greatest: Array
    extreme: Array
    ends: list[Ends]
    steep: Array

    def merge(self, other: Reached) -> Reached:
        """Return how far they go in these rows and in others."""
        return Reached(
            np.minimum(self.least, other.least),
            np.maximum(self.greatest, other.greatest),
            self.extreme + other.extreme,
            [one.merge(two) for one, two in zip(self.ends, other.ends, strict=True)],
            np.hstack([self.steep, other.steep]),
        )


class Ends(NamedTuple):
    """The rows with the smallest and with the largest predictors of a parameter.

    ``eta`` (m,), ``theta`` (m,), ``per_distance`` (m,), ``columns`` (m, p_k) of its design.
    """

    eta: Array
    theta: Array
    per_distance: Array
    columns: Array

    def merge(self, other: Ends) -> Ends:
        """Return the outermost rows of both."""
        whole = Ends(*(np.concatenate(both) for both in zip(self, other, strict=True)))
        rows = outermost(whole.eta)
        return Ends(*(each[rows] for each in whole))


def outermost(eta: Array) -> Array:
    """Return the numbers of the rows with the smallest and the largest predictors, all where there are few."""
    if len(eta) <= 2 * ENDS:
        return np.arange(len(eta))
    order = np.argpartition(eta, (ENDS, len(eta) - ENDS))
    return np.concatenate([order[:ENDS], order[-ENDS:]])


@dataclass(frozen=True)
class Reach:
    """From a block of rows to what is `Reached` in it, at given coefficients.

    ``exact`` is the log-density on the line from which a response counts as fitted exactly; infinite where none does.
    """

    likelihood: DistributionalLikelihood
    coefficients: Array
    exact: float = np.inf

    def __call__(self, block: Block) -> Reached:
        likelihood = self.likelihood
        with np.errstate(all="ignore"):
            etas = likelihood.predictors(self.coefficients, block)
            theta, slopes = likelihood.parameters(etas)
            ends = []
            for k, eta, slope in zip(likelihood.free, etas, slopes, strict=True):
                rows = outermost(eta)
                columns = block.designs[likelihood.family.parameter_names[k]].take(rows).dense()
                share = _per_distance(likelihood.family, theta, slope, k, rows)
                ends.append(Ends(eta[rows], theta[k][rows], share, columns))
            extreme = np.array([_beyond(likelihood.family, k, each).sum() for k, each in enumerate(theta)])
            steep = self._steep(block.columns["y"], theta)
        return Reached(np.array([t.min() for t in theta]), np.array([t.max() for t in theta]), extreme, ends, steep)

    def _steep(self, y: Array, theta: Parameters) -> Array:
        if self.exact == np.inf:
            return np.zeros((len(theta), 0))
        line = to_line(self.likelihood.family.support)
        height = self.likelihood.family.log_prob(y, theta) + line.log_slope(line.back(y))
        return np.array(theta)[:, height > self.exact]


def limit_reached(fit: DistributionalResults) -> str:
    """Return in words what has no maximum-likelihood estimate and what to fit instead; "" where nothing is amiss."""
    if is_exact(fit):
        return (
            f"the {fit.family.name} law fits every response exactly, to rounding, so that its likelihood rises without "
            "bound and the parameters of its spread have no estimate; leave terms out of the formulas, or collect more rows"
        )
    settled = fit.fitted.converged and not _is_far(fit)
    # only a fit that has not settled may be on its way to a density without bound at a few rows: others have scales
    exact = np.inf if settled else EXACT - log_spread(fit)
    reached: Reached = fit.model.source.reduce(Reach(fit.model.likelihood, fit.coefficients, exact))
    told = unbounded(fit, reached)
    if told:
        return told
    told = _simpler(fit, reached) or _at_infinity(fit, reached)
    if not told and not settled:
        told = _separated(fit, reached)
    return told and told + _still_rising(fit)


def _is_far(fit: DistributionalResults) -> bool:
    """Say whether more than a millionth of a nat is still to be gained, which rounding may keep a fit from."""
    return 0.5 * float(fit.fitted.outcome.decrement) > RISING


def _still_rising(fit: DistributionalResults) -> str:
    """Say that the log-likelihood may be far from its supremum, where the fit has not come within a millionth of it.

    Whole steps approach a supremum geometrically, so that less is left than the last of them has brought.
    """
    if fit.fitted.converged or not _is_far(fit):
        return ""
    rows = list(fit.fitted.outcome.record)[-2:]
    if len(rows) < 2:
        return "; the log-likelihood reached is not its supremum"
    rise, last = rows[1].loglik - rows[0].loglik, rows[1]
    if last.step >= 1.0 and rise < RISING:
        return ""
    if rise < 0.01 * RISING:
        return "; the log-likelihood reached may not be its supremum, as no further step was found to raise it"
    return f"; the log-likelihood reached is not its supremum: it still rose by {rise:.2g} in the last step"


def _simpler(fit: DistributionalResults, reached: Reached) -> str:
    """Say which parameter has run to a limit in every row, where its family is a simpler one."""
    family = fit.family
    for name, side, value, simpler in family.simpler:
        k = family.parameter_names.index(name)
        if name not in fit.model.held and (reached.least[k] > value if side == "high" else reached.greatest[k] < value):
            towards = f"{getattr(family.domains[k], side):g}".replace("inf", "infinity")
            return (
                f"{name} runs to {towards} in every row, where the data can't tell the {family.name} family from "
                f"the {simpler}, whose maximum the log-likelihood only tends to; fit "
                f"{ELSEWHERE.get(simpler, f'family={simpler!r}')} instead"
            )
    return ""


def _at_infinity(fit: DistributionalResults, reached: Reached) -> str:
    """Say which predictor has run farthest to infinity: its standard error in some rows is out of all proportion."""
    farthest, told = 0.0, ""
    for k, ends in zip(fit.model.likelihood.free, reached.ends, strict=True):
        with np.errstate(
            invalid="ignore"
        ):  # a parameter without ends has no distance to lose: infinity times 0 is no loss
            lost = _errors(fit, k, ends.columns) * ends.per_distance > VAST
        own = ends.eta[lost]
        if lost.any() and np.abs(own).max() > farthest:
            far = own[np.abs(own).argmax()]
            farthest = abs(float(far))
            same = np.sign(own) == np.sign(far)
            told = _told(fit, k, ends.theta[lost][same], far > 0.0, _running(fit, k, ends.columns[lost][same]))
    return told


def _running(fit: DistributionalResults, k: int, design: Array) -> list[str]:
    """Return the coefficients of one parameter that some rows' predictor is lost by: those it has vast errors from."""
    own = fit.model.likelihood.layout.slices[fit.family.parameter_names[k]]
    columns = np.abs(design @ fit.model.constraints.tie.matrix[own]).max(axis=0, initial=0.0)
    errors = np.where(np.isfinite(fit._bse), fit._bse, np.inf)
    with np.errstate(invalid="ignore"):
        vast = fit.fitted.kept & (columns > 0.0) & (columns * errors > VAST)
    return [str(name) for name, each in zip(fit.model.exog_names, vast, strict=True) if each]


def _errors(fit: DistributionalResults, k: int, design: Array) -> Array:
    """Return the standard errors of one parameter's predictor in some rows; infinite where the information is singular."""
    own = fit.model.likelihood.layout.slices[fit.family.parameter_names[k]]
    columns = (design @ fit.model.constraints.tie.matrix[own])[:, fit.fitted.kept]
    try:
        return np.sqrt(fit.fitted.metric.inverse_quadratic(columns))
    except SingularMetric as singular:
        unseen = np.abs(columns @ singular.directions).max(axis=1, initial=0.0)
        seen = np.abs(columns).max(axis=1) * np.abs(singular.directions).max(initial=0.0)
        return np.where(unseen > 1e-6 * seen, np.inf, 0.0)


def _per_distance(family: Any, theta: Parameters, slope: Array, k: int, rows: Array) -> Array:
    """Return the slope, in the predictor, of the logarithm of the parameter's distance to the nearest end of its domain."""
    if family.class_predictors:
        return np.ones(len(rows))
    domain, own = family.domains[k], theta[k][rows]
    above = own - domain.low if np.isfinite(domain.low) else np.full(len(rows), np.inf)
    below = np.full(len(rows), np.inf)
    if np.isfinite(domain.high):
        below = complement(theta, k)[rows] if domain == UNIT else domain.high - own
    distance = np.minimum(above, below)
    # far out both round to 0: there a logit and a log have a slope of 1, other links more
    return np.where(distance > 0.0, np.abs(slope[rows]) / distance, 1.0)


def _told(fit: DistributionalResults, k: int, values: Array, rises: bool, running: Sequence[str]) -> str:
    family, name = fit.family, fit.family.parameter_names[k]
    domain, few = family.domains[k], len(values)
    remedy = f"leave columns out of its formula, or hold {name}"
    if family.class_predictors:
        what = f"{family.section_title(name, fit.links)} runs to {'' if rises else '-'}infinity"
        remedy = "leave columns out of the formula, or merge classes"
    elif domain == UNIT:
        what = f"{name} is fitted ever closer to {0 if np.median(values) < 0.5 else 1}"
    else:
        low = domain.high == np.inf and np.median(values) < 1.0
        what = f"{name} runs to {f'{domain.low if low else domain.high:g}'.replace('inf', 'infinity')}"
    named = f": {', '.join(running[:MOST])}{', ...' if len(running) > MOST else ''}" if running else ""
    return (
        f"{what} in {few} row(s) or more, along coefficients that run off to infinity (separation) and have no "
        f"maximum-likelihood estimate{named}; {remedy}"
    )


def _beyond(family: Any, k: int, values: Array) -> Array:
    """Say in which rows a parameter counts as being at a limit."""
    if family.domains[k] == UNIT:
        return (values < EXTREME) | (values > 1.0 - EXTREME)
    found = np.zeros(values.shape, dtype=bool)
    for name, side, value, _ in family.simpler:
        if name == family.parameter_names[k]:
            found |= values > value if side == "high" else values < value
    return found


def _separated(fit: DistributionalResults, reached: Reached) -> str:
    """Say which parameter is fitted ever closer to a limit in some rows of a fit that has not converged."""
    family = fit.family
    for k, name in enumerate(family.parameter_names):
        extreme, domain = reached.extreme[k], family.domains[k]
        if not extreme or name in fit.model.held:
            continue
        if domain == UNIT:
            what = f"{name} is fitted ever closer to 0 or 1 in {extreme} row(s)"
        else:
            simpler = " or ".join(limit[3] for limit in family.simpler if limit[0] == name)
            what = f"{name} is fitted ever closer to the limit that leaves the {simpler} in {extreme} row(s)"
        return (
            f"{what}, along coefficients that run off to infinity (separation) and have no maximum-likelihood estimate; "
            f"leave columns out of its formula, or hold {name}"
        )
    return ""
