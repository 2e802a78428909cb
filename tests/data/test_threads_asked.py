"""The number of threads that a user asks for: read once, and kept by rows in memory and by those that stream."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.data.streams import tables


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    return pd.DataFrame({"x": x, "t": rng.gamma(3.0, np.exp(0.3 * x)), "w": rng.integers(1, 3, 400)})


FITS = {
    "glm": lambda data, **k: nf.GLM.from_formula("t ~ x", data, family="gamma", link="log", **k).fit(),
    "distributional": lambda data, **k: nf.DistributionalRegression.from_formula("t ~ x | x", data, "gamma", **k).fit(),
    "distribution": lambda data, **k: nf.fit_distribution("gamma", "t", data=data, **k),
    "mixture": lambda data, **k: nf.Mixture("gaussian", 2).fit("x", data=data, n_init=2, random_state=0, **k),
    "mixture of regressions": lambda data, **k: nf.MixtureRegression.from_formula(
        "x ~ t", data, "gaussian", 1, **k
    ).fit(),
}


@pytest.mark.filterwarnings("ignore:only one of 2 starts")
@pytest.mark.parametrize("which", FITS)
def test_streams_keep_to_the_threads_asked_for(
    which: str, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, pool = [], tables.pool
    monkeypatch.setattr(tables, "pool", lambda threads: asked.append(threads) or pool(threads))
    source = nf.data.from_frame([frame[:150], frame[150:]])
    one = FITS[which](source, n_jobs=1)
    assert set(asked) == {1}
    assert source.threads is None
    whole = FITS[which](frame)
    np.testing.assert_allclose(one.params, whole.params, rtol=1e-8)


@pytest.mark.parametrize("which", FITS)
def test_minus_one_is_all_processors_and_nonsense_is_refused(which: str, frame: pd.DataFrame) -> None:
    FITS[which](frame, n_jobs=-1)
    for data in (frame, nf.data.from_frame(frame)):
        for wrong in (0, -2, 1.5, "2"):
            with pytest.raises(ValueError, match="n_jobs is a number of threads, 1 or more, or -1"):
                FITS[which](data, n_jobs=wrong)


def test_many_rows_on_minus_one_threads() -> None:
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(50_000), rng.normal(size=50_000)])
    y = rng.poisson(np.exp(0.2 * design[:, 1]))
    all_of_them = nf.GLM(y, design, family="poisson", n_jobs=-1).fit()
    np.testing.assert_array_equal(all_of_them.params, nf.GLM(y, design, family="poisson", n_jobs=1).fit().params)


def test_a_distribution_of_a_column_that_streams_by(frame: pd.DataFrame) -> None:
    source = nf.data.from_frame([frame[:150], frame[150:]])
    whole = nf.fit_distribution("gamma", frame["t"], freq_weights=frame["w"])
    for streamed in (
        nf.fit_distribution("gamma", "t", freq_weights="w", data=source),
        nf.fit_distribution("gamma", nf.data.from_frame(frame[["t", "w"]]), freq_weights="w"),
    ):
        np.testing.assert_allclose(streamed.params, whole.params, rtol=1e-10)
    vectors = nf.fit_distribution("multivariate_normal", ["x", "t"], data=source)
    np.testing.assert_allclose(vectors.params, nf.fit_distribution("multivariate_normal", frame[["x", "t"]]).params)
    bad = frame.assign(t=frame["t"].mask(np.arange(400) == 200, -1.0))
    spoiled = nf.data.from_frame([bad[:150], bad[150:]])
    for fit in (FITS["distribution"], lambda data: nf.Mixture("gamma", 2).fit("t", data=data)):
        with pytest.raises(ValueError, match=r"\(rows 50; .*\(rows are counted from row 150 of the source\)"):
            fit(spoiled)
    with pytest.raises(ValueError, match="no column 'tt' in the list of tables; did you mean 't'"):
        nf.fit_distribution("gamma", "tt", data=source)
    with pytest.raises(ValueError, match="with data= that streams by, freq_weights must name a column; got Series"):
        nf.fit_distribution("gamma", "t", freq_weights=frame["w"], data=source)
