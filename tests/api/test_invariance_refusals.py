"""The invariance report: what it refuses, and the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from invariance_cases import HEIGHTS, RAIN, Logistic, poisson_glm

import natfit as nf
from natfit.parametrizations import Log, from_function

Run = Callable[..., Any]
invariance = nf.diagnostics.invariance


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "options", "match"),
    [
        (("gaussian", HEIGHTS, ["variance"]), {}, "needs at least two parametrizations of gaussian, but got variance"),
        (("gaussian", HEIGHTS, ["variance", "vari"]), {}, "no parametrization 'vari'; there are variance, precision"),
        (("gaussian", HEIGHTS, ["mean", "mean"]), {}, "'mean' is given twice"),
        (("gaussian", HEIGHTS, ["mean", Log(["a"])]), {}, "maps 1 coordinates to 1 parameters, and gaussian has 2"),
        (("gaussian", HEIGHTS), {"start": [0.0, -1.0]}, r"= \(0, -1\) lie outside the domain"),
        (("gaussian", HEIGHTS), {"start": [0.0]}, "start needs one finite number for each of mean, variance"),
        (("gaussian", HEIGHTS), {"start": {"mean": 1.0}}, "start needs a value for each of mean, variance"),
        (("gaussian", [1.0, 3.0]), {"start": [2.0, 1.0]}, "the maximum of the likelihood itself"),
        (("gaussian", HEIGHTS), {"steps": [0.25, 0.25, 0.125]}, "steps must be above 0 and decrease"),
        (("gaussian", HEIGHTS), {"steps": [0.125, 0.25, 0.5]}, "steps must be above 0 and decrease"),
        (("gaussian", HEIGHTS), {"steps": [0.5, 0.25]}, "at least 3 steps"),
        (("gaussian", HEIGHTS), {"steps": [0.3, 0.25, 0.125]}, "each step must divide the flow time 1"),
        (("gaussian", HEIGHTS), {"time": 0.0}, "time must be above 0"),
        (("gaussian", HEIGHTS), {"decrement": 0.0}, "decrement must be above 0"),
        (("gaussian", HEIGHTS), {"moves": ["sideways"]}, "no move 'sideways'"),
        (("gaussian", HEIGHTS), {"moves": []}, "name at least one move"),
        (("gaussian",), {}, "give data"),
        (("gausian", HEIGHTS), {}, "did you mean 'gaussian'"),
        (("gamma", [1.0, -2.0]), {}, "y"),
        (("gaussian", [2.0, 2.0]), {}, "needs two distinct observations"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(args: Any, options: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match) as told:
        invariance(*args, **options)
    assert "\n" not in str(told.value)


def test_a_start_without_coordinates_or_information_is_refused() -> None:
    positive = from_function(
        lambda xi: np.array([xi[0] ** 2, xi[1]]),
        lambda theta: np.array([np.sqrt(theta[0]), theta[1]]),
        names=["root", "variance"],
        at=[1.0, 1.0],
    )
    charts = {"variance": "variance", "root": positive}
    with pytest.raises(ValueError, match="has no coordinates in the parametrization 'root'"):
        invariance("gaussian", [-1.0, -2.0, 3.0], charts, start=[-1.0, 1.0])
    flat = Logistic()
    flat.singular = True  # type: ignore[misc]
    y = np.random.default_rng(7).logistic(1.0, 2.0, 20)
    with pytest.raises(ValueError, match=r"Fisher information is singular at the start .* along the direction"):
        invariance(flat, y, start=[0.0, 1.0])


def test_a_glm_that_can_t_be_compared_is_refused() -> None:
    X = np.column_stack([np.ones(4), [1.0, 2.0, 3.0, 9.0]])
    with pytest.raises(ValueError, match="carries its own rows"):
        invariance(poisson_glm(), [1.0])
    with pytest.raises(ValueError, match="x2 can't be told from the columns before"):
        invariance(nf.GLM([1, 2, 3, 7], np.column_stack([X, X[:, 1]]), family="poisson"))
    with pytest.raises(ValueError, match="fits its rows perfectly"):
        invariance(nf.GLM(X @ [1.0, 2.0], X))
    with pytest.raises(ValueError, match="did not converge"):
        invariance(nf.GLM([0, 0, 1, 1], X, family="binomial"))
    with pytest.raises(ValueError, match="lies outside the domain of gamma GLM"):
        invariance(nf.GLM([1.0, 2.0, 4.0, 5.0], X, family="gamma"), start=[-10.0, 1.0])
    with pytest.raises(ValueError, match="there are coefficients, scaled, rotated, nonlinear"):
        invariance(poisson_glm(), None, ["scaled", "sacled"])


# -- the command line ----------------------------------------------------------------------------------------------


def test_the_command_prints_the_report_and_writes_table_and_figure(run: Run) -> None:
    pytest.importorskip("matplotlib")
    pd.DataFrame({"mm": [*RAIN, np.nan], "day": range(61)}).to_csv("rain.csv", index=False)
    line = ("--family", "gamma", "--data", "rain.csv", "--column", "mm", "--parametrizations", "shape_rate,mean_shape")
    done = run("invariance", *line, "--plot", "out.png", "--output", "table.csv")
    report = invariance("gamma", pd.read_csv("rain.csv")["mm"], ["shape_rate", "mean_shape"], missing="drop")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith(report.summary() + "\n")
    assert "gamma, 60 observations of mm (1 row with missing values left out)" in done.out
    assert done.out.split()[:3] == ["move", "step", "spread_se"]
    written = pd.read_csv("table.csv", keep_default_na=False, na_values=[""])
    assert list(written) == list(report.table())
    np.testing.assert_allclose(written["spread_se"], report.table()["spread_se"], rtol=1e-6, atol=1e-10)
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_takes_vectors_moves_and_weights(run: Run) -> None:
    rng = np.random.default_rng(8)
    pd.DataFrame({"a": rng.normal(size=30), "b": rng.normal(size=30), "n": 2}).to_csv("d.csv", index=False)
    line = (
        "--data",
        "d.csv",
        "--freq-weights",
        "n",
        "--moves",
        "m_geodesic",
        "--parametrizations",
        "covariance,precision",
    )
    done = run("invariance", "--family", "multivariate_normal", "--column", "a,b", *line)
    assert (done.status, done.err) == (0, "")
    assert "multivariate_normal, 60 observations of a, b" in done.out
    assert "identical to rounding" in done.out


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (["--family", "gamma", "--column", "weigth"], "weigth"),
        (["--family", "gamna", "--column", "weight"], "did you mean 'gamma'"),
        (["--family", "gamma", "--column", "weight", "--parametrizations", "shape_rate"], "at least two"),
        (["--family", "gamma", "--column", "weight", "--parametrizations", "a,,b"], "empty name"),
        (["--family", "gamma", "--column", "weight", "--plot", "x.gif"], "must end in .png, .pdf or .svg"),
        (["--family", "gamma", "--column", "weight", "--time", "-1"], "time must be above 0"),
        (["--family", "poisson", "--column", "width"], "width"),
    ],
)
def test_the_command_refuses_bad_input_in_one_line(run: Run, line: list[str], match: str) -> None:
    done = run("invariance", "--data", "crabs", *line)
    assert done.status == 2
    assert done.err.startswith("natfit: error: ")
    assert done.err.count("\n") == 1
    assert match in done.err
    assert done.out == ""
