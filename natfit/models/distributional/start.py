"""Where a distributional regression begins: constants from moments, those fitted, and then spread over the designs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.matrix import Columns, Constant
from natfit.likelihoods.distributional import DistributionalLikelihood
from natfit.likelihoods.sums import Sums
from natfit.metric import Gram, SingularMetric, Triangular
from natfit.models.distributional.data import DistributionalData
from natfit.models.distributional.striding import Striding
from natfit.optimize.loop import Outcome, OutsideDomain
from natfit.optimize.objective import LikelihoodObjective
from natfit.optimize.optimizer import Optimizer, run
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement
from natfit.parametrizations.affine import Affine

Array = np.ndarray[Any, np.dtype[Any]]

FREE_SCALE = ("identity", "inverse", "inverse_squared", "sqrt")
"""Links whose predictors have the response's units, so that no length is long by itself."""
VAGUE = 3.0
"""Standard error of a constant from which it is no start: on the log and logit scales that is a factor of twenty. Of a
predictor on another scale it says nothing, and then the moments serve."""
SAMPLE = 10_000
"""Rows that the constants are fitted to: they are but a start."""

ENOUGH = 1e-2
"""Decrement, a tenth of a standard error squared, at which the constants are good enough for a start."""


class Ground:
    """What a fit begins on: all rows or a sample of them, with X'X of each parameter's design over them.

    Parameters
    ----------
    likelihood : DistributionalLikelihood
    source : Source
    designs : mapping of str to Columns
        By free parameter, of all rows; parameters with one design in common have it summed once.
    """

    def __init__(self, likelihood: DistributionalLikelihood, source: Source, designs: Mapping[str, Columns]):
        self.likelihood, self.source = likelihood, source
        firsts: dict[int, str] = {}
        self.first = {name: firsts.setdefault(id(designs[name]), name) for name in likelihood.names}

        def grams(block: Block) -> Sums:
            ones = np.ones(block.n_rows)
            return Sums({name: Gram(block.designs[name].gram(ones)) for name in firsts.values()})

        own = source.reduce(grams)
        self.grams = {name: own[first] for name, first in self.first.items()}

    def strides(self, tie: Affine) -> list[Gram]:
        """Return the forms that `Striding` takes: of the predictors that are on a log or logit scale."""
        likelihood, found = self.likelihood, []
        for k in likelihood.free:
            name = likelihood.family.parameter_names[k]
            share = 0.0 if likelihood.links[k].name in FREE_SCALE else 1.0 / self.source.n_rows
            own = tie.matrix[likelihood.layout.slices[name]]
            found.append(Gram(own.T @ (self.grams[name].matrix * share) @ own))
        return found

    def spread(self, targets: Callable[[Block], Sequence[Array]]) -> Array:
        """Return the coefficients whose predictors, offsets included, come closest to targets, by least squares.

        Parameters
        ----------
        targets : callable
            From a block to what each free parameter's predictor should be, (n,) each.
        """

        def rights(block: Block) -> Sums:
            found = Sums()
            for name, target in zip(self.first, targets(block), strict=True):
                offset = block.columns.get(f"offset:{name}")
                found[name] = block.designs[name].rmatvec(target if offset is None else target - offset)
            return found

        total = self.source.reduce(rights)
        return np.concatenate([_solve(self.grams[name], total[name]) for name in self.first])


def starts(ground: Ground, data: DistributionalData) -> Iterator[Array]:
    """Yield coefficients to begin from: each row's own first parameters, where the family has some; then constants."""
    likelihood, family = ground.likelihood, ground.likelihood.family
    moments = family.start(data.y, data.freq_weights)
    if family.start_rows(data.y[:1], moments) is not None:

        def own(block: Block) -> list[Array]:
            rows: Any = family.start_rows(block.columns["y"], moments)
            return [likelihood.links[k](rows[k]) for k in likelihood.free]

        with np.errstate(all="ignore"):
            yield ground.spread(own)

    def constant(values: Array) -> Callable[[Block], list[Array]]:
        return lambda block: [np.full(block.n_rows, value) for value in values]

    for constants in _intercepts(likelihood, data, moments):
        yield ground.spread(constant(constants))
    for other in family.other_starts(data.y, data.freq_weights):
        yield ground.spread(constant(_linked(likelihood, other)))
    if len(likelihood.free) > 1:
        yield from _first_alone(ground, data, constants)


def _first_alone(ground: Ground, data: DistributionalData, constants: Array) -> Iterator[Array]:
    """Yield the fit in which only the first parameter has its predictor, the others being constants.

    For likelihoods with more than one maximum, or none but local ones: a von Mises whose concentration has predictors can
    be concentrated at one response, without bound.
    """
    likelihood = ground.likelihood
    first, *others = (likelihood.family.parameter_names[k] for k in likelihood.free)
    names = {first: likelihood.names[first], **{name: ["c"] for name in others}}
    block = _sampled(data, {first: data.designs[first]}, others)
    alone = DistributionalLikelihood(likelihood.family, likelihood.links, names, likelihood.held)
    source = ArraySource(block, 1)
    begun = Ground(alone, source, block.designs)
    start = begun.spread(lambda block: [np.full(block.n_rows, c) for c in constants])
    outcome = _reached(alone, source, block, start)
    if outcome is None:
        return

    def fitted(block: Block) -> list[Array]:
        eta = block.designs[first].matvec(outcome.params[: len(names[first])])
        return [
            eta + block.columns.get(f"offset:{first}", 0.0),
            *(np.full(block.n_rows, c) for c in outcome.params[-len(others) :]),
        ]

    yield ground.spread(fitted)


def _sampled(data: DistributionalData, designs: Mapping[str, Columns], constant: Sequence[str]) -> Block:
    """Return at most `SAMPLE` rows, with a constant as the design of some parameters; their offsets are left out."""
    every = -(-data.n_rows // SAMPLE)
    columns = {name: column[::every] for name, column in data.columns().items()}
    kept = {name: column for name, column in columns.items() if name.removeprefix("offset:") not in constant}
    rows = np.arange(0, data.n_rows, every)
    taken = {name: design.take(rows) for name, design in designs.items()}
    return Block({**taken, **{name: Constant(len(columns["y"])) for name in constant}}, kept)


def _reached(likelihood: DistributionalLikelihood, source: Source, block: Block, start: Array) -> Outcome | None:
    """Return where a small model's maximum is, well enough for a start; None where it has none."""
    strides = Ground(likelihood, source, block.designs).strides(Affine(np.eye(likelihood.layout.size)))
    direction = Striding(float(block.n_rows), strides)
    try:
        outcome = run(
            Optimizer(direction, Backtracking()),
            LikelihoodObjective(likelihood, source),
            start,
            stop=Decrement(ENOUGH),
            max_iterations=30,
        )
    except (OutsideDomain, SingularMetric, np.linalg.LinAlgError):
        return None  # something else is tried next
    return outcome if np.isfinite(outcome.params).all() and _is_settled(outcome) else None


def _intercepts(
    likelihood: DistributionalLikelihood, data: DistributionalData, moments: Sequence[float]
) -> Iterator[Array]:
    """Yield each free parameter's predictor as a constant: the maximum over constants, then the family's moments."""
    family = likelihood.family
    start = _linked(likelihood, moments)
    names = [family.parameter_names[k] for k in likelihood.free]
    constants = DistributionalLikelihood(family, likelihood.links, {name: ["c"] for name in names}, likelihood.held)
    block = _sampled(data, {}, names)
    outcome = _reached(constants, ArraySource(block, 1), block, start)
    if outcome is not None:
        yield outcome.params
    yield start


def _linked(likelihood: DistributionalLikelihood, constants: Sequence[float]) -> Array:
    """Return the predictors of the free parameters where all are constants."""
    with np.errstate(all="ignore"):
        return np.array([float(likelihood.links[k](np.array([constants[k]]))[0]) for k in likelihood.free])


def _is_settled(outcome: Outcome) -> bool:
    """Say whether the constants are known to less than `VAGUE`: one on its way to a limit leads where nothing moves."""
    try:
        return bool(np.sqrt(outcome.point.metric.inverse().diagonal()).max() < VAGUE)
    except SingularMetric:
        return False


def _solve(gram: Gram, right: Array) -> Array:
    """Solve normal equations; columns that depend on earlier ones get 0."""
    try:
        return gram.solve(right)
    except SingularMetric:
        scale = np.sqrt(np.maximum(gram.matrix.diagonal(), np.finfo(float).tiny))
        root = np.linalg.eigh(gram.matrix / scale / scale[:, None])
        rows = np.sqrt(np.maximum(root.eigenvalues, 0.0))[:, None] * root.eigenvectors.T * scale
        kept = ~Triangular.from_rows(rows).aliased(1e-7)
        found = np.zeros(gram.size)
        found[kept] = Gram(gram.matrix[np.ix_(kept, kept)]).solve(right[kept])
        return found
