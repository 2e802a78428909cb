"""statsmodels' own tests of its GLM, run with natfit's in its place: how many pass, and which do not and why.

They run in a pytest of their own (`natfit_for_statsmodels`), which tells by instrumentation which of them construct a GLM.
What is left out, and what fails with the reason, stands in written.toml; a test that begins to fail and one that begins to
pass are both noticed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import statsmodels

HERE = Path(__file__).parent
WRITTEN: dict[str, Any] = tomllib.loads((HERE / "written.toml").read_text(encoding="utf-8"))
CATEGORIES = {
    "fit_regularized",
    "WLS and IRLS internals",
    "underscore names",
    "particular solutions of singular designs",
}
"""What may be left out."""
RATE = 0.97
same_version = pytest.mark.skipif(
    not statsmodels.__version__.startswith(WRITTEN["statsmodels"]),
    reason="the lists were written for another version of statsmodels; the rate is tested all the same",
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Outcome and message of every test that constructs a GLM, by its name."""
    place = tmp_path_factory.mktemp("statsmodels")
    home = Path(statsmodels.__file__).parent
    modules = [home / name for name in WRITTEN["modules"]]
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    only = {name: pieces for name, pieces in WRITTEN["modules"].items() if pieces}
    told = {
        "PYTHONPATH": path,
        "NATFIT_SUITE_REPORT": str(place / "report.json"),
        "NATFIT_SUITE_ONLY": json.dumps(only),
        "MPLBACKEND": "Agg",
    }
    options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-p", "natfit_for_statsmodels", "-W", "ignore"]
    place_options = ["-c", os.devnull, "--rootdir", str(home), "-o", "addopts="]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *place_options, *(str(m) for m in modules if m.exists())],
        cwd=place,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | told,
        capture_output=True,
        text=True,
    )
    assert run.returncode in (0, 1), run.stdout[-4000:] + run.stderr[-4000:]
    found: dict[str, dict[str, Any]] = json.loads((place / "report.json").read_text(encoding="utf-8"))["tests"]
    return found


def left_out(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for part in WRITTEN["left_out"] for pattern in part["tests"])


def written_failures() -> set[str]:
    return {name for part in WRITTEN["fails"] for name in part["tests"]}


def test_at_least_97_percent_pass(outcomes: dict[str, dict[str, Any]]) -> None:
    counted = {
        name: one["outcome"] for name, one in outcomes.items() if not left_out(name) and one["outcome"] != "skipped"
    }
    assert len(counted) > 800, "most tests of GLM were not found"
    passed = sum(outcome == "passed" for outcome in counted.values())
    assert passed / len(counted) >= RATE, f"{passed} of {len(counted)} pass"


@same_version
def test_what_fails_is_what_is_written(outcomes: dict[str, dict[str, Any]]) -> None:
    failed = {
        name: one["message"] for name, one in outcomes.items() if one["outcome"] == "failed" and not left_out(name)
    }
    new = {name: message for name, message in failed.items() if name not in written_failures()}
    assert not new, "\n".join(f"{name}\n    {message}" for name, message in new.items())
    assert not written_failures() - set(failed), "these pass now; take them off the list"


@same_version
def test_what_is_left_out_is_there(outcomes: dict[str, dict[str, Any]]) -> None:
    for part in WRITTEN["left_out"]:
        assert part["category"] in CATEGORIES
        for pattern in part["tests"]:
            assert any(fnmatchcase(name, pattern) for name in outcomes), (
                f"{pattern} matches no test that constructs a GLM"
            )


def test_every_failure_has_a_reason() -> None:
    assert all(part["reason"].strip() for part in WRITTEN["fails"])
    assert not [name for name in written_failures() if left_out(name)]
