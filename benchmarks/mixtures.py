"""Gaussian mixtures beside scikit-learn, and beside EM: ``python -m benchmarks.mixtures``.

Passes of EM over the same rows from the same start, natfit's and `sklearn.mixture.GaussianMixture`'s, in turn; then
overlapping mixtures, where EM is slow, by EM and by natfit's way to the maximum, from the same start to the same gap; then
what whole fits, their twenty starts included, need of memory besides the data; and the way up of mixtures of regressions.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from natfit.data.arrays import ArraySource
from natfit.data.block import Block
from natfit.likelihoods.mixtures.gaussian import GaussianComponents
from natfit.likelihoods.mixtures.mixture import MixtureLikelihood
from natfit.models.mixtures.constraint import Constraint
from natfit.models.mixtures.coordinates import free_coordinates
from natfit.models.mixtures.fitting import MixtureObjective, climb
from natfit.models.mixtures.mixture import Mixture
from natfit.models.mixtures.regression import MixtureRegression
from natfit.models.mixtures.regression_fitting import climb as climb_regressions
from natfit.models.mixtures.setup import block_rows
from natfit.optimize.em import Slow, em
from natfit.optimize.stopping import Verdict
from natfit.results.warnings import LocalMaximumWarning

Array = np.ndarray[Any, np.dtype[Any]]

SHAPES = ((1_000_000, 2, 5), (500_000, 10, 8), (200_000, 32, 8))
"""Rows, columns and components whose passes are timed."""

FITTED = (*SHAPES, (40_000, 32, 4), (40_000, 32, 8))
"""Rows, columns and components of the whole fits whose memory is measured."""

REGRESSED = ((100_000, 60, 5), (500_000, 10, 3))
"""Rows, columns and components of the mixtures of Gaussian regressions whose memory is measured."""

PASSES = 5
GAP = 1e-6
MOST_EM = 8_000
OVERLAPPING_ROWS = 20_000


def separated(rows: int, columns: int, components: int, seed: int = 0) -> tuple[Array, Array]:
    """Return rows of a mixture, and means near the true ones to start from."""
    rng = np.random.default_rng(seed)
    means = 2.0 * rng.normal(size=(components, columns))
    factors = rng.normal(size=(components, columns, columns)) / np.sqrt(columns) + np.eye(columns)
    label = rng.integers(components, size=rows)
    x = np.empty((rows, columns))
    for k in range(components):
        own = label == k
        x[own] = means[k] + rng.normal(size=(own.sum(), columns)) @ factors[k].T
    return x, means + 0.3 * rng.normal(size=means.shape)


def overlapping(components: int, seed: int = 1) -> tuple[Array, Array]:
    """Return 20,000 rows of two columns from components a standard deviation or two apart, and the true means."""
    rng = np.random.default_rng(seed)
    means = np.array([[0.0, 0.0], [1.7, 0.3], [0.0, 2.0], [2.0, 2.2], [-2.0, -1.0]])[:components]
    spread = np.array([1.0, 1.2, 0.9, 1.1, 0.8])[:components]
    weights = np.arange(components, 0, -1) + 1.0
    label = rng.choice(components, OVERLAPPING_ROWS, p=weights / weights.sum())
    return means[label] + spread[label, None] * rng.normal(size=(OVERLAPPING_ROWS, 2)), means


def begin(x: Array, means: Array) -> tuple[MixtureObjective, Array]:
    """Return the objective of a full Gaussian mixture and parameters to start from."""
    components = GaussianComponents(x.shape[1], len(means), x.mean(axis=0))
    likelihood = MixtureLikelihood(components)
    covariance = np.repeat(np.cov(x.T)[None] / 2.0, len(means), axis=0)
    source = ArraySource(Block({}, {"y": x}), None, block_rows(components, len(x)))
    own = components.pack(means - components.center, covariance)
    return MixtureObjective(likelihood, source), np.concatenate([np.zeros(len(means) - 1), own])


def fastest(run: Callable[[], Any], repeat: int) -> float:
    """Return the seconds of the fastest of several runs."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def peer(x: Array, means: Array, passes: int) -> Any:
    """Return scikit-learn's mixture after so many passes of EM from the same start."""
    from sklearn.mixture import GaussianMixture

    K = len(means)
    precision = np.repeat(np.linalg.inv(np.cov(x.T) / 2.0)[None], K, axis=0)
    options = {"weights_init": np.ones(K) / K, "means_init": means, "precisions_init": precision}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GaussianMixture(K, max_iter=passes, tol=0.0, reg_covar=0.0, **options).fit(x)


HEAD = """| rows x columns, components | natfit, s | scikit-learn, s | ratio | difference in loglik | extra MB (data MB) |
|---|---|---|---|---|---|"""


def pass_row(rows: int, columns: int, components: int, repeat: int) -> str:
    """Return a row of the table: seconds of one pass of EM, the difference after the same passes, and memory."""
    x, means = separated(rows, columns, components)
    objective, start = begin(x, means)

    def ours(passes: int) -> Any:
        return em().run(objective, start, Slow(gain=-np.inf), passes)

    ours(1)
    own = (fastest(lambda: ours(PASSES), repeat) - fastest(lambda: ours(1), repeat)) / (PASSES - 1)
    first = fastest(lambda: peer(x, means, 1), repeat)
    theirs = (fastest(lambda: peer(x, means, PASSES), repeat) - first) / (PASSES - 1)
    gap = abs(ours(PASSES - 1).point.loglik / len(x) - peer(x, means, PASSES).lower_bound_)
    tracemalloc.start()
    ours(1)
    extra = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    shape = f"{rows:,} x {columns}, {components}"
    memory = f"{extra:.1f} ({x.nbytes / 1e6:.0f})"
    return f"| {shape} | {own:.4f} | {theirs:.3f} | {theirs / own:.1f} | {gap:.1e} a row | {memory} |"


class Reached(Slow):
    """End where the log-likelihood is within a gap of a known maximum."""

    def __init__(self, best: float):
        super().__init__()
        self.best = best

    def check(self, point: Any, decrement: float, record: Any) -> Verdict | None:
        return Verdict(True, "reached") if point.loglik > self.best - GAP else None


HEAD_OVERLAPPING = """| components | EM, passes | natfit, passes | ratio | EM, s | natfit, s (to a decrement of 1e-12) |
|---|---|---|---|---|---|"""


def overlapping_row(components: int) -> str:
    """Return a row of the table: passes over the data and seconds to a gap of 1e-6, by EM and by natfit."""
    x, means = overlapping(components)
    objective, start = begin(x, means)
    clock = time.perf_counter()
    ours = climb(objective, start, free_coordinates(objective.likelihood))
    own = time.perf_counter() - clock
    best = ours.point.loglik
    passes = next(row.passes for row in ours.record if row.loglik > best - GAP)
    objective, start = begin(x, means)
    clock = time.perf_counter()
    theirs = em().run(objective, start, Reached(best), MOST_EM)
    seconds = time.perf_counter() - clock
    note = "" if theirs.converged else f" (still {best - theirs.point.loglik:.2g} away)"
    count = f"{objective.passes:,}{note} | {passes} | {objective.passes / passes:.0f}"
    return f"| {components} | {count} | {seconds:.2f} | {own:.2f} |"


HEAD_FIT = """| rows x columns, components | data, MB | limit, MB | extra, fit | parameters | extra, standard errors |
|---|---|---|---|---|---|"""

LEAST_EXTRA, SHARE_OF_DATA = 16.0, 0.2
"""Megabytes, and share of the data's size, of which the greater is what a fit is to stay below."""

MOST_INVERTED = 1_000
"""Parameters up to which standard errors are asked for: of more the matrices themselves are large."""


def fit_row(rows: int, columns: int, components: int) -> str:
    """Return a row of the table: the most memory that a whole fit takes beyond the data, and then its standard errors."""
    x, _ = separated(rows, columns, components)
    model = Mixture("gaussian", components, constraint=Constraint(min_spread=1e-6))
    peaks = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LocalMaximumWarning)
        model.fit(x[: 100 * columns], random_state=0)  # what is imported and kept once is no part of a fit
        tracemalloc.start()
        fit = model.fit(x, random_state=0)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.reset_peak()
        known = fit.df <= MOST_INVERTED
        if known:
            fit.cov_params()
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    data = x.nbytes / 1e6
    limit = max(LEAST_EXTRA, SHARE_OF_DATA * data)
    errors = f"{peaks[1]:.1f}" if known else "-"
    return f"| {rows:,} x {columns}, {components} | {data:.0f} | {limit:.0f} | {peaks[0]:.1f} | {fit.df:,} | {errors} |"


def regressions_row(rows: int, columns: int, components: int) -> str:
    """Return a row of the table: the most memory that the way up on all rows takes, from coefficients near the true ones.

    Starts run on a sample of a megabyte, on one thread.
    """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, columns))
    coefficients = rng.normal(size=(components, columns))
    y = np.einsum("ij,ij->i", x, coefficients[rng.integers(components, size=rows)]) + rng.normal(size=rows)
    near = (coefficients + 0.05 * rng.normal(size=coefficients.shape)).ravel()
    model = MixtureRegression(y, x, "gaussian", components)
    likelihood = model.likelihood()
    start = np.zeros(likelihood.layout.size)
    own = likelihood.split(start)[1]
    own[likelihood.components.coefficients_at.ravel()] = near
    objective = MixtureObjective(likelihood, model.source)
    climb_regressions(objective, start, max_iterations=2)  # what is imported and kept once is no part of a fit
    tracemalloc.start()
    climb_regressions(objective, start)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    data = (x.nbytes + y.nbytes) / 1e6
    limit = max(LEAST_EXTRA, SHARE_OF_DATA * data)
    return f"| {rows:,} x {columns}, {components} regressions | {data:.0f} | {limit:.0f} | {peak:.1f} | {start.size:,} | - |"


def report(quick: bool, repeat: int) -> Iterator[str]:
    """Yield the tables, line by line."""
    yield f"## A pass of EM, full covariances\n\n{HEAD}"
    for rows, columns, components in SHAPES:
        yield pass_row(rows // 20 if quick else rows, columns, components, repeat)
    yield f"\n## Overlapping mixtures, {OVERLAPPING_ROWS:,} x 2\n\n{HEAD_OVERLAPPING}"
    for components in (2, 3, 5):
        yield overlapping_row(components)
    yield f"\n## Memory of whole fits, twenty starts included\n\n{HEAD_FIT}"
    for rows, columns, components in FITTED:
        yield fit_row(rows // 20 if quick else rows, columns, components)
    for rows, columns, components in REGRESSED:
        yield regressions_row(rows // 20 if quick else rows, columns, components)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.mixtures", description=__doc__)
    made.add_argument("--quick", action="store_true", help="a twentieth of the rows: to see that all works")
    made.add_argument("--repeat", type=int, default=3)
    made.add_argument("--output", type=Path, help="write the tables to this file too")
    asked = made.parse_args(argv)
    lines = []
    for line in report(asked.quick, asked.repeat):
        print(line, flush=True)
        lines.append(line)
    if asked.output:
        asked.output.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
