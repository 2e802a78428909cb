"""A scope with nothing in it, from which to build a model: a formula sees the names of the code that calls.

Without it a formula that misspells a column could find a variable of the command line's own code instead.
"""

from typing import Any as _Any


def _from_nowhere(_function: _Any, *_args: _Any, **_kwargs: _Any) -> _Any:
    return _function(*_args, **_kwargs)
