"""Whether intervals of distributional regressions hold the true coefficients: ``python -m benchmarks.recovery``.

For every family, data are drawn again and again from known coefficients of every parameter and fitted from default starts;
counted is how often the 95 % Wald limits hold each coefficient, with the simulation's own error.

    python -m benchmarks.recovery [--replicates 2000] [--rows 200,1000] [--families beta,zip] [--output table.md]
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import natfit as nf
from natfit.families import distributional

Array = np.ndarray[Any, np.dtype[Any]]

LEVEL = 0.95
SLOPES = (0.3, 0.15)
"""Slopes, on the predictors' scale, of the first parameter and of the others."""


class Row(NamedTuple):
    """What came of one coefficient."""

    family: str
    rows: int
    coefficient: str
    fits: int
    failed: int
    coverage: float
    bias: float

    @property
    def error(self) -> float:
        """Standard error of the coverage by simulation."""
        return float(np.sqrt(LEVEL * (1.0 - LEVEL) / max(self.fits, 1)))


def family_of(name: str) -> Any:
    """Return a family ready to draw from: of classes with three of them."""
    family = distributional.get(name)
    return type(family)(classes=("a", "b", "c")) if hasattr(family, "classes") else family


def study(name: str, rows: int, replicates: int, seed: int = 20_251) -> list[Row]:
    """Return the coverage of every coefficient of a family."""
    family = family_of(name)
    links = family.resolve_links({})
    point = family.example_parameters()[0]
    rng = np.random.default_rng(seed)
    truth, hits, bias, failed = _truth(family, links, point), [], [], 0
    for _ in range(replicates):
        X = np.column_stack([np.ones(rows), rng.normal(size=rows)])
        theta, used = [], 0
        for parameter, link in zip(family.parameter_names, links, strict=True):
            own = X[:, : 1 + (parameter != "power")]
            theta.append(link.inverse(own @ truth[used : used + own.shape[1]]))
            used += own.shape[1]
        y = family.sample(theta, rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                exog = X if family.shared_predictors else _designs(family, X)
                model = nf.DistributionalRegression(y, exog, distributional.get(name))
                fit = model.fit()
            except ValueError:  # a draw that has no fit at all: a class without rows, counts that are all zero
                failed += 1
                continue
        if not fit.converged:
            failed += 1
            continue
        full, tie = fit.coefficients, model.constraints.tie.matrix
        se = np.sqrt(np.einsum("ij,jk,ik->i", tie, np.asarray(fit.cov_params()), tie))
        z = (full - truth) / se
        hits.append(np.abs(z) < 1.959964)
        bias.append(z)
    names = [f"{p}:{column}" for p in family.parameter_names for column in ("const", "x")[: 1 + (p != "power")]]
    held = np.mean(hits, axis=0) if hits else np.full(len(names), np.nan)
    shift = np.mean(bias, axis=0) if bias else held
    return [
        Row(name, rows, label, len(hits), failed, float(c), float(b))
        for label, c, b in zip(names, held, shift, strict=True)
    ]


def _designs(family: Any, X: Array) -> dict[str, Array]:
    """Return a design for every parameter; a Tweedie's power, which is slow to vary by row, is a constant."""
    return {name: X[:, : 1 + (name != "power")] for name in family.parameter_names}


def _truth(family: Any, links: Any, point: Array) -> Array:
    parallel = getattr(family, "parallel", False) is True
    found = []
    for k, link in enumerate(links):
        slope = SLOPES[0] if k == 0 or parallel else SLOPES[1]
        found += [float(link(np.array([point[k]]))[0]), slope][: 1 + (family.parameter_names[k] != "power")]
    return np.array(found)


def table(found: list[Row]) -> str:
    """Return a Markdown table; coverages further from 0.95 than three simulation errors are marked."""
    lines = [
        "| family | rows | coefficient | fits | not fitted | coverage | error | mean z |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        far = "*" if abs(row.coverage - LEVEL) > 3.0 * row.error else ""
        lines.append(
            f"| {row.family} | {row.rows} | {row.coefficient} | {row.fits} | {row.failed} | {row.coverage:.3f}{far} | "
            f"{row.error:.3f} | {row.bias:+.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--rows", default="200,1000")
    parser.add_argument("--families", default=",".join(distributional.names()))
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    found: list[Row] = []
    for name in asked.families.split(","):
        for rows in map(int, asked.rows.split(",")):
            begin = time.perf_counter()
            own = study(name, rows, asked.replicates)
            found += own
            worst = min(own, key=lambda row: row.coverage)
            print(
                f"{name} {rows}: worst {worst.coverage:.3f} of {worst.coefficient}, {own[0].failed} not fitted, "
                f"{time.perf_counter() - begin:.0f} s",
                flush=True,
            )
    if asked.output:
        asked.output.write_text(table(found), encoding="utf-8")
    else:
        print(table(found))


if __name__ == "__main__":
    main()
