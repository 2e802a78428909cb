"""How the site is built: ``python -m sphinx -W -b html docs build/site``. The gallery is run while it is built."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import natfit

project = "natfit"
author = "the natfit developers"
release = version = natfit.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
html_theme = "furo"
html_title = "natfit"
exclude_patterns: list[str] = ["_templates"]
templates_path = ["_templates"]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
default_role = "code"
suppress_warnings = ["ref.python"]  # attributes such as llf are of several classes, and named without one
autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"  # numpydoc's Parameters say them
autodoc_member_order = "groupwise"
autodoc_inherit_docstrings = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True

FOLDER = Path(__file__).parent
GALLERY = FOLDER / "gallery"


def write_gallery() -> None:
    """Run every example and write its page: prose, code, what it printed, its figures."""
    from natfit import gallery

    GALLERY.mkdir(exist_ok=True)
    for name in gallery.names():
        page = GALLERY / f"{name}.md"
        if not page.exists() or page.stat().st_mtime < gallery.path(name).stat().st_mtime:
            page.write_text(gallery_page(gallery.run(name)), encoding="utf-8")


def gallery_page(run: natfit.gallery.Run) -> str:
    """Return an example that was run as Markdown; its figures are written beside it."""
    parts = []
    for number, output in enumerate(run.outputs):
        if output.cell.kind == "markdown":
            parts.append(output.cell.text)
            continue
        parts.append(f"```python\n{output.cell.text}\n```")
        if output.printed.strip():
            parts.append(f"```text\n{output.printed.rstrip()}\n```")
        for which, png in enumerate(output.figures):
            figure = f"{run.name}-{number}-{which}.png"
            (GALLERY / figure).write_bytes(png)
            parts.append(f"![A figure of the example {run.name}]({figure})")
    return "\n\n".join(parts) + "\n"


MODULES = {
    "natfit": "What users call",
    "natfit.families": "Families",
    "natfit.families.links": "Links",
    "natfit.parametrizations": "Parametrizations",
    "natfit.optimize": "Optimizers",
    "natfit.data": "Rows that do not fit in memory",
    "natfit.datasets": "Data sets",
    "natfit.diagnostics": "Diagnostics",
    "natfit.gallery": "The gallery",
}


def write_reference() -> None:
    """Write the page of the reference: every public class and function of the modules above, from its docstring."""
    parts = ["Reference\n=========\n\nEvery public name, from its docstring.\n"]
    listed_before: set[int] = set()
    for name, heading in MODULES.items():
        module = import_module(name)
        public = [each for each in module.__all__ if callable(getattr(module, each))]
        public = [each for each in public if id(getattr(module, each)) not in listed_before]
        listed_before |= {id(getattr(module, each)) for each in public}
        listed = "\n".join(f"   {name}.{each}" for each in public)
        parts.append(f"{heading}\n{'-' * len(heading)}\n\n.. autosummary::\n   :toctree: reference\n\n{listed}\n")
    page = FOLDER / "api.rst"
    text = "\n".join(parts)
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


QUOTED = re.compile(r"(``.+?``|`[^`]+`)")
MARKUP = re.compile(r"(?<!\\)([*|]|(?<=\w)_(?=[\s.,;:)]|$))")


def plain_text(app: object, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Keep stars, bars and last underscores of a docstring as they are: here they are mathematics, not markup."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...", "*")):
            parts = QUOTED.split(line)
            parts[::2] = [MARKUP.sub(r"\\\1", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def setup(app: object) -> None:
    """Write what is generated before the pages are looked for."""
    write_reference()
    write_gallery()
    app.connect("autodoc-process-docstring", plain_text, priority=100)  # type: ignore[attr-defined]
