"""A fit that was cut off goes on from its checkpoint and ends where it would have; nothing harms the file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

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
    with pytest.raises(ValueError, match=r"is of another fit: among its names it has \['x2'\]; name"):
        nf.GLM(y, x[:, :2], family="poisson").fit(checkpoint=path)
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere"):
        nf.GLM(y, x, family="poisson").fit(checkpoint=tmp_path / "nowhere" / "fit.json")
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
    nf.DistributionalRegression(y, x, "gaussian").fit(progress=True)
    shown = capsys.readouterr().err
    assert all(each in shown for each in ("passes", "decrement", "rows/s"))


CUT_OFF = """
import os, signal, sys
import numpy as np
import pandas as pd
import natfit as nf
sys.path.insert(0, {folder!r})
from rows import frame, make
passes = []
def tables():
    passes.append(1)
    if len(passes) > {survives}:
        os.kill(os.getpid(), signal.SIGKILL)
    return iter([frame])
make(nf.data.from_frame(tables)).fit(checkpoint={path!r})
"""
ROWS = """
import numpy as np
import pandas as pd
import natfit as nf
rng = np.random.default_rng(3)
frame = pd.DataFrame({"x": rng.standard_normal(400), "z": rng.random(400)})
frame["y"] = rng.gamma(2.0, np.exp(0.4 * frame.x) / 2.0)
def make(data):
    MAKE
"""
MAKERS = {
    "a GLM": "return nf.GLM.from_formula('y ~ x + z', data, family='gamma', link='log')",
    "a distributional regression": (
        "return nf.DistributionalRegression.from_formula('y ~ x | z', data, 'gamma', constraints='mean:x = shape:z')"
    ),
}


@pytest.mark.parametrize("which", MAKERS)
def test_a_process_that_was_killed_goes_on_from_its_checkpoint(which, tmp_path):
    (tmp_path / "rows.py").write_text(ROWS.replace("MAKE", MAKERS[which]))
    path = tmp_path / "fit.json"
    survives = {"a GLM": 7, "a distributional regression": 11}[which]
    script = CUT_OFF.format(folder=str(tmp_path), path=str(path), survives=survives)
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    scope: dict = {}
    exec((tmp_path / "rows.py").read_text(), scope)
    whole = scope["make"](scope["frame"]).fit()
    held = [float.fromhex(each) for each in json.loads(path.read_text())["params"]]
    assert 1e-6 < np.abs(held - (whole.coefficients if "distributional" in which else whole.params)).max() < 1.0
    on = scope["make"](nf.data.from_frame(scope["frame"])).fit(checkpoint=path)
    np.testing.assert_allclose(on.params, whole.params, rtol=1e-8)
    np.testing.assert_allclose(on.bse, whole.bse, rtol=1e-6)
    assert on.record.decrement[0] < whole.record.decrement[0]


def test_a_checkpoint_of_another_distributional_fit_is_refused(tmp_path):
    y, x = data(400)
    path = tmp_path / "fit.json"
    nf.DistributionalRegression(y, x, "gaussian").fit(checkpoint=path)
    for family, options in (("logistic", {}), ("gaussian", {"fixed": {"sd": 1.0}}), ("gaussian", {"links": "log"})):
        with pytest.raises(ValueError, match="is of another fit"):
            nf.DistributionalRegression(y + 1.0, x, family, **options).fit(checkpoint=path)
    with pytest.raises(ValueError, match="its checksum of the response"):
        nf.DistributionalRegression(y[::-1], x, "gaussian").fit(checkpoint=path)
