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


def as_text(fit: Any, alpha: float) -> str:
    """Return what is printed."""
    return str(fit.summary(alpha=alpha)) + "\n"


def as_html(fit: Any, alpha: float) -> str:
    """Return a page that needs nothing else: the tables, and the notes below them."""
    summary = fit.summary(alpha=alpha)
    title = html.escape(f"{fit.model.formula} ({fit.family.name})")
    items = "\n".join(f"<li>{html.escape(note)}</li>" for note in summary.notes())
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{summary.html_tables()}\n<ul>\n{items}\n</ul>\n"
        f"<footer>natfit {__version__}</footer>\n</body>\n</html>\n"
    )


def as_latex(fit: Any, alpha: float) -> str:
    """Return a table to be put into a document that loads booktabs."""
    text: str = fit.summary(alpha=alpha).as_latex()
    return text


def as_markdown(fit: Any, alpha: float) -> str:
    """Return the formula, the tables and the notes in Markdown, with names as code."""
    return f"# `{fit.model.formula}`\n\n{fit.summary(alpha=alpha).as_markdown()}"


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
