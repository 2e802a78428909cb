"""The README is true: its Python runs, and the table it shows is the one that its first command prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import natfit as nf

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.splitlines()[-1][:30])
def test_python_in_the_readme_runs(
    code: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert "Results" in capsys.readouterr().out


def test_the_table_in_the_readme_is_what_natfit_prints() -> None:
    fit = nf.GLM.from_formula("sat ~ width + C(color)", nf.datasets.load("crabs"), family="poisson").fit()

    def lasting(text: str) -> list[str]:
        lines = [line.rstrip() for line in text.strip("\n").splitlines()]
        return [line for line in lines if not line.startswith(("Date:", "Time:", "Stopped"))]

    shown = next(block for block in blocks("") if "Regression Results" in block)
    assert lasting(shown) == lasting(str(fit.summary()))


@pytest.mark.parametrize("line", "".join(blocks("console")).splitlines())
def test_a_command_in_the_readme_runs(line: str, run: Callable[..., Any]) -> None:
    name, *arguments = shlex.split(line)
    assert name == "natfit"
    done = run(*arguments)
    assert done.status == 0, done.err
    assert done.out.strip()


def test_the_readme_has_its_two_commands() -> None:
    run, test = blocks("sh")
    assert "natfit fit" in run
    assert "pytest" in test
