"""What was run, as one self-contained HTML page: prose, code, what it printed, its figures."""

from __future__ import annotations

import base64
import html
import re

from natfit.gallery.running import Output, Run

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #111; }
pre { background: #f5f5f3; padding: .7rem 1rem; overflow-x: auto; font-size: 13px; line-height: 1.35; }
pre.printed { background: none; border-left: 3px solid #bbb; }
img { max-width: 100%; display: block; margin: 1rem 0; }
table { border-collapse: collapse; margin: 1rem 0; }
td, th { padding: .25rem .8rem .25rem 0; text-align: left; border-bottom: 1px solid #ddd; vertical-align: top; }
.differs { font-weight: bold; text-decoration: underline; }
section { border-top: 2px solid #111; margin-top: 3rem; }
"""


def page(runs: list[Run], heading: str = "natfit: the textbook gallery") -> str:
    """Return the page of some runs: a table of agreement first, then each example.

    Parameters
    ----------
    runs : list of Run
    heading : str
    """
    body = "\n".join(_section(each) for each in runs)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(heading)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{html.escape(heading)}</h1>\n{_agreement(runs)}\n{body}\n</body></html>\n"
    )


def _agreement(runs: list[Run]) -> str:
    rows = []
    for each in runs:
        count = sum(len(book.comparisons) for book in each.books)
        same = sum(one.agrees for book in each.books for one in book.comparisons)
        verdict = f"all {count} agree" if each.agrees else f'<span class="differs">{same} of {count} agree</span>'
        sources = html.escape("; ".join(book.source for book in each.books))
        rows.append(
            f'<tr><td><a href="#{each.name}">{html.escape(each.title)}</a></td><td>{verdict}</td><td>{sources}</td></tr>'
        )
    head = "<tr><th>Example</th><th>Numbers, to the digits printed</th><th>In print</th></tr>"
    return f'<table id="agreement">{head}{"".join(rows)}</table>'


def _section(each: Run) -> str:
    return f'<section id="{each.name}">\n' + "\n".join(_output(output) for output in each.outputs) + "\n</section>"


def _output(output: Output) -> str:
    if output.cell.kind == "markdown":
        return _prose(output.cell.text)
    parts = [f"<pre><code>{html.escape(output.cell.text)}</code></pre>"]
    if output.printed.strip():
        parts.append(f'<pre class="printed">{html.escape(output.printed.rstrip())}</pre>')
    for png in output.figures:
        parts.append(f'<img alt="figure" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">')
    return "\n".join(parts)


def _prose(text: str) -> str:
    """Return the little Markdown that examples use as HTML: headings, paragraphs, lists, emphasis, code."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.splitlines()
        while lines and lines[0].startswith("#"):
            level = min(len(lines[0]) - len(lines[0].lstrip("#")) + 1, 6)
            parts.append(f"<h{level}>{_inline(lines.pop(0).lstrip('# '))}</h{level}>")
        if lines and all(line.startswith(("- ", "  ")) for line in lines):
            items = re.split(r"^- ", "\n".join(lines), flags=re.MULTILINE)[1:]
            parts.append("<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>")
        elif lines and all(line.startswith("    ") for line in lines):
            parts.append(f"<pre>{html.escape(chr(10).join(line[4:] for line in lines))}</pre>")
        elif lines:
            parts.append(f"<p>{_inline(' '.join(lines))}</p>")
    return "\n".join(parts)


def _inline(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*", r"<em>\1</em>", text)
