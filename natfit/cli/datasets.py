"""``natfit datasets``: what data natfit ships."""

from __future__ import annotations

import click

from natfit.cli.running import refusing


@click.command("datasets")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the data sets that natfit ships; with a NAME, describe that one and its columns.

    Each can be given to the other commands by name, as in 'natfit fit "sat ~ width" --data crabs'.
    """
    from natfit import datasets

    with refusing():
        told = datasets.describe(name)
    if isinstance(told, str):
        click.echo(told)
        return
    wide = max(len(each) for each in told.index)
    click.echo(f"{'name':<{wide}}  {'rows':>5}  {'columns':>7}  title")
    for each, row in told.iterrows():
        click.echo(f"{each:<{wide}}  {row['rows']:>5}  {row['columns']:>7}  {row['title']}")
    click.echo("\n'natfit datasets NAME' tells a data set's columns and source.")
