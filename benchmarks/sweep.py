"""How natfit's own cost grows with rows and with columns, beside one Gram pass: a table and a plot on log axes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case

ROWS = (5_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 5_000_000)
COLUMNS = (5, 10, 20, 50, 100, 200, 400)
COLUMNS_OF_ROWS, ROWS_OF_COLUMNS = 20, 200_000
REPEAT = 5


def shapes(most: int) -> dict[str, list[tuple[int, int]]]:
    """Return what is fitted along each axis, up to so many entries of a design."""
    by_rows = [(rows, COLUMNS_OF_ROWS) for rows in ROWS]
    by_columns = [(ROWS_OF_COLUMNS, columns) for columns in COLUMNS]
    return {
        "rows": [each for each in by_rows if each[0] * each[1] <= most],
        "columns": [each for each in by_columns if each[0] * each[1] <= most],
    }


def job(given: dict[str, Any]) -> dict[str, Any]:
    """Fit one shape several times, a Gram pass before each; return the best of both."""
    import natfit as nf

    y, X = Case("poisson", given["rows"], given["columns"]).simulate()
    nf.GLM(y[:200], X[:200], family="poisson").fit()
    fits, grams = [], []
    for _ in range(REPEAT):
        start = time.perf_counter()
        X.T @ X
        grams.append(time.perf_counter() - start)
        start = time.perf_counter()
        fit = nf.GLM(y, X, family="poisson").fit()
        assert np.isfinite(fit.bse).all()
        fits.append(time.perf_counter() - start)
    last = fit.record.iloc[-1]
    counts = {name: int(last[name]) for name in ("passes", "metric_passes", "sample_passes")}
    return {"seconds": min(fits), "gram": min(grams), **counts}


def plot(found: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """Draw seconds against rows and against columns, on log axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    fixed = {"rows": f"{COLUMNS_OF_ROWS} columns", "columns": f"{ROWS_OF_COLUMNS:,} rows"}
    for ax, (along, rows) in zip(axes, found.items(), strict=True):
        at = np.array([row[along] for row in rows], dtype=float)
        ax.loglog(at, [row["seconds"] for row in rows], "o-", color="#0b6e99", label="fit with standard errors")
        ax.loglog(at, [row["gram"] for row in rows], "s--", color="#888888", label="one Gram pass (BLAS)")
        ax.set_xlabel(f"{along} ({fixed[along]})")
        ax.set_ylabel("seconds")
        ax.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
