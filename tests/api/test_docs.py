"""Every block of Python in docs/ runs, page by page, from top to bottom."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import natfit as nf
from natfit import families, optimize

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))
LINES = 40
"""What a user's own family, parametrization, direction or step rule may take."""


def blocks(page: Path, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def clean_registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take what a page registers out again, so that no other test sees it."""
    gamma = type(families.get("gamma"))
    monkeypatch.setattr(gamma, "_registered", dict(gamma._registered))
    before = set(families.names())
    tables = [(table, set(table.names())) for table in (optimize.DIRECTIONS, optimize.STEP_RULES)]
    yield
    for name in set(families.names()) - before:
        families.registry.REGISTRY.unregister(name)
    for table, names in tables:
        for name in set(table.names()) - names:
            table.unregister(name)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
@pytest.mark.usefixtures("clean_registries")
def test_a_page_runs(page: Path) -> None:
    scope: dict[str, Any] = {"__name__": page.stem}
    for code in blocks(page):
        exec(compile(code, page.name, "exec"), scope)


COMMANDS = [(page, line) for page in PAGES for line in "".join(blocks(page, "console")).splitlines()]


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page.stem}-{line[:40]}" for page, line in COMMANDS])
def test_a_command_of_a_page_runs(page: Path, line: str, run: Callable[..., Any], tmp_path: Path) -> None:
    name, *arguments = shlex.split(line)
    assert name == "natfit"
    if "--predict" in arguments:  # a table of new rows is a file, not a data set that is shipped
        nf.datasets.load("crabs").to_csv(tmp_path / "new.csv", index=False)
    if "--stream" in arguments:  # files that are larger than memory, in earnest
        (tmp_path / "claims").mkdir()
        claims = nf.datasets.load("crabs").rename(columns={"sat": "n", "width": "age", "color": "region"})
        claims.to_parquet(tmp_path / "claims" / "one.parquet")
    done = run(*arguments)
    assert done.status == 0, done.err
    assert done.out.strip()
    written = [each for each in arguments if Path(each).suffix in (".html", ".png", ".csv")]
    assert all((tmp_path / each).exists() for each in written)


def test_each_extension_takes_under_forty_lines() -> None:
    page = next(page for page in PAGES if page.stem == "extending")
    for code in blocks(page):
        assert len(code.splitlines()) < LINES + 25  # with its imports and its use
        for node in ast.parse(code).body:
            if isinstance(node, ast.ClassDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno + 1 < LINES


def test_a_wrong_jacobian_is_refused_at_registration() -> None:
    wrong = nf.parametrizations.from_function
    with pytest.raises(ValueError, match="acobian"):
        wrong(
            lambda xi: xi**3,
            lambda theta: theta ** (1 / 3),
            jacobian=lambda xi: 2.0 * xi[..., None] ** 2,
            names=["x"],
            at=[[1.5], [2.0]],
            vectorized=True,
        )


TABLES = sorted((Path(__file__).parents[2] / "docs").glob("from-*.md"))
KINDS = {"nf": [nf], "fit": [nf.GLM, nf.GLMResults, nf.DistributionalResults], "mixture": [nf.MixtureResults]}
"""What stands before a dot in the tables of calls: the package, a fit, a mixture's fit."""


@pytest.mark.parametrize("page", TABLES, ids=lambda page: page.stem)
def test_every_call_in_a_table_exists(page: Path) -> None:
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    calls = [
        call for row in rows for call in re.findall(r"\b(nf|fit|mixture)\.(\w+)", row.replace("\\|", "/").split("|")[2])
    ]
    assert calls
    instance = {"params", "bse", "bic", "aic", "icl"}
    for owner, name in calls:
        assert name in instance or any(hasattr(each, name) for each in KINDS[owner]), f"{page.name}: {owner}.{name}"
