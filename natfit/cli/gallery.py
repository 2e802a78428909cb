"""``natfit gallery``: textbook examples, run beside the books' numbers."""

from __future__ import annotations

from pathlib import Path

import click

from natfit.cli.running import refusing
from natfit.cli.tables import WritablePath

DIFFERS = 1
"""Exit status where a number differs from the one printed."""


@click.command("gallery")
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Run all of them.")
@click.option("--html", "html", type=WritablePath([".html"]), help="Write tables and figures as one page.")
@click.option("--quiet", is_flag=True, help="Print the table of agreement only.")
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], every: bool, html: str | None, quiet: bool) -> None:
    """List the textbook examples; with NAMES, run those.

    Each ends with its numbers beside the book's. The last table says for each example whether all of them agree to the
    digits printed; if one does not, the exit status is 1.
    """
    from natfit import gallery

    with refusing():
        chosen = gallery.names() if every else list(names)
        titles = {name: gallery.title(name) for name in chosen or gallery.names()}
    if not chosen:
        wide = max(map(len, titles))
        click.echo("\n".join(f"{name:<{wide}}  {told}" for name, told in titles.items()))
        click.echo("\n'natfit gallery NAME' runs one, 'natfit gallery --all --html report.html' all of them.")
        return
    runs = []
    for name in chosen:
        with refusing():
            runs.append(gallery.run(name))
        if not quiet:
            told = "".join(output.printed for output in runs[-1].outputs)
            click.echo(f"== {runs[-1].title}\n\n{told}")
    click.echo(gallery.agreement(runs))
    if html is not None:
        with refusing():
            Path(html).write_text(gallery.page(runs), encoding="utf-8")
    if not all(each.agrees for each in runs):
        ctx.exit(DIFFERS)
