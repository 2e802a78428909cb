"""pytest plugin: run statsmodels' own tests with its GLM replaced by natfit's, and tell which tests construct one.

Loaded with ``-p natfit_for_statsmodels`` in a pytest of its own, which is over when the tests are: what is patched here
stays patched. Environment:

NATFIT_SUITE_REPORT
    The file that the report is written to, JSON.
NATFIT_SUITE_ONLY
    JSON, from a module to pieces of which the names of its tests must hold one; other modules run whole.
NATFIT_SUITE_GLM
    "statsmodels" leaves statsmodels' GLM in its place, to see which tests construct it when none fails early.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import statsmodels
import statsmodels.api
import statsmodels.formula.api
from statsmodels.genmod import generalized_linear_model
from statsmodels.genmod.generalized_linear_model import GLM as THEIRS
from statsmodels.genmod.generalized_linear_model import GLMResults as THEIR_RESULTS

import natfit as nf
from natfit.models import binding
from natfit.results.glm import GLMResults

HOME = Path(statsmodels.__file__).parent

running: list[Any] = []
"""Fixtures and tests under way, the innermost last."""
constructing: set[Any] = set()
"""Fixtures and tests in which a GLM was constructed."""
outcomes: dict[str, dict[str, Any]] = defaultdict(lambda: {"outcome": "passed", "message": "", "seconds": 0.0})


def record() -> None:
    constructing.update(running[-1:])


def watch(owner: Any, name: str, exact: type | None = None) -> None:
    """Have a constructor say that it was called."""
    original = getattr(owner, name)

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        if exact is None or type(self) is exact:
            record()
        return original(self, *args, **kwargs)

    setattr(owner, name, watched)


def replace_everywhere() -> None:
    """Put natfit's GLM wherever a module of statsmodels holds its own; later imports find it in its home module."""
    for name, module in list(sys.modules.items()):
        if name.startswith("statsmodels.") and module is not None:
            for key, value in list(vars(module).items()):
                if value is THEIRS:
                    setattr(module, key, nf.GLM)
                if value is THEIR_RESULTS:
                    setattr(module, key, GLMResults)
    statsmodels.formula.api.glm = nf.GLM.from_formula
    assert generalized_linear_model.GLM is nf.GLM is statsmodels.api.GLM


def pytest_configure() -> None:
    if os.environ.get("NATFIT_SUITE_GLM") == "statsmodels":
        watch(THEIRS, "__init__", THEIRS)
        return
    replace_everywhere()
    watch(nf.GLM, "__init__")
    namespace = binding.caller_namespace

    def watched(depth: int) -> Any:  # the first thing that from_formula calls
        record()
        return namespace(depth + 1)

    binding.caller_namespace = watched


def pytest_collection_modifyitems(items: list[Any]) -> None:
    only = json.loads(os.environ.get("NATFIT_SUITE_ONLY", "{}"))
    items[:] = [item for item in items if _wanted(item, only.get(item.path.relative_to(HOME).as_posix()))]


def _wanted(item: Any, pieces: list[str] | None) -> bool:
    return pieces is None or any(piece in item.nodeid.partition("::")[2] for piece in pieces)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Iterator[None]:
    running.append(id(fixturedef))
    try:
        return (yield)
    finally:
        running.pop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: Any) -> Iterator[None]:
    """Tell whether a test, or a fixture that it stands on, constructs a GLM."""
    running.append(item.nodeid)
    try:
        return (yield)
    finally:
        running.pop()
        fixtures = {id(one) for defined in item._fixtureinfo.name2fixturedefs.values() for one in defined}
        found = outcomes[item.nodeid]
        found["constructs"] = item.nodeid in constructing or bool(fixtures & constructing)
        found["name"] = f"{item.path.relative_to(HOME).as_posix()}::{item.nodeid.partition('::')[2]}"


def pytest_runtest_logreport(report: Any) -> None:
    found = outcomes[report.nodeid]
    found["seconds"] += report.duration
    if report.outcome != "passed" and found["outcome"] != "failed":
        found["outcome"] = report.outcome
        crash = getattr(report.longrepr, "reprcrash", None)
        found["message"] = f"{report.when}: {crash.message if crash else report.longrepr}"[:600]


def pytest_sessionfinish() -> None:
    told = {
        one.pop("name"): one for one in outcomes.values() if one.get("constructs") or os.environ.get("NATFIT_SUITE_ALL")
    }
    Path(os.environ["NATFIT_SUITE_REPORT"]).write_text(json.dumps({"tests": told, "ran": len(outcomes)}, indent=1))
