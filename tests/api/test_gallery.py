"""The textbook gallery: every example runs, draws what it says, and agrees with print to the digits printed."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from layout_of_figures import layout_faults
from matplotlib.figure import Figure

from natfit import gallery
from natfit.cli import natfit as command
from natfit.gallery import running


@pytest.fixture
def faults(monkeypatch):
    """What is wrong with the layout of the figures that are kept while a test runs."""
    found = []
    keep = Figure.savefig

    def look_and_keep(figure, *args, **kwargs):
        found.extend(layout_faults(figure))
        return keep(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", look_and_keep)
    return found


@pytest.mark.parametrize("name", gallery.names())
def test_an_example_agrees_with_print_and_its_figures_can_be_read(name, faults):
    run = gallery.run(name)
    assert faults == []
    wrong = [str(book) for book in run.books if not book.agrees]
    assert run.agrees, "\n".join(wrong) or "the example compares itself with nothing"
    drawn = sum(len(output.figures) for output in run.outputs)
    assert drawn == sum(output.cell.text.count("plt.show()") for output in run.outputs)


def test_every_data_set_of_a_book_is_in_an_example():
    told = " ".join(gallery.path(name).read_text(encoding="utf-8") for name in gallery.names())
    assert len(set(re.findall(r'datasets\.load\("(\w+)"\)', told))) >= 14


def test_a_changed_coefficient_is_told(tmp_path, monkeypatch):
    script = gallery.path("anorexia").read_text(encoding="utf-8")
    (tmp_path / "anorexia.py").write_text(script.replace('"-0.5655"', '"-0.5656"'), encoding="utf-8")
    monkeypatch.setattr(running, "_folder", lambda: tmp_path)
    result = CliRunner().invoke(command, ["gallery", "--all"])
    assert result.exit_code == 1
    assert re.search(r"Prewt .* DIFFERS", result.output)
    assert re.search(r"^anorexia +10 +\d+ +9 of 10", result.output, flags=re.MULTILINE)


def test_an_example_without_a_comparison_does_not_agree(tmp_path, monkeypatch):
    (tmp_path / "bare.py").write_text("# %% [markdown]\n# # Nothing\n\n# %%\nprint(1)\n", encoding="utf-8")
    monkeypatch.setattr(running, "_folder", lambda: tmp_path)
    assert not gallery.run("bare").agrees


def test_the_command_lists_runs_and_writes_a_page(tmp_path):
    listed = CliRunner().invoke(command, ["gallery"])
    assert listed.exit_code == 0
    assert all(name in listed.output for name in gallery.names())
    page = tmp_path / "report.html"
    ran = CliRunner().invoke(command, ["gallery", "menarche", "--html", str(page)])
    assert ran.exit_code == 0
    assert "menarche" in ran.output.splitlines()[-1]
    text = page.read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert "<h2>At which age" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text), "the page must need nothing from elsewhere"


def test_a_page_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    for wrong, told in (("page.txt", r"\.html"), ("nowhere/page.html", "nowhere")):
        result = CliRunner().invoke(command, ["gallery", "--all", "--html", str(tmp_path / wrong)])
        assert result.exit_code == 2
        assert re.search(told, result.output)
        assert "digits" not in result.output


def test_a_missing_package_is_told_with_the_extra(tmp_path, monkeypatch):
    (tmp_path / "bare.py").write_text("# %% [markdown]\n# # Nothing\n\n# %%\nimport a_package_that_is_not_there\n")
    monkeypatch.setattr(running, "_folder", lambda: tmp_path)
    result = CliRunner().invoke(command, ["gallery", "bare"])
    assert result.exit_code == 2
    assert "needs a_package_that_is_not_there: install natfit[plot,parquet]" in result.output


def test_an_unknown_example_is_refused_with_the_nearest():
    result = CliRunner().invoke(command, ["gallery", "menarch"])
    assert result.exit_code == 2
    assert "did you mean 'menarche'" in result.output


@pytest.mark.parametrize("printed", ["", "NA", "nan", "inf", "1,5"])
def test_print_must_be_a_number(printed):
    with pytest.raises(ValueError, match="must be finite digits"):
        gallery.Book("x").compare("y", 1.0, printed)


@pytest.mark.parametrize(
    ("ours", "printed", "agrees"),
    [
        (0.0449, "0.04", True),
        (0.0451, "0.05", True),
        (0.0551, "0.05", False),
        (-567.8786, "-567.88", True),
        (-567.8749, "-567.88", False),
        (6561.4, "6561", True),
        (1234.0, "1.23e3", True),
        (1236.0, "1.23e3", False),
        (float("nan"), "0.5", False),
    ],
)
def test_agreement_is_to_the_digits_printed(ours, printed, agrees):
    book = gallery.Book("x")
    book.compare("y", ours, printed)
    assert book.agrees is agrees


def test_the_page_of_all_opens_in_a_browser_with_its_figures(browser, tmp_path):
    written = tmp_path / "report.html"
    ran = CliRunner().invoke(command, ["gallery", "--all", "--quiet", "--html", str(written)])
    assert ran.exit_code == 0, ran.output
    names = gallery.names()
    scripts = {name: gallery.path(name).read_text(encoding="utf-8") for name in names}
    shown = browser.new_page(viewport={"width": 1200, "height": 900})
    told = []
    shown.on("console", lambda message: told.append(message.text))
    shown.on("request", lambda request: told.append(request.url[:100]))
    shown.goto(written.as_uri())
    assert shown.locator("section").count() == len(names)
    for name in names:
        images = shown.evaluate(
            "name => [...document.getElementById(name).querySelectorAll('img')]"
            ".map(image => [image.complete, image.naturalWidth, image.clientWidth])",
            name,
        )
        assert len(images) == scripts[name].count("plt.show()"), name
        assert all(complete and natural > 400 and client > 400 for complete, natural, client in images), name
    assert shown.locator("#agreement tr").count() == len(names) + 1
    assert "DIFFERS" not in shown.inner_text("body")
    assert shown.evaluate("document.body.scrollWidth <= window.innerWidth"), "the page is cut off at the right"
    assert [each for each in told if not each.startswith(("file:", "data:"))] == []
    shown.close()
