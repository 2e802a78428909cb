"""Rows read from Parquet in every pass: time beside pyarrow's own scans and a fit in memory, memory, and a Dask cluster."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = 9
FORMULA = "y ~ " + " + ".join(f"x{j}" for j in range(COLUMNS))
GROUP = 1_000_000
KILL_AFTER = 2.0
"""Seconds into a fit after which a worker is killed."""


def write(given: dict[str, Any]) -> dict[str, Any]:
    """Write a Parquet file of nine numbers and a Poisson count, a row group at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng([20240, given["rows"]])
    beta = 0.1 * rng.standard_normal(COLUMNS)
    writer, path = None, Path(given["folder"]) / "rows.parquet"
    for start in range(0, given["rows"], GROUP):
        X = rng.standard_normal((min(GROUP, given["rows"] - start), COLUMNS))
        columns = {f"x{j}": X[:, j] for j in range(COLUMNS)} | {"y": rng.poisson(np.exp(0.2 + X @ beta))}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()
    return {"bytes": path.stat().st_size}


def scan(given: dict[str, Any]) -> dict[str, Any]:
    """Time pyarrow's scan of all columns, the faster of two ways: read ahead as it likes, or by a buffered stream."""
    import pyarrow.dataset as ds

    path, seconds = Path(given["folder"]) / "rows.parquet", []
    options = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True)
    buffered = ds.ParquetFileFormat(default_fragment_scan_options=options)
    for form, ahead in (("parquet", {}), (buffered, {"batch_readahead": 0, "fragment_readahead": 0})) * 2:
        start = time.perf_counter()
        rows = sum(batch.num_rows for batch in ds.dataset(path, format=form).to_batches(**ahead))
        seconds.append(time.perf_counter() - start)
        assert rows == given["rows"]
    return {"seconds": min(seconds)}


def _ready() -> None:
    """Fit a few rows once, so that no fit that is timed waits for what it imports."""
    import pyarrow.dataset

    import natfit as nf

    assert pyarrow.dataset
    rng = np.random.default_rng(1)
    few = {f"x{j}": rng.standard_normal(100) for j in range(COLUMNS)} | {"y": rng.poisson(1.0, 100)}
    for data in (few, nf.data.from_frame(few)):
        _fitted(nf.GLM.from_formula(FORMULA, data, family="poisson"), 0.0)


def stream(given: dict[str, Any]) -> dict[str, Any]:
    """Fit from the file."""
    import natfit as nf

    _ready()
    start = time.perf_counter()
    model = nf.GLM.from_formula(FORMULA, nf.data.from_parquet(Path(given["folder"]) / "rows.parquet"), family="poisson")
    return _fitted(model, start) | {"passes": model.source.passes + 1}


def memory(given: dict[str, Any]) -> dict[str, Any]:
    """Fit the same rows from a frame in memory, and from arrays; reading them does not count."""
    import pandas as pd

    import natfit as nf

    _ready()
    frame = pd.read_parquet(Path(given["folder"]) / "rows.parquet")
    start = time.perf_counter()
    found = _fitted(nf.GLM.from_formula(FORMULA, frame, family="poisson"), start)
    y, X = frame.y.to_numpy(float), np.ones((len(frame), COLUMNS + 1))
    X[:, 1:] = frame[[f"x{j}" for j in range(COLUMNS)]]
    del frame
    start = time.perf_counter()
    return found | {"arrays": _fitted(nf.GLM(y, X, family="poisson"), start)}


def cluster(given: dict[str, Any]) -> dict[str, Any]:
    """Fit on a Dask cluster of two processes, and again with one of them killed in the middle."""
    import dask.dataframe as dd
    from distributed import Client, LocalCluster

    import natfit as nf

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with LocalCluster(**options) as workers, Client(workers) as client:
        frame = dd.read_parquet(Path(given["folder"]) / "rows.parquet", split_row_groups=True)
        start = time.perf_counter()
        model = nf.GLM.from_formula(FORMULA, nf.data.from_dask(frame), family="poisson")
        whole = _fitted(model, start)
        victim = next(iter(client.run(os.getpid).values()))
        ends: list[float] = []

        def kill() -> None:
            os.kill(victim, signal.SIGKILL)
            ends.append(time.perf_counter())

        killer = threading.Timer(min(KILL_AFTER, 0.3 * whole["seconds"]), kill)
        killer.start()
        start = time.perf_counter()
        killed = _fitted(model, start)
        assert ends, "the fit ended before a worker was killed"
        assert victim not in client.run(os.getpid).values()
    killed |= {"killed_after": ends[0] - start}
    return whole | {"killed": killed}


def _fitted(model: Any, start: float) -> dict[str, Any]:
    from benchmarks.measure import peak_resident

    fit = model.fit()
    assert np.isfinite(fit.bse).all()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "params": fit.params.tolist(), "resident": peak_resident()}


JOBS = {
    "stream_write": write,
    "stream_scan": scan,
    "stream_fit": stream,
    "stream_memory": memory,
    "stream_dask": cluster,
}
