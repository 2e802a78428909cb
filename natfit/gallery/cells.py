"""A script in cells, as editors read it: ``# %%`` starts code, ``# %% [markdown]`` a comment that is prose."""

from __future__ import annotations

from dataclasses import dataclass

MARK = "# %%"


@dataclass(frozen=True)
class Cell:
    """A run of lines between two marks.

    Parameters
    ----------
    kind : {"markdown", "code"}
    text : str
        Prose without its comment signs, or code.
    line : int
        Number of its first line in the file.
    """

    kind: str
    text: str
    line: int


def read_cells(source: str) -> list[Cell]:
    """Cut a script into its cells; what stands before the first mark is code.

    Examples
    --------
    >>> for cell in read_cells("# %% [markdown]\\n# # Title\\n# Prose.\\n\\n# %%\\nprint(1)\\n"):
    ...     print(cell)
    Cell(kind='markdown', text='# Title\\nProse.', line=2)
    Cell(kind='code', text='print(1)', line=6)
    """
    cells: list[Cell] = []
    lines: list[str] = []
    kind, start = "code", 1

    def close() -> None:
        text = "\n".join(lines)
        if kind == "markdown":
            text = "\n".join(_uncomment(line) for line in lines)
        if text.strip():
            blank = next(i for i, line in enumerate(lines) if line.strip())
            cells.append(Cell(kind, text.strip("\n").rstrip(), start + blank))

    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith(MARK):
            close()
            kind = "markdown" if "[markdown]" in line else "code"
            lines, start = [], number + 1
        else:
            lines.append(line)
    close()
    return cells


def _uncomment(line: str) -> str:
    return line[2:] if line.startswith("# ") else line.removeprefix("#")
