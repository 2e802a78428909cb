"""Where a distributional regression begins: constants from moments, those fitted, and then spread over the designs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource, Source
from natfit.data.block import Block
from natfit.data.matrix import Constant
from natfit.likelihoods.distributional import DistributionalLikelihood
from natfit.likelihoods.sums import Sums
from natfit.metric import Gram, SingularMetric, Triangular
from natfit.models.distribution_start import Reaching
from natfit.models.distributional_data import DistributionalData
from natfit.optimize.loop import OutsideDomain
from natfit.optimize.objective import LikelihoodObjective
from natfit.optimize.optimizer import Optimizer, run
from natfit.optimize.steps import Backtracking
from natfit.optimize.stopping import Decrement

Array = np.ndarray[Any, np.dtype[Any]]

SAMPLE = 10_000
"""Rows that the constants are fitted to: they are but a start."""

ENOUGH = 1e-2
"""Decrement, a tenth of a standard error squared, at which the constants are good enough for a start."""


def intercepts(likelihood: DistributionalLikelihood, data: DistributionalData) -> Iterator[Array]:
    """Yield each free parameter's predictor as a constant: the maximum over constants, then the family's moments."""
    stride = -(-data.n_rows // SAMPLE)
    columns = {name: column[::stride] for name, column in data.columns().items()}
    family = likelihood.family
    moments = family.start(columns["y"], columns.get("freq_weights"))
    links = [likelihood.links[k] for k in likelihood.free]
    with np.errstate(all="ignore"):
        start = np.array(
            [float(link(np.array([moments[k]]))[0]) for k, link in zip(likelihood.free, links, strict=True)]
        )
    names = [family.parameter_names[k] for k in likelihood.free]
    constants = DistributionalLikelihood(family, likelihood.links, {name: ["c"] for name in names}, likelihood.held)
    plain = {name: column for name, column in columns.items() if not name.startswith("offset:")}
    block = Block({name: Constant(len(columns["y"])) for name in names}, plain)
    optimizer = Optimizer(Reaching(float(len(columns["y"]))), Backtracking())
    try:
        outcome = run(
            optimizer,
            LikelihoodObjective(constants, ArraySource(block, 1)),
            start,
            stop=Decrement(ENOUGH),
            max_iterations=30,
        )
        if np.isfinite(outcome.params).all():
            yield outcome.params
    except (OutsideDomain, SingularMetric, np.linalg.LinAlgError):
        pass  # the moments themselves are tried next
    yield start


def spread_over_designs(likelihood: DistributionalLikelihood, source: Source, constants: Array) -> Array:
    """Return the coefficients whose predictors, offsets included, come closest to constants, by least squares."""
    names = [likelihood.family.parameter_names[k] for k in likelihood.free]

    def sums(block: Block) -> Sums:
        found = Sums()
        for name, constant in zip(names, constants.tolist(), strict=True):
            design, offset = block.designs[name], block.columns.get(f"offset:{name}")
            target = np.full(block.n_rows, constant) if offset is None else constant - offset
            found[f"gram:{name}"] = Gram(design.gram(np.ones(block.n_rows)))
            found[f"right:{name}"] = design.rmatvec(target)
        return found

    total = source.reduce(sums)
    return np.concatenate([_solve(total[f"gram:{name}"], total[f"right:{name}"]) for name in names])


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
