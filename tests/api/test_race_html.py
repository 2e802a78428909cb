"""The interactive page of a race, opened in headless Chromium, and its controls used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from natfit.diagnostics.races.races import Race, race
from natfit.optimize import gradient_descent, natural_gradient


@pytest.fixture(scope="module")
def found() -> Race:
    y = np.random.default_rng(11).normal(0.3, 1.1, 80)
    optimizers = [gradient_descent(0.1), natural_gradient(0.1), gradient_descent(4.0)]
    return race(
        "gaussian", y, parametrizations=["variance", "log_sd", "mean"], optimizers=optimizers, max_iterations=60
    )


@pytest.fixture(scope="module")
def written(found: Race, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found.to_html(tmp_path_factory.mktemp("page") / "race.html")


@pytest.fixture
def page(browser: Any, written: Path) -> Iterator[Any]:
    """The page, opened; whatever it says on the console or asks of the network is a fault."""
    shown = browser.new_page(viewport={"width": 1300, "height": 950})
    told: list[str] = []
    shown.on("console", lambda message: told.append(f"console: {message.type} {message.text}"))
    shown.on("pageerror", lambda error: told.append(f"error: {error}"))
    shown.on("request", lambda request: told.append(f"request: {request.url[:200]}"))
    shown.goto(written.as_uri())
    yield shown
    shown.close()
    assert told == [f"request: {written.as_uri()}"[:209]]


def traces(page: Any, plot: str, meta: str) -> list[dict[str, Any]]:
    return page.evaluate(
        "([plot, meta]) => document.getElementById(plot).data.filter(t => t.meta === meta).map(t => ({x: t.x, y: t.y}))",
        [plot, meta],
    )


def only(found: Race, parametrization: str, optimizer: str) -> Any:
    (chosen,) = [r for r in found.runs if (r.parametrization, r.optimizer) == (parametrization, optimizer)]
    return chosen


def assert_iterates(page: Any, runs: list[Any], k: int) -> None:
    shown = traces(page, "paths", "iterate")
    assert len(shown) == len(runs)
    for trace, each in zip(shown, runs, strict=True):
        place = min(k, len(each.gap) - 1)
        assert np.allclose([trace["x"][0], trace["y"][0]], each.params[place], rtol=1e-5)


def test_the_slider_moves_iterates_and_kl_balls(page: Any, found: Race) -> None:
    runs = [each for each in found.runs if each.parametrization == "variance"]
    assert_iterates(page, runs, 0)
    before = traces(page, "paths", "ball")
    page.locator("#iteration").fill("12")
    assert page.locator("#now").inner_text() == "12"
    assert_iterates(page, runs, 12)
    after = traces(page, "paths", "ball")
    for ball, earlier, each in zip(after, before, runs, strict=True):
        place = min(12, len(each.gap) - 1)
        assert place == 0 or ball != earlier
        # The ball: half the quadratic form of the Fisher matrix is its radius, on the whole outline.
        variance = each.home[place, 1]
        outline = np.column_stack([ball["x"], ball["y"]]) - each.params[place]
        form = 80 * (outline[:, 0] ** 2 / variance + outline[:, 1] ** 2 / (2 * variance**2)) / 2
        assert np.allclose(form, found.radius, rtol=1e-3)
    page.locator("#iteration").focus()
    page.keyboard.press("ArrowRight")
    assert_iterates(page, runs, 13)
    assert [len(trace["x"]) for trace in traces(page, "paths", "path")][1] == 14
    assert traces(page, "gaps", "iterate")[1]["x"] == [13]


def test_parametrization_and_optimizer_can_be_chosen(page: Any, found: Race) -> None:
    descent, natural, wild = found.optimizers
    page.locator("#iteration").fill("7")
    page.select_option("#parametrization", "log_sd")
    assert_iterates(page, [only(found, "log_sd", name) for name in found.optimizers], 7)
    title = page.evaluate("document.getElementById('paths').layout.yaxis.title.text")
    assert title.startswith("log sd, log σ")
    page.select_option("#optimizer", natural)
    assert_iterates(page, [only(found, "log_sd", natural)], 7)
    assert page.locator("#numbers tr").count() == 1
    assert page.locator("#numbers td").nth(1).inner_text() == natural
    page.select_option("#optimizer", descent)
    assert_iterates(page, [only(found, "log_sd", descent)], 7)
    page.select_option("#parametrization", "all")
    shown = traces(page, "paths", "iterate")
    homes = [only(found, name, descent).home[7] for name in found.charts]
    assert np.allclose([[trace["x"][0], trace["y"][0]] for trace in shown], homes, rtol=1e-5)
    page.select_option("#optimizer", "all")
    assert len(traces(page, "paths", "iterate")) == len(found.runs)
    assert page.locator("#numbers tr").count() == len(found.runs)
    assert wild in page.locator("#numbers").inner_text()


def test_a_run_that_diverged_ends_in_a_cross(page: Any, found: Race) -> None:
    wild = found.optimizers[2]
    assert any(each.diverged for each in found.runs if each.optimizer == wild)
    chart = next(each.parametrization for each in found.runs if each.diverged)
    page.select_option("#parametrization", chart)
    page.select_option("#optimizer", wild)
    page.locator("#iteration").fill(page.locator("#iteration").get_attribute("max"))
    symbols = page.evaluate(
        "document.getElementById('paths').data.filter(t => t.meta === 'iterate').map(t => t.marker.symbol)"
    )
    assert symbols == ["x"]
    assert "diverged" in page.locator("#numbers").inner_text()


def test_it_plays(page: Any) -> None:
    page.locator("#iteration").fill("57")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.getElementById('iteration').value === document.getElementById('iteration').max")
    page.wait_for_function("document.getElementById('play').textContent === 'Play'")


def test_what_is_drawn_can_be_seen(page: Any) -> None:
    """Both plots have their contours, lines and axis titles in view, and the controls have labels."""
    page.wait_for_selector("#paths .contourlayer path")
    for plot in ("#paths", "#gaps"):
        box = page.locator(plot).bounding_box()
        assert box["width"] > 400
        assert box["height"] > 400
        assert page.locator(f"{plot} .xtitle").text_content()
        assert page.locator(f"{plot} .ytitle").text_content()
    for label in ("Parametrization", "Optimizer", "Iteration"):
        assert page.get_by_label(label, exact=True).is_visible()


def test_the_page_is_sound_where_names_hold_markup() -> None:
    optimizers = {"</script><b>": natural_gradient(0.5)}
    text = race("gaussian", [1.0, 2.0, 4.0], parametrizations="sd", optimizers=optimizers).html()
    assert "</script><b>" not in text
    assert "&lt;/script&gt;&lt;b&gt;" in text


def test_missing_plotly_names_the_extra(found: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "plotly.offline", None)
    with pytest.raises(ImportError, match=r"natfit\[plot\]"):
        found.html()
