"""What is fitted: designs and responses simulated from a fixed seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

FAMILIES = ("gaussian", "poisson", "binomial", "gamma")
"""Each with its usual link for regression: identity, log, logit, log."""

SPREAD = 0.5
"""Standard deviation of the linear predictor over the rows, whatever the number of columns."""

GAMMA_SHAPE = 2.0


@dataclass(frozen=True)
class Case:
    """One data set: a constant and ``columns - 1`` standard normal columns, and a response of a family.

    Parameters
    ----------
    family : str
        One of `FAMILIES`.
    rows, columns : int
    seed : int
    order : {"C", "F"}
        How the design lies in memory.
    """

    family: str
    rows: int
    columns: int
    seed: int = 20240
    order: str = "C"

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"unknown family {self.family!r}: choose from {', '.join(FAMILIES)}")
        if self.order not in ("C", "F"):
            raise ValueError(f"order must be C (by rows) or F (by columns), got {self.order!r}")
        if self.columns < 2 or self.rows <= self.columns:
            raise ValueError(
                f"a case needs at least 2 columns, and more rows than columns; got {self.rows} x {self.columns}"
            )

    @property
    def design_bytes(self) -> int:
        return 8 * self.rows * self.columns

    @property
    def title(self) -> str:
        return f"{self.family}, {self.rows:,} x {self.columns}"

    def simulate(self) -> tuple[Array, Array]:
        """Return the response (rows,) and the design (rows, columns); the same ones each time."""
        rng = np.random.default_rng([self.seed, self.rows, self.columns])
        X = np.empty((self.rows, self.columns))
        rng.standard_normal(out=X)
        X[:, 0] = 1.0
        beta = rng.standard_normal(self.columns)
        beta *= SPREAD / np.linalg.norm(beta[1:])
        beta[0] = 0.2
        y = _draw(self.family, X @ beta, rng)
        return y, (np.asfortranarray(X) if self.order == "F" else X)

    def save(self, folder: Path) -> None:
        """Write the data as .npy files, from which every measured process starts."""
        y, X = self.simulate()
        np.save(folder / "y.npy", y)
        np.save(folder / "X.npy", X)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def load(folder: Path) -> tuple[Array, Array]:
    """Read the data into memory of this process; every page of it has then been touched."""
    return np.load(folder / "y.npy"), np.load(folder / "X.npy")


def _draw(family: str, eta: Array, rng: np.random.Generator) -> Array:
    if family == "gaussian":
        return eta + rng.standard_normal(eta.size)
    if family == "poisson":
        return rng.poisson(np.exp(eta)).astype(float)
    if family == "binomial":
        return (rng.random(eta.size) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    return rng.gamma(GAMMA_SHAPE, np.exp(eta) / GAMMA_SHAPE)
