"""A fit that was cut off goes on from its checkpoint and ends where it would have; nothing harms the file."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.optimize import Lazy, natural_gradient


def data(rows=3_000, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 3))
    x[:, 0] = 1.0
    return rng.poisson(np.exp(x @ [0.5, 0.6, -0.4])).astype(float), x


@pytest.mark.parametrize("rows", [3_000, 50_000])
def test_a_fit_goes_on_from_its_checkpoint(tmp_path, rows):
    y, x = data(rows)
    path = tmp_path / "fit.json"
    whole = nf.GLM(y, x, family="poisson").fit(maxiter=100)
    with pytest.warns(nf.ConvergenceWarning):
        cut = nf.GLM(y, x, family="poisson").fit(maxiter=1, checkpoint=path, optimizer="natural_gradient")
    assert not cut.converged
    held = json.loads(path.read_text())
    assert held["loglik"] > -1e9
    assert held["passes"] >= 1
    on = nf.GLM(y, x, family="poisson").fit(checkpoint=path)
    assert on.record.decrement[0] < cut.record.decrement[0]
    np.testing.assert_allclose(on.params, whole.params, rtol=1e-10)
    np.testing.assert_allclose(on.bse, whole.bse, rtol=1e-6)
    again = nf.GLM(y, x, family="poisson").fit(checkpoint=path)
    assert again.record.decrement[0] < 1e-5
    assert [each.name for each in tmp_path.iterdir()] == ["fit.json"]


def test_a_streamed_fit_goes_on_too(tmp_path):
    y, x = data()
    frame = pd.DataFrame({"y": y, "a": x[:, 1]})
    path = tmp_path / "fit.json"
    first = nf.GLM.from_formula("y ~ a", nf.data.from_frame(frame), family="poisson").fit(checkpoint=path)
    on = nf.GLM.from_formula("y ~ a", nf.data.from_frame(frame), family="poisson").fit(checkpoint=path)
    assert on.record.decrement[0] < 1e-9
    np.testing.assert_allclose(on.params, first.params, rtol=1e-10)
    with pytest.raises(ValueError, match="is of another fit: its checksum of the response"):
        nf.GLM.from_formula("y ~ a", nf.data.from_frame(frame[::-1]), family="poisson").fit(checkpoint=path)


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    y, x = data()
    path = tmp_path / "fit.json"
    nf.GLM(y, x, family="poisson").fit(checkpoint=path)
    with pytest.raises(
        ValueError, match=r"is of another fit: its family is 'Poisson\(\)', and here it is 'Gaussian\(\)'"
    ):
        nf.GLM(y, x).fit(checkpoint=path)
    with pytest.raises(ValueError, match="its names is"):
        nf.GLM(y, x[:, :2], family="poisson").fit(checkpoint=path)
    path.write_text("{not json")
    with pytest.raises(ValueError, match="is no checkpoint of natfit's"):
        nf.GLM(y, x, family="poisson").fit(checkpoint=path)
    with pytest.raises(ValueError, match="this fit has more to find"):
        nf.GLM(y, x, family="poisson").fit(checkpoint=tmp_path / "other.json", bias_reduction="firth")


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    y, x = data()
    path = tmp_path / "fit.json"
    nf.GLM(y, x, family="poisson").fit(checkpoint=path)
    before = path.read_text()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(RuntimeWarning, match="No space left on device") as warned:
        fit = nf.GLM(y, x, family="poisson").fit(checkpoint=path)
    assert fit.converged
    assert len(warned) == 1
    assert path.read_text() == before
    assert [each.name for each in tmp_path.iterdir()] == ["fit.json"]


def test_progress_tells_of_passes_decrement_and_speed(capsys):
    y, x = data()
    nf.GLM(y, x, family="poisson").fit(progress=True, optimizer=natural_gradient(refresh=Lazy()))
    shown = capsys.readouterr().err
    assert all(each in shown for each in ("passes", "decrement", "rows/s"))
