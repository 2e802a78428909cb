"""Run an example cell by cell, keeping what each cell printed and drew."""

from __future__ import annotations

import io
import linecache
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from natfit.data.checks import did_you_mean
from natfit.gallery.book import Book
from natfit.gallery.cells import Cell, read_cells

RESOLUTION = 110
"""Dots per inch of the figures that are kept: 800 pixels for one panel."""


@dataclass
class Output:
    """A cell with what it printed and the figures that it drew, as PNG."""

    cell: Cell
    printed: str = ""
    figures: list[bytes] = field(default_factory=list)


@dataclass
class Run:
    """An example that was run.

    Parameters
    ----------
    name, title : str
    outputs : list of Output
    books : list of Book
        What it compared itself with.
    seconds : float
    """

    name: str
    title: str
    outputs: list[Output]
    books: list[Book]
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether it compared itself with print, and every number agrees to the digits printed."""
        return bool(self.books) and all(book.comparisons and book.agrees for book in self.books)


def _folder() -> Path:
    import natfit.examples

    return Path(natfit.examples.__file__).parent


def names() -> list[str]:
    """List the examples.

    Examples
    --------
    >>> "horseshoe_crabs" in names()
    True
    """
    return sorted(each.stem for each in _folder().glob("*.py") if not each.stem.startswith("_"))


def path(name: str) -> Path:
    """Return an example's script.

    Raises
    ------
    ValueError
        No example has that name.
    """
    if name not in names():
        near = did_you_mean(name, names()).rstrip("?")
        raise ValueError(f"no example is called {name!r}{near}; 'natfit gallery' lists them all")
    return _folder() / f"{name}.py"


def title(name: str) -> str:
    """Return the question that an example asks: the heading of its first cell.

    Examples
    --------
    >>> title("horseshoe_crabs")
    'Do larger female horseshoe crabs gather more satellites?'
    """
    first = read_cells(path(name).read_text(encoding="utf-8"))[0]
    return first.text.splitlines()[0].lstrip("# ")


def run(name: str) -> Run:
    """Run an example.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        No example has that name. What the example itself raises is not caught.
    ImportError
        A package that the example needs is missing; the message names the extra to install.
    """
    script = path(name)
    source = script.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(script)}
    started = time.perf_counter()
    try:
        with _drawing() as plt:
            outputs = [_execute(cell, script, namespace, plt) for cell in read_cells(source)]
    except ModuleNotFoundError as error:
        raise ImportError(f"the example {name!r} needs {error.name}: install natfit[plot,parquet].") from error
    books = [value for value in namespace.values() if isinstance(value, Book)]
    return Run(name, title(name), outputs, books, time.perf_counter() - started)


def _execute(cell: Cell, script: Path, namespace: dict[str, Any], plt: Any) -> Output:
    """Run a cell in the script's namespace; its lines keep their numbers, so tracebacks point into the file."""
    output = Output(cell)
    if cell.kind == "markdown":
        return output
    linecache.checkcache(str(script))
    code = compile("\n" * (cell.line - 1) + cell.text, str(script), "exec")
    with redirect_stdout(io.StringIO()) as told:
        exec(code, namespace)
    output.printed = told.getvalue()
    for number in plt.get_fignums():
        png = io.BytesIO()
        plt.figure(number).savefig(png, format="png", dpi=RESOLUTION)
        output.figures.append(png.getvalue())
    plt.close("all")
    return output


@contextmanager
def _drawing() -> Iterator[Any]:
    """Draw without a screen, and put back what was in use before."""
    import matplotlib

    before = matplotlib.get_backend()
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    shown, plt.show = plt.show, lambda *args, **kwargs: None
    try:
        yield plt
    finally:
        plt.show = shown
        plt.close("all")
        plt.switch_backend(before)


def agreement(runs: list[Run]) -> str:
    """Return the table of agreement with the books, one line for each example."""
    rows = [("example", "numbers", "digits", "agree", "with")]
    for each in runs:
        count = sum(len(book.comparisons) for book in each.books)
        same = sum(one.agrees for book in each.books for one in book.comparisons)
        digits = max((book.digits for book in each.books), default=0)
        verdict = "all" if each.agrees else f"{same} of {count}"
        rows.append((each.name, str(count), str(digits), verdict, "; ".join(book.source for book in each.books)))
    widths = [max(len(row[j]) for row in rows) for j in range(4)]
    lines = [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:<{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    ]
    return "\n".join(lines)
