"""Matrices, blocks, formulas, and the sources that rows come from; those for streamed rows are here for users."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from natfit.data.streams.dask import from_dask
    from natfit.data.streams.parquet import from_csv, from_parquet
    from natfit.data.streams.picking import column_source
    from natfit.data.streams.tables import Tables, from_frame

_NAMES = {
    "Tables": "natfit.data.streams.tables",
    "column_source": "natfit.data.streams.picking",
    "from_csv": "natfit.data.streams.parquet",
    "from_dask": "natfit.data.streams.dask",
    "from_frame": "natfit.data.streams.tables",
    "from_parquet": "natfit.data.streams.parquet",
}

__all__ = ["Tables", "column_source", "from_csv", "from_dask", "from_frame", "from_parquet"]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'natfit.data' has no attribute {name!r}")
    return getattr(import_module(_NAMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
