"""How often intervals hold what they are to hold, on small samples: ``python -m benchmarks.coverage``.

Each model's data are drawn again and again from known parameters. Counted is how often the 95 % limits of a slope (Wald,
profile likelihood, Wald with HC3) hold the true slope, and how often limits for an observation hold a new one.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

REPLICATES, DRAWS, SEED = 1000, 1000, 20_251
NEW_X = 1.0
"""Where the new observation is drawn."""
METHODS = ("Wald", "Wald, HC3", "profile", "prediction")


class Study(NamedTuple):
    """A model, the law of its data, and the sample's size."""

    name: str
    rows: int
    options: dict[str, Any]
    coefficients: tuple[float, float]
    inverse: Callable[[Array], Array]
    draw: Callable[[Array, Array, np.random.Generator], Array]
    new: dict[str, Any] = {}


def logistic(eta: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-eta))


def identity(eta: Array) -> Array:
    return eta


STUDIES = (
    Study("gaussian", 12, {"family": "gaussian"}, (1.0, 1.0), identity, lambda mu, x, rng: rng.normal(mu, 1.0)),
    Study(
        "gaussian, variance rising with x",
        25,
        {"family": "gaussian"},
        (1.0, 1.0),
        identity,
        lambda mu, x, rng: rng.normal(mu, 0.3 + x**2),
    ),
    Study("poisson", 20, {"family": "poisson"}, (0.5, 0.5), np.exp, lambda mu, x, rng: rng.poisson(mu)),
    Study(
        "poisson, responses overdispersed",
        40,
        {"family": "poisson"},
        (0.5, 0.5),
        np.exp,
        lambda mu, x, rng: rng.poisson(mu * rng.gamma(2.0, 0.5, np.shape(mu))),
    ),
    Study(
        "negative binomial, alpha estimated",
        40,
        {"family": "negative_binomial"},
        (0.5, 0.5),
        np.exp,
        lambda mu, x, rng: rng.poisson(mu * rng.gamma(2.0, 0.5, np.shape(mu))),
    ),
    Study("binomial", 40, {"family": "binomial"}, (0.0, 1.0), logistic, lambda mu, x, rng: rng.binomial(1, mu)),
    Study(
        "binomial of 10 trials",
        12,
        {"family": "binomial", "trials": 10},
        (0.0, 1.0),
        logistic,
        lambda mu, x, rng: rng.binomial(10, mu) / 10.0,
        {"trials": 10},
    ),
    Study(
        "gamma, log link",
        20,
        {"family": "gamma", "link": "log"},
        (0.5, 0.5),
        np.exp,
        lambda mu, x, rng: rng.gamma(2.0, mu / 2.0),
    ),
)


class Count(NamedTuple):
    """How many intervals of one kind were made, held their target, and how wide they were in the middle."""

    made: int
    held: int
    width: float

    @property
    def share(self) -> float:
        return self.held / self.made

    @property
    def error(self) -> float:
        """Standard error of the share by simulation."""
        return float(np.sqrt(self.share * (1.0 - self.share) / self.made))


def run(study: Study, replicates: int, draws: int, seed: int) -> tuple[dict[str, Count], int]:
    """Return the count of each kind of interval, and how many samples had no maximum (separation)."""
    rng = np.random.default_rng(seed)
    x = np.linspace(-1.5, 1.5, study.rows)
    X = np.column_stack([np.ones(study.rows), x])
    mu = study.inverse(X @ study.coefficients)
    seen: dict[str, list[tuple[bool, float]]] = {name: [] for name in METHODS}
    without = 0
    for _ in range(replicates):
        made = one(study, X, study.draw(mu, x, rng), draws, rng)
        without += made is None
        for name, held in (made or {}).items():
            seen[name].append(held)
    counts = {}
    for name, each in seen.items():
        if each:
            held, width = np.array(each).T
            counts[name] = Count(len(each), int(held.sum()), float(np.median(width)))
    return counts, without


def one(study: Study, X: Array, y: Array, draws: int, rng: np.random.Generator) -> dict[str, tuple[bool, float]] | None:
    """Return whether each interval of one sample holds its target, and its width; None where there is no maximum."""
    import natfit as nf

    options = dict(study.options)
    if "trials" in options:
        options["trials"] = np.full(len(y), float(options["trials"]))
    model = nf.GLM(y, X, **options)
    free = options["family"] in ("gaussian", "gamma")
    fit = model.fit(use_t=free)
    if not fit.converged:
        return None
    limits = {
        "Wald": fit.conf_int()[1],
        "Wald, HC3": model.fit(cov_type="HC3", use_t=free).conf_int()[1],
        "profile": fit.conf_int(method="profile", cols=[1])[0],
    }
    made = {name: (bool(low <= study.coefficients[1] <= high), high - low) for name, (low, high) in limits.items()}
    at = np.array([NEW_X])
    new = study.draw(study.inverse(np.array([1.0, NEW_X]) @ np.array(study.coefficients)[:, None]), at, rng)[0]
    low, high = fit.prediction_interval([[1.0, NEW_X]], n=draws, random_state=rng, **study.new)[0]
    made["prediction"] = (bool(low - 1e-9 <= new <= high + 1e-9), high - low)
    return made


def table(found: Sequence[tuple[Study, dict[str, Count], int]]) -> str:
    """Return the table in Markdown: percent held, the simulation's standard error, and the median width."""
    lines = [
        f"| model | n | {' | '.join(METHODS)} | no maximum |",
        f"|---|---|{'---|' * len(METHODS)}---|",
    ]
    for study, counts, without in found:
        cells = [
            f"{100 * c.share:.1f} ± {100 * c.error:.1f} ({c.width:.3g})" for c in (counts[name] for name in METHODS)
        ]
        lines.append(f"| {study.name} | {study.rows} | {' | '.join(cells)} | {without} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--draws", type=int, default=DRAWS, help="of each prediction interval")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, help="write the table to this file too")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")  # a sample without a maximum is counted
    found = []
    for study in STUDIES:
        found.append((study, *run(study, options.replicates, options.draws, options.seed)))
        print(f"{study.name}: done", file=sys.stderr, flush=True)
    text = table(found)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
