"""Every script in examples/ runs, and the numbers it prints agree with the book's."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_runs_and_agrees(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(script), run_name="__main__")
    printed = capsys.readouterr().out
    pairs = re.findall(r"natfit ([-\d.]+)(?: \(([\d.]+)\))?\s+R ([-\d.]+)(?: \(([\d.]+)\))?", printed)
    assert pairs
    for ours, our_se, theirs, their_se in pairs:
        assert ours == theirs
        assert our_se == their_se
