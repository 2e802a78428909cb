"""A formula with factors of many levels, design building included: natfit beside glum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.measure import measure

LEVELS = (100, 1000)
FORMULA = "y ~ x + g + h"


def simulate(rows: int, levels: Sequence[int] = LEVELS, seed: int = 20240) -> Any:
    """Return a frame with a number, two categorical columns and a Poisson response; the same one each time."""
    import pandas as pd

    rng = np.random.default_rng([seed, rows, *levels])
    codes = [rng.integers(0, count, rows) for count in levels]
    effects = [0.2 * rng.standard_normal(count) for count in levels]
    x = rng.standard_normal(rows)
    mean = np.exp(0.1 + 0.2 * x + effects[0][codes[0]] + effects[1][codes[1]])
    names = [np.array([f"level {i:04d}" for i in range(count)]) for count in levels]
    columns = {
        name: pd.Categorical.from_codes(own, labels) for name, own, labels in zip("gh", codes, names, strict=True)
    }
    return pd.DataFrame({"y": rng.poisson(mean).astype(float), "x": x, **columns})


def natfit(frame: Any) -> tuple[float, float]:
    """Return the coefficient of x and its standard error."""
    import natfit as nf

    fit = nf.GLM.from_formula(FORMULA, frame, family="poisson").fit()
    return float(fit.params["x"]), float(fit.bse["x"])


def glum(frame: Any) -> tuple[float, float]:
    """Return the coefficient of x and its standard error."""
    from glum import GeneralizedLinearRegressor

    model = GeneralizedLinearRegressor(alpha=0, family="poisson", formula=FORMULA, drop_first=True)
    model.fit(frame)
    place = list(model.feature_names_).index("x")
    errors = model.std_errors(frame, frame["y"].to_numpy(), dispersion=1.0, robust=False, expected_information=True)
    return float(model.coef_[place]), float(errors[1 + place])


PEERS = {"natfit": natfit, "glum": glum}


def job(given: dict[str, Any]) -> dict[str, Any]:
    """Fit once in this process, after a small fit that has imported what the peer needs."""
    fit = PEERS[given["peer"]]
    fit(simulate(20_000, (30, 450)))
    frame = simulate(given["rows"])
    (coefficient, error), cost = measure(lambda: fit(frame))
    return {"coefficient": coefficient, "error": error, **cost._asdict()}
