"""What a distributional fit says of a block of rows: functions of its parameters, with their uncertainty.

Each is applied to one block after the other, here or where a streamed block lies, so all of them can be pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from natfit.data.block import Block
from natfit.families.distributional.base import DistributionalFamily, Parameters
from natfit.likelihoods.distributional import DistributionalLikelihood

Array = np.ndarray[Any, np.dtype[Any]]

STEP = 1e-3
"""Standard errors that a predictor is moved by for derivatives: the error of central differences is its square."""
CHUNK = 65_536
"""Rows whose dense designs are held at once."""


def check_draws(n: int) -> None:
    """Refuse a number of draws that is none."""
    if n != int(n) or n < 1:
        raise ValueError(f"n must be a whole number of draws, 1 or more; got {n!r}")


def check_levels(q: Any) -> Array:
    """Return levels of quantiles as an array, or refuse what is none."""
    levels = np.asarray(q, dtype=float)
    if levels.size == 0 or not ((levels > 0.0) & (levels < 1.0)).all():
        raise ValueError(f"levels of quantiles lie strictly between 0 and 1; got {q!r}")
    return levels


@dataclass(frozen=True)
class AtRows:
    """A function of the parameters of each row, at given coefficients.

    Parameters
    ----------
    likelihood : DistributionalLikelihood
    coefficients : (p,) ndarray
    value : callable
        From the K parameters of the rows to one entry for each row.
    """

    likelihood: DistributionalLikelihood
    coefficients: Array
    value: Callable[[Parameters], Any]

    def __call__(self, block: Block) -> Any:
        return self.value(parameters(self.likelihood, self.coefficients, block))


def parameters(likelihood: DistributionalLikelihood, coefficients: Array, block: Block) -> Parameters:
    """Return the K parameters of the rows of a block."""
    with np.errstate(all="ignore"):
        return likelihood.parameters(likelihood.predictors(coefficients, block))[0]


def as_it_is(block: Block) -> Block:
    """Return the rows themselves, of what streams by block after block: draws of them are made in their order."""
    return block


def quantity(family: DistributionalFamily, what: str, theta: Parameters) -> Array:
    """Return a parameter by its name, or the mean or the variance."""
    if what in family.parameter_names:
        return np.array(theta[family.parameter_names.index(what)])
    return family.mean(theta) if what == "mean" else family.variance(theta)


def share(family: DistributionalFamily, what: str, column: int, theta: Parameters) -> Array:
    """Return the mean or the variance of one of the response's columns."""
    return quantity(family, what, theta)[:, column]


def quantiles(family: DistributionalFamily, levels: Sequence[float], theta: Parameters) -> Array:
    """Return the quantiles of each row's law, a column for each level."""
    with np.errstate(all="ignore"):
        return np.column_stack([family.quantile(np.full(theta[0].shape, level), theta) for level in levels])


@dataclass(frozen=True)
class WithVariance:
    """A function of the parameters of each row with its variance by the delta method, (m, 2).

    Parameters
    ----------
    at : AtRows
    covariance : (p, p) ndarray
        Of all coefficients.
    """

    at: AtRows
    covariance: Array

    def __call__(self, block: Block) -> Array:
        spread = self._of_predictors(block)
        gradient = self._gradient(block, np.sqrt(np.einsum("nii->ni", spread)))
        variance = np.einsum("ni,nij,nj->n", gradient, spread, gradient)
        return np.column_stack([self.at(block), variance])

    def _of_predictors(self, block: Block) -> Array:
        """Return the covariance of each row's predictors, (m, k, k), k the number of free parameters."""
        likelihood, found = self.at.likelihood, []
        names = [likelihood.family.parameter_names[k] for k in likelihood.free]
        for start in range(0, block.n_rows, CHUNK):
            part = block.rows(start, min(start + CHUNK, block.n_rows))
            dense = [part.designs[name].dense() for name in names]
            each = np.empty((part.n_rows, len(names), len(names)))
            for i, first in enumerate(names):
                for j, second in enumerate(names[: i + 1]):
                    own = self.covariance[likelihood.layout.slices[first], likelihood.layout.slices[second]]
                    each[:, i, j] = each[:, j, i] = ((dense[i] @ own) * dense[j]).sum(axis=1)
            found.append(each)
        return np.concatenate(found) if found else np.zeros((0, len(names), len(names)))

    def _gradient(self, block: Block, errors: Array) -> Array:
        """Return the derivatives of the function in each row's predictors, (m, k), by differences.

        Steps are a share of the predictors' standard errors (m, k), and so follow the units of a predictor that has some.
        """
        likelihood = self.at.likelihood
        with np.errstate(all="ignore"):
            etas = likelihood.predictors(self.at.coefficients, block)
            found = []
            for i, eta in enumerate(etas):
                size = np.maximum(np.abs(eta), 1.0)
                step = np.where(errors[:, i] > 0.0, STEP * np.minimum(errors[:, i], size), 1e-5 * size)
                ends = []
                for sign in (1.0, -1.0):
                    moved = [*etas[:i], eta + sign * step, *etas[i + 1 :]]
                    ends.append(self.at.value(likelihood.parameters(moved)[0]))
                found.append((ends[0] - ends[1]) / (2.0 * step))
        return np.stack(found, axis=1)


@dataclass(frozen=True)
class Tails:
    """P(Y < y) and P(Y <= y) of each row of the fit, (m, 2)."""

    likelihood: DistributionalLikelihood
    coefficients: Array

    def __call__(self, block: Block) -> Array:
        family, y = self.likelihood.family, block.columns["y"]
        theta = parameters(self.likelihood, self.coefficients, block)
        with np.errstate(all="ignore"):
            upper = family.cdf(y, theta)
            if family.support.discrete:
                mass = np.exp(family.log_prob(y, theta))
            else:
                atom = np.isin(y, family.atoms)
                mass = np.where(atom, np.exp(family.log_prob(y, theta)), 0.0)
        return np.column_stack([np.maximum(upper - mass, 0.0), upper])


@dataclass(frozen=True)
class Predictors:
    """The predictors of the free parameters, (m, k): what the links are applied to."""

    likelihood: DistributionalLikelihood
    coefficients: Array

    def __call__(self, block: Block) -> Array:
        return np.column_stack(self.likelihood.predictors(self.coefficients, block))


@dataclass(frozen=True)
class Deviations:
    """y - mean of each row of the fit, (m,) or (m, d); with ``pearson`` divided by the standard deviation."""

    likelihood: DistributionalLikelihood
    coefficients: Array
    pearson: bool

    def __call__(self, block: Block) -> Array:
        family, y = self.likelihood.family, block.columns["y"]
        theta, cases = parameters(self.likelihood, self.coefficients, block), 1.0
        if family.has_trials:
            family, y = family.of_trials(y.sum(axis=1)), y[:, 0]
        elif family.class_predictors:
            cases = y.sum(axis=1, keepdims=True)
        with np.errstate(all="ignore"):
            apart = y - cases * family.mean(theta)
            return apart / np.sqrt(cases * family.variance(theta)) if self.pearson else apart


@dataclass(frozen=True)
class Counts:
    """Observed and expected numbers of rows for each count, (counts, 2): summed over a block."""

    likelihood: DistributionalLikelihood
    coefficients: Array
    counts: Sequence[int]

    def __call__(self, block: Block) -> Array:
        family, y = self.likelihood.family, block.columns["y"]
        theta = parameters(self.likelihood, self.coefficients, block)
        weight = block.columns.get("freq_weights", np.ones(len(y)))
        with np.errstate(all="ignore"):
            found = [
                (weight[y == k].sum(), weight @ np.exp(family.log_prob(np.full(len(y), float(k)), theta)))
                for k in self.counts
            ]
        return np.array(found)
