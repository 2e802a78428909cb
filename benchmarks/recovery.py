"""Whether intervals of distributional regressions hold the true coefficients: ``python -m benchmarks.recovery``.

For every family, data are drawn again and again from known coefficients of every parameter and fitted from default starts;
counted is how often the 95 % Wald limits hold each coefficient, with the simulation's own error. Each family and size has a
random stream of its own, so that what chance does to one tells nothing of another.

    python -m benchmarks.recovery [--replicates 2000] [--rows 200,1000] [--families beta,zip] [--found found.jsonl]

Every study is appended to ``--found`` as it ends, and one that is there already is not made again. ``--table page.md``
writes what the file holds as the page of the documentation: every study, the coefficients that chance does not explain, and
how many of these chance alone makes.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import functools
import json
import subprocess
import time
import warnings
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

import natfit as nf
from natfit.families import distributional

Array = np.ndarray[Any, np.dtype[Any]]

LEVEL = 0.95
SLOPES = (0.3, 0.15)
"""Slopes, on the predictors' scale, of the first parameter and of the others."""
FAR = 3.0
"""Simulation errors from which a coverage counts as far from what it should be."""


class Study(NamedTuple):
    """What came of one family at one size: for each coefficient how often it was held, and its mean z."""

    family: str
    rows: int
    coefficients: list[str]
    fits: int
    failed: dict[str, int]
    held: list[int]
    mean_z: list[float]
    seconds: float
    made: str = ""
    """Day, and the commit of the code."""

    @property
    def coverage(self) -> Array:
        return np.array(self.held) / max(self.fits, 1)

    @property
    def error(self) -> float:
        """Standard error of a coverage by simulation."""
        return float(np.sqrt(LEVEL * (1.0 - LEVEL) / max(self.fits, 1)))

    @property
    def far(self) -> Array:
        """Which coefficients are held more or less often than chance explains."""
        return np.abs(self.coverage - LEVEL) > FAR * self.error


def family_of(name: str) -> Any:
    """Return a family ready to draw from: of classes with three of them."""
    family = distributional.get(name)
    return type(family)(classes=("a", "b", "c")) if hasattr(family, "classes") else family


def study(name: str, rows: int, replicates: int, seed: int = 20_251) -> Study:
    """Return the coverage of every coefficient of a family."""
    begin = time.perf_counter()
    family = family_of(name)
    links = family.resolve_links({})
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), rows])
    truth = _truth(family, links, family.example_parameters()[0])
    scores, failed = [], collections.Counter[str]()
    for _ in range(replicates):
        X, y = _draw(family, links, truth, rows, rng)
        found = _standardized(name, family, X, y, truth)
        if isinstance(found, str):
            failed[found] += 1
        else:
            scores.append(found)
    names = [f"{p}:{column}" for p in family.parameter_names for column in ("const", "x")[: 1 + (p != "power")]]
    z = np.array(scores).reshape(-1, len(names))
    held = (np.abs(z) < stats.norm.ppf(0.5 + 0.5 * LEVEL)).sum(axis=0)
    mean = z.mean(axis=0) if len(z) else np.full(len(names), np.nan)
    seconds = time.perf_counter() - begin
    return Study(name, rows, names, len(z), dict(failed), held.tolist(), mean.tolist(), seconds, made())


@functools.cache
def made() -> str:
    """Return today's date and the commit that is checked out."""
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return f"{datetime.date.today()} {told.stdout.strip()}".strip()


def _draw(family: Any, links: Any, truth: Array, rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
    X = np.column_stack([np.ones(rows), rng.normal(size=rows)])
    theta, used = [], 0
    for parameter, link in zip(family.parameter_names, links, strict=True):
        own = X[:, : 1 + (parameter != "power")]
        theta.append(link.inverse(own @ truth[used : used + own.shape[1]]))
        used += own.shape[1]
    return X, family.sample(theta, rng)


def _standardized(name: str, family: Any, X: Array, y: Array, truth: Array) -> Array | str:
    """Return the estimates' distances from the truth in their own standard errors, or why there are none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exog = X if family.shared_predictors else _designs(family, X)
            model = nf.DistributionalRegression(y, exog, distributional.get(name))
            fit = model.fit()
        except ValueError as refusal:  # a draw that has no fit at all: a class without rows, counts that are all zero
            return str(refusal)
    if not fit.converged:
        return fit.reason
    tie = model.constraints.tie.matrix
    se = np.sqrt(np.einsum("ij,jk,ik->i", tie, np.asarray(fit.cov_params()), tie))
    return (fit.coefficients - truth) / se


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


def load(path: Path | None) -> list[Study]:
    """Return the studies that a file holds."""
    if path is None or not path.exists():
        return []
    return [Study(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--rows", default="200,1000")
    parser.add_argument("--families", default=",".join(distributional.names()))
    parser.add_argument("--found", type=Path)
    parser.add_argument("--table", type=Path)
    asked = parser.parse_args()
    from benchmarks.recovery_page import page

    found = load(asked.found)
    known = {(each.family, each.rows) for each in found}
    for name in filter(None, asked.families.split(",")):
        for rows in map(int, asked.rows.split(",")):
            if (name, rows) in known:
                continue
            own = study(name, rows, asked.replicates)
            found.append(own)
            print(
                f"{name} {rows}: lowest {own.coverage.min():.3f}, not fitted {own.failed}, {own.seconds:.0f} s",
                flush=True,
            )
            if asked.found:
                with asked.found.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(own._asdict()) + "\n")
    if asked.table:
        asked.table.write_text(page(found), encoding="utf-8")
    else:
        print(page(found))


if __name__ == "__main__":
    main()
