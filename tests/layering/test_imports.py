"""The direction of imports that docs/architecture.md fixes: each room may import only what stands below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import natfit

PACKAGE = Path(natfit.__file__).parent

GROUND = {"metric", "need", "scratch", "_version"}
ALLOWED = {
    "metric": {"need", "scratch"},
    "need": set(),
    "scratch": set(),
    "parametrizations": GROUND,
    "data": GROUND,
    "optimize": GROUND,
    "families": GROUND | {"parametrizations"},
    "likelihoods": GROUND | {"families", "data"},
    "results": GROUND | {"families", "data", "likelihoods"},
    "models": GROUND | {"parametrizations", "families", "data", "likelihoods", "optimize", "results"},
}
"""What each room may import of natfit. Rooms that are not listed (diagnostics, gallery, cli) stand on top of all others."""

ON_REQUEST = {"results": {"diagnostics"}}
"""Rooms that may be imported inside a function besides: a result's plot and report methods."""

STATSMODELS = {"results", "diagnostics"}
MATPLOTLIB_INSIDE = True


def imports_of(source: str, module: str) -> list[tuple[str, bool]]:
    """Return the absolute names of what a module imports, and whether inside a function; imports for types don't count."""
    found: list[tuple[str, bool]] = []

    def visit(node: ast.AST, inside: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                visit(other, inside)
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            found.append((node.module or "", inside))
            found.extend((f"{node.module}.{alias.name}", inside) for alias in node.names if node.module == "natfit")
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(source), False)
    return found


def room_of(module: str) -> str:
    return module.split(".")[1] if module.count(".") else ""


def offences(module: str, source: str) -> list[str]:
    """Return in words what a module imports against the direction."""
    room, told = room_of(module), []
    for name, inside in imports_of(source, module):
        top = name.split(".")[0]
        if top == "natfit" and room in ALLOWED:
            target = room_of(name)
            allowed = ALLOWED[room] | {room, ""} | (ON_REQUEST.get(room, set()) if inside else set())
            if target not in allowed:
                told.append(f"{module} imports {name}")
        if top == "statsmodels" and room not in STATSMODELS:
            told.append(f"{module} imports {name}")
        if top == "matplotlib" and not inside:
            told.append(f"{module} imports {name} outside a function")
    return told


def modules() -> list[tuple[str, Path]]:
    return [
        (".".join(("natfit", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"), path)
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_what_stands_below_it(module: str, path: Path) -> None:
    assert offences(module, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("natfit.optimize.planted", "from natfit.families import Poisson"),
        ("natfit.optimize.planted", "from natfit.data.block import Block"),
        ("natfit.data.planted", "import natfit.likelihoods.glm"),
        ("natfit.parametrizations.planted", "from natfit.optimize.loop import maximize"),
        ("natfit.likelihoods.planted", "from natfit import models"),
        ("natfit.models.planted", "import statsmodels.api as sm"),
        ("natfit.results.planted", "from natfit.models.glm import GLM"),
        ("natfit.diagnostics.planted", "import matplotlib.pyplot as plt"),
        ("natfit.results.planted", "from natfit.diagnostics import plots"),
    ],
)
def test_an_import_against_the_direction_is_told(module: str, line: str) -> None:
    assert offences(module, line)


def test_every_room_has_its_place() -> None:
    rooms = {room_of(module) for module, _ in modules()} - {""}
    assert rooms <= set(ALLOWED) | {"diagnostics", "gallery", "cli", "__main__", "_version"}


def test_importing_natfit_loads_nothing_heavy() -> None:
    import subprocess
    import sys

    heavy = ("pandas", "formulaic", "tabmat", "statsmodels", "scipy.stats", "matplotlib", "narwhals")
    code = f"import natfit, sys; print([m for m in {heavy!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
