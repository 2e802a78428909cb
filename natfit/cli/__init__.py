"""The command line: ``natfit fit``, ``natfit datasets`` and the commands that join them.

Each command is a module of this package with a ``click.Command`` called ``command``, and stands in `COMMANDS` with the
line that ``natfit --help`` shows. A module is imported only when its command is asked for, and pandas and the models
only when it runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from natfit._version import __version__
from natfit.cli import running

__all__ = ["main", "natfit"]

COMMANDS = {
    "datasets": "List the data sets that natfit ships, or describe one.",
    "fit": "Fit a generalized linear model to a table and print its summary.",
    "gallery": "Run textbook examples beside the books' numbers.",
    "invariance": "Show which optimizers' paths depend on the parametrization, and how much.",
    "mixture": "Fit finite mixtures to columns of a table, and compare them by BIC.",
    "race": "Race optimizers in several parametrizations of one distribution.",
}
"""Each command and what it does; the module of the same name holds it."""


class Commands(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command; None where there is none of that name."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"natfit.cli.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name, or suggest the nearest."""
        name = args[0]
        if not name.startswith("-") and name not in COMMANDS:
            raise click.UsageError(f"there is no command {name!r}{running.nearest(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands into the help, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="'natfit COMMAND --help' explains a command. Bad input ends with one line on standard error and status 2.",
)
@click.version_option(__version__, message="natfit %(version)s")
@click.pass_context
def natfit(ctx: click.Context) -> None:
    """Fit probabilistic models by maximum likelihood, with the natural gradient."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        What follows the program's name; taken from ``sys.argv`` by default.

    Returns
    -------
    int
        0: done. 1: a fit did not converge. 2: bad input, told in one line on standard error. 130: interrupted.

    Examples
    --------
    >>> main(["--version"])  # doctest: +ELLIPSIS
    natfit ...
    0
    """
    return running.run(natfit, list(sys.argv[1:] if argv is None else argv))
