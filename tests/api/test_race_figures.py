"""What a race refuses, its figures, and its command."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit.diagnostics.races.choices import resolve_optimizers
from natfit.diagnostics.races.races import Race
from natfit.optimize import gradient_descent, natural_gradient
from natfit.parametrizations import Log

race = nf.diagnostics.race
N = 80
FIVE = ["variance", "precision", "log_sd", "natural", "mean"]


@pytest.fixture(scope="module")
def heights() -> pd.Series:
    return pd.Series(np.random.default_rng(11).normal(0.3, 1.1, N), name="height")


@pytest.fixture(scope="module")
def five(heights: pd.Series) -> Race:
    return race("gaussian", heights, parametrizations=FIVE, optimizers=[gradient_descent(0.1), natural_gradient(0.1)])


@pytest.fixture(scope="module")
def crabs() -> Any:
    return nf.GLM.from_formula("sat ~ width", nf.datasets.load("crabs"), family="poisson")


# -- bad input


BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no data": (lambda y: race("gaussian"), "needs data"),
    "empty": (lambda y: race("gaussian", []), "row"),
    "constant": (lambda y: race("gaussian", [1.0, 1.0]), "no maximum"),
    "family": (lambda y: race("gausian", y), "did you mean 'gaussian'"),
    "parametrization": (lambda y: race("gaussian", y, parametrizations=["sdd"]), "choose from variance, precision, sd"),
    "no parametrization": (lambda y: race("gaussian", y, parametrizations=[]), "needs a parametrization"),
    "size": (lambda y: race("gaussian", y, parametrizations=[Log(["rate"])]), "needs 2"),
    "optimizer": (lambda y: race("gaussian", y, optimizers=["adam"]), "choose one of gradient_descent"),
    "no optimizer": (lambda y: race("gaussian", y, optimizers=[]), "needs an optimizer"),
    "number": (lambda y: race("gaussian", y, optimizers=["bfgs:2"]), "takes no number"),
    "start": (lambda y: race("gaussian", y, start=[0.0, -1.0]), "lies outside the domain"),
    "start in": (lambda y: race("gaussian", y, start=[0.0, -1.0], start_in="sd"), "lies outside the domain"),
    "start names": (lambda y: race("gaussian", y, start={"mean": 1.0}), "mean, variance"),
    "start size": (lambda y: race("gaussian", y, start=[1.0]), "one number for each of mean, variance"),
    "start_in alone": (lambda y: race("gaussian", y, start_in="sd"), "give start="),
    "no coordinates": (
        lambda y: race("gaussian", y, start=[-2.0, 1.0], parametrizations={"logs": Log(["mean", "variance"])}),
        "no coordinates in the parametrization logs",
    ),
    "iterations": (lambda y: race("gaussian", y, max_iterations=0), "1 or more"),
    "one parameter": (lambda y: race("poisson", [1.0, 2.0]).plot_paths(), "plane of two parameters"),
    "page": (lambda y: race("poisson", [1.0, 2.0]).html(), "plane of two parameters"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_one_sentence(case: str, heights: pd.Series) -> None:
    act, said = BAD[case]
    with pytest.raises(ValueError, match=said) as refused:
        act(heights)
    assert "\n" not in str(refused.value)


def test_a_glm_takes_no_data_and_needs_an_optimum(crabs: Any, heights: pd.Series) -> None:
    with pytest.raises(ValueError, match="carries its own data"):
        race(crabs, heights)
    separated = nf.GLM([0, 0, 1, 1], np.column_stack([np.ones(4), [1.0, 2.0, 3.0, 4.0]]), family="binomial")
    with pytest.raises(ValueError, match=r"found none: .*separation"):
        race(separated)
    with pytest.raises(TypeError, match="one of the names gradient_descent"):
        resolve_optimizers([3])


# -- figures


def closed(figure: Any) -> None:
    import matplotlib.pyplot as plt

    plt.close(figure)


def panels(figure: Any) -> list[Any]:
    return [ax for ax in figure.axes if ax.get_visible()]


def looks(ax: Any) -> list[tuple[Any, ...]]:
    """What tells the paths of a panel apart without colour."""
    lines = [line for line in ax.lines if line.get_markevery() is not None]
    return [(line.get_marker(), line.get_linestyle(), line.get_markerfacecolor() == "white") for line in lines]


def test_the_figure_can_be_read_without_the_code(five: Race) -> None:
    figure = five.plot()
    figure.canvas.draw()
    shown = panels(figure)
    assert len(shown) == len(FIVE) + 2 * len(five.optimizers)
    for ax in shown:
        assert ax.get_xlabel()
        assert ax.get_ylabel()
        assert ax.get_title(loc="left")
        assert len(looks(ax)) == len(set(looks(ax))) >= 2
    assert [look[:2] for look in looks(shown[1])] == [("s", "-"), ("s", "--")]  # one marker, two lines: two optimizers
    assert shown[0].get_ylabel() == "variance σ² (unit of height,\nsquared)"
    box = figure.get_tightbbox()
    assert box.x0 >= 0.0
    assert box.y0 >= 0.0
    assert box.x1 <= figure.get_figwidth()
    assert box.y1 <= figure.get_figheight()
    legend = figure.legends[0].get_window_extent()
    assert all(not legend.overlaps(ax.get_window_extent()) for ax in shown)
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {*FIVE, *five.optimizers} <= set(told)
    closed(figure)


def test_paths_and_ellipses_are_drawn_where_the_runs_were(five: Race) -> None:
    from natfit.diagnostics.races.view import views

    each, together = views(five)
    (natural,) = [r for r in five.runs if r.parametrization == "log_sd" and r.optimizer.startswith("natural")]
    assert np.array_equal(each["log_sd"].path(natural), natural.params)
    assert np.allclose(together.path(natural), natural.home)
    for name in ("log_sd", "natural"):
        centre = nf.families.Gaussian().from_home(natural.home[10], name)
        outline = each[name].ball(natural.home[10]) - centre
        fisher = N * nf.families.Gaussian().fisher(centre, name)
        assert np.allclose(0.5 * np.einsum("ij,jk,ik->i", outline, fisher, outline), five.radius, rtol=1e-8)
    x, y, gap = together.contours
    j, k = 60, 90
    theta = np.array([x[k], y[j]])
    assert gap[j, k] == pytest.approx(five.field.measure(theta)[0], rel=1e-8)


@pytest.mark.parametrize("name", ["poisson", "glm", "one run"])
def test_other_models_get_their_figures(name: str, crabs: Any, heights: pd.Series) -> None:
    if name == "poisson":
        figure = race("poisson", [1.0, 4.0, 2.0]).plot()
        assert "this model has 1" in figure.get_suptitle()
        assert len(panels(figure)) == 2
    elif name == "glm":
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure = race(crabs, optimizers=["natural_gradient:0.3", "gradient_descent:0.1"]).plot_paths()
        assert "width (coefficient)" in panels(figure)[0].get_ylabel()
        assert len(panels(figure)) == 5
    else:
        figure = race("gaussian", heights, parametrizations="sd", optimizers="gradient_descent:50").plot()
        assert any("diverged" in text.get_text() for text in figure.legends[0].get_texts())
    figure.canvas.draw()
    closed(figure)


def test_missing_matplotlib_names_the_extra(five: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"natfit\[plot\]"):
        five.plot()


# -- the command


@pytest.fixture
def table(tmp_path: Path, heights: pd.Series) -> str:
    path = tmp_path / "heights.csv"
    pd.DataFrame({"height": heights}).to_csv(path, index=False)
    return str(path)


def test_the_command_prints_the_table_and_writes_the_files(run: Callable[..., Any], table: str, tmp_path: Path) -> None:
    done = run(
        "race", "--family", "gaussian", "--data", table, "--column", "height", "--parametrizations", "variance,log_sd",
        "--optimizers", "gradient_descent:0.1,natural_gradient:0.5", "--max-iterations", "30", "--start", "1,2",
        "--start-in", "sd", "--unit", "m", "--plot", "race.png", "--html", "race.html", "--output", "race.csv",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")
    assert "natural gradient, step 0.5" in done.out
    assert (tmp_path / "race.png").read_bytes().startswith(b"\x89PNG")
    assert "<!DOCTYPE html>" in (tmp_path / "race.html").read_text(encoding="utf-8")[:20]
    record = pd.read_csv(tmp_path / "race.csv")
    assert np.allclose(record.loc[record["iteration"] == 0, "home_variance"], 4.0)
    assert len(record) > 60


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--parametrizations", "variance,sdd"], "'sdd'; choose from variance"),
        (["--optimizers", "adam"], "choose one of gradient_descent"),
        (["--optimizers", "natural_gradient,"], "empty name"),
        (["--start", "1,-1"], "outside the domain"),
        (["--plot", "race.gif"], ".png"),
        (["--column", "hight"], "did you mean 'height'"),
        (["--family", "poisson"], "poisson"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_command_refuses_bad_input_in_one_line(
    argv: list[str], said: str, run: Callable[..., Any], table: str
) -> None:
    given = {"--family": "gaussian", "--data": table, "--column": "height"}
    given.update({argv[0]: argv[1]})
    done = run("race", *[piece for pair in given.items() for piece in pair])
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("natfit: error: ")
    assert done.err.count("\n") == 1
    assert said in done.err
