"""From what users pass to a checked GLMData."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from natfit.data.matrix import as_columns
from natfit.models.data import GLMData

Array = np.ndarray[Any, np.dtype[np.float64]]


def from_arrays(endog: Any, exog: Any, extras: Mapping[str, Any], missing: str) -> GLMData:
    """Bind arrays or frames."""
    y = np.asarray(endog, dtype=float)
    X = np.asarray(exog)
    names = [f"x{i}" for i in range(1, X.shape[1] + 1)]
    data = GLMData(y, as_columns(X), names)
    if extras["offset"] is not None:
        data.offset = np.asarray(extras["offset"], float)
    for k in ("freq_weights", "var_weights", "trials"):
        if extras[k] is not None:
            setattr(data, k, np.asarray(extras[k], float))
    return data


def check_for(data: GLMData, family: Any, link: Any) -> None:
    family.check_response(data.y, data.y_name)


@contextmanager
def progress_bar(show: bool) -> Iterator[Any]:
    if not show:
        yield None
        return
    from tqdm.auto import tqdm

    with tqdm(desc="fit", unit=" passes") as bar:

        def update(row: Any) -> None:
            bar.set_postfix_str(f"decrement {row.decrement:.2g}")
            bar.update(row.passes - bar.n)

        yield update
