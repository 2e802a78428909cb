"""statsmodels' Summary with names escaped as each format needs, and Markdown besides.

Imports statsmodels, so it is imported only where a table is made.
"""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Callable
from typing import Any

from statsmodels.iolib.summary import Summary as StatsmodelsSummary

LATEX_NAMES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
    }
)
"""Characters that statsmodels' LaTeX tables leave as they are; it escapes the others itself."""

LATEX_NOTES = LATEX_NAMES | str.maketrans(
    {"#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_", ">": r"\textgreater{}", "|": r"\textbar{}"}
)

MARKDOWN = str.maketrans({each: f"\\{each}" for each in "\\`*_[]<>|~"})


class Summary(StatsmodelsSummary):
    """The printed table of a fit: ``as_text``, ``as_html``, ``as_latex``, ``as_markdown``, ``as_csv``.

    Whatever a name holds, ``<b>`` or ``a_b``, is shown as it is.
    """

    def notes(self) -> list[str]:
        """Return what is said below the tables, one sentence or more in each line."""
        return [line for line in (self.extra_txt or "").splitlines() if line.strip()]

    def escaped(self, escape: Callable[[str], str]) -> Summary:
        """Return the tables with every text in them escaped, without the notes."""
        made = Summary()
        made.tables = [_escaped(table, escape) for table in self.tables]
        return made

    def html_tables(self) -> str:
        """Return the tables alone, as HTML."""
        return "\n".join(table.as_html() for table in self.escaped(html.escape).tables)

    def as_html(self) -> str:
        """Return the tables as HTML, and the notes below them, one in each line."""
        notes = "<br/>\n".join(html.escape(note) for note in self.notes())
        return f"{self.html_tables()}\n<br/><br/>{notes}" if notes else self.html_tables()

    def as_latex(self) -> str:
        """Return the tables and notes for a LaTeX document that loads booktabs."""
        tables = StatsmodelsSummary.as_latex(self.escaped(lambda text: text.translate(LATEX_NAMES))).rstrip()
        lines = " \\\\\n".join(note.translate(LATEX_NOTES) for note in self.notes())
        return f"{tables}\n\n\\noindent\n{lines}\n" if lines else f"{tables}\n"

    def as_markdown(self) -> str:
        """Return the tables and notes in Markdown, with names as code."""
        blocks = []
        for number, table in enumerate(self.tables):
            rows = [[str(cell.data).strip() for cell in row] for row in table]
            blocks.append(_pairs(rows) if number == 0 and len(self.tables) > 1 else grid(rows))
        blocks.append([f"- {note.translate(MARKDOWN)}" for note in self.notes()])
        return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"

    def _repr_markdown_(self) -> str:
        return self.as_markdown()


def _escaped(table: Any, escape: Callable[[str], str]) -> Any:
    made = copy.deepcopy(table)
    made.title = escape(made.title) if made.title else made.title
    for row in made:
        for cell in row:
            if isinstance(cell.data, str):
                cell.data = escape(cell.data)
    return made


def _pairs(rows: list[list[str]]) -> list[str]:
    """Return a table of labels and values, two pairs in each row, one under the other."""
    pairs = [row[side : side + 2] for side in range(0, len(rows[0]), 2) for row in rows]
    return ["| | |", "|---|---:|", *(f"| {pair[0].rstrip(':')} | {_cell(pair[-1])} |" for pair in pairs if pair[0])]


def grid(rows: list[list[str]]) -> list[str]:
    """Return a table with a row of headings and a name in front of each other row."""
    head, *rest = rows
    lines = [f"| {' | '.join(_cell(each) for each in head)} |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return lines + [f"| {_code(row[0])} | {' | '.join(_cell(each) for each in row[1:])} |" for row in rest]


def _cell(text: str) -> str:
    return _piped(text).replace("<", "&lt;").replace("*", "\\*")


def _piped(text: str) -> str:
    return text.replace("|", "\\|")


def _code(name: str) -> str:
    """Return a name as code; more backquotes where it holds some."""
    fence = "`" * (1 + max(map(len, re.findall("`+", name)), default=0))
    padded = f" {name} " if "`" in name else name
    return f"{fence}{_piped(padded)}{fence}" if name else ""
