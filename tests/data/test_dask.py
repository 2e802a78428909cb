"""Dask DataFrames: the fit of the frame in memory, on threads and where a worker is lost in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pandas as pd
import pytest

import natfit as nf

dask = pytest.importorskip("dask")
dd = pytest.importorskip("dask.dataframe")

FORMULA = "y ~ x + C(g) + center(z)"


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(8)
    made = pd.DataFrame({"x": rng.standard_normal(4_000), "z": rng.random(4_000), "g": rng.choice(list("abc"), 4_000)})
    made["y"] = rng.poisson(np.exp(0.2 + 0.3 * made.x - 0.2 * (made.g == "b")))
    return made


def test_a_dask_frame_gives_the_fit_of_the_frame(frame):
    whole = nf.GLM.from_formula(FORMULA, frame, family="poisson").fit()
    source = nf.data.from_dask(dd.from_pandas(frame, npartitions=11), FORMULA)
    with dask.config.set(scheduler="threads"):
        streamed = nf.GLM.from_formula(None, source, family="poisson").fit(cov_type="HC1")
        robust = nf.GLM.from_formula(FORMULA, frame, family="poisson").fit(cov_type="HC1")
        np.testing.assert_allclose(streamed.params, whole.params, atol=1e-10)
        np.testing.assert_allclose(streamed.bse, robust.bse, rtol=1e-8)
        np.testing.assert_allclose(streamed.predict(source), whole.fittedvalues, rtol=1e-9)


def test_what_is_no_dask_frame_is_refused(frame):
    with pytest.raises(TypeError, match=r"takes a dask\.dataframe\.DataFrame, got DataFrame"):
        nf.data.from_dask(frame)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_lost_in_a_pass_changes_nothing(frame):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        model = nf.GLM.from_formula(FORMULA, nf.data.from_dask(dd.from_pandas(frame, npartitions=8)), family="poisson")
        before = model.fit()
        victim = next(iter(client.run(os.getpid).values()))
        killer = threading.Thread(target=lambda: (time.sleep(0.05), os.kill(victim, signal.SIGKILL)))
        killer.start()
        after = model.fit()
        killer.join()
    assert after.converged
    np.testing.assert_allclose(after.params, before.params, rtol=0, atol=1e-12)
    whole = nf.GLM.from_formula(FORMULA, frame, family="poisson").fit()
    np.testing.assert_allclose(after.params, whole.params, atol=1e-10)
