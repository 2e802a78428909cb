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
    second = rng.random(4_000) < 0.4
    made["mixed"] = rng.poisson(np.exp(np.where(second, 2.5 - 0.4 * made.x, 0.3 + 0.5 * made.x)))
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


def test_a_mixture_and_a_distribution_of_a_dask_frame_are_those_of_the_frame(frame):
    rows = nf.data.from_dask(dd.from_pandas(frame, npartitions=5))
    mixture = nf.Mixture("poisson", 2)
    with dask.config.set(scheduler="threads"):
        streamed = mixture.fit("mixed", data=rows, n_init=3, random_state=0)
        alone = nf.fit_distribution("poisson", nf.data.column_source(rows, "mixed"))
    whole = mixture.fit("mixed", data=frame, n_init=3, random_state=0)
    assert streamed.llf == pytest.approx(whole.llf, rel=1e-12)
    assert streamed.nobs == whole.nobs
    pd.testing.assert_series_equal(streamed.params, whole.params, rtol=1e-7)
    pd.testing.assert_series_equal(streamed.bse, whole.bse, rtol=1e-6)
    one = nf.fit_distribution("poisson", frame["mixed"])
    pd.testing.assert_series_equal(alone.params, one.params, rtol=1e-12)
    assert alone.llf == pytest.approx(one.llf, rel=1e-12)


def test_a_mixture_of_regressions_of_a_dask_frame_is_that_of_the_frame(frame):
    fits = []
    for rows in (frame[:1_500], nf.data.from_dask(dd.from_pandas(frame[:1_500], npartitions=3))):
        model = nf.MixtureRegression.from_formula("mixed ~ x", data=rows, family="poisson")
        with dask.config.set(scheduler="threads"):
            fits.append(model.fit(n_init=3, random_state=0))
    whole, streamed = fits
    assert streamed.llf == pytest.approx(whole.llf, rel=1e-11)
    pd.testing.assert_series_equal(streamed.params, whole.params, rtol=1e-6, atol=1e-7)


def test_a_dask_frame_that_is_not_wrapped_is_refused(frame):
    with pytest.raises(TypeError, match=r"lie in a Dask frame.*nf\.data\.from_dask"):
        nf.GLM.from_formula(FORMULA, dd.from_pandas(frame, npartitions=2), family="poisson")


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
