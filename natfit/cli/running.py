"""How a command runs: what is bad input and what is a fault of natfit's own, how both are told, and exit statuses."""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
PIPE_CLOSED = 141  # 128 + SIGPIPE

REFUSALS = (ValueError, OSError, ImportError, MemoryError)
"""What natfit raises for input that it can't use. Any other exception is a fault of its own and keeps its traceback."""


class Refusal(click.ClickException):
    """Bad input that was found after the arguments were read."""

    exit_code = BAD_INPUT


@contextmanager
def refusing() -> Iterator[None]:
    """Turn the refusals of what runs inside into one line and exit status 2.

    To be put round the steps that judge the user's input, not round those that print.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except REFUSALS as error:
        if type(error).__name__ == "LinAlgError":  # a ValueError to Python; to natfit a fault
            raise
        raise Refusal(sentence(error)) from error


def sentence(error: BaseException) -> str:
    """Return an exception's message in one line.

    Examples
    --------
    >>> sentence(ValueError("counts must be\\n 0 or more"))
    'counts must be 0 or more'
    >>> sentence(FileNotFoundError(2, "No such file or directory", "a.csv"))
    "'a.csv': no such file or directory"
    """
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror[:1].lower() + error.strerror[1:]
        return f"{error.filename!r}: {reason}" if error.filename is not None else reason
    if isinstance(error, MemoryError):
        return f"there is not enough memory: {one_line(error) or 'an allocation failed'}"
    return one_line(error) or type(error).__name__


def one_line(message: object) -> str:
    """Return a text without line breaks and doubled blanks."""
    return " ".join(str(message).split())


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest of some names, or list them all.

    Examples
    --------
    >>> nearest("fti", ["datasets", "fit"])
    "; did you mean 'fit'?"
    >>> nearest("zzz", ["datasets", "fit"])
    '; choose one of datasets, fit'
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; choose one of {', '.join(known)}"


def run(group: click.Group, args: list[str]) -> int:
    """Run a command and return the exit status; what went wrong with the input is one line on standard error."""
    _speak_utf8()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            with group.make_context("natfit", args) as ctx:
                status = group.invoke(ctx)
            if sys.stdout is not None:  # it is where the shell has closed it
                sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        _tell(f"natfit: error: {_explain(error)}")
        return BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        _tell("natfit: interrupted")
        return INTERRUPTED
    except OSError as error:  # of standard output: what reads files stands inside `refusing`
        _abandon_output()
        if isinstance(error, BrokenPipeError):
            return PIPE_CLOSED
        _tell(f"natfit: error: the output can't be written: {sentence(error)}")
        return BAD_INPUT


def _abandon_output() -> None:
    """Let what Python flushes at exit go nowhere, as its manual advises (library/signal, "Note on SIGPIPE")."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: click.ClickException) -> str:
    text = one_line(error.format_message())
    if isinstance(error, click.UsageError) and not isinstance(error, click.BadParameter) and error.ctx is not None:
        text = f"{text.rstrip('.')} (see '{error.ctx.command_path} --help')"
    return text


def _tell(line: str) -> None:
    with suppress(OSError):  # nobody is left to read it
        click.echo(line, err=True)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _tell(f"natfit: warning: {one_line(message)}")


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale says; names that UTF-8 has no bytes for are spelled out."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
