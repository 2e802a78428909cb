"""Running the command line in tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from natfit import cli


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run ``natfit`` in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*argv: str) -> Done:
        status = cli.main(argv)
        return Done(status, *capsys.readouterr())

    return call
