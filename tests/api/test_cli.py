"""The command line: the numbers are the API's, what it writes can be read, and its exit status says how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest

import natfit as nf
from natfit import cli, families
from natfit.cli import fit as fit_command
from natfit.families import links
from natfit.families.response import Response

Run = Callable[..., Any]
CRABS = "sat ~ width + C(color)"
CRABS_POISSON = ["--data", "crabs", "--family", "poisson"]
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta"}  # HTML elements without an end tag


def crabs_fit() -> nf.GLMResults:
    return nf.GLM.from_formula(CRABS, data=nf.datasets.load("crabs"), family="poisson").fit()


def shell(*argv: str, **settings: Any) -> Any:
    """Run ``python -m natfit`` in a process of its own."""
    line = [sys.executable, "-m", "natfit", *argv]
    return subprocess.run(line, capture_output=True, text=True, encoding="utf-8", check=False, **settings)


def without_clock(text: str) -> str:
    return "\n".join(line for line in text.strip().splitlines() if not line.startswith(("Date:", "Time:")))


# -- what is printed and written -----------------------------------------------------------------------------------


def test_the_table_is_the_api_s(run: Run) -> None:
    done = run("fit", CRABS, "--data", "crabs", "--family", "poisson")
    assert (done.status, done.err) == (0, "")
    assert without_clock(done.out) == without_clock(str(crabs_fit().summary()))


def test_the_console_command_and_the_module_agree(run: Run) -> None:
    line = ("fit", CRABS, "--data", "crabs", "--family", "poisson", "--no-progress")
    done = shell(*line)
    assert (done.returncode, done.stderr) == (0, "")
    assert without_clock(done.stdout) == without_clock(run(*line).out)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".feather", ".tsv"])
def test_every_kind_of_table_gives_the_same_numbers(suffix: str, run: Run) -> None:
    frame = nf.datasets.load("insurance").astype({"Age": str, "Group": str})  # text files know no order of levels
    name = f"policies{suffix}"
    {
        ".csv": lambda: frame.to_csv(name, index=False),
        ".tsv": lambda: frame.to_csv(name, index=False, sep="\t"),
        ".parquet": lambda: frame.to_parquet(name),
        ".feather": lambda: frame.to_feather(name),
    }[suffix]()
    line = ["--family", "poisson", "--exposure", "Holders", "--cov-type", "HC0", "--output", "table.csv"]
    assert run("fit", "Claims ~ C(District) + Age", "--data", name, *line).status == 0
    told = pd.read_csv("table.csv", index_col="term")
    model = nf.GLM.from_formula("Claims ~ C(District) + Age", data=frame, family="poisson", exposure="Holders")
    expected = model.fit(cov_type="HC0")
    assert set(told.index) == set(expected.params.index)
    for column, values in (("coef", expected.params), ("std_err", expected.bse), ("p_value", expected.pvalues)):
        np.testing.assert_allclose(told[column], values[told.index], rtol=1e-9, atol=1e-300)


def test_every_option_reaches_the_fit(run: Run) -> None:
    given = {
        "--family": "gamma",
        "--link": "log",
        "--offset": "0.01*spine",
        "--freq-weights": "y+1",
        "--var-weights": "width",
        "--dispersion": "deviance",
        "--cov-type": "OIM",
        "--alpha": "0.1",
        "--missing": "raise",
        "--rank": "raise",
        "--tol": "1e-9",
        "--maxiter": "50",
        "--start": "0,0.01",
    }
    options = [word for pair in given.items() for word in pair]
    done = run("fit", "weight ~ width", "--data", "crabs", *options, "--use-t", "--record")
    model = nf.GLM.from_formula(
        "weight ~ width",
        data=nf.datasets.load("crabs"),
        family="gamma",
        link="log",
        offset="0.01*spine",
        freq_weights="y+1",
        var_weights="width",
        dispersion="deviance",
    )
    expected = model.fit([0.0, 0.01], maxiter=50, tol=1e-9, tol_criterion="decrement", cov_type="OIM", use_t=True)
    table, record = done.out.rsplit("\n\n", 1)
    assert (done.status, done.err) == (0, "")
    assert without_clock(table) == without_clock(str(expected.summary(alpha=0.1)))
    assert record.split()[:3] == ["iteration", "loglik", "decrement"]
    assert len(record.splitlines()) == len(expected.record) + 1


def test_what_is_said_by_parameter_reaches_the_fit(run: Run, tmp_path: Path) -> None:
    line = ["fit", "yield ~ temp | temp", "--data", "gasoline", "--family", "beta"]
    gasoline = nf.datasets.load("gasoline")
    model = nf.DistributionalRegression.from_formula
    told = run(*line, "--link", "mean=probit", "--link", "precision=sqrt", "--offset", "mean=0.001*temp")
    links, offset = {"mean": "probit", "precision": "sqrt"}, {"mean": "0.001*temp"}
    wanted = model("yield ~ temp | temp", gasoline, "beta", links=links, offset=offset).fit()
    assert without_clock(told.out) == without_clock(str(wanted.summary()))
    told = run(*line, "--constraint", "mean:temp = 0.01", "--constraint", "precision:temp = 0")
    wanted = model(
        "yield ~ temp | temp", gasoline, "beta", constraints=["mean:temp = 0.01", "precision:temp = 0"]
    ).fit()
    assert without_clock(told.out) == without_clock(str(wanted.summary()))
    told = run(*line[:2], *line[2:], "--parametrization", "a_b", "--link", "log")
    wanted = model("yield ~ temp | temp", gasoline, "beta", parametrization="a_b", links="log").fit()
    assert without_clock(told.out) == without_clock(str(wanted.summary()))
    line = ["fit", "Days ~ Age", "--data", "quine", "--family", "nb2", "--fixed", "alpha=0.7"]
    told = run(*line, "--cov-type", "cluster", "--groups", "Eth")
    quine = nf.datasets.load("quine")
    wanted = model("Days ~ Age", quine, "nb2", fixed={"alpha": 0.7}).fit(cov_type="cluster", cov_kwds={"groups": "Eth"})
    assert without_clock(told.out) == without_clock(str(wanted.summary()))


def test_rows_may_stream_and_a_fit_be_taken_up(run: Run, tmp_path: Path) -> None:
    crabs = nf.datasets.load("crabs")
    (tmp_path / "parts").mkdir()
    for number, part in enumerate((crabs[:100], crabs[100:])):
        part.to_parquet(tmp_path / "parts" / f"{number}.parquet")
        part.to_csv(tmp_path / f"part{number}.csv", index=False)
    line = ["--family", "poisson", "--cov-type", "cluster", "--groups", "spine"]
    whole = run("fit", CRABS, "--data", "crabs", *line)
    for data in ("parts", "parts/*.parquet", "part*.csv"):
        told = run("fit", CRABS, "--data", data, "--stream", *line, "--checkpoint", "kept.json")
        assert (told.status, told.err) == (0, "")
        coefficients = [each for each in told.out.splitlines() if each.startswith(("Intercept", "C(color)", "width"))]
        assert coefficients == [
            each for each in whole.out.splitlines() if each.startswith(("Inter", "C(color)", "width"))
        ]
        assert (tmp_path / "kept.json").exists()
    beta = ["yield ~ temp | temp", "--family", "beta"]
    nf.datasets.load("gasoline").to_csv(tmp_path / "gasoline.csv", index=False)
    told = run("fit", *beta, "--data", "gasoline.csv", "--stream", "--predict", "gasoline.csv", "out.csv")
    assert told.status == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 32


def test_trials_and_constants_reach_the_family(run: Run) -> None:
    line = ("--data", "beetles", "--family", "binomial", "--trials", "n", "--link", "cloglog")
    assert "3.4464" in run("fit", "I(killed / n) ~ dose", *line).out  # deviance, R's glm (tests/textbook/reference)
    assert "Tweedie(var_power=1.5)" in run("fit", "sat ~ width", "--data", "crabs", "--family", "tweedie(1.5)").out
    told = run("fit", "sat ~ width", "--data", "crabs", "--family", "negative_binomial(0.3)").out
    assert "NegativeBinomial(alpha=0.3)" in told


class Checker(HTMLParser):
    """Checks that tags are balanced, and keeps the cells and list items."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th", "li", "title"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th", "li", "title"):
            self.cells[-1] += data


def test_html_is_one_valid_page_with_the_notes(run: Run) -> None:
    pd.DataFrame({"y": [1, 2, 3, 4, 5, 7], "g": ["<b>&", "z", "q"] * 2, "x": [1.0, 2, 3, 1, 2, 9]}).to_csv("d.csv")
    assert run("fit", "y ~ g + x + I(2*x)", "--data", "d.csv", "--output", "table.html").status == 0
    page = Path("table.html").read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert page.startswith("<!DOCTYPE html>")
    assert checker.open == []
    assert "http" not in page
    cells = [cell.strip() for cell in checker.cells]
    assert cells[0] == "y ~ g + x + I(2*x) (gaussian)"
    assert {"g[T.q]", "g[T.z]"} <= set(cells)
    assert any(cell.startswith("Aliased: I(2 * x)") for cell in cells)
    assert any(cell.startswith("Stopped ") for cell in cells)
    assert run("fit", "y ~ C(g, Treatment('q')) + x", "--data", "d.csv", "--output", "table.html").status == 0
    assert "&lt;b&gt;&amp;]" in Path("table.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("suffix", "mark"), [(".txt", "C(color)[T.2] "), (".tex", r"\toprule"), (".md", "|---|")])
def test_other_formats_hold_the_numbers_and_notes(suffix: str, mark: str, run: Run) -> None:
    done = run("fit", CRABS, "--data", "crabs", "--family", "poisson", "--output", f"table{suffix}")
    text = Path(f"table{suffix}").read_text(encoding="utf-8")
    assert done.status == 0
    assert mark in text
    assert "0.1493" in text
    assert "standard errors from the maximum" in text


def test_predictions_go_row_by_row(run: Run) -> None:
    Path("new.csv").write_text("width,color\n20,1\n,2\n30,4\n", encoding="utf-8")
    line = ("--data", "crabs", "--family", "poisson", "--alpha", "0.1", "--predict", "new.csv", "out.csv")
    assert run("fit", CRABS, *line).status == 0
    told, rows = pd.read_csv("out.csv"), pd.DataFrame({"width": [20.0, 30.0], "color": [1, 4]})
    expected = crabs_fit().get_prediction(rows).summary_frame(0.1)
    assert told.iloc[1].isna().all()
    np.testing.assert_allclose(told.iloc[[0, 2]], expected, rtol=1e-9)


def test_text_that_is_not_ascii_goes_through(tmp_path: Path) -> None:
    pd.DataFrame({"größe": [1.0, 2.5, 2.9, 4.2], "β": [1.0, 2, 3, 4]}).to_csv(tmp_path / "дані.csv", index=False)
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"}
    done = shell("fit", "größe ~ β", "--data", "дані.csv", "--output", "é.html", cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "größe" in done.stdout
    assert "β " in done.stdout
    assert "β" in (tmp_path / "é.html").read_text(encoding="utf-8")


# -- help ----------------------------------------------------------------------------------------------------------


def test_help_is_quick_and_tells_the_exit_status(run: Run) -> None:
    heavy = ("numpy", "pandas", "scipy", "statsmodels", "formulaic", "tqdm")
    code = (
        f"import sys; from natfit.cli import main; main(['--help']); print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")
    assert all(f"\n  {name} " in done.stdout for name in cli.COMMANDS)
    told = " ".join(run("fit", "--help").out.split())
    assert "0 where the fit converged, 1 where it did not" in told
    assert run("--version").out == f"natfit {nf.__version__}\n"
    assert run().out.startswith("Usage: natfit")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_its_module(name: str) -> None:
    command = cli.natfit.get_command(click.Context(cli.natfit), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_help_names_every_family_and_link(run: Run) -> None:
    told = " ".join(run("fit", "--help").out.split())
    responses = {"gaussian", "binomial", "poisson", "gamma", "inverse_gaussian", "negative_binomial", "tweedie"}
    assert all(isinstance(families.get(name), Response) for name in responses)
    assert all(name in told for name in responses | set(links.REGISTRY.names()))


def test_datasets_are_listed_and_described(run: Run) -> None:
    listed = run("datasets").out
    assert all(f"\n{name} " in listed for name in nf.datasets.names())
    assert run("datasets", "ships").out.startswith("Damage by waves")


# -- how a run ends ------------------------------------------------------------------------------------------------


def test_a_fit_that_did_not_converge_has_status_1(run: Run) -> None:
    done = run("fit", "sat ~ width", *CRABS_POISSON, "--maxiter", "1")
    assert done.status == 1
    assert done.err == "natfit: warning: the fit did not converge: no convergence within 1 iterations\n"
    assert "NOT CONVERGED" in done.out


def test_separation_has_status_1_and_is_named(run: Run) -> None:
    pd.DataFrame({"x": [1, 2, 3, 4, 5, 6], "y": [0, 0, 0, 1, 1, 1]}).to_csv("d.csv")
    done = run("fit", "y ~ x", "--data", "d.csv", "--family", "binomial")
    assert done.status == 1
    assert done.err.startswith("natfit: warning: separation: ")
    assert done.err.count("\n") == 1


def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "natfit", "datasets"]
    done = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_an_interrupt_has_status_130(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow.csv")
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom natfit.cli import main\n"
    code += "sys.exit(main(['fit', 'y ~ x', '--data', 'slow.csv']))"
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    with open(tmp_path / "slow.csv", "wb"):  # opens once the child has begun to read
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, "natfit: interrupted\n")


def test_an_interrupt_of_the_fit_shows_the_last_good_parameters(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from natfit.optimize import loop

    iterate = loop._Run._iterate

    def stopped(self: loop._Run) -> object:
        if len(self.record) == 2:
            raise KeyboardInterrupt
        return iterate(self)

    monkeypatch.setattr(loop._Run, "_iterate", stopped)
    done = run("fit", "sat ~ width", *CRABS_POISSON, "--output", "table.html")
    assert done.status == 130
    assert done.err.startswith("natfit: warning: the fit did not converge: interrupted")
    assert "NOT CONVERGED: interrupted" in done.out
    assert not Path("table.html").exists()


def test_a_bar_is_shown_unasked_only_on_a_terminal_and_for_long_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "passes" in run("fit", "sat ~ width", *CRABS_POISSON, "--progress").err
    monkeypatch.setattr(fit_command, "LONG_WORK", 1)
    assert run("fit", "sat ~ width", *CRABS_POISSON).err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert "passes" in run("fit", "sat ~ width", *CRABS_POISSON).err
    assert run("fit", "sat ~ width", *CRABS_POISSON, "--no-progress").err == ""
