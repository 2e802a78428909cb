"""A fit's summary as text, HTML, LaTeX, Markdown or CSV; the ending of a file's name decides."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

from natfit._version import __version__

STYLE = """
body { font-family: system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #222; }
h1 { font-size: 1.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin-bottom: 1rem; min-width: 36rem; }
caption { font-weight: bold; padding: 0.4rem; }
th, td { padding: 0.15rem 0.6rem; text-align: right; border-bottom: 1px solid #ddd; }
th { text-align: left; font-weight: 600; }
li, footer { font-size: 0.9rem; color: #555; }
"""

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


def as_text(fit: Any, alpha: float) -> str:
    """Return what is printed."""
    return str(fit.summary(alpha=alpha)) + "\n"


def _escaped(fit: Any, alpha: float, escape: Callable[[str], str]) -> tuple[Any, list[str]]:
    """Return the tables with the names in them escaped, and the notes below them, one in each line."""
    names = [escape(str(name)) for name in fit.model.exog_names]
    summary = fit.summary(alpha=alpha, xname=names, yname=escape(str(fit.model.endog_names)))
    notes, summary.extra_txt = summary.extra_txt or "", None
    return summary, [line for line in notes.splitlines() if line.strip()]


def as_html(fit: Any, alpha: float) -> str:
    """Return a page that needs nothing else: the tables, and the notes below them."""
    summary, notes = _escaped(fit, alpha, html.escape)
    title = html.escape(f"{fit.model.formula} ({fit.family.name})")
    items = "\n".join(f"<li>{html.escape(note)}</li>" for note in notes)
    tables = "\n".join(table.as_html() for table in summary.tables)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{tables}\n<ul>\n{items}\n</ul>\n"
        f"<footer>natfit {__version__}</footer>\n</body>\n</html>\n"
    )


def as_latex(fit: Any, alpha: float) -> str:
    """Return a table to be put into a document that loads booktabs."""
    summary, notes = _escaped(fit, alpha, lambda name: name.translate(LATEX_NAMES))
    lines = " \\\\\n".join(note.translate(LATEX_NOTES) for note in notes)
    return f"{summary.as_latex().rstrip()}\n\n\\noindent\n{lines}\n"


def as_markdown(fit: Any, alpha: float) -> str:
    """Return the tables and notes in Markdown, with names as code."""
    summary = fit.summary(alpha=alpha)
    measures, coefficients = ([[str(cell.data).strip() for cell in row] for row in table] for table in summary.tables)
    lines = [f"# `{fit.model.formula}`", "", "| | |", "|---|---:|"]
    pairs = [row[side : side + 2] for side in (0, 2) for row in measures]
    lines += [f"| {label.rstrip(':')} | {_cell(value)} |" for label, value in pairs if label]
    head, *rows = coefficients
    lines += ["", f"| {' | '.join(_cell(each) for each in head)} |", "|---" + "|---:" * (len(head) - 1) + "|"]
    lines += [f"| {_code(row[0])} | {' | '.join(row[1:])} |" for row in rows]
    lines += ["", *(f"- {note}" for note in (summary.extra_txt or "").splitlines() if note.strip())]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(name: str) -> str:
    return f"`{_cell(name)}`"


def as_csv(fit: Any, alpha: float) -> str:
    """Return the coefficients to all their digits: a row for each, without the notes."""
    import numpy as np
    import pandas as pd

    limits = np.asarray(fit.conf_int(alpha))
    columns = {
        "coef": np.asarray(fit.params),
        "std_err": np.asarray(fit.bse),
        "t" if fit.use_t else "z": np.asarray(fit.tvalues),
        "p_value": np.asarray(fit.pvalues),
        "ci_lower": limits[:, 0],
        "ci_upper": limits[:, 1],
    }
    frame = pd.DataFrame(columns, index=pd.Index(fit.model.exog_names, name="term"))
    return frame.to_csv(lineterminator="\n")


FORMATS: dict[str, Callable[[Any, float], str]] = {
    ".txt": as_text,
    ".html": as_html,
    ".htm": as_html,
    ".tex": as_latex,
    ".md": as_markdown,
    ".csv": as_csv,
}
"""What writes a file, by the ending of its name."""
